package corpus

func header() []vector {
	onAssertion := func(name, rules, comment, text string) vector {
		return failure(name, rules, comment, free, assertionHeader(text))
	}
	onCertificate := func(name, rules, comment, text string) vector {
		return failure("certificate-"+name, rules, comment, free, certificateHeader(text))
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
		okay("typ-and-kid", "1.header-types", "typ and kid are strings, whatever they say.",
			certificateHeader(`{"alg":"RS256","typ":"JWT","kid":""}`), assertionHeader(`{"kid":"../../x","typ":"?","alg":"DS128"}`)),

		onAssertion("crit-empty", "1.header-forbidden", "crit with nothing in it.", `{"alg":"DS128","crit":[]}`),
		onAssertion("b64-true", "1.header-forbidden", "b64 with its default value.", `{"alg":"DS128","b64":true}`),
		onAssertion("jwk-null", "1.header-forbidden", "jwk that is null.", `{"alg":"DS128","jwk":null}`),
		onAssertion("escaped-crit", "1.header-forbidden 1.json-names", "crit with an escaped letter.", `{"alg":"DS128","\u0063rit":["x"]}`),
		okay("forbidden-names-in-capitals", "1.header-forbidden 1.json-case 1.header-others", "Names that differ in case are other members.",
			assertionHeader(`{"alg":"DS128","JWK":{},"Crit":["exp"],"X5C":[]}`)),
		okay("forbidden-name-nested", "1.header-forbidden 1.header-others", "Forbidden names inside another member.",
			assertionHeader(`{"alg":"DS128","x":{"crit":["exp"],"jku":"https://evil.example"}}`)),

		okay("other-members", "1.header-others", "Members of other JOSE specifications, of odd types.",
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
