package corpus

import (
	"strings"

	"github.com/vepverify/vepverify/cmd/vepverify/internal/vectors"
	"github.com/vepverify/vepverify/cmd/vepverify/internal/vectors/forge"
	"github.com/vepverify/vepverify/devidp/idptest"
	"github.com/vepverify/vepverify/keys"
)

// edit changes a scenario. One edit of a vector is its fault or variation; the others
// prepare for it.
type edit func(*scenario)

// combine returns an edit that makes several edits in order.
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

// assertion changes the identity assertion.
func assertion(change func(forge.Token) forge.Token) edit {
	return func(s *scenario) { s.assertion = change(s.assertion) }
}

// certificateClaim sets a claim of the certificate.
func certificateClaim(name string, value any) edit {
	return certificate(func(t forge.Token) forge.Token { return t.With(name, value) })
}

// assertionClaim sets a claim of the assertion.
func assertionClaim(name string, value any) edit {
	return assertion(func(t forge.Token) forge.Token { return t.With(name, value) })
}

// withoutCertificateClaims removes claims of the certificate.
func withoutCertificateClaims(names ...string) edit {
	return certificate(func(t forge.Token) forge.Token { return t.Without(names...) })
}

// withoutAssertionClaims removes claims of the assertion.
func withoutAssertionClaims(names ...string) edit {
	return assertion(func(t forge.Token) forge.Token { return t.Without(names...) })
}

// certificateText changes the JSON text of the certificate's claims.
func certificateText(change func(string) string) edit {
	return certificate(func(t forge.Token) forge.Token { return claimsText(t, change) })
}

// assertionText changes the JSON text of the assertion's claims.
func assertionText(change func(string) string) edit {
	return assertion(func(t forge.Token) forge.Token { return claimsText(t, change) })
}

func claimsText(t forge.Token, change func(string) string) forge.Token {
	t.Claims = idptest.Raw(change(string(text(t.Claims))))
	return t
}

// member inserts a member, as text, before an object's others.
func member(text string) func(string) string {
	return func(object string) string { return "{" + text + "," + strings.TrimPrefix(object, "{") }
}

func prefix(text string) func(string) string {
	return func(object string) string { return text + object }
}

func suffix(text string) func(string) string {
	return func(object string) string { return object + text }
}

// certificateHeader replaces the header of the certificate by a text.
func certificateHeader(header string) edit {
	return certificate(func(t forge.Token) forge.Token { t.Header = idptest.Raw(header); return t })
}

// assertionHeader replaces the header of the assertion by a text.
func assertionHeader(header string) edit {
	return assertion(func(t forge.Token) forge.Token { t.Header = idptest.Raw(header); return t })
}

// alteredSignature changes the assertion's signature.
func alteredSignature(a forge.Alteration) edit {
	return assertion(func(t forge.Token) forge.Token { t.Alter = a; return t })
}

// alteredCertificateSignature changes the certificate's signature.
func alteredCertificateSignature(a forge.Alteration) edit {
	return certificate(func(t forge.Token) forge.Token { t.Alter = a; return t })
}

// until changes a token so that wanted reports true of its signature.
func until(wanted func([]byte) bool) func(forge.Token) forge.Token {
	return func(t forge.Token) forge.Token {
		found, err := t.Until(wanted)
		if err != nil {
			panic(err)
		}
		return found
	}
}

// withText changes the complete backed assertion.
func withText(change func(string) string) edit {
	return func(s *scenario) { s.rewrite = change }
}

// userKey replaces the user's key.
func userKey(k keys.PrivateKey) edit {
	return func(s *scenario) {
		s.last().Claims = s.last().With("public-key", k.Public()).Claims
		s.assertion.Key = k
	}
}

// issuerKey replaces the issuer's key, also in its document.
func issuerKey(k keys.PrivateKey) edit {
	return combine(signedBy(k), func(s *scenario) { s.documents[idp] = provider(idp, k).Document() })
}

// signedBy signs the first certificate with a key.
func signedBy(k keys.PrivateKey) edit {
	return func(s *scenario) { s.chain[0].Key = k }
}

// publicKey certifies the user's key in another form, or another key.
func publicKey(k any) edit { return certificateClaim("public-key", k) }

// acceptedAudience sets the audience of the relying party.
func acceptedAudience(audience string) edit { return func(s *scenario) { s.audience = audience } }

// signedAudience sets the audience of the assertion.
func signedAudience(audience string) edit {
	return combine(assertionClaim("aud", audience), answer("audience", audience))
}

// answer sets a member of the expected answer. Nil means that it is absent.
func answer(name string, value any) edit { return func(s *scenario) { s.answer[name] = value } }

// expires sets the exp of the assertion and of the answer.
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

// document makes a host answer with a support document.
func document(host string, value any) edit {
	return func(s *scenario) { delete(s.responses, host); s.documents[host] = value }
}

// body makes a host answer 200 with a text as application/json.
func body(host, text string) edit {
	return response(host, vectors.Response{Status: 200, ContentType: "application/json", Body: text})
}

// status makes a host answer with a status and an HTML page.
func status(host string, code int) edit {
	return response(host, vectors.Response{Status: code, ContentType: "text/html", Body: "<!DOCTYPE html>"})
}

// silent makes hosts time out.
func silent(hosts ...string) edit {
	return func(s *scenario) {
		for _, host := range hosts {
			response(host, vectors.Response{Timeout: true})(s)
		}
	}
}

// response makes a host answer with a response.
func response(host string, r vectors.Response) edit {
	return func(s *scenario) { delete(s.documents, host); s.responses[host] = r }
}

// notFound makes a host answer 404.
func notFound(host string) edit {
	return func(s *scenario) { delete(s.documents, host); delete(s.responses, host) }
}

// issuedBy makes another domain the issuer. It signs the certificate with the second
// RS256 key, which it publishes.
func issuedBy(domain string) edit {
	return func(s *scenario) {
		k := key("RS256-2")
		s.chain[0] = s.chain[0].With("iss", domain)
		s.chain[0].Key = k
		s.documents[strings.ToLower(domain)] = provider(domain, k).Document()
		s.answer["issuer"] = strings.ToLower(domain)
	}
}

// byFallback makes the fallback the issuer, for an address whose domain does not support
// BrowserID.
var byFallback = combine(withFallback(fallback), issuedBy(fallback), notFound(idp))

// certifiedEmail sets the address in the certificate and in the answer.
func certifiedEmail(email string) edit {
	return combine(certificateClaim("principal", idptest.Object{"email": email}), answer("email", email))
}

// validDocument returns the document of the identity provider in the valid scenario.
func validDocument() idptest.Object { return provider(idp).Document() }

func validDocumentText() string { return string(validDocument().JSON()) }
