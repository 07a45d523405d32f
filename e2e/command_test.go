package e2e

import (
	"bufio"
	"context"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// buildPrograms builds the programs once and returns their folder.
var buildPrograms = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "vepverify-e2e-")
	if err != nil {
		return "", err
	}
	atEnd = append(atEnd, func() { _ = os.RemoveAll(dir) })
	build := exec.Command("go", "build", "-o", dir, "./cmd/vepverify", "./examples/login")
	build.Dir = ".."
	build.Stderr = os.Stderr
	return dir, build.Run()
})

// process is a command that was started.
type process struct {
	t      *testing.T
	dir    string // its working directory
	cmd    *exec.Cmd
	output string // on standard output, so far
}

// start starts "vepverify" with the arguments in an empty folder, and reads its output up
// to the line that explains how to end it.
func start(t *testing.T, args ...string) *process {
	t.Helper()
	needBrowser(t) // before the slow build
	r := &process{t: t, dir: t.TempDir()}
	r.cmd = command(t, r.dir, "vepverify", args...)
	out, err := r.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	startCommand(t, r.cmd)
	for lines := bufio.NewScanner(out); lines.Scan(); {
		r.output += lines.Text() + "\n"
		if strings.Contains(lines.Text(), "Ctrl-C") {
			return r
		}
	}
	t.Fatalf("%v: %s", args, r.output)
	return nil
}

// command returns a command that runs a program that was built.
func command(t *testing.T, dir, name string, args ...string) *exec.Cmd {
	t.Helper()
	built, err := buildPrograms()
	if err != nil {
		t.Fatal(err)
	}
	c := exec.Command(filepath.Join(built, name), args...)
	c.Args[0] = name // as if found in the path
	c.Dir, c.Stderr = dir, os.Stderr
	return c
}

// startCommand starts a command. It is killed at the end of the test.
func startCommand(t *testing.T, c *exec.Cmd) {
	t.Helper()
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Process.Kill(); _ = c.Wait() }) // unless it was stopped
}

// find returns the first group of a regular expression in the output.
func (r *process) find(pattern string) string {
	r.t.Helper()
	m := regexp.MustCompile(pattern).FindStringSubmatch(r.output)
	if m == nil {
		r.t.Fatalf("no %q in: %s", pattern, r.output)
	}
	return m[1]
}

// interrupt sends Ctrl-C. The program must exit with status 0.
func (r *process) interrupt() {
	r.t.Helper()
	if err := r.cmd.Process.Signal(syscall.SIGINT); err != nil {
		r.t.Fatal(err)
	}
	if err := r.cmd.Wait(); err != nil {
		r.t.Errorf("interrupted: %v", err)
	}
}

// shell runs lines for a shell in the folder, with the programs in the path, and returns
// their output.
func (r *process) shell(lines string) string {
	r.t.Helper()
	built, err := buildPrograms()
	if err != nil {
		r.t.Fatal(err)
	}
	sh := exec.Command("sh", "-ec", lines)
	sh.Dir, sh.Stderr = r.dir, os.Stderr
	sh.Env = append(os.Environ(), "PATH="+built+string(os.PathListSeparator)+os.Getenv("PATH"))
	out, err := sh.Output()
	if err != nil {
		r.t.Fatalf("%s: %v\n%s", lines, err, out)
	}
	return string(out)
}

// TestIdp signs in at a site with "vepverify idp", and verifies the assertion with the
// command lines that it prints.
func TestIdp(t *testing.T) {
	c := start(t, "idp", "--port", "0", "--domain", "example.com")
	idp := c.find(`^identity provider: (http://localhost:[0-9]+)\n`)
	origin := site(t, idp, watchScript)
	w := newTab(t)
	w.open(origin)
	w.see("#said", "ready")
	signIn(w, "ada")
	w.see("#said", "login")
	if err := os.WriteFile(filepath.Join(c.dir, "assertion.txt"), []byte(eval[string](w, "window.assertion")), 0o600); err != nil {
		t.Fatal(err)
	}
	lines := c.find(`\n((?:  curl [^\n]*\n)?  vepverify [^\n]*--keys keys\.json)\n  vepverify serve --keys keys\.json`)
	if out := c.shell(strings.ReplaceAll(lines, "http://localhost:8080", origin)); !strings.Contains(out, `"status":"okay","email":"ada@example.com"`) {
		t.Error(out)
	}
	c.interrupt()
}

// TestExample signs in at examples/login with "vepverify idp". The example's port is fixed.
func TestExample(t *testing.T) {
	const site = "localhost:8080"
	if l, err := net.Listen("tcp", site); err != nil {
		t.Skipf("%s is in use", site)
	} else {
		_ = l.Close() // only tested
	}
	c := start(t, "idp", "--port", "0", "--keys-out", "keys.json")
	idp := c.find(`^identity provider: (http://localhost:[0-9]+)\n`)
	startCommand(t, command(t, c.dir, "login", "-include", idp+"/include.js", "-keys", "keys.json"))
	untilListening(t, site)
	w := newTab(t)
	w.open("http://" + site + "/")
	w.signIn("ada")
	w.see("p", "You are ada@idp.localhost")
	w.click("a")
	w.see("p", "You are ada@idp.localhost")
	w.wait("location.pathname === '/members'")
	w.click("#browserid-logout")
	w.see("button", "Sign in")
	c.interrupt()
}

func untilListening(t *testing.T, address string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), deadline)
	defer cancel()
	for {
		if conn, err := net.Dial("tcp", address); err == nil {
			_ = conn.Close() // only tested
			return
		}
		select {
		case <-time.After(pollInterval):
		case <-ctx.Done():
			t.Fatalf("%s does not listen", address)
		}
	}
}
