package signature

import (
	"net/url"
	"strings"
)

const (
	alphanumeric = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
	hexDigits    = "0123456789ABCDEF"
)

var (
	// unreserved are the bytes that stand for themselves in RFC 5849, section 3.6.
	unreserved = setOf(alphanumeric + "-._~")
	// tokenBytes are those of a token (RFC 9110, section 5.6.2).
	tokenBytes = setOf(alphanumeric + "-._~!#$%&'*+^`|")
	// quotedBytes are those that stand for themselves in a quoted string (RFC 9110,
	// section 5.6.4).
	quotedBytes = quotedSet()
)

// byteSet is a set of bytes.
type byteSet [256]bool

// setOf returns the set of the bytes of a string.
func setOf(members string) (s byteSet) {
	for _, c := range []byte(members) {
		s[c] = true
	}
	return s
}

// quotedSet returns all bytes except the quote, the backslash and controls. It contains
// the tab and the bytes above ASCII.
func quotedSet() (s byteSet) {
	for c := range s {
		s[c] = c == '\t' || c >= ' ' && c != '"' && c != '\\' && c != 0x7f
	}
	return s
}

// prefix returns the number of bytes at the beginning of text that are in the set.
func (s *byteSet) prefix(text string) int {
	for i := range len(text) {
		if !s[text[i]] {
			return i
		}
	}
	return len(text)
}

// Escape encodes a string by RFC 5849, section 3.6: every byte that is not
// unreserved, with upper-case digits. No function of net/url does this.
func Escape(s string) string {
	if unreserved.prefix(s) == len(s) {
		return s
	}
	return string(appendEscaped(make([]byte, 0, len(s)+16), s))
}

// appendEscaped appends what Escape returns.
func appendEscaped(to []byte, s string) []byte {
	for {
		plain := unreserved.prefix(s)
		to = append(to, s[:plain]...)
		if plain == len(s) {
			return to
		}
		c := s[plain]
		to = append(to, '%', hexDigits[c>>4], hexDigits[c&15])
		s = s[plain+1:]
	}
}

// Unescape decodes percent-encoding. It returns ErrPercent if a '%' has no two hexadecimal
// digits after it.
func Unescape(s string) (string, error) {
	if strings.IndexByte(s, '%') < 0 {
		return s, nil
	}
	decoded, err := url.PathUnescape(s)
	if err != nil {
		return "", ErrPercent // the error of net/url repeats the input
	}
	return decoded, nil
}
