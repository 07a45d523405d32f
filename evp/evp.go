// Package evp verifies tokens of the Email Verification Protocol, with which a browser
// proves an email address to a site, without a mail and without a password.
//
// The protocol is an individual draft (draft-hardt-email-verification-02), with which
// browsers and issuers still experiment. This package is experimental too: it may change
// with the draft.
//
// # Getting started
//
// A site needs one verifier, and a nonce for each form that it shows:
//
//	v, err := evp.NewVerifier(evp.Config{Origins: []string{"https://rp.example"}})
//	…
//	res, err := v.Verify(ctx, r.PostFormValue("token"), evp.Expected{
//		Nonce: nonce,                      // of the form that was submitted
//		Email: r.PostFormValue("email"),
//	})
//	switch {
//	case err == nil:
//		signIn(res.Email)
//	case errors.Is(err, assertion.ErrUndecided): // an issuer cannot be reached
//		mailCode()
//	default: // assertion.ErrExpired, evp.ErrNonce, …
//		mailCode()
//	}
//
// Many visitors have no token, because their browser or the domain of their address does
// not support the protocol. A site must always work without: the token only saves the mail
// with a code.
//
// [Nonces] makes the nonces and remembers them, and [FormFields] writes the two fields of
// the form. [Verifier.Explain] reports each check, for people who look for the reason of a
// failure. [Parse] parses a token without verifying it. [Verifier.Lookup] returns what a
// domain and its issuer publish, and [Verifier.Save] writes it to a bundle, with which
// Config.Bundle verifies without a network. Package evp/issuer is for domains that issue
// tokens, and evp/evptest for tests.
//
// # The token
//
// A token is issuer's half "~" browser's half, two compact JWS. The issuer signs the email
// address and a key that the browser made. The browser signs the origin of the site, the
// nonce, and a hash of the issuer's half.
//
// The domain of the address names its issuer in DNS, in a TXT record of the name
// _email-verification.<domain>. The issuer publishes its keys at
// https://<issuer>/.well-known/email-verification.
//
// # Outcomes
//
// There are three, as in package assertion, whose classes of error this package uses, so
// that one switch is for both:
//
//   - okay: a [*Result] and no error.
//   - failure: the error matches assertion.ErrMalformed or assertion.ErrRejected.
//     errors.Is tells the reasons apart. The same token never passes later, unless its
//     time has not come (assertion.ErrNotYetValid), or the domain or the issuer changes
//     what it publishes.
//   - undecided: the error matches assertion.ErrUndecided. A host could not be asked; the
//     same token may pass later.
//
// assertion.Failure returns the answer for failure and undecided. assertion.ErrMisuse
// means that the call or the configuration is wrong.
//
// # Rules
//
// docs/EVP.md has the rules, and [Error].Rule names the one that a token breaks. They are
// checked in this order: form, headers, claims of the issuer, audience, nonce, hash, times,
// submitted address, allowed issuers and domains, browser's signature; then DNS, the
// issuer's metadata and keys, the issuer's signature; and at last one use. The first rule
// that is broken is reported. Everything before DNS is checked offline, so that a made-up
// token causes no lookup and no request.
//
// The profile [Default] accepts what browsers and issuers produce, and refuses what is
// ambiguous. [Draft02] is the text of the draft to the letter.
//
// Where neither the draft nor its implementations decide, this package does:
//
//   - The domain of an address, and the host of an issuer, has at least two labels of
//     lower-case letters, digits and hyphens. No label begins or ends with a hyphen
//     (RFC 1123), and the last is not a number.
//   - An integer is at most 2^53, without fraction and exponent. exp and nbf hold in
//     both halves.
//   - JSON nests at most 1000 deep, and no object has the same name twice.
//   - A kid that is not a string is refused in a header and in cnf.jwk. In a key set, its
//     entry is skipped.
//   - A modulus has no zero byte at its start (RFC 7518).
//   - Keys that do not fit the alg are not tried and do not count (rule 10.tries). Large
//     keys after the fourth are skipped, and do not count either. After a refresh, keys are
//     not tried again. In all, at most 17 keys are tried for one token, 6 of them large.
//
// # What is not checked
//
// DNS is not authenticated. An attacker who can forge the answers of this machine's name
// servers can name an issuer for any domain, and so sign in as any of its users. Use a
// resolver that validates DNSSEC, over a trusted path, or Config.Domains.
//
// A token proves that the issuer confirmed the user's address when it signed, at most five
// minutes ago. The domain's registrar, its DNS, the issuer and its web server are
// trusted to be honest. An issuer learns which addresses it signs, but not for which site.
//
// Verify compares the nonce with the expected one and keeps no record of it: that is what
// Nonces does. A token can be presented again with the same nonce until it expires, unless
// Config.OneUse is set or the nonce is consumed.
package evp

import (
	"context"
	"time"

	"github.com/vepverify/vepverify/assertion"
	"github.com/vepverify/vepverify/evp/internal/discovery"
)

// Verifier verifies tokens. NewVerifier returns one. It is safe for concurrent use. The
// methods of a nil or zero Verifier that return errors return one matching
// assertion.ErrMisuse.
type Verifier struct {
	config  Config   // complete
	origins []string // as browsers write them
	source  discovery.Source
}

// Expected is what the relying party knows about a token before it is verified.
type Expected struct {
	// Nonce is the nonce of the form that was submitted. It is required.
	Nonce string
	// Email is the address that the user submitted beside the token. Empty means that it
	// is not known: the address is then only what the token says.
	Email string
}

// Verify verifies a token. The result is nil if and only if there is an error. The error is
// an [*Error] that matches one of
//
//   - assertion.ErrMalformed: the text is not a token;
//   - assertion.ErrRejected: the token is not valid; errors.Is tells the reasons apart,
//     such as assertion.ErrExpired, assertion.ErrAudience, [ErrNonce], [ErrEmail];
//   - assertion.ErrUndecided: the name servers, the issuer or the one-use store could not
//     be reached, or ctx ended before; the same token may pass later;
//   - assertion.ErrMisuse: the call itself is wrong.
//
// assertion.Failure returns the answer for the first three.
func (v *Verifier) Verify(ctx context.Context, token string, expected Expected) (*Result, error) {
	run, err := v.begin(ctx, token, expected)
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

// WithOrigins returns a verifier that accepts these origins, in place of Config.Origins,
// and is otherwise equal to v. It shares the caches of v. It is for services whose requests
// name the audience. The error matches assertion.ErrMisuse.
func (v *Verifier) WithOrigins(origins ...string) (*Verifier, error) {
	if err := v.checkMade(); err != nil {
		return nil, err
	}
	parsed, err := parseOrigins(origins)
	if err != nil {
		return nil, err
	}
	other := *v
	other.origins = parsed
	return &other, nil
}

// WithOneUse returns a verifier that has this one-use guard, in place of Config.OneUse, and
// is otherwise equal to v. It shares the caches of v. The error matches
// assertion.ErrMisuse: the guard is a nil pointer, or keeps entries for less than seven
// minutes.
func (v *Verifier) WithOneUse(guard assertion.OneUse) (*Verifier, error) {
	if err := v.checkMade(); err != nil {
		return nil, err
	}
	if err := checkGuard(guard); err != nil {
		return nil, err
	}
	other := *v
	other.config.OneUse = guard
	return &other, nil
}

// OneUse returns the one-use guard, or nil if there is none.
func (v *Verifier) OneUse() assertion.OneUse {
	if v == nil {
		return nil
	}
	return v.config.OneUse
}

// Now returns the time by the clock of v. A one-use guard and [Nonces] must use the same
// clock.
func (v *Verifier) Now() time.Time {
	if v.checkMade() != nil {
		return time.Now()
	}
	return v.config.Now()
}

// checkMade returns an error matching assertion.ErrMisuse if NewVerifier has not made v.
func (v *Verifier) checkMade() error {
	if v == nil || v.source == nil {
		return misuse("Verifier not made by NewVerifier")
	}
	return nil
}
