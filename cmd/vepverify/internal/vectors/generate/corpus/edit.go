package corpus

import (
	"strings"

	"github.com/vepverify/vepverify/cmd/vepverify/internal/vectors"
	"github.com/vepverify/vepverify/cmd/vepverify/internal/vectors/forge"
	"github.com/vepverify/vepverify/devidp/idptest"
	"github.com/vepverify/vepverify/keys"
)

// edit changes a scene: it makes the one fault or variation of a vector, or
// belongs to what it takes to show it.
type edit func(*scene)

// together makes one edit of several.
func together(edits ...edit) edit {
	return func(s *scene) {
		for _, e := range edits {
			e(s)
		}
	}
}

// certificate changes the certificate that certifies the user.
func certificate(change func(forge.Token) forge.Token) edit {
	return func(s *scene) { *s.last() = change(*s.last()) }
}

// assertion changes the assertion proper.
func assertion(change func(forge.Token) forge.Token) edit {
	return func(s *scene) { s.assertion = change(s.assertion) }
}

// certified sets a claim of the certificate, claimed one of the assertion.
func certified(name string, value any) edit {
	return certificate(func(t forge.Token) forge.Token { return t.With(name, value) })
}

func claimed(name string, value any) edit {
	return assertion(func(t forge.Token) forge.Token { return t.With(name, value) })
}

// uncertified takes claims of the certificate away, unclaimed some of the
// assertion.
func uncertified(names ...string) edit {
	return certificate(func(t forge.Token) forge.Token { return t.Without(names...) })
}

func unclaimed(names ...string) edit {
	return assertion(func(t forge.Token) forge.Token { return t.Without(names...) })
}

// certifiedText changes the JSON text of the certificate's claims, claimedText
// that of the assertion's.
func certifiedText(change func(string) string) edit {
	return certificate(func(t forge.Token) forge.Token { return claimsText(t, change) })
}

func claimedText(change func(string) string) edit {
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

// altered changes the assertion's signature, alteredCertificate the
// certificate's.
func altered(a forge.Alteration) edit {
	return assertion(func(t forge.Token) forge.Token { t.Alter = a; return t })
}

func alteredCertificate(a forge.Alteration) edit {
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

// rewritten changes the finished backed assertion.
func rewritten(change func(string) string) edit {
	return func(s *scene) { s.rewrite = change }
}

// userKey gives the user another key, and issuerKey the issuer, whose document
// then has it.
func userKey(k keys.PrivateKey) edit {
	return func(s *scene) {
		s.last().Claims = s.last().With("public-key", k.Public()).Claims
		s.assertion.Key = k
	}
}

func issuerKey(k keys.PrivateKey) edit {
	return together(signedBy(k), func(s *scene) { s.documents[idp] = provider(idp, k).Document() })
}

// signedBy has the first certificate signed by a key.
func signedBy(k keys.PrivateKey) edit {
	return func(s *scene) { s.chain[0].Key = k }
}

// publicKey has the user's key certified in another form, or another key.
func publicKey(k any) edit { return certified("public-key", k) }

// site is the audience, as the relying party writes it; signedFor as the
// assertion does.
func site(audience string) edit { return func(s *scene) { s.audience = audience } }

func signedFor(audience string) edit {
	return together(claimed("aud", audience), answer("audience", audience))
}

// answer sets a member of the answer that is expected; nil: it is absent.
func answer(name string, value any) edit { return func(s *scene) { s.answer[name] = value } }

// expires sets the assertion's exp, and that of the answer.
func expires(at int64) edit { return together(claimed("exp", at), answer("expires", at)) }

func config(change func(*vectors.Config)) edit { return func(s *scene) { change(&s.config) } }

func leeway(milliseconds int64) edit {
	return config(func(c *vectors.Config) { c.Leeway = milliseconds })
}

func maxChain(n int) edit { return config(func(c *vectors.Config) { c.MaxChain = n }) }

func trusting(issuers ...string) edit {
	return config(func(c *vectors.Config) { c.TrustedIssuers = issuers })
}

func fallingBackOn(host string) edit {
	return config(func(c *vectors.Config) { c.Fallback = host })
}

var weakKeys = config(func(c *vectors.Config) { c.InsecureWeakKeys = true })

// document has a host answer with a support document; body with that text, as
// application/json; status with that status and nothing of use.
func document(host string, value any) edit {
	return func(s *scene) { delete(s.responses, host); s.documents[host] = value }
}

func body(host, text string) edit {
	return response(host, vectors.Response{Status: 200, ContentType: "application/json", Body: text})
}

func status(host string, code int) edit {
	return response(host, vectors.Response{Status: code, ContentType: "text/html", Body: "<!DOCTYPE html>"})
}

// silent has hosts answer nothing until the deadline.
func silent(hosts ...string) edit {
	return func(s *scene) {
		for _, host := range hosts {
			response(host, vectors.Response{Timeout: true})(s)
		}
	}
}

func response(host string, r vectors.Response) edit {
	return func(s *scene) { delete(s.documents, host); s.responses[host] = r }
}

// unknown has a host know nothing: it answers 404.
func unknown(host string) edit {
	return func(s *scene) { delete(s.documents, host); delete(s.responses, host) }
}

// issuedBy has another domain issue the certificate, with the second RS256 key,
// which that domain publishes.
func issuedBy(domain string) edit {
	return func(s *scene) {
		k := key("RS256-2")
		s.chain[0] = s.chain[0].With("iss", domain)
		s.chain[0].Key = k
		s.documents[strings.ToLower(domain)] = provider(domain, k).Document()
		s.answer["issuer"] = strings.ToLower(domain)
	}
}

// byFallback has the fallback issue the certificate, for an address whose own
// domain knows nothing.
var byFallback = together(fallingBackOn(fallback), issuedBy(fallback), unknown(idp))

// certifies sets whom the certificate is for, as the verifier should read it.
func certifies(email string) edit {
	return together(certified("principal", idptest.Object{"email": email}), answer("email", email))
}

// good is the document of the identity provider that all vectors begin with.
func good() idptest.Object { return provider(idp).Document() }

func goodText() string { return string(good().JSON()) }
