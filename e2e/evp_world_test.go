package e2e

import (
	"context"
	"crypto/ecdsa"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/json"
	"fmt"
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

// internet is what the browser reaches at https://*.example: hosts at port 443, and TXT
// records. All tests share it, because the browser is told its address when it starts.
// Each test uses names of its own in it.
type internet struct {
	listener net.Listener
	roots    *x509.CertPool
	hosts    sync.Map // host → http.Handler
	txt      sync.Map // name → []string
}

// dnsHost answers the browser's DNS queries, which it sends over HTTPS.
const dnsHost = "dns.example"

// theInternet starts serving.
var theInternet = sync.OnceValues(func() (*internet, error) {
	l, err := devidp.Listen("127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	config, roots := authority()
	n := &internet{listener: l, roots: roots}
	n.hosts.Store(dnsHost, http.HandlerFunc(n.resolve))
	server := &http.Server{Handler: n}
	done := make(chan struct{})
	go func() { defer close(done); _ = server.Serve(tls.NewListener(l, config)) }() // it ends by Close
	atEnd = append(atEnd, func() { _ = server.Close(); <-done })
	return n, nil
})

// authority returns a configuration that serves every name with a certificate, which has
// the key that the browser trusts, and the authority that has issued the certificates.
func authority() (*tls.Config, *x509.CertPool) {
	key := certificate().PrivateKey.(*ecdsa.PrivateKey)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "e2e authority"}, IsCA: true, BasicConstraintsValid: true,
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(24 * time.Hour),
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	must(err)
	root, err := x509.ParseCertificate(der)
	must(err)
	roots := x509.NewCertPool()
	roots.AddCert(root)
	leaf := func(hello *tls.ClientHelloInfo) (*tls.Certificate, error) {
		template := &x509.Certificate{SerialNumber: big.NewInt(2), DNSNames: []string{hello.ServerName}, NotBefore: root.NotBefore, NotAfter: root.NotAfter}
		der, err := x509.CreateCertificate(rand.Reader, template, root, key.Public(), key)
		return &tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, err
	}
	return &tls.Config{GetCertificate: leaf, NextProtos: []string{"h2", "http/1.1"}}, roots
}

// ServeHTTP serves the hosts.
func (n *internet) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.URL.Path == "/favicon.ico" { // the browser asks for it after each page
		w.WriteHeader(http.StatusNoContent)
		return
	}
	h, ok := n.hosts.Load(r.Host)
	if !ok {
		http.Error(w, "no such host", http.StatusMisdirectedRequest)
		return
	}
	h.(http.Handler).ServeHTTP(w, r)
}

// resolve answers a query for a TXT record, in the JSON form of dns.google.
func (n *internet) resolve(w http.ResponseWriter, r *http.Request) {
	const nxdomain, typeTXT = 3, 16
	name := strings.TrimSuffix(r.FormValue("name"), ".")
	records, err := n.LookupTXT(r.Context(), name)
	if err != nil {
		writeJSON(w, map[string]any{"Status": nxdomain})
		return
	}
	answer := []any{}
	for _, text := range records {
		answer = append(answer, map[string]any{"name": name, "type": typeTXT, "data": text})
	}
	writeJSON(w, map[string]any{"Status": 0, "Answer": answer})
}

// LookupTXT implements evp.TXTResolver.
func (n *internet) LookupTXT(_ context.Context, name string) ([]string, error) {
	records, ok := n.txt.Load(name)
	if !ok {
		return nil, &net.DNSError{Err: "no such host", Name: name, IsNotFound: true}
	}
	return records.([]string), nil
}

// writeJSON writes a value. The browser refuses JSON of another type.
func writeJSON(w http.ResponseWriter, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	_ = json.NewEncoder(w).Encode(v) // the browser may have gone
}

// worlds counts the worlds of the process, so that each has its own names.
var worlds atomic.Int64

// evpWorld is a site, an email domain and its issuer.
type evpWorld struct {
	*internet
	t                  *testing.T
	site, mail, issuer string        // hosts
	issued             chan struct{} // receives a value when the issuer has answered a request for a token
}

// newWorld returns a world with the TXT record of its email domain, and nothing else.
func newWorld(t *testing.T) *evpWorld {
	t.Helper()
	needBrowser(t)
	n, err := theInternet()
	if err != nil {
		t.Fatal(err)
	}
	number := worlds.Add(1)
	w := &evpWorld{
		internet: n, t: t,
		site: fmt.Sprintf("rp-%d.example", number), mail: fmt.Sprintf("mail-%d.example", number),
		issuer: fmt.Sprintf("accounts.issuer-%d.example", number),
		issued: make(chan struct{}, 1),
	}
	w.txt.Store("_email-verification."+w.mail, []string{"iss=" + w.issuer})
	return w
}

// apex returns the registrable domain of the issuer.
func (w *evpWorld) apex() string { _, apex, _ := strings.Cut(w.issuer, "."); return apex }

// origin returns the origin of the site.
func (w *evpWorld) origin() string { return "https://" + w.site }

// at returns an address of the email domain.
func (w *evpWorld) at(user string) string { return user + "@" + w.mail }

// serve serves a host until the test ends.
func (w *evpWorld) serve(host string, h http.Handler) {
	w.hosts.Store(host, h)
	w.t.Cleanup(func() { w.hosts.Delete(host) })
}

// serveIssuer serves an issuer, and notes when it has answered a request for a token. That is
// the only POST that browsers send.
func (w *evpWorld) serveIssuer(h http.Handler) {
	noting := http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		h.ServeHTTP(rw, r)
		if r.Method == http.MethodPost {
			w.note()
		}
	})
	w.serve(w.issuer, noting)
	w.serve(w.apex(), noting)
}

// note notes that the issuer has answered, for tests that wait for it.
func (w *evpWorld) note() {
	select {
	case w.issued <- struct{}{}:
	default:
	}
}

// forget forgets what was noted.
func (w *evpWorld) forget() {
	select {
	case <-w.issued:
	default:
	}
}
