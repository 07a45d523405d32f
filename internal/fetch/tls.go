package fetch

import (
	"bytes"
	"context"
	"crypto/rsa"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net"
	"sync"
)

// Limits of the TLS certificates that a host sends. Without them, 100 certificates with
// keys of RSA-8192 keep crypto/x509 busy for 240 ms before it finds that none leads to a
// root. With them it takes up to 26 ms, because crypto/x509 checks up to 100 signatures.
const (
	maxCertificates = 10 // with the host's own; usual chains have two to four
	maxRSABits      = 4096
	maxRSAExponent  = 65537

	// maxCopies limits certificates with the same name and key, as when two roots issued
	// them. crypto/x509 tries them in every order.
	maxCopies = 2
)

var errCertificates = errors.New(
	"TLS certificates over a limit: more than 10, or an RSA key of more than 4096 bits or an exponent over 65537")

// errNoRoots means that CAs are neither configured nor installed.
var errNoRoots = errors.New("no certificate authorities on this machine")

// errOldTLS means that the host does not support TLS 1.2.
var errOldTLS = errors.New("TLS before 1.2")

// noSystemRoots reports whether the system has no certificate authorities, as in a container
// without the package of them.
var noSystemRoots = sync.OnceValue(func() bool {
	pool, err := x509.SystemCertPool()
	return err != nil || pool.Equal(x509.NewCertPool())
})

// admitError is an error of Config.Admit, which says nothing about the host.
type admitError struct{ error }

func (e admitError) Unwrap() error { return e.error }

// startTLS starts TLS as a client of the host in addr.
func (d *dialer) startTLS(ctx context.Context, conn net.Conn, addr string) (net.Conn, error) {
	host, _, err := net.SplitHostPort(addr)
	if err != nil {
		return nil, err
	}
	secure := tls.Client(conn, d.tlsConfig(ctx, host))
	err = secure.HandshakeContext(ctx)
	if limited, ok := conn.(*limitedConn); ok && err != nil && limited.isOldTLS() {
		err = errOldTLS
	}
	if err != nil {
		return nil, err
	}
	return secure, nil
}

// tlsConfig returns a configuration that checks the limits of certificates first, and then
// verifies them as crypto/tls does. crypto/tls calls a hook before its own verification
// only if that is switched off.
func (d *dialer) tlsConfig(ctx context.Context, host string) *tls.Config {
	c := d.tls.Clone()
	c.ServerName = host
	c.InsecureSkipVerify = true // VerifyConnection verifies
	c.VerifyConnection = func(s tls.ConnectionState) error {
		release, err := d.admit(ctx)
		if err != nil {
			return admitError{err}
		}
		defer release()
		if err := verifyCertificates(s.PeerCertificates, c.RootCAs, host); err != nil {
			return &tls.CertificateVerificationError{UnverifiedCertificates: s.PeerCertificates, Err: err}
		}
		return nil
	}
	return c
}

// verifyCertificates verifies the certificates that a host sent, its own first.
func verifyCertificates(sent []*x509.Certificate, roots *x509.CertPool, host string) error {
	switch {
	case len(sent) == 0 || len(sent) > maxCertificates:
		return errCertificates
	case roots == nil && noSystemRoots():
		return errNoRoots
	}
	intermediates := x509.NewCertPool()
	for i, c := range sent {
		if key, ok := c.PublicKey.(*rsa.PublicKey); ok && (key.N.BitLen() > maxRSABits || key.E > maxRSAExponent) {
			return errCertificates
		}
		if i > 0 && countCopies(sent[1:i], c) < maxCopies {
			intermediates.AddCert(c)
		}
	}
	_, err := sent[0].Verify(x509.VerifyOptions{DNSName: host, Roots: roots, Intermediates: intermediates})
	return err
}

// countCopies returns how many of the certificates have the name and the key of c.
func countCopies(sent []*x509.Certificate, c *x509.Certificate) (n int) {
	for _, other := range sent {
		if bytes.Equal(other.RawSubject, c.RawSubject) && bytes.Equal(other.RawSubjectPublicKeyInfo, c.RawSubjectPublicKeyInfo) {
			n++
		}
	}
	return n
}
