package assertion

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/vepverify/vepverify/certchain"
	"github.com/vepverify/vepverify/internal/registrable"
	"github.com/vepverify/vepverify/keys"
)

// step is one check; describe tells what it looked at, whether or not it
// passed. The order of steps is PROTOCOL §7's: cheap before dear, and
// everything that is offline before anything that is not.
type step struct {
	name     string
	check    func(*run) error
	describe func(*run) []Fact
}

// consuming is the name of the one step that leaves a trace; explanations
// leave it out.
const consuming = "one use"

var steps = []step{
	{"size and number of certificates", (*run).checkShape, (*run).describeShape},
	{"form", (*run).parse, (*run).describeForm},
	{"algorithms and certified keys", (*run).checkKeys, (*run).describeKeys},
	{"audience", (*run).checkAudience, (*run).describeAudience},
	{"times", (*run).checkTimes, (*run).describeTimes},
	{"principal", (*run).checkPrincipal, (*run).describePrincipal},
	{"assertion signature", (*run).checkAssertionSignature, (*run).describeSignature},
	{"authority of the issuer", (*run).checkAuthority, (*run).describeAuthority},
	{"certificate signatures", (*run).checkCertificateSignatures, (*run).describeCertificates},
	{consuming, (*run).checkFirstUse, nil},
}

func (r *run) checkShape() error {
	if err := checkSize(r.text); err != nil {
		return err
	}
	n := strings.Count(r.text, "~")
	if n == 0 {
		return noCertificates()
	}
	if n > r.maxChain {
		return &Error{
			Kind: ErrChain, Reason: "certificate chaining is not yet allowed",
			Found: fmt.Sprintf("%d certificates", n), Expected: fmt.Sprintf("at most %d", r.maxChain),
			Advice: "if chains are wanted here, allow them", Setting: "MaxChain",
		}
	}
	return nil
}

// parse takes apart what is not remembered from before.
func (r *run) parse() (err error) {
	r.assertion, err = takeApart(r.text, func(text string) (err error) {
		known, _ := r.memory.certificates.Get(text)
		c := known.certificate()
		if c == nil {
			c, err = certchain.ParseCertificate(text)
		}
		if err == nil {
			r.chain, r.known, r.texts = append(r.chain, c), append(r.known, known), append(r.texts, text)
		}
		return err
	})
	return err
}

// allAlgorithms are the names that an alg may be (PROTOCOL 2.alg-unknown).
var allAlgorithms = keys.Algorithms()

// checkKeys loads the certified keys and holds each alg that can be judged
// offline against the key that should have signed.
func (r *run) checkKeys() error {
	for _, c := range r.chain {
		if !slices.Contains(allAlgorithms, c.Algorithm) {
			return algorithmMismatch(c.Algorithm, allAlgorithms, certchain.ErrAlgorithm)
		}
	}
	if !slices.Contains(allAlgorithms, r.assertion.Algorithm) {
		return algorithmMismatch(r.assertion.Algorithm, allAlgorithms, certchain.ErrAlgorithm)
	}
	for i := range r.chain {
		key, err := r.certifiedKey(i)
		if err != nil {
			return keyRefused(err)
		}
		r.certified = append(r.certified, key)
		signed := r.assertion
		if i+1 < len(r.chain) {
			signed = r.chain[i+1].Token
		}
		if signed.Algorithm != key.Algorithm() {
			return algorithmMismatch(signed.Algorithm, []string{key.Algorithm()}, certchain.ErrAlgorithm)
		}
	}
	return nil
}

func (r *run) certifiedKey(i int) (keys.PublicKey, error) {
	if known := r.known[i]; known != nil {
		return known.key, nil
	}
	return r.chain[i].PublicKey(r.config.InsecureWeakKeys)
}

func algorithmMismatch(found string, expected []string, cause error) error {
	return &Error{
		Kind: ErrAlgorithm, Reason: "algorithms do not match", cause: cause,
		Found: fmt.Sprintf("alg %.16q", found), Expected: "alg " + strings.Join(expected, " or "),
		Advice: "the header must name the algorithm of the key that signs; whoever made the token mislabelled it, or signed with another key",
	}
}

func keyRefused(err error) error {
	switch {
	case errors.Is(err, keys.ErrTooLarge):
		return &Error{
			Kind: ErrKey, Reason: "certified key refused: too large", cause: err, Found: err.Error(),
			Expected: "RSA of at most 4096 bits, and above 2048 bits an exponent of at most 65537",
			Advice:   "verifying with such a key takes too long; the user needs a smaller one, and no known browser makes one so large",
		}
	case errors.Is(err, keys.ErrWeak):
		return &Error{
			Kind: ErrWeakKey, Reason: "weak key in a certificate", cause: err,
			Found: err.Error(), Expected: "RSA of 1024, 2047 to 4096, or DSA of 1024 or 2048 bits",
			Advice: "anyone can factor such a key; only for archives, allow it", Setting: "InsecureWeakKeys",
		}
	}
	return &Error{
		Kind: ErrKey, Reason: "certified key refused", cause: err, Found: err.Error(),
		Expected: "public-key, an RS or DS key of a size that there is a name for",
		Advice:   "the issuer certified a key that nobody can use; tell it",
	}
}

func (r *run) checkAudience() error {
	aud, ok := r.signedAudience()
	if !ok {
		return malformed("the assertion proper", "aud, the origin that it is for", errors.New("aud is absent or no string"))
	}
	r.audience = aud
	return checkAudience(aud, r.accepted)
}

// signedAudience is the claim aud. It is, nearly always, the text of what is
// accepted, which then serves for both.
func (r *run) signedAudience() (string, bool) {
	raw, _ := r.assertion.Claims.Get("aud")
	for _, own := range r.accepted {
		if len(raw) == len(own)+2 && raw[0] == '"' && string(raw[1:len(raw)-1]) == own {
			return own, true
		}
	}
	return r.assertion.Claims.Text("aud")
}

func (r *run) checkTimes() error {
	now := r.at.UnixMilli()
	for i, c := range r.chain {
		if err := r.checkValidity(r.certificateName(i), c.Validity, now); err != nil {
			return err
		}
	}
	if err := r.checkValidity("assertion", r.assertion.Validity, now); err != nil {
		return err
	}
	return r.checkLifetime(now)
}

func (r *run) checkValidity(what string, v certchain.Validity, now int64) error {
	err := v.Check(r.at, r.leewayTime())
	if err == nil {
		return nil
	}
	e := &Error{
		Kind: ErrExpired, Reason: "expired", cause: err,
		Found:    fmt.Sprintf("%s %s (%s ago)", what, describeValidity(v), describeSpan(now-v.Expires.UnixMilli())),
		Expected: fmt.Sprintf("valid at %s, give or take %v", describeTime(now), r.leewayTime()),
		Advice:   "ask for a fresh assertion: they live for minutes; for an old one, verify as of its time", Setting: "Now",
	}
	if errors.Is(err, certchain.ErrNotYetValid) {
		e.Kind, e.Reason = ErrNotYetValid, "issued later than verification date"
		e.Found = what + " " + describeValidity(v)
		e.Advice, e.Setting = "compare the clocks of this machine, the issuer and the user", ""
	}
	return e
}

// checkLifetime returns an error if the one-use guard would have to remember the
// assertion for too long.
func (r *run) checkLifetime(now int64) error {
	life := r.assertion.Validity.Expires.UnixMilli() - now
	if life <= r.maxLife+r.leeway {
		return nil
	}
	limit := describeSpan(r.maxLife)
	return &Error{
		Kind:     ErrLifetime,
		Reason:   fmt.Sprintf("the assertion's lifetime of %s is over the limit of %s", describeSpan(life), limit),
		Found:    "assertion " + describeValidity(r.assertion.Validity),
		Expected: fmt.Sprintf("expires within %s, give or take %v: the one-use guard must remember it until then", limit, r.leewayTime()),
		Advice:   "sign assertions for a few minutes; if the signer cannot, raise the limit, and the one-use store's own", Setting: "MaxLife",
	}
}

// checkPrincipal finds the certified address, and holds chains to their host
// rule.
func (r *run) checkPrincipal() (err error) {
	if err := r.chain.CheckLinks(); err != nil {
		return &Error{Kind: ErrChain, Reason: "broken certificate chain", Found: err.Error(), cause: err,
			Expected: "each certificate but the last certifies the host that issues the next, and no email",
			Advice:   "an issuer must certify addresses itself, or a host that does"}
	}
	r.email, r.emailDomain, err = r.user().Email()
	trusted := r.trusted[r.issuer()]
	switch {
	case err != nil && trusted:
		return malformed("the last certificate", "an email address, or none", err)
	case r.email == "" && !trusted:
		return &Error{
			Kind: ErrIssuer, Reason: "untrusted assertion, doesn't contain an email, and issuer is untrusted", cause: err,
			Found: "issuer " + r.issuer() + ", no valid email", Expected: "an email address, or a trusted issuer",
			Advice: "if the issuer is yours, trust it", Setting: "TrustedIssuers",
		}
	}
	return nil
}

func (r *run) checkAssertionSignature() error {
	key := r.certified[len(r.certified)-1]
	if err := r.assertion.Verify(r.memory.userKeys.fast(key)); err != nil {
		return invalidSignature("the assertion", "by the certified "+key.Algorithm()+" key", err)
	}
	if r.known[len(r.known)-1] != nil { // else it was not seen before
		r.memory.userKeys.use(key)
	}
	return nil
}

func invalidSignature(what, expected string, err error) *Error {
	return &Error{
		Kind: ErrSignature, Reason: "invalid signature", cause: err,
		Found: what + ": signed by another key, or changed since", Expected: expected,
		Advice: "check that the text was copied whole and unchanged; otherwise it is forged",
	}
}

func (r *run) checkFirstUse() error {
	if r.config.OneUse == nil {
		return nil
	}
	until := r.assertion.Validity.Expires.Add(r.leewayTime())
	key := useKey(r.assertion, r.certified[len(r.certified)-1])
	first, err := r.firstUse(key, until)
	switch {
	case err != nil:
		return &Error{Kind: ErrUndecided, Reason: "the record of used assertions is not available", cause: err,
			Advice: "try again; if it stays so, look at the one-use store"}
	case !first:
		return &Error{Kind: ErrReplayed, Reason: "the assertion was used before",
			Found: "a second use", Expected: "one use", Advice: "ask for a fresh assertion"}
	}
	return nil
}

func (r *run) firstUse(key string, until time.Time) (bool, error) {
	if store, ok := r.config.OneUse.(sharing); ok {
		return store.FirstUseBy(r.ctx, r.party(), key, until)
	}
	return r.config.OneUse.FirstUse(r.ctx, key, until)
}

// party returns in whose name the one-use store keeps an entry: the registrable
// domain of the email. Only its owner can let an issuer speak for it, so that more
// parties cost more registered domains; an issuer could be used by anybody who
// delegates to it. It is empty for trusted issuers and the fallback.
func (r *run) party() string {
	if r.trusted[r.issuer()] || r.issuer() == r.fallback {
		return ""
	}
	return registrable.Domain(r.emailDomain)
}

func (r *run) certificateName(i int) string {
	if len(r.chain) == 1 {
		return "certificate"
	}
	return fmt.Sprintf("certificate %d", i+1)
}
