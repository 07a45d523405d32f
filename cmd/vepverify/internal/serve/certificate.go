package serve

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"log/slog"
	"os"
	"sync/atomic"
	"time"

	"github.com/vepverify/vepverify/cmd/vepverify/internal/cli"
)

// certificate is a TLS certificate of the service: its own, or the one that it sends to the servers of
// --replay. It is read again when one of its files has changed, so that a renewal needs no restart.
type certificate struct {
	label             string // tls or replay: the start of its flags' names, and the label of its metrics
	certFile, keyFile string
	now               func() time.Time
	logger            *slog.Logger

	current atomic.Pointer[tls.Certificate]
	// warned is the level of the last warning of warnOfExpiry; LevelInfo means none.
	warned   slog.Level
	warnedAt time.Time
}

// config returns the configuration of a server with this certificate.
func (c *certificate) config() *tls.Config {
	get := func(*tls.ClientHelloInfo) (*tls.Certificate, error) { return c.current.Load(), nil }
	return &tls.Config{MinVersion: tls.VersionTLS12, GetCertificate: get, NextProtos: []string{"h2", "http/1.1"}}
}

// open reads the certificate for the first time. One that is not valid now is used
// nevertheless: there is no better one.
func (c *certificate) open() error {
	cert, err := c.read()
	if err != nil {
		return err
	}
	c.use(cert)
	return nil
}

// load reads the certificate, and uses it if it is valid now.
func (c *certificate) load() (attributes []any, err error) {
	cert, err := c.read()
	if err != nil {
		return nil, err
	}
	if err := c.checkValidity(cert.Leaf); err != nil {
		return nil, err
	}
	c.use(cert)
	return c.attributes(), nil
}

func (c *certificate) use(cert *tls.Certificate) {
	c.current.Store(cert)
	c.warned, c.warnedAt = slog.LevelInfo, time.Time{}
}

// read reads the two files.
func (c *certificate) read() (*tls.Certificate, error) {
	certPEM, err := os.ReadFile(c.certFile)
	if err != nil {
		return nil, fmt.Errorf("--%s-cert: %w", c.label, cli.ReadError(c.certFile, err))
	}
	keyPEM, err := os.ReadFile(c.keyFile)
	if err != nil {
		return nil, fmt.Errorf("--%s-key: %w", c.label, cli.ReadError(c.keyFile, err))
	}
	cert, err := tls.X509KeyPair(certPEM, keyPEM)
	if err != nil {
		return nil, c.pairError(certPEM, keyPEM, err)
	}
	// The package tls ignores a certificate that is cut off after complete ones.
	if bytes.Count(certPEM, []byte("-----BEGIN CERTIFICATE-----")) != len(cert.Certificate) {
		return nil, fmt.Errorf("--%s-cert %s: one of the certificates is cut off or damaged", c.label, c.certFile)
	}
	return &cert, nil
}

// pairError returns an error of tls.X509KeyPair with the file and what to do.
func (c *certificate) pairError(certPEM, keyPEM []byte, err error) error {
	const noPEM = "nothing in PEM: the file is empty, half written, or in another format such as DER, which openssl converts"
	switch {
	case bytes.Contains(keyPEM, []byte("ENCRYPTED")):
		return fmt.Errorf("--%s-key %s: the key has a passphrase; remove it with openssl pkey", c.label, c.keyFile)
	case !hasPEM(certPEM):
		return fmt.Errorf("--%s-cert %s: %s", c.label, c.certFile, noPEM)
	case !hasPEM(keyPEM):
		return fmt.Errorf("--%s-key %s: %s", c.label, c.keyFile, noPEM)
	}
	return fmt.Errorf("--%s-cert %s, --%[1]s-key %[3]s: %[4]w; the first certificate must be the one of this key, and its intermediates follow", c.label, c.certFile, c.keyFile, err)
}

// hasPEM reports whether data has a block in PEM.
func hasPEM(data []byte) bool {
	block, _ := pem.Decode(data)
	return block != nil
}

// checkValidity returns an error if a certificate has expired or is not yet valid.
func (c *certificate) checkValidity(leaf *x509.Certificate) error {
	now := c.now()
	switch {
	case now.After(leaf.NotAfter):
		return fmt.Errorf("--%s-cert %s: the certificate expired at %s", c.label, c.certFile, formatTime(leaf.NotAfter))
	case now.Before(leaf.NotBefore):
		return fmt.Errorf("--%s-cert %s: the certificate is not valid before %s", c.label, c.certFile, formatTime(leaf.NotBefore))
	}
	return nil
}

// notAfter is the value of the metric vepverify_tls_certificate_not_after_timestamp_seconds.
func (c *certificate) notAfter() float64 { return float64(c.current.Load().Leaf.NotAfter.Unix()) }

// logOpened logs what was read at the start.
func (c *certificate) logOpened() {
	c.logger.Info("TLS certificate", c.withFile()...)
	c.warnOfExpiry()
}

// withFile returns the attributes and the file.
func (c *certificate) withFile() []any {
	return append([]any{"files", []string{c.certFile}}, c.attributes()...)
}

// attributes describe the certificate in the log.
func (c *certificate) attributes() []any {
	leaf := c.current.Load().Leaf
	names := append([]string{}, leaf.DNSNames...)
	for _, ip := range leaf.IPAddresses {
		names = append(names, ip.String())
	}
	return []any{"names", names, "expires", formatTime(leaf.NotAfter)}
}

const (
	day = 24 * time.Hour
	// warnBefore is how long before its end a certificate is warned about. For certificates of a
	// few days, it is a third of their time.
	warnBefore = 7 * day
)

// warnOfExpiry logs, once a day, that the certificate is not valid now or expires soon.
func (c *certificate) warnOfExpiry() {
	now, leaf := c.now(), c.current.Load().Leaf
	level, invalid := slog.LevelInfo, c.checkValidity(leaf)
	switch {
	case invalid != nil:
		level = slog.LevelError
	case leaf.NotAfter.Sub(now) < min(warnBefore, leaf.NotAfter.Sub(leaf.NotBefore)/3):
		level = slog.LevelWarn
	}
	if level == c.warned && now.Sub(c.warnedAt) < day {
		return
	}
	c.warned, c.warnedAt = level, now
	switch level {
	case slog.LevelError:
		c.logger.Error("the TLS certificate is not valid", "error", invalid)
	case slog.LevelWarn:
		c.logger.Warn("the TLS certificate expires soon", c.withFile()...)
	}
}

func formatTime(t time.Time) string { return t.UTC().Format(time.RFC3339) }
