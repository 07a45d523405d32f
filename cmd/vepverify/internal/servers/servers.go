// Package servers runs the HTTP servers of a command until its context ends.
package servers

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/vepverify/vepverify/devidp"
)

// StopTimeout is how long requests may take to finish after the context of Run
// has ended.
const StopTimeout = 30 * time.Second

// waitingAfter is how long Run waits before it calls waiting.
const waitingAfter = 200 * time.Millisecond

// Run serves on the listeners until ctx ends or one of the servers fails. It then
// waits until the requests that have begun are finished, for StopTimeout at most. If that takes
// longer than a moment, Run calls waiting with the number of their connections, in a goroutine of
// its own, unless waiting is nil.
func Run(ctx context.Context, servers map[net.Listener]*http.Server, waiting func(connections int)) error {
	failed := make(chan error, len(servers))
	busy := new(busyConnections)
	for l, s := range servers {
		s.ConnState = busy.change
		go func() { failed <- s.Serve(l) }()
	}
	var err error
	running := len(servers)
	select {
	case <-ctx.Done():
	case err = <-failed:
		running--
	}
	late := time.AfterFunc(waitingAfter, func() {
		if n := busy.count(); n > 0 && waiting != nil {
			waiting(n)
		}
	})
	err = errors.Join(err, shutdown(context.WithoutCancel(ctx), servers))
	late.Stop()
	for range running {
		if ended := <-failed; !errors.Is(ended, http.ErrServerClosed) {
			err = errors.Join(err, ended)
		}
	}
	return err
}

// shutdown stops all servers at once: none accepts connections while it waits for another.
func shutdown(ctx context.Context, servers map[net.Listener]*http.Server) (err error) {
	ctx, cancel := context.WithTimeout(ctx, StopTimeout)
	defer cancel()
	stopped := make(chan error, len(servers))
	for _, s := range servers {
		go func() { stopped <- s.Shutdown(ctx) }()
	}
	for range servers {
		if late := <-stopped; late != nil {
			err = errors.Join(err, fmt.Errorf("requests not finished after %v: %w", StopTimeout, late))
		}
	}
	return err
}

// busyConnections are the connections on which a request has begun, or on which none was
// ever sent. [http.Server.Shutdown] waits for these.
type busyConnections struct {
	mu   sync.Mutex
	busy map[net.Conn]bool
}

// change implements [http.Server.ConnState].
func (b *busyConnections) change(c net.Conn, state http.ConnState) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if state != http.StateNew && state != http.StateActive {
		delete(b.busy, c)
		return
	}
	if b.busy == nil {
		b.busy = make(map[net.Conn]bool)
	}
	b.busy[c] = true
}

func (b *busyConnections) count() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return len(b.busy)
}

// Limits of [NewLocal]. They bound the memory and the connections that a page or
// a program can use by sending slowly or without end.
const (
	// localHeader is in bytes. It is larger than the limit of the service, because
	// browsers send the cookies of all ports of localhost.
	localHeader       = 64 << 10
	localHeaderTime   = 10 * time.Second
	localRequestTime  = 30 * time.Second
	localResponseTime = time.Minute
	localIdleTime     = 2 * time.Minute
)

// NewLocal returns a server for one user on this machine. Its Shutdown closes all
// connections at once, because browsers keep connections open that they may never use.
func NewLocal(h http.Handler) *http.Server {
	s := &http.Server{
		Handler: h, MaxHeaderBytes: localHeader, ReadHeaderTimeout: localHeaderTime, ReadTimeout: localRequestTime,
		WriteTimeout: localResponseTime, IdleTimeout: localIdleTime, ErrorLog: log.New(io.Discard, "", 0),
	}
	s.RegisterOnShutdown(func() { _ = s.Close() }) // Shutdown returns the error
	return s
}

// ListenLocal listens on a port of the loopback interface. Port 0 means a free one. The
// errors are those of [Listen].
func ListenLocal(port int) (net.Listener, error) {
	address := net.JoinHostPort("localhost", strconv.Itoa(port))
	l, err := devidp.Listen(address)
	return l, listenError(address, err)
}

// LocalOrigin returns the origin at which browsers find a listener of
// [ListenLocal].
func LocalOrigin(l net.Listener) string {
	return "http://localhost:" + strconv.Itoa(l.Addr().(*net.TCPAddr).Port)
}

// SSHForward returns the option of ssh that makes the origin of [LocalOrigin] reachable on
// another machine. The port is the same there, because it is a part of the origin.
func SSHForward(l net.Listener) string {
	port := l.Addr().(*net.TCPAddr).Port
	return fmt.Sprintf("-L %d:127.0.0.1:%[1]d", port)
}

// NoteTLS returns a listener that prints a note for the user, once, if a client begins with
// TLS. Such a client is often a browser in HTTPS-only mode.
func NoteTLS(l net.Listener, out io.Writer) net.Listener {
	return OnTLS(l, sync.OnceFunc(func() {
		name := strings.TrimPrefix(LocalOrigin(l), "http://")
		fmt.Fprintf(out, "NOTE: a client tried https://%s, but only http is served. Open http://%[1]s/. If the browser changes it, make an exception from its HTTPS-only mode for localhost.\n", name)
	}))
}

// OnTLS returns a listener for HTTP without TLS that calls note for each client that begins
// with TLS. Such a client shows an error that does not name the cause, and a server for HTTP
// cannot answer it. The function note must be safe for concurrent use.
func OnTLS(l net.Listener, note func()) net.Listener { return &tlsListener{l, note} }

type tlsListener struct {
	net.Listener
	note func()
}

// Accept implements net.Listener.
func (l *tlsListener) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if tcp, ok := c.(*net.TCPConn); ok {
		return &tlsConn{TCPConn: tcp, note: l.note}, err
	}
	return c, err
}

// tlsConn calls note if the first byte is that of a TLS handshake (RFC 8446, section 5.1).
// Package net/http uses CloseWrite of its TCPConn, so that a client can read the answer to a
// request that is refused before its end.
type tlsConn struct {
	*net.TCPConn
	note  func()
	begun bool // only the goroutine that reads uses it
}

// Read implements net.Conn.
func (c *tlsConn) Read(b []byte) (int, error) {
	const handshake = 22
	n, err := c.TCPConn.Read(b)
	if n > 0 && !c.begun {
		c.begun = true
		if b[0] == handshake {
			c.note()
		}
	}
	return n, err
}
