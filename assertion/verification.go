package assertion

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/vepverify/vepverify/certchain"
	"github.com/vepverify/vepverify/internal/humantime"
	"github.com/vepverify/vepverify/internal/origin"
	"github.com/vepverify/vepverify/keys"
	"github.com/vepverify/vepverify/wellknown"
)

// verification is one call of Verify or Explain: its arguments, and what each
// step found for the steps after it.
type verification struct {
	*Verifier
	ctx       context.Context
	text      string
	audiences []string
	now       time.Time

	chain       certchain.Chain
	texts       []string               // by certificate
	cached      []*verifiedCertificate // by certificate; nil if it is not in the cache
	certified   []keys.PublicKey       // by certificate
	assertion   *certchain.Token
	audience    string
	email       string // empty if none is certified
	emailDomain string

	authority  *wellknown.Authority
	primaryErr error // why the email's domain is not the authority; nil if it is

	signatureCheck wellknown.SignatureCheck
	checkedKeys    []keys.PublicKey // the list of keys that verifiedBy tried
	checkedOK      bool             // the outcome

	candidates  []keys.PublicKey // the published keys that are tried
	precomputed []keys.PublicKey // the same, with their tables
}

// verifications keeps values of type *verification for the memory of their slices
// (BenchmarkVerify).
var verifications = sync.Pool{New: func() any {
	v := new(verification)
	v.signatureCheck.Verifies = v.verifiedBy
	return v
}}

// begin returns a verification from the pool. The caller must call its end. The error
// matches [ErrMisuse].
func (v *Verifier) begin(ctx context.Context, a string, audiences []string) (*verification, error) {
	if err := v.checkMade(); err != nil {
		return nil, err
	}
	if ctx == nil {
		return nil, misuse("nil context")
	}
	if len(audiences) == 0 {
		return nil, misuse("no audience")
	}
	run := verifications.Get().(*verification)
	run.Verifier, run.ctx, run.text, run.now = v, ctx, a, v.config.Now()
	run.audiences = append(run.audiences, audiences...)
	return run, nil
}

// end clears v, except for the memory of its slices, and returns it to the pool.
func (v *verification) end() {
	clear(v.audiences)
	clear(v.chain)
	clear(v.texts)
	clear(v.cached)
	clear(v.certified)
	clear(v.candidates)
	clear(v.precomputed)
	*v = verification{
		audiences: v.audiences[:0], chain: v.chain[:0], texts: v.texts[:0], cached: v.cached[:0],
		certified: v.certified[:0], candidates: v.candidates[:0], precomputed: v.precomputed[:0],
		signatureCheck: wellknown.SignatureCheck{Verifies: v.signatureCheck.Verifies},
	}
	verifications.Put(v)
}

// user returns the certificate that certifies the user: the last one.
func (v *verification) user() *certchain.Certificate { return v.chain[len(v.chain)-1] }

// userKey returns the key that must have signed the assertion.
func (v *verification) userKey() keys.PublicKey { return v.certified[len(v.certified)-1] }

// issuer returns the domain that must be the authority, or trusted.
func (v *verification) issuer() string { return v.chain[0].Issuer }

// result returns the result of a verification that passed all steps.
func (v *verification) result() *Result {
	return &Result{
		Email: v.email, Audience: v.audience, Issuer: v.issuer(), Expires: v.assertion.Validity.Expires,
		IDPClaims:  cloneClaims(v.user().Extra()), // the certificate may be in the cache
		UserClaims: v.assertion.Claims.Extra(),
	}
}

// step is one check. describe returns what the check looked at, whether or not it
// passed.
type step struct {
	name     string
	check    func(*verification) error
	describe func(*verification) []Fact
}

// oneUseStep is the name of the only step with an effect. Explain skips it.
const oneUseStep = "one use"

// authorityStep is the name of the first step that may contact a host.
const authorityStep = "authority of the issuer"

// steps are in the order of PROTOCOL §7: those that need no network first, and
// among them the cheap ones first.
var steps = []step{
	{"size and number of certificates", (*verification).checkShape, (*verification).describeShape},
	{"form", (*verification).parse, (*verification).describeForm},
	{"algorithms and certified keys", (*verification).checkKeys, (*verification).describeKeys},
	{"audience", (*verification).checkAudience, (*verification).describeAudience},
	{"times", (*verification).checkTimes, (*verification).describeTimes},
	{"principal", (*verification).checkPrincipal, (*verification).describePrincipal},
	{"assertion signature", (*verification).checkAssertionSignature, (*verification).describeSignature},
	{authorityStep, (*verification).checkAuthority, (*verification).describeAuthority},
	{"certificate signatures", (*verification).checkCertificateSignatures, (*verification).describeCertificates},
	{oneUseStep, (*verification).checkFirstUse, nil},
}

func (v *verification) checkShape() error {
	n := strings.Count(v.text, "~")
	err := checkSize(v.text)
	switch {
	case err != nil:
	case n == 0:
		err = noCertificates()
	case n > v.config.MaxChain:
		err = &Error{
			Kind: ErrChain, Reason: "certificate chaining is not yet allowed",
			Found: fmt.Sprintf("%d certificates", n), Expected: fmt.Sprintf("at most %d", v.config.MaxChain),
			Advice: "if chains are wanted here, allow them", Setting: "MaxChain",
		}
	default:
		return nil
	}
	return recognized(err, v.text)
}

// parse parses the assertion, and the certificates that are not in the cache.
func (v *verification) parse() (err error) {
	v.assertion, err = splitBacked(v.text, func(text string) (err error) {
		cached, _ := v.cache.certificates.Get(text)
		c := cached.parsed()
		if c == nil {
			c, err = certchain.ParseCertificate(text)
		}
		if err == nil {
			v.chain, v.cached, v.texts = append(v.chain, c), append(v.cached, cached), append(v.texts, text)
		}
		return err
	})
	if err != nil {
		return recognized(err, v.text)
	}
	return nil
}

// allAlgorithms are the names that an alg may be (PROTOCOL 2.alg-unknown).
var allAlgorithms = keys.Algorithms()

// checkKeys parses the certified keys, and compares each alg with the certified
// key that must have signed the token. The issuer's key is not known yet.
func (v *verification) checkKeys() error {
	for _, c := range v.chain {
		if !slices.Contains(allAlgorithms, c.Algorithm) {
			return unknownAlgorithm(c.Algorithm)
		}
	}
	if !slices.Contains(allAlgorithms, v.assertion.Algorithm) {
		return unknownAlgorithm(v.assertion.Algorithm)
	}
	for i := range v.chain {
		key, err := v.certifiedKey(i)
		if err != nil {
			return keyRefused(err)
		}
		v.certified = append(v.certified, key)
		signed := v.assertion
		if i+1 < len(v.chain) {
			signed = v.chain[i+1].Token
		}
		if signed.Algorithm != key.Algorithm() {
			return userAlgorithmMismatch(signed.Algorithm, key)
		}
	}
	return nil
}

// certifiedKey returns the key that the i-th certificate certifies.
func (v *verification) certifiedKey(i int) (keys.PublicKey, error) {
	if cached := v.cached[i]; cached != nil {
		return cached.key, nil
	}
	return v.chain[i].PublicKey(v.config.InsecureWeakKeys)
}

func keyRefused(err error) error {
	switch {
	case errors.Is(err, keys.ErrTooLarge):
		return &Error{
			Kind: ErrKey, Reason: "certified key refused: too large", cause: err, Found: err.Error(),
			Expected: "RSA of at most 4096 bits, and above 2048 bits an exponent of at most 65537",
			Advice:   "verification with such a key takes too long; the user needs a smaller one, and no known browser makes one so large",
		}
	case errors.Is(err, keys.ErrWeak):
		return &Error{
			Kind: ErrWeakKey, Reason: "weak key in a certificate", cause: err,
			Found: err.Error(), Expected: "RSA of 1024, 2047 to 4096, or DSA of 1024 or 2048 bits",
			Advice: "such a key may have been factored; allow it for archives only", Setting: "InsecureWeakKeys",
		}
	}
	return &Error{
		Kind: ErrKey, Reason: "certified key refused", cause: err, Found: err.Error(),
		Expected: "public-key: an RSA or DSA key of a size that has an algorithm name",
		Advice:   "the issuer certified a key that cannot be used, so tell the issuer; or the text was changed on its way",
	}
}

// checkAudience compares the assertion's audience with those that the relying party
// accepts (PROTOCOL §5). Of several mismatches it reports the one that came closest
// to a match.
func (v *verification) checkAudience() error {
	var ok bool
	if v.audience, ok = v.signedAudience(); !ok {
		return malformed("the assertion proper", "aud: the origin of the relying party", errors.New("aud is absent or not a string"))
	}
	var closest origin.Mismatch
	for _, accepted := range v.audiences {
		mismatch := origin.Compare(v.audience, accepted)
		if mismatch == 0 {
			return nil
		}
		closest = max(closest, mismatch)
	}
	return &Error{
		Kind: ErrAudience, Reason: "audience mismatch: " + closest.String(),
		Found: fmt.Sprintf("%.200q", v.audience), Expected: fmt.Sprintf("%.200q", v.audiences),
		Advice: v.audienceAdvice(closest),
	}
}

// audienceAdvice returns what to do about an audience that is not accepted.
func (v *verification) audienceAdvice(m origin.Mismatch) string {
	lacksScheme := func(accepted string) bool { return !strings.Contains(accepted, "://") }
	if m == origin.SchemeMismatch && slices.ContainsFunc(v.audiences, lacksScheme) {
		return "an accepted audience without a scheme means http: give it in full, such as https://rp.example"
	}
	return "the assertion was made for another site, or the relying party's own origin is misconfigured: give it in full, such as https://rp.example"
}

// signedAudience returns the claim aud. If it is the text of an accepted audience,
// as nearly always, signedAudience returns that instead of a copy (BenchmarkVerify).
func (v *verification) signedAudience() (aud string, ok bool) {
	raw, _ := v.assertion.Claims.Get("aud")
	for _, accepted := range v.audiences {
		if len(raw) == len(accepted)+2 && raw[0] == '"' && string(raw[1:len(raw)-1]) == accepted {
			return accepted, true
		}
	}
	return v.assertion.Claims.Text("aud")
}

// checkTimes checks the times of each certificate and of the assertion, and the
// lifetime of the assertion.
func (v *verification) checkTimes() error {
	for i, c := range v.chain {
		if err := v.checkValidity(v.certificateName(i), c.Validity); err != nil {
			return err
		}
	}
	if err := v.checkValidity("assertion", v.assertion.Validity); err != nil {
		return err
	}
	return v.checkLifetime()
}

func (v *verification) checkValidity(what string, validity certchain.Validity) error {
	err := validity.Check(v.now, v.config.Leeway)
	if err == nil {
		return nil
	}
	if errors.Is(err, certchain.ErrNotYetValid) {
		return &Error{
			Kind: ErrNotYetValid, Reason: "issued later than verification date", cause: err,
			Found: what + " " + formatValidity(validity, v.now), Expected: v.expectedTime(),
			Advice: "compare the clocks of this machine, the issuer and the user",
		}
	}
	return &Error{
		Kind: ErrExpired, Reason: "expired", cause: err,
		Found: what + " " + formatValidity(validity, v.now), Expected: v.expectedTime(),
		Advice: v.expiredAdvice(what, validity), Setting: "Now",
	}
}

// expiredAdvice returns what to do about a token that has expired.
func (v *verification) expiredAdvice(what string, validity certchain.Validity) string {
	const seconds = 1e11 // the present in seconds is below this, and the present in milliseconds above
	switch {
	case validity.Expires.UnixMilli() < seconds && v.now.UnixMilli() > seconds:
		return "the times may be in seconds, as in JWT; those of BrowserID are in milliseconds; if not, verify as of the token's time"
	case what != "assertion":
		return "the user needs a new certificate, which browsers fetch by themselves, and a fresh assertion; for an old one, verify as of its time"
	}
	return "ask for a fresh assertion, because they are valid for minutes; for an old one, verify as of its time"
}

func (v *verification) expectedTime() string {
	return "valid at " + humantime.UTC(v.now) + ", with a leeway of " + humantime.Duration(v.config.Leeway)
}

// checkLifetime returns an error if the one-use guard would have to keep an entry
// for too long.
func (v *verification) checkLifetime() error {
	life := v.assertion.Validity.Expires.UnixMilli() - v.now.UnixMilli()
	if life-v.config.Leeway.Milliseconds() <= v.maxLife {
		return nil
	}
	limit, lifetime := humantime.Millis(v.maxLife), humantime.Millis(life)
	if lifetime == limit {
		lifetime = "a little more than " + limit
	}
	return &Error{
		Kind:     ErrLifetime,
		Reason:   fmt.Sprintf("the assertion's lifetime of %s is over the limit of %s", lifetime, limit),
		Found:    "assertion " + formatValidity(v.assertion.Validity, v.now),
		Expected: "expires within " + limit + ", with a leeway of " + humantime.Duration(v.config.Leeway) + ": the one-use guard must keep an entry until then",
		Advice:   "sign assertions for a few minutes; if that is impossible, raise the limit, and that of the one-use store", Setting: "MaxLife",
	}
}

// checkPrincipal finds the certified email address, and checks that each
// certificate of a chain certifies the host that issued the next.
func (v *verification) checkPrincipal() (err error) {
	if err := v.chain.CheckLinks(); err != nil {
		return &Error{
			Kind: ErrChain, Reason: "broken certificate chain", Found: err.Error(), cause: err,
			Expected: "each certificate but the last certifies the host that issues the next, and no email",
			Advice:   "an issuer must certify addresses itself, or a host that does",
		}
	}
	v.email, v.emailDomain, err = v.user().Email()
	trusted := v.trusted[v.issuer()]
	switch {
	case err != nil && trusted:
		return malformed("the last certificate", "an email address, or none", err)
	case v.email == "" && !trusted:
		return &Error{
			Kind: ErrIssuer, Reason: "untrusted assertion, doesn't contain an email, and issuer is untrusted", cause: err,
			Found: "issuer " + v.issuer() + ", no valid email", Expected: "an email address, or a trusted issuer",
			Advice: "if the issuer is yours, trust it", Setting: "TrustedIssuers",
		}
	}
	return nil
}

// certificateName names the i-th certificate in texts.
func (v *verification) certificateName(i int) string {
	if len(v.chain) == 1 {
		return "certificate"
	}
	return fmt.Sprintf("certificate %d", i+1)
}
