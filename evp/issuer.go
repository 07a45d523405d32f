package evp

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/vepverify/vepverify/assertion"
	"github.com/vepverify/vepverify/evp/internal/discovery"
	"github.com/vepverify/vepverify/evp/internal/jose"
)

// checkDomain compares the issuer with the one that the domain of the address names in DNS
// (rule 8).
func (v *verification) checkDomain() error {
	host, err := v.source.Issuer(v.ctx, v.domain)
	if err != nil {
		return lookupFailed(v.domain, "one TXT record at "+discovery.TXTPrefix+v.domain+": iss= and a host name", err)
	}
	if host == v.issuer {
		return nil
	}
	return &Error{
		Kind: assertion.ErrIssuer, Rule: "8.iss", Reason: "untrusted issuer: the domain of the address names another one",
		Found: "issued by " + v.issuer, Expected: "issued by " + host, Domain: v.domain,
		Advice: "only the issuer in the TXT record " + discovery.TXTPrefix + v.domain + " may speak for the address",
	}
}

// findKeys finds the keys of the issuer (rule 9).
func (v *verification) findKeys() (err error) {
	if v.keys, err = v.source.Keys(v.ctx, v.issuer, v.domain, false); err != nil {
		return v.issuerFailed(err)
	}
	return v.checkMetadata(v.keys.HasIssuer)
}

// issuerFailed returns the error for an issuer whose keys cannot be found. A fault of metadata
// that were read comes first, because it is certain, also if the key set is unavailable.
func (v *verification) issuerFailed(err error) error {
	var lookup *discovery.Error
	if errors.As(err, &lookup) {
		if err := v.checkMetadata(!lookup.LacksIssuer()); err != nil {
			return err
		}
	}
	return lookupFailed(v.issuer, "metadata at "+discovery.MetadataURL(v.issuer)+", and the key set that it names", err)
}

// checkMetadata applies what Draft02 says about metadata.
func (v *verification) checkMetadata(hasIssuer bool) error {
	if v.config.Profile == Draft02 && !hasIssuer {
		return draft02(assertion.ErrIssuer, "the metadata of the issuer has no issuer", "metadata with the issuer")
	}
	return nil
}

// lookupFailed returns the error for a lookup that failed. Its Reason tells only whether
// that may change: with more detail, any sender could find out which names exist in the
// verifier's network. Found and the cause are for logs.
func lookupFailed(domain, expected string, err error) error {
	e := &Error{
		Kind: assertion.ErrIssuer, Reason: "untrusted issuer: " + domain + " does not support the protocol",
		detail: "untrusted issuer: " + domain + ": " + err.Error(),
		Found:  domain + ": " + err.Error(), Expected: expected, Domain: domain, cause: err,
	}
	var lookup *discovery.Error
	if errors.As(err, &lookup) {
		e.Rule, e.Advice, e.Setting = lookup.Rule, lookup.Advice, lookup.Setting
		if lookup.Domain != "" {
			e.Domain = lookup.Domain
		}
	}
	if isUnavailable(err) {
		e.Kind, e.Reason = assertion.ErrUndecided, "undecided, "+domain+" is unavailable"
		e.detail = "undecided, " + domain + ": " + err.Error()
	}
	return e
}

// isUnavailable reports whether err means that an outcome is not known now.
func isUnavailable(err error) bool {
	var lookup *discovery.Error
	if errors.As(err, &lookup) {
		return lookup.Outcome != discovery.Refused
	}
	return true // such as the end of a context
}

// checkIssuerSignature verifies the issuer's half by the keys of the issuer (rule 10). If
// none verifies it, the keys that are known here may be older than the issuer's newest
// key: they are fetched again, once.
func (v *verification) checkIssuerSignature() error {
	if v.tryKeys() {
		v.keys.MarkVerified()
		return nil
	}
	fresh, err := v.source.Keys(v.ctx, v.issuer, v.domain, true)
	switch {
	case err != nil && isUnavailable(err):
		if v.isFresh() {
			return v.notVerified()
		}
		return v.notRefreshed(err)
	case err != nil:
		return v.issuerFailed(err)
	case !fresh.Fetched.After(v.keys.Fetched):
		return v.notVerified()
	}
	v.keys, v.refresh = fresh, true
	if err := v.checkMetadata(fresh.HasIssuer); err != nil {
		return err
	}
	if !v.tryNewKeys() {
		return v.notVerified()
	}
	v.keys.MarkVerified()
	return nil
}

// isFresh reports whether the keys were fetched so recently that a refresh is not expected
// to find others.
func (v *verification) isFresh() bool {
	const recent = time.Minute
	return v.keys.Fetched.IsZero() || v.now.Sub(v.keys.Fetched) < recent
}

// Limits of the keys that are tried for a token (rule 10.tries), so that a long list of
// keys does not multiply the cost of a forged one.
const (
	maxTries      = 16
	maxLargeTries = 4    // of RSA keys that are larger than
	largeKey      = 2048 // bits
	maxAllTries   = 17   // before and after a refresh
	maxAllLarge   = 6    // of these, of large keys
)

// choice is the keys that rule 10 selects for a token.
type choice struct {
	named int               // number of keys with the kid, or of all keys if there is none
	fit   int               // of these, the number that fit the alg
	tried []*jose.PublicKey // of these, those that are tried
}

// choose selects the keys for a token. A kid that is not empty selects the keys with that
// kid, otherwise all keys are selected. Of those that fit the alg, the first 16 are tried,
// of which at most four are large: further large ones are skipped and do not count.
func (v *verification) choose() choice {
	c := choice{tried: v.choice.tried[:0]}
	large := 0
	for _, k := range v.keys.Keys {
		if v.evt.Kid != "" && k.Kid() != v.evt.Kid {
			continue
		}
		c.named++
		if !v.mayVerify(k) {
			continue
		}
		c.fit++
		if k.Bits() > largeKey {
			if large++; large > maxLargeTries {
				continue
			}
		}
		if len(c.tried) < maxTries {
			c.tried = append(c.tried, k)
		}
	}
	return c
}

// mayVerify reports whether a key fits the alg of the issuer's half, and the profile.
func (v *verification) mayVerify(k *jose.PublicKey) bool {
	return k.Fits(v.evt.Alg) && (v.config.Profile != Draft02 || k.Alg() != jose.EdDSA)
}

// tryKeys reports whether one of the chosen keys verifies the issuer's half.
func (v *verification) tryKeys() bool {
	v.choice = v.choose()
	return slices.ContainsFunc(v.choice.tried, v.signedBy)
}

func (v *verification) signedBy(k *jose.PublicKey) bool { return v.verifies(k, &v.evt) }

// tryNewKeys is tryKeys after a refresh. It does not try a key again, and fewer new ones if
// many were tried before, so that an issuer whose keys change all the time cannot double the
// cost of a token. Large keys that are too many are skipped and do not count, as in choose.
func (v *verification) tryNewKeys() bool {
	before := slices.Clone(v.choice.tried)
	tries, large := len(before), 0
	for _, k := range before {
		if k.Bits() > largeKey {
			large++
		}
	}
	v.choice = v.choose()
	chosen := v.choice.tried
	v.choice.tried = chosen[:0] // without those that are not tried
	for _, k := range chosen {
		again := slices.ContainsFunc(before, k.Equal)
		if !again && k.Bits() > largeKey {
			if large++; large > maxAllLarge {
				continue
			}
		}
		if !again {
			if tries++; tries > maxAllTries {
				break
			}
		}
		v.choice.tried = append(v.choice.tried, k)
		if !again && v.signedBy(k) {
			return true
		}
	}
	return false
}

// notVerified returns the error for an issuer's half that no key verifies.
func (v *verification) notVerified() error {
	e := &Error{
		Kind: assertion.ErrSignature, Rule: "10.signature", Reason: "invalid signature of the issuer's half",
		Expected: "a signature by a key that " + v.issuer + " publishes", Domain: v.issuer,
	}
	c, alg := v.choice, v.evt.Alg
	switch {
	case c.fit > len(c.tried):
		e.Rule = "10.tries"
		e.Found = fmt.Sprintf("signed by none of the %d keys that were tried, of %d that %s publishes for it", len(c.tried), c.fit, v.issuer)
		e.Advice = fmt.Sprintf("the issuer should publish fewer keys for one kid: the first %d are tried, "+
			"of which at most %d RSA keys over %d bits", maxTries, maxLargeTries, largeKey)
	case c.fit > 0:
		e.Found = fmt.Sprintf("signed by none of the %d keys of %s that were tried, or changed since", c.fit, v.issuer)
		e.Advice = "usually the issuer has changed its keys; else the text was changed on its way, or is forged"
	case c.named > 0:
		e.Rule = "10.kid"
		e.Found = fmt.Sprintf("%d keys of %s, none of them for alg %s", c.named, v.issuer, alg)
		e.Advice = "the issuer must publish the key that it signs with, and sign with its alg"
	default:
		e.Rule = "10.kid"
		e.Found = fmt.Sprintf("%d usable keys of %s, none of them with the kid of the token", len(v.keys.Keys), v.issuer)
		e.Advice = "the issuer must publish the key that it signs with, with the kid that the token names"
	}
	if v.keys.Skipped > 0 {
		e.Found += fmt.Sprintf(" (%d entries of its key set are not usable)", v.keys.Skipped)
	}
	e.detail = e.Reason + " (" + e.Found + ")"
	return e
}

// notRefreshed returns the error for an issuer's half that no known key verifies, if the
// issuer cannot be asked for newer keys.
func (v *verification) notRefreshed(err error) error {
	e := &Error{
		Kind: assertion.ErrUndecided, Rule: "10.refresh", Expected: "newer keys, among them the one that signed",
		Reason: "undecided, no known key verifies the issuer's half, and " + v.issuer + " is unavailable",
		Found:  "the keys known here do not verify it, and newer ones cannot be fetched: " + err.Error(), Domain: v.issuer, cause: err,
		Advice: "try again later",
	}
	e.detail = withCause(e.Reason, err)
	var lookup *discovery.Error
	if errors.As(err, &lookup) && lookup.Advice != "" {
		e.Advice, e.Setting = lookup.Advice, lookup.Setting
	}
	return e
}
