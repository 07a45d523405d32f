package main

import (
	"bufio"
	"os"
	"os/exec"
	"syscall"
	"testing"

	"github.com/vepverify/vepverify/cmd/vepverify/internal/clitest"
)

// TestServeTerminalClosed: SIGHUP ends a service whose terminal was closed. While the
// terminal is open, it makes the service read its files again.
func TestServeTerminalClosed(t *testing.T) {
	screen, terminal, err := clitest.OpenTerminal()
	if err != nil {
		t.Skip(err)
	}
	acceptHangup()
	cmd := exec.CommandContext(t.Context(), "vepverify", "serve", "--keys", "testdata/fixtures/keys.json")
	cmd.Stdin = terminal
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true, Ctty: 0}
	cmd.Env = append(os.Environ(), "GORACE=atexit_sleep_ms=0")
	p := &process{t: t, cmd: cmd}
	out, err := cmd.StdoutPipe()
	p.check(err)
	stderr, err := cmd.StderrPipe()
	p.check(err)
	p.out, p.stderr = bufio.NewReader(out), bufio.NewReader(stderr)
	p.check(cmd.Start())
	p.check(terminal.Close())
	p.running()
	p.check(cmd.Process.Signal(syscall.SIGHUP))
	p.expectLog("keys read again")
	p.check(screen.Close())
	p.expectLog("stopped by SIGHUP: the terminal was closed")
	if _, state := p.end(); state.ExitStatus() != 0 {
		t.Errorf("ended with %v", state)
	}
}
