package wellknown

import (
	"context"
	"crypto/x509"
	"fmt"
	"net"
	"net/http"
	"time"

	"github.com/vepverify/vepverify/internal/fetch"
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

	// Proxy is the URL of a proxy for all fetches: http, https, socks5 or socks5h, with or without
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

const (
	adviceServe    = `the host should serve the document at /.well-known/browserid with status 200 as application/json, or delegate with "authority"`
	adviceRedirect = `no redirects are followed: the host should serve the document at /.well-known/browserid, or delegate with "authority"`
)

// validate returns an error for the first field that is out of bounds or contradicts
// another.
func (c Config) validate() error {
	if err := c.limits().Validate(); err != nil {
		return fmt.Errorf("wellknown: %w", err)
	}
	if err := c.client(semaphore{}, nil).Validate(); err != nil {
		return fmt.Errorf("wellknown: %w", err)
	}
	return nil
}

// withDefaults returns c with the defaults in place of zero values. Those that package fetch
// knows stay zero.
func (c Config) withDefaults() Config {
	if c.Now == nil {
		c.Now = time.Now
	}
	return c
}

// limits returns the settings of the fetcher.
func (c Config) limits() fetch.Limits {
	return fetch.Limits{
		Timeout: c.Timeout, MaxFetches: c.MaxFetches, MaxEntries: c.MaxEntries, MaxBytes: c.MaxBytes, Now: c.Now,
		Stale: true, // PROTOCOL 4.stale
	}
}

// client returns the settings of the client (PROTOCOL §4). Work limits the CPU time of TLS.
func (c Config) client(work semaphore, ports []uint16) fetch.Config {
	return fetch.Config{
		Rules: fetch.Rules{
			Absent: fetch.Unsupported, Other: fetch.Unsupported, Advice: adviceServe, RedirectAdvice: adviceRedirect,
		},
		CAFile: c.CAFile, RootCAs: c.RootCAs, Proxy: c.Proxy, DNS: c.DNS, InsecureAllowPrivate: c.InsecureAllowPrivate,
		InsecureTransport: c.InsecureTransport, InsecureDialContext: c.InsecureDialContext,
		Admit: work.acquire, Ports: ports,
	}
}
