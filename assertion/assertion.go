// Package assertion verifies BrowserID assertions, with which a person or a
// program proves an email address to a relying party.
//
//	res, err := assertion.Verify(ctx, a, "https://rp.example")
//
// A backed assertion is certificate "~" assertion. The domain of the email
// address signs the certificate, which contains the address and the user's key.
// The user's key signs the assertion, which contains the origin of the relying
// party.
//
// [Verify] parses the text and checks everything that needs no network: the
// user's signature, the audience, the times. If one of these checks fails, the
// verifier contacts no host. Then it finds the domain that may issue certificates
// for the address, and checks that a key in the domain's support document signed
// the certificate. The document is that at
// https://<domain>/.well-known/browserid, which is fetched if it is not cached.
//
// Verify uses a shared verifier with the default configuration. [NewVerifier]
// returns one with another configuration: fixed keys without a network
// (wellknown.Static), trusted issuers, a fallback, a one-use guard, another
// clock. [Verifier.Explain] reports each check, for people who look for the
// reason of a failure. [Parse] parses an assertion without verifying it. [Sign]
// and [Bundle] make one.
//
// # What is not checked
//
// An assertion proves that the user had the address when the certificate was
// issued, not that the user has it now. The domain's registrar, its DNS and its
// web server are trusted to be honest. An assertion can be presented again until
// it expires, unless Config.OneUse is set.
//
// The rules are those of docs/PROTOCOL.md, cited as PROTOCOL.
package assertion

import (
	"context"
	"sync"
	"time"

	"github.com/vepverify/vepverify/wellknown"
)

// Verifier verifies assertions. NewVerifier returns one. It is safe for concurrent
// use. The methods of a nil or zero Verifier that return errors return one matching
// ErrMisuse.
type Verifier struct {
	config   Config              // complete
	trusted  map[string]bool     // the trusted issuers
	fallback string              // empty if there is none
	resolver *wellknown.Resolver // Config.Keys, nil if it is another KeySource
	maxLife  int64               // of an assertion, in milliseconds from now, without Leeway
	cache    *cache
}

var defaultVerifier = sync.OnceValues(func() (*Verifier, error) { return NewVerifier(Config{}) })

// Verify verifies a with a shared verifier of the default configuration: it
// fetches the issuers' keys, and has no fallback, no trusted issuers and no
// one-use guard. See [Verifier.Verify].
func Verify(ctx context.Context, a string, audiences ...string) (*Result, error) {
	v, err := defaultVerifier()
	if err != nil {
		return nil, err
	}
	return v.Verify(ctx, a, audiences...)
}

// Verify verifies the backed assertion a for a relying party. The audiences, one
// at least, are the origins that the relying party accepts. An origin is scheme,
// host and port, as in https://rp.example. The origin https://*.rp.example stands
// for every subdomain of rp.example, any of which can then present the assertion
// to the others (PROTOCOL §5).
//
// The result is nil if and only if there is an error. The error is an [*Error]
// that matches one of
//
//   - ErrMalformed: a is not an assertion;
//   - ErrRejected: a is not valid; errors.Is tells the reasons apart, such as
//     ErrExpired, ErrAudience, ErrSignature, ErrIssuer;
//   - ErrUndecided: an issuer or the one-use store could not be reached, or ctx
//     ended before; the same assertion may pass later;
//   - ErrMisuse: the call itself is wrong.
//
// [Failure] returns the answer for the first three.
func (v *Verifier) Verify(ctx context.Context, a string, audiences ...string) (*Result, error) {
	run, err := v.begin(ctx, a, audiences)
	if err != nil {
		return nil, err
	}
	defer run.end()
	for _, s := range steps {
		if err := s.check(run); err != nil {
			return nil, err
		}
	}
	return run.result(), nil
}

// WithTrustedIssuers returns a verifier that trusts exactly these issuers, in
// place of Config.TrustedIssuers, and is otherwise equal to v. It shares the caches of v,
// which hold no decision about trust. It returns an error matching ErrMisuse if
// one of the issuers is not a domain name.
func (v *Verifier) WithTrustedIssuers(issuers ...string) (*Verifier, error) {
	if err := v.checkMade(); err != nil {
		return nil, err
	}
	trusted, err := parseTrusted(issuers)
	if err != nil {
		return nil, err
	}
	other := *v
	other.trusted = trusted
	return &other, nil
}

// WithOneUse returns a verifier that has this one-use guard, in place of
// Config.OneUse, and is otherwise equal to v. It shares the caches of v. It returns an
// error matching ErrMisuse if the guard is a nil pointer, or keeps entries for less than
// twice the Leeway.
func (v *Verifier) WithOneUse(guard OneUse) (*Verifier, error) {
	if err := v.checkMade(); err != nil {
		return nil, err
	}
	other := *v
	other.config.OneUse = guard
	var err error
	if other.maxLife, err = other.config.maxLife(); err != nil {
		return nil, err
	}
	return &other, nil
}

// OneUse returns the one-use guard, or nil if there is none.
func (v *Verifier) OneUse() OneUse {
	if v == nil {
		return nil
	}
	return v.config.OneUse
}

// Now returns the time by the clock of v. A one-use guard must use the same clock.
func (v *Verifier) Now() time.Time {
	if v.checkMade() != nil {
		return time.Now()
	}
	return v.config.Now()
}

// checkMade returns an error matching ErrMisuse if NewVerifier has not made v.
func (v *Verifier) checkMade() error {
	if v == nil || v.config.Keys == nil {
		return misuse("Verifier not made by NewVerifier")
	}
	return nil
}
