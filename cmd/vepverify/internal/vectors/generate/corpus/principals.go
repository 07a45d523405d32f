package corpus

import (
	"strings"

	"github.com/vepverify/vepverify/devidp/idptest"
)

func principals() []vector {
	none := func(name, comment string, edits ...edit) vector {
		return failure("none-"+name, "4.no-email 6.reasons", comment, noEmail, edits...)
	}
	trusted := func(name, comment, text string, edits ...edit) vector {
		return failure("trusted-"+name, "4.trusted-malformed", comment, anyReason, append([]edit{principal(text), withTrustedIssuers(idp)}, edits...)...)
	}
	return []vector{
		okay("email", "1.cert-principal", "The email in principal."),
		okay("sub", "1.cert-principal 4.email-or-sub", "The email in sub, and no principal.", withoutCertificateClaims("principal"), certificateClaim("sub", alice)),
		okay("sub-beside-principal", "1.cert-principal 4.email-or-sub", "The email in sub, and no email in principal.", principal(`{}`), certificateClaim("sub", alice)),
		okay("email-and-sub", "4.email-or-sub", "Both, of which principal.email counts.", certificateClaim("sub", "bob@other.example")),
		okay("email-and-malformed-sub", "4.email-or-sub", "sub is malformed, and not looked at.", certificateClaim("sub", 5)),
		failure("malformed-email-and-sub", "4.email-or-sub", "principal.email is malformed: sub does not rescue it.", noEmail,
			principal(`{"email":"alice"}`), certificateClaim("sub", alice)),
		failure("null-email-and-sub", "4.email-or-sub", "principal.email is null: sub does not rescue it.", noEmail,
			principal(`{"email":null}`), certificateClaim("sub", alice)),

		none("missing", "No principal and no sub.", withoutCertificateClaims("principal")),
		none("empty-principal", "An empty principal.", principal(`{}`)),
		none("host", "A host, and no email.", principal(`{"host":"idp.example"}`)),
		none("principal-text", "principal is the address itself.", principal(`"alice@idp.example"`)),
		none("principal-null", "principal is null.", principal(`null`)),
		none("principal-array", "principal is an array.", principal(`[{"email":"alice@idp.example"}]`)),
		none("principal-text-and-sub", "principal is not an object: sub is not used.", principal(`"x"`), certificateClaim("sub", alice)),
		none("principal-number-and-sub", "principal is a number: sub is not looked at.", principal(`5`), certificateClaim("sub", alice)),
		none("email-number", "The email is a number.", principal(`{"email":5}`)),
		none("email-array", "The email is in an array.", principal(`{"email":["alice@idp.example"]}`)),
		none("email-empty", "The email is empty.", principal(`{"email":""}`)),
		none("email-in-capitals", "EMAIL in place of email.", principal(`{"EMAIL":"alice@idp.example"}`)),
		none("sub-malformed", "sub is malformed.", withoutCertificateClaims("principal"), certificateClaim("sub", "alice")),
		none("sub-null", "sub is null.", withoutCertificateClaims("principal"), certificateClaim("sub", nil)),
		failure("none-offline", "4.no-email 7.offline-first", "No email, and an issuer that does not answer.", noEmail, withoutCertificateClaims("principal"), silent(idp)),
		failure("none-other-issuer-trusted", "4.no-email", "Another issuer than the trusted one certifies no address.", noEmail, withoutCertificateClaims("principal"), withTrustedIssuers(other)),

		trusted("malformed", "A trusted issuer and an email without @.", `{"email":"alice"}`),
		trusted("two-ats", "A trusted issuer and an email with two @.", `{"email":"a@b@idp.example"}`),
		trusted("null", "A trusted issuer and an email that is null.", `{"email":null}`),
		trusted("empty", "A trusted issuer and an empty email.", `{"email":""}`),
		trusted("malformed-and-sub", "A trusted issuer, a malformed email, and a valid sub.", `{"email":"alice"}`, certificateClaim("sub", alice)),
		failure("trusted-malformed-sub", "4.trusted-malformed", "A trusted issuer and a malformed sub.", anyReason, withoutCertificateClaims("principal"), certificateClaim("sub", "alice"), withTrustedIssuers(idp)),
		failure("trusted-malformed-offline", "4.trusted-malformed 7.offline-first", "The same, and it does not answer.", anyReason,
			principal(`{"email":"alice"}`), withTrustedIssuers(idp), silent(idp)),
	}
}

func emails() []vector {
	bad := func(name, comment, email string) vector {
		return failure("bad-"+name, "4.email", comment, noEmail, certificateClaim("principal", idptest.Object{"email": email}))
	}
	badDomain := func(name, comment, domain string) vector {
		return failure("bad-domain-"+name, "4.email 4.domain", comment, noEmail, certificateClaim("principal", idptest.Object{"email": "alice@" + domain}))
	}
	// ofSize returns an address of size bytes.
	ofSize := func(size int) string { return strings.Repeat("a", size-len("@"+idp)) + "@" + idp }
	return []vector{
		okay("all-characters", "4.email", "Every character that is allowed in a local part.",
			certifiedEmail("azAZ09!#$%&'*+/=?^_`{|}~.-@idp.example")),
		okay("dots", "4.email", "Dots in unusual places of the local part.", certifiedEmail("..a..@idp.example")),
		okay("shortest", "4.email", "Three bytes.", certifiedEmail("a@b"), certificateClaim("iss", "b"), document("b", validDocument()), answer("issuer", "b")),
		okay("254-bytes", "4.email", "254 bytes.", certifiedEmail(ofSize(254))),
		bad("255-bytes", "255 bytes.", ofSize(255)),
		bad("no-at", "No @.", "alice.idp.example"),
		bad("two-ats", "Two @.", "alice@x@idp.example"),
		bad("empty-local-part", "Nothing before the @.", "@idp.example"),
		bad("empty-domain", "Nothing after the @.", "alice@"),
		bad("at-only", "Only an @.", "@"),
		bad("quoted", "A quoted local part.", `"alice"@idp.example`),
		bad("space", "A space in the local part.", "al ice@idp.example"),
		bad("space-before", "A space before it.", " alice@idp.example"),
		bad("line-feed-behind", "A line feed after it.", "alice@idp.example\n"),
		bad("nul", "A NUL character.", "alice\x00@idp.example"),
		bad("comma", "A comma.", "alice,bob@idp.example"),
		bad("semicolon", "A semicolon.", "alice;@idp.example"),
		bad("parentheses", "A comment in parentheses.", "alice(x)@idp.example"),
		bad("angle-brackets", "A display name.", "Alice <alice@idp.example>"),
		bad("backslash", "A backslash.", `al\ice@idp.example`),
		bad("colon", "A scheme.", "mailto:alice@idp.example"),
		bad("unicode", "A letter that is not ASCII.", "älice@idp.example"),
		bad("full-width-at", "An @ that is not ASCII.", "alice＠idp.example"),
		badDomain("unicode", "A domain in Unicode.", "idp.exämple"),
		badDomain("trailing-dot", "A domain that ends in a dot.", "idp.example."),
		badDomain("leading-dot", "A domain that begins with a dot.", ".idp.example"),
		badDomain("empty-label", "A domain with an empty label.", "idp..example"),
		badDomain("slash", "A slash after the domain.", "idp.example/"),
		badDomain("query", "A question mark after it.", "idp.example?x"),
		badDomain("hash", "A hash sign after it.", "idp.example#x"),
		badDomain("space", "A space after it.", "idp.example "),
		badDomain("brackets", "An address in brackets.", "[127.0.0.1]"),
		badDomain("percent", "A percent sign.", "idp%2eexample"),
		failure("bad-domain-port", "4.email 4.domain-dev", "A port out of range.", noEmail, certificateClaim("principal", idptest.Object{"email": "alice@idp.example:65536"})),
		failure("bad-domain-port-leading-zero", "4.email 4.domain-dev", "A port with a leading zero.", noEmail,
			certificateClaim("principal", idptest.Object{"email": "alice@idp.example:0443"})),
		failure("bad-offline", "4.email 7.offline-first", "Two @, and an issuer that does not answer.", noEmail,
			certificateClaim("principal", idptest.Object{"email": "alice@x@idp.example"}), silent(idp)),

		okay("domain-in-capitals", "4.email-case 4.domain-case", "The domain in capitals is reported in lower case.",
			certificateClaim("principal", idptest.Object{"email": "alice@IDP.Example"})),
		okay("local-part-in-capitals", "4.email-case", "The local part keeps its case.", certifiedEmail("Alice.LIDDELL@idp.example")),
		okay("sub-in-capitals", "4.email-case 4.email-or-sub", "The same for sub.", withoutCertificateClaims("principal"), certificateClaim("sub", "ALICE@IDP.EXAMPLE"),
			answer("email", "ALICE@idp.example")),
		okay("digits-as-domain", "4.domain", "A domain whose labels are digits and hyphens.", certifiedEmail("alice@1-2.3-4.example"), issuedBy("1-2.3-4.example")),
	}
}
