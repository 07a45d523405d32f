//go:build unix

package main

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"net"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/vepverify/vepverify/cmd/vepverify/internal/cli"
)

// exitInterrupted is the exit status of batch after an interrupt.
const exitInterrupted = 130

// process is vepverify as a process of its own.
type process struct {
	t      *testing.T
	cmd    *exec.Cmd
	in     io.WriteCloser
	out    *bufio.Reader
	stderr *bufio.Reader
}

// acceptHangup makes processes that are started afterwards accept SIGHUP, although the
// tests were started by a program such as nohup: a process inherits which signals are
// ignored, and not which are caught.
var acceptHangup = sync.OnceFunc(func() { signal.Notify(make(chan os.Signal, 1), syscall.SIGHUP) })

// startProcess starts a program, vepverify or one that runs it.
func startProcess(t *testing.T, program string, args ...string) *process {
	t.Helper()
	acceptHangup()
	p := &process{t: t, cmd: exec.CommandContext(t.Context(), program, args...)}
	p.cmd.Env = append(os.Environ(), "GORACE=atexit_sleep_ms=0")
	in, err := p.cmd.StdinPipe()
	p.check(err)
	out, err := p.cmd.StdoutPipe()
	p.check(err)
	stderr, err := p.cmd.StderrPipe()
	p.check(err)
	p.in, p.out, p.stderr = in, bufio.NewReader(out), bufio.NewReader(stderr)
	p.check(p.cmd.Start())
	return p
}

func (p *process) check(err error) {
	p.t.Helper()
	if err != nil {
		p.t.Fatal(err)
	}
}

func (p *process) send(text string) {
	p.t.Helper()
	_, err := io.WriteString(p.in, text)
	p.check(err)
}

// expect checks that the next line of a stream contains the text.
func (p *process) expect(from *bufio.Reader, text string) {
	p.t.Helper()
	line, err := from.ReadString('\n')
	if err != nil || !strings.Contains(line, text) {
		p.t.Fatalf("%q (%v), want %q", line, err, text)
	}
}

// end checks that there is no more standard output. It returns the rest of standard
// error and the status of the process.
func (p *process) end() (stderr string, state syscall.WaitStatus) {
	p.t.Helper()
	out, err := io.ReadAll(p.out)
	p.check(err)
	rest, err := io.ReadAll(p.stderr)
	p.check(err)
	var failed *exec.ExitError
	if err := p.cmd.Wait(); err != nil && !errors.As(err, &failed) {
		p.t.Fatal(err)
	}
	if len(out) > 0 {
		p.t.Errorf("more on standard output: %q", out)
	}
	return string(rest), p.cmd.ProcessState.Sys().(syscall.WaitStatus)
}

// TestBatchInterruptedPause interrupts a batch that waits for input.
func TestBatchInterruptedPause(t *testing.T) {
	for _, signal := range []os.Signal{os.Interrupt, syscall.SIGTERM} {
		p := startProcess(t, "vepverify", "batch", "--keys", "testdata/fixtures/keys.json")
		p.send("{\"id\":1}\n{\"id\":2}\nhalf a line")
		p.expect(p.out, `{"id":1,`)
		p.expect(p.out, `{"id":2,`)
		p.check(p.cmd.Process.Signal(signal))
		stderr, state := p.end()
		if state.ExitStatus() != exitInterrupted {
			t.Errorf("%v: exit status %d", signal, state.ExitStatus())
		}
		if !strings.HasSuffix(stderr, "\nvepverify: interrupted: line 2 is the last one answered; \"tail -n +3\" prints the rest\n") || !strings.Contains(stderr, "\nvepverify: 2 lines in ") {
			t.Errorf("%v: %s", signal, stderr)
		}
	}
}

// TestBatchInterrupt interrupts a batch during a lookup that hangs. The line is
// finished and its answer is written. The lines after it are not begun.
func TestBatchInterrupt(t *testing.T) {
	host := newMuteHost(t)
	p := startProcess(t, "vepverify", "batch", "--jobs", "1", "--quiet", "--audience", "https://rp.example", "--insecure-allow-private", "--timeout", "5m")
	p.send("x\nx\n" + assertionFrom(t, host.name) + "\nx\nx\n")
	connection := <-host.connections
	p.check(p.cmd.Process.Signal(os.Interrupt))
	p.expect(p.stderr, "interrupted: finishing what is being verified")
	connection.Close()
	for _, reason := range []string{"no certificates provided", "no certificates provided", "127.0.0.1"} {
		p.expect(p.out, reason)
	}
	stderr, state := p.end()
	if state.ExitStatus() != exitInterrupted || stderr != "vepverify: interrupted: line 3 is the last one answered; \"tail -n +4\" prints the rest\n" {
		t.Errorf("exit status %d: %s", state.ExitStatus(), stderr)
	}
}

// TestBatchSecondInterrupt: the second interrupt ends the process at once.
func TestBatchSecondInterrupt(t *testing.T) {
	host := newMuteHost(t)
	p := startProcess(t, "vepverify", "batch", "--audience", "https://rp.example", "--insecure-allow-private", "--timeout", "5m")
	p.send(assertionFrom(t, host.name) + "\n")
	defer (<-host.connections).Close()
	p.check(p.cmd.Process.Signal(os.Interrupt))
	p.expect(p.stderr, "interrupted: finishing what is being verified")
	if stderr, state := p.interruptUntilEnd(os.Interrupt); state.ExitStatus() != exitInterrupted || stderr != secondSignal("interrupt") {
		t.Errorf("ended with %v: %s", state, stderr)
	}
}

// interruptUntilEnd sends a signal again and again, because signals that follow each other at
// once count as one. It returns what end returns.
func (p *process) interruptUntilEnd(signal os.Signal) (stderr string, state syscall.WaitStatus) {
	p.t.Helper()
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		stderr, state = p.end()
	}()
	again := time.NewTicker(10 * time.Millisecond)
	defer again.Stop()
	for {
		select {
		case <-again.C:
			if err := p.cmd.Process.Signal(signal); err != nil && !errors.Is(err, os.ErrProcessDone) {
				p.t.Error(err)
			}
		case <-ended:
			return stderr, state
		}
	}
}

// secondSignal is the line that a second signal causes.
func secondSignal(name string) string {
	return "vepverify: ended at once by a second signal: " + name + "\n"
}

// TestBatchHangup: a batch whose terminal is closed finishes its lines, and one under nohup goes
// on.
func TestBatchHangup(t *testing.T) {
	p := startProcess(t, "vepverify", "batch", "--audience", "https://rp.example", "--keys", "testdata/fixtures/keys.json")
	p.send("x\n")
	p.expect(p.out, "no certificates provided")
	p.check(p.cmd.Process.Signal(syscall.SIGHUP))
	if stderr, state := p.end(); state.ExitStatus() != exitInterrupted || !strings.Contains(stderr, "line 1 is the last one answered") {
		t.Errorf("ended with %v: %s", state, stderr)
	}
	p = startProcess(t, "nohup", "vepverify", "batch", "--audience", "https://rp.example", "--keys", "testdata/fixtures/keys.json")
	p.send("x\n")
	p.expect(p.out, "no certificates provided")
	p.check(p.cmd.Process.Signal(syscall.SIGHUP))
	p.send("x\n")
	p.expect(p.out, "no certificates provided")
	p.check(p.in.Close())
	if stderr, state := p.end(); state.ExitStatus() != 0 {
		t.Errorf("with nohup: ended with %v: %s", state, stderr)
	}
}

// muteHost accepts connections and never answers.
type muteHost struct {
	name        string
	connections chan net.Conn
}

func newMuteHost(t *testing.T) *muteHost {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	h := &muteHost{l.Addr().String(), make(chan net.Conn, 10)}
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			h.connections <- c
		}
	}()
	return h
}

// assertionFrom returns an assertion of a user of that issuer. It is valid now.
func assertionFrom(t *testing.T, issuer string) string {
	t.Helper()
	identity := filepath.Join(t.TempDir(), "identity.json")
	code, _, stderr := runApp(t, cli.Process{}, "certify", "--key", "testdata/fixtures/issuer.key", "--issuer", issuer, "--email", "ada@"+issuer, "--out", identity)
	if code != 0 {
		t.Fatal(stderr)
	}
	code, text, stderr := runApp(t, cli.Process{}, "assert", "--identity", identity, "--audience", "https://rp.example")
	if code != 0 {
		t.Fatal(stderr)
	}
	return string(bytes.TrimSpace([]byte(text)))
}
