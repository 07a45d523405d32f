package evp

import (
	"crypto/sha256"
	"encoding/hex"

	"github.com/vepverify/vepverify/assertion"
	"github.com/vepverify/vepverify/internal/humantime"
	"github.com/vepverify/vepverify/internal/oneuse"
	"github.com/vepverify/vepverify/internal/registrable"
	"github.com/vepverify/vepverify/internal/typednil"
)

// maxOneUseLife is how far ahead a one-use guard must keep an entry: an iat may be ahead
// by the leeway, and the entry is kept for the leeway after the token has expired.
const maxOneUseLife = leeway + window + leeway

// checkGuard checks that a guard, unless it is nil, keeps entries for long enough.
func checkGuard(guard assertion.OneUse) error {
	if err := typednil.Check(guard); err != nil {
		return invalidConfig("OneUse", "%w", err)
	}
	if life, limited := oneuse.MaxLife(guard); limited && life < maxOneUseLife {
		return invalidConfig("OneUse", "keeps no entry for %s", humantime.Duration(maxOneUseLife))
	}
	return nil
}

// checkFirstUse asks the one-use guard (rule 12). It is the last step, because it has an
// effect.
func (v *verification) checkFirstUse() error {
	if v.config.OneUse == nil {
		return nil
	}
	first, err := v.firstUse()
	switch {
	case err != nil:
		const reason = "the record of used tokens is not available"
		return &Error{
			Kind: assertion.ErrUndecided, Reason: reason, detail: withCause(reason, err), cause: err, Found: err.Error(),
			Advice: "try again; if the error persists, check the one-use store", Setting: "OneUse",
		}
	case !first:
		return &Error{
			Kind: assertion.ErrReplayed, Rule: "12.one-use", Reason: "the token was used before",
			Found: "a second use", Expected: "one use", Advice: "show the form again, with a new nonce",
		}
	}
	return nil
}

// firstUse asks the guard by the registrable domain of the email address, because only the
// owner of that domain can let an issuer speak for it.
func (v *verification) firstUse() (bool, error) {
	sum := sha256.Sum256([]byte(v.kb.SigningInput))
	key, until := hex.EncodeToString(sum[:]), v.expires().Add(leeway)
	return oneuse.FirstUse(v.ctx, v.config.OneUse, registrable.Domain(v.domain), key, until)
}
