package vepauth

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"slices"
	"time"

	"github.com/vepverify/vepverify/assertion"
)

// Scheme is how a server challenges and how requests are signed.
type Scheme string

const (
	// OAuthVEP signs requests in two-legged OAuth 1.0 (RFC 5849).
	OAuthVEP Scheme = "OAuth+VEP"
	// MACBrowserID signs requests in the older form of HTTP MAC. It covers
	// less: no form body, and SHA-1 only.
	MACBrowserID Scheme = "MAC+BrowserID"
)

// Verifier verifies an assertion for one of several audiences. It is declared
// here, by its consumer; *assertion.Verifier is one, whose documentation tells
// which errors mean what.
type Verifier interface {
	Verify(ctx context.Context, a string, audiences ...string) (*assertion.Result, error)
}

// OneUse lets each key pass once: the guard against replayed requests.
// *assertion.MemoryOneUse serves one process, *redisstore.Store any number.
//
// FirstUse says whether key was not used before, and notes that it is now, in
// one atomic step. The note is kept until the time given at least; what cannot
// be kept is an error, which answers the request with 503.
type OneUse interface {
	FirstUse(ctx context.Context, key string, until time.Time) (bool, error)
}

// Limits and defaults.
const (
	// DefaultTokenURL is the path of the token endpoint when none is configured.
	DefaultTokenURL = "/request_token"
	// DefaultNonces is how many nonces the default store holds, of some 200
	// bytes each. With the default leeway that is enough for 800 requests a
	// second; beyond, requests are answered with 503.
	DefaultNonces = 100_000
	// DefaultMaxForm is the size of the largest form body of a signed request
	// that is read, in bytes, when nothing else is configured.
	DefaultMaxForm = 1 << 20
	// MaxAssertionBody is the size of the largest body that the token endpoint
	// reads, in bytes.
	MaxAssertionBody = 64 << 10
	// MaxParameters is how many parameters the query and the form of a signed
	// request may have together, with OAuthVEP, and how many the form of a token
	// request. They are counted while they are read; more are answered by 400.
	MaxParameters = 256
	// MaxTarget is the length of the longest request target, path and query, that
	// is signed or verified, in bytes. Longer signed requests are answered by 414.
	MaxTarget = 64 << 10
	// MaxNonce is the length of the longest nonce of a signed request, in bytes of
	// printable ASCII.
	MaxNonce = 256

	defaultLeeway = time.Minute
	maxLeeway     = 10 * time.Minute
	maxMaxForm    = 1 << 30
)

// Config says how an Authenticator works. Each field's zero value is the safe
// choice, where there is one.
type Config struct {
	// Audiences are the origins for which assertions are accepted: those of this
	// server, such as https://rp.example. https://*.rp.example stands for every
	// subdomain, any of which can then present assertions to the others
	// (PROTOCOL §5). At least one, unless DisableTokenEndpoint is set.
	Audiences []string

	// Scheme is the protocol spoken. Empty: OAuthVEP.
	Scheme Scheme

	// Verifier verifies the assertions. Nil: a verifier with the default
	// configuration (keys from the network, no fallback, no trusted issuers).
	Verifier Verifier

	// Tokens makes and reads tokens. Nil: SignedTokens with a random master
	// secret that no other process knows and that ends with this one.
	Tokens TokenManager

	// Nonces remembers the nonces that were used. Nil: DefaultNonces entries in
	// this process' memory, so another process that knows the same master secret
	// would accept a replay: servers that share one need a shared store as well.
	// A store with a clock of its own needs the clock of Now.
	Nonces OneUse

	// TokenURL is the path of the token endpoint, which challenges name, as it
	// is seen from outside. A segment {name} stands for any one segment of the
	// path, which the TokenManager gets by that name; {application} and
	// {version} are those of Applications. Empty: DefaultTokenURL.
	TokenURL string

	// DisableTokenEndpoint serves no tokens: TokenURL is served by another
	// process, or by nobody when TokenURL is empty: challenges then name none.
	DisableTokenEndpoint bool

	// Applications are the applications that tokens are made for, and the
	// versions of each. A token is good for the one application and version
	// that its token URL named, and nowhere else. Needs {application} in
	// TokenURL, and exactly where that has {version} there are versions.
	Applications map[string][]string

	// ApplicationOf tells which of the Applications a request is for. Nil: the
	// path of the request tells, by the segments at which TokenURL has
	// {application} and {version}: with /{application}/{version}/token all
	// of /sync/1.5/… is application sync, version 1.5. A request that is for
	// none of the Applications is refused whatever its token.
	ApplicationOf func(r *http.Request) (name, version string)

	// PublicOrigin is this server's origin as clients see it, such as
	// https://rp.example, for servers behind a proxy. Empty: each request's own,
	// from its header Host and whether it came over TLS. If it is set, Request.Host
	// is not what was signed: handlers and patterns must not go by it.
	PublicOrigin string

	// TrustForwarded believes X-Forwarded-Proto and X-Forwarded-Host, of several
	// values the last. Only for servers that are reached through a proxy which
	// sets or removes both; in place of PublicOrigin, with the same warning.
	TrustForwarded bool

	// Leeway is how far a request's timestamp may be off, into the past or the
	// future, and how far apart the clocks of servers that share a store of
	// nonces may be. A nonce is remembered for up to three times as long.
	// 0: one minute; at most 10 minutes.
	Leeway time.Duration

	// MaxForm is the size of the largest form body of a signed request, in
	// bytes; it is kept in memory. 0: DefaultMaxForm; at most 1 GiB.
	MaxForm int64

	// Now is the clock. Nil: time.Now.
	Now func() time.Time

	// Log tells why a request was answered with 500 or 503, and, at level Info,
	// why an assertion was refused, if that is more than the answer tells: how the
	// look-up of a domain failed. It has the names of domains, but no token and no
	// address. Nil: slog.Default.
	Log *slog.Logger
}

// New makes an Authenticator. It errs when the configuration lacks something,
// contradicts itself or has something unreadable in it.
func New(c Config) (*Authenticator, error) {
	a := &Authenticator{
		verifier: c.Verifier, tokens: c.Tokens, nonces: c.Nonces, now: c.Now, log: c.Log,
		audiences: slices.Clone(c.Audiences), applicationOf: c.ApplicationOf, disabled: c.DisableTokenEndpoint,
	}
	if a.now == nil {
		a.now = time.Now
	}
	if a.log == nil {
		a.log = slog.Default()
	}
	for _, prepare := range []func(*Authenticator, *Config) error{
		(*Authenticator).prepareScheme, (*Authenticator).prepareAudiences, (*Authenticator).prepareURL,
		(*Authenticator).prepareApplications, (*Authenticator).prepareOrigin, (*Authenticator).prepareLimits,
		(*Authenticator).prepareDefaults,
	} {
		if err := prepare(a, &c); err != nil {
			return nil, fmt.Errorf("vepauth: %w", err)
		}
	}
	return a, nil
}

func (a *Authenticator) prepareScheme(c *Config) (err error) {
	a.dialect, err = dialectOf(c.Scheme)
	return err
}

func (a *Authenticator) prepareAudiences(c *Config) error {
	if len(c.Audiences) == 0 && !c.DisableTokenEndpoint {
		return fmt.Errorf("no audience: name this server's origin, such as https://rp.example")
	}
	for _, audience := range c.Audiences {
		if !isAudience(audience) {
			return fmt.Errorf("the audience %q is no origin, such as https://rp.example or https://*.rp.example", audience)
		}
	}
	return nil
}

func (a *Authenticator) prepareOrigin(c *Config) error {
	if c.PublicOrigin == "" {
		a.originOf = requestOrigin
		if c.TrustForwarded {
			a.originOf = forwardedOrigin
		}
		return nil
	}
	if c.TrustForwarded {
		return fmt.Errorf("both PublicOrigin and TrustForwarded")
	}
	public, ok := parseOrigin(c.PublicOrigin)
	if !ok {
		return fmt.Errorf("the public origin %q is no origin, such as https://rp.example", c.PublicOrigin)
	}
	a.originOf = func(*http.Request) (origin, bool) { return public, true }
	return nil
}

func (a *Authenticator) prepareLimits(c *Config) error {
	a.leeway, a.maxForm = c.Leeway, c.MaxForm
	if a.leeway == 0 {
		a.leeway = defaultLeeway
	}
	if a.leeway < 0 || a.leeway > maxLeeway {
		return fmt.Errorf("a Leeway of %v, not 0 to %v", a.leeway, maxLeeway)
	}
	if a.maxForm == 0 {
		a.maxForm = DefaultMaxForm
	}
	if a.maxForm < 0 || a.maxForm > maxMaxForm {
		return fmt.Errorf("a MaxForm of %d, not 0 to %d", a.maxForm, maxMaxForm)
	}
	return nil
}

func (a *Authenticator) prepareDefaults(c *Config) (err error) {
	if a.nonces == nil {
		a.nonces = assertion.NewMemoryOneUse(DefaultNonces, a.now)
	}
	if a.verifier == nil {
		a.verifier, err = assertion.NewVerifier(assertion.Config{Now: a.now})
		if err != nil {
			return err
		}
	}
	if a.tokens == nil {
		a.tokens, err = NewSignedTokens(SignedTokensConfig{Now: a.now})
	}
	return err
}
