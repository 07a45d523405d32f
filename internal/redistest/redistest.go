// Package redistest runs real servers of Redis for a test: one, a [Cluster], or one with
// [Sentinels]. Each has ports of its own at 127.0.0.1 and its data in a temporary directory,
// and flushes every write to the disk before it answers, as docs/REPLAY.md requires.
//
//	server := redistest.Start(t)
//	store, err := redisstore.Open(server.URL(), redisstore.Config{})
//	server.Kill()    // as a crash does, kill -9
//	server.Restart() // same address, same data
//
// If redis-server is not installed, Start ends the test as package testtool does. The servers
// are killed when the test ends and, on Linux, when the test's process dies. [Run] runs tests
// with each program that speaks the protocol of Redis and is installed, such as valkey-server.
package redistest

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/vepverify/vepverify/internal/porttest"
	"github.com/vepverify/vepverify/internal/testtool"
)

// startTimeout is how long a server may take to start. Only a broken one takes as
// long.
const startTimeout = 30 * time.Second

// programs are the servers that speak the protocol of Redis.
var programs = []string{"redis-server", "valkey-server"}

// program is the one that Start starts.
var program = programs[0]

// Run runs the tests once with each server program that is installed, and returns the exit
// code for os.Exit. If none is installed, the tests that need one are skipped.
func Run(m *testing.M) (code int) {
	var installed []string
	for _, p := range programs {
		if _, err := exec.LookPath(p); err == nil {
			installed = append(installed, p)
		}
	}
	if len(installed) < 2 {
		return m.Run() // with the usual output
	}
	for _, program = range installed {
		fmt.Println("with", program)
		code = max(code, m.Run())
	}
	return code
}

// Server is a redis-server that runs, or was killed. Only Addr and URL may be called
// outside the test's own goroutine.
type Server struct {
	t       testing.TB
	program string // its path
	dir     string
	port    int
	busPort int // of a node of a cluster; 0 means none
	tlsPort int // 0 means none
	args    []string
	config  string // of a Sentinel; empty means a server with data

	process *os.Process   // nil means killed
	exited  chan struct{} // closed when process has ended
}

// Start starts a server and waits until it answers. The arguments are added to the
// command line, such as "--maxmemory", "3mb". They override those of this package.
func Start(t testing.TB, args ...string) *Server {
	t.Helper()
	return start(t, Server{args: args})
}

// StartTLS starts a server that also serves TLS at TLSAddr, with certificates of an authority.
// It wants a certificate of that authority from clients.
func StartTLS(t testing.TB, a *Authority, args ...string) *Server {
	t.Helper()
	return start(t, Server{args: append(a.serverArgs(), args...), tlsPort: 1})
}

// start starts a server with free ports. It has a bus if busPort is not 0, and TLS if tlsPort
// is not 0.
func start(t testing.TB, like Server) *Server {
	t.Helper()
	s := &like
	s.t, s.program, s.dir = t, testtool.Path(t, program), t.TempDir()
	t.Cleanup(s.Kill)
	// A port cannot be reserved for another process, so another may take it first.
	var err error
	for range 10 {
		s.port = porttest.Free(t)
		if s.busPort != 0 {
			s.busPort = porttest.Free(t)
		}
		if s.tlsPort != 0 {
			s.tlsPort = porttest.Free(t)
		}
		if err = s.launch(); err == nil {
			return s
		}
		s.Kill()
	}
	t.Fatalf("%s does not start: %v\n%s", program, err, s.log())
	return nil
}

// Addr returns the server's address, 127.0.0.1:port. It stays the same after a
// restart.
func (s *Server) Addr() string { return net.JoinHostPort("127.0.0.1", s.Port()) }

// TLSAddr returns the address at which the server speaks TLS.
func (s *Server) TLSAddr() string { return net.JoinHostPort("127.0.0.1", strconv.Itoa(s.tlsPort)) }

// Port returns the server's port.
func (s *Server) Port() string { return strconv.Itoa(s.port) }

// URL returns the server's address as redis://127.0.0.1:port.
func (s *Server) URL() string { return "redis://" + s.Addr() }

// Kill ends the server as a crash does (SIGKILL) and waits until it has ended. It
// does nothing if the server was killed before.
func (s *Server) Kill() {
	if s.process == nil {
		return
	}
	// An error means that it has ended already.
	_ = kill(s.process)
	<-s.exited
	s.process = nil
}

// Restart starts the server again with the data on its disk, and waits until it has
// loaded them and answers. If the server runs, Restart kills it first.
func (s *Server) Restart() {
	s.t.Helper()
	s.Kill()
	if err := s.launch(); err != nil {
		s.t.Fatalf("%s does not start again: %v\n%s", s.program, err, s.log())
	}
}

// Freeze stops the server's process: it keeps its connections and answers nothing, like a
// host that the network no longer reaches.
func (s *Server) Freeze() { s.signal(stop) }

// Thaw lets the process of a frozen server run again.
func (s *Server) Thaw() { s.signal(resume) }

func (s *Server) signal(send func(*os.Process) error) {
	s.t.Helper()
	if err := send(s.process); err != nil {
		s.t.Fatal(err)
	}
}

// Client returns a client of the server, which the end of the test closes.
func (s *Server) Client() *redis.Client {
	c := redis.NewClient(&redis.Options{Addr: s.Addr(), ContextTimeoutEnabled: true, DisableIdentity: true})
	s.t.Cleanup(func() { c.Close() })
	return c
}

// command returns the command line. It writes the configuration of a Sentinel, which a
// Sentinel needs in a file, unless it has one.
func (s *Server) command() ([]string, error) {
	if s.config == "" {
		args := []string{
			"--bind", "127.0.0.1", "--port", s.Port(), "--dir", s.dir,
			"--appendonly", "yes", "--appendfsync", "always", "--save", "", "--repl-diskless-sync-delay", "0", "--repl-ping-replica-period", "1",
		}
		if s.busPort != 0 {
			args = append(args, "--cluster-enabled", "yes", "--cluster-port", strconv.Itoa(s.busPort))
		}
		if s.tlsPort != 0 {
			args = append(args, "--tls-port", strconv.Itoa(s.tlsPort))
		}
		return append(args, s.args...), nil
	}
	file := filepath.Join(s.dir, "sentinel-"+s.Port()+".conf")
	if _, err := os.Stat(file); err == nil { // it has noted there what it knows
		return []string{file, "--sentinel"}, nil
	}
	text := fmt.Sprintf("bind 127.0.0.1\nport %s\ndir %s\n%s\n", s.Port(), s.dir, s.config)
	if s.tlsPort != 0 {
		text += fmt.Sprintf("tls-port %d\n", s.tlsPort)
	}
	return []string{file, "--sentinel"}, os.WriteFile(file, []byte(text), 0o600)
}

// launch starts the process and waits until it is ready.
func (s *Server) launch() error {
	args, err := s.command()
	if err != nil {
		return err
	}
	log, err := os.OpenFile(filepath.Join(s.dir, "log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer log.Close()
	cmd := exec.Command(s.program, args...)
	cmd.Stdout, cmd.Stderr = log, log
	cmd.SysProcAttr = dieWithParent()

	started, exited := make(chan error), make(chan struct{})
	go func() {
		defer close(exited)
		// On Linux, Pdeathsig is sent when the thread that started the child ends, so
		// this thread must not end before.
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		err := cmd.Start()
		started <- err
		if err == nil {
			_ = cmd.Wait() // the log says how it ended
		}
	}()
	if err := <-started; err != nil {
		return err
	}
	s.process, s.exited = cmd.Process, exited
	return s.awaitReady()
}

// awaitReady waits until the server answers that it has loaded its data.
func (s *Server) awaitReady() error {
	deadline := time.Now().Add(startTimeout)
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for {
		err := s.ready()
		if err == nil {
			return nil
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("not ready after %v: %w", startTimeout, err)
		}
		select {
		case <-s.exited:
			return fmt.Errorf("the server has ended: %w", err)
		case <-tick.C:
		}
	}
}

// ready returns nil if this process, and not another at the same port, is ready to
// serve. It sends INFO, which is answered during loading too. No password is needed:
// tests set one only later.
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
	lines := []string{fmt.Sprintf("process_id:%d", s.process.Pid)}
	if s.config == "" {
		lines = append(lines, "loading:0")
	}
	for _, line := range lines {
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

// log returns the server's output.
func (s *Server) log() []byte {
	text, err := os.ReadFile(filepath.Join(s.dir, "log"))
	if err != nil {
		return []byte(err.Error())
	}
	return text
}
