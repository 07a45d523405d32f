package evpcorpus

import (
	"cmp"
	"encoding/base64"
	"fmt"
	"math/big"
	"slices"
	"strings"

	"github.com/vepverify/vepverify/evp/evptest"
)

// sorted orders a table that was made from a map.
func sorted(table []vector) []vector {
	slices.SortFunc(table, func(a, b vector) int { return cmp.Compare(a.name, b.name) })
	return table
}

// claims has the rules of section 3.
func claims() []group {
	return []group{
		{"3.iat", issuedAt()}, {"3.iss", issuers()}, {"3.email", join(emails(), wrongEmails())},
		{"3.email-verified", verified()}, {"3.private", private()},
		{"3.holder-key", join(holders(), holderTypes(), okp(), ec(), rsaHolders(), privateMembers())}, {"3.exp-nbf", expNbf()},
	}
}

// number is JSON text in place of a value.
func number(text string) evptest.Raw { return evptest.Raw(text) }

func issuedAt() []vector {
	table := []vector{okay("good", "An integer number of seconds."),
		okay("now", "Issued this second.", evtClaim("iat", now/1000), expires(300))}
	for _, p := range parts {
		table = append(table, refuseKinds(p.name+" iat", func(v any) edit { return p.edit.with("iat", v) },
			p.edit.without("iat"), "a number")...)
		for _, text := range []string{
			fmt.Sprint(issued, ".0"), fmt.Sprint(issued, ".5"), fmt.Sprint(issued, "e0"), "1.767225595e9", "1767225595E+0",
			"1e400", "99999999999999999999", "-99999999999999999999", "9223372036854775807", "9223372036854775808",
		} {
			table = append(table,
				failure(p.name+" iat "+text, "Not an integer without fraction and exponent, up to 2^53.", p.edit.with("iat",
					number(text))))
		}
		for _, text := range []string{"1", "0", "-0", "-1767225595", fmt.Sprint(int64(issued) * 1000)} {
			table = append(table,
				failure(p.name+" iat "+text, "An integer, and another time.", broken("5.window"), p.edit.with("iat", number(text))))
		}
		table = append(table,
			failure(p.name+" iat in a string", "A string is not a number.", p.edit.with("iat", fmt.Sprint(issued))))
	}
	return append(table, failure("EVT IAT", "The name in another case.", part(evt).without("iat"), evtClaim("IAT", issued)))
}

func issuers() []vector {
	table := refuseKinds("iss", func(v any) edit { return evtClaim("iss", v) }, part(evt).without("iss"))
	for _, c := range []struct{ iss, comment string }{
		{"accounts.issuer.example", "No scheme."}, {"http://accounts.issuer.example", "Not https."},
		{"HTTPS://accounts.issuer.example", "The scheme in capitals."},
		{"https:accounts.issuer.example", "No slashes."}, {"https:///accounts.issuer.example", "Three slashes."},
		{"//accounts.issuer.example", "No scheme."},
		{"https://accounts.issuer.example/", "A slash."}, {"https://accounts.issuer.example/x", "A path."},
		{"https://accounts.issuer.example?x", "A query."},
		{"https://accounts.issuer.example#x", "A fragment."}, {"https://accounts.issuer.example:443", "A port."},
		{"https://accounts.issuer.example:8443", "Another port."},
		{"https://user@accounts.issuer.example", "User info."}, {"https://accounts.issuer.example.", "A dot at the end."},
		{"https://.accounts.issuer.example", "A dot at the start."},
		{"https://Accounts.Issuer.Example", "Capitals."}, {" https://accounts.issuer.example", "A space before."},
		{"https://accounts.issuer.example ", "A space after."},
		{"https://accounts.issuer.example\n", "A line feed, before which a $ matches too."},
		{"https://accounts%2eissuer.example", "Percent encoding."},
		{"https://accounts\uff0eissuer.example", "A full-width dot."},
		{"https://äccounts.issuer.example", "A label in Unicode."}, {"https://localhost", "One label."},
		{"https://127.0.0.1", "An IPv4 address."}, {"https://[::1]", "An IPv6 address."}, {"https://", "No host."},
		{"https://accounts.issuer.example\\", "A backslash."},
		{"https://accounts..issuer.example", "An empty label."}, {"https://a_b.issuer.example", "An underscore."},
		{"javascript:alert(1)", "Another scheme."},
	} {
		table = append(table, failure("iss "+quoted(c.iss), c.comment, evtClaim("iss", c.iss)))
	}
	return append(table,
		okay("good", "https:// and a host."),
		failure("iss an array of the right one", "Not a string.", evtClaim("iss", []string{"https://accounts.issuer.example"})))
}

func emails() []vector {
	var table []vector
	for _, c := range []struct{ name, email, comment string }{
		{"specials", ".!#$%&'*+/=?^_`{|}~-.@mail.example", "Everything that WHATWG's production allows before the @."},
		{"one letter", "a@mail.example", "The shortest before the @."},
		{"capitals before the @", "Alice.B@mail.example", "Case is kept."},
		{"digits", "123@mail.example", "Digits only."},
		{"dots in a row", "a..b@mail.example", "WHATWG's production allows it."},
		{"dot first and last", ".a.@mail.example", "WHATWG's production allows it."},
		{"plus", "alice+shop@mail.example", "A tag."},
		{"64 before the @", strings.Repeat("a", 64) + "@mail.example", "As long as RFC 5321 allows."},
		{"65 before the @", strings.Repeat("a", 65) + "@mail.example", "WHATWG's production has no such limit."},
		{"254 bytes", strings.Repeat("a", 241) + "@mail.example", "As long as an address may be."},
		{"deep domain", "a@b.c.d.e.f.mail.example", "Many labels."},
		{"two labels", "a@b.example", "As few as there may be."},
		{"label of 63", "a@" + strings.Repeat("b", 63) + ".example", "As long as a label may be."},
		{"digits in the domain", "a@3com.4u.example", "Labels that begin with digits."},
		{"hyphens in the domain", "a@my--mail.ex-ample.example", "Inside of labels."},
		{"A-label", "a@xn--bcher-kva.example", "A domain in its ASCII form."},
	} {
		_, domain, _ := strings.Cut(c.email, "@")
		table = append(table, okay(c.name, c.comment, address(c.email, domain)))
	}
	return table
}

func wrongEmails() []vector {
	table := refuseKinds("email", func(v any) edit { return evtClaim("email", v) }, part(evt).without("email"))
	for _, c := range []struct{ email, comment string }{
		{"alice", "No @."}, {"@mail.example", "Nothing before the @."}, {"alice@", "Nothing after the @."},
		{"@", "Only an @."}, {"alice@@mail.example", "Two @."},
		{"alice@bob@mail.example", "Two @."}, {"alice mail.example", "No @, and a space."},
		{" alice@mail.example", "A space before."}, {"alice@mail.example ", "A space after."},
		{"al ice@mail.example", "A space inside."}, {"alice@mail.example\n", "A line feed, before which a $ matches too."},
		{"alice\x00@mail.example", "NUL."},
		{"alice\t@mail.example", "A tab."},
		{"alice@mail.example\x00.other.example", "NUL in the domain."}, {`"alice"@mail.example`, "Quoted, as in RFC 5322."},
		{"alice(comment)@mail.example", "A comment of RFC 5322."}, {"Alice <alice@mail.example>", "A display name."},
		{"<alice@mail.example>", "Angle brackets."},
		{"mailto:alice@mail.example", "A URL: the colon is not in the production."},
		{"alice@mail.example,bob@mail.example", "Two addresses."},
		{"alice;bob@mail.example", "A semicolon."}, {"älice@mail.example", "A letter beyond ASCII."},
		{"alice@bücher.example", "A domain in Unicode."},
		{"alice@mail\uff0eexample", "A full-width dot."}, {"ali\u212ae@mail.example", "The Kelvin sign."},
		{"alice@localhost", "One label."},
		{"alice@192.0.2.1", "An IPv4 address."}, {"alice@mail.123", "The last label is a number."}, {"alice@[192.0.2.1]", "An address literal."},
		{"alice@[IPv6:::1]", "An address literal."},
		{"alice@mail.example.", "A dot at the end."}, {"alice@.mail.example", "A dot at the start."},
		{"alice@mail..example", "An empty label."},
		{"alice@-mail.example", "A hyphen at the start of a label."},
		{"alice@mail-.example", "A hyphen at the end of a label."}, {"alice@ma_il.example", "An underscore."},
		{"alice@Mail.example", "A capital in the domain."}, {"alice@MAIL.EXAMPLE", "Capitals in the domain."},
		{"alice@mail.example:25", "A port."}, {"alice@mail.example/x", "A path."},
		{"alice@" + strings.Repeat("b", 64) + ".example", "A label of 64 bytes."}, {strings.Repeat("a",
			242) + "@mail.example", "255 bytes."},
		{"a@" + strings.Repeat("b.", 120) + "example.example", "Far too long a domain."},
		{"alice%40mail.example", "Percent encoding."},
	} {
		name := quoted(c.email)
		if len(name) > 60 {
			name = fmt.Sprintf("of %d bytes", len(c.email))
		}
		table = append(table, failure("email "+name, c.comment, reachable(c.email)))
	}
	return append(table,
		failure("email an array of the right one", "Not a string.", evtClaim("email", []string{alice})),
		failure("email an object with it", "Not a string.", evtClaim("email", evptest.Object{"address": alice})))
}

// reachable returns an edit that sets the claim email, and DNS for its domain.
func reachable(email string) edit {
	return func(s *scenario) {
		domain := strings.ToLower(email[strings.LastIndexByte(email, '@')+1:])
		s.txt["_email-verification."+domain] = s.txt[record]
		evtClaim("email", email)(s)
	}
}

func verified() []vector {
	return join(
		[]vector{okay("true", "The only right value.")},
		refuseKinds("email_verified", func(v any) edit { return evtClaim("email_verified", v) },
			part(evt).without("email_verified"), "true"),
		[]vector{
			failure("email_verified false", "The issuer says that it did not verify.", evtClaim("email_verified", false)),
			failure(`email_verified "true"`, "A string.", evtClaim("email_verified", "true")),
			failure("email_verified 0", "A number.", evtClaim("email_verified", 0)),
			failure("email_verified [true]", "An array.", evtClaim("email_verified", []bool{true})),
			failure("Email_Verified", "The name in another case.", part(evt).without("email_verified"),
				evtClaim("Email_Verified", true)),
			failure("false, draft-02", "The same under draft-02.", draft02, evtClaim("email_verified", false)),
		})
}

// isPrivate is in the answer of a private address.
func isPrivate(s *scenario) { s.answer.Private = true }

func private() []vector {
	return join([]vector{
		okay("true", "The answer says so.", evtClaim("is_private_email", true), isPrivate),
		okay("false", "The answer does not say so.", evtClaim("is_private_email", false)),
		okay("absent", "The answer does not say so."),
		okay("true, draft-02", "The same under draft-02.", draft02, evtClaim("is_private_email", true), isPrivate),
		okay("other name", "The name in another case.", evtClaim("Is_Private_Email", true)),
		failure(`is_private_email "true"`, "A string.", evtClaim("is_private_email", "true")),
		failure("is_private_email 0", "A number.", evtClaim("is_private_email", 0)),
	}, refuseKinds("is_private_email", func(v any) edit { return evtClaim("is_private_email", v) }, nil, "true"))
}

func holders() []vector {
	cnf := func(v any) edit { return evtClaim("cnf", v) }
	inner := func(v any) edit { return cnf(evptest.Object{"jwk": v}) }
	holder := evptest.TestKey("Ed25519-2")
	return join(
		refuseKinds("cnf", cnf, part(evt).without("cnf")),
		refuseKinds("cnf.jwk", inner, nil),
		[]vector{
			failure("cnf kid", "A kid in place of a key.", cnf(evptest.Object{"kid": "k1"})),
			failure("cnf jkt", "A thumbprint in place of a key.", cnf(evptest.Object{"jkt": "AA"})),
			failure("cnf jku", "A URL in place of a key.", cnf(evptest.Object{"jku": "https://accounts.issuer.example/jwks"})),
			failure("cnf x5t#S256", "A certificate in place of a key.", cnf(evptest.Object{"x5t#S256": "AA"})),
			failure("cnf an array of one", "Of one key.", cnf([]any{evptest.Object{"jwk": holder.JWK()}})),
			failure("cnf.jwk in a string", "The key in a string.", inner(string(holder.JWK().JSON()))),
			failure("cnf.jwk a key set", "Keys in place of a key.", inner(evptest.Object{"keys": []any{holder.JWK()}})),
			failure("jwk beside cnf", "The key is in cnf.", part(evt).without("cnf"), evtClaim("jwk", holder.JWK())),
			okay("cnf with others", "Other members of cnf are ignored.", cnf(evptest.Object{"jwk": holder.JWK(), "kid": "x"})),
			okay("alg absent", "It may be absent.", jwkWithout("alg")),
			okay("use sig", "For signatures.", jwkWith("use", "sig")),
			okay("kid", "A string, and ignored.", jwkWith("kid", "browser")),
			okay("key_ops verify", "Other members are ignored.", jwkWith("key_ops", []string{"verify"})),
			okay("ext", "Other members are ignored.", jwkWith("ext", true)),
			okay("of another curve's member", "y of an Ed25519 key is ignored.", jwkWith("y", "AA")),
			failure("use enc", "Not for signatures.", jwkWith("use", "enc")),
			failure("use empty", "Not sig.", jwkWith("use", "")),
			failure("use SIG", "Not sig.", jwkWith("use", "SIG")),
			failure("alg ES256", "The alg of another kind of key.", jwkWith("alg", "ES256")),
			failure("alg unknown", "An unknown alg.", jwkWith("alg", "Ed448")),
			failure("alg none", "None.", jwkWith("alg", "none")),
			failure("alg empty", "An empty alg is not an absent one.", jwkWith("alg", "")),
			failure("alg absent, draft-02", "draft-02 requires it.", draft02, broken("10.draft-02"), jwkWithout("alg")),
		},
		refuseKinds("cnf.jwk.use", func(v any) edit { return jwkWith("use", v) }, nil, "empty"),
		refuseKinds("cnf.jwk.alg", func(v any) edit { return jwkWith("alg", v) }, nil, "empty"),
	)
}

func holderTypes() []vector {
	table := refuseKinds("cnf.jwk.kty", func(v any) edit { return jwkWith("kty", v) }, jwkWithout("kty"))
	for _, kty := range []string{"okp", "EC", "RSA", "oct", "AKP", "OKP "} {
		table = append(table, failure("kty "+quoted(kty), "Not that of the key.", jwkWith("kty", kty)))
	}
	return append(table,
		failure("oct", "A symmetric key, and a MAC by it.", broken("2.alg"), evtClaim("cnf",
			evptest.Object{"jwk": evptest.Object{"kty": "oct", "k": "AAAA"}}), part(kb).header("alg", "HS256")),
		failure("KB ES256 on OKP", "alg does not fit the key.", part(kb).header("alg", "ES256")),
		failure("KB Ed25519 on EC", "alg does not fit the key.", holder(evptest.TestKey("ES256-2")), part(kb).header("alg",
			"Ed25519")),
		failure("KB RS256 on EC", "alg does not fit the key.", holder(evptest.TestKey("ES256-2")), part(kb).header("alg",
			"RS256")),
		failure("KB ES256 on RSA", "alg does not fit the key.", holder(evptest.TestKey("RS256-2")), part(kb).header("alg",
			"ES256")),
	)
}

// bytesOf returns the bytes of a member of cnf.jwk.
func bytesOf(o evptest.Object, name string) []byte {
	data, err := base64.RawURLEncoding.DecodeString(o[name].(string))
	if err != nil {
		panic(err)
	}
	return data
}

// reencode returns an edit of a member of cnf.jwk by its bytes.
func reencode(name string, f func([]byte) string) edit {
	return jwk(func(o evptest.Object) evptest.Object { return o.With(name, f(bytesOf(o, name))) })
}

// badBytes has encodings of a member with a fixed length that must be refused.
func badBytes(prefix, name string, before ...edit) []vector {
	bad := func(label, comment string, f func([]byte) string) vector {
		return failure(prefix+" "+name+" "+label, comment, append(slices.Clone(before), reencode(name, f))...)
	}
	table := []vector{
		bad("a byte short", "Too short.", func(b []byte) string { return base64url(b[1:]) }),
		bad("a byte long", "Too long, by a zero at the start.", func(b []byte) string {
			return base64url(append([]byte{0},
				b...))
		}),
		bad("a zero after", "Too long, by a zero at the end.",
			func(b []byte) string { return base64url(append(slices.Clone(b), 0)) }),
		bad("padded", "Strict base64url.", base64.URLEncoding.EncodeToString),
		bad("with unused bits", "Strict base64url.", looseBits),
		bad("with a line feed", "Strict base64url.", inserted("\n")),
		bad("in hexadecimal", "Another encoding.", func(b []byte) string { return fmt.Sprintf("%x", b) }),
		bad("in decimal", "Another encoding.", func(b []byte) string { return new(big.Int).SetBytes(b).String() }),
	}
	for _, k := range kinds {
		table = append(table,
			failure(prefix+" "+name+" "+k.name, name+" is "+k.name+".", append(slices.Clone(before), jwkWith(name, k.value))...))
	}
	return append(table,
		failure(prefix+" "+name+" absent", "Without "+name+".", append(slices.Clone(before), jwkWithout(name))...))
}

func okp() []vector {
	table := badBytes("OKP", "x")
	for _, crv := range []any{"Ed448", "X25519", "ed25519", "P-256", "", nil, 1, "Ed25519 "} {
		table = append(table, failure("OKP crv "+quoted(crv), "Only Ed25519.", jwkWith("crv", crv)))
	}
	return append(table, failure("OKP crv absent", "Required.", jwkWithout("crv")))
}

func ec() []vector {
	es256 := holder(evptest.TestKey("ES256-2"))
	zero := holder(rawKey("ec-zero"))
	table := append(badBytes("EC", "x", es256), badBytes("EC", "y", es256)[:3]...)
	for _, crv := range []any{"P-384", "P-521", "secp256k1", "p-256", "Ed25519", "", nil} {
		table = append(table, failure("EC crv "+quoted(crv), "Only P-256.", es256, jwkWith("crv", crv)))
	}
	zeros := base64url(make([]byte, 32))
	return append(table,
		okay("EC", "A P-256 holder.", es256),
		okay("EC leading zero", "x has 32 bytes, the first of them zero.", zero),
		failure("EC leading zero cut", "The same with x of 31 bytes.", zero, reencode("x",
			func(b []byte) string { return base64url(b[1:]) })),
		failure("EC crv absent", "Required.", es256, jwkWithout("crv")),
		failure("EC y absent", "A compressed point is none.", es256, jwkWithout("y")),
		failure("EC at infinity", "Both zero.", es256, jwkWith("x", zeros), jwkWith("y", zeros)),
		failure("EC not on the curve", "y of one more.", es256, reencode("y", func(b []byte) string {
			return base64url(new(big.Int).Add(new(big.Int).SetBytes(b), big.NewInt(1)).FillBytes(make([]byte, 32)))
		})),
		failure("EC x and y exchanged", "Not on the curve.", es256,
			jwk(func(o evptest.Object) evptest.Object { return o.With("x", o["y"]).With("y", o["x"]) })),
	)
}

func rsaHolders() []vector {
	rs256 := holder(evptest.TestKey("RS256-2"))
	sized := func(name, comment string) vector { return failure("RSA "+name, comment, holder(rawKey(name))) }
	table := []vector{
		okay("RSA 2048", "An RSA holder.", rs256),
		okay("RSA 3072", "An RSA holder.", holder(evptest.TestKey("RS256-3072"))),
		okay("RSA 4096", "As long as a key may be.", holder(evptest.TestKey("RS256-4096"))),
		sized("rsa1024", "Too short."), sized("rsa2040", "Too short."), sized("rsa2047", "One bit too short."),
		sized("rsa4104", "Too long."),
		sized("rsa2048-e3", "e is 65537."), sized("rsa2048-e65539", "e is 65537."),
		failure("RSA even modulus", "Not a product of odd primes.", rs256, reencode("n", func(b []byte) string {
			b[len(b)-1] &^= 1
			return base64url(b)
		})),
		failure("RSA of 8800 bits", "Far too long.", rs256, jwkWith("n", base64url([]byte(strings.Repeat("\xff", 1100))))),
	}
	for _, e := range []any{"AQ", "Aw", "AA", "", "AQAC", "AAEAAQ==", "AQAB=", nil, 65537, "65537", "010001"} {
		table = append(table, failure("RSA e "+quoted(e), "Only 65537.", rs256, jwkWith("e", e)))
	}
	for _, n := range []any{"", nil, 1, true, []any{}} {
		table = append(table, failure("RSA n "+quoted(n), "Not a number in base64url.", rs256, jwkWith("n", n)))
	}
	return append(table,
		failure("RSA n absent", "Required.", rs256, jwkWithout("n")),
		failure("RSA e absent", "Required.", rs256, jwkWithout("e")),
		failure("RSA n padded", "Strict base64url.", rs256, reencode("n", base64.URLEncoding.EncodeToString)),
		failure("RSA n with unused bits", "Strict base64url.", rs256, reencode("n", looseBits)))
}

func privateMembers() []vector {
	var table []vector
	for kind, members := range map[string][]string{
		"Ed25519-2": {"d"}, "ES256-2": {"d"}, "RS256-2": {"d", "p", "q", "dp", "dq", "qi", "oth"},
	} {
		for _, name := range members {
			table = append(table,
				failure(kind+" with "+name, "A private member: the member alone is enough.", holder(evptest.TestKey(kind)),
					jwkWith(name, "AQ")))
		}
		table = append(table,
			failure(kind+" with d null", "Whatever its value.", holder(evptest.TestKey(kind)), jwkWith("d", nil)))
	}
	return sorted(table)
}

func expNbf() []vector {
	const sec = now / 1000
	table := []vector{
		okay("exp soon", "The answer expires with the EVT.", evtClaim("exp", sec+60), expires(65)),
		okay("exp late", "The window ends before.", evtClaim("exp", sec+3600)),
		okay("exp at the end of the window", "Equal.", evtClaim("exp", issued+300)),
		okay("exp now", "Within the leeway.", evtClaim("exp", sec), expires(5)),
		okay("exp 59 s ago", "Within the leeway.", evtClaim("exp", sec-59), expires(-54)),
		failure("exp 60 s ago", "The leeway is over.", evtClaim("exp", sec-60)),
		failure("exp 60 s ago, a millisecond later", "The leeway is over.", evtClaim("exp", sec-60), at(1)),
		okay("exp 60 s ago, a millisecond earlier", "The last millisecond of the leeway.", evtClaim("exp", sec-60), at(-1),
			expires(-55)),
		failure("exp long ago", "Expired.", evtClaim("exp", sec-86400)),
		failure("exp 0", "Expired.", evtClaim("exp", 0)),
		failure("exp negative", "Expired.", evtClaim("exp", -1)),
		okay("nbf ago", "It holds.", evtClaim("nbf", sec-3600)),
		okay("nbf now", "It holds.", evtClaim("nbf", sec)),
		okay("nbf 60 s ahead", "Within the leeway.", evtClaim("nbf", sec+60)),
		failure("nbf 60 s ahead, a millisecond earlier", "Beyond the leeway.", evtClaim("nbf", sec+60), at(-1)),
		failure("nbf 61 s ahead", "Beyond the leeway.", evtClaim("nbf", sec+61)),
		failure("nbf in a year", "Not yet valid.", evtClaim("nbf", sec+365*86400)),
		okay("exp and nbf", "Both hold.", evtClaim("nbf", sec-1), evtClaim("exp", sec+1), expires(6)),
		okay("exp 2^53", "As large as an integer may be.", evtClaim("exp", number("9007199254740992"))),
		failure("exp 2^53 + 1", "Parsers with floating-point numbers round it.", evtClaim("exp", number("9007199254740993"))),
		failure("KB exp 60 s ago", "It holds in both parts.", kbClaim("exp", sec-60)),
		okay("KB exp soon", "The answer expires with the KB-JWT.", kbClaim("exp", sec+60), expires(65)),
		failure("KB nbf 61 s ahead", "It holds in both parts.", kbClaim("nbf", sec+61)),
		failure("KB exp a string", "An integer.", kbClaim("exp", fmt.Sprint(sec+60))),
		failure("exp past, draft-02", "The same under draft-02.", draft02, evtClaim("exp", sec-61)),
	}
	for _, name := range []string{"exp", "nbf"} {
		table = append(table, refuseKinds(name, func(v any) edit { return evtClaim(name, v) }, nil, "a number")...)
		for _, text := range []string{fmt.Sprint(sec+60, ".5"), fmt.Sprint(sec, ".0"), "1767225600e0"} {
			table = append(table,
				failure(name+" "+text, "An integer without fraction and exponent.", evtClaim(name, number(text))))
		}
	}
	return table
}
