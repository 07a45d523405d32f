package main

import (
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/vepverify/vepverify/cmd/vepverify/internal/cli"
)

// waitUntilRead waits until the process has read all that was sent.
func (p *process) waitUntilRead() {
	p.t.Helper()
	pipe, err := p.in.(syscall.Conn).SyscallConn()
	p.check(err)
	for unread := 1; unread > 0; time.Sleep(time.Millisecond) {
		p.check(pipe.Control(func(fd uintptr) { unread, err = unix.IoctlGetInt(int(fd), unix.TIOCINQ) }))
		p.check(err)
	}
}

// TestInterrupted: a command that reads standard input or the network ends at a signal, with
// the status that shells use for it. It prints neither an answer nor an error.
func TestInterrupted(t *testing.T) {
	host := newMuteHost(t)
	folder := t.TempDir()
	text := filepath.Join(folder, "assertion.txt")
	if err := os.WriteFile(text, []byte(assertionFrom(t, host.name)), 0o600); err != nil {
		t.Fatal(err)
	}
	identity := filepath.Join(folder, "ada.json")
	if code, _, stderr := runApp(t, cli.Process{}, "certify", "--key", "testdata/fixtures/issuer.key", "--issuer", "idp.example", "--email", "ada@idp.example", "--out", identity); code != 0 {
		t.Fatal(stderr)
	}
	network := []string{"--insecure-allow-private", "--timeout", "5m"}
	for _, test := range []struct {
		args     []string
		connects bool
	}{
		{[]string{"-", "--audience", "https://rp.example"}, false},
		{[]string{"verify", "--audience", "https://rp.example"}, false},
		{[]string{"inspect", "-"}, false},
		{[]string{"vectors", "-"}, false},
		{[]string{"keygen", "--from=-"}, false},
		{[]string{"certify", "--key=-", "--issuer", "idp.example", "--email", "ada@idp.example", "--out", filepath.Join(folder, "new.json")}, false},
		{[]string{"assert", "--identity=-", "--audience", "https://rp.example"}, false},
		{[]string{"request", "http://" + host.name + "/", "--identity", identity, "-d", "@-"}, false},
		{append([]string{"verify", text, "--audience", "https://rp.example"}, network...), true},
		{append([]string{"verify", text, "--audience", "https://rp.example", "--explain", "--text"}, network...), true},
		{append([]string{"lookup", host.name, "--save", filepath.Join(folder, "keys.json")}, network...), true},
		{[]string{"request", "http://" + host.name + "/", "--identity", identity}, true},
	} {
		for signal, status := range map[os.Signal]int{os.Interrupt: 130, syscall.SIGTERM: 143} {
			p := startProcess(t, "vepverify", test.args...)
			if test.connects {
				defer (<-host.connections).Close()
			} else {
				p.send(`{"`)
				p.waitUntilRead()
			}
			p.check(p.cmd.Process.Signal(signal))
			if stderr, state := p.end(); state.ExitStatus() != status || stderr != "" {
				t.Errorf("%v: %v: exit status %d, want %d: %s", test.args, signal, state.ExitStatus(), status, stderr)
			}
		}
	}
}
