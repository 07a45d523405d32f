package hosttest

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"math/big"
	"sync"
	"testing"
	"time"
)

// CA is a certificate authority.
type CA struct {
	Key         *ecdsa.PrivateKey
	Certificate *x509.Certificate
}

// TrustedCA returns the certificate authority of all hosts that have a valid certificate.
var TrustedCA = sync.OnceValue(func() *CA {
	a, err := makeCA()
	if err != nil {
		panic(err)
	}
	return a
})

// NewCA returns another certificate authority.
func NewCA(t testing.TB) *CA {
	a, err := makeCA()
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func makeCA() (*CA, error) {
	a := new(CA)
	var err error
	if a.Key, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader); err != nil {
		return nil, err
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "test CA"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &a.Key.PublicKey, a.Key)
	if err != nil {
		return nil, err
	}
	a.Certificate, err = x509.ParseCertificate(der)
	return a, err
}

// Pool returns a pool with the certificate of a.
func (a *CA) Pool() *x509.CertPool {
	pool := x509.NewCertPool()
	pool.AddCert(a.Certificate)
	return pool
}

// Config returns a TLS configuration with a certificate for the names, valid for an hour from
// notBefore.
func (a *CA) Config(t testing.TB, notBefore time.Time, names ...string) *tls.Config {
	return &tls.Config{Certificates: []tls.Certificate{a.Issue(t, notBefore, names...)}}
}

// Issue returns a certificate for the names, valid for an hour from notBefore.
func (a *CA) Issue(t testing.TB, notBefore time.Time, names ...string) tls.Certificate {
	return a.Certify(t, a.Key, notBefore, names...)
}

// Certify is Issue for a given key.
func (a *CA) Certify(t testing.TB, key crypto.Signer, notBefore time.Time, names ...string) tls.Certificate {
	template := &x509.Certificate{
		SerialNumber: big.NewInt(2), Subject: pkix.Name{CommonName: names[0]}, DNSNames: names,
		NotBefore: notBefore, NotAfter: notBefore.Add(time.Hour),
	}
	der, err := x509.CreateCertificate(rand.Reader, template, a.Certificate, key.Public(), a.Key)
	if err != nil {
		t.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
}
