package origin_test

import (
	"strings"
	"testing"

	"github.com/vepverify/vepverify/internal/origin"
)

func TestWrittenDomain(t *testing.T) {
	for text, want := range map[string]string{
		"idp.example": "idp.example", "IDP.Example": "idp.example", " idp.example\r\n": "idp.example", "idp.example:8443": "idp.example:8443",
		"bücher.example": "xn--bcher-kva.example", "BÜCHER.example": "xn--bcher-kva.example", "xn--bcher-kva.example": "xn--bcher-kva.example",
		"bücher.example:8443": "xn--bcher-kva.example:8443", "idp\u3002example": "idp.example", "idp\uff0eexample": "idp.example", "ｉｄｐ.example": "idp.example",
	} {
		if got, err := origin.WrittenDomain(text); err != nil || got != want {
			t.Errorf("%q is %q, %v, want %q", text, got, err, want)
		}
	}
	for text, want := range map[string]string{
		"idp.example.": "not a domain: perhaps idp.example", "bücher.example.": "not a domain: perhaps xn--bcher-kva.example", "idp.example\u3002": "not a domain: perhaps idp.example",
		"https://idp.example": "a URL, not a domain: perhaps idp.example", "https://bücher.example:8443/x?y": "a URL, not a domain: perhaps xn--bcher-kva.example:8443",
		"idp.example/": "a URL, not a domain: perhaps idp.example", "https://user:pw@idp.example/": "a URL, not a domain: perhaps idp.example",
		"https://user:p@ss.word@idp.example/": "a URL, not a domain: perhaps idp.example",
		"ada@idp.example":                     "an email address, not a domain: perhaps idp.example", "ada@bücher.example": "an email address, not a domain: perhaps xn--bcher-kva.example",
		"idp.example,": "not a domain: perhaps idp.example", "*.idp.example": "a wildcard, not a domain: perhaps idp.example", "'idp.example'": "not a domain: perhaps idp.example",
		"eyJhbGciOiJSUzI1NiJ9.e30.AAAA": "a token, not a domain", "'eyJhbGciOiJSUzI1NiJ9.e30.AAAA'": "a token, not a domain",
		"": "not a domain", "a b": "not a domain", "[::1]": "not a domain", "bü cher.example": "not a domain", "\u2024.example": "not a domain", "https://": "a URL, not a domain",
	} {
		if got, err := origin.WrittenDomain(text); err == nil || err.Error() != want {
			t.Errorf("%q is %q, %v, want %q", text, got, err, want)
		}
	}
}

func TestWrittenEmail(t *testing.T) {
	for text, want := range map[string]string{
		"Ada@IDP.example": "Ada@idp.example", "ada@bücher.example": "ada@xn--bcher-kva.example", " ada@idp.example ": "ada@idp.example",
	} {
		got, host, err := origin.WrittenEmail(text)
		if err != nil || got != want || !strings.HasSuffix(want, "@"+host) {
			t.Errorf("%q is %q at %q, %v, want %q", text, got, host, err, want)
		}
	}
	for text, want := range map[string]string{
		"idp.example": "a domain, not an email address", "ada": "not an email address", "": "not an email address", "ada@": "not an email address",
		"ada@idp.example.": "not an email address: perhaps ada@idp.example", "Ada <ada@bücher.example>": "not an email address: perhaps ada@xn--bcher-kva.example",
		"mailto:ada@idp.example": "not an email address: perhaps ada@idp.example",
		"user:pw@idp.example":    "not an email address", "https://user:pw@idp.example": "not an email address", "x <user:pw@idp.example>": "not an email address",
		"zoë@idp.example": "not an address that verifiers accept: the part before the \"@\" must be ASCII",
		"a b@idp.example": "not an email address", "a@b@idp.example": "not an email address: perhaps a@idp.example", "ada@no domain": "not an email address",
	} {
		if got, _, err := origin.WrittenEmail(text); err == nil || err.Error() != want {
			t.Errorf("%q is %q, %v, want %q", text, got, err, want)
		}
	}
}
