package assertion

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/vepverify/vepverify/certchain"
	"github.com/vepverify/vepverify/internal/humantime"
	"github.com/vepverify/vepverify/keys"
)

func (v *verification) checkAssertionSignature() error {
	key := v.userKey()
	if err := v.assertion.Verify(v.cache.userKeys.precomputed(key)); err != nil {
		return invalidSignature(&Error{
			cause:    err,
			Found:    "the assertion: not signed by the certified key, or changed since",
			Expected: "a signature by the certified key, " + describeKey(key),
			Advice: "usually it was signed with another key than the certificate is about, as when parts of two assertions are put together; " +
				"else the text was changed on its way, or is forged",
		})
	}
	if v.cached[len(v.cached)-1] != nil { // else the certificate is new, and may be forged
		v.cache.userKeys.countUse(key)
	}
	return nil
}

// invalidSignature completes the error for a signature that no permitted key made.
func invalidSignature(e *Error) *Error {
	e.Kind, e.Reason = ErrSignature, "invalid signature"
	e.detail = e.Reason + " (" + e.Found + ")"
	return e
}

// algorithmMismatch completes the error for a token whose alg is not that of a key.
func algorithmMismatch(e *Error) *Error {
	e.Kind, e.Reason = ErrAlgorithm, "algorithms do not match"
	return e
}

// unknownAlgorithm returns the error for an alg that is not of this protocol.
func unknownAlgorithm(found string) *Error {
	return algorithmMismatch(&Error{
		cause: certchain.ErrAlgorithm,
		Found: fmt.Sprintf("alg %.16q", found), Expected: "alg " + strings.Join(allAlgorithms, " or "),
		Advice: "the token is of another protocol, or of software that does not have the names of BrowserID",
	})
}

// userAlgorithmMismatch returns the error for a token whose alg is not that of the
// certified key.
func userAlgorithmMismatch(found string, certified keys.PublicKey) *Error {
	return algorithmMismatch(&Error{
		cause: certchain.ErrAlgorithm,
		Found: fmt.Sprintf("alg %.16q", found), Expected: "alg " + certified.Algorithm() + ", of the certified key: " + describeKey(certified),
		Advice: "the header must name the algorithm of the key that signs; the token has the wrong name, or was signed with another key",
	})
}

// certificateRefused returns the error for an error of verifyChain.
func (v *verification) certificateRefused(failed int, err error) *Error {
	switch {
	case failed > 0:
		return v.linkRefused(failed, err)
	case errors.Is(err, certchain.ErrAlgorithm):
		return v.noCandidate(err)
	}
	name, domain := v.certificateName(0), v.authority.Domain
	e := &Error{
		cause: err,
		Found: fmt.Sprintf("the %s: signed by none of the keys of %s that were tried, or changed since (%s)",
			name, domain, strings.Join(v.describeTried(), "; ")),
		Expected: "a signature by a key that " + domain + " publishes",
		Advice: v.rotatedAdvice() + "; else it signs with a key that it does not publish" + v.untriedAdvice() +
			", or the text was changed on its way, or is forged",
	}
	e.setDomain(domain, v.emailDomain)
	return invalidSignature(e)
}

// linkRefused returns the error for a certificate that the one before it in the chain must
// verify.
func (v *verification) linkRefused(failed int, err error) *Error {
	name, before := v.certificateName(failed), v.certificateName(failed-1)
	return invalidSignature(&Error{
		cause:    err,
		Found:    "the " + name + ": not signed by the key that " + before + " is about, or changed since",
		Expected: "a signature by the key of " + before + ", " + describeKey(v.certified[failed-1]),
		Advice: "usually " + v.chain[failed].Issuer + " has changed its key and still sends the old " + before +
			"; else the text was changed on its way, or is forged",
	})
}

// describeTried describes what the first certificate was verified with, for people.
func (v *verification) describeTried() []string {
	facts := []string{"tried: " + describeKeys(v.candidates)}
	if n := len(ofAlgorithm(v.publishedKeys(), v.chain[0].Algorithm)); n > len(v.candidates) {
		facts = append(facts, fmt.Sprintf("%d keys of this algorithm are published, of which only the first %d were tried", n, len(v.candidates)))
	}
	if weak := v.unusedWeakKeys(); len(weak) > 0 {
		facts = append(facts, "weak and not used: "+describeKeys(weak))
	}
	facts = append(facts, v.describeSkipped()...)
	if !v.authority.Fetched.IsZero() { // a document from a file was not fetched
		facts = append(facts, "document fetched "+v.fetched())
	}
	if issued := v.chain[0].Validity.IssuedAt; !issued.IsZero() {
		facts = append(facts, "certificate issued "+humantime.At(issued, v.now))
	}
	return facts
}

// rotatedAdvice names the usual causes of a certificate that no published key verifies. The
// keys known here cannot be old if they have just been fetched.
func (v *verification) rotatedAdvice() string {
	domain, fetched := v.authority.Domain, v.authority.Fetched
	advice := "usually " + domain + " has changed its key since it signed the certificate: the user needs a new one"
	if fetched.IsZero() || v.now.Sub(fetched) > time.Minute {
		advice += ", or the keys known here are old and must be fetched anew"
	}
	return advice
}

// fetched returns when the document was fetched, and how long before the time of verification,
// which for archives is earlier.
func (v *verification) fetched() string {
	if at := v.authority.Fetched; at.After(v.now) {
		return humantime.UTC(at)
	}
	return humantime.At(v.authority.Fetched, v.now)
}

// untriedAdvice names what an issuer that publishes the right key must change.
func (v *verification) untriedAdvice() string {
	switch {
	case len(ofAlgorithm(v.publishedKeys(), v.chain[0].Algorithm)) > len(v.candidates):
		return ", or too late in its list"
	case len(v.unusedWeakKeys())+len(v.authority.SkippedKeys) > 0:
		return ", or with one that cannot be used"
	}
	return ""
}

// noCandidate returns the error for a certificate for whose alg no usable key is published.
// The reasons for it are the issuer's, except that the header may have the wrong name.
func (v *verification) noCandidate(err error) *Error {
	alg, domain, published := v.chain[0].Algorithm, v.authority.Domain, v.publishedKeys()
	e := algorithmMismatch(&Error{cause: err, Expected: "a usable key for " + alg + " that " + domain + " publishes"})
	e.setDomain(domain, v.emailDomain)
	weak := v.unusedWeakKeys()
	switch {
	case len(weak) > 0:
		e.Found = fmt.Sprintf("%s publishes a key for %s that is weak and not used, because InsecureWeakKeys is off: %s", domain, alg, describeKeys(weak))
		e.Advice = "the key of " + domain + " is too weak, not the user's: the issuer should publish a longer one; for archives, or until then, allow weak keys"
		e.Setting = "InsecureWeakKeys"
		e.cause = fmt.Errorf("%w: %w", err, keys.ErrWeak)
	case len(published) == 0:
		e.Found = domain + " publishes no usable key"
		e.Advice = domain + " must publish the key that it signs with: RSA of 1024, or of 2047 to 4096 bits, or DSA of 1024 or 2048 bits"
	default:
		e.Found = fmt.Sprintf("the %s has alg %s; %s publishes only keys for other algorithms: %s", v.certificateName(0), alg, domain, describeKeys(published))
		e.Advice = v.rotatedAdvice() + "; else the header has the wrong name"
	}
	if more := v.otherKeys(len(weak) == 0); len(more) > 0 {
		e.Found += " (" + strings.Join(more, "; ") + ")"
	}
	e.detail = e.Reason + " (" + e.Found + ")"
	return e
}

// otherKeys describes the published keys that no verification uses and, if weak is set,
// those that this one does not use.
func (v *verification) otherKeys(weak bool) (facts []string) {
	if list := v.authority.WeakKeys; weak && !v.config.InsecureWeakKeys && len(list) > 0 {
		facts = append(facts, "weak and not used: "+describeKeys(list))
	}
	return append(facts, v.describeSkipped()...)
}

// unusedWeakKeys returns the weak keys of the authority for the alg of the first
// certificate, unless weak keys are allowed.
func (v *verification) unusedWeakKeys() []keys.PublicKey {
	if v.config.InsecureWeakKeys {
		return nil
	}
	return ofAlgorithm(v.authority.WeakKeys, v.chain[0].Algorithm)
}

func (v *verification) describeSkipped() (facts []string) {
	for _, skipped := range v.authority.SkippedKeys {
		facts = append(facts, "skipped: "+skipped.String())
	}
	return facts
}

// ofAlgorithm returns the keys of an algorithm.
func ofAlgorithm(list []keys.PublicKey, name string) []keys.PublicKey {
	return slices.DeleteFunc(slices.Clone(list), func(k keys.PublicKey) bool { return k.Algorithm() != name })
}

// describeKey returns the algorithm and the length of a key, such as "RS128 of 1023 bits".
func describeKey(key keys.PublicKey) string {
	return fmt.Sprintf("%s of %d bits", key.Algorithm(), key.Bits())
}

func describeKeys(list []keys.PublicKey) string {
	texts := make([]string, len(list))
	for i, key := range list {
		texts[i] = describeKey(key)
	}
	return strings.Join(texts, ", ")
}
