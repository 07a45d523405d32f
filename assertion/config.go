package assertion

import (
	"context"
	"fmt"
	"math"
	"sync"
	"time"

	"github.com/vepverify/vepverify/internal/domain"
	"github.com/vepverify/vepverify/wellknown"
)

// KeySource finds out who speaks for a domain and with which keys. It is
// declared here, by its consumer; *wellknown.Resolver and *wellknown.Static are
// the two that this project has.
//
// Authority asks host for its support document, on behalf of email addresses of
// emailDomain, and follows delegations. Its errors match
// wellknown.ErrUnsupported (the domain does not take part), or
// wellknown.ErrUnavailable (not knowable now); every other error means that
// nobody may speak for the domain (rows 3, 4 and 5 of PROTOCOL §4).
//
// A KeySource may be a [Refresher] too.
type KeySource interface {
	Authority(ctx context.Context, host, emailDomain string) (*wellknown.Authority, error)
}

// Refresher is a KeySource that can ask a host again although it has an answer.
// The verifier calls Refresh, once at most, if no key of the authority verifies
// the certificate: the host may have newer keys. The arguments and results are
// those of Authority.
type Refresher interface {
	KeySource
	Refresh(ctx context.Context, host, emailDomain string) (*wellknown.Authority, error)
}

// OneUse lets each key pass once: a guard against replayed assertions.
//
// FirstUse says whether key was not used before, and notes that it is now, in
// one atomic step. The note is kept until the time given; what cannot be kept
// is an error, which refuses the assertion as undecided.
//
// A store that has a method MaxLife() time.Duration, as *MemoryOneUse and
// *redisstore.Store have, keeps no entry for longer than that; the verifier
// rejects assertions that would need more. A store that has a method
// FirstUseBy(ctx, party, key, until), as *MemoryOneUse has, is asked by that one:
// party is the registrable domain of the email, by which the store can share its
// room, or empty for trusted issuers and the fallback, which are not limited.
type OneUse interface {
	FirstUse(ctx context.Context, key string, until time.Time) (bool, error)
}

// sharing is a OneUse that shares its room among parties.
type sharing interface {
	FirstUseBy(ctx context.Context, party, key string, until time.Time) (bool, error)
}

// limited is a OneUse with a limit on the life of its entries.
type limited interface{ MaxLife() time.Duration }

// Limits of what Verify takes.
const (
	// MaxSize is the size of the largest backed assertion, in bytes.
	MaxSize = 32 << 10
	// MaxChainLimit is the largest Config.MaxChain.
	MaxChainLimit = 16

	defaultLeeway  = 30 * time.Second
	maxLeeway      = 5 * time.Minute
	defaultMaxLife = 10 * time.Minute
)

// Config says how to verify. Each field's zero value is the safe choice.
type Config struct {
	// Keys finds the issuers' keys. Nil: a network resolver with its default
	// configuration, shared by all verifiers that have none of their own.
	Keys KeySource

	// TrustedIssuers are domains whose certificates are accepted for any email
	// address, and without one. Each can sign in as everybody.
	TrustedIssuers []string

	// Fallback is the domain that speaks for addresses whose own domain does
	// not support BrowserID. Empty: nobody does. The public fallback of old,
	// login.persona.org, shut down in 2016.
	Fallback string

	// Leeway is how far clocks may differ. 0: 30 s; negative: not at all; at
	// most 5 minutes.
	Leeway time.Duration

	// MaxChain is how many certificates an assertion may come with. 0: one, as
	// everywhere in the wild; at most 16. Each certificate costs one signature
	// check, up to 0.4 ms on portable code.
	MaxChain int

	// Now is the clock, read once a call. Nil: time.Now.
	Now func() time.Time

	// OneUse, when set, refuses an assertion that it has seen before. Nil: an
	// assertion can be presented again until it expires.
	OneUse OneUse

	// MaxLife bounds how far ahead an assertion may expire, plus Leeway, because
	// the user chooses the time and OneUse must keep an entry until then. Others
	// are rejected with ErrLifetime. Zero means 10 minutes, or the store's own
	// limit if that is less; negative means the store's own limit. A positive value
	// needs a OneUse, whose own limit must be at least MaxLife plus twice Leeway.
	MaxLife time.Duration

	// CertificateCache is how many certificates are remembered whose signature
	// was verified, so that a user's next assertion costs one signature check
	// instead of two. 0: 4096; negative: none. They never take more than 12 MiB.
	// Those used longest ago are evicted, no matter which domain issued them: hostile users can
	// make others' assertions cost two checks again.
	// Unless it is negative, refused certificates are remembered with the keys that
	// were tried, apart from the others: at most 4096, in at most 2 MiB.
	CertificateCache int

	// KeyTables is how many users' keys, and how many issuers', that are seen
	// again and again may have a table that makes verifying faster. 0: 1024;
	// negative: none. The tables never take more than 10 MiB.
	KeyTables int

	// InsecureWeakKeys admits RSA keys of 511, 512 and 1023 bits, which can be
	// factored by anyone, for archives of the protocol's first years.
	InsecureWeakKeys bool

	// InsecureFallbackOnUnavailable lets the Fallback speak for domains that
	// cannot be reached, as the reference verifiers do: whoever can stall a
	// host then takes over its users at the fallback.
	InsecureFallbackOnUnavailable bool
}

// NewVerifier makes a verifier. It errs with ErrMisuse when the configuration
// contradicts itself or names no domain where one is wanted.
func NewVerifier(c Config) (*Verifier, error) {
	v := &Verifier{config: c, now: c.Now, keys: c.Keys}
	if v.now == nil {
		v.now = time.Now
	}
	for _, prepare := range []func(*Verifier) error{
		(*Verifier).prepareTrust, (*Verifier).prepareLeeway, (*Verifier).prepareLife, (*Verifier).prepareChain, (*Verifier).prepareKeys,
	} {
		if err := prepare(v); err != nil {
			return nil, err
		}
	}
	v.prepareMemory()
	return v, nil
}

func (v *Verifier) prepareTrust() error {
	c := &v.config
	var err error
	if v.trusted, err = trustedIssuers(c.TrustedIssuers); err != nil {
		return err
	}
	if c.Fallback != "" {
		var ok bool
		if v.fallback, ok = domain.Parse(c.Fallback); !ok {
			return invalidConfig("fallback %q: not a domain name", c.Fallback)
		}
	}
	if c.InsecureFallbackOnUnavailable && c.Fallback == "" {
		return invalidConfig("InsecureFallbackOnUnavailable: no Fallback")
	}
	return nil
}

func (v *Verifier) prepareLeeway() error {
	leeway := v.config.Leeway
	switch {
	case leeway == 0:
		leeway = defaultLeeway
	case leeway < 0:
		leeway = 0
	case leeway > maxLeeway:
		return invalidConfig("Leeway: %v, more than %v", leeway, maxLeeway)
	}
	v.leeway = leeway.Milliseconds()
	return nil
}

// prepareLife sets how far ahead an assertion may expire. An entry of the one-use
// store must be kept for that, a leeway for the check of exp, and one for the
// user's clock.
func (v *Verifier) prepareLife() error {
	v.maxLife = math.MaxInt64 - v.leeway
	if v.config.OneUse == nil {
		if v.config.MaxLife != 0 {
			return invalidConfig("MaxLife: no OneUse")
		}
		return nil
	}
	if store, ok := v.config.OneUse.(limited); ok {
		if v.maxLife = store.MaxLife().Milliseconds() - 2*v.leeway; v.maxLife <= 0 {
			return invalidConfig("OneUse: keeps no entry for longer than twice Leeway, %v", 2*v.leewayTime())
		}
	}
	life := v.config.MaxLife
	switch {
	case life == 0:
		life = defaultMaxLife
	case life < 0:
		return nil
	case life.Milliseconds() > v.maxLife:
		return invalidConfig("MaxLife: %v and twice Leeway, %v, are more than the one-use store keeps an entry for", life, v.leewayTime())
	}
	v.maxLife = min(v.maxLife, life.Milliseconds())
	return nil
}

func (v *Verifier) leewayTime() time.Duration { return time.Duration(v.leeway) * time.Millisecond }

func (v *Verifier) prepareChain() error {
	v.maxChain = v.config.MaxChain
	if v.maxChain == 0 {
		v.maxChain = 1
	}
	if v.maxChain < 0 || v.maxChain > MaxChainLimit {
		return invalidConfig("MaxChain: %d, not 1 to %d", v.maxChain, MaxChainLimit)
	}
	return nil
}

func (v *Verifier) prepareKeys() (err error) {
	if v.keys == nil {
		v.keys, err = networkKeys()
	}
	return err
}

func (v *Verifier) prepareMemory() {
	certificates, tables := v.config.CertificateCache, v.config.KeyTables
	if certificates == 0 {
		certificates = defaultCertificates
	}
	if tables == 0 {
		tables = defaultKeyTables
	}
	v.memory = newMemory(certificates, tables)
}

var networkKeys = sync.OnceValues(func() (KeySource, error) {
	r, err := wellknown.NewResolver(wellknown.Config{})
	if err != nil {
		return nil, invalidConfig("default resolver: %w", err)
	}
	return r, nil
})

// trustedIssuers returns the set of the names, in the form in which domains
// compare.
func trustedIssuers(names []string) (map[string]bool, error) {
	trusted := make(map[string]bool, len(names))
	for _, name := range names {
		d, ok := domain.Parse(name)
		if !ok {
			return nil, invalidConfig("trusted issuer %q: not a domain name", name)
		}
		trusted[d] = true
	}
	return trusted, nil
}

// misuse returns an error of a wrong call.
func misuse(reason string) error { return &Error{Kind: ErrMisuse, Reason: reason} }

// invalidConfig returns an error of a wrong configuration.
func invalidConfig(format string, args ...any) error {
	err := fmt.Errorf("assertion: "+format, args...)
	return &Error{Kind: ErrMisuse, Reason: err.Error(), cause: err}
}
