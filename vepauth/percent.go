package vepauth

import (
	"errors"
	"net/url"
	"strings"
)

var errPercent = errors.New("a malformed percent-encoding")

const alphanumeric = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"

var (
	// unreserved are the bytes that stand for themselves in RFC 5849, section 3.6.
	unreserved = setOf(alphanumeric + "-._~")
	// plainPath are those that net/url leaves alone in a path.
	plainPath = setOf(alphanumeric + "-._~/")
	// tokenBytes are those of RFC 9110, section 5.6.2.
	tokenBytes = setOf(alphanumeric + "-._~!#$%&'*+^`|")
	// targetBytes are those that a request target may have: no controls, no space,
	// and no fragment.
	targetBytes = targetSet()
	// plainQuoted are those of its section 5.6.4 that stand for themselves.
	plainQuoted = quotedBytes()
)

// byteSet says which bytes are in it.
type byteSet [256]bool

func setOf(members string) (s byteSet) {
	for _, c := range []byte(members) {
		s[c] = true
	}
	return s
}

func targetSet() (s byteSet) {
	for c := range s {
		s[c] = c > ' ' && c != 0x7f && c != '#'
	}
	return s
}

// quotedBytes are all but controls, of which the tab is allowed, quote and
// backslash. Beyond ASCII anything goes.
func quotedBytes() (s byteSet) {
	for c := range s {
		s[c] = c == '\t' || c >= ' ' && c != '"' && c != '\\' && c != 0x7f
	}
	return s
}

// prefix tells how many bytes at the beginning of text are in the set.
func prefix[S string | []byte](s *byteSet, text S) int {
	for i := range len(text) {
		if !s[text[i]] {
			return i
		}
	}
	return len(text)
}

// escape encodes as RFC 5849, section 3.6: everything but the unreserved
// characters, with capital digits. net/url has no function that does.
func escape(s string) string {
	if prefix(&unreserved, s) == len(s) {
		return s
	}
	return string(appendEscaped(make([]byte, 0, len(s)+16), s))
}

const hexDigits = "0123456789ABCDEF"

func appendEscaped(to []byte, s string) []byte {
	for {
		plain := prefix(&unreserved, s)
		to = append(to, s[:plain]...)
		if plain == len(s) {
			return to
		}
		c := s[plain]
		to = append(to, '%', hexDigits[c>>4], hexDigits[c&15])
		s = s[plain+1:]
	}
}

// unescape decodes percent-encoding, and errs where a '%' has no two digits. It
// is quick where there is none.
func unescape(s string) (string, error) {
	if strings.IndexByte(s, '%') < 0 {
		return s, nil
	}
	decoded, err := url.PathUnescape(s)
	if err != nil {
		return "", errPercent // net/url's says what was sent
	}
	return decoded, nil
}
