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
func Verify(ctx context.Context, a, aud string, more ...string) (*Result, error) {
	v, err := defaultVerifier()
	if err != nil {
		return nil, err
	}
	return v.Verify(ctx, a, aud, more...)
}

// Verify says whether the backed assertion a holds at the relying party whose
// origin is aud, or one of more. An origin is scheme, host and port, as in
// https://rp.example; https://*.rp.example stands for every subdomain of it, any
// of which can then present the assertion to the others (PROTOCOL §5).
//
// The result is nil exactly when there is an error, an [*Error], which is one of
//
//   - ErrMalformed: a is not an assertion;
//   - ErrRejected: a does not hold; errors.Is tells the reasons apart, such as
//     ErrExpired, ErrAudience, ErrSignature, ErrIssuer;
//   - ErrUnavailable: undecided, as an issuer could not be reached or ctx ended
//     before it was; later the same assertion may hold;
//   - ErrMisuse: the call itself is wrong.
//
// [Failure] turns the first three into the answer that goes with them.
func (v *Verifier) Verify(ctx context.Context, a, aud string, more ...string) (*Result, error) {
	r, err := v.begin(ctx, a, aud, more)
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

// WithTrustedIssuers gives a verifier that trusts exactly these issuers, in
// place of Config.TrustedIssuers, and is otherwise this one; it shares its
// caches, none of which holds a decision about trust. A name that is no domain
// is no issuer's, and has no effect.
func (v *Verifier) WithTrustedIssuers(hosts ...string) *Verifier {
	other := *v
	other.trusted, _ = domains(hosts)
	return &other
}

// WithOneUse returns a verifier that has this one-use guard, in place of
// Config.OneUse, and is otherwise v; it shares the caches of v. It returns an error
// matching ErrMisuse if the guard keeps entries for less than twice the Leeway.
func (v *Verifier) WithOneUse(guard OneUse) (*Verifier, error) {
	if v == nil {
		return nil, misuse("a nil Verifier")
	}
	other := *v
	other.config.OneUse = guard
	return &other, other.prepareLife()
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
