package idptest

import (
	"bufio"
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
)

// visit is one dial of one host.
type visit struct {
	addr string // "name:port"
	site Site
}

// DialContext connects to the host that Set gave the address "name:port", or
// fails as its site says. It is what makes the hosts' names mean something.
func (s *Server) DialContext(ctx context.Context, network, addr string) (net.Conn, error) {
	if s.ctx.Err() != nil {
		return nil, net.ErrClosed // nobody listens, which is not the site's doing
	}
	v := s.visit(addr)
	if v.site.unreachable != nil {
		ctx, cancel := context.WithCancel(ctx)
		defer cancel()
		defer context.AfterFunc(s.ctx, cancel)()
		return nil, v.site.unreachable(ctx, v.addr)
	}
	conn, err := new(net.Dialer).DialContext(ctx, network, s.listener.Addr().String())
	if err != nil {
		return nil, err
	}
	s.arrival(conn.LocalAddr()) <- v
	return conn, nil
}

// visit counts a dial and gives the site that it is to find.
func (s *Server) visit(addr string) visit {
	s.mu.Lock()
	defer s.mu.Unlock()
	v := visit{addr: address(addr)}
	h := s.host(v.addr)
	h.dials++
	v.site = h.sites[0]
	if len(h.sites) > 1 {
		h.sites = h.sites[1:]
	}
	return v
}

// arrival is where the two ends of a connection meet, so that the server's end
// knows which host was meant before a byte is sent.
func (s *Server) arrival(client net.Addr) chan visit {
	c, _ := s.arrivals.LoadOrStore(client.String(), make(chan visit, 1))
	return c.(chan visit)
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
	defer s.forget(conn)
	select {
	case v := <-s.arrival(conn.RemoteAddr()):
		s.arrivals.Delete(conn.RemoteAddr().String())
		c := &connection{Conn: conn, tcp: conn, server: s, visit: v}
		c.serve()
	case <-s.ctx.Done():
	}
}

// track notes a connection for Close; false when that has begun.
func (s *Server) track(conn net.Conn) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.open[conn] = true
	return s.ctx.Err() == nil
}

func (s *Server) forget(conn net.Conn) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.open, conn)
}

// connection is the server's end of one connection. Conn is the TLS stream once
// there is one.
type connection struct {
	net.Conn
	tcp    net.Conn
	server *Server
	visit  visit
}

// serve takes one request. What goes wrong while it is answered is the
// client's to notice, and often what it is there for.
func (c *connection) serve() {
	site := c.visit.site
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
	h := s.host(c.visit.addr)
	h.requests = append(h.requests, Request{
		Host: r.Host, Path: r.URL.Path, Domain: r.URL.Query().Get("domain"), Header: r.Header,
	})
}

func (c *connection) tlsConfig() *tls.Config {
	site := c.visit.site
	l := site.leaf
	if l.name == "" {
		l.name, _, _ = strings.Cut(c.visit.addr, ":")
	}
	config := &tls.Config{Certificates: []tls.Certificate{*c.server.authority.certificate(l)}}
	if site.tls11 {
		config.MinVersion, config.MaxVersion = tls.VersionTLS10, tls.VersionTLS11
	}
	return config
}

// stall says nothing more until the client leaves or the server is closed.
func (c *connection) stall() { io.Copy(io.Discard, c) }

// reset ends the connection with a TCP reset.
func (c *connection) reset() error {
	tcp, ok := c.tcp.(*net.TCPConn)
	if !ok {
		return errors.New("not a TCP connection")
	}
	if err := tcp.SetLinger(0); err != nil {
		return err
	}
	return tcp.Close()
}
