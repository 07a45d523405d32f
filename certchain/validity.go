package certchain

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"

	"github.com/vepverify/vepverify/internal/strictjson"
)

// Validity holds a token's times, all in milliseconds since the epoch.
type Validity struct {
	Expires   int64  // exp: the last moment at which the token is valid
	IssuedAt  *int64 // iat, nil when absent
	NotBefore *int64 // nbf, nil when absent
}

// Check errs with ErrNotYetValid or ErrExpired unless the token is valid at
// now, give or take leeway (both in milliseconds). A time equal to now is fine.
func (v Validity) Check(now, leeway int64) error {
	for _, start := range []*int64{v.IssuedAt, v.NotBefore} {
		if start != nil && *start > now+leeway {
			return fmt.Errorf("%w: valid in %d ms", ErrNotYetValid, *start-now)
		}
	}
	if now > v.Expires+leeway {
		return fmt.Errorf("%w: %d ms ago", ErrExpired, now-v.Expires)
	}
	return nil
}

func (t *Token) readTimes() error {
	exp, there, err := t.Claims.time("exp")
	if err != nil {
		return err
	}
	if !there {
		return malformed("no exp")
	}
	t.Validity.Expires = exp
	for i, start := range []struct {
		name string
		into **int64
	}{{"iat", &t.Validity.IssuedAt}, {"nbf", &t.Validity.NotBefore}} {
		if t.times[i], there, err = t.Claims.time(start.name); err != nil {
			return err
		}
		if there {
			*start.into = &t.times[i]
		}
	}
	return nil
}

func (c Claims) time(name string) (ms int64, there bool, err error) {
	raw, there := c.Get(name)
	if !there {
		return 0, false, nil
	}
	ms, ok := parseMillis(raw)
	if !ok {
		return 0, true, malformed("%s is no time in milliseconds", name)
	}
	return ms, true, nil
}

// maxMillis is 2^53: beyond it, implementations that read numbers as floating
// point disagree about what a token says.
const maxMillis = 1 << 53

// maxDigits is the number of decimal digits of maxMillis.
const maxDigits = 16

// parseMillis reads a time: a JSON number, its fraction cut off, or a string
// of 1 to 16 digits.
func parseMillis(raw json.RawMessage) (int64, bool) {
	if ms, ok := plainMillis(raw); ok {
		return ms, true
	}
	if s, ok := strictjson.String(raw); ok {
		return wholeMillis(s)
	}
	if ms, ok := wholeMillis(string(raw)); ok && raw[0] != '"' {
		return ms, true
	}
	s, negative := strings.CutPrefix(string(raw), "-")
	if s == "" || s[0] < '0' || s[0] > '9' {
		return 0, false
	}
	ms, ok := wholeMillis(cutFraction(s))
	if negative {
		ms = -ms
	}
	return ms, ok
}

// plainMillis reads what nearly every time is: 1 to 16 digits. Others are not ok,
// whether or not they are times.
func plainMillis(raw json.RawMessage) (ms int64, ok bool) {
	if len(raw) == 0 || len(raw) > maxDigits {
		return 0, false
	}
	for _, c := range raw {
		if c < '0' || c > '9' {
			return 0, false
		}
		ms = ms*10 + int64(c-'0')
	}
	return ms, ms <= maxMillis
}

func wholeMillis(digits string) (int64, bool) {
	if len(digits) == 0 || len(digits) > maxDigits || strings.Trim(digits, "0123456789") != "" {
		return 0, false
	}
	ms, err := strconv.ParseInt(digits, 10, 64)
	return ms, err == nil && ms <= maxMillis
}

// cutFraction gives the digits before the decimal point of an unsigned JSON
// number, exponent and all; of a number far too large, more than maxDigits.
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

// clampedInt reads a JSON exponent. Any that is out of proportion to a 32 KiB
// token comes out as one that still is.
func clampedInt(s string) int {
	const limit = 1 << 20
	if s == "" {
		return 0
	}
	n, err := strconv.ParseInt(s, 10, 32)
	if err != nil { // digits by JSON's grammar, so out of range
		n = limit
		if s[0] == '-' {
			n = -limit
		}
	}
	return int(max(-limit, min(n, limit)))
}
