package hostile

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"fmt"
	"math/big"
	"time"
)

// TLSChain returns a certificate for the names with that many further certificates, each with
// an RSA-8192 key and the name of its issuer. A client that searches the issuer tries all of
// them, for 2.4 ms each, before it finds that it trusts none. No secret is needed to make it.
func TLSChain(names []string, issuers int) (tls.Certificate, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return tls.Certificate{}, err
	}
	leaf, issuer := templates(names)
	first, err := unsignedRSA(leaf, issuer, key)
	chain := tls.Certificate{Certificate: [][]byte{first}, PrivateKey: key}
	for range issuers {
		if err != nil {
			break
		}
		var next []byte
		public := &rsa.PublicKey{N: Odd(8192), E: MaxExponent}
		next, err = x509.CreateCertificate(rand.Reader, issuer, certificateTemplate("root"), public, key)
		chain.Certificate = append(chain.Certificate, next)
	}
	return chain, err
}

// TLSCycle returns a certificate for the names with that many further certificates. All have
// the same name and P-521 key, so each can be the issuer of each. A client that searches a
// root tries them in every order, until it has checked 100 signatures.
func TLSCycle(names []string, issuers int) (tls.Certificate, error) {
	key, err := ecdsa.GenerateKey(elliptic.P521(), rand.Reader)
	if err != nil {
		return tls.Certificate{}, err
	}
	leaf, issuer := templates(names)
	chain := tls.Certificate{PrivateKey: key}
	for i := range issuers + 1 {
		template := leaf
		if i > 0 {
			other := *issuer
			other.DNSNames = []string{fmt.Sprintf("issuer%d.example", i)} // makes each one different
			template = &other
		}
		der, err := x509.CreateCertificate(rand.Reader, template, issuer, key.Public(), key)
		if err != nil {
			return tls.Certificate{}, err
		}
		chain.Certificate = append(chain.Certificate, der)
	}
	return chain, nil
}

// templates returns the templates of a host's certificate and of its issuer's.
func templates(names []string) (leaf, issuer *x509.Certificate) {
	leaf, issuer = certificateTemplate("host"), certificateTemplate("issuer")
	leaf.DNSNames = names
	issuer.IsCA, issuer.BasicConstraintsValid, issuer.KeyUsage = true, true, x509.KeyUsageCertSign
	return leaf, issuer
}

func certificateTemplate(name string) *x509.Certificate {
	return &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: name},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(24 * time.Hour),
	}
}

// unsignedRSA returns a certificate with random bytes in place of an RSA-8192 signature.
func unsignedRSA(template, issuer *x509.Certificate, key *ecdsa.PrivateKey) ([]byte, error) {
	signer, err := rsa.GenerateKey(rand.Reader, 1024)
	if err != nil {
		return nil, err
	}
	der, err := x509.CreateCertificate(rand.Reader, template, issuer, key.Public(), signer)
	if err != nil {
		return nil, err
	}
	var parts struct {
		Signed    asn1.RawValue
		Algorithm pkix.AlgorithmIdentifier
		Signature asn1.BitString
	}
	if _, err := asn1.Unmarshal(der, &parts); err != nil {
		return nil, err
	}
	parts.Signature = asn1.BitString{Bytes: Signature(1024), BitLength: 8192}
	return asn1.Marshal(parts)
}
