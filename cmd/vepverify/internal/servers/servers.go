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
	"net/netip"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/vepverify/vepverify/devidp"
)

// stopTimeout is how long requests may take to finish after the context of Run
// has ended.
const stopTimeout = 30 * time.Second

// Run serves on the listeners until ctx ends or one of the servers fails. It then
// waits until the requests that have begun are finished, for 30 s at most.
func Run(ctx context.Context, servers map[net.Listener]*http.Server) error {
	failed := make(chan error, len(servers))
	for l, s := range servers {
		go func() { failed <- s.Serve(l) }()
	}
	var err error
	select {
	case <-ctx.Done():
	case err = <-failed:
		failed <- nil // the loop below receives one value for each server
	}
	last, cancel := context.WithTimeout(context.WithoutCancel(ctx), stopTimeout)
	defer cancel()
	for _, s := range servers {
		if stopped := s.Shutdown(last); stopped != nil {
			err = errors.Join(err, fmt.Errorf("requests not finished after %v: %w", stopTimeout, stopped))
		}
	}
	for range servers {
		if ended := <-failed; ended != nil && !errors.Is(ended, http.ErrServerClosed) {
			err = errors.Join(err, ended)
		}
	}
	return err
}

// Listen listens on an address, IP:PORT. With an IPv4 address it listens on IPv4 only:
// for package net, 0.0.0.0 means all addresses of IPv6 too.
func Listen(address string) (net.Listener, error) {
	if a, err := netip.ParseAddrPort(address); err == nil && a.Addr().Is4() {
		return net.Listen("tcp4", address)
	}
	return net.Listen("tcp", address)
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
// error names the port and the cause.
func ListenLocal(port int) (net.Listener, error) {
	l, err := devidp.Listen(net.JoinHostPort("localhost", strconv.Itoa(port)))
	switch {
	case errors.Is(err, syscall.EADDRINUSE):
		return nil, &portError{port, "is in use, perhaps by another vepverify demo or vepverify idp", err}
	case errors.Is(err, syscall.EACCES):
		return nil, &portError{port, "is not permitted: most systems keep the ports below 1024 for the administrator", err}
	}
	return l, err
}

// portError is the cause for which a port cannot be listened on.
type portError struct {
	port  int
	cause string
	err   error
}

// Error implements error.
func (e *portError) Error() string { return fmt.Sprintf("port %d %s", e.port, e.cause) }

// Unwrap returns the error of the system.
func (e *portError) Unwrap() error { return e.err }

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
// TLS. Such a client, often a browser in HTTPS-only mode, shows an error that does not name
// the cause, and a server for HTTP cannot answer it.
func NoteTLS(l net.Listener, out io.Writer) net.Listener {
	note := sync.OnceFunc(func() {
		name := strings.TrimPrefix(LocalOrigin(l), "http://")
		fmt.Fprintf(out, "NOTE: a client tried https://%s, but only http is served. Open http://%[1]s/. If the browser changes it, make an exception from its HTTPS-only mode for localhost.\n", name)
	})
	return &tlsListener{l, note}
}

type tlsListener struct {
	net.Listener
	note func()
}

// Accept implements net.Listener.
func (l *tlsListener) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return &tlsConn{Conn: c, note: l.note}, nil
}

// tlsConn calls note if the first byte is that of a TLS handshake (RFC 8446, section 5.1).
type tlsConn struct {
	net.Conn
	note  func()
	begun bool // only the goroutine that reads uses it
}

// Read implements net.Conn.
func (c *tlsConn) Read(b []byte) (int, error) {
	const handshake = 22
	n, err := c.Conn.Read(b)
	if n > 0 && !c.begun {
		c.begun = true
		if b[0] == handshake {
			c.note()
		}
	}
	return n, err
}
