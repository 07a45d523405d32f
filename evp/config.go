package evp

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/vepverify/vepverify/assertion"
	"github.com/vepverify/vepverify/evp/internal/discovery"
	"github.com/vepverify/vepverify/internal/origin"
	"github.com/vepverify/vepverify/internal/typednil"
)

// Profile is a set of rules.
type Profile int

// The profiles.
const (
	// Default accepts what browsers and issuers produce, and refuses what is ambiguous.
	Default Profile = iota
	// Draft02 is draft-hardt-email-verification-02 to the letter. It requires kid, the
	// alg of cnf.jwk and the issuer in the metadata, refuses the name EdDSA, and compares
	// the submitted address byte for byte.
	Draft02
)

// String returns "default" or "draft-02".
func (p Profile) String() string {
	switch p {
	case Default:
		return "default"
	case Draft02:
		return "draft-02"
	}
	return "unknown"
}

// ErrProfile is the error of ParseProfile.
var ErrProfile = errors.New("not a profile: want default or draft-02")

// ParseProfile returns the profile with a name that String returns. The error is
// ErrProfile.
func ParseProfile(name string) (Profile, error) {
	for _, p := range []Profile{Default, Draft02} {
		if p.String() == name {
			return p, nil
		}
	}
	return 0, ErrProfile
}

// TXTResolver looks up TXT records. A [*net.Resolver] is one. Names are absolute: no search
// list applies.
//
// If the name does not exist or has no TXT record, it returns an error that is a
// [*net.DNSError] with IsNotFound, or no records. Every other error means that the records
// are not known.
type TXTResolver = discovery.TXTResolver

// Config configures a Verifier. Origins is required. The zero value of each other field is
// the safe choice.
type Config struct {
	// Origins are the origins of the relying party that a token may be made for, such as
	// https://rp.example. The origin of a token must be equal to one of them. http is for
	// pages of localhost. One is required.
	Origins []string

	// Profile selects the rules. Zero means Default.
	Profile Profile

	// Issuers are the hosts of the issuers that are accepted. Nil means all.
	Issuers []string

	// Domains are the domains whose addresses are accepted, without those below them.
	// Nil means all.
	Domains []string

	// OneUse rejects a token that was presented before. Nil means that a token can be
	// presented again with the same nonce until it expires. It is necessary unless each
	// nonce is used once. The guard must keep entries for seven minutes.
	OneUse assertion.OneUse

	// Now is the clock. A token is verified as of one time, at the beginning of the call;
	// the caches and the limits of lookups read the clock too. Nil means time.Now.
	Now func() time.Time

	// Bundle has records, metadata and keys that are known beforehand. If it is not nil,
	// nothing is looked up: what the bundle does not have is undecided, and the fields
	// below are not used.
	Bundle *Bundle

	// Resolver looks up TXT records. Nil means Go's own resolver with the system's name
	// servers. If it is a *net.Resolver, it also resolves the names of issuers.
	Resolver TXTResolver

	// Timeout limits a TXT lookup, and separately the fetch of an issuer's metadata and
	// key set together. Zero means 8 seconds. The maximum is 5 minutes, and negative
	// values are an error.
	Timeout time.Duration

	// CAFile is the name of a PEM file, and RootCAs a pool, of certificate authorities
	// that replace the system's. At most one of the two may be set.
	CAFile  string
	RootCAs *x509.CertPool

	// Proxy is the URL of a proxy for all fetches, but not for TXT lookups. Empty means
	// none.
	Proxy string

	// MaxEntries and MaxBytes limit the cached issuers, and separately, with the same
	// numbers, the cached TXT records. Zero means 10 000 entries and 4 MiB. Negative
	// values are an error.
	MaxEntries int
	MaxBytes   int64

	// MaxFetches limits the fetches in progress at once, and separately the TXT lookups.
	// Zero means 128, and negative values are an error.
	MaxFetches int

	// InsecureAllowPrivate allows issuers with private and loopback addresses. It is for
	// tests and closed networks.
	InsecureAllowPrivate bool

	// InsecureTransport replaces the network, except for TXT lookups. It is for tests.
	InsecureTransport http.RoundTripper

	// InsecureDialContext connects to a host, which is given as "host:port". It is for
	// tests.
	InsecureDialContext func(ctx context.Context, network, address string) (net.Conn, error)
}

// NewVerifier returns a verifier. It returns an error matching assertion.ErrMisuse if the
// configuration is contradictory or has a value out of range.
func NewVerifier(c Config) (*Verifier, error) {
	origins, err := c.validate()
	if err != nil {
		return nil, err
	}
	c = c.withDefaults()
	source, err := c.source()
	if err != nil {
		return nil, err
	}
	return &Verifier{config: c, origins: origins, source: source}, nil
}

// withDefaults returns c with its own lists, and with the clock. Package discovery has the
// defaults of the lookups.
func (c Config) withDefaults() Config {
	if c.Now == nil {
		c.Now = time.Now
	}
	c.Issuers, c.Domains = slices.Clone(c.Issuers), slices.Clone(c.Domains)
	return c
}

// source returns where records, metadata and keys come from.
func (c Config) source() (discovery.Source, error) {
	if c.Bundle != nil {
		return &c.Bundle.documents, nil
	}
	network, err := discovery.NewNetwork(discovery.Config{
		Resolver: c.Resolver, Timeout: c.Timeout, CAFile: c.CAFile, RootCAs: c.RootCAs, Proxy: c.Proxy,
		MaxEntries: c.MaxEntries, MaxBytes: c.MaxBytes, MaxFetches: c.MaxFetches, Now: c.Now,
		InsecureAllowPrivate: c.InsecureAllowPrivate, InsecureTransport: c.InsecureTransport,
		InsecureDialContext: c.InsecureDialContext,
	})
	if err != nil {
		setting, _, _ := strings.Cut(err.Error(), ":") // NewNetwork's errors begin with it
		return nil, &Error{Kind: assertion.ErrMisuse, Reason: "evp: " + err.Error(), Setting: setting, cause: err}
	}
	return network, nil
}

// validate returns the origins as browsers write them.
func (c Config) validate() ([]string, error) {
	if c.Profile != Default && c.Profile != Draft02 {
		return nil, invalidConfig("Profile", "%d, neither Default nor Draft02", int(c.Profile))
	}
	if err := checkHosts("Issuers", c.Issuers); err != nil {
		return nil, err
	}
	if err := checkHosts("Domains", c.Domains); err != nil {
		return nil, err
	}
	if err := checkGuard(c.OneUse); err != nil {
		return nil, err
	}
	if _, valid := c.Resolver.(*net.Resolver); !valid { // it may be nil
		if err := typednil.Check(c.Resolver); err != nil {
			return nil, invalidConfig("Resolver", "%w", err)
		}
	}
	return parseOrigins(c.Origins)
}

// checkHosts checks a list of hosts or domains.
func checkHosts(setting string, list []string) error {
	if list != nil && len(list) == 0 {
		return invalidConfig(setting, "empty: nil means all")
	}
	for _, name := range list {
		if !discovery.IsHost(name) {
			return invalidConfig(setting, "%q: not a domain name in lower case", name)
		}
	}
	return nil
}

// parseOrigins returns the origins as browsers write them.
func parseOrigins(list []string) ([]string, error) {
	if len(list) == 0 {
		return nil, invalidConfig("Origins", "none, and one is required")
	}
	origins := make([]string, len(list))
	for i, text := range list {
		o, err := origin.Parse(text)
		if err != nil {
			return nil, invalidConfig("Origins", "%q: %w", text, err)
		}
		origins[i] = o.String()
	}
	return origins, nil
}

// invalidConfig returns the error of a field of Config that is wrong.
func invalidConfig(setting, format string, args ...any) error {
	err := fmt.Errorf("evp: "+setting+": "+format, args...)
	return &Error{Kind: assertion.ErrMisuse, Reason: err.Error(), Setting: setting, cause: err}
}
