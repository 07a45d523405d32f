package assertion

import (
	"context"
	"errors"
	"fmt"

	"github.com/vepverify/vepverify/certchain"
	"github.com/vepverify/vepverify/keys"
	"github.com/vepverify/vepverify/wellknown"
)

// lookupFunc finds the authority for a domain: the verification's own lookup, or
// the Refresh of its KeySource.
type lookupFunc func(ctx context.Context, host, emailDomain string) (*wellknown.Authority, error)

// checkAuthority finds the domain whose keys must have signed the first
// certificate, and returns an error unless that is the issuer, or the issuer is
// trusted (PROTOCOL §4).
func (v *verification) checkAuthority() (err error) {
	v.authority, err = v.findAuthority(v.lookup)
	return err
}

// lookup calls Authority of the KeySource. A Resolver gets a signature check too, by
// which it prefers fetches for certificates that cached keys verify. A type that embeds
// a Resolver gets none, because it may override Authority.
func (v *verification) lookup(ctx context.Context, host, emailDomain string) (*wellknown.Authority, error) {
	if v.resolver == nil {
		return v.config.Keys.Authority(ctx, host, emailDomain)
	}
	if issuer := v.issuer(); !v.trusted[issuer] {
		v.signatureCheck.Fallback, v.signatureCheck.Issuer = v.fallback, issuer
	}
	return v.resolver.AuthorityFor(ctx, host, emailDomain, &v.signatureCheck)
}

// verifiedBy reports whether the chain is verified by one of the cached keys of a
// host. That decides only which fetches have priority. A verification tries only
// one list of keys, because hosts that delegate to each other could have many.
func (v *verification) verifiedBy(cached []keys.PublicKey) bool {
	if len(cached) == 0 || len(v.chain) == 0 {
		return false
	}
	if v.checkedKeys == nil {
		_, err := v.verifyChain(cached)
		v.checkedKeys, v.checkedOK = cached, err == nil
	}
	return v.checkedOK && v.checkedKeys[0] == cached[0]
}

// findAuthority returns the authority by the rows of PROTOCOL §4, in their order. It
// sets v.primaryErr.
func (v *verification) findAuthority(lookup lookupFunc) (*wellknown.Authority, error) {
	issuer := v.issuer()
	v.primaryErr = nil
	if v.trusted[issuer] {
		return v.trustedAuthority(lookup, issuer)
	}
	a, err := v.acceptIncomplete(lookup(v.ctx, v.emailDomain, v.emailDomain))
	switch {
	case err == nil && a.Domain == issuer: // row 2
		return a, nil
	case err == nil:
		return nil, untrustedIssuer(a.Domain, issuer, nil)
	case isUnavailable(err) && !v.config.InsecureFallbackOnUnavailable: // row 4
		return nil, lookupFailed(v.emailDomain, v.emailDomain, err)
	}
	v.primaryErr = err
	return v.fallbackAuthority(lookup, issuer)
}

// trustedAuthority returns the authority for row 1: a trusted issuer's own keys,
// whatever the email address.
func (v *verification) trustedAuthority(lookup lookupFunc, issuer string) (*wellknown.Authority, error) {
	emailDomain := v.emailDomain
	if emailDomain == "" {
		emailDomain = issuer
	}
	a, err := v.acceptIncomplete(lookup(v.ctx, issuer, emailDomain))
	if err != nil {
		return nil, lookupFailed(issuer, emailDomain, err)
	}
	return a, nil
}

// fallbackAuthority returns the authority for row 3: the fallback or its delegate for
// the email's domain, because that has no authority for the reason v.primaryErr. In
// row 5 it returns the same; checkFallbackAllowed rejects it after the signatures.
func (v *verification) fallbackAuthority(lookup lookupFunc, issuer string) (*wellknown.Authority, error) {
	if v.fallback == "" {
		return nil, noFallback(v.emailDomain, v.primaryErr)
	}
	a, err := v.acceptIncomplete(lookup(v.ctx, v.fallback, v.emailDomain))
	switch {
	case issuer != v.fallback && errors.Is(err, wellknown.ErrUnsupported):
		return nil, untrustedIssuer(v.fallback, issuer, v.primaryErr) // the fallback does not delegate
	case err != nil:
		return nil, lookupFailed(v.fallback, v.emailDomain, err)
	case a.Domain != issuer:
		return nil, untrustedIssuer(a.Domain, issuer, v.primaryErr)
	}
	return a, nil
}

// noFallback returns the error for an email's domain that has no authority, for the
// reason err, if there is no fallback.
func noFallback(emailDomain string, err error) error {
	reason := fmt.Sprintf("untrusted issuer: %s does not support BrowserID, and there is no fallback", emailDomain)
	e := &Error{
		Kind: ErrIssuer, Reason: reason, detail: withCause(reason, err), cause: err,
		Found: err.Error(), Expected: documentAt(emailDomain), Domain: emailDomain,
	}
	e.Advice, e.Setting = lookupAdvice(err, "look at what the domain answers")
	if errors.Is(err, wellknown.ErrUnsupported) { // else a fallback may not speak for the domain
		e.Advice, e.Setting = e.Advice+"; if another domain speaks for such addresses, name it", "Fallback"
	}
	return e
}

// lookupAdvice returns what to do about a failed lookup, and the field of
// wellknown.Config that it is about, which may be empty. If the KeySource does not tell,
// it returns otherwise.
func lookupAdvice(err error, otherwise string) (advice, setting string) {
	var lookup *wellknown.LookupError
	if errors.As(err, &lookup) && lookup.Advice != "" {
		return lookup.Advice, lookup.Setting
	}
	return otherwise, ""
}

// acceptIncomplete returns the authority of the fallback although its document
// lacks pages for people, which PROTOCOL 3.pages-fallback allows. The document of a
// host to which the fallback delegates may not lack them. Otherwise it returns its
// arguments.
func (v *verification) acceptIncomplete(a *wellknown.Authority, err error) (*wellknown.Authority, error) {
	if err == nil || v.fallback == "" {
		return a, err
	}
	var incomplete *wellknown.IncompleteError
	if errors.As(err, &incomplete) && incomplete.Authority.Domain == v.fallback {
		return incomplete.Authority, nil
	}
	return a, err
}

// checkFallbackAllowed returns an error if the fallback, or its delegate, signed the
// certificate and must not speak for the email's domain (PROTOCOL §4, row 5). It is
// called after the signatures were checked: until then, a domain that the fetch policy
// refuses and one that does not support BrowserID have the same outcomes, so that the
// reason does not tell which names resolve to addresses that are not public.
func (v *verification) checkFallbackAllowed() error {
	err := v.primaryErr
	if err == nil || errors.Is(err, wellknown.ErrUnsupported) || isUnavailable(err) {
		return nil
	}
	reason := fmt.Sprintf("untrusted issuer: %s may not speak for %s", v.authority.Domain, v.emailDomain)
	e := &Error{
		Kind: ErrIssuer, Reason: reason, detail: withCause(reason, err), cause: err,
		Found: err.Error(), Expected: "a domain that does not support BrowserID, or a support document of its own",
		Domain: v.emailDomain,
	}
	e.Advice, e.Setting = lookupAdvice(err, "look at what the domain answers")
	return e
}

// untrustedIssuer returns the error for an issuer other than the expected one.
// primaryErr is the reason why the fallback is expected, or nil if it is not.
func untrustedIssuer(expected, got string, primaryErr error) error {
	reason := fmt.Sprintf("untrusted issuer, expected '%s', got '%s'", expected, got)
	e := &Error{
		Kind: ErrIssuer, Reason: reason, detail: withCause(reason, primaryErr), cause: primaryErr,
		Found: withCause("issued by "+got, primaryErr), Expected: "issued by " + expected,
		Advice:  "only " + expected + " may speak for this address; to accept " + got + " for any address, trust it",
		Setting: "TrustedIssuers",
	}
	var own *wellknown.LookupError
	if errors.As(primaryErr, &own) && own.Host == got && own.Advice != "" {
		e.Advice, e.Setting, e.Domain = own.Advice+"; else only "+expected+" may speak for this address", own.Setting, got
	}
	return e
}

// lookupFailed returns the error for a domain whose lookup for emails of emailDomain
// failed. Its Reason tells only whether that may change: with more detail, any sender could find out which
// names exist in the verifier's network. Found and the cause are for logs.
func lookupFailed(domain, emailDomain string, err error) error {
	e := &Error{
		Kind: ErrIssuer, Reason: "no keys of " + domain + ": domain does not support BrowserID",
		detail: "no keys of " + domain + ": " + err.Error(), cause: err,
		Found: err.Error(), Expected: documentAt(domain),
	}
	e.setDomain(domain, emailDomain)
	if !isUnavailable(err) {
		e.Advice, e.Setting = lookupAdvice(err, "look at what the domain answers")
		return e
	}
	e.Kind, e.Reason = ErrUndecided, "undecided, no keys of "+domain+": domain is unavailable"
	e.detail = "undecided, " + e.detail
	e.Advice, e.Setting = lookupAdvice(err, "try again later")
	if e.Setting == "" {
		e.Advice, e.Setting = e.Advice+"; or configure the keys, if they are known", "Keys"
	}
	return e
}

// documentAt describes the support document of a domain, for people.
func documentAt(domain string) string {
	return "a support document at https://" + domain + "/.well-known/browserid"
}

// withCause returns text and, if there is one, the cause.
func withCause(text string, cause error) string {
	if cause == nil {
		return text
	}
	return text + " (" + cause.Error() + ")"
}

// isUnavailable reports whether err means that an outcome is not known now.
func isUnavailable(err error) bool {
	return errors.Is(err, wellknown.ErrUnavailable) ||
		errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded)
}

// checkCertificateSignatures checks the chain, and whether the authority may speak
// for the email address if it is the fallback.
func (v *verification) checkCertificateSignatures() error {
	if err := v.verifyOrRefresh(); err != nil {
		return v.withPrimaryError(err)
	}
	return v.checkFallbackAllowed()
}

// withPrimaryError adds to an error about a signature of the fallback why the
// fallback's keys were tried. That is for logs.
func (v *verification) withPrimaryError(err error) error {
	var e *Error
	if v.primaryErr != nil && errors.As(err, &e) && (e.Kind == ErrSignature || e.Kind == ErrAlgorithm) {
		e.detail = withCause(e.Detail(), v.primaryErr)
		e.cause = fmt.Errorf("%w (%w)", e.cause, v.primaryErr)
	}
	return err
}

// verifyOrRefresh checks the chain. If no key verifies it and the KeySource can
// refresh, the cached document may be older than the issuer's newest key: the
// authority is found again, once, from fresh documents.
func (v *verification) verifyOrRefresh() error {
	err := v.verifyByAuthority()
	source, ok := v.config.Keys.(Refresher)
	if err == nil || !ok {
		return err
	}
	fresh, lookupErr := v.findAuthority(source.Refresh)
	if lookupErr != nil {
		return lookupErr
	}
	if !fresh.Fetched.After(v.authority.Fetched) {
		return err
	}
	v.authority = fresh
	return v.verifyByAuthority()
}

// verifyByAuthority checks the chain with the keys of the authority.
func (v *verification) verifyByAuthority() error {
	if failed, err := v.verifyChain(v.publishedKeys()); err != nil {
		return v.certificateRefused(failed, err)
	}
	v.authority.MarkVerified()
	return nil
}

// publishedKeys returns the keys of the authority. Weak ones follow the others if
// they are allowed.
func (v *verification) publishedKeys() []keys.PublicKey {
	if v.config.InsecureWeakKeys {
		return append(v.authority.Keys[:len(v.authority.Keys):len(v.authority.Keys)], v.authority.WeakKeys...)
	}
	return v.authority.Keys
}

// verifyChain checks the signature of each certificate: that of the first with the
// published keys, that of each further one with the key that the one before it
// certifies. With an error, it returns the index of the certificate.
func (v *verification) verifyChain(published []keys.PublicKey) (failed int, err error) {
	candidates := v.selectCandidates(published)
	for i := range v.chain {
		if err := v.verifyCertificate(i, candidates); err != nil {
			return i, err
		}
		candidates = v.certified[i : i+1]
	}
	return 0, nil
}

// maxCandidates is the maximum number of an authority's keys that are tried for a
// certificate, so that a long list of keys does not multiply the cost of a forged
// one.
const maxCandidates = 4

// selectCandidates returns the keys that are tried for the first certificate: the
// first four of those published that have its algorithm (PROTOCOL 3.any-key).
func (v *verification) selectCandidates(published []keys.PublicKey) []keys.PublicKey {
	v.candidates = v.candidates[:0]
	for _, key := range published {
		if len(v.candidates) < maxCandidates && key.Algorithm() == v.chain[0].Algorithm {
			v.candidates = append(v.candidates, key)
		}
	}
	return v.candidates
}

// verifyCertificate checks that one of the candidates signed the i-th certificate
// of the chain, and caches the outcome.
func (v *verification) verifyCertificate(i int, candidates []keys.PublicKey) error {
	if v.cached[i].isSignedBy(candidates) {
		return nil
	}
	if v.cache.isRejected(v.texts[i], candidates) {
		return fmt.Errorf("certificate %d of %d, rejected before: %w", i+1, len(v.chain), certchain.ErrSignature)
	}
	tried := candidates
	if i == 0 {
		tried = v.precompute(candidates)
	}
	signer, err := v.chain[i:i+1].Verify(v.certified[i:i+1], tried)
	switch {
	case err == nil:
		if i == 0 {
			v.cache.issuerKeys.countUse(candidates[signer])
		}
		v.cached[i] = v.cache.addVerified(v.chain[i], v.certified[i], candidates[signer])
	case errors.Is(err, certchain.ErrSignature):
		v.cache.addRejected(v.texts[i], candidates)
	}
	return err
}

// precompute returns the candidates, with their tables if they have one.
func (v *verification) precompute(candidates []keys.PublicKey) []keys.PublicKey {
	v.precomputed = v.precomputed[:0]
	for _, key := range candidates {
		v.precomputed = append(v.precomputed, v.cache.issuerKeys.precomputed(key))
	}
	return v.precomputed
}
