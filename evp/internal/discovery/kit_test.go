package discovery_test

import (
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/vepverify/vepverify/evp/internal/discovery"
	"github.com/vepverify/vepverify/internal/hosttest"
)

// internet has the hosts and the TXT records of a test.
type internet struct {
	*hosttest.Hosts
	t       testing.TB
	mu      sync.Mutex
	records map[string][]string // by name
	lookups atomic.Int64        // of TXT records
	txtErr  error               // of all TXT lookups, if not nil
}

func newInternet(t testing.TB) *internet {
	return &internet{Hosts: hosttest.New(t), t: t, records: map[string][]string{txtName: {record}}}
}

// LookupTXT implements discovery.TXTResolver.
func (n *internet) LookupTXT(_ context.Context, name string) ([]string, error) {
	n.lookups.Add(1)
	n.mu.Lock()
	defer n.mu.Unlock()
	records, found := n.records[name]
	switch {
	case n.txtErr != nil:
		return nil, n.txtErr
	case !found:
		return nil, &net.DNSError{Err: "no such host", Name: name, IsNotFound: true}
	}
	return records, nil
}

func (n *internet) setTXT(err error, records ...string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.txtErr, n.records[txtName] = err, records
}

// config returns a configuration for the hosts and records.
func (n *internet) config() discovery.Config {
	return discovery.Config{Resolver: n, Timeout: 20 * time.Second, RootCAs: hosttest.TrustedCA().Pool(), InsecureDialContext: n.Dial}
}

// raw calls serve for each connection to a host, after the TLS handshake and the header of
// a request.
func (n *internet) raw(host string, serve func(net.Conn)) {
	n.Raw(host, func(conn *tls.Conn) {
		hosttest.ReadHeader(conn)
		serve(conn)
		conn.CloseWrite()
		hosttest.WaitForClose(conn)
	})
}

// site serves documents by path.
type site struct {
	mu       sync.Mutex
	answers  map[string]answer // by path, with the query
	requests map[string]int    // by path, with the query
}

// answer is an answer to a request.
type answer struct {
	status             int // 0 means 200
	body, cache, media string
}

// newSite returns the site of the issuer with one key.
func newSite() *site {
	return &site{requests: make(map[string]int), answers: map[string]answer{
		"/.well-known/email-verification": {body: metadata(jwksURL)},
		"/jwks":                           {body: keySet(ed25519Key)},
	}}
}

func (s *site) set(path string, a answer) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.answers[path] = a
}

// count returns how many requests there were for a path.
func (s *site) count(path string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.requests[path]
}

func (s *site) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	a, found := s.answers[r.URL.RequestURI()]
	s.requests[r.URL.RequestURI()]++
	s.mu.Unlock()
	if !found {
		http.NotFound(w, r)
		return
	}
	if a.media == "" {
		a.media = "application/json"
	}
	w.Header().Set("Content-Type", a.media)
	if a.cache != "" {
		w.Header().Set("Cache-Control", a.cache)
	}
	if a.status != 0 {
		w.WriteHeader(a.status)
	}
	fmt.Fprint(w, a.body)
}

// RoundTrip implements http.RoundTripper, for tests in which an answer must come in time.
func (s *site) RoundTrip(r *http.Request) (*http.Response, error) {
	w := httptest.NewRecorder()
	s.ServeHTTP(w, r)
	return w.Result(), nil
}

// clocked returns a configuration with a clock and no network but a site.
func clocked(s *site) (discovery.Config, *clock) {
	now := newClock()
	return discovery.Config{Now: now.now, InsecureTransport: s}, now
}

// clock is a clock that a test sets.
type clock struct{ nanoseconds atomic.Int64 }

func newClock() *clock {
	c := new(clock)
	c.nanoseconds.Store(time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC).UnixNano())
	return c
}

func (c *clock) now() time.Time          { return time.Unix(0, c.nanoseconds.Load()) }
func (c *clock) advance(d time.Duration) { c.nanoseconds.Add(int64(d)) }

func open(t testing.TB, c discovery.Config) *discovery.Network {
	t.Helper()
	n, err := discovery.NewNetwork(c)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// writeSlowly writes a byte each 500 ms, until the client closes the connection.
func writeSlowly(c net.Conn, text string) {
	for i := range len(text) {
		if _, err := c.Write([]byte{text[i]}); err != nil {
			return
		}
		time.Sleep(500 * time.Millisecond)
	}
	hosttest.WaitForClose(c)
}

func mustListen(t testing.TB) net.Listener {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// errFiles is the operating system's error of a process with too many open files.
var errFiles = os.NewSyscallError("socket", syscall.EMFILE)

// failingDial returns a function that fails to connect.
func failingDial(err error) func(context.Context, string, string) (net.Conn, error) {
	return func(context.Context, string, string) (net.Conn, error) { return nil, err }
}
