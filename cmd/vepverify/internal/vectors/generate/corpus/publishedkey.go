package corpus

import (
	"strings"

	"github.com/vepverify/vepverify/devidp/idptest"
)

// entries gives a document whose keys are those, and no public-key.
func entries(keys ...any) idptest.Object {
	return good().Without("public-key").With("keys", append([]any{}, keys...)) // none: an empty array
}

func sig(name string) idptest.Object { return userJWK(name).With("use", "sig") }

// several gives so many keys, the last of which is the issuer's.
func several(n int) []any {
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
		okay("both", "3.keys 3.any-key", "Both, of which public-key signed.", document(idp, good().With("keys", []any{sig("DS256")}))),
		okay("second-of-keys", "3.any-key", "The second of keys signed.", document(idp, entries(sig("RS256-2"), sig("RS256")))),
		okay("keys-beside-other-public-key", "3.any-key", "public-key is another, and one of keys signed.",
			document(idp, entries(sig("RS256")).With("public-key", user("RS256-2")))),
		okay("other-algorithms-around", "3.any-key 2.candidates", "The one that signed stands between keys of other algorithms.",
			document(idp, entries(sig("DS128"), sig("RS256"), sig("RS128"), sig("DS256")))),
		okay("legacy-form-in-keys", "3.any-key", "A key in the legacy form among keys.", document(idp, entries(user("RS256")))),
		okay("same-key-twice", "3.any-key", "The same key in both places.", document(idp, good().With("keys", []any{sig("RS256"), sig("RS256")}))),
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

		okay("keys-16", "3.keys-array", "16 keys, the last of which signed.", document(idp, entries(several(16)...))),
		malformedDocument("keys-17", "3.keys-array", "17 keys.", entries(several(17)...)),
		refusedDocument("keys-17-no-fallback", "3.keys-array", "17 keys, and no fallback.", entries(several(17)...)),
		malformedDocument("keys-17-skipped", "3.keys-array", "17 entries, although most would be skipped.",
			good().With("keys", repeated(idptest.Object{"kty": "EC"}, 17))),
		okay("dsa-4", "3.keys-dsa", "4 DSA keys, the last of which signed.", signedBy(key("DS256")), document(idp, entries(afterDSA(3, sig("DS256"))...))),
		failure("dsa-5", "3.keys-dsa", "5 DSA keys, the last of which signed: it is not read.", algorithm, signedBy(key("DS256")),
			document(idp, entries(afterDSA(4, sig("DS256"))...))),
		okay("dsa-5-malformed", "3.keys-dsa 3.keys-skipped", "The fifth DSA key is malformed, and an RSA key after it signed.",
			document(idp, entries(append(afterDSA(4, idptest.Object{"kty": "DSA", "y": 5}), sig("RS256"))...))),
		failure("dsa-public-key-counts", "3.keys-dsa", "A DSA public-key and 4 DSA keys, the last of which signed.", algorithm, signedBy(key("DS256")),
			document(idp, entries(afterDSA(3, sig("DS256"))...).With("public-key", user("DS128")))),
		malformedDocument("keys-object", "3.keys-array", "keys is an object.", good().With("keys", idptest.Object{"0": sig("RS256")})),
		malformedDocument("keys-null", "3.keys-array", "keys is null.", good().With("keys", nil)),
		malformedDocument("keys-text", "3.keys-array", "keys is a text.", good().With("keys", "none")),

		failure("none-left", "3.no-key", "keys is empty: the domain supports BrowserID, and certifies nobody.", algorithm, document(idp, entries())),
		failure("none-left-fallback", "3.no-key 4.row2", "The same with a fallback, which does not speak for the domain.", untrusted(idp, fallback),
			byFallback, document(idp, entries())),
		failure("none-left-skipped", "3.no-key 3.keys-skipped", "All keys are skipped.", untrusted(idp, fallback),
			byFallback, document(idp, entries(sig("RS256").With("use", "enc"), idptest.Object{"kty": "EC"}))),
		failure("weak-public-key", "3.no-key 2.weak", "public-key is weak: support, but no key. The fallback does not speak.", untrusted(idp, fallback),
			byFallback, document(idp, good().With("public-key", user("RS64")))),
		okay("empty-keys-beside-public-key", "3.keys", "keys is empty, and public-key signed.", document(idp, good().With("keys", []any{}))),
	}
}

// afterDSA returns a key after n others, which are DSA keys.
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
		return okay("skipped-"+name, "3.keys-skipped", comment, document(idp, good().With("keys", []any{entry})))
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
		skipped("too-large", "A key of 4097 bits.", odd("rsa4097").public()),
		skipped("too-large-exponent", "A key of 3072 bits with a large exponent.", odd("rsa3072e2147483647").public()),
		skipped("too-large-8193", "A key of 8193 bits.", odd("rsa8193").public()),
		skipped("too-large-digits", "A modulus of 20 000 digits.", idptest.Object{"algorithm": "RS", "n": strings.Repeat("7", 20_000), "e": "3"}),
		skipped("too-large-jwk", "A modulus of 15 000 bytes, as a JWK.", idptest.Object{"kty": "RSA", "n": strings.Repeat("Q", 20_000), "e": "Aw"}),
		skipped("too-large-exponent-digits", "An exponent of 2000 digits.", userJWK("RS256-2").With("e", strings.Repeat("Q", 2000))),
		failure("too-large-public-key", "3.keys-skipped 3.no-key 2.rsa-large", "public-key has 4097 bits: support, but no key. The fallback does not speak.",
			untrusted(idp, fallback), byFallback, document(idp, good().With("public-key", odd("rsa4097").public()))),
		okay("too-large-public-key-beside-key", "3.keys-skipped 2.rsa-large", "public-key has 4097 bits, and a key of keys signed.",
			document(idp, entries(sig("RS256")).With("public-key", odd("rsa4097").public()))),
		skipped("weak-1023", "A key of 1023 bits.", sig("RS128-1023")),
		unused("encryption", "The issuer's key is for encryption.", userJWK("RS256").With("use", "enc")),
		unused("empty-use", "The issuer's key has an empty use.", userJWK("RS256").With("use", "")),
		unused("use-in-capitals", "use in capitals.", userJWK("RS256").With("use", "SIG")),
		unused("use-null", "use is null.", userJWK("RS256").With("use", nil)),
		unused("use-array", "use is an array.", userJWK("RS256").With("use", []string{"sig"})),
		okay("used-without-use", "3.keys-skipped", "A key that does not tell its use.", document(idp, entries(userJWK("RS256")))),
		okay("used-weak-allowed", "3.keys-skipped 2.weak", "A weak key among keys, where weak keys are allowed.", weakKeys, signedBy(key("RS64")),
			document(idp, entries(sig("RS256"), sig("RS64")))),
	}
}

func malformedKeys() []vector {
	entry := func(name, comment string, value any) vector {
		return malformedDocument("malformed-entry-"+name, "3.keys-malformed", comment, good().With("keys", []any{sig("RS256"), value}))
	}
	single := func(name, comment string, value any) vector {
		return malformedDocument("malformed-"+name, "3.keys-malformed", comment, good().With("public-key", value))
	}
	return []vector{
		entry("text", "An entry that is a text.", "RSA"),
		entry("null", "An entry that is null.", nil),
		entry("empty", "An entry without members.", idptest.Object{}),
		entry("unknown-algorithm", "An entry of the legacy form with an unknown algorithm: only an unknown kty is skipped.",
			idptest.Object{"algorithm": "ES", "n": "3"}),
		entry("without-n", "An RSA entry without n.", sig("RS256").Without("n")),
		entry("even-modulus", "An RSA entry with an even modulus.", odd("rsa2048even").public()),
		entry("size", "An RSA entry of 1536 bits, which no algorithm has.", odd("rsa1536").public()),
		entry("garbage", "An RSA entry with garbage for n.", sig("RS256").With("n", "!")),
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
			good().With("keys", []any{idptest.Object{"kty": "RSA"}})),
	}
}
