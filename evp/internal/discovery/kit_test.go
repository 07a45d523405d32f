package discovery_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"fmt"
	"io"
	"log"
	"math/big"
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
)

// certAuthority issues the TLS certificates of a test's hosts.
type certAuthority struct {
	key  *ecdsa.PrivateKey
	cert *x509.Certificate
}

// testCA returns the certificate authority of all tests.
var testCA = sync.OnceValue(func() *certAuthority {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		panic(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "test CA"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		panic(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		panic(err)
	}
	return &certAuthority{key, cert}
})

func (a *certAuthority) pool() *x509.CertPool {
	pool := x509.NewCertPool()
	pool.AddCert(a.cert)
	return pool
}

// config returns a TLS configuration with a certificate for a name, valid for an hour from
// notBefore.
func (a *certAuthority) config(t testing.TB, name string, notBefore time.Time) *tls.Config {
	template := &x509.Certificate{
		SerialNumber: big.NewInt(2), DNSNames: []string{name}, NotBefore: notBefore, NotAfter: notBefore.Add(time.Hour),
	}
	der, err := x509.CreateCertificate(rand.Reader, template, a.cert, &a.key.PublicKey, a.key)
	if err != nil {
		t.Fatal(err)
	}
	return &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: a.key}}}
}

// internet has the hosts and the TXT records of a test.
type internet struct {
	t       testing.TB
	mu      sync.Mutex
	hosts   map[string]string   // the address of the listener, by "host:443"
	records map[string][]string // by name
	lookups atomic.Int64        // of TXT records
	txtErr  error               // of all TXT lookups, if not nil
}

func newInternet(t testing.TB) *internet {
	return &internet{t: t, hosts: make(map[string]string), records: map[string][]string{txtName: {record}}}
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

func (n *internet) put(host, addr string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.hosts[host+":443"] = addr
}

func (n *internet) dial(ctx context.Context, network, addr string) (net.Conn, error) {
	n.mu.Lock()
	where, ok := n.hosts[addr]
	n.mu.Unlock()
	if !ok {
		return nil, &net.DNSError{Err: "no such host", Name: addr, IsNotFound: true}
	}
	return new(net.Dialer).DialContext(ctx, network, where)
}

// config returns a configuration for the hosts and records.
func (n *internet) config() discovery.Config {
	return discovery.Config{Resolver: n, Timeout: 20 * time.Second, RootCAs: testCA().pool(), InsecureDialContext: n.dial}
}

// serve starts an HTTPS server for a host.
func (n *internet) serve(host string, h http.HandlerFunc) {
	n.serveTLS(host, testCA().config(n.t, host, time.Now().Add(-time.Minute)), h)
}

func (n *internet) serveTLS(host string, c *tls.Config, h http.HandlerFunc) {
	s := httptest.NewUnstartedServer(h)
	s.TLS = c
	s.Config.ErrorLog = log.New(io.Discard, "", 0)
	s.StartTLS()
	n.t.Cleanup(s.Close)
	n.put(host, s.Listener.Addr().String())
}

// raw calls serve for each connection to a host, after the TLS handshake and the header of
// a request.
func (n *internet) raw(host string, serve func(net.Conn)) {
	c := testCA().config(n.t, host, time.Now().Add(-time.Minute))
	n.put(host, listen(n.t, func(conn net.Conn) {
		s := tls.Server(conn, c)
		if s.Handshake() == nil {
			readHeader(s)
			serve(s)
			s.CloseWrite()
			io.Copy(io.Discard, s)
		}
	}))
}

// readHeader reads the header of a request.
func readHeader(conn net.Conn) {
	var seen []byte
	for one := make([]byte, 1); len(seen) < 4 || string(seen[len(seen)-4:]) != "\r\n\r\n"; seen = append(seen, one[0]) {
		if _, err := conn.Read(one); err != nil {
			return
		}
	}
}

// listen calls serve for each connection to a new port of this machine, and then closes the
// connection. At the end of the test it stops, with all its goroutines.
func listen(t testing.TB, serve func(net.Conn)) string {
	l := mustListen(t)
	accept(t, l, serve)
	return l.Addr().String()
}

// accept is listen for a given listener.
func accept(t testing.TB, l net.Listener, serve func(net.Conn)) {
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

// waitForClose waits until the client closes the connection.
func waitForClose(c net.Conn) { io.Copy(io.Discard, c) }

// writeSlowly writes a byte each 500 ms, until the client closes the connection.
func writeSlowly(c net.Conn, text string) {
	for i := range len(text) {
		if _, err := c.Write([]byte{text[i]}); err != nil {
			return
		}
		time.Sleep(500 * time.Millisecond)
	}
	waitForClose(c)
}

func mustListen(t testing.TB) net.Listener {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// refuse makes a host refuse connections. Its address is the local end of a connection, so
// that no other test gets that port.
func (n *internet) refuse(host string) {
	conn, err := net.Dial("tcp", listen(n.t, waitForClose))
	if err != nil {
		n.t.Fatal(err)
	}
	n.t.Cleanup(func() { conn.Close() })
	n.put(host, conn.LocalAddr().String())
}

// errFiles is the operating system's error of a process with too many open files.
var errFiles = os.NewSyscallError("socket", syscall.EMFILE)

// failingDial returns a function that fails to connect.
func failingDial(err error) func(context.Context, string, string) (net.Conn, error) {
	return func(context.Context, string, string) (net.Conn, error) { return nil, err }
}
