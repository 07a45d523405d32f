package idptest

import (
	"context"
	"crypto/x509"
	"maps"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"

	"github.com/vepverify/vepverify/wellknown"
)

// Server is a small internet of its own: hosts that serve support documents
// over TLS, or fail to, on one port of the loopback address. Its
// [Server.Config] is how a resolver gets there.
type Server struct {
	authority *authority
	listener  net.Listener
	arrivals  sync.Map // a client's address → chan visit

	ctx     context.Context // ends when the server is closed
	close   context.CancelFunc
	running sync.WaitGroup

	mu    sync.Mutex
	hosts map[string]*host // by "name:port"
	open  map[net.Conn]bool
}

// host is one that was set or dialled.
type host struct {
	sites    []Site // the last one stays
	dials    int
	requests []Request
}

// Request is a request that a host got over TLS.
type Request struct {
	Host   string      // the header Host
	Path   string      // without the query
	Domain string      // the query's domain: on whose behalf the document is wanted
	Header http.Header // the other headers
}

// NewServer starts a server for the support documents of the identity providers
// given; more hosts are added by [Server.Set]. Every other host does not exist.
// It panics when it cannot listen on 127.0.0.1. The caller closes it.
func NewServer(idps ...*IdP) *Server {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		panic("idptest: " + err.Error())
	}
	s := &Server{
		authority: newAuthority(), listener: listener,
		hosts: make(map[string]*host), open: make(map[net.Conn]bool),
	}
	s.ctx, s.close = context.WithCancel(context.Background())
	for _, p := range idps {
		s.Set(p.Domain, Serve(p))
	}
	s.running.Go(s.accept)
	return s
}

// Close ends every connection, stalled ones too, and returns when all is over.
func (s *Server) Close() {
	s.close()
	s.listener.Close()
	s.mu.Lock()
	for conn := range s.open {
		conn.Close()
	}
	s.mu.Unlock()
	s.running.Wait()
}

// Set says how the host name ("idp.example", on port 443, or
// "idp.example:8443") behaves from the next connection on. Of several sites the
// first is for one connection, and so on; the last one stays. Without any the
// host does not exist any more.
func (s *Server) Set(name string, sites ...Site) {
	if len(sites) == 0 {
		sites = []Site{NXDomain()}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.host(address(name)).sites = slices.Clone(sites)
}

// Config reaches the server's hosts, trusts its certificate authority and has
// the defaults for the rest, to be changed at will.
func (s *Server) Config() wellknown.Config {
	return wellknown.Config{RootCAs: s.RootCAs(), InsecureDialContext: s.DialContext}
}

// Resolver is a new resolver with that Config: keys for assertion.Config.
func (s *Server) Resolver() *wellknown.Resolver {
	r, err := wellknown.NewResolver(s.Config())
	if err != nil {
		panic("idptest: " + err.Error()) // it is not the caller's configuration
	}
	return r
}

// RootCAs holds the server's own certificate authority.
func (s *Server) RootCAs() *x509.CertPool { return s.authority.pool() }

// RootPEM is the same as a PEM file's text.
func (s *Server) RootPEM() []byte { return s.authority.pem() }

// Dials says how often the host was dialled, whatever came of it.
func (s *Server) Dials(name string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.host(address(name)).dials
}

// Dialled gives the "name:port" of every host that was dialled, sorted: none,
// when all was decided offline.
func (s *Server) Dialled() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.DeleteFunc(slices.Sorted(maps.Keys(s.hosts)), func(addr string) bool {
		return s.hosts[addr].dials == 0
	})
}

// Requests gives the requests that the host got over TLS, in order.
func (s *Server) Requests(name string) []Request {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.host(address(name)).requests)
}

// host gives the host at that address, an unknown one as one that does not
// exist. The caller has the lock.
func (s *Server) host(addr string) *host {
	h, ok := s.hosts[addr]
	if !ok {
		h = &host{sites: []Site{NXDomain()}}
		s.hosts[addr] = h
	}
	return h
}

// address gives a host's name with its port.
func address(name string) string {
	name = strings.ToLower(name)
	if !strings.Contains(name, ":") {
		name += ":443"
	}
	return name
}
