package serve

import (
	"crypto/tls"
	"os"
	"sync"
	"time"
)

// certificate is the service's own TLS certificate. It is read again when its
// file has changed, so that renewing one needs no restart; one that cannot be
// read, as when it is only half written, leaves the one before in use.
type certificate struct {
	certFile, keyFile string

	mu      sync.Mutex
	current *tls.Certificate
	read    time.Time // the file's time of change
}

// load reads the certificate for the first time.
func (c *certificate) load() error {
	changed, err := c.changed()
	if err != nil {
		return err
	}
	loaded, err := tls.LoadX509KeyPair(c.certFile, c.keyFile)
	if err != nil {
		return err
	}
	c.current, c.read = &loaded, changed
	return nil
}

// config is for a server that shows the certificate.
func (c *certificate) config() *tls.Config {
	return &tls.Config{MinVersion: tls.VersionTLS12, GetCertificate: c.get, NextProtos: []string{"h2", "http/1.1"}}
}

func (c *certificate) changed() (time.Time, error) {
	info, err := os.Stat(c.certFile)
	if err != nil {
		return time.Time{}, err
	}
	return info.ModTime(), nil
}

// get is for [tls.Config.GetCertificate].
func (c *certificate) get(*tls.ClientHelloInfo) (*tls.Certificate, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	changed, err := c.changed()
	if err != nil || changed.Equal(c.read) {
		return c.current, nil
	}
	if renewed, err := tls.LoadX509KeyPair(c.certFile, c.keyFile); err == nil {
		c.current, c.read = &renewed, changed
	}
	return c.current, nil
}
