package evpcorpus

import (
	"crypto"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/json"
	"strings"

	"github.com/vepverify/vepverify/evp/evptest"
)

// headers has the rules of section 2.
func headers() []group {
	return []group{
		{"2.typ", types()}, {"2.alg", join(pairs(), algorithms())}, {"2.crit", critical()},
		{"2.kid", join(kids(), otherMembers())},
	}
}

func types() []vector {
	table := []vector{okay("good", "evt+jwt and kb+jwt.")}
	for i, p := range parts {
		right := []string{"evt+jwt", "kb+jwt"}[i]
		wrong := []string{"kb+jwt", "evt+jwt"}[i]
		table = append(table, refuseKinds(p.name+" typ", func(v any) edit { return p.edit.header("typ", v) },
			p.edit.withoutHeader("typ"))...)
		for _, typ := range []string{
			wrong, "JWT", "jwt", "sd+jwt", "dc+sd-jwt", strings.ToUpper(right), "application/" + right, right + " ", " " + right,
			right + "\x00", strings.Replace(right, "+", "-", 1), strings.Replace(right, "+", " ", 1), right + "2",
		} {
			table = append(table, failure(p.name+" typ "+quoted(typ), "typ is exactly "+right+".", p.edit.header("typ", typ)))
		}
	}
	return append(table,
		failure("EVT Typ", "The name of the member in another case.", part(evt).withoutHeader("typ"), part(evt).header("Typ",
			"evt+jwt")),
		failure("draft-02", "The same under draft-02.", draft02, part(evt).header("typ", "JWT")))
}

// quoted returns a JSON string, for the name of a vector.
func quoted(v any) string {
	data, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	return string(data)
}

// algorithms of issuers and holders.
var names = []string{"Ed25519", "EdDSA", "ES256", "RS256"}

// pairs has each issuer with each holder.
func pairs() []vector {
	var table []vector
	for _, i := range names {
		for _, h := range names {
			table = append(table, okay(i+" issuer, "+h+" holder", "Each algorithm with each other.",
				issuer(key(i)), holder(evptest.TestKey(h+"-2"))))
		}
	}
	return append(table,
		okay("KB EdDSA, jwk Ed25519", "Two names of one algorithm.", part(kb).header("alg", "EdDSA")),
		okay("KB Ed25519, jwk EdDSA", "Two names of one algorithm.", jwkWith("alg", "EdDSA")),
		okay("EVT EdDSA, key Ed25519", "Two names of one algorithm.", part(evt).header("alg", "EdDSA")),
		okay("EVT Ed25519, key EdDSA", "Two names of one algorithm.", issuer(key("EdDSA")), part(evt).header("alg", "Ed25519")),
		okay("RSA of 3072 bits", "An RSA issuer.", issuer(key("RS256-3072"))),
		okay("RSA of 4096 bits", "As long as a key may be, for issuer and holder.", issuer(key("RS256-4096")),
			holder(evptest.TestKey("RS256-4096"))),
	)
}

func algorithms() []vector {
	misfits := []string{"10.kid", "3.holder-key"} // the key of EVT and KB-JWT is no longer for the alg
	var table []vector
	for i, p := range parts {
		table = append(table, refuseKinds(p.name+" alg", func(v any) edit { return p.edit.header("alg", v) },
			p.edit.withoutHeader("alg"))...)
		for _, alg := range []string{
			"none", "None", "HS256", "HS512", "ES384", "ES512", "ES256K", "RS384", "RS512", "PS256", "RS1", "Ed448",
			"ed25519", "ED25519",
			"eddsa", "Ed25519 ", "Ed25519\x00", "EdDSA25519", "ML-DSA-44", "http://www.w3.org/2001/04/xmldsig-more#rsa-sha256",
		} {
			table = append(table, failure(p.name+" alg "+quoted(alg), "Not one of the four names.", p.edit.header("alg", alg)))
		}
		table = append(table,
			failure(p.name+" alg none, unsigned", "alg none and an empty signature.", broken("1.form"), p.edit.header("alg",
				"none"), p.edit.sign(nil)),
			failure(p.name+" alg ES256 for Ed25519", "The alg of another key.", broken(misfits[i]), p.edit.header("alg",
				"ES256")),
			failure(p.name+" alg RS256 for Ed25519", "The alg of another key.", broken(misfits[i]), p.edit.header("alg",
				"RS256")))
	}
	return append(table,
		failure("EVT HS256 by the public key", "A MAC with the public JWK's x as its secret.", part(evt).header("alg",
			"HS256"), part(evt).sign(mac(evptest.TestKey("Ed25519")))),
		failure("KB HS256 by the public key", "A MAC with the holder's x as its secret.", part(kb).header("alg", "HS256"),
			part(kb).sign(mac(evptest.TestKey("Ed25519-2")))),
		failure("EVT RS512", "A signature over SHA-512, and its name.", issuer(key("RS256")), part(evt).header("alg",
			"RS512"), part(evt).sign(rsaSign("RS256", crypto.SHA512))),
		failure("EVT EdDSA, draft-02", "draft-02 forbids the name.", draft02, broken("10.draft-02"), part(evt).header("alg",
			"EdDSA")),
	)
}

func mac(k evptest.Key) func([]byte) ([]byte, error) {
	return func(message []byte) ([]byte, error) {
		h := hmac.New(sha256.New, []byte(k.Public["x"].(string)))
		h.Write(message)
		return h.Sum(nil), nil
	}
}

func critical() []vector {
	table := []vector{okay("other member", "Members that are not critical are ignored.", part(evt).header("exp", 1))}
	for _, p := range parts {
		for _, value := range []any{[]string{"exp"}, []string{}, []string{"b64"}, nil, "exp", evptest.Object{}} {
			table = append(table,
				failure(p.name+" crit "+quoted(value), "A crit is refused, whatever its value.", p.edit.header("crit", value)))
		}
		for _, value := range []any{true, false, nil, "true"} {
			table = append(table,
				failure(p.name+" b64 "+quoted(value), "A b64 is refused, whatever its value.", p.edit.header("b64", value)))
		}
		table = append(table,
			failure(p.name+" crit and b64", "RFC 7797.", p.edit.header("crit", []string{"b64"}), p.edit.header("b64", false)),
			failure(p.name+" crit, draft-02", "The same under draft-02.", draft02, p.edit.header("crit", []string{"exp"})),
			okay(p.name+" Crit", "A name in another case is another name.", p.edit.header("Crit", []string{"exp"})))
	}
	return table
}

func kids() []vector {
	var table []vector
	for _, p := range parts {
		for _, value := range []any{nil, true, 1, 1.5, []string{"k1"}, evptest.Object{}} {
			table = append(table, failure(p.name+" kid "+quoted(value), "A kid is a string.", p.edit.header("kid", value)))
		}
	}
	long := strings.Repeat("k", 500)
	return append(table,
		okay("EVT kid absent", "All keys that fit are tried.", part(evt).withoutHeader("kid")),
		okay("EVT kid empty", "All keys that fit are tried.", part(evt).header("kid", "")),
		okay("EVT kid of 500 characters", "A long one.", issuer(evptest.TestKey("Ed25519").WithID(long))),
		okay("EVT kid beyond ASCII", "Any text.", issuer(evptest.TestKey("Ed25519").WithID("schlüssel 😀"))),
		okay("EVT kid with quotes", "Any text.", issuer(evptest.TestKey("Ed25519").WithID(`k"1\`))),
		okay("EVT kid like a path", "It is compared, and nothing else.",
			issuer(evptest.TestKey("Ed25519").WithID("../../etc/passwd"))),
		okay("KB kid", "A string, and ignored.", part(kb).header("kid", "k1")),
		okay("KB kid empty", "A string, and ignored.", part(kb).header("kid", "")),
		failure("EVT kid a number, key set alike", "Chromium accepts a number.", issuer(evptest.TestKey("Ed25519").WithID(1))),
		failure("EVT kid null, draft-02", "The same under draft-02.", draft02, part(evt).header("kid", nil)),
	)
}

// otherMembers has header members that must be ignored, among them those that make other
// verifiers use another key.
func otherMembers() []vector {
	stranger := evptest.TestKey("Ed25519-3")
	var table []vector
	for i, p := range parts {
		for name, value := range map[string]any{
			"jwk": stranger.JWK(), "jku": "https://other.example/jwks", "x5u": "https://other.example/c", "x5c": []string{"AA"},
			"cty": "JWT", "nonce": "x", "zip": "DEF", "x": evptest.Object{"a": []int{1}},
		} {
			table = append(table, okay(p.name+" "+name, "Other header members are ignored.", p.edit.header(name, value)))
		}
		table = append(table,
			failure(p.name+" jwk that signed", "Signed by a key that only the header has.", broken([]string{"10.signature",
				"4.signature"}[i]),
				p.edit.header("jwk", stranger.JWK()), p.edit.sign(stranger.Sign)))
	}
	return sorted(table)
}
