package corpus

import (
	"github.com/vepverify/vepverify/cmd/vepverify/internal/vectors/forge"
	"github.com/vepverify/vepverify/devidp/idptest"
)

// object returns claims from JSON text.
func object(text string) idptest.Raw { return idptest.Raw(text) }

// moreCertificateClaims adds members, as text, to the certificate's claims.
func moreCertificateClaims(members string) edit { return certificateText(member(members)) }

// moreAssertionClaims adds members, as text, to the assertion's claims.
func moreAssertionClaims(members string) edit { return assertionText(member(members)) }

func idpClaims(text string) edit { return answer("idpClaims", object(text)) }

func userClaims(text string) edit { return answer("userClaims", object(text)) }

// principal sets the certificate's principal to JSON text.
func principal(text string) edit { return certificateClaim("principal", idptest.Raw(text)) }

// answers has vectors about the answer and the claims in it.
func answers() []vector {
	return append(extraClaims(), []vector{
		okay("audience-as-signed", "6.members", "The answer's audience is written as in the assertion.",
			signedAudience("HTTPS://RP.example:443/")),
		okay("audience-not-of-relying-party", "6.members", "The answer's audience is not written as by the relying party.", acceptedAudience("https://rp.example:443/")),
		okay("expires-of-assertion", "6.members", "expires is the assertion's exp, not the certificate's.", certificateClaim("exp", now+1), expires(now+2)),
		okay("issuer-trusted", "6.members 4.row1", "issuer is the domain that signed the certificate, not the email's domain.",
			issuedBy(other), withTrustedIssuers(other)),
		okay("no-email", "6.no-email 4.row1-no-email", "A trusted issuer certifies no principal.",
			withoutCertificateClaims("principal"), withTrustedIssuers(idp), answer("email", nil)),
		okay("no-email-but-host", "6.no-email 1.extra-principal", "A trusted issuer certifies a host, which is reported.",
			principal(`{"host":"sub.example"}`), withTrustedIssuers(idp), answer("email", nil), idpClaims(`{"host":"sub.example"}`)),
		okay("full", "6.okay", "An answer with all members that it can have.", certificateClaim("unverified-email", "a@b.example"), assertionClaim("k", "v"),
			idpClaims(`{"unverified-email":"a@b.example"}`), userClaims(`{"k":"v"}`)),
		okay("without-claims", "6.okay 1.extra", "No claims beyond the protocol's: both members are absent."),
		failure("failure", "6.failure", "A failure has a reason, and no email.", badSignature, alteredSignature(forge.FlipBit(0))),
		failure("failure-free-text", "6.failure", "A failure in free text has no email either.", anyReason, assertionClaim("exp", true)),
		undecided("undecided", "6.undecided", "An issuer that does not answer: undecided, with a reason.", silent(idp)),
		undecided("undecided-500", "6.undecided", "An issuer with an error: undecided.", status(idp, 500)),
	}...)
}

// extraClaims has claims beyond those of the protocol.
func extraClaims() []vector {
	const reservedText = `"sub":"x@y.example","aud":"x","nbf":0,"iat":0,"jti":"x","pubkey":{},"ok":1`
	return []vector{
		okay("idp-claims", "1.extra", "Claims of the certificate.", moreCertificateClaims(`"x":1,"y":{"z":[true,null]}`), idpClaims(`{"x":1,"y":{"z":[true,null]}}`)),
		okay("user-claims", "1.extra", "Claims of the assertion.", moreAssertionClaims(`"x":"é","":0`), userClaims(`{"x":"é","":0}`)),
		okay("both-claims", "1.extra", "The same name in both tokens.", moreCertificateClaims(`"x":1`), moreAssertionClaims(`"x":2`), idpClaims(`{"x":1}`), userClaims(`{"x":2}`)),
		okay("null-claim", "1.extra", "A claim that is null is a claim.", moreAssertionClaims(`"x":null`), userClaims(`{"x":null}`)),
		okay("names-like-answers", "1.extra", "Claims named like members of the answer.", moreCertificateClaims(`"email":"eve@evil.example","status":"failure"`),
			moreAssertionClaims(`"issuer":"evil.example","expires":0`), idpClaims(`{"email":"eve@evil.example","status":"failure"}`),
			userClaims(`{"issuer":"evil.example","expires":0}`)),
		okay("prototype-names", "1.extra", "Names that have a meaning in JavaScript.", moreAssertionClaims(`"__proto__":{"email":"eve@evil.example"},"constructor":1`),
			userClaims(`{"__proto__":{"email":"eve@evil.example"},"constructor":1}`)),
		okay("markup", "1.extra", "Markup and control characters arrive as they were.", moreAssertionClaims(`"x":"<b>&\u001b[0m\u2028"`),
			userClaims(`{"x":"<b>&\u001b[0m\u2028"}`)),

		okay("reserved-in-certificate", "1.reserved", "Reserved names in the certificate.", withoutCertificateClaims("iat"), moreCertificateClaims(reservedText), idpClaims(`{"ok":1}`)),
		okay("reserved-in-assertion", "1.reserved", "Reserved names in the assertion, which have no meaning there.",
			moreAssertionClaims(`"iss":5,"sub":[],"jti":"x","public-key":1,"pubkey":null,"principal":"x","iat":0,"nbf":0,"ok":1`), userClaims(`{"ok":1}`)),
		okay("reserved-in-capitals", "1.reserved 1.json-case", "Reserved names in capitals are not reserved.", moreAssertionClaims(`"ISS":1,"Jti":2`), userClaims(`{"ISS":1,"Jti":2}`)),
		okay("reserved-escaped", "1.reserved 1.json-names", "A reserved name with an escaped letter is reserved.", moreAssertionClaims(`"\u006ati":1`)),

		okay("principal-members", "1.extra-principal", "Members of principal beside email.",
			principal(`{"email":"alice@idp.example","name":"Alice","n":1}`), idpClaims(`{"name":"Alice","n":1}`)),
		okay("principal-and-top", "1.extra-principal", "Members of principal and claims together.", certificateClaim("a", 1),
			principal(`{"email":"alice@idp.example","b":2}`), idpClaims(`{"a":1,"b":2}`)),
		okay("principal-loses", "1.extra-principal", "A claim takes precedence over a member of principal with the same name.", certificateClaim("a", 1),
			principal(`{"email":"alice@idp.example","a":2}`), idpClaims(`{"a":1}`)),
		okay("principal-loses-to-null", "1.extra-principal", "A claim that is null takes precedence, too.", certificateClaim("a", nil),
			principal(`{"email":"alice@idp.example","a":2}`), idpClaims(`{"a":null}`)),
		okay("principal-reserved", "1.extra-principal 1.reserved", "Reserved names in principal.",
			principal(`{"email":"alice@idp.example","iss":1,"exp":2,"sub":3,"principal":4,"jti":5,"ok":6}`), idpClaims(`{"ok":6}`)),
		okay("principal-email-claim", "1.extra-principal", "email is left out of principal's members only.", certificateClaim("email", "x"),
			principal(`{"email":"alice@idp.example"}`), idpClaims(`{"email":"x"}`)),
		okay("principal-host-beside-email", "1.extra-principal", "host beside an email is an extra member.",
			principal(`{"email":"alice@idp.example","host":"idp.example"}`), idpClaims(`{"host":"idp.example"}`)),
		okay("principal-nested", "1.extra-principal", "Members of principal are reported, but not the members of those.",
			principal(`{"email":"alice@idp.example","principal2":{"a":1}}`), idpClaims(`{"principal2":{"a":1}}`)),

		okay("integer-beyond-double", "1.integers", "2^53 + 1, which floating point cannot represent.", moreAssertionClaims(`"n":9007199254740993`),
			userClaims(`{"n":9007199254740993}`)),
		okay("integer-of-40-digits", "1.integers", "40 digits.", moreCertificateClaims(`"n":1234567890123456789012345678901234567891`),
			idpClaims(`{"n":1234567890123456789012345678901234567891}`)),
		okay("integer-negative", "1.integers", "A large negative integer, inside an array.", moreAssertionClaims(`"n":[-18446744073709551617]`),
			userClaims(`{"n":[-18446744073709551617]}`)),
		okay("integer-in-principal", "1.integers 1.extra-principal", "A large integer in principal.",
			principal(`{"email":"alice@idp.example","uid":76561197960287930001}`), idpClaims(`{"uid":76561197960287930001}`)),
	}
}

// order has vectors with two faults, in which the first that is checked must be the
// reason, and vectors with an offline fault and a host that must not be contacted.
func order() []vector {
	const mismatch = mismatchOf + "domain mismatch"
	wrongHost := assertionClaim("aud", "https://other.example")
	first := func(name, comment, reason string, edits ...edit) vector {
		return failure(name, "7.order", comment, reason, edits...)
	}
	offline := func(name, comment, reason string, edits ...edit) vector {
		return failure("offline-"+name, "7.offline-first", comment+" The issuer does not answer.", reason, append(edits, silent(idp))...)
	}
	return []vector{
		first("count-malformed", "No certificate, and a malformed text.", noCertificate, replaced("a.b.c.d")),
		first("algorithm-audience", "An unknown algorithm and another audience.", algorithm, withAlgorithm("HS256"), wrongHost),
		first("algorithm-expired", "A name that is not the key's, in an expired certificate.", algorithm, withAlgorithm("DS256"), certificateClaim("exp", now-1)),
		first("audience-expired", "Another audience, and expired.", mismatch, wrongHost, expires(now-1)),
		first("audience-no-email", "Another audience, and no email.", mismatch, wrongHost, withoutCertificateClaims("principal")),
		first("audience-signature", "Another audience, and a wrong signature.", mismatch, wrongHost, alteredSignature(forge.FlipBit(0))),
		first("expired-no-email", "Expired, and no email.", expired, assertionClaim("exp", now-1), withoutCertificateClaims("principal")),
		first("expired-signature", "Expired, and a wrong signature.", expired, assertionClaim("exp", now-1), alteredSignature(forge.FlipBit(0))),
		first("not-yet-issuer", "Not yet valid, and another issuer.", notYet, assertionClaim("iat", now+1), issuedBy(other)),
		first("no-email-signature", "No email, and a wrong signature.", noEmail, withoutCertificateClaims("principal"), alteredSignature(forge.FlipBit(0))),
		first("assertion-signature-issuer", "A wrong signature of the assertion, and another issuer.", badSignature, alteredSignature(forge.FlipBit(0)), issuedBy(other)),
		first("issuer-certificate-signature", "Another issuer, and a wrong signature of the certificate.", untrusted(idp, other), issuedBy(other),
			alteredCertificateSignature(forge.FlipBit(0))),
		first("issuer-certificate-algorithm", "Another issuer, and a certificate whose alg no key has.", untrusted(idp, other), issuedBy(other), withIssuerAlgorithm("RS128")),

		offline("size", "Too large.", anyReason, withSize(32770)),
		offline("count", "No certificate.", noCertificate, parts(func(t []string) []string { return t[1:] })),
		offline("form", "A segment too many.", anyReason, withText(suffix(".x"))),
		offline("json", "A name twice.", anyReason, assertionText(member(`"x":1,"x":1`))),
		offline("header", "crit in the header.", anyReason, assertionHeader(`{"alg":"DS128","crit":["x"]}`)),
		offline("algorithm", "alg is none.", algorithm, withAlgorithm("none")),
		offline("key", "A certified key without y.", anyReason, publicKey(user("DS128").Without("y"))),
		offline("audience", "Another port.", mismatchOf+"port mismatch", assertionClaim("aud", "https://rp.example:8443")),
		offline("expired", "The certificate has expired.", expired, certificateClaim("exp", now-1)),
		offline("not-yet", "The certificate is not yet valid.", notYet, certificateClaim("nbf", now+1)),
		offline("email", "No email.", noEmail, principal(`{}`)),
		offline("signature", "The assertion's signature is wrong.", badSignature, alteredSignature(forge.FlipBit(3))),
		offline("other-user", "The assertion is another user's.", badSignature, assertion(func(t forge.Token) forge.Token { t.Key = key("DS128-2"); return t })),
		failure("offline-trusted", "7.offline-first", "The assertion's signature is wrong, and the trusted issuer does not answer.", badSignature,
			issuedBy(other), withTrustedIssuers(other), silent(idp, other), alteredSignature(forge.FlipBit(3))),
		failure("offline-fallback", "7.offline-first", "Expired, and neither the domain nor the fallback answers.", expired,
			byFallback, silent(idp, fallback), assertionClaim("exp", now-1)),
		undecided("online-certificate-signature", "7.order 4.row4", "The certificate's signature is wrong, which cannot be found out: its issuer does not answer.",
			alteredCertificateSignature(forge.FlipBit(0)), silent(idp)),
	}
}
