package wellknown

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"os"
	"time"
)

// Bounds and defaults of [Config].
const (
	defaultTimeout    = 8 * time.Second
	maxTimeout        = 5 * time.Minute
	defaultMaxEntries = 10_000
	defaultMaxBytes   = 4 << 20
	minMaxBytes       = 256 << 10 // room for one document of any size
	defaultMaxFetches = 128
)

// Config says how a [Resolver] fetches and what it keeps. The zero value is
// the safe choice; the fields that begin with Insecure weaken checks and are
// for tests and development.
type Config struct {
	// Timeout bounds one fetch with everything from name resolution to the
	// last byte of the body, and, but for a 32nd more, one look-up with all its
	// delegations and waits. 0 means 8 s; at most 5 min.
	Timeout time.Duration

	// CAFile names a PEM file, RootCAs gives a pool of the certificate
	// authorities to trust in place of the system's. At most one of them.
	CAFile  string
	RootCAs *x509.CertPool

	// Proxy is the URL (http, https or socks5, with or without user and
	// password) of a proxy for all fetches. Empty means none: the proxy variables of
	// the environment are never read. Only the proxy's own address is
	// exempt from the check of addresses; the proxy resolves the names of
	// hosts, so it is the one who must refuse private targets. Through
	// a proxy a dead host and a dead proxy look alike, so that only a
	// host's own answer over TLS can give ErrUnsupported.
	Proxy string

	// MaxEntries and MaxBytes bound the documents that are kept, and apart from
	// them, by the same figures, the outcomes without a document. 0 means
	// 10 000 entries and 4 MiB (an estimate of the memory); MaxBytes is at
	// least 256 KiB. One registrable domain holds at most a quarter of both. The
	// package comment says what is evicted first.
	MaxEntries int
	MaxBytes   int64

	// MaxFetches is how many fetches are under way at once, each by some six
	// goroutines and one connection; renewals in the background are among them.
	// 0 means 128. The package comment lists the limits that follow from it. A
	// look-up that gets no turn in its time is ErrUnavailable, and nothing is
	// remembered of it.
	MaxFetches int

	// Now is the clock for the age of what is kept and for the rates of fetches;
	// nil means time.Now.
	Now func() time.Time

	// DNS resolves names, that of the proxy included; nil means Go's own
	// resolver.
	DNS *net.Resolver

	// InsecureAllowPrivate admits any port, IP addresses in place of names,
	// and private and loopback addresses. It is still HTTPS.
	InsecureAllowPrivate bool

	// InsecureTransport replaces the network altogether; nothing checks where
	// it connects to. Hosts and ports are still checked by name.
	InsecureTransport http.RoundTripper

	// InsecureDialContext connects to hosts, given as "host:port"; nothing
	// checks where it connects to. Hosts and ports are still checked by name.
	InsecureDialContext func(ctx context.Context, network, addr string) (net.Conn, error)
}

// validate returns an error for the first field that is out of bounds, or contradicts another.
func (c Config) validate() error {
	own := c.InsecureTransport != nil
	switch {
	case c.Timeout < 0 || c.Timeout > maxTimeout:
		return fmt.Errorf("Timeout: %v is not between 0 and %v", c.Timeout, maxTimeout)
	case c.MaxEntries < 0:
		return fmt.Errorf("MaxEntries: %d is negative", c.MaxEntries)
	case c.MaxBytes != 0 && c.MaxBytes < minMaxBytes:
		return fmt.Errorf("MaxBytes: %d is less than %d", c.MaxBytes, minMaxBytes)
	case c.MaxFetches < 0:
		return fmt.Errorf("MaxFetches: %d is negative", c.MaxFetches)
	case c.CAFile != "" && c.RootCAs != nil:
		return errors.New("CAFile, RootCAs: at most one may be set")
	case own && (c.CAFile != "" || c.RootCAs != nil || c.Proxy != "" || c.DNS != nil || c.InsecureDialContext != nil):
		return errors.New("InsecureTransport: set together with a setting of the transport that it replaces")
	case c.InsecureDialContext != nil && (c.Proxy != "" || c.DNS != nil):
		return errors.New("InsecureDialContext: set together with a setting of the dial function that it replaces")
	}
	return nil
}

func (c Config) withDefaults() Config {
	if c.Timeout == 0 {
		c.Timeout = defaultTimeout
	}
	if c.MaxEntries == 0 {
		c.MaxEntries = defaultMaxEntries
	}
	if c.MaxBytes == 0 {
		c.MaxBytes = defaultMaxBytes
	}
	if c.MaxFetches == 0 {
		c.MaxFetches = defaultMaxFetches
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.DNS == nil {
		c.DNS = &net.Resolver{PreferGo: true}
	}
	return c
}

// roots gives the certificate authorities to trust, nil for the system's.
func (c Config) roots() (*x509.CertPool, error) {
	if c.CAFile == "" {
		return c.RootCAs, nil
	}
	pem, err := os.ReadFile(c.CAFile)
	if err != nil {
		return nil, fmt.Errorf("CAFile: %w", err)
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(pem) {
		return nil, fmt.Errorf("CAFile: %s: no certificate in it", c.CAFile)
	}
	return pool, nil
}

// proxy reads the proxy's URL, nil when there is none. Errors do not show it,
// because it may hold a password.
func (c Config) proxy() (*url.URL, error) {
	if c.Proxy == "" {
		return nil, nil
	}
	u, err := url.Parse(c.Proxy)
	if err != nil {
		return nil, errors.New("Proxy: not a URL")
	}
	if _, known := proxyPorts[u.Scheme]; !known || u.Hostname() == "" || u.Path != "" && u.Path != "/" ||
		u.RawQuery != "" || u.Fragment != "" {
		return nil, errors.New("Proxy: want http://host:port, https://host:port or socks5://host:port")
	}
	return u, nil
}

// transport makes the one that fetches over the network.
func (c Config) transport(ports []uint16, l loads) (http.RoundTripper, error) {
	roots, err := c.roots()
	if err != nil {
		return nil, err
	}
	proxy, err := c.proxy()
	if err != nil {
		return nil, err
	}
	t := &http.Transport{
		DialTLSContext:         newDialer(c, roots, proxy, ports, l).dial,
		Protocols:              new(http.Protocols),
		DisableKeepAlives:      true, // leaves no connection and no goroutine behind
		DisableCompression:     true, // readBody unpacks, where it can see the framing
		MaxResponseHeaderBytes: maxHeader,
	}
	t.Protocols.SetHTTP1(true)
	return t, nil
}
