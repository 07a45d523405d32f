package corpus

import (
	"fmt"
	"net/http"
	"strings"

	"github.com/vepverify/vepverify/cmd/vepverify/internal/vectors"
	"github.com/vepverify/vepverify/devidp/idptest"
)

func authority() []vector {
	trusted := combine(issuedBy(other), withTrustedIssuers(other))
	return []vector{
		okay("row1-other-domain", "4.row1", "A trusted issuer certifies an address of another domain, which supports BrowserID itself.", trusted),
		okay("row1-domain-silent", "4.row1", "The email's own domain is not contacted.", trusted, silent(idp)),
		okay("row1-domain-unknown", "4.row1", "Nor does it need to support anything.", trusted, notFound(idp)),
		okay("row1-one-of-several", "4.row1", "One of several trusted issuers, written in capitals.", issuedBy(other), withTrustedIssuers("a.example", "OTHER.Example")),
		okay("row1-delegates", "4.row1", "A trusted issuer delegates: its delegate's key, its own name.", trusted,
			document(other, idptest.Object{"authority": "keys.example"}), document("keys.example", provider("keys.example", key("RS256-2")).Document())),
		invalid("row1-wrong-key", "4.row1", "A trusted issuer's certificate by a key that is not published.", trusted, signedBy(key("RS256"))),
		undecided("row1-silent", "4.row1 4.row4", "A trusted issuer that does not answer.", trusted, silent(other)),
		undecided("row1-silent-fallback", "4.row1 4.row4", "The same with a fallback, which does not matter here.", trusted, withFallback(fallback), silent(other)),
		failure("row1-unknown", "4.row1", "A trusted issuer without a document.", anyReason, trusted, notFound(other)),
		failure("row1-delegate-dead", "4.row1 4.row5-delegation", "A trusted issuer delegates to a host without a document.", anyReason, trusted,
			document(other, idptest.Object{"authority": "keys.example"})),
		failure("row1-not-the-delegate", "4.row1 4.row2", "The delegate of a trusted issuer is not trusted itself.", untrusted(idp, "keys.example"),
			issuedBy("keys.example"), withTrustedIssuers(other), document(other, idptest.Object{"authority": "keys.example"})),
		failure("row1-not-the-email-domain", "4.row1 4.row2", "Trust is in the issuer, not in the email's domain.", untrusted(idp, other),
			issuedBy(other), withTrustedIssuers(idp)),
		failure("row1-subdomain", "4.row1", "A subdomain of a trusted issuer is another domain.", untrusted(idp, "sub.other.example"),
			issuedBy("sub.other.example"), withTrustedIssuers(other)),
		okay("row1-no-principal", "4.row1-no-email 4.no-email", "No principal at all, from a trusted issuer.", withoutCertificateClaims("principal"), withTrustedIssuers(idp), answer("email", nil)),
		okay("row1-empty-principal", "4.row1-no-email", "An empty principal.", principal(`{}`), withTrustedIssuers(idp), answer("email", nil)),
		okay("row1-principal-text", "4.row1-no-email 4.no-email", "A principal that is not an object counts as absent.", principal(`"alice@idp.example"`), withTrustedIssuers(idp), answer("email", nil)),
		undecided("row1-no-email-silent", "4.row1-no-email 4.row4", "No email, and the trusted issuer does not answer.", withoutCertificateClaims("principal"), withTrustedIssuers(idp), silent(idp)),

		okay("row2", "4.row2", "The email's domain issued the certificate itself."),
		okay("row2-with-fallback", "4.row2", "A fallback is configured, and not needed.", withFallback(fallback), silent(fallback)),
		okay("row2-delegated", "4.row2", "A domain to which the email's domain delegates.", issuedBy(other), document(idp, idptest.Object{"authority": other})),
		failure("row2-other-issuer", "4.row2 6.reasons", "Another domain, with a document of its own.", untrusted(idp, other), issuedBy(other)),
		failure("row2-other-issuer-silent", "4.row2", "Another domain, which is not contacted.", untrusted(idp, other), issuedBy(other), silent(other)),
		failure("row2-fallback-issued", "4.row2", "The fallback, although the domain supports BrowserID.", untrusted(idp, fallback),
			byFallback, document(idp, validDocument())),
		failure("row2-self-although-delegated", "4.row2", "The domain itself, although it delegates.", untrusted(other, idp),
			document(idp, validDocument().With("authority", other)), document(other, provider(other, key("RS256-2")).Document())),
		failure("row2-parent-domain", "4.row2", "The parent of the email's domain.", untrusted("mail.idp.example", idp),
			certifiedEmail("alice@mail.idp.example"), document("mail.idp.example", provider("mail.idp.example").Document())),
		failure("row2-issuer-of-malformed-email-domain", "4.row2", "A domain that begins like the email's.", untrusted(idp, "idp.example.evil.example"),
			issuedBy("idp.example.evil.example")),
	}
}

func row3() []vector {
	table := []vector{
		okay("fallback", "4.row3 4.fallback-keys", "The domain does not support BrowserID, and the fallback issued the certificate.", byFallback),
		okay("fallback-in-capitals", "4.row3 4.domain-case", "The fallback is configured in capitals.", byFallback, withFallback("FALLBACK.example")),
		failure("other-issuer", "4.row3 6.reasons", "Another domain issued the certificate.", untrusted(fallback, other), issuedBy(other), notFound(idp), withFallback(fallback)),
		failure("domain-itself", "4.row3", "The domain itself did, which has no document.", untrusted(fallback, idp), notFound(idp), withFallback(fallback)),
		okay("delegate-of-fallback", "4.row3 4.fallback-delegation", "The fallback delegates, and its delegate issued the certificate.", byDelegate),
		failure("none", "4.row3-none", "No document, and no fallback.", anyReason, notFound(idp)),
		failure("none-other-issuer", "4.row3-none", "No document, no fallback, and another issuer.", anyReason, issuedBy(other), notFound(idp)),
		failure("no-default-fallback", "4.row3-none", "The former public fallback is not a default.", anyReason, issuedBy("login.persona.org"), notFound(idp)),
		failure("fallback-unknown", "4.fallback-keys", "The fallback has no document.", anyReason, byFallback, notFound(fallback)),
		failure("fallback-disabled", "4.fallback-keys", "The fallback opts out itself.", anyReason, byFallback, document(fallback, idptest.Object{"disabled": true})),
		undecided("fallback-silent", "4.fallback-keys 6.undecided", "The fallback does not answer.", byFallback, silent(fallback)),
		undecided("fallback-503", "4.fallback-keys", "The fallback is overloaded.", byFallback, status(fallback, 503)),
		invalid("fallback-other-key", "4.fallback-keys", "A key that the fallback does not publish signed.", byFallback, signedBy(key("RS256"))),
		invalid("fallback-domain-key", "4.fallback-keys", "A key of the email's domain signed, in a document that is disabled.", byFallback,
			document(idp, validDocument().With("disabled", true)), signedBy(key("RS256"))),
	}
	for _, code := range []int{201, 202, 203, 204, 206, 301, 302, 303, 304, 307, 308, 400, 401, 403, 404, 405, 410, 418, 451} {
		table = append(table, okay(fmt.Sprint("status-", code), "4.row3-answers",
			fmt.Sprintf("Status %d (%s): the domain does not support BrowserID, and the fallback is used.", code, http.StatusText(code)), byFallback, status(idp, code)))
	}
	table = append(table, delegatesOfFallback()...)
	return append(table,
		failure("status-404-no-fallback", "4.row3-answers 4.row3-none", "Status 404, and no fallback.", anyReason, status(idp, 404)),
		failure("status-302-no-fallback", "4.row3-answers 4.row3-none", "Status 302, and no fallback.", anyReason, status(idp, 302)))
}

// byDelegate makes other the issuer, to which the fallback delegates, for an address whose
// domain does not support BrowserID.
var byDelegate = combine(withFallback(fallback), notFound(idp), issuedBy(other), document(fallback, idptest.Object{"authority": other}))

func delegatesOfFallback() []vector {
	to := func(target string) edit { return document(fallback, idptest.Object{"authority": target}) }
	good := func(name, comment string, edits ...edit) vector {
		return okay("delegate-of-fallback-"+name, "4.fallback-delegation", comment, append([]edit{byDelegate}, edits...)...)
	}
	bad := func(name, comment, reason string, edits ...edit) vector {
		return failure("delegate-of-fallback-"+name, "4.fallback-delegation", comment, reason, append([]edit{byDelegate}, edits...)...)
	}
	later := func(name, comment string, edits ...edit) vector {
		return undecided("delegate-of-fallback-"+name, "4.fallback-delegation 4.fallback-keys", comment, append([]edit{byDelegate}, edits...)...)
	}
	// fallbackHops makes the fallback delegate by n hops, the last of which is the issuer.
	fallbackHops := func(n int) edit {
		return combine(issuedBy(hop(n)), delegating(append([]string{fallback}, hops(n)[1:]...)...))
	}
	return []vector{
		good("in-capitals", "The delegate in capitals.", to("OTHER.Example")),
		good("most", "Five delegations.", fallbackHops(5)),
		good("domain-delegates-to-fallback", "The domain delegates to the fallback, which delegates: row 2.", document(idp, idptest.Object{"authority": fallback})),
		good("domain-disabled", "The domain opts out.", document(idp, idptest.Object{"disabled": true})),
		bad("by-fallback", "The fallback issued the certificate, although it delegates.", untrusted(other, fallback),
			issuedBy(fallback), to(other)),
		bad("by-domain", "The domain itself issued the certificate.", untrusted(other, idp), issuedBy(idp), notFound(idp)),
		bad("by-another", "Another domain with a document of its own issued the certificate.", untrusted(other, "third.example"), issuedBy("third.example")),
		bad("by-the-middle", "The first of two delegates issued the certificate.", untrusted(hop(2), hop(1)), fallbackHops(2), issuedBy(hop(1)),
			document(hop(1), idptest.Object{"authority": hop(2)})),
		bad("other-key", "A key that the delegate does not publish signed.", badSignature, signedBy(key("RS256"))),
		bad("fallback-key", "A key in the fallback's document signed, which delegates.", badSignature, signedBy(key("RS256")),
			document(fallback, provider(fallback).Document().With("authority", other))),
		bad("domain-supports", "The domain supports BrowserID itself: the fallback is not asked.", untrusted(idp, other), document(idp, validDocument())),
		bad("incomplete", "The delegate's document lacks its pages, which only the fallback's may.", anyReason,
			document(other, provider(other, key("RS256-2")).Document().Without("authentication", "provisioning"))),
		bad("too-many", "Six delegations.", anyReason, fallbackHops(6)),
		bad("too-large", "A delegation in a document of 4097 bytes.", anyReason, body(fallback, delegationOf(4097))),
		bad("dead", "The delegate has no document.", anyReason, notFound(other)),
		bad("disabled", "The delegate opts out.", anyReason, document(other, idptest.Object{"disabled": true})),
		bad("itself", "The fallback delegates to itself.", anyReason, issuedBy(fallback), to(fallback)),
		bad("circle", "The delegate delegates to the fallback.", anyReason, document(other, idptest.Object{"authority": fallback})),
		bad("to-domain", "The delegate is the email's domain, which does not support BrowserID.", anyReason, issuedBy(idp), notFound(idp), to(idp)),
		bad("domain-nowhere", "The domain delegates to a dead host: row 5.", anyReason, document(idp, idptest.Object{"authority": "dead.example"})),
		later("silent", "The delegate does not answer.", silent(other)),
		later("503", "The delegate is overloaded.", status(other, 503)),
		later("fallback-silent", "The fallback does not answer, so that its delegate is not known.", silent(fallback)),
		later("domain-silent", "The domain does not answer: row 4.", silent(idp)),
	}
}

func rows4and5() []vector {
	var table []vector
	for _, code := range []int{408, 425, 429, 500, 501, 502, 503, 504, 507, 511, 599} {
		table = append(table, undecided(fmt.Sprint("status-", code), "4.row4",
			strings.TrimSpace(fmt.Sprintf("Status %d, with a fallback that would accept it: undecided. %s", code, http.StatusText(code))), byFallback, status(idp, code)))
	}
	// White space fills a document up to any size.
	padded := func(size int) string { return validDocumentText() + strings.Repeat(" ", size-len(validDocumentText())) }
	return append(table,
		undecided("timeout", "4.row4", "The domain does not answer, with a fallback that would accept it.", byFallback, silent(idp)),
		undecided("timeout-no-fallback", "4.row4", "The domain does not answer, and there is no fallback.", silent(idp)),
		undecided("status-503-no-fallback", "4.row4", "Status 503, and there is no fallback.", status(idp, 503)),
		undecided("timeout-other-issuer", "4.row4", "The domain does not answer, so that the expected issuer is not known.", issuedBy(other), silent(idp)),
		undecided("status-500-json", "4.row4", "Status 500 with a document that opts out.", byFallback,
			response(idp, vectors.Response{Status: 500, ContentType: "application/json", Body: `{"disabled":true}`})),

		okay("body-largest", "4.row5-limit 8.body", "A body of 65536 bytes, the most there may be.", body(idp, padded(65536))),
		failure("body-too-large", "4.row5-limit 8.body", "A body of 65537 bytes.", anyReason, body(idp, padded(65537))),
		failure("body-too-large-fallback", "4.row5-limit", "The same with a fallback, which is not used.", anyReason, byFallback, body(idp, padded(65537))),
		failure("body-too-large-disabled", "4.row5-limit", "It would opt out, were it not too large.", anyReason, byFallback,
			body(idp, `{"disabled":true}`+strings.Repeat(" ", 65536))),
	)
}

// delegating makes each host delegate to the next.
func delegating(hosts ...string) edit {
	return func(s *scenario) {
		for i := range len(hosts) - 1 {
			document(hosts[i], idptest.Object{"authority": hosts[i+1]})(s)
		}
	}
}

// hop returns the name of the nth host of a delegation.
func hop(n int) string { return fmt.Sprintf("hop%d.example", n) }

// hops returns the email's domain and the first n hosts of a delegation.
func hops(n int) []string {
	list := []string{idp}
	for i := range n {
		list = append(list, hop(i+1))
	}
	return list
}

// delegationOf returns a document of size bytes that delegates to other.
func delegationOf(size int) string {
	text := `{"authority":"` + other + `"}`
	return text + strings.Repeat(" ", size-len(text))
}

func delegation() []vector {
	to := func(target any) edit { return document(idp, idptest.Object{"authority": target}) }
	nowhere := func(name, comment string, edits ...edit) vector {
		return failure("nowhere-"+name, "4.row5-delegation", comment, anyReason, append([]edit{byFallback}, edits...)...)
	}
	later := func(name, comment string, edits ...edit) vector {
		return undecided("unavailable-"+name, "4.row5-delegation 4.row4", comment, append([]edit{byFallback}, edits...)...)
	}
	malformed := func(name, comment string, target any) vector {
		return malformedDocument("malformed-"+name, "3.authority-form", comment, validDocument().With("authority", target))
	}
	return []vector{
		okay("one", "3.authority", "One delegation.", issuedBy(other), to(other)),
		okay("two", "3.authority", "Two delegations.", issuedBy(hop(2)), delegating(hops(2)...)),
		okay("in-capitals", "3.authority 4.domain-case", "The host in capitals.", issuedBy(other), to("OTHER.Example")),
		okay("with-port", "3.authority 4.domain-dev", "The host with a port.", issuedBy("other.example:8443"), to("other.example:8443")),
		failure("middle", "3.authority 4.row2", "The host in the middle issued the certificate.", untrusted(hop(2), hop(1)), issuedBy(hop(1)), delegating(hops(2)...),
			document(hop(2), provider(hop(2)).Document())),
		okay("most", "3.authority-max", "Five delegations.", issuedBy(hop(5)), delegating(hops(5)...)),
		failure("too-many", "3.authority-max 4.row5-delegation", "Six delegations.", anyReason, issuedBy(hop(6)), delegating(hops(6)...)),
		failure("too-many-fallback", "3.authority-max 4.row5-delegation", "Six delegations, with a fallback that would accept it.", anyReason, byFallback, delegating(hops(6)...),
			document(hop(6), provider(hop(6)).Document())),

		okay("largest", "3.authority-size", "A delegation in a document of 4096 bytes.", issuedBy(other), body(idp, delegationOf(4096))),
		failure("too-large", "3.authority-size 4.row5-limit", "A delegation in a document of 4097 bytes, with a fallback that would accept it.", anyReason, byFallback, body(idp, delegationOf(4097))),

		malformed("url", "A URL in place of a host.", "https://other.example"),
		malformed("empty", "An empty host.", ""),
		malformed("null", "authority is null.", nil),
		malformed("false", "authority is false.", false),
		malformed("array", "authority is an array.", []string{other}),
		malformed("path", "A host with a path.", "other.example/x"),
		malformed("trailing-dot", "A host that ends in a dot.", "other.example."),
		malformed("user-info", "A host with user info.", "x@other.example"),
		malformed("port", "A host with a port out of range.", "other.example:70000"),
		malformed("unicode", "A host in Unicode.", "öther.example"),
		malformed("ipv6", "An IPv6 address.", "[2001:db8::1]"),
		malformed("254-bytes", "A host of 254 bytes.", longDomain(254)),
		refusedDocument("malformed-no-fallback", "3.authority-form", "A URL, and no fallback.", validDocument().With("authority", "https://other.example")),

		nowhere("dead", "The delegate has no document.", to(other)),
		nowhere("disabled", "The delegate opts out.", to(other), document(other, idptest.Object{"disabled": true})),
		nowhere("malformed", "The delegate's document is malformed.", to(other), document(other, idptest.Object{})),
		nowhere("malformed-authority", "The delegate delegates to a URL.", to(other), document(other, idptest.Object{"authority": "https://x.example"})),
		nowhere("redirect", "The delegate redirects.", to(other), status(other, 301)),
		nowhere("html", "The delegate answers with a page.", to(other), status(other, 200)),
		nowhere("too-large", "The delegate's body is too large.", to(other), body(other, strings.Repeat(" ", 65537))),
		nowhere("itself", "The domain delegates to itself.", to(idp)),
		nowhere("itself-in-capitals", "The domain delegates to itself in capitals.", to("IDP.example")),
		nowhere("circle", "Two hosts delegate to each other.", delegating(idp, other, idp)),
		nowhere("circle-later", "A circle that begins after the first host.", delegating(idp, hop(1), hop(2), hop(1))),
		failure("nowhere-no-fallback", "4.row5-delegation", "The delegate has no document, and there is no fallback.", anyReason, to(other)),
		failure("nowhere-last-of-two", "4.row5-delegation", "The second delegate has no document.", anyReason, byFallback, delegating(idp, hop(1), hop(2))),

		later("silent", "The delegate does not answer.", to(other), silent(other)),
		later("500", "The delegate has an error.", to(other), status(other, 500)),
		later("429", "The delegate has received too many requests.", to(other), status(other, 429)),
		later("second", "The second delegate does not answer.", delegating(idp, hop(1), hop(2)), silent(hop(2))),
	}
}
