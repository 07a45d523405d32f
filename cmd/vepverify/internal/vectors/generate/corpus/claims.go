package corpus

import (
	"github.com/vepverify/vepverify/cmd/vepverify/internal/vectors/forge"
	"github.com/vepverify/vepverify/devidp/idptest"
)

func claims() []vector {
	issuer := func(name, comment string, iss any) vector {
		return failure("issuer-"+name, "1.cert-issuer 4.domain 7.offline-first", comment+" No host needs to answer.", free, certified("iss", iss), silent(idp))
	}
	userPublic := idptest.Legacy(key("DS128").Public())
	return []vector{
		failure("issuer-missing", "1.cert-issuer", "A certificate without iss.", free, uncertified("iss")),
		failure("issuer-number", "1.cert-issuer", "iss is a number.", free, certified("iss", 1)),
		failure("issuer-null", "1.cert-issuer", "iss is null.", free, certified("iss", nil)),
		failure("issuer-array", "1.cert-issuer", "iss is an array with a domain in it.", free, certified("iss", []string{idp})),
		issuer("empty", "iss is empty.", ""),
		issuer("url", "iss is a URL.", "https://idp.example"),
		issuer("path", "iss has a path.", "idp.example/"),
		issuer("query", "iss has a query.", "idp.example?x"),
		issuer("user-info", "iss has user info.", "x@idp.example"),
		issuer("trailing-dot", "iss ends in a dot.", "idp.example."),
		issuer("leading-dot", "iss begins with a dot.", ".idp.example"),
		issuer("empty-label", "iss has an empty label.", "idp..example"),
		issuer("space-behind", "A space behind iss.", "idp.example "),
		issuer("line-feed-behind", "A line feed behind iss.", "idp.example\n"),
		issuer("nul", "A NUL character in iss.", "idp.example\x00.evil.example"),
		issuer("unicode", "iss in Unicode.", "idp.exämple"),
		issuer("unicode-dot", "A dot that is no ASCII.", "idp。example"),
		issuer("percent", "A percent-encoded dot.", "idp%2Eexample"),
		issuer("wildcard", "A wildcard.", "*.example"),
		issuer("ipv6", "An IPv6 address in brackets.", "[::1]"),
		issuer("254-bytes", "A domain of 254 bytes.", longDomain(254)),
		failure("issuer-port-0", "4.domain-dev", "Port 0.", free, certified("iss", "idp.example:0"), silent(idp)),
		failure("issuer-port-65536", "4.domain-dev", "A port above 65535.", free, certified("iss", "idp.example:65536"), silent(idp)),
		failure("issuer-port-empty", "4.domain-dev", "A colon without a port.", free, certified("iss", "idp.example:"), silent(idp)),
		failure("issuer-port-leading-zero", "4.domain-dev", "A port with a leading zero.", free, certified("iss", "idp.example:0443"), silent(idp)),
		failure("issuer-port-letters", "4.domain-dev", "A port of letters.", free, certified("iss", "idp.example:https"), silent(idp)),
		failure("issuer-two-ports", "4.domain-dev", "Two ports.", free, certified("iss", "idp.example:443:443"), silent(idp)),
		failure("issuer-malformed-offline", "1.cert-issuer 7.offline-first", "A malformed iss, and a host that does not answer.", free,
			certified("iss", "idp.example/"), silent(idp)),
		okay("issuer-253-bytes", "4.domain", "A domain of 253 bytes, trusted.",
			issuedBy(longDomain(253)), trusting(longDomain(253))),
		okay("issuer-underscore", "4.domain", "Underscores and digits in a domain.",
			certifies("alice@_a-1.2b.example"), issuedBy("_a-1.2b.example")),
		okay("issuer-in-capitals", "4.domain-case 6.members", "iss in capitals is the same domain, and reported in lower case.",
			certified("iss", "IDP.Example")),
		okay("issuer-in-capitals-twice", "4.domain-case", "iss and the email's domain differ in case.",
			certified("iss", "idp.EXAMPLE"), certified("principal", idptest.Object{"email": "alice@IDP.example"})),
		okay("issuer-with-port", "4.domain-dev", "A port belongs to the domain, of the email too.",
			certifies("alice@idp.example:8443"), issuedBy("idp.example:8443")),
		failure("issuer-with-other-port", "4.domain-dev 4.row2", "With a port it is another domain.", untrusted(idp, "idp.example:8443"),
			issuedBy("idp.example:8443"), document(idp, good())),
		okay("trusted-issuer-address", "4.domain-dev 4.row1", "An IPv4 address as a trusted issuer.",
			issuedBy("192.0.2.7"), trusting("192.0.2.7")),

		failure("key-missing", "1.cert-key", "A certificate without a key.", free, uncertified("public-key")),
		failure("key-null", "1.cert-key", "public-key is null.", free, publicKey(nil)),
		failure("key-text", "1.cert-key", "The key as text inside a string.", free, publicKey(string(userPublic.JSON()))),
		failure("key-array", "1.cert-key", "The key inside an array.", free, publicKey([]any{userPublic})),
		failure("key-under-jwk", "1.cert-key", "The key under another name.", free, uncertified("public-key"), certified("jwk", userPublic)),
		failure("key-missing-offline", "1.cert-key 7.offline-first", "No key, and an issuer that does not answer.", free,
			uncertified("public-key"), silent(idp)),
		okay("pubkey", "1.cert-key", "The key in pubkey, as public-key is absent.", uncertified("public-key"), certified("pubkey", userPublic)),
		okay("public-key-wins", "1.cert-key 1.reserved", "Both, of which public-key counts.",
			certified("pubkey", idptest.Legacy(key("RS256-2").Public()))),
		failure("pubkey-loses", "1.cert-key", "Both, of which pubkey would fit.", badSignature,
			certified("pubkey", userPublic), publicKey(idptest.Legacy(key("DS128-2").Public()))),
		failure("null-public-key-and-pubkey", "1.cert-key", "public-key is there, and null: pubkey does not count.", free,
			certified("pubkey", userPublic), publicKey(nil)),

		failure("audience-missing", "1.audience", "An assertion without aud.", free, unclaimed("aud")),
		failure("audience-null", "1.audience", "aud is null.", free, claimed("aud", nil)),
		failure("audience-array", "1.audience", "aud is an array, as JWT allows and this protocol does not.", free, claimed("aud", []string{rp})),
		failure("audience-number", "1.audience", "aud is a number.", free, claimed("aud", 443)),
		failure("audience-missing-offline", "1.audience 7.offline-first", "No aud, and an issuer that does not answer.", free,
			unclaimed("aud"), silent(idp)),
		okay("certificate-audience", "1.audience 1.reserved", "aud in the certificate means nothing.", certified("aud", "https://evil.example")),

		failure("tokens-swapped", "1.form 1.cert-issuer", "Assertion and certificate in each other's place.", free,
			parts(func(t []string) []string { return []string{t[1], t[0]} })),
		failure("empty-claims", "1.exp-required", "Claims without members.", free, assertion(func(t forge.Token) forge.Token {
			t.Claims = idptest.Object{}
			return t
		})),
	}
}

// longDomain gives a domain of so many bytes, with labels of at most 63.
func longDomain(bytes int) string {
	const label = "abcdefghijklmnopqrstuvwxyz-abcdefghijklmnopqrstuvwxyz-012345678."
	domain := label + label + label + label
	return domain[:bytes-1] + "x"
}
