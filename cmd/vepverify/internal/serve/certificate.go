package serve

import (
	"crypto/tls"
	"os"
	"sync"
	"time"
)

// certificate is the service's TLS certificate. It is read again when its file has
// changed, so that a renewal needs no restart. If the new file cannot be read, for
// example because it is only half written, the previous certificate stays in use.
type certificate struct {
	certFile, keyFile string

	mu      sync.Mutex
	current *tls.Certificate
	read    time.Time // modification time of the file
}

// load reads the certificate for the first time.
func (c *certificate) load() error {
	modified, err := c.modified()
	if err != nil {
		return err
	}
	loaded, err := tls.LoadX509KeyPair(c.certFile, c.keyFile)
	if err != nil {
		return err
	}
	c.current, c.read = &loaded, modified
	return nil
}

// config returns the configuration of a server with this certificate.
func (c *certificate) config() *tls.Config {
	return &tls.Config{MinVersion: tls.VersionTLS12, GetCertificate: c.get, NextProtos: []string{"h2", "http/1.1"}}
}

// modified returns the modification time of the file.
func (c *certificate) modified() (time.Time, error) {
	info, err := os.Stat(c.certFile)
	if err != nil {
		return time.Time{}, err
	}
	return info.ModTime(), nil
}

// get implements [tls.Config.GetCertificate].
func (c *certificate) get(*tls.ClientHelloInfo) (*tls.Certificate, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	modified, err := c.modified()
	if err != nil || modified.Equal(c.read) {
		return c.current, nil
	}
	if renewed, err := tls.LoadX509KeyPair(c.certFile, c.keyFile); err == nil {
		c.current, c.read = &renewed, modified
	}
	return c.current, nil
}
