package sniff

import (
	"encoding/base64"
	"strings"

	"github.com/vepverify/vepverify/internal/domain"
)

// form recognizes the forms of tokens, by all bytes of a text.
func form(text string) Kind {
	isToken := startsToken(text)
	switch {
	case strings.HasPrefix(text, "eyJ") && (strings.Contains(text, "...") || strings.Contains(text, "…")):
		return Abbreviated
	case !isToken && !strings.Contains(text, "~"):
		return surrounded(text)
	}
	s := shapeOf(text)
	switch {
	case isToken && isEVP(text):
		return evpKind(text, s)
	case isToken && isSDJWT(text):
		return SDJWT
	case s.isBacked() && (isToken || s.foreign&space == 0):
		return backed(text, s.foreign)
	case strings.HasPrefix(text, "ZXlK") && s.parts == 1 && s.dots == 0 && isToken:
		return DoubleBase64
	case isToken && s.foreign == 0:
		return partial(text, s)
	case strings.HasPrefix(text, "~") && s.parts == 2 && s.tokens == 1 && s.foreign == 0:
		return tokenKind(text[1:])
	case s.foreign&space != 0 && hasSeveral(text):
		return Several
	case !isToken:
		return surrounded(text)
	}
	return Unknown
}

// longForm recognizes the form of a text by its beginning.
func longForm(text string) Kind {
	switch {
	case hasSeveral(text):
		return Several
	case startsToken(text) && isEVP(text):
		return EVPToken
	case startsToken(text) && isSDJWT(text):
		return SDJWT
	case startsToken(text):
		return Unknown
	}
	return surrounded(text)
}

// backed recognizes texts that have the form of an assertion, except for bytes of foreign
// classes in it.
func backed(text string, foreign class) Kind {
	first, _, _ := strings.Cut(text, "~")
	last := text[strings.LastIndexByte(text, '~')+1:]
	switch {
	case foreign&other != 0:
		return Unknown
	case foreign&notASCII != 0:
		return Invisible
	case foreign&bracket != 0:
		return Quoted
	case foreign&base64Std != 0:
		return Base64
	case foreign&space != 0:
		return Folded
	case tokenKind(first) == IdentityAssertion && tokenKind(last) == Certificate:
		return Reversed
	}
	return Assertion
}

// partial recognizes a single token, and parts of an assertion.
func partial(text string, s shape) Kind {
	switch {
	case s.parts == 1 && s.tokens == 1:
		return tokenKind(text)
	case s.parts == 1 && s.dots == 4 && strings.Contains(decode(text, maxHeader), `"enc"`):
		return JWT // encrypted
	case s.parts == 2 && s.tokens == 1 && strings.HasSuffix(text, "~"):
		return Certificate
	case s.tokens == s.parts-1 && s.dots <= 2 && !strings.HasSuffix(text, "~"):
		return CutOff
	}
	return Unknown
}

// surrounded recognizes an email address, and a token with other text before it.
func surrounded(text string) Kind {
	if _, _, ok := domain.Email(text[:min(len(text), 400)]); ok {
		return Email
	}
	if HoldsToken(text[:min(len(text), maxHead)]) {
		return Surrounded
	}
	return Unknown
}

// hasSeveral reports whether the first line is an assertion, and another one follows.
func hasSeveral(text string) bool {
	first, rest, found := strings.Cut(text, "\n")
	s := shapeOf(strings.TrimRight(first, "\r"))
	return found && s.isBacked() && s.foreign == 0 && startsToken(strings.TrimLeft(rest, " \t\r\n"))
}

// tokenKind returns Certificate, IdentityAssertion or JWT for a token, by its claims.
func tokenKind(token string) Kind {
	_, claims, _ := strings.Cut(token, ".")
	decoded := decode(claims, maxHead)
	has := func(name string) bool { return strings.Contains(decoded, `"`+name+`"`) }
	switch {
	case has("public-key") || has("pubkey"):
		return Certificate
	case has("aud") && !has("iss"):
		return IdentityAssertion
	}
	return JWT
}

// isSDJWT reports whether the first token is an SD-JWT, or the last one is for the binding of
// a key to it.
func isSDJWT(text string) bool {
	return strings.Contains(decode(text, maxHeader), "sd-jwt") || strings.Contains(lastHeader(text), "kb+jwt")
}

// isEVP reports whether the first token is one of the Email Verification Protocol, or the only
// one is the browser's.
func isEVP(text string) bool {
	first := decode(text, maxHeader)
	return strings.Contains(first, "evt+jwt") || strings.Contains(first, "kb+jwt")
}

// evpKind returns the kind of a text for which isEVP reports true.
func evpKind(text string, s shape) Kind {
	if s.parts == 1 || s.parts == 2 && strings.HasSuffix(text, "~") {
		return EVPHalf
	}
	return EVPToken
}

// lastHeader returns the decoded header of the last token.
func lastHeader(text string) string {
	return decode(text[strings.LastIndexByte(text, '~')+1:], maxHeader)
}

// decode decodes at most the first n characters of the first segment of a token.
func decode(token string, n int) string {
	n = lengthOfBase64URL(token[:min(len(token), n)])
	decoded, _ := base64.RawURLEncoding.DecodeString(token[:n]) // what comes before an error is enough
	return string(decoded)
}

// class is a set of bytes.
type class uint8

const (
	base64URL class = 1 << iota
	separator       // of segments and of tokens
	space
	bracket   // quotes, brackets, and what ends an item of a list
	base64Std // not of base64url
	notASCII  // and what is not visible
	other
)

// classes are the classes of bytes.
var classes = func() (table [256]class) {
	for c := range table {
		switch {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9', c == '-', c == '_':
			table[c] = base64URL
		case c == '.', c == '~':
			table[c] = separator
		case c == ' ', '\t' <= c && c <= '\r':
			table[c] = space
		case strings.IndexByte("\"'`<>()[]{},;", byte(c)) >= 0:
			table[c] = bracket
		case c == '+', c == '/', c == '=':
			table[c] = base64Std
		case c < ' ', c > '~':
			table[c] = notASCII
		default:
			table[c] = other
		}
	}
	return table
}()

// shape is the form of a text, without the bytes that no assertion has.
type shape struct {
	parts   int   // the number of parts, which ~ separates
	tokens  int   // how many of them have three segments
	dots    int   // the number of dots in the last part
	foreign class // the classes of the bytes that no assertion has
}

// isBacked reports whether a text has the form of certificates and an assertion.
func (s shape) isBacked() bool { return s.parts > 1 && s.tokens == s.parts }

func shapeOf(text string) shape {
	s := shape{parts: 1}
	length, gap := 0, false // of the segment; whether a segment of the part is empty
	endPart := func() {
		if s.dots == 2 && length > 0 && !gap {
			s.tokens++
		}
	}
	for i := 0; i < len(text); i++ {
		run := lengthOfBase64URL(text[i:])
		length += run
		if i += run; i == len(text) {
			break
		}
		switch c := classes[text[i]]; {
		case c != separator:
			s.foreign |= c
		case text[i] == '.':
			gap = gap || length == 0
			s.dots++
			length = 0
		default:
			endPart()
			s.parts++
			s.dots, length, gap = 0, 0, false
		}
	}
	endPart()
	return s
}
