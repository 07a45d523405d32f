package corpus

import (
	"strings"

	"github.com/vepverify/vepverify/cmd/vepverify/internal/vectors"
	"github.com/vepverify/vepverify/cmd/vepverify/internal/vectors/forge"
	"github.com/vepverify/vepverify/devidp/idptest"
	"github.com/vepverify/vepverify/keys"
)

// edit changes a scenario: it makes the one fault or variation of a vector, or
// belongs to what it takes to show it.
type edit func(*scenario)

// combine makes one edit of several.
func combine(edits ...edit) edit {
	return func(s *scenario) {
		for _, e := range edits {
			e(s)
		}
	}
}

// certificate changes the certificate that certifies the user.
func certificate(change func(forge.Token) forge.Token) edit {
	return func(s *scenario) { *s.last() = change(*s.last()) }
}

// assertion changes the assertion proper.
func assertion(change func(forge.Token) forge.Token) edit {
	return func(s *scenario) { s.assertion = change(s.assertion) }
}

// certificateClaim sets a claim of the certificate, claimed one of the assertion.
func certificateClaim(name string, value any) edit {
	return certificate(func(t forge.Token) forge.Token { return t.With(name, value) })
}

func assertionClaim(name string, value any) edit {
	return assertion(func(t forge.Token) forge.Token { return t.With(name, value) })
}

// withoutCertificateClaims takes claims of the certificate away, unclaimed some of the
// assertion.
func withoutCertificateClaims(names ...string) edit {
	return certificate(func(t forge.Token) forge.Token { return t.Without(names...) })
}

func withoutAssertionClaims(names ...string) edit {
	return assertion(func(t forge.Token) forge.Token { return t.Without(names...) })
}

// certificateText changes the JSON text of the certificate's claims, claimedText
// that of the assertion's.
func certificateText(change func(string) string) edit {
	return certificate(func(t forge.Token) forge.Token { return claimsText(t, change) })
}

func assertionText(change func(string) string) edit {
	return assertion(func(t forge.Token) forge.Token { return claimsText(t, change) })
}

func claimsText(t forge.Token, change func(string) string) forge.Token {
	t.Claims = idptest.Raw(change(string(text(t.Claims))))
	return t
}

// member puts a member, as text, in front of an object's others.
func member(text string) func(string) string {
	return func(object string) string { return "{" + text + "," + strings.TrimPrefix(object, "{") }
}

func prefix(text string) func(string) string {
	return func(object string) string { return text + object }
}

func suffix(text string) func(string) string {
	return func(object string) string { return object + text }
}

// certificateHeader and assertionHeader put another header, as text, in place.
func certificateHeader(header string) edit {
	return certificate(func(t forge.Token) forge.Token { t.Header = idptest.Raw(header); return t })
}

func assertionHeader(header string) edit {
	return assertion(func(t forge.Token) forge.Token { t.Header = idptest.Raw(header); return t })
}

// alteredSignature changes the assertion's signature, alteredCertificate the
// certificate's.
func alteredSignature(a forge.Alteration) edit {
	return assertion(func(t forge.Token) forge.Token { t.Alter = a; return t })
}

func alteredCertificateSignature(a forge.Alteration) edit {
	return certificate(func(t forge.Token) forge.Token { t.Alter = a; return t })
}

// until looks for a token whose signature is as wanted.
func until(wanted func([]byte) bool) func(forge.Token) forge.Token {
	return func(t forge.Token) forge.Token {
		found, err := t.Until(wanted)
		if err != nil {
			panic(err)
		}
		return found
	}
}

// withText changes the finished backed assertion.
func withText(change func(string) string) edit {
	return func(s *scenario) { s.rewrite = change }
}

// userKey gives the user another key, and issuerKey the issuer, whose document
// then has it.
func userKey(k keys.PrivateKey) edit {
	return func(s *scenario) {
		s.last().Claims = s.last().With("public-key", k.Public()).Claims
		s.assertion.Key = k
	}
}

func issuerKey(k keys.PrivateKey) edit {
	return combine(signedBy(k), func(s *scenario) { s.documents[idp] = provider(idp, k).Document() })
}

// signedBy has the first certificate signed by a key.
func signedBy(k keys.PrivateKey) edit {
	return func(s *scenario) { s.chain[0].Key = k }
}

// publicKey has the user's key certified in another form, or another key.
func publicKey(k any) edit { return certificateClaim("public-key", k) }

// acceptedAudience is the audience, as the relying party writes it; signedFor as the
// assertion does.
func acceptedAudience(audience string) edit { return func(s *scenario) { s.audience = audience } }

func signedAudience(audience string) edit {
	return combine(assertionClaim("aud", audience), answer("audience", audience))
}

// answer sets a member of the answer that is expected; nil: it is absent.
func answer(name string, value any) edit { return func(s *scenario) { s.answer[name] = value } }

// expires sets the assertion's exp, and that of the answer.
func expires(at int64) edit { return combine(assertionClaim("exp", at), answer("expires", at)) }

func config(change func(*vectors.Config)) edit { return func(s *scenario) { change(&s.config) } }

func withLeewayOf(milliseconds int64) edit {
	return config(func(c *vectors.Config) { c.Leeway = milliseconds })
}

func withMaxChain(n int) edit { return config(func(c *vectors.Config) { c.MaxChain = n }) }

func withTrustedIssuers(issuers ...string) edit {
	return config(func(c *vectors.Config) { c.TrustedIssuers = issuers })
}

func withFallback(host string) edit {
	return config(func(c *vectors.Config) { c.Fallback = host })
}

var weakKeys = config(func(c *vectors.Config) { c.InsecureWeakKeys = true })

// document has a host answer with a support document; body with that text, as
// application/json; status with that status and nothing of use.
func document(host string, value any) edit {
	return func(s *scenario) { delete(s.responses, host); s.documents[host] = value }
}

func body(host, text string) edit {
	return response(host, vectors.Response{Status: 200, ContentType: "application/json", Body: text})
}

func status(host string, code int) edit {
	return response(host, vectors.Response{Status: code, ContentType: "text/html", Body: "<!DOCTYPE html>"})
}

// silent has hosts answer nothing until the deadline.
func silent(hosts ...string) edit {
	return func(s *scenario) {
		for _, host := range hosts {
			response(host, vectors.Response{Timeout: true})(s)
		}
	}
}

func response(host string, r vectors.Response) edit {
	return func(s *scenario) { delete(s.documents, host); s.responses[host] = r }
}

// notFound has a host know nothing: it answers 404.
func notFound(host string) edit {
	return func(s *scenario) { delete(s.documents, host); delete(s.responses, host) }
}

// issuedBy has another domain issue the certificate, with the second RS256 key,
// which that domain publishes.
func issuedBy(domain string) edit {
	return func(s *scenario) {
		k := key("RS256-2")
		s.chain[0] = s.chain[0].With("iss", domain)
		s.chain[0].Key = k
		s.documents[strings.ToLower(domain)] = provider(domain, k).Document()
		s.answer["issuer"] = strings.ToLower(domain)
	}
}

// byFallback has the fallback issue the certificate, for an address whose own
// domain knows nothing.
var byFallback = combine(withFallback(fallback), issuedBy(fallback), notFound(idp))

// certifiedEmail sets whom the certificate is for, as the verifier should read it.
func certifiedEmail(email string) edit {
	return combine(certificateClaim("principal", idptest.Object{"email": email}), answer("email", email))
}

// validDocument is the document of the identity provider that all vectors begin with.
func validDocument() idptest.Object { return provider(idp).Document() }

func validDocumentText() string { return string(validDocument().JSON()) }
