package e2e

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"math/big"
	"net"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/vepverify/vepverify/devidp"
)

// servers has a function to stop each running server, by port.
var servers sync.Map

// listen listens on a free port of the loopback interface.
func listen(t *testing.T) (l net.Listener, port string) {
	t.Helper()
	l, err := devidp.Listen("localhost:0")
	if err != nil {
		t.Fatal(err)
	}
	_, port, err = net.SplitHostPort(l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	return l, port
}

// serveOn serves until the test ends, or stopServing.
func serveOn(t *testing.T, l net.Listener, port string, h http.Handler) {
	server := &http.Server{Handler: h}
	done := make(chan struct{})
	go func() { defer close(done); _ = server.Serve(l) }() // it ends by Close
	servers.Store(port, func() { _ = server.Close(); <-done })
	t.Cleanup(func() { stopServing(port) })
}

// serve serves on a free port and returns the origin.
func serve(t *testing.T, h http.Handler) string {
	t.Helper()
	l, port := listen(t)
	serveOn(t, l, port, h)
	return "http://localhost:" + port
}

// stopServing stops a server that serve started.
func stopServing(port string) {
	if stop, ok := servers.LoadAndDelete(port); ok {
		stop.(func())()
	}
}

func portOf(origin string) string { return origin[strings.LastIndexByte(origin, ':')+1:] }

// newProvider returns the provider of all tests. It is shared because making its key is
// slow, and never changes.
var newProvider = sync.OnceValues(func() (*devidp.Provider, error) { return devidp.New(devidp.Config{}) })

// provider serves the identity provider and returns it with its origin.
func provider(t *testing.T) (*devidp.Provider, string) {
	t.Helper()
	p, err := newProvider()
	if err != nil {
		t.Fatal(err)
	}
	return p, serve(t, p)
}

// replaceable is a handler that can be replaced while it serves.
type replaceable struct{ to atomic.Pointer[http.Handler] }

func newReplaceable(h http.Handler) *replaceable {
	s := new(replaceable)
	s.replace(h)
	return s
}

func (s *replaceable) replace(h http.Handler) { s.to.Store(&h) }

func (s *replaceable) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	(*s.to.Load()).ServeHTTP(w, r)
}

// pinned is a certificate for *.example that the browser trusts.
type pinned struct {
	tls.Certificate
	pin string
}

var certificate = sync.OnceValue(func() pinned {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	must(err)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "e2e"}, DNSNames: []string{"*.example"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(24 * time.Hour),
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	must(err)
	parsed, err := x509.ParseCertificate(der)
	must(err)
	sum := sha256.Sum256(parsed.RawSubjectPublicKeyInfo)
	return pinned{tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, base64.StdEncoding.EncodeToString(sum[:])}
})

// must panics if err is not nil, for errors that only a mistake in a test can cause.
func must(err error) {
	if err != nil {
		panic(err)
	}
}

// serveTLS serves https://<name>.example on a free port and returns the origin.
func serveTLS(t *testing.T, name string, h http.Handler) string {
	t.Helper()
	l, port := listen(t)
	serveOn(t, tls.NewListener(l, &tls.Config{Certificates: []tls.Certificate{certificate().Certificate}}), port, h)
	return "https://" + name + ".example:" + port
}
