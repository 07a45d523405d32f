package idptest

import (
	"bufio"
	"context"
	"crypto/tls"
	"io"
	"net"
	"net/http"
	"strings"
)

// dial is one dial of one host.
type dial struct {
	addr string // "name:port"
	site Site
}

// DialContext connects to the host of the address "name:port", or fails as its
// site says. It stands in for DNS and for the network.
func (s *Server) DialContext(ctx context.Context, network, addr string) (net.Conn, error) {
	if s.ctx.Err() != nil {
		return nil, net.ErrClosed // the server is closed, whatever the site is
	}
	d := s.newDial(addr)
	if d.site.unreachable != nil {
		ctx, cancel := context.WithCancel(ctx)
		defer cancel()
		defer context.AfterFunc(s.ctx, cancel)()
		return nil, d.site.unreachable(ctx, d.addr)
	}
	conn, err := new(net.Dialer).DialContext(ctx, network, s.listener.Addr().String())
	if err != nil {
		return nil, err
	}
	s.pendingDial(conn.LocalAddr()) <- d
	return conn, nil
}

// newDial counts a dial and returns it with the site for it.
func (s *Server) newDial(addr string) dial {
	s.mu.Lock()
	defer s.mu.Unlock()
	d := dial{addr: address(addr)}
	h := s.host(d.addr)
	h.dials++
	d.site = h.sites[0]
	if len(h.sites) > 1 {
		h.sites = h.sites[1:]
	}
	return d
}

// pendingDial returns the channel on which the server's end of a connection
// receives the dial of the client's end. The server thus knows the host before the
// first byte is sent.
func (s *Server) pendingDial(client net.Addr) chan dial {
	c, _ := s.pending.LoadOrStore(client.String(), make(chan dial, 1))
	return c.(chan dial)
}

func (s *Server) accept() {
	for {
		conn, err := s.listener.Accept()
		if err != nil { // closed
			return
		}
		s.running.Go(func() { s.receive(conn) })
	}
}

func (s *Server) receive(conn net.Conn) {
	defer conn.Close()
	if !s.track(conn) {
		return
	}
	defer s.untrack(conn)
	select {
	case d := <-s.pendingDial(conn.RemoteAddr()):
		s.pending.Delete(conn.RemoteAddr().String())
		c := &connection{Conn: conn, tcp: conn, server: s, dial: d}
		c.serve()
	case <-s.ctx.Done():
	}
}

// track registers a connection for Close. It reports whether the server is still
// open.
func (s *Server) track(conn net.Conn) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.open[conn] = true
	return s.ctx.Err() == nil
}

func (s *Server) untrack(conn net.Conn) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.open, conn)
}

// connection is the server's end of one connection. Conn is the TLS connection
// after the handshake.
type connection struct {
	net.Conn
	tcp    net.Conn
	server *Server
	dial   dial
}

// serve answers one request. Errors of writing are ignored: the client sees them,
// and often the test is about them.
func (c *connection) serve() {
	site := c.dial.site
	if site.raw != nil {
		site.raw(c)
		return
	}
	stream := tls.Server(c.tcp, c.tlsConfig())
	if stream.HandshakeContext(c.server.ctx) != nil {
		return
	}
	c.Conn = stream
	defer stream.Close()
	if site.afterTLS != nil {
		site.afterTLS(c)
		return
	}
	request, err := http.ReadRequest(bufio.NewReader(stream))
	if err != nil {
		return
	}
	c.record(request)
	site.deliver(c, site.answer(request))
}

func (c *connection) record(r *http.Request) {
	s := c.server
	s.mu.Lock()
	defer s.mu.Unlock()
	h := s.host(c.dial.addr)
	h.requests = append(h.requests, Request{
		Host: r.Host, Path: r.URL.Path, Domain: r.URL.Query().Get("domain"), Header: r.Header,
	})
}

func (c *connection) tlsConfig() *tls.Config {
	site := c.dial.site
	l := site.leaf
	if l.name == "" {
		l.name, _, _ = strings.Cut(c.dial.addr, ":")
	}
	config := &tls.Config{Certificates: []tls.Certificate{*c.server.authority.certificate(l)}}
	if site.tls11 {
		config.MinVersion, config.MaxVersion = tls.VersionTLS10, tls.VersionTLS11
	}
	return config
}

// stall sends nothing until the client leaves or the server is closed.
func (c *connection) stall() { io.Copy(io.Discard, c) }
