package assertion

import (
	"context"
	"errors"
	"fmt"

	"github.com/vepverify/vepverify/certchain"
	"github.com/vepverify/vepverify/keys"
	"github.com/vepverify/vepverify/wellknown"
)

// lookup asks a source who speaks for a domain.
type lookup func(ctx context.Context, host, emailDomain string) (*wellknown.Authority, error)

// checkAuthority finds out who speaks for the email's domain, and errs unless
// that is the issuer (PROTOCOL §4).
func (r *run) checkAuthority() (err error) {
	r.authority, err = r.decide(r.lookup)
	return err
}

// lookup asks the source, which first tries the certificate with the keys that it
// holds if the answer needs a fetch.
func (r *run) lookup(ctx context.Context, host, emailDomain string) (*wellknown.Authority, error) {
	if r.issuer() == r.fallback {
		r.check.Fallback = r.fallback
	}
	return r.keys.Authority(wellknown.WithSignatureCheck(ctx, &r.check), host, emailDomain)
}

// verifiedBy reports whether the chain's signatures hold by one of the keys held
// of a host. It decides only which fetches go first. Only one list of keys is
// tried in a run: hosts that delegate to each other could have many.
func (r *run) verifiedBy(held []keys.PublicKey) bool {
	if len(held) == 0 {
		return false
	}
	if r.held == nil {
		r.held, r.heldOK = held, r.verifyChain(held) == nil
	}
	return r.heldOK && r.held[0] == held[0]
}

// decide gives the authority whose keys must have signed the first
// certificate: the rows of PROTOCOL §4, in their order.
func (r *run) decide(ask lookup) (*wellknown.Authority, error) {
	issuer := r.issuer()
	r.noPrimary = nil
	if r.trusted[issuer] {
		return r.trustedAuthority(ask, issuer)
	}
	a, err := r.primaryAuthority(ask)
	switch {
	case err == nil:
		if a.Domain != issuer {
			return nil, untrustedIssuer(a.Domain, issuer, nil)
		}
		return a, nil
	case isUnavailable(err) && !r.config.InsecureFallbackOnUnavailable:
		return nil, lookupFailed(r.emailDomain, err)
	}
	r.noPrimary = err
	return r.fallbackAuthority(ask, issuer)
}

// checkPrimary returns an error if the fallback, which signed the certificate,
// must not speak for the email's domain (PROTOCOL §4, row 5). It comes after the
// signatures: until then a domain that the fetch policy refuses and one that does
// not support BrowserID have the same outcomes, so that the reason does not tell
// which names resolve to addresses that are not public.
func (r *run) checkPrimary() error {
	err := r.noPrimary
	if err == nil || errors.Is(err, wellknown.ErrUnsupported) || isUnavailable(err) {
		return nil
	}
	reason := fmt.Sprintf("untrusted issuer: %s may not speak for %s", r.authority.Domain, r.emailDomain)
	return &Error{
		Kind: ErrIssuer, Reason: reason, detail: withCause(reason, err), cause: err,
		Found: err.Error(), Expected: "a domain that does not support BrowserID, or a support document of its own",
		Advice: "look at what the domain answers", Domain: r.emailDomain,
	}
}

// trustedAuthority is row 1: a trusted issuer's own keys, whatever the email.
func (r *run) trustedAuthority(ask lookup, issuer string) (*wellknown.Authority, error) {
	onBehalf := r.emailDomain
	if onBehalf == "" {
		onBehalf = issuer
	}
	a, err := r.admitFallback(ask(r.ctx, issuer, onBehalf))
	if err != nil {
		return nil, lookupFailed(issuer, err)
	}
	return a, nil
}

// primaryAuthority asks the email's domain itself: row 2, unless it errs.
func (r *run) primaryAuthority(ask lookup) (*wellknown.Authority, error) {
	return r.admitFallback(ask(r.ctx, r.emailDomain, r.emailDomain))
}

// fallbackAuthority is row 3: the domain has no authority (r.noPrimary is the
// reason), so the fallback speaks for it, if there is one. Row 5 passes through
// here as well, see checkPrimary.
func (r *run) fallbackAuthority(ask lookup, issuer string) (*wellknown.Authority, error) {
	if r.fallback == "" {
		reason := fmt.Sprintf("untrusted issuer: %s does not support BrowserID, and there is no fallback", r.emailDomain)
		return nil, &Error{
			Kind: ErrIssuer, Reason: reason, detail: withCause(reason, r.noPrimary), cause: r.noPrimary,
			Found: r.noPrimary.Error(), Expected: "a support document at https://" + r.emailDomain + "/.well-known/browserid",
			Advice: "if another domain speaks for such addresses, name it", Setting: "Fallback", Domain: r.emailDomain,
		}
	}
	if issuer != r.fallback {
		return nil, untrustedIssuer(r.fallback, issuer, r.noPrimary)
	}
	a, err := r.admitFallback(ask(r.ctx, r.fallback, r.emailDomain))
	if err != nil {
		return nil, lookupFailed(r.fallback, err)
	}
	if a.Domain != r.fallback {
		return nil, &Error{Kind: ErrIssuer, Reason: "the fallback " + r.fallback + " delegates to another domain",
			Found: "delegation to " + a.Domain, Expected: "keys of the fallback's own", Advice: "name the other domain as the fallback", Setting: "Fallback"}
	}
	return a, nil
}

// admitFallback takes the document of the fallback although it lacks pages for
// people, as PROTOCOL §3 allows the fallback alone.
func (r *run) admitFallback(a *wellknown.Authority, err error) (*wellknown.Authority, error) {
	if err == nil || r.fallback == "" {
		return a, err
	}
	var incomplete *wellknown.IncompleteError
	if errors.As(err, &incomplete) && incomplete.Authority.Domain == r.fallback {
		return incomplete.Authority, nil
	}
	return a, err
}

// untrustedIssuer returns the error for an issuer other than the expected one.
// noPrimary is the reason why the fallback is expected, nil if it is not.
func untrustedIssuer(expected, got string, noPrimary error) error {
	reason := fmt.Sprintf("untrusted issuer, expected '%s', got '%s'", expected, got)
	return &Error{
		Kind: ErrIssuer, Reason: reason, detail: withCause(reason, noPrimary), cause: noPrimary,
		Found: withCause("issued by "+got, noPrimary), Expected: "issued by " + expected,
		Advice: "only " + expected + " may speak for this address; if " + got + " is to be believed for any address, trust it", Setting: "TrustedIssuers",
	}
}

// withCause returns text and, if there is one, the cause.
func withCause(text string, cause error) string {
	if cause == nil {
		return text
	}
	return text + " (" + cause.Error() + ")"
}

func isUnavailable(err error) bool {
	return errors.Is(err, wellknown.ErrUnavailable) ||
		errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded)
}

// lookupFailed returns the error for a domain whose keys cannot be had. Its
// reason tells only whether that may change: a finer one would let any sender ask
// which names exist in the verifier's network. Found and the cause are for logs.
func lookupFailed(domain string, err error) error {
	e := &Error{
		Kind: ErrIssuer, Reason: "no keys of " + domain + ": domain does not support BrowserID",
		detail: "no keys of " + domain + ": " + err.Error(), cause: err,
		Found: err.Error(), Expected: "a support document at https://" + domain + "/.well-known/browserid",
		Advice: "look at what the domain answers", Domain: domain,
	}
	if isUnavailable(err) {
		e.Kind, e.Reason = ErrUndecided, "undecided, no keys of "+domain+": domain is unavailable"
		e.detail = "undecided, " + e.detail
		e.Advice, e.Setting = "try again later, or give the keys when they are known", "Keys"
	}
	return e
}

// checkCertificateSignatures checks the chain against the authority's keys.
func (r *run) checkCertificateSignatures() error {
	if err := r.verifyOrRefresh(); err != nil {
		return r.becauseOfPrimary(err)
	}
	return r.checkPrimary()
}

// becauseOfPrimary adds to an error about the fallback's signature why the
// fallback's keys were tried, for logs.
func (r *run) becauseOfPrimary(err error) error {
	var e *Error
	if r.noPrimary != nil && errors.As(err, &e) && e.detail == "" {
		e.detail = withCause(e.Reason, r.noPrimary)
		e.cause = fmt.Errorf("%w (%w)", e.cause, r.noPrimary)
	}
	return err
}

// verifyOrRefresh checks the chain. If no key fits and the source can ask again,
// the answer held may be older than the issuer's newest key: the authority is
// decided anew, once.
func (r *run) verifyOrRefresh() error {
	err := r.verifyCertificates()
	source, can := r.keys.(Refresher)
	if err == nil || !can {
		return err
	}
	fresh, asked := r.decide(source.Refresh)
	if asked != nil {
		return asked
	}
	if !fresh.Fetched.After(r.authority.Fetched) {
		return err
	}
	r.authority = fresh
	return r.verifyCertificates()
}

// verifyCertificates checks the chain against the authority's keys.
func (r *run) verifyCertificates() error {
	if err := r.verifyChain(r.publishedKeys()); err != nil {
		return r.certificateRefused(err)
	}
	r.authority.MarkVerified()
	return nil
}

// verifyChain checks the signature of each certificate: the first one by one of the
// published keys, each further one by the key that the one before certifies.
func (r *run) verifyChain(published []keys.PublicKey) error {
	candidates := r.candidates(published)
	for i := range r.chain {
		if err := r.verifyCertificate(i, candidates); err != nil {
			return err
		}
		candidates = r.certified[i : i+1]
	}
	return nil
}

// maxCandidates is how many of an authority's keys are tried for a certificate, so
// that a long list of keys does not multiply what a forged one costs.
const maxCandidates = 4

// candidates returns the keys that are tried for the first certificate: the first
// four of those published that have its algorithm (PROTOCOL 3.any-key).
func (r *run) candidates(published []keys.PublicKey) []keys.PublicKey {
	r.tried = r.tried[:0]
	for _, key := range published {
		if len(r.tried) < maxCandidates && key.Algorithm() == r.chain[0].Algorithm {
			r.tried = append(r.tried, key)
		}
	}
	return r.tried
}

// certificateRefused returns the error for an error of certchain.Chain.Verify.
func (r *run) certificateRefused(err error) error {
	names := algorithms(r.publishedKeys())
	if !errors.Is(err, certchain.ErrAlgorithm) {
		e := invalidSignature("the certificate", "by a key that "+r.authority.Domain+" publishes", err)
		if n := count(names, r.chain[0].Algorithm); n > maxCandidates {
			e.Found = fmt.Sprintf("%s; %d keys of this algorithm are published, of which the first %d were tried", e.Found, n, maxCandidates)
			e.Advice = "the issuer should publish the key that signs among the first; " + e.Advice
		}
		return e
	}
	if len(names) == 0 {
		names = []string{"of no key: " + r.authority.Domain + " publishes none that is usable"}
	}
	return algorithmMismatch(r.chain[0].Algorithm, names, err)
}

func count(names []string, name string) (n int) {
	for _, other := range names {
		if other == name {
			n++
		}
	}
	return n
}

// publishedKeys returns the authority's keys. Weak ones are added at the end where
// they are allowed.
func (r *run) publishedKeys() []keys.PublicKey {
	if r.config.InsecureWeakKeys {
		return append(r.authority.Keys[:len(r.authority.Keys):len(r.authority.Keys)], r.authority.WeakKeys...)
	}
	return r.authority.Keys
}
