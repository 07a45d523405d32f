package corpus

import (
	"github.com/vepverify/vepverify/cmd/vepverify/internal/vectors/forge"
)

// order has two faults in each vector, of which the one that is checked first
// gives the reason, and offline faults of which nobody should hear.
func order() []vector {
	const mismatch = mismatchOf + "domain mismatch"
	wrongHost := claimed("aud", "https://other.example")
	first := func(name, comment, reason string, edits ...edit) vector {
		return failure(name, "7.order", comment, reason, edits...)
	}
	offline := func(name, comment, reason string, edits ...edit) vector {
		return failure("offline-"+name, "7.offline-first", comment+" The issuer does not answer.", reason, append(edits, silent(idp))...)
	}
	return []vector{
		first("count-malformed", "No certificate, and garbage.", noCertificate, replaced("a.b.c.d")),
		first("algorithm-audience", "An unknown algorithm and another audience.", algorithm, called("HS256"), wrongHost),
		first("algorithm-expired", "A name that is not the key's, in an expired certificate.", algorithm, called("DS256"), certified("exp", now-1)),
		first("audience-expired", "Another audience, and expired.", mismatch, wrongHost, expires(now-1)),
		first("audience-no-email", "Another audience, and no email.", mismatch, wrongHost, uncertified("principal")),
		first("audience-signature", "Another audience, and a wrong signature.", mismatch, wrongHost, altered(forge.FlipBit(0))),
		first("expired-no-email", "Expired, and no email.", expired, claimed("exp", now-1), uncertified("principal")),
		first("expired-signature", "Expired, and a wrong signature.", expired, claimed("exp", now-1), altered(forge.FlipBit(0))),
		first("not-yet-issuer", "Not yet valid, and another issuer.", notYet, claimed("iat", now+1), issuedBy(other)),
		first("no-email-signature", "No email, and a wrong signature.", noEmail, uncertified("principal"), altered(forge.FlipBit(0))),
		first("assertion-signature-issuer", "A wrong signature of the assertion, and another issuer.", badSignature, altered(forge.FlipBit(0)), issuedBy(other)),
		first("issuer-certificate-signature", "Another issuer, and a wrong signature of the certificate.", untrusted(idp, other), issuedBy(other),
			alteredCertificate(forge.FlipBit(0))),
		first("issuer-certificate-algorithm", "Another issuer, and a certificate whose alg is of none of the keys.", untrusted(idp, other), issuedBy(other), issuerCalled("RS128")),

		offline("size", "Too large.", free, sized(32770)),
		offline("count", "No certificate.", noCertificate, parts(func(t []string) []string { return t[1:] })),
		offline("form", "A segment too many.", free, rewritten(suffix(".x"))),
		offline("json", "A name twice.", free, claimedText(member(`"x":1,"x":1`))),
		offline("header", "crit in the header.", free, assertionHeader(`{"alg":"DS128","crit":["x"]}`)),
		offline("algorithm", "alg is none.", algorithm, called("none")),
		offline("key", "A certified key without y.", free, publicKey(user("DS128").Without("y"))),
		offline("audience", "Another port.", mismatchOf+"port mismatch", claimed("aud", "https://rp.example:8443")),
		offline("expired", "The certificate has expired.", expired, certified("exp", now-1)),
		offline("not-yet", "The certificate is not yet valid.", notYet, certified("nbf", now+1)),
		offline("email", "No email.", noEmail, principal(`{}`)),
		offline("signature", "The assertion's signature is wrong.", badSignature, altered(forge.FlipBit(3))),
		offline("other-user", "The assertion is another user's.", badSignature, assertion(func(t forge.Token) forge.Token { t.Key = key("DS128-2"); return t })),
		failure("offline-trusted", "7.offline-first", "The assertion's signature is wrong, and the trusted issuer does not answer.", badSignature,
			issuedBy(other), trusting(other), silent(idp, other), altered(forge.FlipBit(3))),
		failure("offline-fallback", "7.offline-first", "Expired, and neither the domain nor the fallback answers.", expired,
			byFallback, silent(idp, fallback), claimed("exp", now-1)),
		undecided("online-certificate-signature", "7.order 4.row4", "The certificate's signature is wrong, which nobody can know: its issuer does not answer.",
			alteredCertificate(forge.FlipBit(0)), silent(idp)),
	}
}
