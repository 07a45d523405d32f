// Package hosttest runs HTTPS hosts for a test: listeners on loopback ports that are reached by
// the names of hosts, with certificates of an authority of the test.
//
//	hosts := hosttest.New(t)
//	hosts.Serve("idp.example", handler)
//	config.InsecureDialContext = hosts.Dial
//	config.RootCAs = hosttest.TrustedCA().Pool()
package hosttest

import (
	"context"
	"crypto/tls"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"
)

// Hosts are the hosts of a test. It is safe for concurrent use.
type Hosts struct {
	t         testing.TB
	mu        sync.Mutex
	listeners map[string]string // the address of the listener, by "idp.example:443"
}

// New returns hosts, of which none exists yet.
func New(t testing.TB) *Hosts { return &Hosts{t: t, listeners: make(map[string]string)} }

// Put makes a host the listener at an address.
func (h *Hosts) Put(host, addr string) { h.PutPort(host+":443", addr) }

// PutPort is Put for a host with a port.
func (h *Hosts) PutPort(target, addr string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.listeners[target] = addr
}

// Addr returns the address of the listener of a host, which is given as "host:443".
func (h *Hosts) Addr(target string) (addr string, found bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	addr, found = h.listeners[target]
	return addr, found
}

// Remove makes a host not exist.
func (h *Hosts) Remove(host string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	delete(h.listeners, host+":443")
}

// Refuse makes a host refuse connections. Its address is the local end of a connection, so
// that no other test gets that port.
func (h *Hosts) Refuse(host string) {
	conn, err := net.Dial("tcp", Listen(h.t, WaitForClose))
	if err != nil {
		h.t.Fatal(err)
	}
	h.t.Cleanup(func() { conn.Close() })
	h.Put(host, conn.LocalAddr().String())
}

// Dial connects to a host, which is given as "host:443".
func (h *Hosts) Dial(ctx context.Context, network, addr string) (net.Conn, error) {
	where, found := h.Addr(addr)
	if !found {
		return nil, &net.DNSError{Err: "no such host", Name: addr, IsNotFound: true}
	}
	return new(net.Dialer).DialContext(ctx, network, where)
}

// Serve starts an HTTPS server with a valid certificate for a host.
func (h *Hosts) Serve(host string, handler http.HandlerFunc) {
	h.ServeTLS(host, TrustedCA().Config(h.t, time.Now().Add(-time.Minute), host), handler)
}

// ServeTLS is Serve with another TLS configuration.
func (h *Hosts) ServeTLS(host string, c *tls.Config, handler http.HandlerFunc) {
	s := httptest.NewUnstartedServer(handler)
	s.TLS = c
	s.Config.ErrorLog = log.New(io.Discard, "", 0) // about clients that disconnect
	s.StartTLS()
	h.t.Cleanup(s.Close)
	h.Put(host, s.Listener.Addr().String())
}

// Raw calls serve for each connection to a host, after the TLS handshake.
func (h *Hosts) Raw(host string, serve func(*tls.Conn)) {
	c := TrustedCA().Config(h.t, time.Now().Add(-time.Minute), host)
	h.Put(host, Listen(h.t, func(conn net.Conn) {
		s := tls.Server(conn, c)
		if s.Handshake() == nil {
			serve(s)
		}
	}))
}

// Listen calls serve for each connection to a new port of 127.0.0.1, and then closes the
// connection. At the end of the test it stops, with all its goroutines.
func Listen(t testing.TB, serve func(net.Conn)) string {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	Accept(t, l, serve)
	return l.Addr().String()
}

// Accept is Listen for a given listener.
func Accept(t testing.TB, l net.Listener, serve func(net.Conn)) {
	var all sync.WaitGroup
	var mu sync.Mutex
	open := make(map[net.Conn]bool)
	all.Go(func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			mu.Lock()
			open[conn] = true
			mu.Unlock()
			all.Go(func() {
				serve(conn)
				conn.Close()
			})
		}
	})
	t.Cleanup(func() {
		l.Close()
		mu.Lock()
		for conn := range open {
			conn.Close()
		}
		mu.Unlock()
		all.Wait()
	})
}

// ReadHeader reads the header of a request, with its empty line, and no more.
func ReadHeader(conn net.Conn) string {
	var seen []byte
	for one := make([]byte, 1); len(seen) < 4 || string(seen[len(seen)-4:]) != "\r\n\r\n"; seen = append(seen, one[0]) {
		if _, err := conn.Read(one); err != nil {
			break
		}
	}
	return string(seen)
}

// WaitForClose waits until the client closes the connection.
func WaitForClose(conn net.Conn) { io.Copy(io.Discard, conn) }
