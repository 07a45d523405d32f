package corpus

import (
	"fmt"
	"strings"

	"github.com/vepverify/vepverify/cmd/vepverify/internal/vectors"
	"github.com/vepverify/vepverify/devidp/idptest"
)

// malformedDocument has a malformed document of the email's domain. The certificate is
// the fallback's, and must be accepted.
func malformedDocument(name, rules, comment string, doc any) vector {
	return okay(name, rules+" 4.row3-answers", comment, byFallback, document(idp, doc))
}

// refusedDocument has a malformed document, a certificate that its key signed, and no
// fallback.
func refusedDocument(name, rules, comment string, doc any) vector {
	return failure(name, rules, comment, anyReason, document(idp, doc))
}

func documents() []vector {
	table := append(documentForms(), documentMembers()...)
	return append(table, pages()...)
}

func documentForms() []vector {
	typed := func(contentType string) edit {
		return response(idp, vectors.Response{Status: 200, ContentType: contentType, Body: validDocumentText()})
	}
	accepted := func(name, contentType string) vector {
		return okay("type-"+name, "3.content-type", "Content-Type: "+contentType, typed(contentType))
	}
	refused := func(name, contentType string) vector {
		return okay("type-"+name, "3.content-type 4.row3-answers", "A valid document, but Content-Type: "+contentType, byFallback, typed(contentType))
	}
	malformed := func(name, comment, text string) vector {
		return okay("json-"+name, "3.json 4.row3-answers", comment, byFallback, body(idp, text))
	}
	return []vector{
		okay("status-200", "3.status", "A document with status 200.", body(idp, validDocumentText())),
		failure("status-201", "3.status", "A document with status 201.", anyReason,
			response(idp, vectors.Response{Status: 201, ContentType: "application/json", Body: validDocumentText()})),
		failure("status-404", "3.status", "A document with status 404.", anyReason,
			response(idp, vectors.Response{Status: 404, ContentType: "application/json", Body: validDocumentText()})),
		undecided("status-500", "3.status 4.row4", "A document with status 500.",
			response(idp, vectors.Response{Status: 500, ContentType: "application/json", Body: validDocumentText()})),

		accepted("charset", "application/json; charset=utf-8"),
		accepted("charset-no-space", "application/json;charset=UTF-8"),
		accepted("capitals", "Application/JSON"),
		refused("html", "text/html"),
		refused("text", "text/plain; charset=utf-8"),
		refused("longer", "application/jsonx"),
		refused("suffix", "application/ld+json"),
		refused("other-json", "text/json"),
		refused("parameter-only", "text/html; type=application/json"),
		okay("type-absent", "3.content-type 4.row3-answers", "A valid document without Content-Type.", byFallback,
			response(idp, vectors.Response{Status: 200, Body: validDocumentText()})),
		failure("type-html-no-fallback", "3.content-type 4.row3-none", "A valid document as text/html, and no fallback.", anyReason, typed("text/html")),

		okay("json-white-space", "3.json", "White space around the document.", body(idp, "\n "+validDocumentText()+" \r\n\t")),
		okay("json-escaped-names", "3.json", "Names in escapes.", body(idp, strings.Replace(validDocumentText(), `"public-key"`, `"public\u002dkey"`, 1))),
		malformed("byte-order-mark", "A byte order mark.", "\uFEFF"+validDocumentText()),
		malformed("text-behind", "Text after the object.", validDocumentText()+"x"),
		malformed("second-object", "A second object.", validDocumentText()+"{}"),
		malformed("array", "An array around it.", "["+validDocumentText()+"]"),
		malformed("empty", "An empty body.", ""),
		malformed("null", "null.", "null"),
		malformed("cut", "The closing brace is missing.", strings.TrimSuffix(validDocumentText(), "}")),
		malformed("html", "A page that calls itself JSON.", "<!DOCTYPE html><title>Welcome</title>"),
		malformed("name-twice", "public-key twice.", member(`"public-key":null`)(validDocumentText())),
		malformed("escaped-name-twice", "authority twice, once with an escaped letter.", member(`"authority":"a.example","\u0061uthority":"b.example"`)(validDocumentText())),
		malformed("nested-name-twice", "A name twice in a member that is not used.", member(`"x":[{"y":1,"y":1}]`)(validDocumentText())),
		malformed("too-deep", "1001 levels.", member(`"x":`+nested(1000))(validDocumentText())),
		malformed("half-pair", "Half a surrogate pair.", member(`"x":"\udc00"`)(validDocumentText())),
		okay("json-deepest", "3.json", "1000 levels.", body(idp, member(`"x":`+nested(999))(validDocumentText()))),
		okay("members-most", "3.members", "1000 members.", body(idp, member(manyMembers(1000-strings.Count(validDocumentText(), ":")))(validDocumentText()))),
		failure("members-too-many", "3.members 4.row5-limit", "1001 members, with a fallback that would accept it.", anyReason, byFallback,
			body(idp, member(manyMembers(1001-strings.Count(validDocumentText(), ":")))(validDocumentText()))),
		okay("json-other-members", "3.json", "Members that the protocol does not have.",
			document(idp, validDocument().With("Disabled", true).With("AUTHORITY", "evil.example").With("x", []int{1}))),
	}
}

func documentMembers() []vector {
	return []vector{
		okay("disabled-false", "3.disabled", "disabled is false, and the rest is used.", document(idp, validDocument().With("disabled", false))),
		okay("disabled", "3.disabled 4.row3-answers", "The domain opts out: the fallback is used.", byFallback, document(idp, idptest.Object{"disabled": true})),
		failure("disabled-no-fallback", "3.disabled 4.row3-none", "The domain opts out, and there is no fallback.", anyReason,
			document(idp, validDocument().With("disabled", true))),
		malformedDocument("disabled-text", "3.disabled-type", "disabled is the text \"false\".", validDocument().With("disabled", "false")),
		malformedDocument("disabled-null", "3.disabled-type", "disabled is null.", validDocument().With("disabled", nil)),
		malformedDocument("disabled-number", "3.disabled-type", "disabled is 0.", validDocument().With("disabled", 0)),
		refusedDocument("disabled-text-no-fallback", "3.disabled-type", "disabled is the text \"false\", and there is no fallback.", validDocument().With("disabled", "false")),
		malformedDocument("disabled-object-and-authority", "3.disabled-type 3.order", "disabled is an object, beside a good delegation.",
			idptest.Object{"disabled": idptest.Object{}, "authority": other}),

		okay("order-disabled-authority", "3.order", "disabled comes before authority: the fallback is used, not the delegate.", byFallback,
			document(idp, validDocument().With("disabled", true).With("authority", other)), document(other, provider(other, key("RS256")).Document())),
		okay("order-disabled-malformed", "3.order", "disabled decides, whatever the rest is.", byFallback,
			document(idp, idptest.Object{"disabled": true, "authority": 5, "keys": "x"})),
		okay("order-authority-keys", "3.order 3.authority", "authority comes before keys.", issuedBy(other),
			document(idp, validDocument().With("authority", other))),
		okay("order-authority-malformed-keys", "3.order", "authority decides, whatever the keys are.", issuedBy(other),
			document(idp, idptest.Object{"authority": other, "public-key": 1, "keys": "x", "authentication": 5})),
		okay("order-disabled-false-authority", "3.order", "disabled that is false leaves authority to decide.", issuedBy(other),
			document(idp, idptest.Object{"authority": other, "disabled": false})),

		malformedDocument("empty", "3.keys", "A document without members.", idptest.Object{}),
		malformedDocument("pages-only", "3.keys", "A document without any key member.", validDocument().Without("public-key")),
		refusedDocument("pages-only-no-fallback", "3.keys", "The same, and no fallback.", validDocument().Without("public-key")),
		malformedDocument("key-under-pubkey", "3.keys", "A key under pubkey, which is for certificates.",
			validDocument().Without("public-key").With("pubkey", user("RS256"))),
	}
}

func pages() []vector {
	malformed := func(name, member, comment string, value any) vector {
		return malformedDocument("page-"+name, "3.pages", comment, validDocument().With(member, value))
	}
	return []vector{
		malformed("relative", "authentication", "A path that does not begin with a slash.", "sign_in"),
		malformed("url", "provisioning", "A URL in place of a path.", "https://idp.example/provision"),
		malformed("query", "authentication", "A path with a query.", "/sign_in?x=1"),
		malformed("empty-query", "provisioning", "A path with an empty query.", "/provision?"),
		malformed("fragment", "provisioning", "A path with a fragment.", "/provision#x"),
		malformed("empty", "authentication", "An empty path.", ""),
		malformed("null", "authentication", "authentication is null.", nil),
		malformed("number", "provisioning", "provisioning is a number.", 1),
		malformedDocument("page-authentication-missing", "3.pages", "Without authentication.", validDocument().Without("authentication")),
		malformedDocument("page-provisioning-missing", "3.pages", "Without provisioning.", validDocument().Without("provisioning")),
		refusedDocument("page-missing-no-fallback", "3.pages", "Without both, and no fallback.", validDocument().Without("authentication", "provisioning")),
		okay("page-root", "3.pages", "The shortest path there is.", document(idp, validDocument().With("authentication", "/").With("provisioning", "/"))),
		okay("page-odd-characters", "3.pages", "Paths with other characters.", document(idp, validDocument().With("authentication", "/a b/é/%00//..;x:@&="))),

		okay("page-fallback-lacks-both", "3.pages-fallback", "The fallback's document lacks both.", byFallback, fallbackDocument(func(o idptest.Object) idptest.Object {
			return o.Without("authentication", "provisioning")
		})),
		okay("page-fallback-lacks-one", "3.pages-fallback", "The fallback's document lacks one.", byFallback, fallbackDocument(func(o idptest.Object) idptest.Object {
			return o.Without("provisioning")
		})),
		okay("page-delegation-to-fallback", "3.pages-fallback 4.row2", "A domain delegates to the fallback, whose document lacks both.", byFallback,
			document(idp, idptest.Object{"authority": fallback}), fallbackDocument(func(o idptest.Object) idptest.Object {
				return o.Without("authentication", "provisioning")
			})),
		failure("page-fallback-delegate-lacks", "3.pages-fallback 4.fallback-delegation", "The document of the fallback's delegate lacks one.", anyReason, byDelegate,
			document(other, provider(other, key("RS256-2")).Document().Without("provisioning"))),
		failure("page-fallback-malformed", "3.pages-fallback", "The pages that the fallback's document has must be valid.", anyReason, byFallback,
			fallbackDocument(func(o idptest.Object) idptest.Object { return o.With("authentication", "sign_in") })),
		failure("page-trusted-lacks", "3.pages-fallback 4.row1", "A trusted issuer that is not the fallback needs them.", anyReason,
			issuedBy(other), withTrustedIssuers(other), document(other, provider(other, key("RS256-2")).Document().Without("authentication"))),
		failure("page-delegate-lacks", "3.pages 4.row5-delegation", "A delegate needs them too, and the fallback is not used for a delegation without an end.", anyReason,
			byFallback, document(idp, idptest.Object{"authority": other}), document(other, provider(other).Document().Without("provisioning"))),
	}
}

// fallbackDocument changes the document of the fallback.
func fallbackDocument(change func(idptest.Object) idptest.Object) edit {
	return document(fallback, change(provider(fallback, key("RS256-2")).Document()))
}

// manyMembers returns the text of n members.
func manyMembers(n int) string {
	list := make([]string, n)
	for i := range list {
		list[i] = fmt.Sprintf(`"m%d":0`, i)
	}
	return strings.Join(list, ",")
}

// entries returns a document with these keys and no public-key.
func entries(keys ...any) idptest.Object {
	return validDocument().Without("public-key").With("keys", append([]any{}, keys...)) // not null
}

func sig(name string) idptest.Object { return userJWK(name).With("use", "sig") }

// keysBeforeIssuers returns n keys, the last of which is the issuer's.
func keysBeforeIssuers(n int) []any {
	list := make([]any, n)
	for i := range list {
		list[i] = sig("RS128")
	}
	list[n-1] = sig("RS256")
	return list
}

func publishedKeys() []vector {
	table := append(keyLists(), skippedKeys()...)
	return append(table, malformedKeys()...)
}

func keyLists() []vector {
	return []vector{
		okay("keys-only", "3.keys", "keys and no public-key.", document(idp, entries(sig("RS256")))),
		okay("public-key-only", "3.keys", "public-key and no keys."),
		okay("both", "3.keys 3.any-key", "Both, of which public-key signed.", document(idp, validDocument().With("keys", []any{sig("DS256")}))),
		okay("second-of-keys", "3.any-key", "The second of keys signed.", document(idp, entries(sig("RS256-2"), sig("RS256")))),
		okay("keys-beside-other-public-key", "3.any-key", "public-key is another, and one of keys signed.",
			document(idp, entries(sig("RS256")).With("public-key", user("RS256-2")))),
		okay("other-algorithms-around", "3.any-key 2.candidates", "The key that signed is between keys of other algorithms.",
			document(idp, entries(sig("DS128"), sig("RS256"), sig("RS128"), sig("DS256")))),
		okay("legacy-form-in-keys", "3.any-key", "A key in the legacy form among keys.", document(idp, entries(user("RS256")))),
		okay("same-key-twice", "3.any-key", "The same key in both places.", document(idp, validDocument().With("keys", []any{sig("RS256"), sig("RS256")}))),
		invalid("none-of-several", "3.any-key 2.candidates", "None of three keys signed.",
			document(idp, entries(sig("RS256-2"), sig("RS256-2047"), sig("DS128")))),

		okay("fourth-of-keys", "3.any-key", "The fourth key of the algorithm signed.",
			document(idp, entries(sig("RS256-2"), sig("RS256-2047"), sig("RS256-2"), sig("RS256")))),
		okay("fourth-among-others", "3.any-key 2.candidates", "The fourth key of the algorithm signed; keys of other algorithms do not count.",
			document(idp, entries(sig("DS128"), sig("RS256-2"), sig("RS128"), sig("RS256-2047"), sig("RS256-2"), sig("DS256"), sig("RS256")))),
		okay("fourth-with-public-key", "3.any-key", "public-key counts as the first, and the third of keys signed.",
			document(idp, entries(sig("RS256-2"), sig("RS256-2047"), sig("RS256")).With("public-key", user("RS256-2")))),
		invalid("fifth-of-keys", "3.any-key 2.candidates", "The fifth key of the algorithm signed: it is not tried.",
			document(idp, entries(sig("RS256-2"), sig("RS256-2047"), sig("RS256-2"), sig("RS256-2047"), sig("RS256")))),
		invalid("fifth-with-public-key", "3.any-key", "public-key counts as the first, and the fourth of keys signed: it is not tried.",
			document(idp, entries(sig("RS256-2"), sig("RS256-2047"), sig("RS256-2"), sig("RS256")).With("public-key", user("RS256-2")))),
		okay("first-of-five", "3.any-key", "The first of five keys signed.",
			document(idp, entries(sig("RS256"), sig("RS256-2"), sig("RS256-2047"), sig("RS256-2"), sig("RS256-2047")))),

		okay("keys-16", "3.keys-array", "16 keys, the last of which signed.", document(idp, entries(keysBeforeIssuers(16)...))),
		malformedDocument("keys-17", "3.keys-array", "17 keys.", entries(keysBeforeIssuers(17)...)),
		refusedDocument("keys-17-no-fallback", "3.keys-array", "17 keys, and no fallback.", entries(keysBeforeIssuers(17)...)),
		malformedDocument("keys-17-skipped", "3.keys-array", "17 entries, although most would be skipped.",
			validDocument().With("keys", repeated(idptest.Object{"kty": "EC"}, 17))),
		okay("dsa-4", "3.keys-dsa", "4 DSA keys, the last of which signed.", signedBy(key("DS256")), document(idp, entries(afterDSA(3, sig("DS256"))...))),
		failure("dsa-5", "3.keys-dsa", "5 DSA keys, the last of which signed: it is not read.", algorithm, signedBy(key("DS256")),
			document(idp, entries(afterDSA(4, sig("DS256"))...))),
		okay("dsa-5-malformed", "3.keys-dsa 3.keys-skipped", "The fifth DSA key is malformed, and an RSA key after it signed.",
			document(idp, entries(append(afterDSA(4, idptest.Object{"kty": "DSA", "y": 5}), sig("RS256"))...))),
		failure("dsa-public-key-counts", "3.keys-dsa", "A DSA public-key and 4 DSA keys, the last of which signed.", algorithm, signedBy(key("DS256")),
			document(idp, entries(afterDSA(3, sig("DS256"))...).With("public-key", user("DS128")))),
		malformedDocument("keys-object", "3.keys-array", "keys is an object.", validDocument().With("keys", idptest.Object{"0": sig("RS256")})),
		malformedDocument("keys-null", "3.keys-array", "keys is null.", validDocument().With("keys", nil)),
		malformedDocument("keys-text", "3.keys-array", "keys is a text.", validDocument().With("keys", "none")),

		failure("none-left", "3.no-key", "keys is empty: the domain supports BrowserID, and certifies no address.", algorithm, document(idp, entries())),
		failure("none-left-fallback", "3.no-key 4.row2", "The same with a fallback, which is not used for the domain.", untrusted(idp, fallback),
			byFallback, document(idp, entries())),
		failure("none-left-skipped", "3.no-key 3.keys-skipped", "All keys are skipped.", untrusted(idp, fallback),
			byFallback, document(idp, entries(sig("RS256").With("use", "enc"), idptest.Object{"kty": "EC"}))),
		failure("weak-public-key", "3.no-key 2.weak", "public-key is weak: support, but no key. The fallback is not used.", untrusted(idp, fallback),
			byFallback, document(idp, validDocument().With("public-key", user("RS64")))),
		okay("empty-keys-beside-public-key", "3.keys", "keys is empty, and public-key signed.", document(idp, validDocument().With("keys", []any{}))),
	}
}

// afterDSA returns n DSA keys and then key.
func afterDSA(n int, key any) []any { return append(repeated(sig("DS128"), n), key) }

func repeated(value any, n int) []any {
	list := make([]any, n)
	for i := range list {
		list[i] = value
	}
	return list
}

func skippedKeys() []vector {
	skipped := func(name, comment string, entry any) vector {
		return okay("skipped-"+name, "3.keys-skipped", comment, document(idp, validDocument().With("keys", []any{entry})))
	}
	unused := func(name, comment string, entry idptest.Object) vector {
		return failure("unused-"+name, "3.keys-skipped", comment, algorithm, document(idp, entries(entry)))
	}
	ec := idptest.Object{"kty": "EC", "crv": "P-256", "x": "AAAA", "y": "AAAA"}
	return []vector{
		skipped("ec", "A key of elliptic curves.", ec.With("use", "sig")),
		skipped("okp", "A key of a newer kind, without any member.", idptest.Object{"kty": "OKP"}),
		skipped("lower-case-kty", "A kty in lower case is an unknown one.", userJWK("DS128").With("kty", "dsa")),
		skipped("encryption", "A key for encryption.", userJWK("RS128").With("use", "enc")),
		skipped("encryption-malformed", "A key for encryption that is malformed besides.", idptest.Object{"kty": "RSA", "n": 5, "use": "enc"}),
		skipped("weak", "A weak key.", sig("RS64")),
		skipped("too-large", "A key of 4097 bits.", loadRawKey("rsa4097").public()),
		skipped("too-large-exponent", "A key of 3072 bits with a large exponent.", loadRawKey("rsa3072e2147483647").public()),
		skipped("too-large-8193", "A key of 8193 bits.", loadRawKey("rsa8193").public()),
		skipped("too-large-digits", "A modulus of 20 000 digits.", idptest.Object{"algorithm": "RS", "n": strings.Repeat("7", 20_000), "e": "3"}),
		skipped("too-large-jwk", "A modulus of 15 000 bytes, as a JWK.", idptest.Object{"kty": "RSA", "n": strings.Repeat("Q", 20_000), "e": "Aw"}),
		skipped("too-large-exponent-digits", "An exponent of 2000 digits.", userJWK("RS256-2").With("e", strings.Repeat("Q", 2000))),
		failure("too-large-public-key", "3.keys-skipped 3.no-key 2.rsa-large", "public-key has 4097 bits: support, but no key. The fallback is not used.",
			untrusted(idp, fallback), byFallback, document(idp, validDocument().With("public-key", loadRawKey("rsa4097").public()))),
		okay("too-large-public-key-beside-key", "3.keys-skipped 2.rsa-large", "public-key has 4097 bits, and a key of keys signed.",
			document(idp, entries(sig("RS256")).With("public-key", loadRawKey("rsa4097").public()))),
		skipped("weak-1023", "A key of 1023 bits.", sig("RS128-1023")),
		unused("encryption", "The issuer's key is for encryption.", userJWK("RS256").With("use", "enc")),
		unused("empty-use", "The issuer's key has an empty use.", userJWK("RS256").With("use", "")),
		unused("use-in-capitals", "use in capitals.", userJWK("RS256").With("use", "SIG")),
		unused("use-null", "use is null.", userJWK("RS256").With("use", nil)),
		unused("use-array", "use is an array.", userJWK("RS256").With("use", []string{"sig"})),
		okay("used-without-use", "3.keys-skipped", "A key without use.", document(idp, entries(userJWK("RS256")))),
		okay("used-weak-allowed", "3.keys-skipped 2.weak", "A weak key among keys, where weak keys are allowed.", weakKeys, signedBy(key("RS64")),
			document(idp, entries(sig("RS256"), sig("RS64")))),
	}
}

func malformedKeys() []vector {
	entry := func(name, comment string, value any) vector {
		return malformedDocument("malformed-entry-"+name, "3.keys-malformed", comment, validDocument().With("keys", []any{sig("RS256"), value}))
	}
	single := func(name, comment string, value any) vector {
		return malformedDocument("malformed-"+name, "3.keys-malformed", comment, validDocument().With("public-key", value))
	}
	return []vector{
		entry("text", "An entry that is a text.", "RSA"),
		entry("null", "An entry that is null.", nil),
		entry("empty", "An entry without members.", idptest.Object{}),
		entry("unknown-algorithm", "An entry of the legacy form with an unknown algorithm: only an unknown kty is skipped.",
			idptest.Object{"algorithm": "ES", "n": "3"}),
		entry("without-n", "An RSA entry without n.", sig("RS256").Without("n")),
		entry("even-modulus", "An RSA entry with an even modulus.", loadRawKey("rsa2048even").public()),
		entry("size", "An RSA entry of 1536 bits, which no algorithm has.", loadRawKey("rsa1536").public()),
		entry("garbage", "An RSA entry with a malformed n.", sig("RS256").With("n", "!")),
		entry("both-kinds", "An entry with kty and algorithm.", sig("RS256").With("algorithm", "RS")),
		single("text", "public-key is a text.", "RSA"),
		single("null", "public-key is null.", nil),
		single("array", "public-key is an array.", []any{user("RS256")}),
		single("unknown-algorithm", "public-key is of an unknown kind.", user("RS256").With("algorithm", "ES")),
		single("unknown-kty", "public-key has an unknown kty.", idptest.Object{"kty": "EC"}),
		single("without-e", "public-key lacks e.", user("RS256").Without("e")),
		malformedDocument("malformed-beside-good-keys", "3.keys-malformed", "public-key is malformed, and keys is good.",
			entries(sig("RS256")).With("public-key", idptest.Object{})),
		refusedDocument("malformed-beside-good-key", "3.keys-malformed", "An entry is malformed beside the key that signed, and there is no fallback.",
			validDocument().With("keys", []any{idptest.Object{"kty": "RSA"}})),
	}
}
