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
		{"certificate-claims", certificateText},
		{"assertion-header", headerText(assertion)},
		{"assertion-claims", assertionText},
	}
}

// constant replaces any text by text.
func constant(text string) func(string) string { return func(string) string { return text } }

// nested returns an array nested depth deep.
func nested(depth int) string {
	return strings.Repeat("[", depth) + strings.Repeat("]", depth)
}

func jsonCases() []vector {
	var table []vector
	for _, p := range texts() {
		table = append(table, jsonFaults(p)...)
	}
	return append(append(table, jsonFaultsOnce()...), jsonAccepted()...)
}

// jsonFaults has faults that are made in each of the four texts.
func jsonFaults(p textPart) []vector {
	twice := map[bool]string{true: `"alg":"RS256"`, false: `"exp":1767229200000`}[strings.HasSuffix(p.name, "header")]
	fault := func(name, rules, comment string, change func(string) string) vector {
		return failure(p.name+"-"+name, rules, comment, anyReason, p.edit(change))
	}
	return []vector{
		fault("byte-order-mark", "1.json-utf8", "A byte order mark before the object.", prefix("\uFEFF")),
		fault("invalid-utf8", "1.json-utf8", "A byte that is not UTF-8, in a member that is not used.", member("\"x\":\"\xff\"")),
		fault("text-behind", "1.json-object", "A letter after the object.", suffix("x")),
		fault("second-object", "1.json-object", "A second object after the first.", suffix("{}")),
		fault("array", "1.json-object", "An array around the object.", func(s string) string { return "[" + s + "]" }),
		fault("empty", "1.json-object", "No JSON at all: the segment is empty.", constant("")),
		fault("name-twice", "1.json-names", "A member twice.", member(twice)),
		fault("too-deep", "1.json-depth", "1001 levels: the object and 1000 arrays.", member(`"x":`+nested(1000))),
	}
}

// jsonFaultsOnce has faults that are made in one of the texts.
func jsonFaultsOnce() []vector {
	in := func(name, rules, comment string, change func(string) string) vector {
		return failure("claims-"+name, rules, comment, anyReason, assertionText(change))
	}
	cert := func(name, rules, comment string, change func(string) string) vector {
		return failure("certificate-"+name, rules, comment, anyReason, certificateText(change))
	}
	return []vector{
		in("null", "1.json-object", "The claims are null.", constant("null")),
		in("string", "1.json-object", "The claims are a JSON string.", constant(`"exp"`)),
		in("number", "1.json-object", "The claims are a number.", constant("1")),
		in("unclosed", "1.json-object", "The closing brace is missing.", func(s string) string { return s[:len(s)-1] }),
		in("comma-behind", "1.json-object", "A comma before the closing brace.", func(s string) string { return s[:len(s)-1] + ",}" }),
		in("comment", "1.json-object", "A comment at the start.", prefix("/**/")),
		in("nul-behind", "1.json-object", "A NUL byte after the object.", suffix("\x00")),
		in("vertical-tab", "1.json-object", "A vertical tab, which is not white space in JSON.", suffix("\v")),
		in("no-break-space", "1.json-object", "A no-break space, which is not either.", suffix("\u00a0")),
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
		in("invalid-utf8-in-name", "1.json-utf8", "A byte that is not UTF-8 in a name.", member("\"\xff\":1")),
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
		in("nested-name-twice", "1.json-names", "A name twice in an object that is not used.", member(`"x":{"y":1,"y":1}`)),
		in("nested-escaped-twice", "1.json-names", "The same, once escaped.", member(`"x":{"y":1,"\u0079":2}`)),
		in("name-twice-in-array", "1.json-names", "A name twice in an object inside arrays.", member(`"x":[[{"y":1,"y":2}]]`)),
		in("empty-name-twice", "1.json-names", "The empty name twice.", member(`"x":{"":1,"":2}`)),
		in("emoji-name-twice", "1.json-names", "A name twice, once as a surrogate pair.", member(`"😀":1,"\ud83d\ude00":2`)),

		failure("certificate-exp-in-capitals", "1.json-case 1.exp-required", "EXP in place of exp.", anyReason, withoutCertificateClaims("exp"), certificateClaim("EXP", now+minute)),
		failure("assertion-aud-capital", "1.json-case 1.audience", "Aud in place of aud.", anyReason, withoutAssertionClaims("aud"), assertionClaim("Aud", rp)),
		failure("header-alg-in-capitals", "1.json-case 1.header-alg", "ALG in place of alg.", anyReason, assertionHeader(`{"ALG":"DS128"}`)),
	}
}

// jsonAccepted has unusual JSON that is valid.
func jsonAccepted() []vector {
	return []vector{
		okay("white-space", "1.json-object", "White space around and within the claims.", assertionText(func(s string) string {
			return " \t\r\n" + strings.ReplaceAll(s, `,"`, " ,\n\t\"") + "\n "
		})),
		okay("header-white-space", "1.json-object", "White space in the header.", assertionHeader(" { \"alg\" :\n\"DS128\" } ")),
		okay("escaped-names", "1.json-names 1.json-case", "Names and values in escapes mean the same.", assertionText(func(s string) string {
			return strings.NewReplacer(`"aud"`, `"\u0061\u0075\u0064"`, "https://", `https:\/\/`).Replace(s)
		})),
		okay("names-differ-in-case", "1.json-case 1.extra", "Names that differ from the protocol's in case are other names.",
			certificateClaim("EXP", 1), certificateClaim("Principal", "x"), assertionClaim("AUD", "https://evil.example"),
			answer("idpClaims", idptest.Object{"EXP": 1, "Principal": "x"}), answer("userClaims", idptest.Object{"AUD": "https://evil.example"})),
		okay("same-name-at-two-depths", "1.json-names", "The same name in two objects.", assertionClaim("x", idptest.Raw(`{"x":{"x":1}}`)),
			answer("userClaims", idptest.Raw(`{"x":{"x":{"x":1}}}`))),
		okay("surrogate-pair", "1.json-utf8", "Both halves of a surrogate pair, escaped.", assertionClaim("x", idptest.Raw(`"\ud83d\ude00"`)),
			answer("userClaims", idptest.Raw(`{"x":"😀"}`))),
		okay("unicode", "1.json-utf8", "Characters of two, three and four bytes, and an escaped NUL.", assertionClaim("x", idptest.Raw(`"é€😀\u0000"`)),
			answer("userClaims", idptest.Raw(`{"x":"é€😀\u0000"}`))),
		okay("deepest", "1.json-depth", "1000 levels: the object and 999 arrays.", assertionText(member(`"jti":`+nested(999)))),
		okay("deepest-header", "1.json-depth", "The same in a header.", assertionHeader(`{"alg":"DS128","x":`+nested(999)+`}`)),
		okay("wide", "1.json-depth", "2000 arrays side by side are not deep.", assertionClaim("jti", idptest.Raw("["+strings.Repeat("[],", 1999)+"[]]"))),
	}
}

func header() []vector {
	onAssertion := func(name, rules, comment, text string) vector {
		return failure(name, rules, comment, anyReason, assertionHeader(text))
	}
	onCertificate := func(name, rules, comment, text string) vector {
		return failure("certificate-"+name, rules, comment, anyReason, certificateHeader(text))
	}
	table := []vector{
		onAssertion("alg-missing", "1.header-alg", "A header without alg.", `{"typ":"JWT"}`),
		onAssertion("empty", "1.header-alg", "A header without members.", `{}`),
		onAssertion("alg-null", "1.header-alg", "alg is null.", `{"alg":null}`),
		onAssertion("alg-number", "1.header-alg", "alg is a number.", `{"alg":128}`),
		onAssertion("alg-array", "1.header-alg", "alg is an array with the right name.", `{"alg":["DS128"]}`),
		onAssertion("alg-object", "1.header-alg", "alg is an object.", `{"alg":{}}`),
		onCertificate("alg-missing", "1.header-alg", "A certificate's header without alg.", `{"typ":"JWT"}`),
		onCertificate("alg-false", "1.header-alg", "A certificate's alg is false.", `{"alg":false}`),

		onAssertion("typ-number", "1.header-types", "typ is a number.", `{"alg":"DS128","typ":1}`),
		onAssertion("typ-null", "1.header-types", "typ is null.", `{"alg":"DS128","typ":null}`),
		onAssertion("kid-number", "1.header-types", "kid is a number.", `{"alg":"DS128","kid":1}`),
		onAssertion("kid-object", "1.header-types", "kid is an object.", `{"alg":"DS128","kid":{}}`),
		onCertificate("typ-array", "1.header-types", "A certificate's typ is an array.", `{"alg":"RS256","typ":["JWT"]}`),
		onCertificate("kid-null", "1.header-types", "A certificate's kid is null.", `{"alg":"RS256","kid":null}`),
		okay("typ-and-kid", "1.header-types", "typ and kid are strings of any content.",
			certificateHeader(`{"alg":"RS256","typ":"JWT","kid":""}`), assertionHeader(`{"kid":"../../x","typ":"?","alg":"DS128"}`)),

		onAssertion("crit-empty", "1.header-forbidden", "crit with an empty value.", `{"alg":"DS128","crit":[]}`),
		onAssertion("b64-true", "1.header-forbidden", "b64 with its default value.", `{"alg":"DS128","b64":true}`),
		onAssertion("jwk-null", "1.header-forbidden", "jwk that is null.", `{"alg":"DS128","jwk":null}`),
		onAssertion("escaped-crit", "1.header-forbidden 1.json-names", "crit with an escaped letter.", `{"alg":"DS128","\u0063rit":["x"]}`),
		okay("forbidden-names-in-capitals", "1.header-forbidden 1.json-case 1.header-others", "Names that differ in case are other members.",
			assertionHeader(`{"alg":"DS128","JWK":{},"Crit":["exp"],"X5C":[]}`)),
		okay("forbidden-name-nested", "1.header-forbidden 1.header-others", "Forbidden names inside another member.",
			assertionHeader(`{"alg":"DS128","x":{"crit":["exp"],"jku":"https://evil.example"}}`)),

		okay("other-members", "1.header-others", "Members of other JOSE specifications, of unusual types.",
			assertionHeader(`{"alg":"DS128","zip":"DEF","cty":7,"enc":null,"epk":{"kty":"EC"},"p2c":-1,"apu":[],"iss":5}`)),
		okay("certificate-other-members", "1.header-others", "The same on a certificate.",
			certificateHeader(`{"a":{"b":[1,2,{"c":null}]},"alg":"RS256","exp":1,"":false}`)),
		okay("alg-not-first", "1.header-others", "alg is the last of several members.", assertionHeader(`{"x":1,"y":2,"alg":"DS128"}`)),
	}
	forbidden := []struct{ name, value string }{
		{"crit", `["exp"]`}, {"b64", "false"}, {"jwk", `{"kty":"RSA","n":"AQAB","e":"AQAB"}`}, {"jku", `"https://idp.example/jwks"`},
		{"x5u", `"https://idp.example/x"`}, {"x5c", `["MIIB"]`}, {"x5t", `"AAAA"`}, {"x5t#S256", `"AAAA"`}, {"nonce", `"AAAA"`},
	}
	for _, f := range forbidden {
		extra := `"` + f.name + `":` + f.value + `}`
		table = append(table,
			onAssertion("with-"+f.name, "1.header-forbidden", f.name+" in the assertion's header.", `{"alg":"DS128",`+extra),
			onCertificate("with-"+f.name, "1.header-forbidden", f.name+" in the certificate's header.", `{"alg":"RS256",`+extra))
	}
	return table
}

func claims() []vector {
	issuer := func(name, comment string, iss any) vector {
		return failure("issuer-"+name, "1.cert-issuer 4.domain 7.offline-first", comment+" No host needs to answer.", anyReason, certificateClaim("iss", iss), silent(idp))
	}
	userPublic := idptest.Legacy(key("DS128").Public())
	return []vector{
		failure("issuer-missing", "1.cert-issuer", "A certificate without iss.", anyReason, withoutCertificateClaims("iss")),
		failure("issuer-number", "1.cert-issuer", "iss is a number.", anyReason, certificateClaim("iss", 1)),
		failure("issuer-null", "1.cert-issuer", "iss is null.", anyReason, certificateClaim("iss", nil)),
		failure("issuer-array", "1.cert-issuer", "iss is an array with a domain in it.", anyReason, certificateClaim("iss", []string{idp})),
		issuer("empty", "iss is empty.", ""),
		issuer("url", "iss is a URL.", "https://idp.example"),
		issuer("path", "iss has a path.", "idp.example/"),
		issuer("query", "iss has a query.", "idp.example?x"),
		issuer("user-info", "iss has user info.", "x@idp.example"),
		issuer("trailing-dot", "iss ends in a dot.", "idp.example."),
		issuer("leading-dot", "iss begins with a dot.", ".idp.example"),
		issuer("empty-label", "iss has an empty label.", "idp..example"),
		issuer("space-behind", "A space after iss.", "idp.example "),
		issuer("line-feed-behind", "A line feed after iss.", "idp.example\n"),
		issuer("nul", "A NUL character in iss.", "idp.example\x00.evil.example"),
		issuer("unicode", "iss in Unicode.", "idp.exämple"),
		issuer("unicode-dot", "A dot that is not ASCII.", "idp。example"),
		issuer("percent", "A percent-encoded dot.", "idp%2Eexample"),
		issuer("wildcard", "A wildcard.", "*.example"),
		issuer("ipv6", "An IPv6 address in brackets.", "[::1]"),
		issuer("254-bytes", "A domain of 254 bytes.", longDomain(254)),
		failure("issuer-port-0", "4.domain-dev", "Port 0.", anyReason, certificateClaim("iss", "idp.example:0"), silent(idp)),
		failure("issuer-port-65536", "4.domain-dev", "A port above 65535.", anyReason, certificateClaim("iss", "idp.example:65536"), silent(idp)),
		failure("issuer-port-empty", "4.domain-dev", "A colon without a port.", anyReason, certificateClaim("iss", "idp.example:"), silent(idp)),
		failure("issuer-port-leading-zero", "4.domain-dev", "A port with a leading zero.", anyReason, certificateClaim("iss", "idp.example:0443"), silent(idp)),
		failure("issuer-port-letters", "4.domain-dev", "A port of letters.", anyReason, certificateClaim("iss", "idp.example:https"), silent(idp)),
		failure("issuer-two-ports", "4.domain-dev", "Two ports.", anyReason, certificateClaim("iss", "idp.example:443:443"), silent(idp)),
		failure("issuer-malformed-offline", "1.cert-issuer 7.offline-first", "A malformed iss, and a host that does not answer.", anyReason,
			certificateClaim("iss", "idp.example/"), silent(idp)),
		okay("issuer-253-bytes", "4.domain", "A domain of 253 bytes, trusted.",
			issuedBy(longDomain(253)), withTrustedIssuers(longDomain(253))),
		okay("issuer-underscore", "4.domain", "Underscores and digits in a domain.",
			certifiedEmail("alice@_a-1.2b.example"), issuedBy("_a-1.2b.example")),
		okay("issuer-in-capitals", "4.domain-case 6.members", "iss in capitals is the same domain, and reported in lower case.",
			certificateClaim("iss", "IDP.Example")),
		okay("issuer-in-capitals-twice", "4.domain-case", "iss and the email's domain differ in case.",
			certificateClaim("iss", "idp.EXAMPLE"), certificateClaim("principal", idptest.Object{"email": "alice@IDP.example"})),
		okay("issuer-with-port", "4.domain-dev", "A port belongs to the domain, of the email too.",
			certifiedEmail("alice@idp.example:8443"), issuedBy("idp.example:8443")),
		failure("issuer-with-other-port", "4.domain-dev 4.row2", "A domain with a port is another domain.", untrusted(idp, "idp.example:8443"),
			issuedBy("idp.example:8443"), document(idp, validDocument())),
		okay("trusted-issuer-address", "4.domain-dev 4.row1", "An IPv4 address as a trusted issuer.",
			issuedBy("192.0.2.7"), withTrustedIssuers("192.0.2.7")),

		failure("key-missing", "1.cert-key", "A certificate without a key.", anyReason, withoutCertificateClaims("public-key")),
		failure("key-null", "1.cert-key", "public-key is null.", anyReason, publicKey(nil)),
		failure("key-text", "1.cert-key", "The key as text inside a string.", anyReason, publicKey(string(userPublic.JSON()))),
		failure("key-array", "1.cert-key", "The key inside an array.", anyReason, publicKey([]any{userPublic})),
		failure("key-under-jwk", "1.cert-key", "The key under another name.", anyReason, withoutCertificateClaims("public-key"), certificateClaim("jwk", userPublic)),
		failure("key-missing-offline", "1.cert-key 7.offline-first", "No key, and an issuer that does not answer.", anyReason,
			withoutCertificateClaims("public-key"), silent(idp)),
		okay("pubkey", "1.cert-key", "The key in pubkey, as public-key is absent.", withoutCertificateClaims("public-key"), certificateClaim("pubkey", userPublic)),
		okay("public-key-wins", "1.cert-key 1.reserved", "Both, of which public-key counts.",
			certificateClaim("pubkey", idptest.Legacy(key("RS256-2").Public()))),
		failure("pubkey-loses", "1.cert-key", "Both, of which pubkey would fit.", badSignature,
			certificateClaim("pubkey", userPublic), publicKey(idptest.Legacy(key("DS128-2").Public()))),
		failure("null-public-key-and-pubkey", "1.cert-key", "public-key is present, and null: pubkey is not used.", anyReason,
			certificateClaim("pubkey", userPublic), publicKey(nil)),

		failure("audience-missing", "1.audience", "An assertion without aud.", anyReason, withoutAssertionClaims("aud")),
		failure("audience-null", "1.audience", "aud is null.", anyReason, assertionClaim("aud", nil)),
		failure("audience-array", "1.audience", "aud is an array, as JWT allows and this protocol does not.", anyReason, assertionClaim("aud", []string{rp})),
		failure("audience-number", "1.audience", "aud is a number.", anyReason, assertionClaim("aud", 443)),
		failure("audience-missing-offline", "1.audience 7.offline-first", "No aud, and an issuer that does not answer.", anyReason,
			withoutAssertionClaims("aud"), silent(idp)),
		okay("certificate-audience", "1.audience 1.reserved", "aud in the certificate has no meaning.", certificateClaim("aud", "https://evil.example")),

		failure("tokens-swapped", "1.form 1.cert-issuer", "Assertion and certificate in each other's place.", anyReason,
			parts(func(t []string) []string { return []string{t[1], t[0]} })),
		failure("empty-claims", "1.exp-required", "Claims without members.", anyReason, assertion(func(t forge.Token) forge.Token {
			t.Claims = idptest.Object{}
			return t
		})),
	}
}

// longDomain returns a domain of size bytes, with labels of at most 63.
func longDomain(size int) string {
	const label = "abcdefghijklmnopqrstuvwxyz-abcdefghijklmnopqrstuvwxyz-012345678."
	domain := label + label + label + label
	return domain[:size-1] + "x"
}
