package corpus

import (
	"crypto/hmac"
	"crypto/sha256"
	"strings"

	"github.com/vepverify/vepverify/cmd/vepverify/internal/vectors/forge"
	"github.com/vepverify/vepverify/devidp/idptest"
)

func algorithms() []vector {
	table := append(pairs(), names()...)
	return append(append(table, sizes()...), weak()...)
}

// rowOf returns the rule about an algorithm's row in the table of PROTOCOL §2.
func rowOf(alg string) string { return "2." + strings.ToLower(alg) }

// pairs has a user and an issuer with each kind of key.
func pairs() []vector {
	var table []vector
	for _, k := range []struct{ name, comment string }{
		{"RS128", "RSA, 1024 bits."}, {"RS256", "RSA, 2048 bits."}, {"RS256-2047", "RSA, 2047 bits."},
		{"DS128", "DSA, 1024 and 160 bits."}, {"DS128-own-group", "DSA, 1024 and 160 bits, a group of its own."},
		{"DS256", "DSA, 2048 and 256 bits."}, {"DS256-own-group", "DSA, 2048 and 256 bits, a group of its own."},
	} {
		rule := rowOf(key(k.name).Algorithm())
		table = append(table,
			okay("user-"+k.name, rule, "The user's key: "+k.comment, userKey(key(k.name))),
			okay("issuer-"+k.name, rule, "The issuer's key: "+k.comment, issuerKey(key(k.name))))
	}
	for _, name := range []string{"RS64", "RS64-511", "RS128-1023"} {
		rule := rowOf(key(name).Algorithm())
		table = append(table,
			okay("user-"+name, rule+" 2.weak", "The user's key is weak, and that is allowed.", weakKeys, userKey(key(name))),
			okay("issuer-"+name, rule+" 2.weak", "The issuer's key is weak, and that is allowed.", weakKeys, issuerKey(key(name))))
	}
	return append(table,
		okay("user-rsa-3072", "2.rs256", "The user's key: RSA, 3072 bits.", rawUserKey("rsa3072", "RS256")),
		okay("issuer-rsa-4096", "2.rs256", "The issuer's key: RSA, 4096 bits.", rawIssuerKey("rsa4096", "RS256")),
		okay("user-rsa-4096", "2.rs256 2.rsa-large", "The user's key: RSA, 4096 bits, the largest.", rawUserKey("rsa4096", "RS256")),
		failure("ds128-with-sha256", "2.ds128", "A DS128 signature over the SHA-256 hash, cut to 160 bits.", badSignature,
			combine(rawUserKey("dsa1024-160", "DS128"), hashedFor("dsa1024-160", "DS256"))),
		failure("ds256-with-sha1", "2.ds256", "A DS256 signature over the SHA-1 hash.", badSignature,
			combine(rawUserKey("dsa2048-256", "DS256"), hashedFor("dsa2048-256", "DS128"))),
	)
}

// hashedFor signs the assertion with a raw key, over the hash of another algorithm.
func hashedFor(name, alg string) edit {
	return assertion(func(t forge.Token) forge.Token { t.Sign = loadRawKey(name).signer(alg); return t })
}

// withAlgorithm names another algorithm in the assertion's header.
func withAlgorithm(alg string) edit {
	return assertion(func(t forge.Token) forge.Token { t.Header = idptest.Object{"alg": alg}; return t })
}

// withIssuerAlgorithm names another algorithm in the certificate's header.
func withIssuerAlgorithm(alg string) edit {
	return certificate(func(t forge.Token) forge.Token { t.Header = idptest.Object{"alg": alg}; return t })
}

func names() []vector {
	mismatch := func(name, comment string, edits ...edit) vector {
		return failure("name-"+name, "2.alg-of-key 6.reasons", comment, algorithm, edits...)
	}
	notFound := func(name, comment, alg string) vector {
		return failure("unknown-"+name, "2.alg-unknown", comment, algorithm, withAlgorithm(alg))
	}
	return []vector{
		mismatch("ds256-for-ds128", "An assertion of a DS128 key with the alg DS256.", withAlgorithm("DS256")),
		mismatch("rs256-for-ds128", "An assertion of a DS128 key with the alg RS256.", withAlgorithm("RS256")),
		mismatch("rs128-for-rs256", "An assertion of an RS256 key with the alg RS128: size and name disagree, the signature is valid.",
			userKey(key("RS256-2")), withAlgorithm("RS128")),
		mismatch("rs256-for-rs128", "An assertion of an RS128 key with the alg RS256.", userKey(key("RS128")), withAlgorithm("RS256")),
		mismatch("rs64-for-rs256", "An assertion of an RS256 key with the alg RS64.", userKey(key("RS256-2")), withAlgorithm("RS64")),
		mismatch("certificate-rs128-for-rs256", "A certificate of an RS256 key with the alg RS128.", withIssuerAlgorithm("RS128")),
		mismatch("certificate-ds128-for-rs256", "A certificate of an RS256 key with the alg DS128.", withIssuerAlgorithm("DS128")),
		failure("name-offline", "2.alg-of-key 7.offline-first", "The wrong name, and an issuer that does not answer.", algorithm,
			withAlgorithm("DS256"), silent(idp)),

		notFound("none", "alg is none.", "none"),
		notFound("empty", "alg is empty.", ""),
		notFound("lower-case", "The right name in lower case.", "ds128"),
		notFound("space-behind", "The right name and a space.", "DS128 "),
		notFound("nul-behind", "The right name and a NUL character.", "DS128\x00"),
		notFound("family", "The name of the family only.", "DS"),
		notFound("hs256", "A MAC.", "HS256"),
		notFound("es256", "Elliptic curves.", "ES256"),
		notFound("dsa-sha1", "Another name for the same algorithm.", "http://www.w3.org/2000/09/xmldsig#dsa-sha1"),
		failure("unknown-none-unsigned", "2.alg-unknown", "alg is none, and the signature is empty.", algorithm,
			assertion(func(t forge.Token) forge.Token { t.Key, t.Alg = nil, "none"; return t })),
		failure("unknown-hs256-with-public-key", "2.alg-unknown", "A MAC with the public key's text as its secret.", algorithm,
			withAlgorithm("HS256"), assertion(macWithPublicKey)),
		failure("unknown-rs512", "2.alg-unknown", "RS512 of a 2048-bit key.", algorithm, userKey(key("RS256-2")), withAlgorithm("RS512")),
		failure("unknown-ps256", "2.alg-unknown", "PS256 of a 2048-bit key.", algorithm, userKey(key("RS256-2")), withAlgorithm("PS256")),
		failure("unknown-offline", "2.alg-unknown 7.offline-first", "An unknown name in the certificate, and an issuer that does not answer.", algorithm,
			withIssuerAlgorithm("RS512"), silent(idp)),
		failure("unknown-certificate-none", "2.alg-unknown", "A certificate whose alg is none.", algorithm, withIssuerAlgorithm("none")),
	}
}

func macWithPublicKey(t forge.Token) forge.Token {
	secret, err := t.Key.Public().MarshalJSON()
	if err != nil {
		panic(err)
	}
	t.Sign = func(message []byte) ([]byte, error) {
		mac := hmac.New(sha256.New, secret)
		mac.Write(message)
		return mac.Sum(nil), nil
	}
	return t
}

// sizes has keys of sizes that no algorithm has, with valid signatures. Weak keys are
// allowed, so that the size is the only fault.
func sizes() []vector {
	rsa := func(bits, alg string) vector {
		return failure("user-rsa-"+bits, "2.rsa-sizes", "The user's key: RSA, "+bits+" bits.", anyReason, weakKeys, rawUserKey("rsa"+bits, alg))
	}
	dsa := func(size, alg string) vector {
		return failure("user-dsa-"+size, "2.dsa-sizes", "The user's key: DSA, p and q of "+size+" bits.", anyReason, rawUserKey("dsa"+size, alg))
	}
	return []vector{
		rsa("510", "RS64"), rsa("513", "RS64"), rsa("1022", "RS128"), rsa("1025", "RS128"), rsa("1536", "RS256"), rsa("2046", "RS256"),
		failure("user-rsa-4097", "2.rsa-large", "The user's key: RSA, 4097 bits.", anyReason, rawUserKey("rsa4097", "RS256")),
		failure("user-rsa-8192", "2.rsa-large", "The user's key: RSA, 8192 bits.", anyReason, rawUserKey("rsa8192", "RS256")),
		failure("user-rsa-8193", "2.rsa-large", "The user's key: RSA, 8193 bits.", anyReason, rawUserKey("rsa8193", "RS256")),
		failure("user-rsa-8192-offline", "2.rsa-large 7.offline-first", "A key of 8192 bits, and an issuer that does not answer.", anyReason,
			rawUserKey("rsa8192", "RS256"), silent(idp)),
		failure("issuer-rsa-1025", "2.rsa-sizes 3.keys-malformed", "The issuer's key: RSA, 1025 bits.", anyReason, rawIssuerKey("rsa1025", "RS128")),
		failure("issuer-rsa-2046", "2.rsa-sizes 3.keys-malformed", "The issuer's key: RSA, 2046 bits.", anyReason, rawIssuerKey("rsa2046", "RS256")),
		failure("user-rsa-1536-offline", "2.rsa-sizes 7.offline-first", "A key of no known size, and an issuer that does not answer.", anyReason,
			rawUserKey("rsa1536", "RS256"), silent(idp)),
		dsa("1024-224", "DS128"), dsa("1024-256", "DS128"), dsa("1023-160", "DS128"), dsa("1024-159", "DS128"), dsa("512-160", "DS128"),
		dsa("2048-224", "DS256"), dsa("2048-160", "DS256"), dsa("2047-256", "DS256"), dsa("3072-256", "DS256"),
		failure("issuer-dsa-2048-224", "2.dsa-sizes 3.keys-malformed", "The issuer's key: DSA, 2048 and 224 bits.", anyReason, rawIssuerKey("dsa2048-224", "DS256")),
		okay("user-dsa-1024-160-odd", "2.ds128 2.dsa-sizes", "The user's key: DSA, 1024 and 160 bits, a random group.", rawUserKey("dsa1024-160", "DS128")),
		okay("user-dsa-2048-256-odd", "2.ds256 2.dsa-sizes", "The user's key: DSA, 2048 and 256 bits, a random group.", rawUserKey("dsa2048-256", "DS256")),
	}
}

func weak() []vector {
	var table []vector
	for _, name := range []string{"RS64", "RS64-511", "RS128-1023"} {
		table = append(table,
			failure("weak-user-"+name, "2.weak", "The user's key is weak, which is not allowed by default.", anyReason, userKey(key(name))),
			failure("weak-issuer-"+name, "2.weak 3.no-key", "The issuer's key is weak: it is not used.", algorithm, issuerKey(key(name))))
	}
	return append(table,
		failure("weak-user-offline", "2.weak 7.offline-first", "The user's key is weak, and the issuer does not answer.", anyReason,
			userKey(key("RS64")), silent(idp)),
		okay("weak-allowed-strong-used", "2.weak", "Weak keys are allowed, and no key is weak.", weakKeys))
}
