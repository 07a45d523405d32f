package corpus

import (
	"strings"

	"github.com/vepverify/vepverify/cmd/vepverify/internal/vectors/forge"
	"github.com/vepverify/vepverify/devidp/idptest"
)

// textPart is one of the four JSON texts of a backed assertion.
type textPart struct {
	name string
	edit func(change func(string) string) edit
}

func texts() []textPart {
	headerText := func(on func(func(forge.Token) forge.Token) edit) func(func(string) string) edit {
		return func(change func(string) string) edit {
			return on(func(t forge.Token) forge.Token {
				t.Header = idptest.Raw(change(`{"alg":"` + t.Key.Algorithm() + `"}`))
				return t
			})
		}
	}
	return []textPart{
		{"certificate-header", headerText(certificate)},
		{"certificate-claims", certifiedText},
		{"assertion-header", headerText(assertion)},
		{"assertion-claims", claimedText},
	}
}

// constant gives a text whatever there was.
func constant(text string) func(string) string { return func(string) string { return text } }

// nested gives arrays in each other, so many deep.
func nested(depth int) string {
	return strings.Repeat("[", depth) + strings.Repeat("]", depth)
}

func jsonCases() []vector {
	var table []vector
	for _, p := range texts() {
		table = append(table, jsonFaults(p)...)
	}
	return append(append(table, jsonOnce()...), jsonFine()...)
}

// jsonFaults are made in each of the four texts.
func jsonFaults(p textPart) []vector {
	twice := map[bool]string{true: `"alg":"RS256"`, false: `"exp":1767229200000`}[strings.HasSuffix(p.name, "header")]
	fault := func(name, rules, comment string, change func(string) string) vector {
		return failure(p.name+"-"+name, rules, comment, free, p.edit(change))
	}
	return []vector{
		fault("byte-order-mark", "1.json-utf8", "A byte order mark before the object.", prefix("\uFEFF")),
		fault("invalid-utf8", "1.json-utf8", "A byte that is no UTF-8, in a member nobody asks for.", member("\"x\":\"\xff\"")),
		fault("text-behind", "1.json-object", "A letter behind the object.", suffix("x")),
		fault("second-object", "1.json-object", "A second object behind the first.", suffix("{}")),
		fault("array", "1.json-object", "An array around the object.", func(s string) string { return "[" + s + "]" }),
		fault("empty", "1.json-object", "No JSON at all: the segment is empty.", constant("")),
		fault("name-twice", "1.json-names", "A member twice.", member(twice)),
		fault("too-deep", "1.json-depth", "1001 levels: the object and 1000 arrays.", member(`"x":`+nested(1000))),
	}
}

// jsonOnce are faults of JSON in one of the texts each.
func jsonOnce() []vector {
	in := func(name, rules, comment string, change func(string) string) vector {
		return failure("claims-"+name, rules, comment, free, claimedText(change))
	}
	cert := func(name, rules, comment string, change func(string) string) vector {
		return failure("certificate-"+name, rules, comment, free, certifiedText(change))
	}
	return []vector{
		in("null", "1.json-object", "The claims are null.", constant("null")),
		in("string", "1.json-object", "The claims are a JSON string.", constant(`"exp"`)),
		in("number", "1.json-object", "The claims are a number.", constant("1")),
		in("unclosed", "1.json-object", "The closing brace is missing.", func(s string) string { return s[:len(s)-1] }),
		in("comma-behind", "1.json-object", "A comma before the closing brace.", func(s string) string { return s[:len(s)-1] + ",}" }),
		in("comment", "1.json-object", "A comment in front.", prefix("/**/")),
		in("nul-behind", "1.json-object", "A NUL byte behind the object.", suffix("\x00")),
		in("vertical-tab", "1.json-object", "A vertical tab, which is no white space of JSON.", suffix("\v")),
		in("no-break-space", "1.json-object", "A no-break space, which is none either.", suffix("\u00a0")),
		in("single-quotes", "1.json-object", "A name in single quotes.", member(`'x':1`)),
		in("bare-name", "1.json-object", "A name without quotes.", member(`x:1`)),
		in("nan", "1.json-object", "A value that is NaN.", member(`"x":NaN`)),
		in("leading-zero", "1.json-object", "A number with a leading zero.", member(`"x":01`)),
		in("plus-sign", "1.json-object", "A number with a plus sign.", member(`"x":+1`)),
		in("no-digit-before-point", "1.json-object", "A number that begins with its point.", member(`"x":.5`)),
		in("hexadecimal", "1.json-object", "A hexadecimal number.", member(`"x":0x10`)),
		in("capital-literal", "1.json-object", "True with a capital.", member(`"x":True`)),
		in("raw-control-character", "1.json-object", "A tab inside a string that is not escaped.", member("\"x\":\"\t\"")),
		in("unknown-escape", "1.json-object", "An escape that JSON does not have.", member(`"x":"\x41"`)),

		in("overlong-utf8", "1.json-utf8", "A slash in two bytes of UTF-8.", member("\"x\":\"\xc0\xaf\"")),
		in("utf8-surrogate", "1.json-utf8", "Half a surrogate pair in UTF-8.", member("\"x\":\"\xed\xa0\x80\"")),
		in("utf8-beyond-unicode", "1.json-utf8", "A code point beyond U+10FFFF.", member("\"x\":\"\xf4\x90\x80\x80\"")),
		in("cut-utf8", "1.json-utf8", "A character of which the last byte is missing.", member("\"x\":\"\xe2\x82\"")),
		in("invalid-utf8-in-name", "1.json-utf8", "A byte that is no UTF-8 in a name.", member("\"\xff\":1")),
		in("latin1", "1.json-utf8", "Latin-1 in place of UTF-8.", member("\"x\":\"caf\xe9\"")),
		in("utf16", "1.json-utf8", "The claims in UTF-16.", constant("\xff\xfe{\x00}\x00")),
		in("half-pair", "1.json-utf8", "The first half of a surrogate pair, escaped.", member(`"x":"\ud83d"`)),
		in("second-half-pair", "1.json-utf8", "The second half alone, escaped.", member(`"x":"\ude00"`)),
		in("halves-swapped", "1.json-utf8", "Both halves in the wrong order.", member(`"x":"\ude00\ud83d"`)),

		cert("escaped-name-twice", "1.json-names", "iss twice, once with an escaped letter.", member(`"\u0069ss":"evil.example"`)),
		cert("principal-email-twice", "1.json-names", "email twice inside principal.",
			func(s string) string {
				return strings.Replace(s, `"principal":{`, `"principal":{"email":"bob@idp.example",`, 1)
			}),
		cert("key-member-twice", "1.json-names", "A member of the certified key twice.",
			func(s string) string {
				return strings.Replace(s, `"algorithm":"DS"`, `"algorithm":"DS","algorithm":"DS"`, 1)
			}),
		in("audience-escaped-twice", "1.json-names", "aud twice, once with an escaped letter.", member(`"\u0061ud":"https://evil.example"`)),
		in("nested-name-twice", "1.json-names", "A name twice in an object that nobody asks for.", member(`"x":{"y":1,"y":1}`)),
		in("nested-escaped-twice", "1.json-names", "The same, once escaped.", member(`"x":{"y":1,"\u0079":2}`)),
		in("name-twice-in-array", "1.json-names", "A name twice in an object inside arrays.", member(`"x":[[{"y":1,"y":2}]]`)),
		in("empty-name-twice", "1.json-names", "The empty name twice.", member(`"x":{"":1,"":2}`)),
		in("emoji-name-twice", "1.json-names", "A name twice, once as a surrogate pair.", member(`"😀":1,"\ud83d\ude00":2`)),

		failure("certificate-exp-in-capitals", "1.json-case 1.exp-required", "EXP in place of exp.", free, uncertified("exp"), certified("EXP", now+minute)),
		failure("assertion-aud-capital", "1.json-case 1.audience", "Aud in place of aud.", free, unclaimed("aud"), claimed("Aud", rp)),
		failure("header-alg-in-capitals", "1.json-case 1.header-alg", "ALG in place of alg.", free, assertionHeader(`{"ALG":"DS128"}`)),
	}
}

// jsonFine are oddities that JSON allows.
func jsonFine() []vector {
	return []vector{
		okay("white-space", "1.json-object", "White space around and within the claims.", claimedText(func(s string) string {
			return " \t\r\n" + strings.ReplaceAll(s, `,"`, " ,\n\t\"") + "\n "
		})),
		okay("header-white-space", "1.json-object", "White space in the header.", assertionHeader(" { \"alg\" :\n\"DS128\" } ")),
		okay("escaped-names", "1.json-names 1.json-case", "Names and values in escapes mean what they say.", claimedText(func(s string) string {
			return strings.NewReplacer(`"aud"`, `"\u0061\u0075\u0064"`, "https://", `https:\/\/`).Replace(s)
		})),
		okay("names-differ-in-case", "1.json-case 1.extra", "Names that differ from the protocol's in case are other names.",
			certified("EXP", 1), certified("Principal", "x"), claimed("AUD", "https://evil.example"),
			answer("idpClaims", idptest.Object{"EXP": 1, "Principal": "x"}), answer("userClaims", idptest.Object{"AUD": "https://evil.example"})),
		okay("same-name-at-two-depths", "1.json-names", "The same name in two objects.", claimed("x", idptest.Raw(`{"x":{"x":1}}`)),
			answer("userClaims", idptest.Raw(`{"x":{"x":{"x":1}}}`))),
		okay("surrogate-pair", "1.json-utf8", "Both halves of a surrogate pair, escaped.", claimed("x", idptest.Raw(`"\ud83d\ude00"`)),
			answer("userClaims", idptest.Raw(`{"x":"😀"}`))),
		okay("unicode", "1.json-utf8", "Characters of two, three and four bytes, and an escaped NUL.", claimed("x", idptest.Raw(`"é€😀\u0000"`)),
			answer("userClaims", idptest.Raw(`{"x":"é€😀\u0000"}`))),
		okay("deepest", "1.json-depth", "1000 levels: the object and 999 arrays.", claimedText(member(`"jti":`+nested(999)))),
		okay("deepest-header", "1.json-depth", "The same in a header.", assertionHeader(`{"alg":"DS128","x":`+nested(999)+`}`)),
		okay("wide", "1.json-depth", "2000 arrays side by side are not deep.", claimed("jti", idptest.Raw("["+strings.Repeat("[],", 1999)+"[]]"))),
	}
}
