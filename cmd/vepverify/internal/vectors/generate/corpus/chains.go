package corpus

import (
	"fmt"
	"slices"

	"github.com/vepverify/vepverify/cmd/vepverify/internal/vectors/forge"
	"github.com/vepverify/vepverify/devidp/idptest"
	"github.com/vepverify/vepverify/keys"
)

// host returns the name of the nth host that a chain certifies.
func host(n int) string { return fmt.Sprintf("host%d.example", n) }

// hostKeys are the names of those hosts' keys, in turn.
var hostKeys = []string{"RS128", "DS128-2", "RS128-2", "RS256-2"}

func hostKey(n int) keys.PrivateKey { return key(hostKeys[(n-1)%len(hostKeys)]) }

// chained makes a chain of n certificates, the last of which is the user's, and allows
// chains of that length.
func chained(n int) edit {
	return func(s *scenario) {
		user := *s.last()
		s.chain = nil
		issuer := provider(idp)
		for i := 1; i < n; i++ {
			s.chain = append(s.chain, forge.Token{Token: issuer.HostCertificate(host(i), hostKey(i).Public())})
			issuer = provider(host(i), hostKey(i))
		}
		if n > 1 {
			user = user.With("iss", issuer.Domain)
			user.Key = issuer.Keys[0]
		}
		s.chain = append(s.chain, user)
		withMaxChain(n)(s)
	}
}

// link changes the nth certificate of a chain, counted from 1.
func link(n int, change func(forge.Token) forge.Token) edit {
	return func(s *scenario) { s.chain[n-1] = change(s.chain[n-1]) }
}

func linkClaim(n int, name string, value any) edit {
	return link(n, func(t forge.Token) forge.Token { return t.With(name, value) })
}

func linkPrincipal(n int, text string) edit { return linkClaim(n, "principal", idptest.Raw(text)) }

func chains() []vector {
	broken := func(name, rules, comment string, edits ...edit) vector {
		return failure(name, rules, comment, anyReason, append([]edit{chained(2)}, edits...)...)
	}
	alteredSignature := func(a forge.Alteration) func(forge.Token) forge.Token {
		return func(t forge.Token) forge.Token { t.Alter = a; return t }
	}
	two, three := chained(2), chained(3)
	return append([]vector{
		okay("two", "4.chain-signed 4.chain-host", "Two certificates: a host's and the user's.", two),
		okay("three", "4.chain-signed 4.chain-host", "Three certificates.", three),
		okay("four", "4.chain-signed", "Four certificates, where sixteen are allowed.", chained(4), withMaxChain(16)),
		okay("one-where-three-are-allowed", "1.count", "One certificate.", withMaxChain(3)),
		okay("host-in-capitals", "4.chain-host 4.domain-case", "host and iss differ in case.", two, linkPrincipal(1, `{"host":"HOST1.example"}`), linkClaim(2, "iss", "host1.EXAMPLE")),
		okay("extra-claims", "4.chain-signed 1.extra", "Claims of the last certificate are reported, not those of others.", two,
			linkClaim(1, "a", 1), linkClaim(2, "b", 2), idpClaims(`{"b":2}`)),
		okay("issuer-is-the-first", "4.chain-signed 6.members", "The email's domain is the first certificate's issuer's; the last one's issuer is not contacted.",
			two, silent(host(1))),
		okay("trusted-without-email", "4.chain-host 4.row1-no-email", "A trusted issuer's chain that ends in a host.", two, withTrustedIssuers(idp),
			linkPrincipal(2, `{"host":"host2.example"}`), answer("email", nil), idpClaims(`{"host":"host2.example"}`)),
		okay("trusted-other-domain", "4.chain-signed 4.row1", "A trusted issuer's chain for any address.", two, withTrustedIssuers(idp),
			linkPrincipal(2, `{"email":"bob@other.example"}`), answer("email", "bob@other.example")),

		failure("too-many", "1.count", "Three certificates, where two are allowed.", chaining, three, withMaxChain(2)),
		failure("not-allowed", "1.count 6.reasons", "Two certificates, where one is allowed unless configured.", chaining, two, withMaxChain(0)),
		failure("too-many-offline", "1.count 7.offline-first", "Too many certificates, and an issuer that does not answer.", chaining, three, withMaxChain(2), silent(idp)),
		failure("issuer-of-last-untrusted", "4.chain-signed 4.row2", "The email's domain is that of the last issuer, which is not the first.", untrusted("host1.example", idp),
			two, certifiedEmail("alice@host1.example"), document(host(1), provider(host(1), hostKey(1)).Document())),
	}, append(chainFaults(broken), chainSignatures(alteredSignature, two, three)...)...)
}

// chainFaults has violations of the rules about hosts and emails in chains.
func chainFaults(broken func(name, rules, comment string, edits ...edit) vector) []vector {
	return []vector{
		broken("other-host", "4.chain-host", "The second certificate's iss is another host.", linkClaim(2, "iss", "host9.example")),
		broken("subdomain", "4.chain-host", "The second certificate's iss is a subdomain of the host.", linkClaim(2, "iss", "sub.host1.example")),
		broken("same-issuer", "4.chain-host", "The second certificate's iss is the first one's issuer.", linkClaim(2, "iss", idp)),
		broken("no-principal", "4.chain-host", "The first certificate has no principal.", link(1, func(t forge.Token) forge.Token { return t.Without("principal") })),
		broken("empty-principal", "4.chain-host", "Its principal is empty.", linkPrincipal(1, `{}`)),
		broken("principal-text", "4.chain-host", "Its principal is the host itself.", linkPrincipal(1, `"host1.example"`)),
		broken("host-null", "4.chain-host", "Its host is null.", linkPrincipal(1, `{"host":null}`)),
		broken("host-array", "4.chain-host", "Its host is an array.", linkPrincipal(1, `{"host":["host1.example"]}`)),
		broken("host-url", "4.chain-host", "Its host is a URL.", linkPrincipal(1, `{"host":"https://host1.example"}`)),
		broken("host-at-top", "4.chain-host", "Its host is among the claims.", linkPrincipal(1, `{}`), linkClaim(1, "host", host(1))),
		broken("host-wildcard", "4.chain-host", "Its host is a wildcard.", linkPrincipal(1, `{"host":"*.example"}`)),

		broken("email-signs", "4.chain-email", "An email's certificate signs another.", linkPrincipal(1, `{"email":"bob@idp.example"}`), linkClaim(2, "iss", idp)),
		broken("email-and-host-signs", "4.chain-email", "An email's certificate that names a host too.", linkPrincipal(1, `{"email":"bob@idp.example","host":"host1.example"}`)),
		broken("malformed-email-and-host-signs", "4.chain-email", "The email beside the host is null.", linkPrincipal(1, `{"email":null,"host":"host1.example"}`)),
		broken("sub-and-host-signs", "4.chain-email", "sub beside the host.", linkClaim(1, "sub", "bob@idp.example")),
		broken("malformed-sub-and-host-signs", "4.chain-email", "A sub that is not an address, beside the host.", linkClaim(1, "sub", 1)),
		broken("email-signs-trusted", "4.chain-email", "An email's certificate of a trusted issuer signs another.", withTrustedIssuers(idp),
			linkPrincipal(1, `{"email":"bob@idp.example"}`), linkClaim(2, "iss", idp)),
		broken("host-rule-offline", "4.chain-host 7.offline-first", "Another host, and an issuer that does not answer.", linkClaim(2, "iss", "host9.example"), silent(idp)),
		failure("middle-of-three", "4.chain-host", "The second of three certificates certifies another host than the third is issued by.", anyReason,
			chained(3), linkPrincipal(2, `{"host":"host9.example"}`)),
		failure("email-in-the-middle", "4.chain-email", "The second of three certificates is an email's.", anyReason,
			chained(3), linkPrincipal(2, `{"email":"bob@host1.example","host":"host2.example"}`)),
		failure("reversed", "4.chain-host 4.chain-signed", "A host's certificate and the user's in the wrong order.", anyReason, chained(2), func(s *scenario) { slices.Reverse(s.chain) }),
	}
}

// chainSignatures has wrong signatures, algorithms and times in chains.
func chainSignatures(alteredSignature func(forge.Alteration) func(forge.Token) forge.Token, two, three edit) []vector {
	by := func(name string) func(forge.Token) forge.Token {
		return func(t forge.Token) forge.Token { t.Key = key(name); return t }
	}
	withAlgorithm := func(alg string) func(forge.Token) forge.Token {
		return func(t forge.Token) forge.Token { t.Alg = alg; return t }
	}
	return []vector{
		invalid("first-flipped", "4.chain-signed", "The first certificate's signature is wrong.", two, link(1, alteredSignature(forge.FlipBit(0)))),
		invalid("last-flipped", "4.chain-signed", "The last certificate's signature is wrong.", two, link(2, alteredSignature(forge.FlipBit(0)))),
		invalid("middle-flipped", "4.chain-signed", "The second of three signatures is wrong.", three, link(2, alteredSignature(forge.FlipBit(0)))),
		invalid("middle-by-other-key", "4.chain-signed", "The third certificate is signed by another key of the same kind.", three, link(3, by("DS128"))),
		failure("last-by-issuer", "4.chain-signed 2.alg-of-key", "The last certificate is signed by the first one's issuer, in place of the host.", algorithm, two, link(2, by("RS256"))),
		invalid("last-by-other-host", "4.chain-signed", "The last certificate is signed by another host's key.", two, link(2, by("RS128-2"))),
		failure("middle-alg", "4.chain-signed 2.alg-of-key", "The second certificate names another algorithm than the first one's key implies.", algorithm, two, link(2, withAlgorithm("RS256"))),
		failure("middle-alg-offline", "4.chain-signed 7.offline-first", "The same, and the issuer does not answer.", algorithm, two, link(2, withAlgorithm("RS256")), silent(idp)),
		failure("middle-alg-unknown", "2.alg-unknown 4.chain-signed", "The third certificate names an unknown algorithm.", algorithm, three, link(3, withAlgorithm("DS1024"))),
		failure("first-weak-key", "2.weak 4.chain-signed", "The host's key is weak.", anyReason, two,
			linkClaim(1, "public-key", key("RS64").Public()), link(2, by("RS64"))),
		failure("first-expired", "1.time-order 4.chain-signed", "The first certificate has expired, and the second is not yet valid.", expired, two,
			linkClaim(1, "exp", now-1), linkClaim(2, "iat", now+1)),
		failure("second-not-yet", "1.time-order 4.chain-signed", "The second certificate is not yet valid, and the assertion has expired.", notYet, two,
			linkClaim(2, "nbf", now+1), assertionClaim("exp", now-1)),
		failure("middle-malformed", "1.form 4.chain-signed", "The second of three certificates is malformed.", anyReason, three,
			parts(func(t []string) []string { t[1] = "!"; return t })),
		undecided("silent", "4.row4 4.chain-signed", "A valid chain, and an issuer that does not answer.", two, silent(idp)),
	}
}
