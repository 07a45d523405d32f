package evpdemo

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/json"
	"math/big"
	"net"
	"net/http"
	"strings"
	"time"
)

// The hosts of the demo. The names are reserved for examples (RFC 2606): nobody else can have
// them.
const (
	siteHost   = "shop.example"
	issuerHost = "accounts.issuer.example"
	issuerApex = "issuer.example" // its registrable domain
	mailDomain = "mail.example"   // of the addresses
	dnsHost    = "dns.example"    // answers the browser's lookups of TXT records
	dnsPath    = "/resolve"
)

// network is the part of the internet that the demo needs: hosts at https, and TXT records.
type network struct {
	hosts    map[string]http.Handler
	txt      map[string]string
	recorder *recorder
}

// newNetwork returns a network with the host that answers lookups.
func newNetwork() *network {
	n := &network{hosts: map[string]http.Handler{}, txt: map[string]string{}, recorder: new(recorder)}
	mux := http.NewServeMux()
	mux.HandleFunc("GET "+dnsPath, n.resolve)
	n.hosts[dnsHost] = mux
	return n
}

// publish adds a TXT record.
func (n *network) publish(name, record string) { n.txt[name] = record }

// ServeHTTP serves the hosts, and remembers the requests of the protocol.
func (n *network) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	host, found := n.hosts[r.Host]
	if !found {
		http.Error(w, "this host is not part of the demo", http.StatusMisdirectedRequest)
		return
	}
	n.recorder.record(host).ServeHTTP(w, r)
}

// LookupTXT implements evp.TXTResolver.
func (n *network) LookupTXT(_ context.Context, name string) ([]string, error) {
	if record, found := n.txt[strings.TrimSuffix(name, ".")]; found {
		return []string{record}, nil
	}
	return nil, &net.DNSError{Err: "no such host", Name: name, IsNotFound: true}
}

// answer is the answer to a lookup, in the JSON form of dns.google, which is what browsers ask
// for.
type answer struct {
	Status int
	Answer []record `json:",omitempty"`
}

type record struct {
	Name string `json:"name"`
	Type int    `json:"type"`
	Data string `json:"data"`
}

// resolve answers a lookup of TXT records.
func (n *network) resolve(w http.ResponseWriter, r *http.Request) {
	const nxdomain, typeTXT = 3, 16
	name := r.FormValue("name")
	a := answer{Status: nxdomain}
	if records, err := n.LookupTXT(r.Context(), name); err == nil {
		a = answer{Answer: []record{{name, typeTXT, records[0]}}}
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	_ = json.NewEncoder(w).Encode(a) // the browser may have gone
}

// identity is the certificate of all hosts. The browser is told to accept its key, whose hash
// is the pin. Nothing else accepts it.
type identity struct {
	tls  *tls.Config
	pool *x509.CertPool
	pin  string
}

// newIdentity makes a key and a certificate. Browsers accept no certificate with a key of
// Ed25519.
func newIdentity(now time.Time) (*identity, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "vepverify demo"},
		DNSNames:  []string{siteHost, issuerHost, issuerApex, dnsHost},
		NotBefore: now.Add(-time.Hour), NotAfter: now.Add(30 * 24 * time.Hour),
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		return nil, err
	}
	parsed, err := x509.ParseCertificate(der)
	if err != nil {
		return nil, err
	}
	sum := sha256.Sum256(parsed.RawSubjectPublicKeyInfo)
	id := &identity{pool: x509.NewCertPool(), pin: base64.StdEncoding.EncodeToString(sum[:])}
	id.pool.AddCert(parsed)
	id.tls = &tls.Config{
		Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}}, NextProtos: []string{"h2", "http/1.1"},
	}
	return id, nil
}
