package evp

import (
	"time"

	"github.com/vepverify/vepverify/assertion"
	"github.com/vepverify/vepverify/evp/internal/jose"
	"github.com/vepverify/vepverify/internal/humantime"
)

// The windows of rule 5, and the leeway for exp and nbf.
const (
	window = 300 * time.Second // how old an iat may be
	leeway = 60 * time.Second  // how far clocks may differ
)

// times are the claims iat, exp and nbf of a half, in seconds. They are zero until they are
// read.
type times struct {
	iat, exp, nbf  int64
	hasExp, hasNbf bool
	read           bool
}

// timeForm is what an error expects of a time.
const timeForm = "seconds since 1970, an integer up to 2^53 without fraction and exponent"

// readTimes reads the times of a half (rules 3.iat and 3.exp-nbf).
func readTimes(t *jose.Token, half string) (times, error) {
	var s times
	var ok bool
	if s.iat, _, ok = integer(t.Claims, "iat"); !ok {
		return times{}, badClaim("3.iat", half+": iat is not an integer", "iat: "+timeForm)
	}
	if s.exp, s.hasExp, ok = integer(t.Claims, "exp"); s.hasExp && !ok {
		return times{}, badClaim("3.exp-nbf", half+": exp is not an integer", "exp: "+timeForm+"; or no exp")
	}
	if s.nbf, s.hasNbf, ok = integer(t.Claims, "nbf"); s.hasNbf && !ok {
		return times{}, badClaim("3.exp-nbf", half+": nbf is not an integer", "nbf: "+timeForm+"; or no nbf")
	}
	s.read = true
	return s, nil
}

// checkTimes applies rule 5 and the rule 3.exp-nbf.
func (v *verification) checkTimes() (err error) {
	if v.kbTimes, err = readTimes(&v.kb, nameKB); err != nil {
		return err
	}
	if err := v.checkHalfTimes(nameEVT, v.evtTimes); err != nil {
		return err
	}
	return v.checkHalfTimes(nameKB, v.kbTimes)
}

func (v *verification) checkHalfTimes(half string, t times) error {
	now := v.now.UnixMilli()
	at := func(seconds int64) int64 { return seconds * 1000 }
	switch {
	case now > at(t.iat)+window.Milliseconds():
		return v.expired("5.window", half+" was issued", t.iat)
	case now < at(t.iat)-leeway.Milliseconds():
		return v.early("5.window", half+" was issued", t.iat)
	case t.hasExp && now >= at(t.exp)+leeway.Milliseconds():
		return v.expired("3.exp-nbf", half+" expired", t.exp)
	case t.hasNbf && now < at(t.nbf)-leeway.Milliseconds():
		return v.early("3.exp-nbf", half+" becomes valid", t.nbf)
	}
	return nil
}

func (v *verification) expired(rule, event string, seconds int64) error {
	return &Error{
		Kind: assertion.ErrExpired, Rule: rule, Reason: "expired",
		Found: event + " " + v.at(seconds), Expected: v.expectedTimes(),
		Advice: "the visitor took too long between leaving the address field and submitting the form: " +
			"verify the address in another way, by a code in a mail; if this happens to many visitors, compare the clocks of " +
			"this machine and of the issuer; for an old token, verify as of its time",
		Setting: "Now",
	}
}

func (v *verification) early(rule, event string, seconds int64) error {
	return &Error{
		Kind: assertion.ErrNotYetValid, Rule: rule, Reason: "issued later than verification date",
		Found: event + " " + v.at(seconds), Expected: v.expectedTimes(),
		Advice: "compare the clocks of this machine, the issuer and the user", Setting: "Now",
	}
}

// at returns a time of the token for people. The years of others are too many.
func (v *verification) at(seconds int64) string {
	const year9999 = 253402300799
	if seconds < 0 || seconds > year9999 {
		return "at a time that is not in seconds since 1970"
	}
	return humantime.At(time.Unix(seconds, 0), v.now)
}

func (v *verification) expectedTimes() string {
	return "issued at most " + humantime.Duration(window) + " before " + humantime.UTC(v.now) + " or " +
		humantime.Duration(leeway) + " after it; not expired, with a leeway of " + humantime.Duration(leeway)
}

// expires returns when the token expires (rule 11.expires).
func (v *verification) expires() time.Time {
	s := min(v.evtTimes.iat, v.kbTimes.iat) + int64(window/time.Second)
	for _, t := range [...]times{v.evtTimes, v.kbTimes} {
		if t.hasExp {
			s = min(s, t.exp)
		}
	}
	return time.Unix(s, 0).UTC()
}
