package wellknown

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/http"
	"time"

	"github.com/vepverify/vepverify/internal/outbound"
	"github.com/vepverify/vepverify/wellknown/internal/fetch"
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

// Config configures a [Resolver]. The zero value is the safe choice. A negative number is an
// error of [NewResolver]. The fields that begin with Insecure weaken checks, and are for
// tests and development.
type Config struct {
	// Timeout limits one fetch, from name resolution to the last byte of the body. One
	// lookup, with all its delegations and waits, may take a 32nd more. Zero means 8 s;
	// the maximum is 5 min.
	Timeout time.Duration

	// CAFile is the name of a PEM file, and RootCAs a pool, of certificate authorities that
	// replace the system's. At most one of the two may be set.
	CAFile  string
	RootCAs *x509.CertPool

	// Proxy is the URL of a proxy for all fetches: http, https or socks5, with or without
	// user and password. Empty means none; the proxy variables of the environment are
	// ignored.
	//
	// The proxy's own address may be private. The proxy resolves the names of hosts, so it
	// must itself reject private targets. With a proxy, a dead host cannot be told from a
	// dead proxy, so only a host's own answer over TLS can be ErrUnsupported. What the proxy
	// says in its place is ErrUnavailable, with the proxy's address and status in the reason.
	Proxy string

	// MaxEntries and MaxBytes limit the cached documents, and separately, with the same
	// numbers, the cached outcomes without a document. MaxBytes is an estimate of memory.
	// Zero means 10 000 entries and 4 MiB; the minimum of MaxBytes is 256 KiB. One
	// registrable domain gets at most a quarter of each. The package comment says what is
	// evicted first.
	MaxEntries int
	MaxBytes   int64

	// MaxFetches limits the fetches in progress at once, including renewals in the
	// background. Each uses about six goroutines and one connection. Zero means 128. The
	// package comment lists the limits that follow from it.
	MaxFetches int

	// Now returns the time, for the age of cache entries and for the rates of fetches. Nil
	// means time.Now.
	Now func() time.Time

	// DNS resolves names, also that of the proxy. Nil means Go's own resolver.
	DNS *net.Resolver

	// InsecureAllowPrivate allows any port, IP addresses in place of names, and private and
	// loopback addresses. HTTPS is still required.
	InsecureAllowPrivate bool

	// InsecureTransport replaces the network. The addresses that it contacts are not
	// checked; the names and ports of hosts are.
	InsecureTransport http.RoundTripper

	// InsecureDialContext connects to a host, which is given as "host:port". The addresses
	// that it contacts are not checked; the names and ports of hosts are.
	InsecureDialContext func(ctx context.Context, network, addr string) (net.Conn, error)
}

// validate returns an error for the first field that is out of bounds or contradicts
// another.
func (c Config) validate() error {
	replaced := c.InsecureTransport != nil
	switch {
	case c.Timeout < 0 || c.Timeout > maxTimeout:
		return fmt.Errorf("wellknown: Timeout: %v is not between 0 and %v", c.Timeout, maxTimeout)
	case c.MaxEntries < 0:
		return fmt.Errorf("wellknown: MaxEntries: %d is negative", c.MaxEntries)
	case c.MaxBytes != 0 && c.MaxBytes < minMaxBytes:
		return fmt.Errorf("wellknown: MaxBytes: %d is less than %d", c.MaxBytes, minMaxBytes)
	case c.MaxFetches < 0:
		return fmt.Errorf("wellknown: MaxFetches: %d is negative", c.MaxFetches)
	case c.CAFile != "" && c.RootCAs != nil:
		return errors.New("wellknown: CAFile, RootCAs: at most one may be set")
	case replaced && (c.CAFile != "" || c.RootCAs != nil || c.Proxy != "" || c.DNS != nil || c.InsecureDialContext != nil):
		return errors.New("wellknown: InsecureTransport: set together with a setting of the transport that it replaces")
	case c.InsecureDialContext != nil && (c.Proxy != "" || c.DNS != nil):
		return errors.New("wellknown: InsecureDialContext: set together with a setting of the dial function that it replaces")
	}
	return nil
}

// withDefaults returns c with the defaults in place of zero values.
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

// fetchConfig returns the settings of the client that fetches. It reads the CA file.
func (c Config) fetchConfig(work semaphore, ports []uint16) (fetch.Config, error) {
	f := fetch.Config{
		Ports: ports, RootCAs: c.RootCAs, DNS: c.DNS, AllowPrivate: c.InsecureAllowPrivate,
		Transport: c.InsecureTransport, DialContext: c.InsecureDialContext, Admit: work.acquire,
	}
	var err error
	if c.CAFile != "" {
		if f.RootCAs, err = outbound.LoadCAFile(c.CAFile); err != nil {
			return f, fmt.Errorf("wellknown: CAFile: %w", err)
		}
	}
	if c.Proxy != "" {
		if f.Proxy, err = outbound.ParseProxy(c.Proxy); err != nil {
			return f, fmt.Errorf("wellknown: Proxy: %w", err)
		}
	}
	return f, nil
}
