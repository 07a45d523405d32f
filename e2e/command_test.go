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

// program builds the command once, and gives the folder that has it.
var program = sync.OnceValues(func() (string, error) {
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

// running is a command that runs.
type running struct {
	t    *testing.T
	dir  string // its working directory
	cmd  *exec.Cmd
	said string // on standard output
}

// start starts "vepverify" with the arguments, in an empty folder, and reads
// what it says to the end, which is how to end it.
func start(t *testing.T, args ...string) *running {
	t.Helper()
	needBrowser(t) // there is nothing to test without
	r := &running{t: t, dir: t.TempDir()}
	r.cmd = command(t, r.dir, "vepverify", args...)
	out, err := r.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	begin(t, r.cmd)
	for lines := bufio.NewScanner(out); lines.Scan(); {
		r.said += lines.Text() + "\n"
		if strings.Contains(lines.Text(), "Ctrl-C") {
			return r
		}
	}
	t.Fatalf("%v: %s", args, r.said)
	return nil
}

// command is a program that was built.
func command(t *testing.T, dir, name string, args ...string) *exec.Cmd {
	t.Helper()
	built, err := program()
	if err != nil {
		t.Fatal(err)
	}
	c := exec.Command(filepath.Join(built, name), args...)
	c.Args[0] = name // as it is found in the path
	c.Dir, c.Stderr = dir, os.Stderr
	return c
}

// begin starts a command, which ends with the test at the latest.
func begin(t *testing.T, c *exec.Cmd) {
	t.Helper()
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Process.Kill(); _ = c.Wait() }) // unless it was stopped
}

// find gives the first group of a regular expression in what was said.
func (r *running) find(pattern string) string {
	r.t.Helper()
	m := regexp.MustCompile(pattern).FindStringSubmatch(r.said)
	if m == nil {
		r.t.Fatalf("no %q in: %s", pattern, r.said)
	}
	return m[1]
}

// interrupt presses Ctrl-C, and wants the program to end well.
func (r *running) interrupt() {
	r.t.Helper()
	if err := r.cmd.Process.Signal(syscall.SIGINT); err != nil {
		r.t.Fatal(err)
	}
	if err := r.cmd.Wait(); err != nil {
		r.t.Errorf("interrupted: %v", err)
	}
}

// shell runs lines for a shell, in the folder, as somebody who has installed the
// program, and gives what they print.
func (r *running) shell(lines string) string {
	r.t.Helper()
	built, err := program()
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

// TestIdp: "vepverify idp" with a site of its user's, and the commands that it
// tells to believe it.
func TestIdp(t *testing.T) {
	c := start(t, "idp", "--port", "0", "--domain", "example.com")
	idp := c.find(`^identity provider: (http://localhost:[0-9]+)\n`)
	origin := site(t, idp, watching)
	w := newTab(t)
	w.open(origin)
	w.see("#said", "ready")
	signIn(w, "ada")
	w.see("#said", "login")
	if err := os.WriteFile(filepath.Join(c.dir, "assertion.txt"), []byte(eval[string](w, "window.assertion")), 0o600); err != nil {
		t.Fatal(err)
	}
	lines := c.find(`(?s)believe it:\n(.*--keys keys\.json)\n  vepverify serve --keys keys\.json`)
	if out := c.shell(strings.ReplaceAll(lines, "http://localhost:8080", origin)); !strings.Contains(out, `"status":"okay","email":"ada@example.com"`) {
		t.Error(out)
	}
	c.interrupt()
}

// TestExample: the smallest relying party of the documentation, with "vepverify
// idp". Its port is fixed.
func TestExample(t *testing.T) {
	const site = "localhost:8080"
	if l, err := net.Listen("tcp", site); err != nil {
		t.Skipf("something else has %s", site)
	} else {
		_ = l.Close() // it was only to see
	}
	c := start(t, "idp", "--port", "0", "--keys-out", "keys.json")
	idp := c.find(`^identity provider: (http://localhost:[0-9]+)\n`)
	begin(t, command(t, c.dir, "login", "-include", idp+"/include.js", "-keys", "keys.json"))
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
			_ = conn.Close() // it was only to see
			return
		}
		select {
		case <-time.After(often):
		case <-ctx.Done():
			t.Fatal("nothing listens")
		}
	}
}
