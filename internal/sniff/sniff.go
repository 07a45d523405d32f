// Package sniff recognizes texts that are given in place of an assertion: files in
// UTF-16, private keys, form bodies, pages, an assertion that was folded or cut off. Errors
// then name what was given and what to do.
//
// Start with [Of]. A [Kind] decides about messages only: whether a text is an assertion is
// decided by package assertion, and no text is repaired. What a Kind says is constant, and
// has no part of the text, which may be a secret.
//
// Package assertion calls Of for each malformed text, so that Of must cost little
// (BenchmarkMalformed there). It reads the first 4 KiB a few times, and parses no JSON.
package sniff

import (
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/vepverify/vepverify/internal/bundlename"
	"github.com/vepverify/vepverify/internal/domain"
)

const (
	maxText   = 4 << 10 // the bytes of a text that are looked at: usual assertions have 2.5 KB
	maxHead   = 1 << 10 // the same, where the beginning of a text is enough
	maxHeader = 256     // the same of a header
)

// Of returns what a text is. Of texts of more than 4 KiB, it recognizes those that their
// beginning tells.
func Of(text string) Kind {
	if text == "" {
		return Empty
	}
	start := text[:min(len(text), maxText)]
	inner := strings.Trim(start, " \t\r\n")
	if k := encoding(start, inner); k != Unknown {
		return k
	}
	if k := file(inner); k != Unknown {
		return k
	}
	if k := wrapping(inner); k != Unknown {
		return k
	}
	if len(text) > maxText {
		return longForm(inner)
	}
	k := form(inner)
	if k == Assertion && inner != text {
		return Padded
	}
	return k
}

// OfFile returns what the content of a file is, without the line ends at its end.
func OfFile(content []byte) Kind { return Of(strings.TrimRight(string(content), "\r\n")) }

// NotFileName returns what a text is that is given as the name of a file but is a text
// itself, such as an assertion or a private key. It returns Unknown for what may be a name.
func NotFileName(text string) Kind {
	trimmed := strings.TrimSpace(text)
	isText := HoldsToken(text) || strings.HasPrefix(trimmed, "{") || strings.HasPrefix(trimmed, "-----BEGIN ") ||
		strings.HasPrefix(trimmed, "https://") || strings.HasPrefix(trimmed, "http://") || strings.Contains(trimmed, "\n")
	if !isText {
		return Unknown
	}
	if k := Of(text); k != Unknown {
		return k
	}
	return Text
}

// HoldsToken reports whether a text has a signed token, or the beginning of one, anywhere.
func HoldsToken(text string) bool {
	for _, header := range headers {
		for rest := text; ; {
			_, after, found := strings.Cut(rest, header)
			if !found {
				break
			}
			if lengthOfBase64URL(after) >= 12 {
				return true
			}
			rest = after
		}
	}
	return false
}

// headers are the beginnings of a JSON object with white space after the brace or without,
// in base64url, and in base64 once more.
var headers = []string{"eyJ", "eyAi", "ewog", "ewoJ", "ew0K", "ZXlK"}

// startsToken reports whether a text begins like a token.
func startsToken(text string) bool {
	return slices.ContainsFunc(headers, func(header string) bool { return strings.HasPrefix(text, header) })
}

// lengthOf returns the number of bytes at the beginning of s for which is returns true.
func lengthOf(s string, is func(byte) bool) int {
	for i := range len(s) {
		if !is(s[i]) {
			return i
		}
	}
	return len(s)
}

// lengthOfBase64URL returns the number of characters of base64url at the beginning of s.
func lengthOfBase64URL(s string) int {
	for i := range len(s) {
		if classes[s[i]] != base64URL {
			return i
		}
	}
	return len(s)
}

// encoding recognizes texts that are not ASCII or UTF-8. inner is the text without white
// space around it.
func encoding(text, inner string) Kind {
	switch {
	case strings.HasPrefix(text, "\xef\xbb\xbf"):
		return UTF8BOM
	case strings.HasPrefix(text, "\xff\xfe"), strings.HasPrefix(text, "\xfe\xff"), isUTF16(text):
		return UTF16
	case strings.HasPrefix(text, "\x1f\x8b"), strings.HasPrefix(text, "PK\x03\x04"),
		strings.HasPrefix(text, "\xfd7zXZ\x00"), strings.HasPrefix(text, "\x28\xb5\x2f\xfd"):
		return Compressed
	case inner == "":
		return Blank
	case isBinary(text[:min(len(text), maxHead)]) && !startsToken(inner):
		return Binary
	}
	return Unknown
}

// isBinary reports whether a text has a zero byte or is not UTF-8. Its last character may be
// cut off.
func isBinary(text string) bool {
	for i := len(text) - 1; i >= max(0, len(text)-utf8.UTFMax); i-- {
		if utf8.RuneStart(text[i]) && !utf8.FullRuneInString(text[i:]) {
			text = text[:i]
			break
		}
	}
	return strings.Contains(text, "\x00") || !utf8.ValidString(text)
}

// isUTF16 reports whether the first bytes are ASCII characters with a zero byte before or
// after each.
func isUTF16(text string) bool {
	text = text[:min(len(text), 256)]
	var zeros [2]int
	for i := range len(text) {
		if text[i] == 0 {
			zeros[i%2]++
		}
	}
	half := len(text) / 2
	if text == "\x00" { // what follows the last line break in a file
		return true
	}
	return half > 1 && (zeros[0] >= half && zeros[1] == 0 || zeros[1] >= half && zeros[0] == 0)
}

// file recognizes files and documents by their beginning.
func file(text string) Kind {
	head := text[:min(len(text), maxHead)]
	switch {
	case strings.Contains(head, "-----BEGIN ") && strings.Contains(text, "PRIVATE KEY"):
		return PEMPrivateKey
	case strings.Contains(head, "-----BEGIN "):
		return PEM
	case len(text) < 20 && slices.Contains(nulls, strings.ToLower(text)):
		return Null
	case isPlaceholder(text):
		return Variable
	case text[0] == '<' && !HoldsToken(head):
		return HTML
	case text[0] == '{' && !startsToken(text[1:]):
		return object(text)
	case text[0] == '[' && !HoldsToken(head[:min(len(head), 40)]):
		return JSON
	}
	return Unknown
}

// nulls are the words that programs write for a value that is missing, in lower case.
var nulls = []string{"null", "undefined", "none", "nil", "<nil>", "[object object]"}

// object recognizes a JSON object by the names of its members.
func object(text string) Kind {
	names, after := memberNames(text)
	has := func(wanted ...string) bool {
		return slices.ContainsFunc(wanted, func(name string) bool { return slices.Contains(names, name) })
	}
	switch {
	case strings.HasPrefix(strings.TrimLeft(after, " \t\r\n"), "{"):
		return JSONLines
	case has("assertion"):
		return JSONAssertion
	case has("privateKey", "private-key") && has("certificate", "email", "publicKey"):
		return Identity
	case has("kty") && has("crv") && has("d"):
		return PrivateCurveKey
	case has("kty") && has("crv"):
		return PublicCurveKey
	case has("algorithm", "kty") && (has("d") || has("x") && !has("crv")), has("privateKey", "private-key", "secretKey"):
		return PrivateKey
	case has("algorithm", "kty"):
		return PublicKey
	case has("status", "verified"):
		return Answer
	case has("iss", "aud", "exp", "alg"):
		return Claims
	case has("issuance_endpoint", "jwks_uri"):
		return EVPMetadata
	case len(names) == 1 && names[0] == "keys" && strings.Contains(text, `"kty"`) && strings.Contains(text, `"d"`):
		return PrivateKey
	case len(names) == 1 && names[0] == "keys" && strings.Contains(text, `"kty"`):
		return KeySet
	case has("public-key", "authentication", "provisioning", "authority", "disabled", "keys"):
		return SupportDocument
	}
	if slices.ContainsFunc(names, bundlename.ForTokens) {
		return EVPBundle
	}
	if len(names) > 0 && strings.Contains(names[0], ".") {
		if _, ok := domain.Parse(names[0]); ok {
			return Bundle
		}
	}
	return JSON
}

// memberNames returns the names of the members of the object that begins a text, and the
// text after the object. It stops after 16 names. It does not check the object.
func memberNames(text string) (names []string, after string) {
	depth := 0
	for i := 0; i < len(text) && len(names) < 16; i++ {
		switch text[i] {
		case '{', '[':
			depth++
		case '}', ']':
			if depth--; depth == 0 {
				return names, text[i+1:]
			}
		case '"':
			start := i + 1
			i = endOfString(text, start)
			if depth == 1 && isBeforeColon(text, i+1) {
				names = append(names, text[start:i])
			}
		}
	}
	return names, ""
}

// isBeforeColon reports whether a colon follows at index i, after white space.
func isBeforeColon(text string, i int) bool {
	for i < len(text) && classes[text[i]] == space {
		i++
	}
	return i < len(text) && text[i] == ':'
}

// endOfString returns the index of the quote that ends a JSON string, or the length of the
// text.
func endOfString(text string, i int) int {
	for i < len(text) && text[i] != '"' {
		if text[i] == '\\' {
			i++
		}
		i++
	}
	return min(i, len(text))
}

// wrapping recognizes what HTTP, shells and mail put around an assertion.
func wrapping(text string) Kind {
	lower := strings.ToLower(text[:min(len(text), 64)])
	switch {
	case strings.HasPrefix(lower, "http://"), strings.HasPrefix(lower, "https://"):
		return URL
	case strings.HasPrefix(lower, "assertion="), strings.HasPrefix(lower, "audience="), strings.Contains(text, "&assertion="), isTokenForm(text):
		return Form
	case isVariable(text):
		return Variable
	case isNamed(lower) && !HoldsToken(text[:min(len(text), maxHead)]) && !strings.HasPrefix(lower, "authorization:"):
		return Message
	case isHeader(lower):
		return Header
	case strings.Contains(text, "=7E"), strings.Contains(text, "=\n"), strings.Contains(text, "=\r\n"):
		return QuotedPrintable
	case strings.Contains(text, "%7E"), strings.Contains(text, "%7e"), strings.Contains(text, "%257"):
		return Percent
	}
	return Unknown
}

// isTokenForm reports whether a text is a form body with a token of the Email Verification Protocol.
func isTokenForm(text string) bool {
	token, found := strings.CutPrefix(text, "token=")
	if !found {
		_, token, found = strings.Cut(text, "&token=")
	}
	return found && startsToken(token) && isEVP(token)
}

// schemes are the beginnings of values of the header Authorization, and of requests and
// responses, in lower case.
var schemes = []string{"browserid ", "browserid-assertion ", "bearer ", "assertion ", "token ", "http/", "post /", "get /"}

// isHeader reports whether a text in lower case begins like a header or its value.
func isHeader(lower string) bool {
	return isNamed(lower) || slices.ContainsFunc(schemes, func(s string) bool { return strings.HasPrefix(lower, s) })
}

// isNamed reports whether a text in lower case begins with a name, a colon and a blank.
func isNamed(lower string) bool {
	name, value, found := strings.Cut(lower, ":")
	isNameByte := func(c byte) bool { return 'a' <= c && c <= 'z' || c == '-' }
	return found && name != "" && lengthOf(name, isNameByte) == len(name) && strings.HasPrefix(value, " ")
}

// isPlaceholder reports whether a text is <words> or NAME_IN_CAPITALS, as documents write
// what is to be replaced.
func isPlaceholder(text string) bool {
	if len(text) < 4 || len(text) > 60 {
		return false
	}
	isUpper := func(c byte) bool { return 'A' <= c && c <= 'Z' || c == '_' }
	isWord := func(c byte) bool { return isUpper(c) || 'a' <= c && c <= 'z' || c == ' ' || c == '-' }
	if text[0] == '<' {
		inner := text[1 : len(text)-1]
		return text[len(text)-1] == '>' && lengthOf(inner, isWord) == len(inner) && !strings.EqualFold(inner, "html")
	}
	return strings.Contains(text, "_") && lengthOf(text, isUpper) == len(text)
}

// isVariable reports whether a text is $NAME, ${NAME}, $env:NAME or %NAME%.
func isVariable(text string) bool {
	if len(text) > 60 {
		return false
	}
	name, percent := strings.CutPrefix(text, "%")
	if percent {
		name, percent = strings.CutSuffix(name, "%")
	}
	name, dollar := strings.CutPrefix(name, "$")
	name = strings.Trim(strings.TrimPrefix(name, "env:"), "{}")
	return (percent || dollar) && name != "" && lengthOfBase64URL(name) == len(name)
}
