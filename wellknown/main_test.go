package wellknown_test

import (
	"crypto"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/vepverify/vepverify/internal/hosttest"
	"github.com/vepverify/vepverify/wellknown"
)

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

// caFile returns the name of a file with the certificate of the trusted authority.
func caFile(t testing.TB) string {
	name := filepath.Join(t.TempDir(), "ca.pem")
	text := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: hosttest.TrustedCA().Certificate.Raw})
	if err := os.WriteFile(name, text, 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}

// certificate returns a trusted certificate for the names, valid for an hour from notBefore.
func certificate(t testing.TB, notBefore time.Time, names ...string) tls.Certificate {
	return hosttest.TrustedCA().Issue(t, notBefore, names...)
}

// selfSigned returns a certificate for the host that is signed with its own key.
func selfSigned(t testing.TB) tls.Certificate {
	key := hosttest.TrustedCA().Key
	template := &x509.Certificate{
		SerialNumber: big.NewInt(3), Subject: pkix.Name{CommonName: host}, DNSNames: []string{host},
		NotBefore: time.Now().Add(-time.Minute), NotAfter: time.Now().Add(time.Hour),
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
}

// withExtra returns c with n more certificates after it, which did not issue it.
func withExtra(c tls.Certificate, n int) tls.Certificate {
	c.Certificate = slices.Clone(c.Certificate)
	for range n {
		c.Certificate = append(c.Certificate, hosttest.TrustedCA().Certificate.Raw)
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

// network has the hosts of a test.
type network struct {
	*hosttest.Hosts
	t testing.TB
}

func newNetwork(t testing.TB) *network { return &network{hosttest.New(t), t} }

// config returns a configuration that connects to the hosts and trusts their certificates.
func (n *network) config() wellknown.Config {
	return wellknown.Config{Timeout: 20 * time.Second, RootCAs: hosttest.TrustedCA().Pool(), InsecureDialContext: n.Dial}
}

// raw calls serve for each connection to host, after the TLS handshake if handshake is set.
func (n *network) raw(host string, handshake bool, serve func(net.Conn)) {
	if handshake {
		n.Raw(host, func(conn *tls.Conn) { serve(conn) })
		return
	}
	n.Put(host, hosttest.Listen(n.t, serve))
}

// answer makes host answer each request with exactly this text. It then closes the TLS
// stream with close_notify, and the connection.
func (n *network) answer(host, text string) {
	n.raw(host, true, func(conn net.Conn) {
		hosttest.ReadHeader(conn)
		fmt.Fprint(conn, text)
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
