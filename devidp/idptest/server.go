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

// Server simulates a network of hosts. They serve support documents over TLS, or
// fail to, on one port of the loopback address. A resolver reaches them through
// [Server.Config].
type Server struct {
	authority *certificateAuthority
	listener  net.Listener
	pending   sync.Map // address of a client → chan dial

	ctx     context.Context // ends when the server is closed
	close   context.CancelFunc
	running sync.WaitGroup

	mu    sync.Mutex
	hosts map[string]*host // by "name:port"
	open  map[net.Conn]bool
}

// host is the state of one host.
type host struct {
	sites    []Site // each for one connection; the last one stays
	dials    int
	requests []Request
}

// Request is a request that a host received over TLS.
type Request struct {
	Host   string      // the header Host
	Path   string      // without the query
	Domain string      // the query's domain: the email domain that the document is for
	Header http.Header // the other headers
}

// NewServer starts a server that serves the support documents of the given
// identity providers. [Server.Set] adds hosts. All other hosts do not exist.
// NewServer panics if it cannot listen on 127.0.0.1. The caller must close the
// server.
func NewServer(idps ...*IdP) *Server {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		panic("idptest: " + err.Error())
	}
	s := &Server{
		authority: newCertificateAuthority(), listener: listener,
		hosts: make(map[string]*host), open: make(map[net.Conn]bool),
	}
	s.ctx, s.close = context.WithCancel(context.Background())
	for _, p := range idps {
		s.Set(p.Domain, Serve(p))
	}
	s.running.Go(s.accept)
	return s
}

// Close closes all connections and waits until their goroutines have ended.
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

// Set sets the behaviour of the host name ("idp.example", on port 443, or
// "idp.example:8443") from the next connection on. Of several sites each but the
// last is for one connection. Without a site the host does not exist.
func (s *Server) Set(name string, sites ...Site) {
	if len(sites) == 0 {
		sites = []Site{NXDomain()}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.host(address(name)).sites = slices.Clone(sites)
}

// Config returns a configuration with which a resolver reaches the server's hosts
// and trusts its certificate authority. All other fields have their defaults, and
// may be modified.
func (s *Server) Config() wellknown.Config {
	return wellknown.Config{RootCAs: s.RootCAs(), InsecureDialContext: s.DialContext}
}

// Resolver returns a new resolver with that Config, for assertion.Config.Keys.
func (s *Server) Resolver() *wellknown.Resolver {
	r, err := wellknown.NewResolver(s.Config())
	if err != nil {
		panic("idptest: " + err.Error()) // it is not the caller's configuration
	}
	return r
}

// RootCAs returns the server's own certificate authority.
func (s *Server) RootCAs() *x509.CertPool { return s.authority.pool() }

// RootPEM returns the server's own certificate authority as the text of a PEM
// file.
func (s *Server) RootPEM() []byte { return s.authority.pem() }

// Dials returns how often the host was dialled, including dials that failed.
func (s *Server) Dials(name string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.host(address(name)).dials
}

// Dialled returns the "name:port" of every host that was dialled, sorted. It is
// empty if all verifications were decided offline.
func (s *Server) Dialled() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.DeleteFunc(slices.Sorted(maps.Keys(s.hosts)), func(addr string) bool {
		return s.hosts[addr].dials == 0
	})
}

// Requests returns the requests that the host received over TLS, in order.
func (s *Server) Requests(name string) []Request {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.host(address(name)).requests)
}

// host returns the host at that address. A host that was not set does not exist on
// the simulated network. The caller holds the lock.
func (s *Server) host(addr string) *host {
	h, ok := s.hosts[addr]
	if !ok {
		h = &host{sites: []Site{NXDomain()}}
		s.hosts[addr] = h
	}
	return h
}

// address returns a host's name with its port.
func address(name string) string {
	name = strings.ToLower(name)
	if !strings.Contains(name, ":") {
		name += ":443"
	}
	return name
}
