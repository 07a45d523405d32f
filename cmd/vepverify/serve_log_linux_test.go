package main

import (
	"io"
	"net/http"
	"regexp"
	"syscall"
	"testing"

	"github.com/vepverify/vepverify/internal/porttest"
)

// TestServeLogLost: a service whose log cannot be written, as on a full disk, serves on, and counts
// the lines that are lost.
func TestServeLogLost(t *testing.T) {
	metrics := porttest.FreeAddr(t)
	p := startProcess(t, "sh", "-c", `exec vepverify serve --metrics-address "$0" --keys testdata/fixtures/keys.json 2>/dev/full`, metrics)
	if status := verifyAt(t, p.running(), "bogus"); status != "failure" {
		t.Errorf("a verification is answered with %q", status)
	}
	res, err := http.Get("http://" + metrics + "/metrics")
	p.check(err)
	text, err := io.ReadAll(res.Body)
	p.check(err)
	p.check(res.Body.Close())
	if !regexp.MustCompile(`(?m)^vepverify_log_lines_lost_total [1-9]`).Match(text) {
		t.Errorf("no lines are lost in %s", text)
	}
	p.check(p.cmd.Process.Signal(syscall.SIGTERM))
	if _, state := p.end(); state.ExitStatus() != 0 {
		t.Errorf("ended with %v", state)
	}
}
