package evpcorpus

import (
	"crypto"
	"fmt"
	"slices"

	"github.com/vepverify/vepverify/evp/evptest"
)

// keys has the rules of section 10.
func keys() []group {
	return []group{
		{"10.kid", selection()}, {"10.tries", tries()}, {"10.refresh", refresh()},
		{"10.signature", issuerSignatures()}, {"10.draft-02", strict()},
	}
}

// entries returns an edit that publishes keys. The issuer's own key is signed by as before.
func entries(keys ...evptest.Key) edit {
	return published(func([]any) any {
		all := []any{}
		for _, k := range keys {
			all = append(all, k.Published())
		}
		return all
	})
}

func ed(name string, id any) evptest.Key { return evptest.TestKey(name).WithID(id) }

func selection() []vector {
	right := evptest.TestKey("Ed25519")
	noKid, emptyKid := part(evt).withoutHeader("kid"), part(evt).header("kid", "")
	table := []vector{
		okay("good", "The key with the kid."),
		okay("second of two", "The key with the kid.", entries(ed("Ed25519-3", "k0"), right.WithID("k1"))),
		okay("same kid, second right", "All keys with the kid are tried.", entries(ed("Ed25519-3", "k1"), right.WithID("k1"))),
		okay("same kid, other algorithm first", "Keys of other algorithms do not fit.", entries(ed("ES256", "k1"), ed("RS256",
			"k1"), right.WithID("k1"))),
		failure("kid of another key", "No other key is tried.", broken("10.signature"), entries(ed("Ed25519-3", "k1"),
			right.WithID("k2"))),
		failure("kid not there", "No other key is tried.", part(evt).header("kid", "k2")),
		failure("kid, keys without", "No other key is tried.", entries(right)),
		failure("kid, key with an empty one", "Exactly that kid.", entries(right.WithID(""))),
		failure("kid in another case", "Exactly that kid.", entries(right.WithID("K1"))),
		failure("kid with a space", "Exactly that kid.", entries(right.WithID("k1 "))),
		failure("kid a prefix", "Exactly that kid.", entries(right.WithID("k10"))),
		failure("kid in decomposed Unicode", "Byte for byte.", part(evt).header("kid", "\u00e9"),
			entries(right.WithID("e\u0301"))),
		failure("kid of a key for ES256", "The key does not fit the alg.", entries(ed("ES256", "k1"))),
	}
	for _, k := range []struct {
		name string
		edit edit
	}{{"absent", noKid}, {"empty", emptyKid}} {
		table = append(table,
			okay("kid "+k.name+", keys without", "All keys that fit are tried.", k.edit, entries(ed("Ed25519-3", nil), right)),
			okay("kid "+k.name+", keys with", "All keys that fit are tried.", k.edit, entries(ed("Ed25519-3", "a"),
				right.WithID("b"))),
			okay("kid "+k.name+", keys with an empty one", "All keys that fit are tried.", k.edit, entries(right.WithID(""))),
			okay("kid "+k.name+", all algorithms", "Only those that fit are tried.", k.edit, entries(ed("ES256", nil),
				ed("RS256", nil), right)),
			failure("kid "+k.name+", none right", "None verifies.", broken("10.signature"), k.edit, entries(ed("Ed25519-3",
				nil), ed("Ed25519-2", nil))),
			failure("kid "+k.name+", none fits", "None fits the alg.", k.edit, entries(ed("ES256", nil), ed("RS256", nil))),
			failure("kid "+k.name+", draft-02", "draft-02 requires a kid.", draft02, broken("10.draft-02"), k.edit))
	}
	return append(table,
		okay("Gmail", "EdDSA, no kid, no issuer in the metadata, keys at another host, address in another case.",
			func(s *scenario) {
				i := evptest.Gmail()
				i.Domains = []string{"mail.example"}
				clear(s.http)
				s.issuedBy(i)
				s.answer.Issuer = i.Host
			}, address("Alice@mail.example", "mail.example"), typed(alice)))
}

func tries() []vector {
	right := evptest.TestKey("Ed25519")
	noKid := part(evt).withoutHeader("kid")
	after := func(n int, id any) edit {
		return published(func([]any) any { return append(strangers(n, id), right.WithID(id).Published()) })
	}
	large := func(n int, last evptest.Key, id any) edit {
		return published(func([]any) any {
			var all []any
			for i := range n {
				all = append(all, stranger(i, 3072, id))
			}
			return append(all, last.WithID(id).Published())
		})
	}
	return []vector{
		okay("kid, sixteenth", "16 keys are tried.", after(15, "k1")),
		failure("kid, seventeenth", "One too many.", after(16, "k1")),
		okay("no kid, sixteenth", "16 keys are tried.", noKid, after(15, nil)),
		failure("no kid, seventeenth", "One too many.", noKid, after(16, nil)),
		okay("kid, after 40 of another kid", "Those do not count.",
			published(func(all []any) any { return append(strangers(40, "k0"), all...) })),
		okay("no kid, after 40 unusable", "Those do not count.", noKid,
			published(func([]any) any { return append(slices.Repeat([]any{1}, 40), right.Published()) })),
		okay("kid, after 40 of another algorithm", "Those do not count.", published(func(all []any) any {
			return append(slices.Repeat([]any{key("ES256").Published()}, 40), all...)
		})),
		okay("no kid, after 40 of another algorithm", "Those do not count.", noKid, published(func([]any) any {
			return append(slices.Repeat([]any{evptest.TestKey("ES256").Published()}, 40), right.Published())
		})),
		okay("no kid, fourth large", "Four RSA keys over 2048 bits are tried.", issuer(evptest.TestKey("RS256-3072")),
			large(3, evptest.TestKey("RS256-3072"), nil)),
		failure("no kid, fifth large", "One too many.", issuer(evptest.TestKey("RS256-3072")), large(4,
			evptest.TestKey("RS256-3072"), nil)),
		okay("kid, fourth large", "Four RSA keys over 2048 bits are tried.", issuer(key("RS256-3072")), large(3,
			evptest.TestKey("RS256-3072"), "k1")),
		failure("kid, fifth large", "One too many.", issuer(key("RS256-3072")), large(4, evptest.TestKey("RS256-3072"), "k1")),
		okay("no kid, small after ten large", "Small ones go on being tried.", issuer(evptest.TestKey("RS256")), large(10,
			evptest.TestKey("RS256"), nil)),
		okay("no kid, large after twelve small", "Only large ones count as large.", issuer(evptest.TestKey("RS256-3072")),
			published(func(all []any) any {
				var before []any
				for i := range 12 {
					before = append(before, stranger(i, 2048, nil))
				}
				return append(before, all...)
			})),
	}
}

// stranger returns a published RSA key of that many bits that signs nothing. Its modulus
// is odd, and the hash of i.
func stranger(i, bits int, id any) evptest.Object {
	var modulus []byte
	for block := 0; len(modulus) < bits/8; block++ {
		modulus = append(modulus, sha(fmt.Sprint("stranger ", i, " ", block))...)
	}
	modulus = modulus[:bits/8]
	modulus[0] |= 0x80
	modulus[len(modulus)-1] |= 1
	k := evptest.Key{Alg: "RS256", ID: id, Public: evptest.Object{"kty": "RSA", "n": base64url(modulus), "e": "AQAB"}}
	return k.Published()
}

func refresh() []vector {
	return []vector{
		failure("keys replaced", "Another key under the same kid, before and after the refresh.", broken("10.signature"),
			entries(ed("Ed25519-3", "k1"))),
		failure("keys rotated away", "The token's key is no longer published.", broken("10.kid"), entries(ed("Ed25519-3", "k2"))),
		failure("keys rotated away, no kid", "The token's key is no longer published.", broken("10.signature"),
			part(evt).withoutHeader("kid"), entries(ed("Ed25519-3", "k2"))),
		okay("rotation, old key", "Both are published, and the old one signed.", entries(ed("Ed25519", "k1"), ed("Ed25519-3",
			"k2"))),
		okay("rotation, new key", "Both are published, and the new one signed.", issuer(ed("Ed25519-3", "k2")),
			entries(ed("Ed25519", "k1"), ed("Ed25519-3", "k2"))),
	}
}

func issuerSignatures() []vector {
	e := part(evt)
	es256 := issuer(key("ES256"))
	table := []vector{
		okay("good", "Signed by the published key."),
		failure("by another issuer", "Not a key of the set.", e.sign(evptest.TestKey("Ed25519-3").Sign)),
		failure("by the holder", "Signed by the key of cnf.jwk.", e.sign(evptest.TestKey("Ed25519-2").Sign)),
		failure("by the holder, kid of the issuer", "The browser cannot issue.", e.sign(evptest.TestKey("Ed25519-2").Sign),
			e.header("jwk", evptest.TestKey("Ed25519-2").JWK())),
		failure("of other claims", "The signature of another address.", func(s *scenario) {
			other := s.pair.EVT.With("email", "bob@mail.example")
			e.sign(func([]byte) ([]byte, error) {
				text := string(text(other.Claims))
				return evptest.TestKey("Ed25519").Sign([]byte(base64url(mustJSON(other.Header)) + "." + base64url([]byte(text))))
			})(s)
		}),
		failure("over the claims only", "The message is header and claims.", e.sign(func(m []byte) ([]byte,
			error) {
			return evptest.TestKey("Ed25519").Sign(m[20:])
		})),
		failure("Ed25519 S + L", "S is below the order.", e.alter(addOrder)),
		okay("ES256 high s", "Both s and n-s are valid.", es256, e.alter(scalars(highS))),
		okay("ES256 low s", "Both s and n-s are valid.", es256, e.alter(scalars(lowS))),
		failure("ES256 in DER", "r and s raw, not DER.", es256, e.alter(der)),
		failure("RS256 over SHA-512", "SHA-256 only.", issuer(key("RS256")), e.sign(rsaSign("RS256", crypto.SHA512))),
		failure("RS256 as PSS", "PKCS #1 v1.5 only.", issuer(key("RS256")), e.sign(rsaPSS("RS256"))),
		failure("by another issuer, draft-02", "The same under draft-02.", draft02, e.sign(evptest.TestKey("Ed25519-3").Sign)),
	}
	for _, alg := range []string{"Ed25519", "ES256", "RS256"} {
		table = append(table, spoilt(alg+" ", e, issuer(key(alg)))...)
	}
	return table
}

func mustJSON(v any) []byte { return text(v) }

// strict has what only draft-02 refuses, and what it accepts.
func strict() []vector {
	table := []vector{
		okay("good", "Everything that it requires.", draft02),
		failure("EVT alg EdDSA", "Forbidden.", draft02, part(evt).header("alg", "EdDSA")),
		failure("KB alg EdDSA", "Forbidden.", draft02, part(kb).header("alg", "EdDSA")),
		failure("cnf.jwk.alg EdDSA", "Forbidden.", draft02, jwkWith("alg", "EdDSA")),
		failure("key's alg EdDSA", "Such a key is skipped, and there is no other.", draft02, broken("10.kid"),
			publishedWith("alg", "EdDSA")),
		okay("key's alg EdDSA first", "Such a key is skipped.", draft02,
			published(func(all []any) any { return []any{all[0].(evptest.Object).With("alg", "EdDSA"), all[0]} })),
		okay("key's alg absent", "It may be absent.", draft02,
			publishedKey(func(o evptest.Object) evptest.Object { return o.Without("alg") })),
		failure("cnf.jwk.alg absent", "Required.", draft02, jwkWithout("alg")),
		failure("kid absent", "Required.", draft02, part(evt).withoutHeader("kid")),
		failure("kid empty", "Not empty.", draft02, part(evt).header("kid", "")),
		failure("metadata issuer absent", "Required.", draft02, withoutIssuer),
		failure("metadata issuer absent, JWKS down", "Certain, whatever the JWKS has.", draft02, withoutIssuer,
			respond(keysURL, Response{Timeout: true})),
		failure("metadata issuer absent, JWKS 404", "The first of two faults.", draft02, withoutIssuer,
			respond(keysURL, Response{Status: 404})),
		okay("other claims", "They are ignored.", draft02, evtClaim("jti", "1"), evtClaim("aud", "x"), kbClaim("sub", "x")),
		okay("exp soon", "As in the default profile.", draft02, evtClaim("exp", now/1000+60), expires(65)),
	}
	for _, i := range []string{"Ed25519", "ES256", "RS256"} {
		for _, h := range []string{"Ed25519", "ES256", "RS256"} {
			if i == "Ed25519" && h == "Ed25519" {
				continue // the first of the table
			}
			table = append(table,
				okay(i+" issuer, "+h+" holder", "Fully specified names.", draft02, issuer(key(i)), holder(evptest.TestKey(h+"-2"))))
		}
	}
	for _, c := range []struct {
		name string
		edit edit
	}{
		{"EVT alg EdDSA", part(evt).header("alg", "EdDSA")}, {"KB alg EdDSA", part(kb).header("alg", "EdDSA")},
		{"cnf.jwk.alg absent", jwkWithout("alg")},
		{"kid absent", part(evt).withoutHeader("kid")}, {"key's alg EdDSA", publishedWith("alg", "EdDSA")},
	} {
		table = append(table, okay("default: "+c.name, "The default profile accepts it.", c.edit))
	}
	return table
}
