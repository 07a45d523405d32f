package idptest

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"sync"
	"time"
)

// certificateAuthority issues the TLS certificates of a Server's hosts.
type certificateAuthority struct {
	root *x509.Certificate
	key  *ecdsa.PrivateKey

	mu     sync.Mutex
	issued map[leaf]*tls.Certificate
}

// leaf describes a host's TLS certificate.
type leaf struct {
	name       string
	expired    bool
	selfSigned bool
}

func newCertificateAuthority() *certificateAuthority {
	a := &certificateAuthority{issued: make(map[leaf]*tls.Certificate)}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "idptest, for tests only"},
		NotBefore: time.Now().Add(-48 * time.Hour), NotAfter: time.Now().Add(48 * time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	}
	a.key = newTLSKey()
	a.root = sign(template, template, a.key, a.key)
	return a
}

func (a *certificateAuthority) pool() *x509.CertPool {
	pool := x509.NewCertPool()
	pool.AddCert(a.root)
	return pool
}

func (a *certificateAuthority) pem() []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: a.root.Raw})
}

// certificate returns the certificate that l describes, which is issued once.
func (a *certificateAuthority) certificate(l leaf) *tls.Certificate {
	a.mu.Lock()
	defer a.mu.Unlock()
	if c, ok := a.issued[l]; ok {
		return c
	}
	key := newTLSKey()
	template := &x509.Certificate{
		SerialNumber: big.NewInt(int64(len(a.issued) + 2)), Subject: pkix.Name{CommonName: l.name}, DNSNames: []string{l.name},
		NotBefore: time.Now().Add(-24 * time.Hour), NotAfter: time.Now().Add(24 * time.Hour),
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	if l.expired {
		template.NotAfter = time.Now().Add(-time.Hour)
	}
	parent, parentKey := a.root, a.key
	if l.selfSigned {
		parent, parentKey = template, key
	}
	c := sign(template, parent, key, parentKey)
	a.issued[l] = &tls.Certificate{Certificate: [][]byte{c.Raw}, PrivateKey: key}
	return a.issued[l]
}

// newTLSKey returns a new key.
func newTLSKey() *ecdsa.PrivateKey {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		panic("idptest: " + err.Error())
	}
	return key
}

func sign(template, parent *x509.Certificate, key, parentKey *ecdsa.PrivateKey) *x509.Certificate {
	der, err := x509.CreateCertificate(rand.Reader, template, parent, &key.PublicKey, parentKey)
	if err != nil {
		panic("idptest: " + err.Error())
	}
	c, err := x509.ParseCertificate(der)
	if err != nil {
		panic("idptest: " + err.Error())
	}
	return c
}
