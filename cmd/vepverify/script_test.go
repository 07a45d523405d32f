package main

import (
	"errors"
	"fmt"
	"log"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/vepverify/vepverify/cmd/vepverify/internal/cli"
	"github.com/vepverify/vepverify/cmd/vepverify/internal/clitest"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"vepverify": main, "onterminal": onTerminal})
}

// onTerminal is a program for scripts that runs another one on a terminal. It replaces
// the command ttyin of testscript, which loses output: it closes the terminal as soon as the
// program has ended.
//
//	onterminal [-stdin] TYPED SCREEN PROGRAM ARGUMENT…
//
// The text of the file TYPED is typed; what the program writes to /dev/tty goes into
// the file SCREEN. With -stdin the terminal is the standard input, too.
func onTerminal() {
	args := os.Args[1:]
	asInput := args[0] == "-stdin"
	if asInput {
		args = args[1:]
	}
	typed, err := os.ReadFile(args[0])
	if err != nil {
		log.Fatal(err)
	}
	cmd := exec.Command(args[2], args[3:]...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
	shown, err := clitest.RunOnTerminal(cmd, string(typed), asInput)
	if err := os.WriteFile(args[1], []byte(shown), 0o600); err != nil {
		log.Fatal(err)
	}
	if err != nil {
		log.Fatal(err)
	}
}

// TestScript runs testdata/script, one file for each behavior. Every script
// starts in a folder with the fixtures, and with its own hosts. The fixtures are of
// idp.example, made by the commands themselves as of 2026-01-01; their keys are public.
//
//	$IDP    127.0.0.1:port, which serves site/browserid as its support document,
//	        or else the status code in site/status, or else 404; other paths are files in site
//	ca.pem  the certificate authority of $IDP
//	$MUTE   a host that accepts connections and never answers
//	$DEAD   a host that refuses connections
//	$DNS    a DNS server, whose TXT records of NAME are the lines of dns/NAME
//	$PROXY  the URL of a proxy that connects every host to $IDP, whose certificate is for
//	        example.com
func TestScript(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata/script",
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		Setup:               setUp,
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"exits":    exits,
			"mask":     mask,
			"hostile":  hostile,
			"mint":     mint,
			"mode":     mode,
			"requests": requests,
			"await":    await,
			"repeat":   repeat,
		},
	})
}

func setUp(env *testscript.Env) error {
	// With -race, each of about 300 processes would sleep for a second at its end.
	env.Setenv("GORACE", "atexit_sleep_ms=0")
	fixtures, err := filepath.Glob("testdata/fixtures/*")
	if err != nil {
		return err
	}
	for _, name := range fixtures {
		data, err := os.ReadFile(name)
		if err != nil {
			return err
		}
		if err := os.WriteFile(filepath.Join(env.WorkDir, filepath.Base(name)), data, 0o600); err != nil {
			return err
		}
	}
	return startHosts(env)
}

// exits runs a program and compares its exit status with the first argument. It
// also checks the output that belongs to the status: an error is one line on
// standard error, and nothing else; an answer writes nothing to standard error,
// except with --explain, and one line about an input that is not an assertion, or a service that
// is not healthy.
func exits(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: exits STATUS PROGRAM ARGUMENT…")
	}
	status := 0
	var failed *exec.ExitError
	switch err := ts.Exec(args[1], args[2:]...); {
	case errors.As(err, &failed):
		status = failed.ExitCode()
	case err != nil:
		ts.Fatalf("%v", err)
	}
	if got := strconv.Itoa(status); got != args[0] {
		ts.Fatalf("exit status %s, want %s", got, args[0])
	}
	out, stderr := ts.ReadFile("stdout"), ts.ReadFile("stderr")
	switch {
	case status == int(cli.ExitUsage):
		if out != "" {
			ts.Fatalf("an error, and a text on standard output")
		}
		if !regexp.MustCompile(`^vepverify: [^\n]{10,}\n$`).MatchString(stderr) {
			ts.Fatalf("the error is not one line that begins with the program's name")
		}
	case status == int(cli.ExitFailure) && regexp.MustCompile(`^vepverify: (the input is|not healthy:) [^\n]{10,}\n$`).MatchString(stderr):
	case stderr != "" && !slices.Contains(args, "--explain"):
		ts.Fatalf("an answer, and a text on standard error")
	}
}

// mask replaces every match of a regular expression in a file.
func mask(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 3 {
		ts.Fatalf("usage: mask FILE REGEXP REPLACEMENT")
	}
	masked := regexp.MustCompile(args[1]).ReplaceAllString(ts.ReadFile(args[0]), args[2])
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), []byte(masked), 0o600))
}

// mode checks the permissions of a file.
func mode(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: mode PERMISSIONS FILE")
	}
	info, err := os.Stat(ts.MkAbs(args[1]))
	ts.Check(err)
	if got := fmt.Sprintf("%04o", info.Mode().Perm()); got != args[0] {
		ts.Fatalf("%s has mode %s, want %s", args[1], got, args[0])
	}
}

// repeat writes a file with a number of copies of a text, in which \n, \r and \xHH
// stand for bytes.
func repeat(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 3 {
		ts.Fatalf("usage: repeat NUMBER TEXT FILE")
	}
	n, err := strconv.Atoi(args[0])
	ts.Check(err)
	text, err := strconv.Unquote(`"` + args[1] + `"`)
	ts.Check(err)
	ts.Check(os.WriteFile(ts.MkAbs(args[2]), []byte(strings.Repeat(text, n)), 0o600))
}
