// Package sniff recognizes texts that are given in place of an assertion: files in
// UTF-16, private keys, form bodies, pages, an assertion that was folded or cut off. Errors
// then name what was given and what to do.
//
// Start with [Of]. A [Kind] decides about messages only: whether a text is an assertion is
// decided by package assertion, and no text is repaired. What a Kind says is constant, and
// has no part of the text, which may be a secret.
//
// The time is linear in the length of the text, of which 64 KiB are looked at, and 8 KiB for
// the form of tokens.
package sniff

import (
	"bytes"
	"encoding/base64"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/vepverify/vepverify/internal/domain"
	"github.com/vepverify/vepverify/internal/strictjson"
)

const (
	maxText = 64 << 10 // how many bytes of a text are looked at
	maxForm = 8 << 10  // the longest text that is looked at as tokens: usual ones have 2.5 KB
)

// Of returns what a text is.
func Of(text string) Kind {
	if len(text) > maxText {
		text = text[:maxText]
	}
	for _, recognize := range []func(string) Kind{encoding, file, wrapping, form} {
		if k := recognize(text); k != Unknown {
			return k
		}
	}
	return Unknown
}

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
			if lengthOf(after, isBase64URL) >= 12 {
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

// lengthOf returns the number of bytes at the beginning of s for which is returns true.
func lengthOf(s string, is func(byte) bool) int {
	for i := range len(s) {
		if !is(s[i]) {
			return i
		}
	}
	return len(s)
}

func isBase64URL(c byte) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || c == '-' || c == '_'
}

// encoding recognizes texts that are not ASCII or UTF-8.
func encoding(text string) Kind {
	switch {
	case text == "":
		return Empty
	case strings.HasPrefix(text, "\xef\xbb\xbf"):
		return UTF8BOM
	case strings.HasPrefix(text, "\xff\xfe"), strings.HasPrefix(text, "\xfe\xff"), isUTF16(text):
		return UTF16
	case strings.HasPrefix(text, "\x1f\x8b"), strings.HasPrefix(text, "PK\x03\x04"),
		strings.HasPrefix(text, "\xfd7zXZ\x00"), strings.HasPrefix(text, "\x28\xb5\x2f\xfd"):
		return Compressed
	case strings.TrimSpace(text) == "":
		return Blank
	case strings.Contains(text, "\x00"), !utf8.ValidString(whole(text)):
		return Binary
	}
	return Unknown
}

// whole returns a text of maxText bytes without the character that was cut off.
func whole(text string) string {
	if len(text) < maxText {
		return text
	}
	return strings.TrimRightFunc(text, func(r rune) bool { return r == utf8.RuneError })
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
	text = strings.TrimSpace(text)
	first, _, _ := strings.Cut(text, "\n")
	switch {
	case strings.Contains(text, "-----BEGIN ") && strings.Contains(text, "PRIVATE KEY"):
		return PEMPrivateKey
	case strings.Contains(text, "-----BEGIN "):
		return PEM
	case slices.Contains(nulls, strings.ToLower(text[:min(len(text), 20)])):
		return Null
	case isPlaceholder(text):
		return Variable
	case text[0] == '<' && !HoldsToken(first):
		return HTML
	case text[0] == '{':
		return object(text)
	case text[0] == '[' && !HoldsToken(text[:min(len(text), 20)]):
		return JSON
	}
	return Unknown
}

// object recognizes a JSON object by its members.
func object(text string) Kind {
	o, err := strictjson.ParseObject([]byte(text))
	if err != nil {
		first, rest, _ := strings.Cut(text, "\n")
		if _, err := strictjson.ParseObject([]byte(first)); err == nil && strings.HasPrefix(strings.TrimSpace(rest), "{") {
			return JSONLines
		}
		return JSON
	}
	has := func(names ...string) bool {
		for _, name := range names {
			if _, ok := o.Get(name); ok {
				return true
			}
		}
		return false
	}
	switch {
	case has("assertion") && has("certificates"):
		return JSONChain
	case has("assertion"):
		return JSONAssertion
	case has("privateKey", "private-key") && has("certificate", "email", "publicKey"):
		return Identity
	case has("algorithm", "kty") && has("d", "x") && !has("crv"), has("privateKey", "private-key", "secretKey"):
		return PrivateKey
	case has("algorithm", "kty"):
		return PublicKey
	case has("status", "verified"):
		return Answer
	case has("authentication", "provisioning", "authority", "disabled", "keys"):
		return SupportDocument
	case has("iss", "aud", "exp", "public-key", "alg"):
		return Claims
	case isBundle(o):
		return Bundle
	}
	return JSON
}

// isBundle reports whether the names of an object are domains, and its values are documents.
func isBundle(o strictjson.Object) bool {
	for _, m := range o {
		if _, ok := domain.Parse(m.Name); !ok || m.Value[0] != '{' && string(m.Value) != "null" {
			return false
		}
	}
	return len(o) > 0
}

// wrapping recognizes what HTTP, shells and mail put around an assertion.
func wrapping(text string) Kind {
	text = strings.TrimSpace(text)
	lower := strings.ToLower(text[:min(len(text), 200)])
	switch {
	case strings.HasPrefix(lower, "http://"), strings.HasPrefix(lower, "https://"):
		return URL
	case strings.HasPrefix(lower, "assertion="), strings.HasPrefix(lower, "audience="), strings.Contains(text, "&assertion="):
		return Form
	case isVariable(text):
		return Variable
	case isNamed(lower) && !HoldsToken(text) && !strings.HasPrefix(lower, "authorization:"):
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

// nulls are the words that programs write for a value that is missing, in lower case.
var nulls = []string{"null", "undefined", "none", "nil", "(null)", "<nil>", "nan", "false", "true", "[object object]"}

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

// isPlaceholder reports whether a text is <SOMETHING> or SOMETHING, in capitals or with
// blanks, as documents write what is to be replaced.
func isPlaceholder(text string) bool {
	inner, found := strings.CutPrefix(text, "<")
	if found {
		if inner, found = strings.CutSuffix(inner, ">"); !found {
			return false
		}
	}
	isUpper := func(c byte) bool { return 'A' <= c && c <= 'Z' || c == '_' || c == ' ' || c == '-' }
	isLower := func(c byte) bool { return isUpper(c) || 'a' <= c && c <= 'z' }
	return len(inner) > 2 && len(inner) < 60 && (lengthOf(inner, isUpper) == len(inner) ||
		found && lengthOf(inner, isLower) == len(inner) && !strings.EqualFold(inner, "html"))
}

// isVariable reports whether a text is $NAME, ${NAME}, $env:NAME or %NAME%.
func isVariable(text string) bool {
	name, percent := strings.CutPrefix(text, "%")
	if percent {
		name, percent = strings.CutSuffix(name, "%")
	}
	name, dollar := strings.CutPrefix(name, "$")
	name = strings.Trim(strings.TrimPrefix(name, "env:"), "{}")
	isNameByte := func(c byte) bool { return isBase64URL(c) && c != '-' }
	return (percent || dollar) && name != "" && lengthOf(name, isNameByte) == len(name)
}

// form recognizes texts of tokens.
func form(text string) Kind {
	inner := strings.TrimSpace(text)
	if len(inner) > maxForm {
		if backedLines(inner[:maxForm]) > 1 {
			return Several
		}
		return Unknown
	}
	switch {
	case isBacked(inner) && reversed(inner):
		return Reversed
	case isBacked(inner) && len(inner) < len(text):
		return Padded
	case isBacked(inner):
		return Assertion
	case strings.HasPrefix(inner, "ZXlK") && startsToken(inner):
		return DoubleBase64
	case backedLines(inner) > 1:
		return Several
	}
	if k := single(inner); k != Unknown {
		return k
	}
	if k := repaired(inner); k != Unknown {
		return k
	}
	if _, _, ok := domain.Email(inner); ok {
		return Email
	}
	if HoldsToken(inner) {
		return Surrounded
	}
	return Unknown
}

// isBacked reports whether a text has the form of certificates and an assertion.
func isBacked(text string) bool {
	parts := 0
	for part := range strings.SplitSeq(text, "~") {
		if !isToken(part) {
			return false
		}
		parts++
	}
	return parts > 1
}

// isToken reports whether a text is three segments of base64url.
func isToken(text string) bool {
	segments := 0
	for segment := range strings.SplitSeq(text, ".") {
		if segment == "" || lengthOf(segment, isBase64URL) < len(segment) {
			return false
		}
		segments++
	}
	return segments == 3
}

// backedLines returns the number of lines that have the form of an assertion.
func backedLines(text string) (n int) {
	for line := range strings.Lines(text) {
		if isBacked(strings.TrimSpace(line)) {
			n++
		}
	}
	return n
}

// reversed reports whether the first part has the claims of an assertion, and the last those
// of a certificate.
func reversed(text string) bool {
	first := kindOfToken(text[:strings.IndexByte(text, '~')])
	last := kindOfToken(text[strings.LastIndexByte(text, '~')+1:])
	return first == IdentityAssertion && last == Certificate
}

// kindOfToken returns Certificate, IdentityAssertion or JWT for a token, by its claims.
func kindOfToken(token string) Kind {
	_, rest, _ := strings.Cut(token, ".")
	segment, _, _ := strings.Cut(rest, ".")
	claims, err := base64.RawURLEncoding.DecodeString(segment)
	if err != nil {
		return JWT
	}
	o, err := strictjson.ParseObject(bytes.TrimSpace(claims))
	if err != nil {
		return JWT
	}
	_, hasKey := o.Get("public-key")
	_, hasPubkey := o.Get("pubkey")
	_, hasAudience := o.Get("aud")
	_, hasIssuer := o.Get("iss")
	switch {
	case hasKey || hasPubkey:
		return Certificate
	case hasAudience && !hasIssuer:
		return IdentityAssertion
	}
	return JWT
}

// single recognizes one token, and parts of an assertion.
func single(text string) Kind {
	before, after, found := strings.Cut(text, "~")
	switch {
	case !found && isToken(text) && startsToken(text):
		return kindOfToken(text)
	case !found && strings.Count(text, ".") == 4 && startsToken(text) && lengthOf(text, func(c byte) bool { return isBase64URL(c) || c == '.' }) == len(text):
		return JWT // encrypted
	case found && before == "" && isToken(after):
		return WithoutCertificate
	case strings.HasSuffix(text, "~") && isToken(strings.TrimRight(text, "~")):
		return WithoutAssertion
	case found && isToken(before) && isTokenStart(after), !found && isTokenStart(text):
		return CutOff
	}
	return Unknown
}

// startsToken reports whether a text begins with a token.
func startsToken(text string) bool {
	isHeader := func(header string) bool { return strings.HasPrefix(text, header) }
	return slices.ContainsFunc(headers, isHeader) && HoldsToken(text[:min(len(text), 20)])
}

// isTokenStart reports whether a text is the beginning of a token that was cut off.
func isTokenStart(text string) bool {
	return startsToken(text) && lengthOf(text, func(c byte) bool { return isBase64URL(c) || c == '.' }) == len(text)
}

// repaired recognizes assertions with characters too many or wrong.
func repaired(text string) Kind {
	without := func(drop func(rune) bool) string {
		return strings.Map(func(r rune) rune {
			if drop(r) {
				return -1
			}
			return r
		}, text)
	}
	isBracket := func(r rune) bool { return strings.ContainsRune("\"'`“”‘’„«»<>()[]{},;", r) }
	base64url := strings.NewReplacer("+", "-", "/", "_", "=", "")
	switch {
	case strings.Contains(text, "…"), strings.Contains(text, "..."):
		return abbreviated(text)
	case isBacked(strings.TrimFunc(text, func(r rune) bool { return isBracket(r) || unicode.IsSpace(r) })):
		return Quoted
	case startsToken(text) && isBacked(without(isASCIISpace)):
		return Folded
	case isBacked(without(func(r rune) bool { return r >= utf8.RuneSelf })):
		return Invisible
	case isBacked(base64url.Replace(text)):
		return Base64
	}
	return Unknown
}

func isASCIISpace(r rune) bool { return r == ' ' || '\t' <= r && r <= '\r' }

// abbreviated returns Abbreviated for a token with dots in place of a part.
func abbreviated(text string) Kind {
	if strings.HasPrefix(text, "eyJ") {
		return Abbreviated
	}
	return Unknown
}
