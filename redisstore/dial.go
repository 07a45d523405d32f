package redisstore

import (
	"bytes"
	"context"
	"crypto/tls"
	"net"
	"syscall"
	"time"

	"github.com/vepverify/vepverify/internal/outbound"
)

// dialer makes the connections of a store that Open returned. Unlike that of go-redis, it
// keeps the error with which a server refuses a connection, and ends a TLS handshake with
// the context.
type dialer struct {
	net     net.Dialer
	tls     func() *tls.Config // nil means no TLS
	timeout time.Duration
}

// newDialer returns the dialer of a store.
func newDialer(secure bool, c Config) *dialer {
	d := &dialer{net: net.Dialer{KeepAlive: time.Minute}, timeout: c.Timeout}
	switch {
	case !secure:
	case c.TLS != nil:
		d.tls = c.TLS
	default:
		d.tls = func() *tls.Config { return &tls.Config{MinVersion: tls.VersionTLS12} }
	}
	return d
}

// dial implements the function that redis.Options.Dialer takes.
func (d *dialer) dial(ctx context.Context, network, addr string) (net.Conn, error) {
	ctx, cancel := context.WithTimeout(ctx, d.timeout)
	defer cancel()
	conn, err := d.net.DialContext(ctx, network, addr)
	if err != nil {
		return nil, err
	}
	if d.tls != nil {
		return handshake(ctx, conn, addr, d.tls())
	}
	if s, ok := conn.(socket); ok {
		return &refusable{socket: s}, nil
	}
	return conn, nil
}

// handshake returns the connection with TLS. The certificate must be for the host of the
// address, unless the configuration has another name.
func handshake(ctx context.Context, conn net.Conn, addr string, c *tls.Config) (net.Conn, error) {
	c = c.Clone() // nil means the default
	if c == nil {
		c = new(tls.Config)
	}
	if c.ServerName == "" {
		c.ServerName, _, _ = net.SplitHostPort(addr) // of an address that was dialled
	}
	secure := tls.Client(conn, c)
	if err := secure.HandshakeContext(ctx); err != nil {
		conn.Close()
		return nil, err
	}
	return alerting{secure}, nil
}

// alerting is a TLS connection that the server may end with an alert after the handshake, as
// it does if it does not accept the client's certificate (TLS 1.3). If a write fails then, the
// alert says why.
type alerting struct{ *tls.Conn }

// Write implements net.Conn.
func (c alerting) Write(b []byte) (int, error) {
	n, err := c.Conn.Write(b)
	if err == nil || outbound.Classify(err) == outbound.TimedOut || c.SetReadDeadline(time.Now().Add(10*time.Millisecond)) != nil {
		return n, err
	}
	// The alert has arrived already, or there is none.
	if _, alert := c.Read(make([]byte, 1)); outbound.Classify(alert) == outbound.HandshakeFailed {
		err = alert
	}
	return n, err
}

// socket is a connection of the system. With SyscallConn, go-redis checks whether an idle
// connection is still open.
type socket interface {
	net.Conn
	syscall.Conn
}

// refusable is a connection that the server may refuse with an error before the first
// command, as Redis does if it has too many clients. Redis then closes the connection.
// go-redis then reports that the next command could not be sent, and not why.
type refusable struct {
	socket
	refusal string // the one of connectRefusals that was read; empty means none
}

// connectRefusal is the error of a server that closed the connection after an error.
type connectRefusal struct {
	error        // of the connection
	text  string // one of connectRefusals
}

// Unwrap returns the error of the connection.
func (e *connectRefusal) Unwrap() error { return e.error }

// connectRefusals begin the errors with which Redis refuses a connection.
var connectRefusals = []string{"ERR max number of clients", "DENIED"}

// Read implements net.Conn.
func (c *refusable) Read(b []byte) (int, error) {
	n, err := c.socket.Read(b)
	if n == 0 {
		return 0, c.because(err)
	}
	for _, text := range connectRefusals {
		if bytes.HasPrefix(b[:n], []byte("-"+text)) {
			c.refusal = text
		}
	}
	return n, err
}

// Write implements net.Conn.
func (c *refusable) Write(b []byte) (int, error) {
	n, err := c.socket.Write(b)
	if err != nil && c.SetReadDeadline(time.Now().Add(10*time.Millisecond)) == nil {
		_, _ = c.Read(make([]byte, 64)) // the server's error has arrived already, or there is none
	}
	return n, c.because(err)
}

// because returns the error for a connection that failed with err.
func (c *refusable) because(err error) error {
	if err == nil || c.refusal == "" || outbound.Classify(err) == outbound.TimedOut {
		return err
	}
	return &connectRefusal{err, c.refusal}
}
