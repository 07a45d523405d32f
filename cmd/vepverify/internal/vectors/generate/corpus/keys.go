package corpus

import (
	"encoding/base64"
	"math/big"
	"strings"

	"github.com/vepverify/vepverify/cmd/vepverify/internal/vectors/forge"
	"github.com/vepverify/vepverify/devidp/idptest"
	"github.com/vepverify/vepverify/keys"
)

func keyCases() []vector {
	return append(append(keyForms(), keyNumbers()...), rsaLoad()...)
}

// user returns the public half of a test key in the legacy form.
func user(name string) idptest.Object { return idptest.Legacy(key(name).Public()) }

// userJWK returns the public half of a test key as a JWK.
func userJWK(name string) idptest.Object { return idptest.JWK(key(name).Public()) }

// certifiedKey makes a test key the user's, and certifies it in the given form.
func certifiedKey(name string, form any) edit { return combine(userKey(key(name)), publicKey(form)) }

// mapped returns the object with the text of the named members changed.
func mapped(o idptest.Object, change func(string) string, names ...string) idptest.Object {
	for _, name := range names {
		o = o.With(name, change(o[name].(string)))
	}
	return o
}

func keyForms() []vector {
	bad := func(name, comment string, form any) vector {
		return failure(name, "2.key-form", comment, anyReason, publicKey(form))
	}
	padded := func(s string) string { return s + strings.Repeat("=", (4-len(s)%4)%4) }
	ds, jwk := user("DS128"), userJWK("DS128")
	return []vector{
		okay("legacy-rsa", "2.legacy-rsa", "An RSA key in the legacy form.", userKey(key("RS128"))),
		okay("legacy-rsa-leading-zeros", "2.legacy-rsa", "Leading zeros of decimal numbers.",
			certifiedKey("RS128", mapped(user("RS128"), prefix("000"), "n", "e"))),
		okay("legacy-dsa", "2.legacy-dsa", "A DSA key in the legacy form, in small letters."),
		okay("legacy-dsa-capitals", "2.legacy-dsa", "A DSA key in capitals, as Firefox Accounts wrote them.",
			publicKey(mapped(ds, strings.ToUpper, "p", "q", "g", "y"))),
		okay("legacy-dsa-mixed-case", "2.legacy-dsa", "Some numbers in capitals.", publicKey(mapped(ds, strings.ToUpper, "p", "y"))),
		okay("legacy-dsa-leading-zeros", "2.legacy-dsa", "Leading zeros of hexadecimal numbers.", publicKey(mapped(ds, prefix("00"), "p", "q", "g", "y"))),
		okay("legacy-dsa-short-y", "2.legacy-dsa", "A y that is shorter than p, without its leading zeros.", shortY),
		okay("legacy-issuer-capitals", "2.legacy-dsa", "An issuer's DSA key in capitals.", issuerKey(key("DS256")),
			document(idp, validDocument().With("public-key", mapped(user("DS256"), strings.ToUpper, "p", "q", "g", "y")))),
		okay("jwk-rsa", "2.jwk-rsa", "An RSA key as a JWK.", certifiedKey("RS256-2", userJWK("RS256-2"))),
		okay("jwk-rsa-issuer", "2.jwk-rsa", "An issuer's RSA key as a JWK.", document(idp, validDocument().With("public-key", userJWK("RS256")))),
		okay("jwk-rsa-other-members", "2.jwk-rsa 2.key-form", "A JWK with members that do not matter, alg and use among them.",
			certifiedKey("RS256-2", userJWK("RS256-2").With("alg", "RS512").With("use", "enc").With("kid", 7).With("key_ops", nil))),
		okay("jwk-dsa", "2.jwk-dsa", "A DSA key as a JWK.", publicKey(jwk)),
		okay("jwk-dsa-2048", "2.jwk-dsa", "A larger one.", certifiedKey("DS256", userJWK("DS256"))),
		okay("jwk-dsa-issuer", "2.jwk-dsa", "An issuer's DSA key as a JWK.", issuerKey(key("DS128")),
			document(idp, validDocument().With("public-key", jwk))),
		okay("jwk-rsa-padded", "2.jwk-padding", "A padded RSA JWK.", certifiedKey("RS256-2", mapped(userJWK("RS256-2"), padded, "n", "e"))),
		okay("jwk-dsa-padded", "2.jwk-padding", "A padded DSA JWK: q has one character of it, p has two.", publicKey(mapped(jwk, padded, "p", "q", "g", "y"))),
		okay("jwk-issuer-padded", "2.jwk-padding", "An issuer's padded JWK.",
			document(idp, validDocument().With("public-key", mapped(userJWK("RS256"), padded, "n")))),
		okay("jwk-padding-needless", "2.jwk-padding", "One character of padding where two belong, or where none belongs.",
			certifiedKey("RS256-2", mapped(userJWK("RS256-2"), func(s string) string { return s + "=" }, "n", "e"))),
		failure("jwk-padding-inside", "2.jwk-padding", "Padding inside a number.", anyReason,
			certifiedKey("RS256-2", mapped(userJWK("RS256-2"), func(s string) string { return s[:8] + "==" + s[8:] }, "n"))),
		failure("jwk-padding-only", "2.jwk-padding", "Only padding.", anyReason, publicKey(jwk.With("y", "===="))),

		bad("empty", "A key without members.", idptest.Object{}),
		bad("number", "A key that is a number.", 5),
		bad("no-kind", "A key without algorithm and kty.", ds.Without("algorithm")),
		bad("unknown-algorithm", "An unknown algorithm.", ds.With("algorithm", "ES")),
		bad("algorithm-with-size", "algorithm with the size in it.", ds.With("algorithm", "DS128")),
		bad("algorithm-lower-case", "algorithm in lower case.", ds.With("algorithm", "ds")),
		bad("algorithm-null", "algorithm is null.", ds.With("algorithm", nil)),
		bad("unknown-kty", "An unknown kty.", jwk.With("kty", "EC")),
		bad("kty-lower-case", "kty in lower case.", jwk.With("kty", "dsa")),
		bad("kty-of-the-other-family", "A DSA key whose kty is RSA.", jwk.With("kty", "RSA")),
		bad("algorithm-of-the-other-family", "A DSA key whose algorithm is RS.", ds.With("algorithm", "RS")),
		bad("kty-and-algorithm", "A key that names both kty and algorithm.", ds.With("kty", "DSA")),
		bad("kty-and-algorithm-jwk", "The same in the JWK form.", jwk.With("algorithm", "DS")),
		bad("without-p", "A DSA key without p.", ds.Without("p")),
		bad("without-q", "A DSA key without q.", ds.Without("q")),
		bad("without-g", "A DSA key without g.", ds.Without("g")),
		bad("without-y", "A DSA key without y.", ds.Without("y")),
		bad("private-only", "A DSA key with x in place of y.", ds.Without("y").With("x", "5")),
		failure("without-n", "2.key-form", "An RSA key without n.", anyReason, certifiedKey("RS128", user("RS128").Without("n"))),
		failure("without-e", "2.key-form", "An RSA key without e: there is no default.", anyReason, certifiedKey("RS128", user("RS128").Without("e"))),
		failure("jwk-without-e", "2.key-form", "An RSA JWK without e.", anyReason, certifiedKey("RS256-2", userJWK("RS256-2").Without("e"))),
		okay("private-member", "2.key-form", "A private member is one that does not matter.", publicKey(ds.With("x", "5"))),
	}
}

// shortY replaces the user's key by a DSA key whose y has fewer digits than p.
func shortY(s *scenario) {
	o := user("DS128")
	k := rawKey{"x": big.NewInt(1)}
	for _, name := range []string{"p", "q", "g"} {
		k[name] = hexNumber(o[name].(string))
	}
	for new(big.Int).Exp(k["g"], k["x"], k["p"]).BitLen() > 1024-8 {
		k["x"].Add(k["x"], big.NewInt(1))
	}
	publicKey(k.public())(s)
	s.assertion = k.sign(s.assertion, "DS128")
}

func keyNumbers() []vector {
	ds := func(name, comment string, change func(string) string) vector {
		return failure("number-"+name, "2.key-numbers", comment, anyReason, publicKey(mapped(user("DS128"), change, "y")))
	}
	rs := func(name, comment string, change func(string) string) vector {
		return failure("number-"+name, "2.key-numbers", comment, anyReason, certifiedKey("RS128", mapped(user("RS128"), change, "n")))
	}
	jwk := func(name, comment string, change func(string) string) vector {
		return failure("number-jwk-"+name, "2.key-numbers", comment, anyReason, certifiedKey("RS256-2", mapped(userJWK("RS256-2"), change, "n")))
	}
	return []vector{
		ds("hexadecimal-prefix", "0x before hexadecimal digits.", prefix("0x")),
		ds("hexadecimal-sign", "A plus sign before hexadecimal digits.", prefix("+")),
		ds("hexadecimal-minus", "A minus sign before them.", prefix("-")),
		ds("hexadecimal-space", "A space before them.", prefix(" ")),
		ds("hexadecimal-line-feed", "A line feed after them.", suffix("\n")),
		ds("hexadecimal-underscore", "An underscore between them.", func(s string) string { return s[:4] + "_" + s[4:] }),
		ds("hexadecimal-colons", "Colons between bytes.", func(s string) string { return s[:2] + ":" + s[2:] }),
		ds("hexadecimal-letter", "A letter that is not a digit.", func(s string) string { return "g" + s[1:] }),
		ds("hexadecimal-empty", "No digits.", constant("")),
		rs("decimal-plus", "A plus sign before decimal digits.", prefix("+")),
		rs("decimal-minus", "A minus sign before them.", prefix("-")),
		rs("decimal-space", "A space after them.", suffix(" ")),
		rs("decimal-hexadecimal", "Hexadecimal digits in place of decimal ones.", func(s string) string { return "0x" + s }),
		rs("decimal-fraction", "A fraction.", suffix(".0")),
		rs("decimal-exponent", "An exponent.", suffix("e0")),
		rs("decimal-separator", "A separator of thousands.", func(s string) string { return s[:3] + "," + s[3:] }),
		rs("decimal-empty", "No digits.", constant("")),
		failure("number-exponent-is-a-number", "2.key-numbers", "e as a JSON number.", anyReason, certifiedKey("RS128", user("RS128").With("e", 65537))),
		failure("number-modulus-is-a-number", "2.key-numbers", "n as a JSON number.", anyReason,
			certifiedKey("RS128", user("RS128").With("n", idptest.Raw(user("RS128")["n"].(string))))),
		failure("number-y-null", "2.key-numbers", "y is null.", anyReason, publicKey(user("DS128").With("y", nil))),
		jwk("standard-alphabet", "Characters of the standard alphabet of base64.", func(s string) string { return "+/" + s[2:] }),
		jwk("line-feed", "A line feed between base64url characters.", func(s string) string { return s[:8] + "\n" + s[8:] }),
		jwk("space", "A space between them.", func(s string) string { return s[:8] + " " + s[8:] }),
		jwk("impossible-length", "A length that no bytes have.", func(s string) string { return s + strings.Repeat("A", (5-len(s)%4)%4) }),
		jwk("unused-bits", "Unused bits that are set.", looseBits),
		jwk("empty", "No characters.", constant("")),
		okay("number-escaped", "2.key-numbers", "A digit of a number in an escape.",
			publicKey(idptest.Raw(strings.Replace(string(user("DS128").JSON()), `"algorithm":"DS"`, `"algorithm":"\u0044S"`, 1)))),
	}
}

// looseBits sets the unused bits of a number in base64url.
func looseBits(s string) string {
	data, err := base64.RawURLEncoding.DecodeString(s)
	if err != nil {
		panic(err)
	}
	return forge.LooseBits(data)
}

func rsaLoad() []vector {
	exponent := func(name, comment, e string) vector {
		return failure("rsa-e-"+name, "2.rsa-load", comment, anyReason, certifiedKey("RS256-2", user("RS256-2").With("e", e)))
	}
	return []vector{
		okay("rsa-e-3", "2.rsa-load", "e is 3, the smallest.", rawUserKey("rsa2048e3", "RS256")),
		okay("rsa-e-largest", "2.rsa-load 2.rsa-large", "e is 2^31 - 1, the largest, with a modulus of 2048 bits.", rawUserKey("rsa2048e2147483647", "RS256")),
		okay("rsa-e-65535-4096", "2.rsa-load 2.rsa-large", "e is 65535, with a modulus of 4096 bits.", rawUserKey("rsa4096e65535", "RS256")),
		failure("rsa-e-largest-3072", "2.rsa-large", "e is 2^31 - 1, with a modulus of 3072 bits.", anyReason, rawUserKey("rsa3072e2147483647", "RS256")),
		failure("rsa-e-too-large", "2.rsa-load", "e is 2^31 + 1, and the signature is valid.", anyReason, rawUserKey("rsa2048e2147483649", "RS256")),
		exponent("2-32", "e is 2^32 + 1.", "4294967297"),
		exponent("2-64", "e is 2^64 + 3, which an overflow would make 3.", "18446744073709551619"),
		exponent("0", "e is 0.", "0"),
		exponent("2", "e is 2.", "2"),
		exponent("even", "e is even.", "65536"),
		failure("rsa-e-1", "2.rsa-load", "e is 1, so that anyone can sign: the signature is the encoded message.", anyReason,
			certifiedKey("RS256-2", user("RS256-2").With("e", "1")), assertion(func(t forge.Token) forge.Token {
				t.Sign = func(message []byte) ([]byte, error) { return forge.NewPKCS1(message).Bytes(256), nil }
				return t
			})),
		failure("rsa-e-1-issuer", "2.rsa-load 3.keys-malformed", "The same for the issuer.", anyReason,
			document(idp, validDocument().With("public-key", user("RS256").With("e", "1"))), certificate(func(t forge.Token) forge.Token {
				t.Sign = func(message []byte) ([]byte, error) { return forge.NewPKCS1(message).Bytes(256), nil }
				return t
			})),
		failure("rsa-e-1-weak", "2.rsa-load", "The same with a weak key, where those are allowed.", anyReason, weakKeys,
			certifiedKey("RS64", user("RS64").With("e", "1")), assertion(func(t forge.Token) forge.Token {
				t.Sign = func(message []byte) ([]byte, error) { return forge.NewPKCS1(message).Bytes(64), nil }
				return t
			})),
		failure("rsa-e-too-large-weak", "2.rsa-load", "e is 2^31 + 1 of a weak key, and the signature is valid.", anyReason, weakKeys,
			rawUserKey("rsa512e2147483649", "RS64")),
		malformedDocument("rsa-e-1-published", "2.rsa-load 3.keys-malformed", "A published e of 1: the document is malformed.",
			validDocument().With("public-key", user("RS256").With("e", "1"))),
		malformedDocument("rsa-e-too-large-published", "2.rsa-load 3.keys-malformed", "A published e of 2^31 + 1.",
			validDocument().With("public-key", loadRawKey("rsa2048e2147483649").public())),
		malformedDocument("rsa-e-even-published", "2.rsa-load 3.keys-malformed", "A published e that is even.",
			validDocument().With("public-key", user("RS256").With("e", "65538"))),
		failure("rsa-even-modulus", "2.rsa-load", "The modulus is twice a prime, and the signature is valid.", anyReason, rawUserKey("rsa2048even", "RS256")),
		failure("rsa-even-modulus-issuer", "2.rsa-load 3.keys-malformed", "The same for the issuer.", anyReason, rawIssuerKey("rsa2048even", "RS256")),
		failure("rsa-offline", "2.rsa-load 7.offline-first", "An even e, and an issuer that does not answer.", anyReason,
			certifiedKey("RS256-2", user("RS256-2").With("e", "4")), silent(idp)),
	}
}

// hexMember returns a key with one number replaced, given p and the old value.
func hexMember(o idptest.Object, name string, value func(p, old *big.Int) *big.Int) idptest.Object {
	return o.With(name, value(hexNumber(o["p"].(string)), hexNumber(o[name].(string))).Text(16))
}

func plus(n int64) func(p, old *big.Int) *big.Int {
	return func(_, old *big.Int) *big.Int { return new(big.Int).Add(old, big.NewInt(n)) }
}

func exactly(n int64) func(p, old *big.Int) *big.Int {
	return func(_, _ *big.Int) *big.Int { return big.NewInt(n) }
}

func modulus(p, _ *big.Int) *big.Int { return p }

func plusModulus(p, old *big.Int) *big.Int { return new(big.Int).Add(p, old) }

// negative returns p - old, which is not in the group of order q, because q is odd.
func negative(p, old *big.Int) *big.Int { return new(big.Int).Sub(p, old) }

// minusOne returns p - 1, which has order 2.
func minusOne(p, _ *big.Int) *big.Int { return new(big.Int).Sub(p, big.NewInt(1)) }

func dsaKeys() []vector {
	return append(append(dsaLoad(), dsaGroups()...), hostileGroups()...)
}

func dsaLoad() []vector {
	bad := func(name, comment, member string, value func(p, old *big.Int) *big.Int) vector {
		return failure(name, "2.dsa-load", comment, anyReason, publicKey(hexMember(user("DS128"), member, value)))
	}
	published := func(name, comment, member string, value func(p, old *big.Int) *big.Int) vector {
		return malformedDocument("published-"+name, "2.dsa-load 3.keys-malformed", comment,
			validDocument().With("public-key", hexMember(user("DS128"), member, value)))
	}
	return []vector{
		published("g-1", "A published g of 1: the document is malformed.", "g", exactly(1)),
		published("g-beyond-p", "A published g that is p too large.", "g", plusModulus),
		published("y-1", "A published y of 1.", "y", exactly(1)),
		published("y-beyond-p", "A published y that is p too large.", "y", plusModulus),
		failure("p-even", "2.dsa-load", "p is twice a prime, and the signature is valid.", anyReason, signedWith(evenP())),
		failure("q-even", "2.dsa-load", "q is twice a prime, and the signature is valid.", anyReason, signedWith(evenQ())),
		malformedDocument("published-p-even", "2.dsa-load 3.keys-malformed", "A published p that is even, and in whose group g and y are.",
			validDocument().With("public-key", evenP().public())),
		malformedDocument("published-q-even", "2.dsa-load 3.keys-malformed", "A published q that is even, and in whose group g and y are.",
			validDocument().With("public-key", evenQ().public())),
		bad("g-0", "g is 0.", "g", exactly(0)),
		bad("g-1", "g is 1.", "g", exactly(1)),
		bad("g-p", "g is p.", "g", modulus),
		bad("g-beyond-p", "g is p more than the right one, which is the same modulo p.", "g", plusModulus),
		bad("y-0", "y is 0.", "y", exactly(0)),
		failure("y-1", "2.dsa-load", "y is 1, as if the secret were 0: anyone can sign.", anyReason, zeroSecret),
		bad("y-p", "y is p.", "y", modulus),
		bad("y-beyond-p", "y is p more than the right one, which is the same modulo p.", "y", plusModulus),
		failure("g-0-2048", "2.dsa-load", "g is 0 in a larger group.", anyReason,
			certifiedKey("DS256", hexMember(user("DS256"), "g", exactly(0)))),
		failure("y-1-issuer", "2.dsa-load 3.keys-malformed", "The issuer's y is 1.", anyReason, issuerKey(key("DS128")),
			document(idp, validDocument().With("public-key", hexMember(user("DS128"), "y", exactly(1))))),
		failure("offline", "2.dsa-load 7.offline-first", "y is 0, and the issuer does not answer.", anyReason,
			publicKey(hexMember(user("DS128"), "y", exactly(0))), silent(idp)),
		okay("g-and-y-swapped-roles", "2.dsa-load", "Any g of order q is valid: a group of its own.", userKey(key("DS128-own-group"))),
	}
}

// evenP returns a key of valid sizes that can sign although its p is even. Its p is
// twice that of a smaller key, and its g is that key's g, made odd.
func evenP() rawKey {
	k := loadRawKey("dsa1023-160")
	if k["g"].Bit(0) == 0 {
		k["g"].Add(k["g"], k["p"])
	}
	k["p"].Lsh(k["p"], 1)
	return k
}

// evenQ returns a key whose q is even: twice that of a smaller key. Signatures with an
// odd s are valid.
func evenQ() rawKey {
	k := loadRawKey("dsa1024-159")
	k["q"].Lsh(k["q"], 1)
	return k
}

// signedWith replaces the user's key by a DS128 key, and signs the assertion with an odd
// s.
func signedWith(k rawKey) edit {
	return combine(publicKey(k.public()), assertion(func(t forge.Token) forge.Token {
		return until(func(sig []byte) bool { return sig[len(sig)-1]&1 == 1 })(k.sign(t, "DS128"))
	}))
}

// zeroSecret certifies a key whose secret is 0, and signs the assertion with it.
func zeroSecret(s *scenario) {
	o := user("DS128")
	k := rawKey{"x": new(big.Int)}
	for _, name := range []string{"p", "q", "g"} {
		k[name] = hexNumber(o[name].(string))
	}
	publicKey(k.public())(s)
	s.assertion = k.sign(s.assertion, "DS128")
}

// dsaGroups has keys in documents. A key that is refused makes the document malformed, so
// that the fallback's certificate is accepted.
func dsaGroups() []vector {
	published := func(o idptest.Object) edit { return document(idp, validDocument().With("public-key", o)) }
	outside := func(name, comment, member string, value func(p, old *big.Int) *big.Int) vector {
		return okay(name, "2.dsa-group 3.keys-malformed 4.row3-answers", comment, byFallback, published(hexMember(user("DS128"), member, value)))
	}
	return []vector{
		outside("group-y-outside", "A published y outside the group of order q: the document is malformed.", "y", negative),
		outside("group-g-outside", "A published g outside the group.", "g", negative),
		outside("group-y-of-order-2", "A published y of order 2.", "y", minusOne),
		outside("group-g-of-order-2", "A published g of order 2.", "g", minusOne),
		outside("group-y-other", "A published y that is one more than the right one.", "y", plus(1)),
		outside("group-q-other", "A published q that is another odd number.", "q", plus(2)),
		failure("group-in-keys", "2.dsa-group 3.keys-malformed", "A key outside its group in keys, beside the one that signed.", anyReason,
			document(idp, validDocument().With("keys", []any{hexMember(user("DS128"), "y", negative)}))),
		okay("group-2048", "2.dsa-group", "The larger group of all keys in the wild.", issuerKey(key("DS256"))),
		okay("group-own", "2.dsa-group", "A published key with a group of its own.", issuerKey(key("DS256-own-group"))),
	}
}

// hostileGroups has certified keys that are accepted when loaded. They must not make a
// verifier crash or loop.
func hostileGroups() []vector {
	hostile := func(name, comment string, o idptest.Object, edits ...edit) vector {
		return failure("hostile-"+name, "2.hostile-group", comment, badSignature, append([]edit{publicKey(o)}, edits...)...)
	}
	ds := user("DS128")
	return []vector{
		hostile("composite-p", "p is odd and composite.", hexMember(ds, "p", plus(2))),
		hostile("composite-p-divisible", "p shares a factor with g.", sharedFactor(ds)),
		hostile("composite-q", "q is odd and composite.", hexMember(ds, "q", plus(2))),
		hostile("s-without-inverse", "q is divisible by 3, and s is 3: there is no inverse.", hexMember(ds, "q", divisible),
			alteredSignature(scalars(key("DS128"), 5, 3))),
		hostile("g-of-order-2", "g is p - 1, of order 2.", hexMember(ds, "g", minusOne)),
		hostile("y-of-order-2", "y is p - 1, of order 2.", hexMember(ds, "y", minusOne)),
	}
}

func scalars(k keys.PrivateKey, r, s int64) forge.Alteration {
	return forge.Scalars(k.Public(), big.NewInt(r), big.NewInt(s))
}

// divisible returns the next odd number that is divisible by 3.
func divisible(_, q *big.Int) *big.Int {
	n := new(big.Int).Set(q)
	for new(big.Int).Mod(n, big.NewInt(3)).Sign() != 0 {
		n.Add(n, big.NewInt(2))
	}
	return n
}

// sharedFactor returns the key with an odd p, a g and a y that are all divisible by 3.
func sharedFactor(o idptest.Object) idptest.Object {
	p := hexNumber(o["p"].(string))
	o = o.With("p", divisible(nil, p).Text(16))
	return o.With("g", "3").With("y", "9")
}
