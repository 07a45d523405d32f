package evpdemo

import (
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"time"
)

const (
	siteOrigin   = "https://" + siteHost
	issuerOrigin = "https://" + issuerHost
)

// The pages of the demo. It begins with StartURL.
const (
	StartURL    = siteOrigin + "/"
	ProviderURL = issuerOrigin + "/"
)

// Config configures a [Demo].
type Config struct {
	// Address is the address of the listener, such as "127.0.0.1:8400". Required.
	Address string
	// Now is the clock. Nil means [time.Now].
	Now func() time.Time
	// Logger receives errors. Nil means [slog.Default].
	Logger *slog.Logger
}

func (c Config) withDefaults() Config {
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Logger == nil {
		c.Logger = slog.Default()
	}
	return c
}

// Demo is all hosts of the demo, as one http.Handler. It is safe for concurrent use.
type Demo struct {
	config   Config
	network  *network
	identity *identity
}

// New returns a demo with new keys.
func New(c Config) (*Demo, error) {
	if c.Address == "" {
		return nil, errors.New("evpdemo: Address: missing")
	}
	d, err := newDemo(c.withDefaults())
	if err != nil {
		return nil, fmt.Errorf("evpdemo: %w", err)
	}
	return d, nil
}

func newDemo(c Config) (*Demo, error) {
	d := &Demo{config: c, network: newNetwork()}
	var err error
	if d.identity, err = newIdentity(c.Now()); err != nil {
		return nil, err
	}
	pages, err := newPages(c.Logger)
	if err != nil {
		return nil, err
	}
	mail, err := newProvider(c, pages)
	if err != nil {
		return nil, err
	}
	shop, err := newSite(d, pages)
	if err != nil {
		return nil, err
	}
	d.network.publish(mail.Record(mailDomain))
	d.network.hosts[siteHost] = shop.routes()
	d.network.hosts[issuerHost] = mail.routes()
	d.network.hosts[issuerApex] = mail.Issuer
	return d, nil
}

// ServeHTTP serves all hosts. Requests for others are refused.
func (d *Demo) ServeHTTP(w http.ResponseWriter, r *http.Request) { d.network.ServeHTTP(w, r) }

// TLS returns the configuration of the listener.
func (d *Demo) TLS() *tls.Config { return d.identity.tls.Clone() }
