package vepauth

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/vepverify/vepverify/assertion"
	"github.com/vepverify/vepverify/internal/oneuse"
	"github.com/vepverify/vepverify/internal/origin"
	"github.com/vepverify/vepverify/internal/typednil"
	"github.com/vepverify/vepverify/vepauth/internal/signature"
)

// Scheme is the protocol of challenges and signatures.
type Scheme string

const (
	// OAuthVEP signs requests with two-legged OAuth 1.0 (RFC 5849).
	OAuthVEP Scheme = "OAuth+VEP"
	// MACBrowserID signs requests with an early draft of HTTP MAC. It covers less: it
	// does not cover form bodies, and it has SHA-1 only.
	MACBrowserID Scheme = "MAC+BrowserID"
)

// signatureScheme returns the implementation of s. Empty means OAuthVEP.
func (s Scheme) signatureScheme() (signature.Scheme, error) {
	switch s {
	case "", OAuthVEP:
		return signature.OAuth{}, nil
	case MACBrowserID:
		return signature.MAC{}, nil
	}
	return nil, fmt.Errorf("vepauth: Scheme: %q: neither %s nor %s", string(s), OAuthVEP, MACBrowserID)
}

// Verifier verifies an assertion for one of several audiences. *assertion.Verifier
// implements it, and documents the errors.
type Verifier interface {
	Verify(ctx context.Context, a string, audiences ...string) (*assertion.Result, error)
}

// OneUse is a store of keys, each of which is accepted once. It is the guard against
// replayed requests. *assertion.MemoryOneUse serves one process, *redisstore.Store any
// number of processes.
//
// FirstUse reports whether the key was not used before, and stores it, in one atomic
// step. It keeps the key at least until the given time. If it cannot, it returns an error,
// and the request is answered with 503.
//
// A store may have the method MaxLife() time.Duration, which returns how far ahead that time
// may be. New refuses a store for which it is less than three times Config.Leeway.
type OneUse interface {
	FirstUse(ctx context.Context, key string, until time.Time) (first bool, err error)
}

// DefaultTokenURL is the path of the token endpoint if Config.TokenURL is empty.
const DefaultTokenURL = "/request_token"

const (
	defaultNonces  = 100_000
	defaultLeeway  = time.Minute
	maxLeeway      = 10 * time.Minute
	defaultMaxForm = 1 << 20
	maxMaxForm     = 1 << 30
)

// Config configures an Authenticator. Only Audiences must be set. New returns an error for
// values that are not valid, negative ones among them.
type Config struct {
	// Audiences are the origins for which assertions are accepted: those of this
	// server, such as https://rp.example, and those of pages that send their users'
	// assertions to it. The origin to which clients send requests must be one of them:
	// otherwise the token endpoint refuses assertions, because then a proxy has probably
	// changed the origin.
	// https://*.rp.example means every subdomain, and not rp.example itself; each of
	// them can then present assertions to the others (PROTOCOL §5). At least one, unless
	// DisableTokenEndpoint is set.
	Audiences []string

	// Scheme is the protocol. Empty means OAuthVEP.
	Scheme Scheme

	// Verifier verifies assertions. Nil means an assertion.Verifier with the default
	// configuration: keys from the network, no fallback, no trusted issuers.
	Verifier Verifier

	// Tokens issues and parses tokens. Nil means SignedTokens with a random master
	// secret: no other process accepts the tokens, nor does this one after a restart.
	Tokens TokenManager

	// Nonces stores used nonces. Nil means the memory of this process, with room for
	// 100 000 nonces of about 200 bytes each. With the default Leeway that is enough
	// for 800 requests a second; further requests are answered with 503. Servers that
	// share a master secret must also share the store. Otherwise each accepts a request
	// that was used at another. The clock of the store must agree with Now.
	Nonces OneUse

	// TokenURL is the path of the token endpoint as clients see it. Challenges name it.
	// A segment {name} matches any one segment of the path, and the TokenManager gets
	// the value by that name. {application} and {version} are those of Applications.
	// Empty means DefaultTokenURL.
	TokenURL string

	// DisableTokenEndpoint means that this server issues no tokens: another process
	// serves TokenURL. If TokenURL is empty, challenges name no token endpoint.
	DisableTokenEndpoint bool

	// Applications are the applications for which tokens are issued, and the versions
	// of each. A token is valid for the one application and version that its token URL
	// named. TokenURL, unless it is empty, must contain {application}. It must contain
	// {version} if, and only if, the applications have versions.
	Applications map[string][]string

	// ApplicationOf returns the application that a request is for. Nil means that the
	// path of the request names it, at the segments where TokenURL has {application}
	// and {version}: with /{application}/{version}/token everything below /sync/1.5/
	// is application sync, version 1.5. A request that is for none of the Applications
	// is refused.
	ApplicationOf func(r *http.Request) (name, version string)

	// PublicOrigin is the origin of this server as clients see it, such as
	// https://rp.example, for servers behind a proxy. Empty means the origin of each
	// request, from its Host header and whether it came over TLS. If it is set,
	// Request.Host is not what was signed: handlers and patterns must not use it.
	PublicOrigin string

	// TrustForwarded takes the origin of a request from X-Forwarded-Proto and
	// X-Forwarded-Host. Of several values the last counts. It is only for servers behind
	// a proxy that sets or removes both headers. It must not be set together with
	// PublicOrigin. Handlers and patterns must not use Request.Host here either.
	TrustForwarded bool

	// Leeway is the largest accepted difference between the timestamp of a request and
	// Now, in both directions. The clocks of servers that share a store of nonces may
	// also differ by it. A nonce is stored for up to three times as long. 0 means one
	// minute; at most 10 minutes.
	Leeway time.Duration

	// MaxForm is the size of the largest form body of a signed request, in bytes. The
	// form is kept in memory. 0 means 1 MiB; at most 1 GiB.
	MaxForm int64

	// Now is the clock. Nil means time.Now.
	Now func() time.Time

	// Logger logs why requests were refused, each cause once a minute: at level Warn
	// (Error for 500) what could not be decided, and what the operator of this server can
	// correct, such as a wrong PublicOrigin; at level Info everything else. At level
	// Debug it logs every refused request. The log contains domains, origins and paths,
	// but no query, token or email address. Nil means slog.Default().
	Logger *slog.Logger
}

// New returns an Authenticator. It returns an error if the Config lacks something,
// contradicts itself, or has a value that is not valid.
func New(c Config) (*Authenticator, error) {
	if err := c.validate(); err != nil {
		return nil, err
	}
	a := &Authenticator{config: c.withDefaults()}
	a.causes = newCauses(a.config.Logger, a.config.Now)
	a.scheme, _ = c.Scheme.signatureScheme() // validate has checked both
	a.public, _ = c.publicOrigin()
	a.checkPublicOrigin()
	var err error
	if a.routes, err = newRoutes(a.config); err != nil {
		return nil, err
	}
	if a.config.Verifier == nil {
		a.config.Verifier, err = assertion.NewVerifier(assertion.Config{Now: a.config.Now})
		if err != nil {
			return nil, fmt.Errorf("vepauth: Verifier: %w", err)
		}
	}
	if a.config.Tokens == nil {
		a.config.Tokens, err = NewSignedTokens(SignedTokensConfig{Now: a.config.Now})
		if err != nil {
			return nil, err
		}
	}
	return a, nil
}

// validate checks every field that newRoutes does not check.
func (c Config) validate() error {
	if _, err := c.Scheme.signatureScheme(); err != nil {
		return err
	}
	if err := c.validateParts(); err != nil {
		return err
	}
	if len(c.Audiences) == 0 && !c.DisableTokenEndpoint {
		return errors.New("vepauth: Audiences: empty; name the origin of this server, such as https://rp.example")
	}
	for _, audience := range c.Audiences {
		if err := origin.CheckAudience(audience); err != nil {
			return fmt.Errorf("vepauth: Audiences: %q: %w", audience, err)
		}
	}
	if c.PublicOrigin != "" && c.TrustForwarded {
		return errors.New("vepauth: PublicOrigin: set together with TrustForwarded")
	}
	if _, err := c.publicOrigin(); err != nil {
		return fmt.Errorf("vepauth: PublicOrigin: %q: %w", c.PublicOrigin, err)
	}
	if c.Leeway < 0 || c.Leeway > maxLeeway {
		return fmt.Errorf("vepauth: Leeway: %v: not between 0 and %v", c.Leeway, maxLeeway)
	}
	if c.MaxForm < 0 || c.MaxForm > maxMaxForm {
		return fmt.Errorf("vepauth: MaxForm: %d: not between 0 and %d", c.MaxForm, maxMaxForm)
	}
	return nil
}

// validateParts checks Verifier, Tokens and Nonces. A store that does not keep nonces for long
// enough could not store those of clients whose clocks are ahead.
func (c Config) validateParts() error {
	for _, field := range []struct {
		name  string
		value any
	}{{"Verifier", c.Verifier}, {"Tokens", c.Tokens}, {"Nonces", c.Nonces}} {
		if err := typednil.Check(field.value); err != nil {
			return fmt.Errorf("vepauth: %s: %w", field.name, err)
		}
	}
	if v, ok := c.Verifier.(*assertion.Verifier); ok {
		if _, err := v.WithTrustedIssuers(); err != nil { // a zero verifier
			return fmt.Errorf("vepauth: Verifier: %w", err)
		}
	}
	if t, ok := c.Tokens.(*SignedTokens); ok {
		if err := t.checkMade(); err != nil {
			return fmt.Errorf("vepauth: Tokens: %w", err)
		}
	}
	// A timestamp may be ahead by the leeway, and its nonce is kept for two leeways after it.
	needed := 3 * cmp.Or(c.Leeway, defaultLeeway)
	if life, limited := oneuse.MaxLife(c.Nonces); limited && life < needed {
		return fmt.Errorf("vepauth: Nonces: keeps no entry for %v, three times Leeway", needed)
	}
	return nil
}

// publicOrigin parses PublicOrigin. A slash at its end is ignored.
func (c Config) publicOrigin() (origin.Origin, error) {
	if c.PublicOrigin == "" {
		return origin.Origin{}, nil
	}
	return origin.Parse(strings.TrimSuffix(c.PublicOrigin, "/"))
}

// withDefaults returns a copy with the defaults in place of zero values, except for
// Verifier and Tokens, whose constructors have errors.
func (c Config) withDefaults() Config {
	c.Audiences = slices.Clone(c.Audiences)
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Logger == nil {
		c.Logger = slog.Default()
	}
	if c.TokenURL == "" && !c.DisableTokenEndpoint {
		c.TokenURL = DefaultTokenURL
	}
	if c.Leeway == 0 {
		c.Leeway = defaultLeeway
	}
	if c.MaxForm == 0 {
		c.MaxForm = defaultMaxForm
	}
	if c.Nonces == nil {
		c.Nonces = assertion.NewMemoryOneUse(defaultNonces, c.Now)
	}
	return c
}
