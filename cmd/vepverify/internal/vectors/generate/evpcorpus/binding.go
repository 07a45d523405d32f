package evpcorpus

import (
	"crypto"
	"crypto/elliptic"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/asn1"
	"encoding/base64"
	"fmt"
	"math/big"
	"slices"
	"strings"

	"github.com/vepverify/vepverify/evp/evptest"
)

// binding has the rules of section 4.
func binding() []group {
	return []group{{"4.aud", audiences()}, {"4.nonce", nonces()}, {"4.sd-hash", hashes()},
		{"4.signature", join(signatures(), ecdsaSignatures(), rsaSignatures())}}
}

// accepting returns an edit that sets the acceptable origins.
func accepting(origins ...string) edit { return func(s *scenario) { s.audience = origins } }

// audience returns an edit that sets claim, acceptable origin and expected answer.
func audience(origin string) edit {
	return func(s *scenario) {
		accepting(origin)(s)
		kbClaim("aud", origin)(s)
		s.answer.Audience = origin
	}
}

func audiences() []vector {
	table := refuseKinds("aud", func(v any) edit { return kbClaim("aud", v) }, part(kb).without("aud"))
	for _, c := range []struct{ aud, comment string }{
		{"https://rp.example/", "A slash."}, {"https://rp.example/login", "A path."}, {"https://rp.example?x", "A query."},
		{"https://rp.example#", "A fragment."},
		{"https://rp.example:443", "The default port."}, {"https://rp.example:8443", "Another port."},
		{"http://rp.example", "Another scheme."}, {"rp.example", "No scheme."},
		{"HTTPS://rp.example", "The scheme in capitals."}, {"https://RP.example", "The host in capitals."},
		{"https://rp.example.", "A dot after the host."},
		{"https://www.rp.example", "A subdomain."}, {"https://example", "The parent."},
		{"https://evil-rp.example", "A host that ends alike."},
		{"https://rp.example.evil.example", "A host that begins alike."}, {"https://other.example", "Another relying party."},
		{"https://user@rp.example", "User info."},
		{" https://rp.example", "A space before."}, {"https://rp.example ", "A space after."},
		{"https://rp.example\n", "A line feed after."}, {"https://rp.example\x00", "NUL after."},
		{"null", "An opaque origin."}, {"*", "A pattern."}, {"https://*.example", "A pattern."},
		{"https%3A%2F%2Frp.example", "Percent encoding."},
		{"https://rp.example,https://other.example", "Two in one."}, {"https://r\u0440.example", "A letter of another script."},
	} {
		table = append(table, failure("aud "+quoted(c.aud), c.comment, kbClaim("aud", c.aud)))
	}
	three := accepting("https://a.example", rp, "https://b.example")
	return append(table,
		failure("aud an array of the right one", "A string, as browsers sign.", kbClaim("aud", []string{rp})),
		failure("aud in the EVT only", "The browser must have signed it.", part(kb).without("aud"), evtClaim("aud", rp)),
		okay("good", "The origin, byte for byte."),
		okay("one of three", "Any of the acceptable origins; the answer says which.", three),
		failure("none of three", "None of the acceptable origins.", three, kbClaim("aud", "https://c.example")),
		okay("other aud in the EVT", "Claims of the EVT that are not ours are ignored.", evtClaim("aud",
			"https://other.example")),
		okay("with a port", "The port is part of the origin.", audience("https://rp.example:8443")),
		failure("without its port", "The port is part of the origin.", accepting("https://rp.example:8443")),
		okay("localhost over http", "An origin of development.", audience("http://localhost:8080")),
		okay("A-label", "The ASCII form of a host.", audience("https://xn--bcher-kva.example")),
		failure("slash, draft-02", "The same under draft-02.", draft02, kbClaim("aud", rp+"/")),
	)
}

// nonceOf returns an edit that sets the claim and the expected nonce.
func nonceOf(text string) edit {
	return func(s *scenario) {
		s.nonce = text
		kbClaim("nonce", text)(s)
	}
}

func nonces() []vector {
	table := refuseKinds("nonce", func(v any) edit { return kbClaim("nonce", v) }, part(kb).without("nonce"))
	for _, c := range []struct{ nonce, comment string }{
		{nonce[:len(nonce)-1], "One character short."}, {nonce + "A", "One character more."}, {nonce + "=", "Padding."},
		{nonce + " ", "A space after."}, {" " + nonce, "A space before."},
		{nonce + "\n", "A line feed after."}, {nonce + "\x00", "NUL after."}, {strings.ToUpper(nonce), "In capitals."},
		{strings.ToLower(nonce), "In small letters."},
		{strings.ReplaceAll(nonce, "-", "+"), "In the standard alphabet."},
		{"bm9uY2Ugb2YgYW5vdGhlciBmb3Jt", "That of another form."}, {"0", "Zero."}, {"undefined", "A word of JavaScript."},
		{nonce + nonce, "Twice."}, {"n%2D0S6_WzA2MjAxOTUtbm9uY2U", "Percent encoding."},
		{"n-0S6_WzA2MjAxOTUtbm9uY2V", "The last character differs."},
		{"m-0S6_WzA2MjAxOTUtbm9uY2U", "The first character differs."},
	} {
		table = append(table, failure("nonce "+quoted(c.nonce), c.comment, kbClaim("nonce", c.nonce)))
	}
	return append(table,
		failure("nonce an array of the right one", "A string.", kbClaim("nonce", []string{nonce})),
		failure("nonce in the EVT only", "The browser must have signed it.", part(kb).without("nonce"), evtClaim("nonce", nonce)),
		failure("nonce in the header only", "A claim.", part(kb).without("nonce"), part(kb).header("nonce", nonce)),
		failure("Nonce", "The name in another case.", part(kb).without("nonce"), kbClaim("Nonce", nonce)),
		okay("good", "The expected one, byte for byte."),
		okay("one character", "However short.", nonceOf("1")),
		okay("500 characters", "However long.", nonceOf(strings.Repeat("n", 500))),
		okay("odd characters", "Any text.", nonceOf("a b+c/d=é\"\\<&>😀")),
		okay("escaped", "An escaped character is that character.", rawKB(func(s string) string {
			return strings.Replace(s,
				`"n-0S6`, `"\u006e-0S6`, 1)
		})),
		okay("other nonce in the EVT", "Claims of the EVT that are not ours are ignored.", evtClaim("nonce", "x")),
	)
}

// rawKB returns an edit of the text of the KB-JWT's claims.
func rawKB(f func(string) string) edit { return wholes[3].edit(f) }

// hashed returns an edit that computes sd_hash by f from the EVT with its tilde.
func hashed(f func(presentation string) any) edit {
	return func(s *scenario) {
		evt, _ := evptest.Split(s.pair.String())
		kbClaim("sd_hash", f(evt+"~"))(s)
	}
}

func sha(text string) []byte { h := sha256.Sum256([]byte(text)); return h[:] }

func hashes() []vector {
	wrong := func(name, comment string, f func(presentation string) any) vector {
		return failure(name, comment, hashed(f))
	}
	table := refuseKinds("sd_hash", func(v any) edit { return kbClaim("sd_hash", v) }, part(kb).without("sd_hash"))
	return append(table,
		okay("good", "Over the EVT and its tilde.", hashed(func(p string) any { return base64url(sha(p)) })),
		wrong("without the tilde", "Over the EVT alone.", func(p string) any {
			return base64url(sha(strings.TrimSuffix(p,
				"~")))
		}),
		wrong("two tildes", "Over one tilde too many.", func(p string) any { return base64url(sha(p + "~")) }),
		wrong("of the signed part", "Over header and claims only.",
			func(p string) any { return base64url(sha(p[:strings.LastIndexByte(p, '.')])) }),
		wrong("of the claims", "Over the claims only.", func(p string) any { return base64url(sha(strings.Split(p, ".")[1])) }),
		wrong("of nothing", "Over no bytes.", func(string) any { return base64url(sha("")) }),
		wrong("padded", "Byte for byte.", func(p string) any { return base64.URLEncoding.EncodeToString(sha(p)) }),
		wrong("with unused bits", "Byte for byte; a lenient decoder sees the same bytes.",
			func(p string) any { return looseBits(sha(p)) }),
		wrong("in hexadecimal", "Another encoding.", func(p string) any { return fmt.Sprintf("%x", sha(p)) }),
		wrong("of SHA-512", "Another hash.", func(p string) any { h := sha512.Sum512([]byte(p)); return base64url(h[:]) }),
		wrong("of SHA-384, cut", "Another hash of the right length.",
			func(p string) any { h := sha512.Sum384([]byte(p)); return base64url(h[:32]) }),
		wrong("of SHA-1", "Another hash.", func(p string) any { h := sha1.Sum([]byte(p)); return base64url(h[:]) }),
		wrong("of SHA-256 twice", "Another hash.", func(p string) any { return base64url(sha(string(sha(p)))) }),
		wrong("cut", "The first 16 bytes.", func(p string) any { return base64url(sha(p)[:16]) }),
		wrong("longer", "A zero byte more.", func(p string) any { return base64url(append(sha(p), 0)) }),
		wrong("in capitals", "Byte for byte.", func(p string) any { return strings.ToUpper(base64url(sha(p))) }),
		wrong("with a space", "Byte for byte.", func(p string) any { return base64url(sha(p)) + " " }),
		wrong("an array of the right one", "A string.", func(p string) any { return []string{base64url(sha(p))} }),
		wrong("of another EVT", "The KB-JWT is about another token.", func(string) any { return base64url(sha("another~")) }),
		failure("_sd_hash", "Another name.", part(kb).without("sd_hash"), kbClaim("_sd_hash", evptest.SDHash)),
		failure("sdHash", "Another name.", part(kb).without("sd_hash"), kbClaim("sdHash", evptest.SDHash)),
		failure("_sd_alg sha-512", "SHA-256 whatever _sd_alg says.", evtClaim("_sd_alg", "sha-512"),
			hashed(func(p string) any { h := sha512.Sum512([]byte(p)); return base64url(h[:]) })),
		okay("_sd_alg ignored", "SHA-256 whatever _sd_alg says.", evtClaim("_sd_alg", "sha-512")),
		failure("EVT exchanged", "A newer EVT for the same key, after the browser signed.",
			hashed(func(p string) any { return base64url(sha(p)) }), evtClaim("jti", "2")),
	)
}

// flipBit returns an alteration that flips a bit of byte i, from the end if negative.
func flipBit(i int) func([]byte) []byte {
	return func(signature []byte) []byte {
		signature[(i+len(signature))%len(signature)] ^= 1
		return signature
	}
}

func signatures() []vector {
	thief := evptest.TestKey("Ed25519-3")
	k := part(kb)
	table := []vector{
		okay("good", "Signed by the key of cnf.jwk."),
		okay("other claims", "Other members of the KB-JWT are ignored.", kbClaim("iss", "x"), kbClaim("sub", 1),
			kbClaim("email", "bob@mail.example"), kbClaim("email_verified", false)),
		failure("by a thief", "A stolen EVT, bound anew by another key.", k.sign(thief.Sign)),
		failure("by a thief, key in the header", "The thief's key is only in the header.", k.header("jwk", thief.JWK()),
			k.sign(thief.Sign)),
		failure("by a thief, key in the claims", "The thief's key is only in the claims of the KB-JWT.", kbClaim("cnf",
			evptest.Object{"jwk": thief.JWK()}), k.sign(thief.Sign)),
		failure("by the issuer", "The issuer's key is not the browser's.", k.sign(evptest.TestKey("Ed25519").Sign)),
		failure("of another KB", "The signature of other claims.", func(s *scenario) {
			other := s.pair.EditKB(func(j evptest.JWS) evptest.JWS { return j.With("jti", 1) }).String()
			data, err := base64.RawURLEncoding.DecodeString(other[strings.LastIndexByte(other, '.')+1:])
			if err != nil {
				panic(err)
			}
			k.sign(func([]byte) ([]byte, error) { return data, nil })(s)
		}),
		failure("of the EVT", "The signature of the EVT.", func(s *scenario) {
			evt, _ := evptest.Split(s.pair.String())
			data, err := base64.RawURLEncoding.DecodeString(evt[strings.LastIndexByte(evt, '.')+1:])
			if err != nil {
				panic(err)
			}
			k.sign(func([]byte) ([]byte, error) { return data, nil })(s)
		}),
		failure("over the claims only", "The message is header and claims.", k.sign(func(m []byte) ([]byte, error) {
			return evptest.TestKey("Ed25519-2").Sign(m[strings.IndexByte(string(m), '.')+1:])
		})),
		failure("over a hash", "Ed25519 and not Ed25519ph by hand.", k.sign(func(m []byte) ([]byte,
			error) {
			return evptest.TestKey("Ed25519-2").Sign(sha(string(m)))
		})),
		failure("Ed25519 S + L", "S is below the order; some verifiers reduce it.", k.alter(addOrder)),
		failure("by a thief, draft-02", "The same under draft-02.", draft02, k.sign(thief.Sign)),
	}
	for _, alg := range []string{"Ed25519", "ES256", "RS256"} {
		table = append(table, spoilt(alg+" ", k, holder(evptest.TestKey(alg+"-2")))...)
	}
	return table
}

// spoilt has changes of a signature of any algorithm.
func spoilt(prefix string, p part, before edit) []vector {
	bad := func(name, comment string, f func([]byte) []byte) vector {
		return failure(prefix+name, comment, before, p.alter(f))
	}
	return []vector{
		bad("first bit", "One bit of the first byte is flipped.", flipBit(0)),
		bad("middle bit", "One bit of the middle byte is flipped.", func(b []byte) []byte { return flipBit(len(b) / 2)(b) }),
		bad("last bit", "One bit of the last byte is flipped.", flipBit(-1)),
		bad("cut", "The last byte is missing.", func(b []byte) []byte { return b[:len(b)-1] }),
		bad("zero after", "A zero byte more.", func(b []byte) []byte { return append(b, 0) }),
		bad("zero before", "A zero byte more.", func(b []byte) []byte { return append([]byte{0}, b...) }),
		bad("zeros", "All zero.", func(b []byte) []byte { return make([]byte, len(b)) }),
		bad("ones", "All ones.", func(b []byte) []byte { return slices.Repeat([]byte{0xff}, len(b)) }),
		bad("one byte", "A single byte.", func([]byte) []byte { return []byte{1} }),
		bad("twice", "The signature twice.", func(b []byte) []byte { return append(b, b...) }),
	}
}

// addOrder adds the order of the group to S of an Ed25519 signature.
func addOrder(signature []byte) []byte {
	order, _ := new(big.Int).SetString("7237005577332262213973186563042994240857116359379907606001950938285454250989", 10)
	s := slices.Clone(signature[32:])
	slices.Reverse(s)
	sum := new(big.Int).Add(new(big.Int).SetBytes(s), order).FillBytes(make([]byte, 32))
	slices.Reverse(sum)
	return append(signature[:32], sum...)
}

// scalars returns an alteration of r and s of an ES256 signature.
func scalars(f func(r, s, n *big.Int) (*big.Int, *big.Int)) func([]byte) []byte {
	return func(signature []byte) []byte {
		n := elliptic.P256().Params().N
		r, s := f(new(big.Int).SetBytes(signature[:32]), new(big.Int).SetBytes(signature[32:]), n)
		out := make([]byte, 64)
		r.FillBytes(out[:32])
		s.FillBytes(out[32:])
		return out
	}
}

func highS(r, s, n *big.Int) (*big.Int, *big.Int) {
	if s.Cmp(new(big.Int).Rsh(n, 1)) < 0 {
		s = new(big.Int).Sub(n, s)
	}
	return r, s
}

func lowS(r, s, n *big.Int) (*big.Int, *big.Int) {
	if s.Cmp(new(big.Int).Rsh(n, 1)) > 0 {
		s = new(big.Int).Sub(n, s)
	}
	return r, s
}

func ecdsaSignatures() []vector {
	es256 := holder(evptest.TestKey("ES256-2"))
	k := part(kb)
	zero := new(big.Int)
	bad := func(name, comment string, f func(r, s, n *big.Int) (*big.Int, *big.Int)) vector {
		return failure("ES256 "+name, comment, es256, k.alter(scalars(f)))
	}
	return []vector{
		okay("ES256 high s", "Both s and n-s are valid.", es256, k.alter(scalars(highS))),
		okay("ES256 low s", "Both s and n-s are valid.", es256, k.alter(scalars(lowS))),
		bad("r = 0", "r is positive.", func(r, s, n *big.Int) (*big.Int, *big.Int) { return zero, s }),
		bad("s = 0", "s is positive.", func(r, s, n *big.Int) (*big.Int, *big.Int) { return r, zero }),
		bad("r = n", "r is below the order.", func(r, s, n *big.Int) (*big.Int, *big.Int) { return n, s }),
		bad("s = n", "s is below the order.", func(r, s, n *big.Int) (*big.Int, *big.Int) { return r, n }),
		bad("r and s exchanged", "Another signature.", func(r, s, n *big.Int) (*big.Int, *big.Int) { return s, r }),
		bad("r = s = 1", "Not a signature.", func(r, s, n *big.Int) (*big.Int, *big.Int) { return big.NewInt(1), big.NewInt(1) }),
		bad("-r", "Another signature.", func(r, s, n *big.Int) (*big.Int, *big.Int) { return new(big.Int).Sub(n, r), s }),
		failure("ES256 in DER", "r and s raw, not DER.", es256, k.alter(der)),
		failure("ES256 little-endian", "Big-endian.", es256,
			k.alter(func(b []byte) []byte { slices.Reverse(b[:32]); slices.Reverse(b[32:]); return b })),
	}
}

// der returns the ASN.1 form of an ES256 signature.
func der(signature []byte) []byte {
	r, s := new(big.Int).SetBytes(signature[:32]), new(big.Int).SetBytes(signature[32:])
	data, err := asn1.Marshal(struct{ R, S *big.Int }{r, s})
	if err != nil {
		panic(err)
	}
	return data
}

func rsaSignatures() []vector {
	rs256 := holder(evptest.TestKey("RS256-2"))
	k := part(kb)
	return []vector{
		failure("RS256 over SHA-512", "SHA-256 only.", rs256, k.sign(rsaSign("RS256-2", crypto.SHA512))),
		failure("RS256 over SHA-1", "SHA-256 only.", rs256, k.sign(rsaSign("RS256-2", crypto.SHA1))),
		failure("RS256 without DigestInfo", "The hash alone, padded.", rs256, k.sign(rsaSign("RS256-2", 0))),
		failure("RS256 as PSS", "PKCS #1 v1.5 only.", rs256, k.sign(rsaPSS("RS256-2"))),
		failure("RS256 plus modulus", "Congruent to the signature, and out of range.", rs256, k.alter(func(b []byte) []byte {
			sum := new(big.Int).Add(new(big.Int).SetBytes(b), rsaPrivate("RS256-2").N)
			return sum.FillBytes(make([]byte, 257))
		})),
		failure("RS256 short padding", "Garbage after the hash.", rs256, k.sign(rsaRaw("RS256-2", func(hash []byte) []byte {
			info := append([]byte{0, 1, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0}, digestInfo(hash)...)
			return append(info, slices.Repeat([]byte{0x42}, 256-len(info))...)
		}))),
		failure("RS256 block type 2", "The padding of encryption.", rs256, k.sign(rsaRaw("RS256-2", func(hash []byte) []byte {
			info := digestInfo(hash)
			return append(append([]byte{0, 2}, append(slices.Repeat([]byte{0xff}, 253-len(info)), 0)...), info...)
		}))),
		failure("RS256 1", "The signature is the number 1.", rs256, k.alter(func(b []byte) []byte {
			return append(make([]byte,
				len(b)-1), 1)
		})),
	}
}
