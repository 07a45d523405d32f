package vepauth_test

import (
	"bufio"
	"bytes"
	"errors"
	"maps"
	"net/http"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/vepverify/vepverify/vepauth"
)

// FuzzAuthorization checks that a server answers every Authorization header with 200 or 401,
// and never panics.
func FuzzAuthorization(f *testing.F) {
	for _, header := range []string{
		"", "OAuth", `OAuth realm="x", oauth_consumer_key="k", oauth_signature_method="HMAC-SHA1", oauth_timestamp="1700000000", oauth_nonce="n", oauth_signature="s%3D"`,
		`MAC id="i", ts="1700000000", nonce="n", ext="\"", mac="m="`, `OAuth a=b,,c="\\"`, "OAuth %=%", "Browser-ID a~b", "Basic YTpi", "oauth\ta=\"é\"",
		`OAuth, oauth_nonce="n"`, "OAuth=", "MAC;id=1", "OAuth+VEP a=b",
	} {
		f.Add(header)
	}
	oauth := newSite(f, nil)
	mac := newSite(f, &vepauth.Config{Scheme: vepauth.MACBrowserID})
	f.Fuzz(func(t *testing.T, header string) {
		for _, s := range []*site{oauth, mac} {
			if got := s.do(get(data, header)); got.status != 401 && got.body != "anonymous " {
				t.Errorf("%d %s", got.status, got.body)
			}
			if got := s.do(get(endpoint, header)); got.status != 400 && got.status != 401 {
				t.Errorf("token endpoint: %d %s", got.status, got.body)
			}
		}
	})
}

// FuzzSigned checks that a server accepts what a client signs and sends, and that the next
// handler can read the form.
func FuzzSigned(f *testing.F) {
	f.Add("POST", "/a%2fb?c=d&c=%C3%A9+1", "e=f&e=", true)
	f.Add("GET", "//x/../y;z?%zz", "", false)
	f.Add("PROPFIND", "?a|b={}\"", "a=b&oauth_nonce=c", true)
	var sites []*site
	var credentials []vepauth.Credentials
	for _, scheme := range []vepauth.Scheme{vepauth.OAuthVEP, vepauth.MACBrowserID} {
		s := newSite(f, &vepauth.Config{Scheme: scheme, PublicOrigin: rp, Nonces: oneUse(anyNonce)})
		sites, credentials = append(sites, s), append(credentials, s.login(endpoint))
	}
	f.Fuzz(func(t *testing.T, method, target, body string, isForm bool) {
		for i, s := range sites {
			r, err := http.NewRequest(method, rp+target, strings.NewReader(body))
			if err != nil || r.URL.Host != "rp.example" || r.URL.User != nil || r.URL.Path == endpoint[len(rp):] || method == "CONNECT" {
				return // CONNECT has no path on the wire
			}
			if isForm {
				form(r)
			}
			if (vepauth.Signer{Credentials: credentials[i], Now: s.now}).Sign(r) != nil {
				continue // no base string
			}
			var wire bytes.Buffer
			if err := r.Write(&wire); err != nil {
				return
			}
			got, err := http.ReadRequest(bufio.NewReader(&wire))
			if err != nil {
				return
			}
			if a := s.do(got); a.status != 200 || a.body != alice+" "+body {
				t.Errorf("%s %s %q: %d %s", method, r.URL, body, a.status, a.body)
			}
		}
	})
}

// FuzzRequestLine checks that a request that is accepted is served as it was signed, whatever
// its request line, and whichever part of that was signed.
func FuzzRequestLine(f *testing.F) {
	f.Add("GET", "x:/notes/2/delete?id=7&q=://h/sync/1.5/list")
	f.Add("POST", "http://rp.example/a%2Fb?c;d")
	f.Add("CONNECT", "foo:80/notes/2/x://h/sync/1.5/z")
	f.Add("GET", "//a?b#c")
	var sites []*site
	var credentials []vepauth.Credentials
	for _, scheme := range []vepauth.Scheme{vepauth.OAuthVEP, vepauth.MACBrowserID} {
		s := newSite(f, &vepauth.Config{Scheme: scheme, Nonces: oneUse(anyNonce)})
		s.handler = s.auth.Require(record("all"))
		sites, credentials = append(sites, s), append(credentials, s.login("http://rp.example/request_token"))
	}
	f.Fuzz(func(t *testing.T, method, line string) {
		for i, s := range sites {
			for _, signed := range possibleTargets(line) {
				r, err := http.ReadRequest(bufio.NewReader(strings.NewReader(method + " " + line + " HTTP/1.1\r\nHost: rp.example\r\n\r\n")))
				if err != nil {
					return
				}
				r.Header.Set("Authorization", authorize(t, credentials[i], 1, strings.ToUpper(method), "http://rp.example", signed, ""))
				a := s.do(r)
				if got := decodeServed(t, a.header.Get("X-Seen"), []byte(a.body)); got != nil {
					checkServed(t, method+" "+line, s.scheme, got, signed, "", "http://rp.example", "")
				}
			}
		}
	})
}

// FuzzToken checks that no text is a token except those that were issued.
func FuzzToken(f *testing.F) {
	tokens := signedTokens(f, vepauth.SignedTokensConfig{Secrets: [][]byte{oldSecret}, Rand: strings.NewReader(strings.Repeat("salt", 8))})
	made := map[string]bool{}
	for _, email := range []string{alice, "bob@idp.example"} {
		token, err := tokens.MakeToken(nil, grant(email))
		if err != nil {
			f.Fatal(err)
		}
		made[token.ID] = true
		f.Add(token.ID)
		f.Add(token.ID[:len(token.ID)-1])
	}
	f.Fuzz(func(t *testing.T, text string) {
		id, secret, err := tokens.ParseToken(nil, text)
		switch {
		case made[text] && (err != nil || secret == ""):
			t.Errorf("%q: %v", text, err)
		case !made[text] && (!errors.Is(err, vepauth.ErrRefused) || secret != "" || id != (vepauth.Identity{})):
			t.Errorf("%q is accepted: %v", text, err)
		}
	})
}

// FuzzPattern checks that a path that matches a pattern can be written again from its values,
// and that each value is one segment.
func FuzzPattern(f *testing.F) {
	f.Add("/{application}/{version}/token", "/sync/1%2E5/token")
	f.Add("/request_token", "/request%5ftoken")
	f.Add("/{a}/b%20c/", "/%C3%A9/b%20c/")
	f.Fuzz(func(t *testing.T, pattern, path string) {
		values, ok, err := vepauth.MatchPattern(pattern, path)
		if err != nil || !ok {
			return
		}
		for _, value := range values {
			if value == "" || value == "." || value == ".." || strings.Contains(value, "/") {
				t.Errorf("%q matches %q with %q", path, pattern, value)
			}
		}
		written, ok := vepauth.FillPattern(pattern, values)
		again, matches, err := vepauth.MatchPattern(pattern, written)
		if !ok || !matches || err != nil || !maps.Equal(values, again) || !utf8.ValidString(written) {
			t.Errorf("%q, %q: %v becomes %q: %v", pattern, path, values, written, again)
		}
		if strings.Count(written, "/") != strings.Count(path, "/") {
			t.Errorf("%q and %q have different segments", path, written)
		}
	})
}
