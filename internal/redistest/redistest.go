// Package redistest runs a real redis-server for a test: on a port of its own,
// with its data in a temporary folder, every write on disk before it is
// answered, as docs/REPLAY.md wants it.
//
//	server := redistest.Start(t)
//	store, err := redisstore.Open(server.URL(), redisstore.Config{})
//	server.Kill()    // as a crash does, kill -9
//	server.Restart() // same address, same data
//
// Start skips the test, and says what to install, where there is no
// redis-server; where CI=true is in the environment it fails. The server goes when
// the test ends and, on Linux, when the test's process dies.
package redistest

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"
)

// patience is how long a server may take to start or to stop. Only a broken
// one takes as long.
const patience = 30 * time.Second

// Server is a redis-server that runs, or was killed. Its methods belong to the test's
// own goroutine, but for Addr and URL.
type Server struct {
	t      testing.TB
	binary string
	dir    string
	port   int
	args   []string

	process *os.Process   // nil: killed
	exited  chan struct{} // closed once process has gone
}

// Start starts a server and waits until it answers. The arguments are added to
// redis-server's own, and win over those set here: "--maxmemory", "3mb".
func Start(t testing.TB, args ...string) *Server {
	t.Helper()
	binary, err := exec.LookPath("redis-server")
	if err != nil {
		missing(t)
	}
	s := &Server{t: t, binary: binary, dir: t.TempDir(), args: args}
	t.Cleanup(s.Kill)
	// Nothing reserves a port for another process: somebody may be faster.
	for range 10 {
		s.port = freePort(t)
		if err = s.launch(); err == nil {
			return s
		}
		s.Kill()
	}
	t.Fatalf("redis-server does not start: %v\n%s", err, s.log())
	return nil
}

// missing ends the test: it needs a redis-server, which is not installed.
func missing(t testing.TB) {
	t.Helper()
	const text = "this test needs redis-server on the PATH (Debian and Ubuntu: apt-get install redis-server; macOS: brew install redis)"
	if os.Getenv("CI") == "true" {
		t.Fatal(text)
	}
	t.Skip(text)
}

// Addr is the server's address, 127.0.0.1:port, which a restart keeps.
func (s *Server) Addr() string { return net.JoinHostPort("127.0.0.1", strconv.Itoa(s.port)) }

// URL is the server's address as redis://127.0.0.1:port.
func (s *Server) URL() string { return "redis://" + s.Addr() }

// Kill ends the server as a crash does (SIGKILL) and waits until it has gone. Killing twice is fine.
func (s *Server) Kill() {
	if s.process == nil {
		return
	}
	// An error means that it has gone already.
	_ = s.process.Kill()
	<-s.exited
	s.process = nil
}

// Restart starts the server again with the data on its disk, killing it first
// if it runs, and waits until it has read them and answers.
func (s *Server) Restart() {
	s.t.Helper()
	s.Kill()
	if err := s.launch(); err != nil {
		s.t.Fatalf("redis-server does not start again: %v\n%s", err, s.log())
	}
}

// launch starts the process and waits until it is ready.
func (s *Server) launch() error {
	log, err := os.OpenFile(filepath.Join(s.dir, "log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer log.Close()
	cmd := exec.Command(s.binary, append([]string{
		"--bind", "127.0.0.1", "--port", strconv.Itoa(s.port), "--dir", s.dir,
		"--appendonly", "yes", "--appendfsync", "always", "--save", "", "--loglevel", "notice",
	}, s.args...)...)
	cmd.Stdout, cmd.Stderr = log, log
	cmd.SysProcAttr = dieWithParent()

	started, exited := make(chan error), make(chan struct{})
	go func() {
		defer close(exited)
		// On Linux a child dies with the thread that started it, so that this
		// thread must live as long.
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		err := cmd.Start()
		started <- err
		if err == nil {
			_ = cmd.Wait() // how it ended is in its log
		}
	}()
	if err := <-started; err != nil {
		return err
	}
	s.process, s.exited = cmd.Process, exited
	return s.awaitReady()
}

// awaitReady asks until the server answers that it has loaded its data.
func (s *Server) awaitReady() error {
	deadline := time.Now().Add(patience)
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for {
		err := s.ready()
		if err == nil {
			return nil
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("not ready after %v: %w", patience, err)
		}
		select {
		case <-s.exited:
			return fmt.Errorf("it has ended: %w", err)
		case <-tick.C:
		}
	}
}

// ready says whether this very process, and not another at the same port, is
// ready to serve. It asks by INFO, which answers also during loading; a server that wants
// a password has not yet learned it from a client.
func (s *Server) ready() error {
	conn, err := net.DialTimeout("tcp", s.Addr(), time.Second)
	if err != nil {
		return err
	}
	defer conn.Close()
	if err := conn.SetDeadline(time.Now().Add(5 * time.Second)); err != nil {
		return err
	}
	if _, err := io.WriteString(conn, "INFO\r\n"); err != nil {
		return err
	}
	info, err := readBulk(bufio.NewReader(conn))
	if err != nil {
		return err
	}
	for _, line := range []string{fmt.Sprintf("process_id:%d", s.process.Pid), "loading:0"} {
		if !bytes.Contains(info, []byte("\r\n"+line+"\r\n")) {
			return fmt.Errorf("INFO has no %s", line)
		}
	}
	return nil
}

// readBulk reads a bulk string of the Redis protocol: $length, line break, bytes.
func readBulk(r *bufio.Reader) ([]byte, error) {
	head, err := r.ReadString('\n')
	if err != nil {
		return nil, err
	}
	n, err := strconv.Atoi(strings.TrimSuffix(strings.TrimPrefix(head, "$"), "\r\n"))
	if err != nil || n < 0 || n > 1<<20 {
		return nil, fmt.Errorf("not a bulk string: %q", head)
	}
	body := make([]byte, n)
	_, err = io.ReadFull(r, body)
	return body, err
}

// log is what the server printed.
func (s *Server) log() []byte {
	text, err := os.ReadFile(filepath.Join(s.dir, "log"))
	if err != nil {
		return []byte(err.Error())
	}
	return text
}

// freePort finds a port that nobody listens on. It is below those that systems
// hand out to outgoing connections, one of which could otherwise take it while
// the server is down.
func freePort(t testing.TB) int {
	t.Helper()
	for range 100 {
		port := 20000 + rand.IntN(10000)
		l, err := net.Listen("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(port)))
		if err == nil {
			l.Close()
			return port
		}
	}
	t.Fatal("no free port from 20000 to 29999")
	return 0
}
