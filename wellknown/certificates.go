package wellknown

import (
	"bytes"
	"context"
	"crypto/rsa"
	"crypto/tls"
	"crypto/x509"
	"errors"
)

// Limits of the TLS certificates of a host. Without them a host could send 100
// certificates of RSA-8192 keys, which crypto/x509 tries one after the other for
// 240 ms before it finds that none leads to a root. Certificates within the
// limits can take up to 26 ms, because crypto/x509 checks up to 100 signatures.
const (
	maxCertificates = 10 // with the host's own; usual chains have two to four
	maxCopies       = 2  // of one name and key, as when two roots signed one; crypto/x509 tries them in every order
	maxRSABits      = 4096
	maxRSAExponent  = 65537
)

// errNoPlace is the error of a handshake that found no place among the loads. It
// says nothing about the host.
type errNoPlace struct{ error }

func (e errNoPlace) Unwrap() error { return e.error }

var errCertificates = errors.New("TLS certificates over a limit")

// checked returns a configuration in which the limits are checked before the
// certificates are verified as crypto/tls verifies them. crypto/tls has a hook
// before its own verification only if that is switched off. The verification is
// part of the work that [Hooks.Load] counts.
func (d *dialer) checked(ctx context.Context, host string) *tls.Config {
	c := d.tls.Clone()
	c.ServerName = host
	c.InsecureSkipVerify = true // VerifyConnection verifies
	c.VerifyConnection = func(s tls.ConnectionState) error {
		release, err := d.loads.begin(ctx)
		if err != nil {
			return errNoPlace{err}
		}
		defer release()
		if err := verifyCertificates(s.PeerCertificates, c.RootCAs, host); err != nil {
			return &tls.CertificateVerificationError{UnverifiedCertificates: s.PeerCertificates, Err: err}
		}
		return nil
	}
	return c
}

func verifyCertificates(sent []*x509.Certificate, roots *x509.CertPool, host string) error {
	if len(sent) == 0 || len(sent) > maxCertificates {
		return errCertificates
	}
	intermediates := x509.NewCertPool()
	for i, c := range sent {
		if key, ok := c.PublicKey.(*rsa.PublicKey); ok && (key.N.BitLen() > maxRSABits || key.E > maxRSAExponent) {
			return errCertificates
		}
		if i > 0 && copies(sent[1:i], c) < maxCopies {
			intermediates.AddCert(c)
		}
	}
	_, err := sent[0].Verify(x509.VerifyOptions{DNSName: host, Roots: roots, Intermediates: intermediates})
	return err
}

// copies returns how many of the certificates have the name and the key of c.
func copies(sent []*x509.Certificate, c *x509.Certificate) (n int) {
	for _, other := range sent {
		if bytes.Equal(other.RawSubject, c.RawSubject) && bytes.Equal(other.RawSubjectPublicKeyInfo, c.RawSubjectPublicKeyInfo) {
			n++
		}
	}
	return n
}
