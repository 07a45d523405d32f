package corpus

import "strings"

const mismatchOf = "audience mismatch: "

func audiences() []vector {
	return append(append(audienceParts(), audienceMalformed()...), audienceForms()...)
}

func audienceParts() []vector {
	scheme := func(name, comment string, edits ...edit) vector {
		return failure("scheme-"+name, "5.scheme 6.reasons", comment, mismatchOf+"scheme mismatch", edits...)
	}
	host := func(name, comment string, edits ...edit) vector {
		return failure("host-"+name, "5.host 6.reasons", comment, mismatchOf+"domain mismatch", edits...)
	}
	port := func(name, comment string, edits ...edit) vector {
		return failure("port-"+name, "5.port 6.reasons", comment, mismatchOf+"port mismatch", edits...)
	}
	path := func(name, comment string, edits ...edit) vector {
		return failure("path-"+name, "5.path 6.reasons", comment, mismatchOf+"has non-empty path", edits...)
	}
	pair := func(own, signed string) edit { return combine(acceptedAudience(own), signedAudience(signed)) }
	return []vector{
		okay("https", "5.scheme 5.host", "Both https."),
		okay("http", "5.scheme", "Both http.", pair("http://rp.example", "http://rp.example")),
		okay("app", "5.scheme", "Both app.", pair("app://rp.example", "app://rp.example")),
		scheme("http-for-https", "The assertion is for http.", signedAudience("http://rp.example")),
		scheme("https-for-http", "The relying party is at http.", acceptedAudience("http://rp.example")),
		scheme("same-port", "Schemes differ, ports do not.", pair("https://rp.example:8080", "http://rp.example:8080")),
		scheme("ftp", "Both ftp.", pair("ftp://rp.example", "ftp://rp.example")),
		scheme("wss", "Both wss.", pair("wss://rp.example", "wss://rp.example")),
		scheme("absent", "The assertion's audience has no scheme.", signedAudience("rp.example")),
		scheme("absent-with-port", "Nor with a port.", signedAudience("rp.example:443")),
		scheme("absent-empty", "An empty audience.", signedAudience("")),
		scheme("absent-on-both-sides", "Neither side has one, which only the relying party may lack.", pair("rp.example", "rp.example")),

		host("other", "Another host.", signedAudience("https://other.example")),
		host("subdomain", "A subdomain.", signedAudience("https://www.rp.example")),
		host("parent", "The parent.", acceptedAudience("https://www.rp.example")),
		host("suffix", "A host that ends alike.", signedAudience("https://evil-rp.example")),
		host("prefix", "A host that begins alike.", signedAudience("https://rp.example.evil.example")),
		host("trailing-dot", "A dot after the host.", signedAudience("https://rp.example.")),
		host("other-address", "Another IPv4 address.", pair("https://192.0.2.1", "https://192.0.2.2")),

		okay("port-default-https", "5.port", "443 is https's default.", acceptedAudience("https://rp.example:443")),
		okay("port-default-https-signed", "5.port", "The same on the assertion's side.", signedAudience("https://rp.example:443")),
		okay("port-default-http", "5.port", "80 is http's default.", pair("http://rp.example:80", "http://rp.example")),
		okay("port-default-app", "5.port", "80 is app's default.", pair("app://rp.example", "app://rp.example:80")),
		okay("port-same", "5.port", "The same port.", pair("https://rp.example:8443", "https://rp.example:8443")),
		okay("port-largest", "5.port", "Port 65535.", pair("https://rp.example:65535", "https://rp.example:65535")),
		port("other", "Another port.", signedAudience("https://rp.example:8443")),
		port("of-relying-party", "The relying party is at another port.", acceptedAudience("https://rp.example:8443")),
		port("of-http", "80 is not https's default.", signedAudience("https://rp.example:80")),
		port("app-443", "443 is not app's default.", pair("app://rp.example:443", "app://rp.example")),
		port("empty", "A colon without a port.", signedAudience("https://rp.example:")),
		port("empty-of-relying-party", "The same on the other side.", acceptedAudience("https://rp.example:")),
		port("leading-zero", "A leading zero.", signedAudience("https://rp.example:0443")),
		port("leading-zero-on-both-sides", "A leading zero on both sides.", pair("https://rp.example:08443", "https://rp.example:08443")),
		port("zero", "Port 0 on both sides.", pair("https://rp.example:0", "https://rp.example:0")),
		port("too-large", "Port 65536 on both sides.", pair("https://rp.example:65536", "https://rp.example:65536")),
		port("sign", "A sign.", signedAudience("https://rp.example:+443")),
		port("letters", "Letters.", signedAudience("https://rp.example:https")),
		port("two", "Two ports.", signedAudience("https://rp.example:443:443")),

		okay("path-slash", "5.path", "A slash on both sides.", pair("https://rp.example/", "https://rp.example/")),
		okay("path-slash-of-relying-party", "5.path", "A slash on the relying party's side.", acceptedAudience("https://rp.example/")),
		okay("path-slash-signed", "5.path", "A slash on the assertion's side.", signedAudience("https://rp.example/")),
		path("signed", "The assertion's side has a path.", signedAudience("https://rp.example/login")),
		path("of-relying-party", "The relying party's side has one.", acceptedAudience("https://rp.example/login")),
		path("same", "Both have the same.", pair("https://rp.example/login", "https://rp.example/login")),
		path("two-slashes", "Two slashes.", signedAudience("https://rp.example//")),
		path("dot", "A path that means the root.", signedAudience("https://rp.example/.")),
		path("query", "A query.", signedAudience("https://rp.example/?x=1")),
		path("empty-query", "An empty query.", signedAudience("https://rp.example?")),
		path("empty-query-of-relying-party", "The same on the other side.", acceptedAudience("https://rp.example/?")),
		path("fragment", "A fragment.", signedAudience("https://rp.example#x")),
		path("empty-fragment", "An empty fragment.", signedAudience("https://rp.example/#")),
		path("empty-fragment-of-relying-party", "The same on the other side.", acceptedAudience("https://rp.example#")),

		failure("order-scheme-host", "5.order", "Scheme and host differ.", mismatchOf+"scheme mismatch", signedAudience("http://other.example")),
		failure("order-host-port", "5.order", "Host and port differ.", mismatchOf+"domain mismatch", signedAudience("https://other.example:8443")),
		failure("order-port-path", "5.order", "The port differs, and there is a path.", mismatchOf+"port mismatch", signedAudience("https://rp.example:8443/x")),
		failure("order-all", "5.order", "Everything differs.", mismatchOf+"scheme mismatch", signedAudience("http://other.example:8080/x?y#z")),
	}
}

func audienceMalformed() []vector {
	signed := func(name, comment, audience string) vector {
		return failure("malformed-"+name, "5.malformed 6.reasons", comment, mismatchOf+"malformed", assertionClaim("aud", audience))
	}
	own := func(name, comment, audience string) vector {
		return failure("malformed-own-"+name, "5.malformed", comment, mismatchOf+"malformed", acceptedAudience(audience))
	}
	return []vector{
		signed("user-info", "User info.", "https://user@rp.example"),
		signed("password", "User info with a password.", "https://user:x@rp.example"),
		signed("empty-user-info", "Empty user info.", "https://@rp.example"),
		signed("user-info-host", "The relying party as user info.", "https://rp.example@evil.example"),
		signed("backslash", "A backslash, which browsers read as a slash.", `https://rp.example\@evil.example`),
		signed("backslash-path", "A backslash for a path.", `https://rp.example\`),
		signed("percent", "A percent-encoded dot.", "https://rp%2Eexample"),
		signed("percent-in-path", "A percent sign in a path: malformed, whatever the rest is.", "https://rp.example/%2e"),
		signed("backslash-in-path", "A backslash in a path: malformed too.", `https://rp.example/\x`),
		signed("space-in-query", "A space in a query: malformed too.", "https://rp.example/?a b"),
		signed("space-before", "A space before it.", " https://rp.example"),
		signed("space-behind", "A space after it.", "https://rp.example "),
		signed("space-inside", "A space inside.", "https://rp.exam ple"),
		own("user-info", "The relying party's side has user info.", "https://user@rp.example"),
		own("backslash", "The relying party's side has a backslash.", `https://rp.example\`),
		own("percent", "The relying party's side has a percent sign.", "https://rp%2Eexample"),
		own("space", "The relying party's side has a space.", "https://rp.example "),
		failure("malformed-line-feed", "5.malformed", "A line feed after it.", "audience mismatch", assertionClaim("aud", "https://rp.example\n")),
		failure("malformed-tab", "5.malformed", "A tab inside.", "audience mismatch", assertionClaim("aud", "https://rp.\texample")),
		failure("malformed-offline", "5.malformed 7.offline-first", "User info, and an issuer that does not answer.", mismatchOf+"malformed",
			assertionClaim("aud", "https://user@rp.example"), silent(idp)),
		failure("mismatch-offline", "5.host 7.offline-first", "Another host, and an issuer that does not answer.", mismatchOf+"domain mismatch",
			assertionClaim("aud", "https://other.example"), silent(idp)),
	}
}

func audienceForms() []vector {
	pair := func(own, signed string) edit { return combine(acceptedAudience(own), signedAudience(signed)) }
	return []vector{
		okay("capitals-of-relying-party", "5.case", "The relying party writes capitals.", acceptedAudience("HTTPS://RP.Example")),
		okay("capitals-signed", "5.case", "The assertion has capitals, which the answer keeps.", signedAudience("Https://rp.EXAMPLE")),

		okay("unicode", "5.unicode", "The relying party writes Unicode, the assertion has ASCII.", pair("https://bücher.example", "https://xn--bcher-kva.example")),
		okay("unicode-capitals", "5.unicode 5.case", "In capitals.", pair("https://BÜCHER.example:8443", "https://xn--bcher-kva.example:8443")),
		okay("punycode-on-both-sides", "5.unicode", "ASCII on both sides.", pair("https://xn--bcher-kva.example", "https://xn--bcher-kva.example")),
		failure("unicode-signed", "5.unicode", "The assertion has Unicode.", "audience mismatch", pair("https://bücher.example", "https://bücher.example")),
		failure("unicode-signed-only", "5.unicode", "Only the assertion has.", "audience mismatch", pair("https://xn--bcher-kva.example", "https://bücher.example")),
		failure("unicode-other", "5.unicode 5.host", "Another host in Unicode.", mismatchOf+"domain mismatch", pair("https://bücher.example", "https://xn--bcher-xva.example")),
		failure("unicode-look-alike", "5.unicode 5.host", "A Cyrillic letter that looks Latin.", mismatchOf+"domain mismatch", pair("https://rр.example", rp)),

		okay("no-scheme", "5.no-scheme", "The relying party lacks a scheme: http.", pair("rp.example", "http://rp.example")),
		okay("no-scheme-port", "5.no-scheme", "With a port.", pair("rp.example:8080", "http://rp.example:8080")),
		okay("no-scheme-localhost", "5.no-scheme", "A host of one label, with a port.", pair("localhost:8080", "http://localhost:8080")),
		failure("no-scheme-https", "5.no-scheme 5.scheme", "It does not mean https.", mismatchOf+"scheme mismatch", acceptedAudience("rp.example")),
		failure("no-scheme-https-port", "5.no-scheme 5.scheme", "Not even with https's port.", mismatchOf+"scheme mismatch", acceptedAudience("rp.example:443")),
		failure("no-scheme-other-port", "5.no-scheme 5.port", "http's default port is 80.", mismatchOf+"port mismatch", pair("rp.example", "http://rp.example:8080")),

		okay("ipv4", "5.host", "An IPv4 address.", pair("http://127.0.0.1:8080", "http://127.0.0.1:8080")),
		okay("ipv6", "5.host 5.port", "An IPv6 address with a port.", pair("http://[::1]:8080", "http://[::1]:8080")),
		failure("ipv6-other", "5.host", "Another IPv6 address.", mismatchOf+"domain mismatch", pair("http://[::1]", "http://[::2]")),
		failure("own-empty", "5.malformed", "The relying party's audience is empty.", anyReason, acceptedAudience("")),
		failure("null-origin", "5.scheme", "The origin null of sandboxed pages.", mismatchOf+"scheme mismatch", signedAudience("null")),
	}
}

func wildcards() []vector {
	const own = "https://*.rp.example"
	match := func(name, comment, own, signed string) vector {
		return okay(name, "5.wildcard", comment, acceptedAudience(own), signedAudience(signed))
	}
	none := func(name, comment, signed string) vector {
		return failure(name, "5.wildcard", comment, mismatchOf+"domain mismatch", acceptedAudience(own), signedAudience(signed))
	}
	badForm := func(name, comment, own, signed string) vector {
		return failure("form-"+name, "5.wildcard-form", comment, strings.TrimSuffix(mismatchOf, ": "), acceptedAudience(own), signedAudience(signed))
	}
	rest := func(name, comment, reason, own, signed string) vector {
		return failure("rest-"+name, "5.wildcard-rest", comment, mismatchOf+reason, acceptedAudience(own), signedAudience(signed))
	}
	return []vector{
		match("one-label", "One label.", own, "https://www.rp.example"),
		match("three-labels", "Three labels.", own, "https://a.b.c.rp.example"),
		match("capitals", "Capitals on both sides.", "HTTPS://*.RP.example", "https://WWW.rp.EXAMPLE"),
		match("two-labels-after", "Two labels after it, the fewest.", "https://*.rp.example", "https://x-1_y.rp.example"),
		match("unicode", "Unicode on the relying party's side.", "https://*.bücher.example", "https://www.xn--bcher-kva.example"),
		none("no-label", "The domain itself: * stands for at least one label.", "https://rp.example"),
		none("empty-label", "An empty label.", "https://.rp.example"),
		none("empty-label-inside", "An empty label between others.", "https://a..rp.example"),
		none("partial-label", "Part of a label.", "https://evilrp.example"),
		none("hyphen", "A hyphen in place of the dot.", "https://www-rp.example"),
		none("other-domain", "Another domain.", "https://www.other.example"),
		none("suffix-behind", "The domain before another.", "https://www.rp.example.evil.example"),

		badForm("only", "Nothing but *.", "https://*", "https://rp.example"),
		badForm("one-label-after", "One label after it.", "https://*.example", "https://rp.example"),
		badForm("one-label-and-dot", "One label and a dot after it.", "https://*.example.", "https://rp.example."),
		badForm("partial-behind", "* and more in a label.", "https://*w.rp.example", "https://www.rp.example"),
		badForm("partial-before", "More and * in a label.", "https://w*.rp.example", "https://www.rp.example"),
		badForm("second-label", "* as the second label.", "https://www.*.example", "https://www.rp.example"),
		badForm("last-label", "* as the last label.", "https://rp.*", "https://rp.example"),
		badForm("twice", "Two of them.", "https://*.*.rp.example", "https://a.b.rp.example"),
		badForm("two-stars", "Two stars in a label.", "https://**.rp.example", "https://www.rp.example"),
		badForm("address", "Over an IP address.", "https://*.0.0.1", "https://127.0.0.1"),
		badForm("scheme", "* for the scheme.", "*://www.rp.example", "https://www.rp.example"),
		badForm("port", "* for the port.", "https://www.rp.example:*", "https://www.rp.example"),

		okay("rest-http", "5.wildcard-rest", "http with its default port.", acceptedAudience("http://*.rp.example"), signedAudience("http://www.rp.example:80")),
		okay("rest-same-port", "5.wildcard-rest", "The same port.", acceptedAudience("https://*.rp.example:8443"), signedAudience("https://www.rp.example:8443")),
		okay("rest-no-scheme", "5.wildcard-rest 5.no-scheme", "A wildcard without a scheme.", acceptedAudience("*.rp.example"), signedAudience("http://www.rp.example")),
		rest("scheme", "The scheme differs.", "scheme mismatch", own, "http://www.rp.example"),
		rest("port", "The port differs.", "port mismatch", own, "https://www.rp.example:8443"),
		rest("port-of-relying-party", "The relying party's port differs.", "port mismatch", "https://*.rp.example:8443", "https://www.rp.example"),
		rest("path", "A path.", "has non-empty path", own, "https://www.rp.example/x"),

		failure("signed", "5.wildcard-aud", "* in the assertion's audience, and in the relying party's.", "audience mismatch", acceptedAudience(own), signedAudience(own)),
		failure("signed-only", "5.wildcard-aud", "* in the assertion's audience only.", "audience mismatch", acceptedAudience("https://www.rp.example"), signedAudience(own)),
		failure("signed-deeper", "5.wildcard-aud", "* in the assertion's audience, one label deeper.", "audience mismatch", acceptedAudience(own), signedAudience("https://*.www.rp.example")),
	}
}
