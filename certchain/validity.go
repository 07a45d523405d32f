package certchain

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/vepverify/vepverify/internal/humantime"
	"github.com/vepverify/vepverify/internal/strictjson"
)

// Validity is the time in which a token is valid. Each time is a whole number of
// milliseconds and at most 2^53 milliseconds from 1970, which is beyond the years
// that [time.Time.MarshalJSON] writes.
type Validity struct {
	Expires   time.Time // exp: the last millisecond in which the token is valid
	IssuedAt  time.Time // iat; the zero time if absent
	NotBefore time.Time // nbf; the zero time if absent
}

// Check returns an error matching [ErrNotYetValid] or [ErrExpired] if the token is
// not valid at now. IssuedAt and NotBefore may be later than now, and Expires may be
// earlier, by at most leeway. Check compares whole milliseconds, as the protocol
// does: fractions of now and leeway are cut off.
func (v Validity) Check(now time.Time, leeway time.Duration) error {
	at, slack := now.UnixMilli(), leeway.Milliseconds()
	for _, start := range [...]time.Time{v.IssuedAt, v.NotBefore} {
		if ms := start.UnixMilli(); !start.IsZero() && ms > at+slack {
			return fmt.Errorf("%w: valid in %s", ErrNotYetValid, humantime.Approximate(ms-at))
		}
	}
	if expires := v.Expires.UnixMilli(); at > expires+slack {
		return fmt.Errorf("%w: %s ago", ErrExpired, humantime.Approximate(at-expires))
	}
	return nil
}

func (t *Token) readTimes() error {
	var err error
	if t.Validity.Expires, err = t.Claims.time("exp"); err != nil {
		return err
	}
	if _, ok := t.Claims.Get("exp"); !ok {
		return malformed("no exp")
	}
	if t.Validity.IssuedAt, err = t.Claims.time("iat"); err != nil {
		return err
	}
	t.Validity.NotBefore, err = t.Claims.time("nbf")
	return err
}

// time returns the claim of that name, the zero time if there is none.
func (c Claims) time(name string) (time.Time, error) {
	raw, ok := c.Get(name)
	if !ok {
		return time.Time{}, nil
	}
	ms, ok := parseMillis(raw)
	if !ok {
		return time.Time{}, malformed("%s is not a time in milliseconds", name)
	}
	return time.UnixMilli(ms), nil
}

// maxMillis is 2^53. Beyond it, implementations that parse numbers as floating point
// disagree about the value.
const maxMillis = 1 << 53

// maxDigits is the number of decimal digits of maxMillis.
const maxDigits = 16

// parseMillis parses a time: a JSON number, whose fraction is cut off, or a string of 1
// to 16 digits.
func parseMillis(raw json.RawMessage) (ms int64, ok bool) {
	if ms, ok := parseDigits(raw); ok { // nearly always
		return ms, true
	}
	if s, ok := strictjson.Text(raw); ok {
		return parseDigits(s)
	}
	s, negative := strings.CutPrefix(string(raw), "-")
	if s == "" || s[0] < '0' || s[0] > '9' {
		return 0, false
	}
	ms, ok = parseDigits([]byte(cutFraction(s)))
	if negative {
		ms = -ms
	}
	return ms, ok
}

// parseDigits parses a time of 1 to 16 digits and nothing else.
func parseDigits(text []byte) (ms int64, ok bool) {
	if len(text) == 0 || len(text) > maxDigits {
		return 0, false
	}
	for _, c := range text {
		if c < '0' || c > '9' {
			return 0, false
		}
		ms = ms*10 + int64(c-'0')
	}
	return ms, ms <= maxMillis
}

// cutFraction returns the digits of the integer part of an unsigned JSON number, which
// may have a fraction and an exponent. For a number that is far too large, it returns
// more than maxDigits digits.
func cutFraction(s string) string {
	mantissa, exponent, _ := strings.Cut(strings.ToLower(s), "e")
	whole, fraction, _ := strings.Cut(mantissa, ".")
	digits := strings.TrimLeft(whole+fraction, "0")
	if digits == "" {
		return "0"
	}
	leadingZeros := len(whole) + len(fraction) - len(digits)
	point := len(whole) - leadingZeros + clampedInt(exponent)
	switch {
	case point <= 0:
		return "0"
	case point <= len(digits):
		return digits[:point]
	case point > maxDigits:
		return digits + strings.Repeat("0", maxDigits)
	}
	return digits + strings.Repeat("0", point-len(digits))
}

// clampedInt parses the exponent of a JSON number. It limits exponents that are far
// larger than the length of a token, at most 32 KiB, so that sums do not overflow.
func clampedInt(s string) int {
	const limit = 1 << 20
	if s == "" {
		return 0
	}
	n, err := strconv.ParseInt(s, 10, 32)
	if err != nil { // out of range: the grammar of JSON requires digits
		n = limit
		if s[0] == '-' {
			n = -limit
		}
	}
	return int(max(-limit, min(n, limit)))
}
