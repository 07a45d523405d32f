package wellknown_test

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"log"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/vepverify/vepverify/wellknown"
)

// discardLog discards what test servers log about clients that disconnect.
var discardLog = log.New(io.Discard, "", 0)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// rsaKey returns the legacy form of an RSA key with that number of bits. Its modulus is
// just odd: the tests verify no signature.
func rsaKey(bits uint, variant int64) string {
	n := new(big.Int).Lsh(big.NewInt(1), bits-1)
	n.Add(n, big.NewInt(2*variant+1))
	return fmt.Sprintf(`{"algorithm":"RS","n":"%d","e":"65537"}`, n)
}

// document returns a support document with one key. Variants differ in the key.
func document(variant int64) string {
	return fmt.Sprintf(`{"public-key":%s,"authentication":"/auth","provisioning":"/prov"}`, rsaKey(2048, variant))
}

func delegation(host string) string { return fmt.Sprintf(`{"authority":%q}`, host) }

// certAuthority issues the TLS certificates of a test's hosts.
type certAuthority struct {
	key  *ecdsa.PrivateKey
	cert *x509.Certificate
}

// testCA returns the certificate authority of all tests.
var testCA = sync.OnceValue(func() *certAuthority {
	a, err := makeCA()
	if err != nil {
		panic(err)
	}
	return a
})

// newCA returns a certificate authority that no test trusts.
func newCA(t testing.TB) *certAuthority {
	a, err := makeCA()
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func makeCA() (*certAuthority, error) {
	a := new(certAuthority)
	var err error
	if a.key, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader); err != nil {
		return nil, err
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "test CA"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &a.key.PublicKey, a.key)
	if err != nil {
		return nil, err
	}
	a.cert, err = x509.ParseCertificate(der)
	return a, err
}

// pool returns a pool with the certificate of a.
func (a *certAuthority) pool() *x509.CertPool {
	pool := x509.NewCertPool()
	pool.AddCert(a.cert)
	return pool
}

// file returns the name of a file with the certificate of a.
func (a *certAuthority) file(t testing.TB) string {
	name := filepath.Join(t.TempDir(), "ca.pem")
	text := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: a.cert.Raw})
	if err := os.WriteFile(name, text, 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}

// certificate returns a certificate for the names, valid for an hour from notBefore.
func (a *certAuthority) certificate(t testing.TB, notBefore time.Time, names ...string) tls.Certificate {
	return a.certify(t, a.key, notBefore, names...)
}

// certify is certificate for a given key.
func (a *certAuthority) certify(t testing.TB, key crypto.Signer, notBefore time.Time, names ...string) tls.Certificate {
	template := &x509.Certificate{
		SerialNumber: big.NewInt(2), Subject: pkix.Name{CommonName: names[0]}, DNSNames: names,
		NotBefore: notBefore, NotAfter: notBefore.Add(time.Hour),
	}
	der, err := x509.CreateCertificate(rand.Reader, template, a.cert, key.Public(), a.key)
	if err != nil {
		t.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
}

// selfSigned returns a certificate for a name, with the key of a, that it signed itself.
func (a *certAuthority) selfSigned(t testing.TB, name string) tls.Certificate {
	template := &x509.Certificate{
		SerialNumber: big.NewInt(3), Subject: pkix.Name{CommonName: name}, DNSNames: []string{name},
		NotBefore: time.Now().Add(-time.Minute), NotAfter: time.Now().Add(time.Hour),
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, a.key.Public(), a.key)
	if err != nil {
		t.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: a.key}
}

// withExtra returns c with n more certificates after it, which did not issue it.
func (a *certAuthority) withExtra(c tls.Certificate, n int) tls.Certificate {
	c.Certificate = slices.Clone(c.Certificate)
	for range n {
		c.Certificate = append(c.Certificate, a.cert.Raw)
	}
	return c
}

// rsaKeyFile reads a private key from testdata, because generating one takes seconds.
func rsaKeyFile(t testing.TB, name string) crypto.Signer {
	text, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	block, _ := pem.Decode(text)
	key, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		t.Fatal(err)
	}
	return key.(crypto.Signer)
}

// network maps the hosts of a test to listeners of this machine.
type network struct {
	t     testing.TB
	mu    sync.Mutex
	hosts map[string]string // the address of the listener, by "idp.example:443"
}

func newNetwork(t testing.TB) *network {
	return &network{t: t, hosts: make(map[string]string)}
}

func (n *network) put(host, addr string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.hosts[host+":443"] = addr
}

func (n *network) remove(host string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	delete(n.hosts, host+":443")
}

// refuse makes host refuse connections. Its address is the local end of a connection, so
// that no other test gets that port.
func (n *network) refuse(host string) {
	conn, err := net.Dial("tcp", listen(n.t, waitForClose))
	if err != nil {
		n.t.Fatal(err)
	}
	n.t.Cleanup(func() { conn.Close() })
	n.put(host, conn.LocalAddr().String())
}

func (n *network) dial(ctx context.Context, network, addr string) (net.Conn, error) {
	n.mu.Lock()
	where, ok := n.hosts[addr]
	n.mu.Unlock()
	if !ok {
		return nil, &net.DNSError{Err: "no such host", Name: addr, IsNotFound: true}
	}
	return new(net.Dialer).DialContext(ctx, network, where)
}

// config returns a configuration that connects to the hosts and trusts their certificates.
func (n *network) config() wellknown.Config {
	return wellknown.Config{Timeout: 20 * time.Second, RootCAs: testCA().pool(), InsecureDialContext: n.dial}
}

// serve starts an HTTPS server with a valid certificate for host.
func (n *network) serve(host string, h http.HandlerFunc) {
	now := time.Now().Add(-time.Minute)
	n.serveTLS(host, &tls.Config{Certificates: []tls.Certificate{testCA().certificate(n.t, now, host)}}, h)
}

func (n *network) serveTLS(host string, c *tls.Config, h http.HandlerFunc) {
	s := httptest.NewUnstartedServer(h)
	s.TLS = c
	s.Config.ErrorLog = discardLog
	s.StartTLS()
	n.t.Cleanup(s.Close)
	n.put(host, s.Listener.Addr().String())
}

// raw calls serve for each connection to host, after the TLS handshake if handshake is set.
func (n *network) raw(host string, handshake bool, serve func(net.Conn)) {
	c := &tls.Config{Certificates: []tls.Certificate{testCA().certificate(n.t, time.Now().Add(-time.Minute), host)}}
	n.put(host, listen(n.t, func(conn net.Conn) {
		if !handshake {
			serve(conn)
			return
		}
		s := tls.Server(conn, c)
		if s.Handshake() == nil {
			serve(s)
		}
	}))
}

// answer makes host answer each request with exactly this text. It then closes the TLS
// stream with close_notify, and the connection.
func (n *network) answer(host, text string) {
	n.raw(host, true, func(conn net.Conn) {
		readHeader(conn)
		fmt.Fprint(conn, text)
	})
}

// readHeader reads the header of a request, with its empty line.
func readHeader(conn net.Conn) string {
	var seen []byte
	one := make([]byte, 1)
	for !strings.HasSuffix(string(seen), "\r\n\r\n") {
		if _, err := conn.Read(one); err != nil {
			break
		}
		seen = append(seen, one[0])
	}
	return string(seen)
}

// listen calls serve for each connection to a new port of 127.0.0.1, and then closes the
// connection. At the end of the test it stops, with all its goroutines.
func listen(t testing.TB, serve func(net.Conn)) string {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
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

func jsonHandler(body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		fmt.Fprint(w, body)
	}
}

// roundTripper replaces the network.
type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// reply returns an answer of a roundTripper. The headers are names and values in turn.
func reply(status int, body string, headers ...string) (*http.Response, error) {
	w := httptest.NewRecorder()
	w.Header().Set("Content-Type", "application/json")
	for i := 0; i < len(headers); i += 2 {
		w.Header().Set(headers[i], headers[i+1])
	}
	w.WriteHeader(status)
	w.Body.WriteString(body)
	return w.Result(), nil
}

func resolver(t testing.TB, c wellknown.Config) *wellknown.Resolver {
	t.Helper()
	r, err := wellknown.NewResolver(c)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// row returns the outcome that err matches: nil or one of the three errors. The test fails
// unless it is exactly one.
func row(t testing.TB, a *wellknown.Authority, err error) error {
	t.Helper()
	if (a == nil) == (err == nil) {
		t.Fatalf("authority %v with error %v", a, err)
	}
	if err == nil {
		return nil
	}
	var all []error
	for _, kind := range []error{wellknown.ErrUnsupported, wellknown.ErrUnavailable, wellknown.ErrRefused} {
		if errors.Is(err, kind) {
			all = append(all, kind)
		}
	}
	var lookup *wellknown.LookupError
	if len(all) != 1 || !errors.As(err, &lookup) {
		t.Fatalf("%T %v matches %d outcomes", err, err, len(all))
	}
	return all[0]
}

// lookUp looks host up for its own emails.
func lookUp(t testing.TB, r *wellknown.Resolver, host string) (*wellknown.Authority, error) {
	t.Helper()
	a, err := r.Authority(t.Context(), host, host)
	return a, row(t, a, err)
}

func mustJSON(t testing.TB, v any) string {
	t.Helper()
	text, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
