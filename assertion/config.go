package assertion

import (
	"context"
	"fmt"
	"math"
	"reflect"
	"sync"
	"time"

	"github.com/vepverify/vepverify/internal/domain"
	"github.com/vepverify/vepverify/internal/humantime"
	"github.com/vepverify/vepverify/internal/oneuse"
	"github.com/vepverify/vepverify/internal/typednil"
	"github.com/vepverify/vepverify/wellknown"
)

// KeySource finds the authority for a domain: the domain that may issue
// certificates for its addresses, and the keys of that domain.
// *wellknown.Resolver and *wellknown.Static implement it. A KeySource may be a
// [Refresher] too.
//
// Authority asks host for its support document, on behalf of email addresses of
// emailDomain, and follows delegations. Its errors match
// wellknown.ErrUnsupported if the domain does not support BrowserID, and
// wellknown.ErrUnavailable if that is not known now. Every other error means that
// no issuer may speak for the domain (rows 3, 4 and 5 of PROTOCOL §4). Authority
// must not use ctx after it has returned.
type KeySource interface {
	Authority(ctx context.Context, host, emailDomain string) (*wellknown.Authority, error)
}

// Refresher is a KeySource that can ask a host again although it has an answer.
// The verifier calls Refresh, at most once for each domain, if no key of the
// authority verifies the certificate, because the host may have newer keys. The
// arguments and results are those of Authority. A type that embeds a
// *wellknown.Resolver has its Refresh: if the type restricts Authority, it must
// restrict Refresh too.
type Refresher interface {
	KeySource
	Refresh(ctx context.Context, host, emailDomain string) (*wellknown.Authority, error)
}

// Limits of what Verify accepts.
const (
	// MaxSize is the size of the largest backed assertion, in bytes.
	MaxSize = 32 << 10
	// MaxChainLimit is the largest Config.MaxChain.
	MaxChainLimit = 16
)

const (
	defaultLeeway       = 30 * time.Second
	maxLeeway           = 5 * time.Minute
	defaultMaxLife      = 10 * time.Minute
	defaultCertificates = 4096
	defaultKeyTables    = 1024
)

// Config configures a Verifier. The zero value of each field is the safe choice.
type Config struct {
	// Keys finds the issuers' keys. Nil means a wellknown.Resolver with its
	// default configuration, shared by all verifiers whose Keys is nil.
	Keys KeySource

	// TrustedIssuers are domains whose certificates are accepted for any email
	// address, and without one. Each of them can sign in as any user.
	TrustedIssuers []string

	// Fallback is the domain that issues certificates for addresses whose own
	// domain does not support BrowserID. If its document for that domain delegates,
	// the delegate issues them. Empty means that there is none. The public fallback,
	// login.persona.org, shut down in 2016.
	Fallback string

	// Leeway is how far clocks may differ. Fractions of a millisecond are cut
	// off. Zero means 30 seconds, a negative value means no leeway. The maximum is
	// 5 minutes.
	Leeway time.Duration

	// MaxChain is the maximum number of certificates of an assertion. Zero means
	// one, which is all that is found in the wild. The maximum is MaxChainLimit,
	// and negative values are an error. Each certificate costs one signature check,
	// which takes up to 0.4 ms in portable code.
	MaxChain int

	// Now is the clock, read once in each call. Nil means time.Now.
	Now func() time.Time

	// OneUse rejects an assertion that was presented before. Nil means that an
	// assertion can be presented again until it expires.
	OneUse OneUse

	// MaxLife is how far ahead, plus Leeway, an assertion may expire. The user
	// chooses that time, and OneUse must keep an entry until then. Assertions
	// beyond it are rejected with ErrLifetime. Zero means 10 minutes, or the
	// store's own limit if that is less. A negative value means the store's own
	// limit. A value other than zero needs a OneUse, and a positive one needs a
	// store that keeps entries for at least MaxLife and twice Leeway.
	MaxLife time.Duration

	// CertificateCache is the maximum number of cached certificates. A certificate
	// is cached when its signature has been verified, so that the next assertion
	// of the same user costs one signature check instead of two. Zero means 4096,
	// a negative value means no cache. The cache takes at most 12 MiB. The least
	// recently used entries are evicted, whichever domain issued them: hostile
	// users can make the assertions of others cost two checks again.
	//
	// Unless it is negative, rejected certificates are cached as well, with the
	// keys that were tried: at most 4096, in a cache of their own that takes at
	// most 2 MiB.
	CertificateCache int

	// KeyTables is the maximum number of users' keys, and of issuers' keys, that
	// have a table of precomputed values, which makes verification faster. The
	// verifier makes one for a key that is used repeatedly. Zero means 1024, a
	// negative value means none. The tables take at most 10 MiB.
	KeyTables int

	// InsecureWeakKeys allows RSA keys of 511, 512 and 1023 bits. Anyone can factor
	// those of 511 and 512 bits. It is meant for archives of the protocol's first
	// years.
	InsecureWeakKeys bool

	// InsecureFallbackOnUnavailable allows the Fallback to issue certificates for
	// domains that cannot be reached, as the reference verifiers do. An attacker
	// who can stall a host then takes over its users at the fallback.
	InsecureFallbackOnUnavailable bool
}

// NewVerifier returns a verifier. It returns an error matching ErrMisuse if the
// configuration is contradictory, has a value out of range, or has a malformed
// domain name.
func NewVerifier(c Config) (*Verifier, error) {
	if err := c.validate(); err != nil {
		return nil, err
	}
	c = c.withDefaults()
	v := &Verifier{config: c}
	var err error
	if v.trusted, err = parseTrusted(c.TrustedIssuers); err != nil {
		return nil, err
	}
	if v.fallback, err = parseFallback(c.Fallback); err != nil {
		return nil, err
	}
	if v.maxLife, err = c.maxLife(); err != nil {
		return nil, err
	}
	if c.Keys == nil {
		if v.config.Keys, err = sharedResolver(); err != nil {
			return nil, err
		}
	}
	v.resolver, _ = v.config.Keys.(*wellknown.Resolver)
	v.cache = newCache(c.CertificateCache, c.KeyTables)
	return v, nil
}

func (c Config) validate() error {
	switch {
	case c.InsecureFallbackOnUnavailable && c.Fallback == "":
		return invalidConfig("InsecureFallbackOnUnavailable: no Fallback")
	case c.Leeway > maxLeeway:
		return invalidConfig("Leeway: %s, more than %s", humantime.Duration(c.Leeway), humantime.Duration(maxLeeway))
	case c.MaxChain < 0 || c.MaxChain > MaxChainLimit:
		return invalidConfig("MaxChain: %d, not 1 to %d", c.MaxChain, MaxChainLimit)
	}
	if err := typednil.Check(c.Keys); err != nil {
		return invalidConfig("Keys: %w", err)
	}
	if r, ok := c.Keys.(*wellknown.Resolver); ok && reflect.ValueOf(r).Elem().IsZero() {
		return invalidConfig("Keys: a zero %T, not made by NewResolver", r)
	}
	return nil
}

// withDefaults returns c with defaults in place of zero values, except in Keys
// and MaxLife, and with zero in place of negative values that mean none.
func (c Config) withDefaults() Config {
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Leeway == 0 {
		c.Leeway = defaultLeeway
	}
	c.Leeway = max(c.Leeway, 0).Truncate(time.Millisecond)
	if c.MaxChain == 0 {
		c.MaxChain = 1
	}
	if c.CertificateCache == 0 {
		c.CertificateCache = defaultCertificates
	}
	if c.KeyTables == 0 {
		c.KeyTables = defaultKeyTables
	}
	c.CertificateCache, c.KeyTables = max(c.CertificateCache, 0), max(c.KeyTables, 0)
	return c
}

// noMaxLife is the maxLife of a verifier whose store has no limit.
const noMaxLife = math.MaxInt64

// maxLife returns how far ahead an assertion may expire, in milliseconds without
// Leeway. The one-use store must keep an entry for that long and twice Leeway:
// once for the check of exp, and once because a user's clock may be ahead. c is
// complete.
func (c Config) maxLife() (int64, error) {
	if c.OneUse == nil {
		if c.MaxLife != 0 {
			return 0, invalidConfig("MaxLife: no OneUse")
		}
		return noMaxLife, nil
	}
	if err := typednil.Check(c.OneUse); err != nil {
		return 0, invalidConfig("OneUse: %w", err)
	}
	limit := int64(noMaxLife)
	if life, limited := oneuse.MaxLife(c.OneUse); limited {
		if limit = life.Milliseconds() - 2*c.Leeway.Milliseconds(); limit <= 0 {
			return 0, invalidConfig("OneUse: keeps no entry for longer than twice Leeway, %s", humantime.Duration(2*c.Leeway))
		}
	}
	switch {
	case c.MaxLife < 0:
		return limit, nil
	case c.MaxLife == 0:
		return min(limit, defaultMaxLife.Milliseconds()), nil
	case c.MaxLife.Milliseconds() > limit:
		return 0, invalidConfig("MaxLife: %s and twice Leeway, %s, is more than OneUse keeps an entry for", humantime.Duration(c.MaxLife), humantime.Duration(c.Leeway))
	}
	return c.MaxLife.Milliseconds(), nil
}

var sharedResolver = sync.OnceValues(func() (KeySource, error) {
	r, err := wellknown.NewResolver(wellknown.Config{})
	if err != nil {
		return nil, invalidConfig("default resolver: %w", err)
	}
	return r, nil
})

// parseTrusted returns the set of the issuers, in the form in which domains are
// compared.
func parseTrusted(issuers []string) (map[string]bool, error) {
	trusted := make(map[string]bool, len(issuers))
	for _, name := range issuers {
		d, ok := domain.Parse(name)
		if !ok {
			return nil, invalidConfig("trusted issuer %q: not a domain name", name)
		}
		trusted[d] = true
	}
	return trusted, nil
}

// parseFallback returns the fallback in the form in which domains are compared.
func parseFallback(name string) (string, error) {
	if name == "" {
		return "", nil
	}
	d, ok := domain.Parse(name)
	if !ok {
		return "", invalidConfig("fallback %q: not a domain name", name)
	}
	return d, nil
}

// misuse returns the error of a wrong call.
func misuse(reason string) error { return &Error{Kind: ErrMisuse, Reason: reason} }

// invalidConfig returns the error of a wrong configuration.
func invalidConfig(format string, args ...any) error {
	err := fmt.Errorf("assertion: "+format, args...)
	return &Error{Kind: ErrMisuse, Reason: err.Error(), cause: err}
}
