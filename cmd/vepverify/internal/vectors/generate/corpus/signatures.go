package corpus

import (
	"crypto/sha1"
	"crypto/sha512"
	"math/big"

	"github.com/vepverify/vepverify/cmd/vepverify/internal/vectors/forge"
	"github.com/vepverify/vepverify/devidp/idptest"
	"github.com/vepverify/vepverify/keys"
)

func signatures() []vector {
	table := append(content(), lengths()...)
	table = append(table, dsaRange()...)
	return append(append(table, rsaRange()...), pkcs1()...)
}

func invalid(name, rules, comment string, edits ...edit) vector {
	return failure(name, rules, comment, badSignature, edits...)
}

// content has assertions that differ from the signed text, or that another key signed.
func content() []vector {
	resent := func(change func(forge.Token) forge.Token) func(forge.Token) forge.Token {
		return func(t forge.Token) forge.Token {
			signed := t.Sent()
			t = change(t)
			t.Message = signed
			return t
		}
	}
	return []vector{
		invalid("assertion-flipped", "2.sig-content 6.reasons", "The last bit of the assertion's signature is flipped.", alteredSignature(forge.FlipBit(0))),
		invalid("assertion-first-bit", "2.sig-content", "The highest bit is flipped.", alteredSignature(forge.FlipBit(319))),
		invalid("certificate-flipped", "2.sig-content 6.reasons", "The last bit of the certificate's signature is flipped.", alteredCertificateSignature(forge.FlipBit(0))),
		invalid("assertion-claim-changed", "2.sig-content", "The audience was another when it was signed.",
			assertionClaim("aud", "https://other.example"), assertion(resent(func(t forge.Token) forge.Token { return t.With("aud", rp) }))),
		invalid("certificate-claim-changed", "2.sig-content", "The email was another when it was signed.",
			certificateClaim("principal", idptest.Object{"email": "bob@idp.example"}),
			certificate(resent(func(t forge.Token) forge.Token { return t.With("principal", idptest.Object{"email": alice}) }))),
		invalid("claims-rewritten", "2.sig-content", "The same claims with a space more than was signed.",
			assertion(resent(func(t forge.Token) forge.Token { return claimsText(t, suffix(" ")) }))),
		invalid("header-rewritten", "2.sig-content", "The same header with a space more than was signed.",
			assertion(resent(func(t forge.Token) forge.Token { t.Header = idptest.Raw(`{"alg":"DS128"} `); return t }))),
		invalid("header-member-added", "2.sig-content 1.header-others", "A member was added to the certificate's header.",
			certificate(resent(func(t forge.Token) forge.Token { return t.WithHeader("x", 1) }))),
		invalid("claims-only", "2.sig-content", "The signature is over the claims alone.",
			assertion(func(t forge.Token) forge.Token { t.Message = string(text(t.Claims)); return t })),
		invalid("other-user", "2.candidates", "Another user's key signed the assertion.",
			assertion(func(t forge.Token) forge.Token { t.Key = key("DS128-2"); return t })),
		invalid("other-issuer-key", "2.candidates", "Another key signed the certificate.", signedBy(key("RS256-2"))),
		invalid("certificate-by-user", "2.candidates", "The user's own key signed the certificate.", userKey(key("RS256-2")), signedBy(key("RS256-2"))),
		invalid("signatures-swapped", "2.sig-content", "The signature of another assertion of the same user.",
			assertion(func(t forge.Token) forge.Token { t.Message = t.With("jti", 1).Sent(); return t })),
		failure("candidates-none-fits", "2.candidates 2.alg-of-key", "Two keys are published, and the name in the header fits neither.", algorithm,
			signedBy(key("DS128")), document(idp, provider(idp, key("RS256"), key("DS256")).Document())),
		invalid("candidates-one-name-fits", "2.candidates", "Two keys are published: one with the name, which did not sign, and the issuer's of another name.",
			signedBy(key("DS128-2")), document(idp, provider(idp, key("RS256"), key("DS128")).Document())),
		failure("assertion-offline", "2.sig-content 7.offline-first", "A wrong assertion, and an issuer that does not answer.", badSignature,
			alteredSignature(forge.FlipBit(9)), silent(idp)),
	}
}

// lengths has short and long signatures.
func lengths() []vector {
	leadingZero := until(func(sig []byte) bool { return sig[0] == 0 })
	var table []vector
	for _, name := range []string{"RS64", "RS128", "RS256-2", "DS128", "DS256"} {
		k := key(name)
		user := userKey(k)
		if k.Public().Weak() {
			user = combine(user, weakKeys)
		}
		zero := combine(user, assertion(leadingZero))
		table = append(table,
			okay(name+"-zero-kept", "2.sig-short "+rowOf(k.Algorithm()), "A signature that begins with a zero byte, at full length.", zero),
			okay(name+"-zero-dropped", "2.sig-short "+rowOf(k.Algorithm()), "The zero byte is dropped.", zero, alteredSignature(forge.StripZeros)),
			invalid(name+"-zero-before", "2.sig-long", "An additional zero byte at the start.", user, alteredSignature(forge.PrependZeros(1))),
			invalid(name+"-zero-behind", "2.sig-long", "An additional zero byte at the end.", user, alteredSignature(forge.AppendZeros(1))),
			invalid(name+"-cut", "2.sig-short", "The last byte is missing.", user, alteredSignature(forge.Truncate(1))),
			invalid(name+"-empty", "2.sig-short", "No signature at all.", user, alteredSignature(forge.Replace(nil))))
	}
	issuerZero := certificate(leadingZero)
	return append(table,
		okay("certificate-zero-dropped", "2.sig-short", "The zero byte of a certificate's signature is dropped.", issuerZero, alteredCertificateSignature(forge.StripZeros)),
		okay("certificate-dsa-zero-dropped", "2.sig-short", "The same for an issuer's DSA key.", issuerKey(key("DS128")), issuerZero, alteredCertificateSignature(forge.StripZeros)),
		invalid("certificate-empty", "2.sig-short", "A certificate without a signature.", alteredCertificateSignature(forge.Replace(nil))),
		invalid("certificate-zero-before", "2.sig-long", "A zero byte before a certificate's signature.", alteredCertificateSignature(forge.PrependZeros(1))),
		invalid("certificate-many-zeros", "2.sig-long", "A certificate's signature after its whole length of zeros.", alteredCertificateSignature(forge.PrependZeros(256))),
		invalid("dsa-zero-of-s-dropped", "2.sig-short", "The zero byte that s begins with is dropped, so that r and s are not where they belong.",
			assertion(until(func(sig []byte) bool { return sig[20] == 0 && sig[0] != 0 })),
			alteredSignature(func(sig []byte) []byte { return append(sig[:20:20], sig[21:]...) })),
		invalid("dsa-der", "2.sig-long", "A DSA signature in DER, as other protocols have it.", alteredSignature(der)),
		invalid("dsa-swapped", "2.dsa-range", "s before r.", alteredSignature(func(sig []byte) []byte { return append(sig[20:40:40], sig[:20]...) })),
	)
}

// der encodes r and s in DER, as OpenSSL does.
func der(sig []byte) []byte {
	integer := func(n []byte) []byte {
		body := new(big.Int).SetBytes(n).Bytes()
		if body[0] >= 0x80 {
			body = append([]byte{0}, body...)
		}
		return append([]byte{2, byte(len(body))}, body...)
	}
	both := append(integer(sig[:len(sig)/2]), integer(sig[len(sig)/2:])...)
	return append([]byte{0x30, byte(len(both))}, both...)
}

func dsaRange() []vector {
	var table []vector
	for _, name := range []string{"DS128", "DS256"} {
		k := key(name)
		q := hexNumber(user(name)["q"].(string))
		zero, one := new(big.Int), big.NewInt(1)
		for _, c := range []struct {
			name, comment string
			r, s          *big.Int
		}{
			{"r0-s0", "r and s are 0.", zero, zero}, {"r0-s1", "r is 0.", zero, one}, {"r1-s0", "s is 0, which without a check verifies for any key.", one, zero},
			{"r1-s1", "r and s are 1.", one, one}, {"rq-s1", "r is q.", q, one}, {"r1-sq", "s is q.", one, q}, {"rq-sq", "r and s are q.", q, q},
		} {
			table = append(table, invalid(name+"-"+c.name, "2.dsa-range", c.comment, userKey(k), alteredSignature(forge.Scalars(k.Public(), c.r, c.s))))
		}
		table = append(table,
			invalid(name+"-r-plus-q", "2.dsa-range", "q is added to r.", userKey(k), enlarged(k, q, true)),
			invalid(name+"-s-plus-q", "2.dsa-range", "q is added to s.", userKey(k), enlarged(k, q, false)),
			invalid(name+"-s-negative", "2.dsa-range", "q - s in place of s, which is fine with elliptic curves and not with DSA.", userKey(k),
				alteredSignature(forge.AlterScalars(k.Public(), func(_, s, q *big.Int) { s.Sub(q, s) }))),
			invalid(name+"-certificate-r1-s0", "2.dsa-range", "A certificate's s is 0.", issuerKey(k), alteredCertificateSignature(forge.Scalars(k.Public(), one, zero))),
			invalid(name+"-certificate-r1-sq", "2.dsa-range", "A certificate's s is q.", issuerKey(k), alteredCertificateSignature(forge.Scalars(k.Public(), one, q))))
	}
	return table
}

// enlarged adds q to r or s. It chooses a signature in which the sum has the length of q.
func enlarged(k keys.PrivateKey, q *big.Int, first bool) edit {
	room := new(big.Int).Sub(new(big.Int).Lsh(big.NewInt(1), uint(q.BitLen())), q)
	fits := func(sig []byte) bool {
		half := sig[len(sig)/2:]
		if first {
			half = sig[:len(sig)/2]
		}
		return new(big.Int).SetBytes(half).Cmp(room) < 0
	}
	add := func(r, s, q *big.Int) {
		if first {
			r.Add(r, q)
		} else {
			s.Add(s, q)
		}
	}
	return combine(assertion(until(fits)), alteredSignature(forge.AlterScalars(k.Public(), add)))
}

func rsaRange() []vector {
	number := func(name string, offset int64) edit {
		n, ok := new(big.Int).SetString(user(name)["n"].(string), 10)
		if !ok {
			panic("corpus: no modulus")
		}
		return alteredSignature(forge.Replace(n.Add(n, big.NewInt(offset)).Bytes()))
	}
	fits := assertion(until(func(sig []byte) bool {
		return len(forge.AddModulus(key("RS256-2").Public())(sig)) == len(sig)
	}))
	larger := func(name string) edit { return alteredSignature(forge.AddModulus(key(name).Public())) }
	return []vector{
		invalid("rsa-plus-n-2047", "2.rsa-range", "n is added to the signature, which still has the full length.", userKey(key("RS256-2047")), larger("RS256-2047")),
		invalid("rsa-plus-n-2048", "2.rsa-range", "The same with 2048 bits.", userKey(key("RS256-2")), fits, larger("RS256-2")),
		invalid("rsa-plus-n-1023", "2.rsa-range", "The same with 1023 bits.", weakKeys, userKey(key("RS128-1023")), larger("RS128-1023")),
		invalid("rsa-plus-n-511", "2.rsa-range", "The same with 511 bits.", weakKeys, userKey(key("RS64-511")), larger("RS64-511")),
		invalid("rsa-plus-n-certificate", "2.rsa-range", "The same in a certificate.", issuerKey(key("RS256-2047")),
			alteredCertificateSignature(forge.AddModulus(key("RS256-2047").Public()))),
		invalid("rsa-n", "2.rsa-range", "The signature is n itself.", userKey(key("RS256-2")), number("RS256-2", 0)),
		invalid("rsa-n-plus-1", "2.rsa-range", "The signature is n + 1.", userKey(key("RS256-2")), number("RS256-2", 1)),
		invalid("rsa-n-minus-1", "2.pkcs1", "The signature is n - 1, which no encoded message is.", userKey(key("RS256-2")), number("RS256-2", -1)),
		invalid("rsa-zero", "2.pkcs1", "The signature is 0, at full length.", userKey(key("RS256-2")), alteredSignature(forge.Replace(make([]byte, 256)))),
		invalid("rsa-one", "2.pkcs1", "The signature is 1.", userKey(key("RS256-2")), alteredSignature(forge.Replace([]byte{1}))),
	}
}

// pkcs1 has signatures of malformed encoded messages, made with the certified key.
func pkcs1() []vector {
	forged := func(name, comment string, edit func(*forge.PKCS1)) vector {
		return invalid("pkcs1-"+name, "2.pkcs1", comment, signedEncoded("RS256-2", edit))
	}
	weakForged := func(name, comment string, edit func(*forge.PKCS1)) vector {
		return invalid("pkcs1-rs64-"+name, "2.pkcs1 2.rs64", comment, weakKeys, signedEncoded("RS64", edit))
	}
	noNull := func(m *forge.PKCS1) {
		m.DigestInfo = []byte("\x30\x2f\x30\x0b\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02\x01\x04\x20")
	}
	shortPadding := func(m *forge.PKCS1) { m.Padding, m.Tail = 8, []byte("tail") }
	return []vector{
		forged("no-null", "The DigestInfo lacks its NULL parameter.", noNull),
		forged("block-type-2", "Block type 2, that of encryption.", func(m *forge.PKCS1) { m.Head = []byte{0, 2} }),
		forged("block-type-0", "Block type 0.", func(m *forge.PKCS1) { m.Head = []byte{0, 0} }),
		forged("short-padding", "Eight bytes of padding, and extra bytes after the hash.", shortPadding),
		forged("no-padding", "No padding at all, and zeros after the hash.", func(m *forge.PKCS1) { m.Padding = 0 }),
		forged("padding-byte", "Padding of fe.", func(m *forge.PKCS1) { m.Filler = 0xfe }),
		forged("no-separator", "No zero byte between padding and DigestInfo.", func(m *forge.PKCS1) { m.Separator = nil }),
		forged("no-digest-info", "The hash without a DigestInfo.", func(m *forge.PKCS1) { m.DigestInfo = nil }),
		invalid("pkcs1-sha1", "2.pkcs1", "SHA-1 of the message, with its own DigestInfo.", userKey(key("RS256-2")), assertion(signedOverSHA1)),
		invalid("pkcs1-sha512", "2.pkcs1", "SHA-512 of the message, with its own DigestInfo.", userKey(key("RS256-2")), assertion(signedOverSHA512)),
		forged("long-form-length", "A length of the DigestInfo in BER's long form.", func(m *forge.PKCS1) {
			m.DigestInfo = []byte("\x30\x81\x31\x30\x0d\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02\x01\x05\x00\x04\x20")
		}),
		forged("garbage-in-parameters", "Garbage in place of the NULL parameter.", func(m *forge.PKCS1) {
			m.DigestInfo = []byte("\x30\x33\x30\x0f\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02\x01\x04\x02xx\x04\x20")
		}),
		forged("first-byte", "The first byte is 1.", func(m *forge.PKCS1) { m.Head = []byte{1, 1} }),
		forged("digest-cut", "The hash lacks its last byte.", func(m *forge.PKCS1) { m.Digest = m.Digest[:31] }),
		forged("digest-other", "The hash of another message.", func(m *forge.PKCS1) { m.Digest[31] ^= 1 }),
		weakForged("no-null", "The DigestInfo lacks its NULL parameter, with a weak key.", noNull),
		weakForged("short-padding", "Padding cut short by two bytes, and two bytes after the hash.", func(m *forge.PKCS1) { m.Padding, m.Tail = 8, []byte("xx") }),
	}
}

// signedEncoded makes a test key the user's, and signs the assertion's encoded message
// after change has changed it.
func signedEncoded(name string, change func(*forge.PKCS1)) edit {
	k := key(name)
	return combine(userKey(k), assertion(func(t forge.Token) forge.Token {
		t.Sign = forge.RSASigner(k, change)
		return t
	}))
}

// signedOverSHA1 signs SHA-1 of the message, with its own DigestInfo.
func signedOverSHA1(t forge.Token) forge.Token {
	k := t.Key
	t.Sign = func(message []byte) ([]byte, error) {
		sum := sha1.Sum(message)
		return forge.RSASigner(k, func(m *forge.PKCS1) {
			m.DigestInfo, m.Digest = []byte("\x30\x21\x30\x09\x06\x05\x2b\x0e\x03\x02\x1a\x05\x00\x04\x14"), sum[:]
		})(message)
	}
	return t
}

// signedOverSHA512 signs SHA-512 of the message, with its own DigestInfo.
func signedOverSHA512(t forge.Token) forge.Token {
	k := t.Key
	t.Sign = func(message []byte) ([]byte, error) {
		sum := sha512.Sum512(message)
		return forge.RSASigner(k, func(m *forge.PKCS1) {
			m.DigestInfo = []byte("\x30\x51\x30\x0d\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02\x03\x05\x00\x04\x40")
			m.Digest = sum[:]
		})(message)
	}
	return t
}
