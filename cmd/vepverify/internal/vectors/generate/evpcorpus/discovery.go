package evpcorpus

import (
	"fmt"
	"maps"
	"net/http"
	"strings"

	"github.com/vepverify/vepverify/evp/evptest"
)

// discovery has the rules of sections 7 to 9.
func discovery() []group {
	return []group{
		{"7.offline-first", offlineFirst()},
		{"8.no-issuer", noIssuer()}, {"8.unavailable", dnsUnavailable()}, {"8.record", join(records(), wrongHosts())},
		{"8.iss", otherIssuers()},
		{"9.guard", guarded()}, {"9.refused", refused()}, {"9.unavailable", unavailable()}, {"9.issuer", namedIssuers()},
		{"9.jwks-uri", jwksURIs()}, {"9.key-set", keySets()},
	}
}

// offlineFirst has tokens that are refused although nothing can be reached.
func offlineFirst() []vector {
	offline := func(name, rule, comment string, edits ...edit) vector {
		return failure(name, comment+" Nothing can be reached.", append(edits, broken(rule), silent)...)
	}
	return []vector{
		undecided("valid", "A valid token, and nothing can be reached.", broken("8.unavailable"), silent),
		undecided("EVT signature", "Only the keys would tell that another key signed.", broken("8.unavailable"),
			part(evt).sign(evptest.TestKey("Ed25519-3").Sign), silent),
		undecided("unknown kid", "Only the key set would tell.", broken("8.unavailable"), part(evt).header("kid", "unknown"),
			silent),
		undecided("other issuer", "Only DNS would tell.", broken("8.unavailable"), evtClaim("iss", "https://other.example"),
			silent),
		offline("form", "1.form", "No KB-JWT.", halves(func(evt, _ string) string { return evt + "~" })),
		offline("base64", "1.base64", "A padded part.", misfit, segments[1].encode(looseBits)),
		offline("json", "1.json", "A duplicate claim.", wholes[1].edit(member(`"iat":1`))),
		offline("typ", "2.typ", "Another typ.", part(evt).header("typ", "JWT")),
		offline("alg", "2.alg", "An unknown alg.", part(evt).header("alg", "ES384")),
		offline("crit", "2.crit", "A crit.", part(kb).header("crit", []string{"x"})),
		offline("kid", "2.kid", "A kid that is a number.", part(evt).header("kid", 1)),
		offline("iat", "3.iat", "No iat.", part(evt).without("iat")),
		offline("iss", "3.iss", "No iss.", part(evt).without("iss")),
		offline("email", "3.email", "A domain of one label.", evtClaim("email", "alice@localhost")),
		offline("email_verified", "3.email-verified", "Not verified.", evtClaim("email_verified", false)),
		offline("is_private_email", "3.private", "A string.", evtClaim("is_private_email", "yes")),
		offline("holder key", "3.holder-key", "A private member.", jwkWith("d", "AA")),
		offline("holder alg", "3.holder-key", "KB-JWT and key do not fit.", part(kb).header("alg", "RS256")),
		offline("exp", "3.exp-nbf", "Expired.", evtClaim("exp", now/1000-61)),
		offline("aud", "4.aud", "Another relying party.", kbClaim("aud", "https://other.example")),
		offline("nonce", "4.nonce", "Another nonce.", kbClaim("nonce", "other")),
		offline("sd_hash", "4.sd-hash", "Another EVT.", kbClaim("sd_hash", base64url(sha("another~")))),
		offline("KB signature", "4.signature", "A stolen EVT.", part(kb).sign(evptest.TestKey("Ed25519-3").Sign)),
		offline("old", "5.window", "Outside of the window.", issuedIn(evt, -301)),
		offline("ahead", "5.window", "Outside of the window.", issuedIn(kb, 61)),
		offline("submitted", "6.submitted", "Another address.", typed("bob@mail.example")),
		offline("kid absent, draft-02", "10.draft-02", "draft-02 requires it.", draft02, part(evt).withoutHeader("kid")),
		offline("EdDSA, draft-02", "10.draft-02", "draft-02 forbids it.", draft02, part(evt).header("alg", "EdDSA")),
	}
}

// dns returns an edit that sets the answer of DNS for the domain.
func dns(answer TXT) edit { return func(s *scenario) { s.txt[record] = answer } }

func txt(records ...string) edit { return dns(TXT{Records: records}) }

func noIssuer() []vector {
	return []vector{
		failure("nxdomain", "The name does not exist.", dns(TXT{Error: "nxdomain"})),
		failure("no records", "The name exists, without TXT records.", txt()),
		failure("no entry", "A name that the case does not list does not exist.", func(s *scenario) { delete(s.txt, record) }),
		failure("nxdomain, draft-02", "The same under draft-02.", draft02, dns(TXT{Error: "nxdomain"})),
		failure("record of the parent", "The parent's record is not asked for.", reachableFrom("alice@sub.mail.example", record)),
		failure("record at the domain", "Without _email-verification.", reachableFrom(alice, "mail.example")),
		failure("record at another prefix", "With another prefix.", reachableFrom(alice, "_emailverification.mail.example")),
		failure("record at _email-verification alone", "For all domains.", reachableFrom(alice, "_email-verification")),
		okay("subdomain with its record", "Each domain has its own.", address("alice@sub.mail.example", "sub.mail.example")),
	}
}

// reachableFrom returns an edit that sets the address, and moves the record to a name that
// is not its domain's.
func reachableFrom(email, name string) edit {
	return func(s *scenario) {
		evtClaim("email", email)(s)
		answer := s.txt[record]
		delete(s.txt, record)
		s.txt[name] = answer
	}
}

func dnsUnavailable() []vector {
	return []vector{
		undecided("servfail", "Not known now.", dns(TXT{Error: "servfail"})),
		undecided("timeout", "Not known now.", dns(TXT{Error: "timeout"})),
		undecided("servfail, draft-02", "The same under draft-02.", draft02, dns(TXT{Error: "servfail"})),
	}
}

// host returns an edit that moves the issuer to another host, everything included.
func host(name string) edit {
	return func(s *scenario) {
		i := evptest.Default()
		i.Host = name
		clear(s.http)
		s.issuedBy(i)
		s.answer.Issuer = name
	}
}

func records() []vector {
	r := "iss=" + evptest.DefaultHost
	wrong := func(name, comment string, records ...string) vector { return failure(name, comment, txt(records...)) }
	label63 := strings.Repeat("a", 63)
	table := []vector{
		okay("good", "iss= and a host."),
		okay("two labels", "As few as there may be.", host("issuer.example")),
		okay("many labels", "A deep host.", host("a.b.c.d.e.f.g.issuer.example")),
		okay("digits and hyphens", "Letters, digits and hyphens.", host("3com.a-b--c.issuer4.example")),
		okay("label of 63", "As long as a label may be.", host(label63+".example")),
		okay("253 bytes", "As long as a name may be.", host(label63+"."+label63+"."+label63+"."+strings.Repeat("b",
			53)+".example")),
		okay("A-label", "A host in its ASCII form.", host("xn--bcher-kva.example")),
		okay("of the same domain", "Issuer and email domain are one.", host("mail.example")),
		wrong("two issuers", "Exactly one record.", r, "iss=other.example"),
		wrong("two issuers, right one last", "Exactly one record.", "iss=other.example", r),
		wrong("twice the same", "Exactly one record, even if both say the same.", r, r),
		wrong("and SPF", "Exactly one record, even if the other is unrelated.", r, "v=spf1 -all"),
		wrong("and empty", "Exactly one record.", r, ""),
		wrong("seventeen", "Exactly one record.", strings.Split(strings.Repeat(r+"|", 16)+r, "|")...),
		wrong("SPF", "Not an issuer.", "v=spf1 -all"), wrong("empty", "An empty record.", ""),
		wrong("iss= alone", "No host.", "iss="),
		wrong("host alone", "No iss=.", evptest.DefaultHost),
		wrong("prefix in capitals", "iss= is in lower case.", "ISS="+evptest.DefaultHost),
		wrong("prefix Iss", "iss= is in lower case.", "Iss="+evptest.DefaultHost),
		wrong("colon", "A colon in place of =.", "iss:"+evptest.DefaultHost),
		wrong("space after =", "Nothing is trimmed.", "iss= "+evptest.DefaultHost),
		wrong("space before =", "Nothing is trimmed.", "iss ="+evptest.DefaultHost),
		wrong("space before", "Nothing is trimmed.", " "+r), wrong("space after", "Nothing is trimmed.", r+" "),
		wrong("line feed after", "A $ matches before it.", r+"\n"),
		wrong("NUL after", "Nothing is cut.", r+"\x00"),
		wrong("quoted", "The quotes of zone files are not part of it.", `"`+r+`"`),
		wrong("value quoted", "No quotes.", `iss="`+evptest.DefaultHost+`"`),
		wrong("semicolon", "No other members.", r+";"), wrong("more members", "No other members.", r+"; v=1"),
		wrong("version first", "No other members.", "v=evp1; "+r),
		wrong("two hosts", "One host.", r+",other.example"), wrong("JSON", "Not JSON.", `{"iss":"`+evptest.DefaultHost+`"}`),
		wrong("issuer=", "Another name.", "issuer="+evptest.DefaultHost),
		failure("two records, draft-02", "The same under draft-02.", draft02, txt(r, r)),
	}
	return table
}

func wrongHosts() []vector {
	var table []vector
	label63 := strings.Repeat("a", 63)
	for _, c := range []struct{ host, comment string }{
		{"https://accounts.issuer.example", "A URL. Not a host."}, {"//accounts.issuer.example", "Slashes."},
		{"accounts.issuer.example/", "A slash, which browsers accept."},
		{"accounts.issuer.example/x", "A path."}, {"accounts.issuer.example?x", "A query."},
		{"accounts.issuer.example#x", "A fragment."},
		{"accounts.issuer.example:443", "A port, which browsers accept."}, {"accounts.issuer.example:8443", "A port."},
		{"user@accounts.issuer.example", "User info, which browsers accept."},
		{"ACCOUNTS.ISSUER.EXAMPLE", "Capitals, which browsers accept."}, {"accounts.issuer.exampleE", "A capital."},
		{"accounts.issuer.example.", "A dot at the end."},
		{".accounts.issuer.example", "A dot at the start."}, {"accounts..issuer.example", "An empty label."},
		{"accounts_1.issuer.example", "An underscore."},
		{"-accounts.issuer.example", "A hyphen at the start of a label."}, {"accounts-.issuer.example", "A hyphen at the end of a label."},
		{"accounts.issuer.123", "The last label is a number."},
		{"accounts.issuer.0x7f", "The last label is a number for browsers."},
		{"localhost", "One label."}, {"127.0.0.1", "An IPv4 address."}, {"10.0.0.1", "A private address."},
		{"169.254.169.254", "A metadata service."}, {"[::1]", "An IPv6 address."}, {"::1", "An IPv6 address."},
		{"0x7f.1", "A number for some resolvers."}, {"accounts.issuer.example\\x", "A backslash."},
		{"*.issuer.example", "A pattern."}, {"accounts%2eissuer.example", "Percent encoding."},
		{"bücher.example", "Unicode."},
		{"accounts\uff0eissuer.example", "A full-width dot."}, {strings.Repeat("a", 64) + ".example", "A label of 64."},
		{label63 + "." + label63 + "." + label63 + "." + strings.Repeat("b", 54) + ".example", "254 bytes."},
		{"accounts.issuer.example\r\nHost: x", "A header."},
	} {
		name := quoted(c.host)
		if len(name) > 60 {
			name = fmt.Sprintf("of %d bytes", len(c.host))
		}
		table = append(table, failure("host "+name, c.comment, txt("iss="+c.host), func(s *scenario) {
			for url, response := range maps.Clone(s.http) { // a lenient verifier finds everything
				s.http[strings.Replace(url, evptest.DefaultHost, c.host, 1)] = response
			}
		}))
	}
	return table
}

func otherIssuers() []vector {
	return []vector{
		okay("good", "iss is https:// and the host of the record."),
		failure("record of another", "The domain names another issuer.", txt("iss=other.example")),
		failure("token of another", "Another issuer signed, with its own keys.", func(s *scenario) {
			before := s.txt[record]
			host("other.example")(s)
			s.txt[record] = before
		}),
		failure("parent of the host", "The parent of the named host.", evtClaim("iss", "https://issuer.example")),
		failure("child of the host", "A child of the named host.", evtClaim("iss", "https://x.accounts.issuer.example")),
		failure("email domain", "The email domain is not the issuer.", evtClaim("iss", "https://mail.example")),
		failure("ends alike", "A host that ends alike.", evtClaim("iss", "https://evil-accounts.issuer.example")),
		failure("begins alike", "A host that begins alike.", evtClaim("iss", "https://accounts.issuer.example.evil.example")),
		failure("of another, draft-02", "The same under draft-02.", draft02, txt("iss=other.example")),
	}
}

var (
	metadataURL = evptest.Default().MetadataURL()
	keysURL     = evptest.Default().KeysURL()
)

// respond returns an edit that sets the response of a URL.
func respond(url string, r Response) edit { return func(s *scenario) { s.http[url] = r } }

// change returns an edit of the response of a URL.
func change(url string, f func(*Response)) edit {
	return func(s *scenario) {
		r := s.http[url]
		f(&r)
		s.http[url] = r
	}
}

// metadata returns an edit of the metadata document.
func metadata(f func(evptest.Object) evptest.Object) edit {
	return func(s *scenario) { s.http[metadataURL] = document(f(s.issuer.Metadata())) }
}

func metadataWith(name string, value any) edit {
	return metadata(func(o evptest.Object) evptest.Object { return o.With(name, value) })
}

// keysAt returns an edit that publishes the key set at another URL, to which jwks_uri leads.
func keysAt(url string) edit {
	return func(s *scenario) {
		s.http[url] = s.http[keysURL]
		delete(s.http, keysURL)
		metadataWith("jwks_uri", url)(s)
	}
}

// guarded has URLs at which no public host can be. The keys are there, for a verifier
// without a guard.
func guarded() []vector {
	var table []vector
	for _, host := range []string{
		"127.0.0.1", "10.0.0.1", "192.168.1.1", "169.254.169.254", "[::1]", "[fd00::1]", "[::ffff:127.0.0.1]", "localhost",
		"0.0.0.0", "192.0.2.1",
		"2130706433", "0x7f000001", "127.1", "metadata", "017700000001",
	} {
		table = append(table,
			failure("jwks_uri at "+host, "Not the name of a public host.", broken("9.jwks-uri"), keysAt("https://"+host+"/jwks")))
	}
	return append(table,
		failure("jwks_uri at 10.0.0.1, draft-02", "The same under draft-02.", draft02, broken("9.jwks-uri"),
			keysAt("https://10.0.0.1/jwks")))
}

// sites are the two documents of an issuer.
var sites = []struct{ name, url string }{{"metadata", metadataURL}, {"JWKS", keysURL}}

// members returns n members of an object, each after a comma.
func members(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, `,"%d":0`, i)
	}
	return b.String()
}

func refused() []vector {
	var table []vector
	for _, site := range sites {
		bad := func(name, comment string, f func(*Response)) vector {
			return failure(site.name+" "+name, comment, change(site.url, f))
		}
		good := func(name, comment string, f func(*Response)) vector {
			return okay(site.name+" "+name, comment, change(site.url, f))
		}
		for _, status := range []int{201, 202, 203, 204, 206, 300, 301, 302, 303, 304, 307, 308, 400, 401, 403, 404, 405, 406,
			410, 418, 421, 451} {
			table = append(table, bad(fmt.Sprint("status ", status), "Refused, whatever the body says.", func(r *Response) {
				r.Status = status
				if status/100 == 3 {
					r.Location = "https://accounts.issuer.example/elsewhere"
				}
			}))
		}
		for _, kind := range []string{"", "text/html", "text/plain", "text/json", "application/octet-stream",
			"application/jsonp", "application/json5", "json", "application/jwt", "application/x+jsonx", "image/svg+xml",
			"application/json, text/html", "application/json\u00a0", "application/jw\u212a-set+json"} {
			table = append(table, bad("type "+quoted(kind), "Not JSON.", func(r *Response) { r.ContentType = kind }))
		}
		for _, kind := range []string{"application/json; charset=utf-8", "application/jwk-set+json", "Application/JSON",
			"application/json;charset=UTF-8", "application/problem+json"} {
			table = append(table,
				good("type "+quoted(kind), "JSON, or something +json.", func(r *Response) { r.ContentType = kind }))
		}
		table = append(table,
			bad("empty", "No document.", func(r *Response) { r.Body = "" }),
			bad("cut", "Without the last byte.", func(r *Response) { r.Body = r.Body[:len(r.Body)-1] }),
			bad("and more", "Text after the object.", func(r *Response) { r.Body += "x" }),
			bad("array", "An array.", func(r *Response) { r.Body = "[" + r.Body + "]" }),
			bad("null", "Not an object.", func(r *Response) { r.Body = "null" }),
			bad("a string", "Not an object.", func(r *Response) { r.Body = `"x"` }),
			bad("HTML", "A page with the type of JSON.", func(r *Response) { r.Body = "<!doctype html>" }),
			bad("byte order mark", "U+FEFF before the object.", func(r *Response) { r.Body = "\ufeff" + r.Body }),
			bad("duplicate member", "Names are unique.", func(r *Response) { r.Body = member(`"x":1,"x":1`)(r.Body) }),
			bad("duplicate member inside", "Names are unique at any depth.",
				func(r *Response) { r.Body = member(`"x":{"a":1,"a":1}`)(r.Body) }),
			bad("half a surrogate pair", "Not UTF-8.", func(r *Response) { r.Body = member(`"x":"\ud800"`)(r.Body) }),
			bad("1001 members", "More than 1000.", func(r *Response) {
				r.Body = member(`"x":{"":0` + members(1000) + `}`)(r.Body)
			}),
			good("900 members", "Not more than 1000.", func(r *Response) {
				r.Body = member(`"x":{"":0` + members(898) + `}`)(r.Body)
			}),
			bad("2001 elements", "More than 2000.", func(r *Response) {
				r.Body = member(`"x":[0` + strings.Repeat(",0", 2000) + `]`)(r.Body)
			}),
			bad("comma at the end", "Not JSON.", func(r *Response) { r.Body = r.Body[:len(r.Body)-1] + ",}" }),
			bad("65537 bytes", "One byte too long.", func(r *Response) { r.Body += strings.Repeat(" ", 65537-len(r.Body)) }),
			good("65536 bytes", "As long as it may be.", func(r *Response) { r.Body += strings.Repeat(" ", 65536-len(r.Body)) }),
			good("white space", "JSON's white space around it.", func(r *Response) { r.Body = "\r\n\t " + r.Body + " \n" }),
			good("other members", "Other members are ignored.",
				func(r *Response) { r.Body = member(`"x":{"y":[1,null,"é"]}`)(r.Body) }),
			failure(site.name+" absent", "404.", func(s *scenario) { delete(s.http, site.url) }),
			failure(site.name+" redirect", "Redirects are not followed.", func(s *scenario) {
				s.http["https://accounts.issuer.example/elsewhere"] = s.http[site.url]
				s.http[site.url] = Response{Status: http.StatusFound, Location: "https://accounts.issuer.example/elsewhere"}
			}),
			failure(site.name+" 404, draft-02", "The same under draft-02.", draft02, respond(site.url, Response{Status: 404})))
	}
	return table
}

func unavailable() []vector {
	var table []vector
	for _, site := range sites {
		for _, status := range []int{408, 425, 429, 500, 501, 502, 503, 504, 507, 511, 520, 599} {
			table = append(table,
				undecided(fmt.Sprint(site.name, " status ", status), "Not known now, whatever the body says.", change(site.url,
					func(r *Response) { r.Status = status })))
		}
		table = append(table,
			undecided(site.name+" timeout", "Not known now.", respond(site.url, Response{Timeout: true})),
			undecided(site.name+" timeout, draft-02", "The same under draft-02.", draft02, respond(site.url,
				Response{Timeout: true})),
			undecided(site.name+" 503 without type", "The type of an error does not matter.", respond(site.url,
				Response{Status: 503})))
	}
	return append(table,
		failure("metadata bad, JWKS down", "The metadata is refused before the JWKS is asked for.", broken("9.refused"),
			respond(metadataURL, Response{Status: 404}), respond(keysURL, Response{Timeout: true})),
		undecided("no issuer, JWKS down", "The default profile accepts metadata without issuer, so that only the JWKS would tell.",
			withoutIssuer, respond(keysURL, Response{Timeout: true})))
}

// withoutIssuer is an edit that removes issuer from the metadata.
func withoutIssuer(s *scenario) {
	metadata(func(o evptest.Object) evptest.Object { return o.Without("issuer") })(s)
}

func namedIssuers() []vector {
	table := []vector{
		okay("absent", "Accepted, as Gmail had none.", withoutIssuer),
		failure("absent, draft-02", "draft-02 requires it.", draft02, broken("10.draft-02"), withoutIssuer),
		okay("good", "https:// and the host."),
		okay("Issuer", "A name in another case is another name.",
			metadata(func(o evptest.Object) evptest.Object { return o.With("Issuer", "https://other.example") })),
	}
	table = append(table, refuseKinds("issuer", func(v any) edit { return metadataWith("issuer", v) }, nil)...)
	for _, name := range []string{
		"https://accounts.issuer.example/", "https://accounts.issuer.example:443", "https://Accounts.Issuer.Example",
		"http://accounts.issuer.example",
		"accounts.issuer.example", "https://other.example", "https://issuer.example", "https://mail.example",
		" https://accounts.issuer.example", "https://accounts.issuer.example.",
	} {
		table = append(table, failure("issuer "+quoted(name), "Byte for byte, if it is there.", metadataWith("issuer", name)))
	}
	return table
}

func jwksURIs() []vector {
	table := refuseKinds("jwks_uri", func(v any) edit { return metadataWith("jwks_uri", v) },
		metadata(func(o evptest.Object) evptest.Object { return o.Without("jwks_uri") }))
	for _, c := range []struct{ url, comment string }{
		{"http://accounts.issuer.example/jwks", "Not https."}, {"ftp://accounts.issuer.example/jwks", "Another scheme."},
		{"file:///etc/passwd", "A file."}, {"data:application/json,{}", "Data."},
		{"/jwks", "Relative."}, {"jwks", "Relative."}, {"//accounts.issuer.example/jwks", "Without a scheme."},
		{"https://u:p@accounts.issuer.example/jwks", "User info."},
		{"https://u@accounts.issuer.example/jwks", "User info."},
		{"https://@accounts.issuer.example/jwks", "Empty user info."}, {"https://accounts.issuer.example/jwks#x", "A fragment."},
		{"https://accounts.issuer.example/jwks#", "An empty fragment."},
		{"https://accounts.issuer.example:8443/jwks", "Another port."},
		{"https://accounts.issuer.example:80/jwks", "Another port."},
		{"https:///jwks", "No host."}, {"https://", "No host."}, {"https:accounts.issuer.example/jwks", "No slashes."},
		{"https://accounts.issuer.example\\jwks", "A backslash."},
		{" https://accounts.issuer.example/jwks", "A space before."}, {"https://accounts.issuer.example/jw ks", "A space."},
		{"https://accounts.issuer.example/jwks\n", "A line feed."},
		{"https://accounts.issuer.example/jwks\x00", "NUL."},
		{"https://accounts.issuer.example./jwks", "A dot after the host."},
		{"https://a_b.issuer.example/jwks", "An underscore in the host."},
		{"https://issuer/jwks", "One label."},
		{"https://accounts.issuer.example/" + strings.Repeat("x", 4096), "Over 2048 bytes."},
	} {
		name := quoted(c.url)
		if len(name) > 80 {
			name = "of 4 KiB"
		}
		table = append(table, failure("jwks_uri "+name, c.comment, func(s *scenario) {
			s.http[c.url] = s.http[keysURL]
			metadataWith("jwks_uri", c.url)(s)
		}))
	}
	for _, host := range []string{"\u212aeys.issuer.example", "%E2%84%AAeys.issuer.example"} {
		table = append(table, failure("jwks_uri at "+quoted(host), "The Kelvin sign, whose lower case is k.",
			keysAt("https://keys.issuer.example/jwks"), metadataWith("jwks_uri", "https://"+host+"/jwks")))
	}
	for _, c := range []struct{ name, url, comment string }{
		{"other path", "https://accounts.issuer.example/a/b/c.json", "Any path."},
		{"query", "https://accounts.issuer.example/jwks?v=1&x=a@b", "With a query."},
		{"other domain", "https://keys.googleapis.example/jwks", "Any host, as Gmail's."},
		{"escaped path", "https://accounts.issuer.example/a%20b", "With an escape."},
	} {
		table = append(table, okay(c.name, c.comment, keysAt(c.url)))
	}
	return append(table,
		okay("port 443", "The port of https.", metadataWith("jwks_uri", "https://accounts.issuer.example:443/jwks")),
		okay("nothing but jwks_uri", "Nothing else is needed.",
			metadata(func(o evptest.Object) evptest.Object { return evptest.Object{"jwks_uri": o["jwks_uri"]} })),
		okay("algorithms not listed", "signing_alg_values_supported is not read.",
			metadataWith("signing_alg_values_supported", []string{})),
		okay("other members of wrong types", "They are not read.", metadataWith("signing_alg_values_supported", 1),
			metadataWith("issuance_endpoint", nil), metadataWith("private_email_supported", "x")),
		okay("private not supported", "private_email_supported is not read.", metadataWith("private_email_supported", false),
			evtClaim("is_private_email", true), isPrivate))
}

// published returns an edit of the array of published keys.
func published(f func(all []any) any) edit {
	return func(s *scenario) {
		var all []any
		for _, k := range s.issuer.Keys {
			all = append(all, k.Published())
		}
		s.http[keysURL] = document(evptest.Object{"keys": f(all)})
	}
}

// publishedKey returns an edit of the first published key.
func publishedKey(f func(evptest.Object) evptest.Object) edit {
	return published(func(all []any) any { all[0] = f(all[0].(evptest.Object)); return all })
}

func publishedWith(name string, value any) edit {
	return publishedKey(func(o evptest.Object) evptest.Object { return o.With(name, value) })
}

// strangers returns n keys that sign nothing.
func strangers(n int, id any) []any {
	all := make([]any, n)
	for i := range all {
		all[i] = evptest.TestKey("Ed25519-3").WithID(id).Published()
	}
	return all
}

func keySets() []vector {
	table := refuseKinds("keys", func(v any) edit { return published(func([]any) any { return v }) }, respond(keysURL,
		document(evptest.Object{})), "an array")
	junk := []any{nil, true, 1, "key", []any{}, evptest.Object{}, evptest.Object{"kty": "oct", "k": "AA"},
		evptest.Object{"kty": "EC", "crv": "P-384", "x": "AA", "y": "AA"}, evptest.Object{"kty": "OKP", "crv": "X25519",
			"x": "AA"}}
	table = append(table,
		okay("junk before the right one", "Unusable entries are skipped.", published(func(all []any) any {
			return append(junk,
				all...)
		})),
		okay("junk after the right one", "Unusable entries are skipped.", published(func(all []any) any {
			return append(all,
				junk...)
		})),
		failure("empty", "No key.", broken("10.kid"), published(func([]any) any { return []any{} })),
		failure("only junk", "No usable key.", broken("10.kid"), published(func([]any) any { return junk })),
		okay("64 entries, right one first", "As many as there may be.", published(func(all []any) any {
			return append(all,
				strangers(63, "x")...)
		})),
		okay("64 entries, right one last", "As many as there may be.",
			published(func(all []any) any { return append(strangers(63, "x"), all...) })),
		failure("65 entries", "One too many.", published(func(all []any) any { return append(all, strangers(64, "x")...) })),
		failure("65 entries of junk", "Unusable entries count.", published(func(all []any) any {
			for len(all) < 65 {
				all = append(all, 1)
			}
			return all
		})),
		failure("keys an object by kid", "An array.", published(func(all []any) any { return evptest.Object{"k1": all[0]} })),
		failure("array of keys", "Not an object.", broken("9.refused"), func(s *scenario) {
			r := s.http[keysURL]
			r.Body = "[" + string(s.issuer.Keys[0].Published().JSON()) + "]"
			s.http[keysURL] = r
		}),
		failure("single key", "Not a set.", func(s *scenario) { s.http[keysURL] = document(s.issuer.Keys[0].Published()) }),
		okay("alg absent", "It may be absent.", publishedKey(func(o evptest.Object) evptest.Object { return o.Without("alg") })),
		okay("use absent", "It may be absent.", publishedKey(func(o evptest.Object) evptest.Object { return o.Without("use") })),
		okay("alg EdDSA", "Another name of Ed25519.", publishedWith("alg", "EdDSA")),
		okay("more members", "Other members are ignored.", publishedWith("x5t", "AA"),
			publishedKey(func(o evptest.Object) evptest.Object {
				return o.With("key_ops", []string{"verify"}).With("ext",
					true)
			})),
	)
	for _, c := range []struct{ name, comment, member, value string }{
		{"use enc", "Not for signatures.", "use", "enc"}, {"alg ES256", "The alg of another kind of key.", "alg", "ES256"},
		{"alg unknown", "An unknown alg.", "alg", "Ed448"}, {"alg empty", "An empty alg is not an absent one.", "alg", ""},
		{"kty EC", "Another kind of key.", "kty", "EC"}, {"crv X25519", "Another curve.", "crv", "X25519"},
		{"x of 31 bytes", "Too short.", "x", base64url(make([]byte, 31))},
		{"x empty", "Too short.", "x", ""}, {"private member d", "A private key is not published.", "d", "AA"},
	} {
		table = append(table,
			failure("only key: "+c.name, c.comment+" It is skipped, and there is no other.", broken("10.kid"),
				publishedWith(c.member, c.value)),
			okay("first key: "+c.name, c.comment+" It is skipped.", published(func(all []any) any {
				return []any{all[0].(evptest.Object).With(c.member, c.value), all[0]}
			})))
	}
	for _, name := range []string{"kid", "alg", "use", "kty", "crv", "x"} {
		table = append(table, skipped(name)...)
	}
	for _, name := range []string{"rsa1024", "rsa2040", "rsa4104", "rsa2048-e3"} {
		table = append(table,
			failure("only key: "+name, "An RSA key that is too short, too long, or of another e.", broken("10.kid"),
				issuer(rawKey(name).WithID("k1"))))
	}
	return table
}

// skipped has key sets whose only key is spoilt by a member of each JSON type but the empty
// string.
func skipped(name string) []vector {
	var table []vector
	for _, k := range kinds {
		if k.name == "empty" || name == "kid" && k.name == "a string" {
			continue // a kid may be any string
		}
		table = append(table, failure("only key: "+name+" "+k.name, "It is skipped, and there is no other.", broken("10.kid"),
			part(evt).withoutHeader("kid"), publishedWith(name, k.value)))
	}
	return table
}
