//go:build unix

package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"encoding/pem"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/vepverify/vepverify/cmd/vepverify/internal/cli"
)

// startServeProcess starts vepverify serve on a free port, and returns its URL.
func startServeProcess(t *testing.T, args ...string) (p *process, base string) {
	t.Helper()
	p = startProcess(t, "vepverify", append([]string{"serve"}, args...)...)
	return p, p.running()
}

// running returns the URL in the line on standard output.
func (p *process) running() string {
	p.t.Helper()
	line, err := p.out.ReadBytes('\n')
	p.check(err)
	var running struct{ Fields struct{ URL string } }
	p.check(json.Unmarshal(line, &running))
	return running.Fields.URL
}

// expectLog reads the log up to a line with this message, and returns the line.
func (p *process) expectLog(message string) string {
	p.t.Helper()
	var read bytes.Buffer
	for {
		line, err := p.stderr.ReadString('\n')
		read.WriteString(line)
		if err != nil {
			p.t.Fatalf("no line %q in the log: %s", message, read.String())
		}
		if strings.Contains(line, `"msg":"`+message) {
			return line
		}
	}
}

// beginRequest sends a part of a request, and waits until the service reads the rest.
func beginRequest(t *testing.T, base string) net.Conn {
	t.Helper()
	c, err := net.Dial("tcp", strings.TrimPrefix(base, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	_, err = io.WriteString(c, "POST /v2 HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nExpect: 100-continue\r\nContent-Length: 100\r\n\r\n")
	if err != nil {
		t.Fatal(err)
	}
	if line, err := bufio.NewReader(c).ReadString('\n'); !strings.Contains(line, "100 Continue") {
		t.Fatalf("%q, %v", line, err)
	}
	return c
}

// TestServeSignals: each of the two signals ends the service. Signals that arrive together count
// as one.
func TestServeSignals(t *testing.T) {
	for _, signals := range [][]os.Signal{{os.Interrupt}, {syscall.SIGTERM}, {syscall.SIGSTOP, syscall.SIGTERM, os.Interrupt, syscall.SIGCONT}} {
		p, _ := startServeProcess(t)
		for _, s := range signals {
			p.check(p.cmd.Process.Signal(s))
		}
		if stderr, state := p.end(); state.ExitStatus() != 0 || !strings.Contains(stderr, `"msg":"stopped"`) || strings.Contains(stderr, "second signal") {
			t.Errorf("%v: ended with %v: %s", signals, state, stderr)
		}
	}
}

// TestServeSecondSignal: while the service waits for a request, it says so, and a second signal
// ends it at once. That holds for a process that a script has started with "&", in which SIGINT is
// ignored at first.
func TestServeSecondSignal(t *testing.T) {
	background := []string{"sh", "-c", `trap "" INT; exec vepverify serve`}
	for _, test := range []struct {
		program       []string
		first, second syscall.Signal
		status        int
		name          string
	}{
		{[]string{"vepverify", "serve"}, syscall.SIGINT, syscall.SIGINT, 130, "interrupt"},
		{[]string{"vepverify", "serve"}, syscall.SIGTERM, syscall.SIGTERM, 143, "terminated"},
		{[]string{"vepverify", "serve"}, syscall.SIGTERM, syscall.SIGINT, 130, "interrupt"},
		{background, syscall.SIGINT, syscall.SIGINT, 130, "interrupt"},
	} {
		p := startProcess(t, test.program[0], test.program[1:]...)
		defer beginRequest(t, p.running()).Close()
		p.check(p.cmd.Process.Signal(test.first))
		if line := p.expectLog("stopping"); !strings.Contains(line, `"connections":1`) || !strings.Contains(line, "30s") {
			t.Errorf("%v: %s", test, line)
		}
		stderr, state := p.interruptUntilEnd(test.second)
		if state.ExitStatus() != test.status || stderr != secondSignal(test.name) {
			t.Errorf("%v: ended with %v: %s", test, state, stderr)
		}
	}
}

// TestServeShutdownDelay: for the delay after SIGTERM the service answers as before, except that it
// is not ready and closes connections. A second signal ends it at once.
func TestServeShutdownDelay(t *testing.T) {
	p, base := startServeProcess(t, "--shutdown-delay", "5m", "--keys", "testdata/fixtures/keys.json")
	get := func(path string) *http.Response {
		res, err := http.Get(base + path)
		p.check(err)
		p.check(res.Body.Close())
		return res
	}
	if res := get("/readyz"); res.StatusCode != 200 || res.Close {
		t.Errorf("before: %s, closed: %v", res.Status, res.Close)
	}
	p.check(p.cmd.Process.Signal(syscall.SIGTERM))
	if line := p.expectLog("stopping: serves on for the delay"); !strings.Contains(line, `"delay":"5m"`) {
		t.Error(line)
	}
	for path, want := range map[string]int{"/readyz": 503, "/healthz": 200, "/__heartbeat__": 200} {
		if res := get(path); res.StatusCode != want || !res.Close {
			t.Errorf("%s: %s, closed: %v, want status %d", path, res.Status, res.Close, want)
		}
	}
	if status := verifyAt(t, base, "bogus"); status != "failure" {
		t.Errorf("a verification is answered with %q", status)
	}
	code, _, stderr := runApp(t, cli.Process{}, "health", base+"/readyz")
	if code != 1 || !strings.Contains(stderr, "not ready; service: stopping") {
		t.Errorf("vepverify health: status %d, %s", code, stderr)
	}
	stderr, state := p.interruptUntilEnd(syscall.SIGTERM)
	if state.ExitStatus() != 143 || !strings.HasSuffix(stderr, secondSignal("terminated")) {
		t.Errorf("ended with %v: %s", state, stderr)
	}
}

// TestServeAfterShutdownDelay: the service stops after the delay.
func TestServeAfterShutdownDelay(t *testing.T) {
	p, _ := startServeProcess(t, "--shutdown-delay", "100ms")
	p.check(p.cmd.Process.Signal(syscall.SIGTERM))
	p.expectLog("stopping: serves on for the delay")
	p.expectLog("stopped")
	if stderr, state := p.end(); state.ExitStatus() != 0 {
		t.Errorf("ended with %v: %s", state, stderr)
	}
}

// verifyAt asks the service to verify an assertion for https://rp.example.
func verifyAt(t *testing.T, base, assertion string) (status string) {
	t.Helper()
	answer, err := http.PostForm(base+"/verify", url.Values{"assertion": {assertion}, "audience": {"https://rp.example"}})
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	var a struct{ Status string }
	if err := json.NewDecoder(answer.Body).Decode(&a); err != nil {
		t.Fatal(err)
	}
	return a.Status
}

// issuerFiles makes a key of idp.example in a folder. It returns the issuer's documents, and an
// assertion that the issuer stands for.
func issuerFiles(t *testing.T, dir string) (keys []byte, assertion string) {
	t.Helper()
	run := func(args ...string) string {
		code, out, stderr := runApp(t, cli.Process{}, args...)
		if code != 0 {
			t.Fatalf("%v: %s", args, stderr)
		}
		return strings.TrimSpace(out)
	}
	key, identity := filepath.Join(dir, "issuer.key"), filepath.Join(dir, "ada.json")
	documents := run("keygen", "--out", key, "--bundle", "idp.example")
	run("certify", "--key", key, "--issuer", "idp.example", "--email", "ada@idp.example", "--out", identity)
	return []byte(documents), run("assert", "--identity", identity, "--audience", "https://rp.example")
}

// TestServeHangup: SIGHUP makes the service read the file of --keys again. A certificate that was
// accepted before, and is in the cache, is refused if its key is not in the new file. A broken
// file changes nothing.
func TestServeHangup(t *testing.T) {
	file := filepath.Join(t.TempDir(), "keys.json")
	write := func(data []byte) {
		if err := os.WriteFile(file, data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	oldKeys, oldAssertion := issuerFiles(t, t.TempDir())
	newKeys, newAssertion := issuerFiles(t, t.TempDir())
	write(oldKeys)
	p, base := startServeProcess(t, "--keys", file)
	hangUp := func(message string) {
		t.Helper()
		p.check(p.cmd.Process.Signal(syscall.SIGHUP))
		if line := p.expectLog(message); !strings.Contains(line, file) {
			t.Errorf("no name of the file in %s", line)
		}
	}
	expect := func(oldStatus, newStatus string) {
		t.Helper()
		for range 3 { // until both caches of the verifier are in use
			if a, b := verifyAt(t, base, oldAssertion), verifyAt(t, base, newAssertion); a != oldStatus || b != newStatus {
				t.Errorf("with the old key %s, with the new one %s; want %s and %s", a, b, oldStatus, newStatus)
			}
		}
	}
	expect("okay", "failure")
	write(newKeys)
	hangUp("keys read again")
	expect("failure", "okay")
	write(newKeys[:len(newKeys)/2])
	hangUp("keys not read again")
	expect("failure", "okay")
	write(oldKeys)
	hangUp("keys read again")
	expect("okay", "failure")
	p.check(p.cmd.Process.Signal(syscall.SIGTERM))
	if _, state := p.end(); state.ExitStatus() != 0 {
		t.Errorf("ended with %v", state)
	}
}

// TestServeKeysFromPipe: keys that come from a pipe, as with <(…) in a shell, are read once.
// SIGHUP does not make the service wait for more.
func TestServeKeysFromPipe(t *testing.T) {
	documents, err := os.ReadFile("testdata/fixtures/keys.json")
	if err != nil {
		t.Fatal(err)
	}
	p := startProcess(t, "vepverify", "serve", "--keys", "/dev/stdin")
	p.send(string(documents))
	p.check(p.in.Close())
	p.running()
	p.check(p.cmd.Process.Signal(syscall.SIGHUP))
	if line := p.expectLog("keys not read again"); !strings.Contains(line, "not a regular file") {
		t.Error(line)
	}
	p.check(p.cmd.Process.Signal(syscall.SIGTERM))
	if stderr, state := p.end(); state.ExitStatus() != 0 || strings.Contains(stderr, `"level":"ERROR"`) {
		t.Errorf("ended with %v: %s", state, stderr)
	}
}

// TestServeFileDescriptors: the log says when connections cannot be accepted.
func TestServeFileDescriptors(t *testing.T) {
	p := startProcess(t, "sh", "-c", "ulimit -n 16; exec vepverify serve --log-level warn")
	base := p.running()
	for range 20 {
		c, err := net.Dial("tcp", strings.TrimPrefix(base, "http://"))
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
	}
	if line := p.expectLog("connections cannot be accepted"); !strings.Contains(line, "too many open files") {
		t.Error(line)
	}
	p.check(p.cmd.Process.Signal(syscall.SIGTERM))
}

// TestServeHangupWithoutFiles: SIGHUP does not end a service that has no file to read again. The log
// says which file needs a restart.
func TestServeHangupWithoutFiles(t *testing.T) {
	host := httptest.NewTLSServer(nil)
	defer host.Close()
	caFile := filepath.Join(t.TempDir(), "ca.pem")
	authority := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: host.Certificate().Raw})
	if err := os.WriteFile(caFile, authority, 0o600); err != nil {
		t.Fatal(err)
	}
	p, _ := startServeProcess(t, "--ca-file", caFile)
	p.check(p.cmd.Process.Signal(syscall.SIGHUP))
	if line := p.expectLog("SIGHUP: --ca-file"); !strings.Contains(line, caFile) {
		t.Error(line)
	}
	if line := p.expectLog("SIGHUP: no file to read again"); !strings.Contains(line, "--replay-cert") {
		t.Error(line)
	}
	p.check(p.cmd.Process.Signal(syscall.SIGTERM))
	if _, state := p.end(); state.ExitStatus() != 0 {
		t.Errorf("ended with %v", state)
	}
}

// TestLocalHangup: SIGHUP ends the servers for development, with a line.
func TestLocalHangup(t *testing.T) {
	for _, args := range [][]string{{"idp", "--port", "0"}, {"demo"}} {
		p := startProcess(t, "vepverify", args...)
		for line := ""; !strings.HasPrefix(line, "Ctrl-C ends"); {
			var err error
			line, err = p.out.ReadString('\n')
			p.check(err)
		}
		p.check(p.cmd.Process.Signal(syscall.SIGHUP))
		stderr, state := p.end()
		if state.ExitStatus() != 0 || !strings.HasSuffix(stderr, "\nvepverify: stopped by SIGHUP: the terminal was closed\n") {
			t.Errorf("%v: ended with %v: %s", args, state, stderr)
		}
	}
}
