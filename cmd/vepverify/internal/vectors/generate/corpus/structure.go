package corpus

import (
	"strings"

	"github.com/vepverify/vepverify/cmd/vepverify/internal/vectors/forge"
)

// replaced replaces the backed assertion by a text.
func replaced(text string) edit { return withText(func(string) string { return text }) }

// parts changes the tokens of the complete backed assertion.
func parts(change func(tokens []string) []string) edit {
	return withText(func(backed string) string {
		return strings.Join(change(strings.Split(backed, "~")), "~")
	})
}

// dropSegment removes the last segment of a token.
func dropSegment(token string) string { return token[:strings.LastIndexByte(token, '.')] }

func structure() []vector {
	first := func(change func(string) string) edit {
		return parts(func(t []string) []string { t[0] = change(t[0]); return t })
	}
	last := func(change func(string) string) edit {
		return parts(func(t []string) []string { t[1] = change(t[1]); return t })
	}
	return []vector{
		okay("good", "1.form 6.okay 6.members", "A backed assertion without a fault."),
		failure("line-break-behind", "1.form", "A line feed after the assertion is part of it.", anyReason, withText(suffix("\n"))),
		failure("crlf-behind", "1.form", "So are a carriage return and a line feed.", anyReason, withText(suffix("\r\n"))),
		failure("space-before", "1.form", "A space before the first certificate.", anyReason, withText(prefix(" "))),
		failure("space-at-tilde", "1.form", "A space after the tilde.", anyReason, parts(func(t []string) []string { t[1] = " " + t[1]; return t })),
		failure("empty-certificate", "1.form", "Nothing before the tilde.", anyReason, first(func(string) string { return "" })),
		failure("empty-assertion", "1.form", "Nothing after the tilde.", anyReason, last(func(string) string { return "" })),
		failure("certificate-two-segments", "1.form", "A certificate without its signature segment.", anyReason, first(dropSegment)),
		failure("certificate-four-segments", "1.form", "A certificate with a fourth segment.", anyReason, first(suffix(".AAAA"))),
		failure("assertion-two-segments", "1.form", "An assertion without its signature segment.", anyReason, last(dropSegment)),
		failure("assertion-four-segments", "1.form", "An assertion with a fourth segment.", anyReason, last(suffix(".AAAA"))),
		failure("assertion-five-segments", "1.form", "Five segments, as an encrypted JWE has.", anyReason, last(suffix(".AAAA.AAAA"))),
		failure("dots-only", "1.form", "Tokens whose segments are all empty.", anyReason, replaced("..~..")),
		failure("tilde-only", "1.form", "Two empty tokens.", anyReason, replaced("~")),
		failure("tilde-behind", "1.form", "A tilde after the assertion makes it a certificate; two are allowed here.", anyReason,
			withMaxChain(2), withText(suffix("~"))),
		failure("json-serialization", "1.form 1.count", "The assertion in JWS JSON serialization.", noCertificate,
			replaced(`{"payload":"e30","protected":"eyJhbGciOiJSUzI1NiJ9","signature":"AAAA"}`)),

		okay("largest", "1.size", "Exactly 32768 bytes.", withSize(32768)),
		failure("too-large", "1.size", "One byte more: 32769.", anyReason, withSize(32769)),
		failure("too-large-offline", "1.size 7.offline-first", "Too large, and its issuer does not answer: it need not be contacted.", anyReason,
			withSize(32769), silent(idp)),

		failure("no-certificate", "1.count 6.reasons", "An assertion without any certificate.", noCertificate,
			parts(func(t []string) []string { return t[1:] })),
		failure("empty-text", "1.count", "No text at all has no certificates.", noCertificate, replaced("")),
		failure("no-certificate-garbage", "1.count 7.order", "Certificates are counted before anything is decoded.", noCertificate, replaced("!")),
		failure("two-certificates", "1.count 6.reasons", "Two certificates, where one is allowed unless configured.", chaining,
			parts(func(t []string) []string { return []string{t[0], t[0], t[1]} })),
		failure("two-garbage-certificates", "1.count 7.order", "Too many certificates, which cannot be decoded.", chaining, replaced("!~!~!")),
		failure("tilde-behind-by-default", "1.count 1.form", "A tilde after the assertion: two certificates, one allowed.", chaining,
			withText(suffix("~"))),
	}
}

// withSize extends the backed assertion to exactly size bytes with claims jti, which are
// never reported.
func withSize(size int) edit {
	return func(s *scenario) {
		for spare := range 4 {
			certificateClaim("jti", strings.Repeat("x", spare))(s)
			assertionClaim("jti", "")(s)
			missing := size - len(s.backed())
			assertionClaim("jti", strings.Repeat("x", missing*3/4))(s)
			if len(s.backed()) == size {
				return
			}
		}
		panic("corpus: no such size")
	}
}

// segmentPart is one of the six segments of a backed assertion.
type segmentPart struct {
	name string
	on   func(change func(forge.Token) forge.Token) edit // the token
	put  func(forge.Token, forge.Encoding) forge.Token
	fill func(t forge.Token, filler string) forge.Token // changes the content
}

func segments() []segmentPart {
	header := func(t forge.Token, e forge.Encoding) forge.Token { t.HeaderEncoding = e; return t }
	claims := func(t forge.Token, e forge.Encoding) forge.Token { t.ClaimsEncoding = e; return t }
	signature := func(t forge.Token, e forge.Encoding) forge.Token { t.SignatureEncoding = e; return t }
	kid := func(t forge.Token, filler string) forge.Token { return t.WithHeader("kid", filler) }
	jti := func(t forge.Token, filler string) forge.Token { return t.With("jti", filler) }
	return []segmentPart{
		{"certificate-header", certificate, header, kid},
		{"certificate-claims", certificate, claims, jti},
		{"certificate-signature", certificate, signature, jti},
		{"assertion-header", assertion, header, kid},
		{"assertion-claims", assertion, claims, jti},
		{"assertion-signature", assertion, signature, jti},
	}
}

// encoded encodes the segment with e. It chooses content for which the result differs
// from base64url.
func (p segmentPart) encoded(e forge.Encoding) edit {
	return p.on(func(t forge.Token) forge.Token {
		for n := range 100 {
			candidate := p.put(p.fill(t, strings.Repeat("?", n)), e)
			if _, err := candidate.Encode(); err == nil {
				return candidate
			}
		}
		panic("corpus: an encoding without effect")
	})
}

func base64Cases() []vector {
	ways := []struct {
		name, comment string
		encoding      forge.Encoding
	}{
		{"padded", "Padding after the segment; it is signed so.", forge.Padded},
		{"standard-alphabet", "'+' or '/' of the standard alphabet; it is signed so.", forge.StandardAlphabet},
		{"unused-bits", "Unused bits of the last character are set.", forge.LooseBits},
		{"line-feed", "A line feed inside the segment.", forge.Insert(7, "\n")},
	}
	var table []vector
	for _, p := range segments() {
		for _, w := range ways {
			table = append(table, failure(p.name+"-"+w.name, "1.base64", w.comment, anyReason, p.encoded(w.encoding)))
		}
	}
	at := segments()
	return append(table,
		failure("carriage-return", "1.base64", "A carriage return inside the certificate's claims.", anyReason, at[1].encoded(forge.Insert(7, "\r"))),
		failure("space", "1.base64", "A space inside the assertion's claims.", anyReason, at[4].encoded(forge.Insert(7, " "))),
		failure("line-feed-behind-segment", "1.base64", "A line feed after the assertion's header.", anyReason, at[3].encoded(forge.Insert(-1, "\n"))),
		failure("foreign-character", "1.base64", "A character of no alphabet in the certificate's signature.", anyReason, at[2].encoded(forge.Insert(7, "!"))),
		failure("nul-byte", "1.base64", "A NUL byte in the assertion's signature.", anyReason, at[5].encoded(forge.Insert(7, "\x00"))),
		failure("percent-encoded", "1.base64", "A percent-encoded byte in the assertion's claims.", anyReason, at[4].encoded(forge.Insert(8, "%3D"))),
		failure("impossible-length", "1.base64", "A length that no bytes have: 4k+1 characters.", anyReason, at[5].encoded(impossibleLength)),
		failure("header-not-encoded", "1.base64", "A header that is not encoded at all.", anyReason, at[3].encoded(forge.Verbatim)),
		failure("offline", "1.base64 7.offline-first", "Padding, and an issuer that does not answer: it need not be contacted.", anyReason,
			at[5].encoded(forge.Padded), silent(idp)),
	)
}

// impossibleLength extends base64url to the next length of 4k+1 characters.
func impossibleLength(data []byte) string {
	s := forge.Base64URL(data)
	for len(s)%4 != 1 {
		s += "A"
	}
	return s
}
