// Package assertion verifies BrowserID assertions: whether a person or program
// may claim an email address towards a relying party, here and now, found out
// locally from a text that it presented.
//
//	res, err := assertion.Verify(ctx, a, "https://rp.example")
//
// A backed assertion is certificate "~" assertion. The address's domain signs
// the certificate, which names the address and the user's key; the user's key
// signs the assertion, which names the relying party. Verify takes the text
// apart, checks the user's signature, the audience and the times, then finds out
// who may speak for the address's domain, fetching its support document from
// https://<domain>/.well-known/browserid if need be, and checks that it signed
// the certificate. Nothing is asked of anybody before all that can be checked
// offline has been, so that a made-up text makes nobody contact a host.
//
// [Verify] uses a verifier with the safe defaults. [NewVerifier] makes one for
// other needs: a fixed set of keys and no network (wellknown.Static), trusted
// issuers, a fallback, a one-use guard, another clock. [Verifier.Explain] tells
// a person which check failed and why. [Parse] looks into an assertion without
// believing it, [Sign] and [Bundle] make one.
//
// What is not checked: that the user still has the address (an assertion proves
// it for the moment the certificate was issued), that the domain's registrar,
// DNS or web server are honest, and, unless Config.OneUse is set, that the
// assertion was not presented before.
//
// The rules are those of docs/PROTOCOL.md, cited as PROTOCOL.
package assertion

import (
	"context"
	"sync"
	"time"
)

// Verifier verifies assertions. It is made once, never changes, and serves
// any number of goroutines.
type Verifier struct {
	config   Config
	keys     KeySource
	now      func() time.Time
	trusted  map[string]bool
	fallback string
	leeway   int64 // milliseconds
	maxLife  int64 // milliseconds from now to the latest exp of an assertion, leeway aside
	maxChain int
	memory   *memory
}

var defaultVerifier = sync.OnceValues(func() (*Verifier, error) { return NewVerifier(Config{}) })

// Verify verifies with a shared verifier of the default configuration: issuers'
// keys from the network, no fallback, no trusted issuers. See
// [Verifier.Verify].
func Verify(ctx context.Context, a string, audiences ...string) (*Result, error) {
	v, err := defaultVerifier()
	if err != nil {
		return nil, err
	}
	return v.Verify(ctx, a, audiences...)
}

// Verify verifies the backed assertion a for a relying party, which accepts the
// origins given, one at least. An origin is scheme, host and port, as in
// https://rp.example. The origin https://*.rp.example stands for every subdomain
// of rp.example, any of which can then present the assertion to the others
// (PROTOCOL §5).
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
// [Failure] turns the first three into the answer that goes with them.
func (v *Verifier) Verify(ctx context.Context, a string, audiences ...string) (*Result, error) {
	r, err := v.begin(ctx, a, audiences)
	if err != nil {
		return nil, err
	}
	defer r.end()
	for _, s := range steps {
		if err := s.check(r); err != nil {
			return nil, err
		}
	}
	return r.result(), nil
}

// WithTrustedIssuers returns a verifier that trusts exactly these issuers, in
// place of Config.TrustedIssuers, and is otherwise v. It shares the caches of v,
// which hold no decision about trust. It returns an error matching ErrMisuse if
// one of the issuers is not a domain name.
func (v *Verifier) WithTrustedIssuers(issuers ...string) (*Verifier, error) {
	if v == nil {
		return nil, misuse("nil Verifier")
	}
	trusted, err := trustedIssuers(issuers)
	if err != nil {
		return nil, err
	}
	other := *v
	other.trusted = trusted
	return &other, nil
}

// WithOneUse returns a verifier that has this one-use guard, in place of
// Config.OneUse, and is otherwise v; it shares the caches of v. It returns an error
// matching ErrMisuse if the guard keeps entries for less than twice the Leeway.
func (v *Verifier) WithOneUse(guard OneUse) (*Verifier, error) {
	if v == nil {
		return nil, misuse("nil Verifier")
	}
	other := *v
	other.config.OneUse = guard
	if err := other.prepareLife(); err != nil {
		return nil, err
	}
	return &other, nil
}

// OneUse returns the one-use guard, nil if there is none.
func (v *Verifier) OneUse() OneUse { return v.config.OneUse }

// Now returns the time by the clock of v, which the clock of a guard must equal.
func (v *Verifier) Now() time.Time {
	if v.now == nil { // not made by NewVerifier
		return time.Now()
	}
	return v.now()
}
