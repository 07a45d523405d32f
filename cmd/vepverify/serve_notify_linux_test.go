package main

import (
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// supervisor is the socket of a service manager, as in sd_notify(3).
type supervisor struct {
	t    *testing.T
	conn *net.UnixConn
}

// newSupervisor listens on a socket, which processes that are started afterwards notify.
func newSupervisor(t *testing.T, name string) *supervisor {
	t.Helper()
	conn, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: name, Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	t.Setenv("NOTIFY_SOCKET", name)
	return &supervisor{t, conn}
}

// next returns the next notification.
func (s *supervisor) next() string {
	s.t.Helper()
	data := make([]byte, 4096)
	n, err := s.conn.Read(data)
	if err != nil {
		s.t.Fatal(err)
	}
	return strings.TrimSpace(string(data[:n]))
}

// expect fails the test unless the next notification is this one.
func (s *supervisor) expect(want string) {
	s.t.Helper()
	if got := s.next(); got != want {
		s.t.Fatalf("the notification is %q, want %q", got, want)
	}
}

// expectReload fails the test unless the next two notifications are those of a reload, with the
// time at which it began.
func (s *supervisor) expectReload(earliest time.Duration) {
	s.t.Helper()
	first := s.next()
	fields := regexp.MustCompile(`^RELOADING=1\nMONOTONIC_USEC=([0-9]+)$`).FindStringSubmatch(first)
	if fields == nil {
		s.t.Fatalf("the notification is %q", first)
	}
	began, err := strconv.ParseInt(fields[1], 10, 64)
	if err != nil || began < earliest.Microseconds() || began > sinceBoot(s.t).Microseconds() {
		s.t.Errorf("the reload began at %d µs (%v), earliest %v", began, err, earliest)
	}
	s.expect("READY=1")
}

// sinceBoot returns the time of the clock CLOCK_MONOTONIC.
func sinceBoot(t *testing.T) time.Duration {
	t.Helper()
	var now unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_MONOTONIC, &now); err != nil {
		t.Fatal(err)
	}
	return time.Duration(now.Nano())
}

// TestServeNotifies: the service tells its manager when it answers, when it reads its files again,
// whether it can use them or not, and when it begins to stop, with the time that this can take.
func TestServeNotifies(t *testing.T) {
	for name, socket := range map[string]string{
		"path": filepath.Join(t.TempDir(), "notify"), "abstract": fmt.Sprint("@vepverify-test-", os.Getpid()),
	} {
		t.Run(name, func(t *testing.T) {
			manager := newSupervisor(t, socket)
			p := startProcess(t, "vepverify", "serve", "--keys", "testdata/fixtures/keys.json", "--shutdown-delay", "100ms")
			manager.expect("READY=1")
			res, err := http.Get(p.running() + "/readyz")
			p.check(err)
			p.check(res.Body.Close())
			if res.StatusCode != http.StatusOK {
				t.Errorf("when it is ready: %s", res.Status)
			}
			before := sinceBoot(t)
			p.check(p.cmd.Process.Signal(syscall.SIGHUP))
			manager.expectReload(before)
			p.check(p.cmd.Process.Signal(syscall.SIGTERM))
			manager.expect("STOPPING=1\nEXTEND_TIMEOUT_USEC=35100000")
			if stderr, state := p.end(); state.ExitStatus() != 0 || strings.Contains(stderr, `"level":"ERROR"`) {
				t.Errorf("ended with %v: %s", state, stderr)
			}
		})
	}
}

// TestServeNotifiesFailure: a service that does not start tells its manager why, as on standard
// error, and not that it is ready.
func TestServeNotifiesFailure(t *testing.T) {
	manager := newSupervisor(t, filepath.Join(t.TempDir(), "notify"))
	p := startProcess(t, "vepverify", "serve", "--port", "http")
	stderr, state := p.end()
	if state.ExitStatus() != 2 {
		t.Errorf("ended with %v: %s", state, stderr)
	}
	if err := manager.conn.SetReadDeadline(time.Now().Add(10 * time.Second)); err != nil {
		t.Fatal(err)
	}
	manager.expect("STATUS=" + strings.TrimSpace(stderr))
}

// TestServeNotifyFails: a service whose manager cannot be notified runs, and logs why.
func TestServeNotifyFails(t *testing.T) {
	t.Setenv("NOTIFY_SOCKET", filepath.Join(t.TempDir(), "absent"))
	p := startProcess(t, "vepverify", "serve", "--keys", "testdata/fixtures/keys.json")
	if line := p.expectLog("the service manager cannot be notified"); !strings.Contains(line, "no such file") {
		t.Error(line)
	}
	if status := verifyAt(t, p.running(), "bogus"); status != "failure" {
		t.Errorf("a verification is answered with %q", status)
	}
	p.check(p.cmd.Process.Signal(syscall.SIGTERM))
	if stderr, state := p.end(); state.ExitStatus() != 0 {
		t.Errorf("ended with %v: %s", state, stderr)
	}
}
