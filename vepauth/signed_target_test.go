package vepauth_test

import (
	"bufio"
	"bytes"
	"context"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/vepverify/vepverify/vepauth"
)

// What Sign signs is what net/http sends, or Sign returns an error: the request
// is written to a wire and read by a server.
func TestSignedIsSent(t *testing.T) {
	to := func(u url.URL) *http.Request {
		u.Scheme = "https"
		if u.Host == "" {
			u.Host = "rp.example"
		}
		return &http.Request{Method: "GET", URL: &u, Header: http.Header{}}
	}
	with := func(r *http.Request, change func(r *http.Request)) *http.Request {
		change(r)
		return r
	}
	post := func(body string) *http.Request { return form(mustRequest(t, "POST", data, strings.NewReader(body))) }
	for _, test := range []struct {
		name string
		r    *http.Request
		fine bool
	}{
		{"path", to(url.URL{Path: "/a b/é"}), true},
		{"no path", to(url.URL{RawQuery: "a=b"}), true},
		{"encoded path", to(url.URL{Path: "/a/b", RawPath: "/a%2Fb"}), true},
		{"RawPath of another path", to(url.URL{Path: "/a", RawPath: "/b"}), true},
		{"double slash", to(url.URL{Path: "//evil.example/x"}), true},
		{"fragment", to(url.URL{Path: "/a", Fragment: "b"}), true},
		{"empty query", to(url.URL{Path: "/a", ForceQuery: true}), true},
		{"opaque path", to(url.URL{Opaque: "/a%2fb"}), true},
		{"opaque of the same host", to(url.URL{Opaque: "//rp.example/a"}), true},
		{"opaque of another host", to(url.URL{Opaque: "//evil.example/a"}), false},
		{"opaque of another host, with a query", to(url.URL{Opaque: "//evil.example?a", RawQuery: "b"}), false},
		{"opaque without a slash", to(url.URL{Opaque: "a://rp.example/b"}), false},
		{"opaque asterisk", to(url.URL{Opaque: "*"}), false},
		{"space in the query", to(url.URL{Path: "/a", RawQuery: "b c"}), false},
		{"hash in the query", to(url.URL{Path: "/a", RawQuery: "b#c"}), false},
		{"line break in the query", to(url.URL{Path: "/a", RawQuery: "b\r\nc"}), false},
		{"a semicolon", to(url.URL{Path: "/a", RawQuery: "b;c"}), false},
		{"path without a slash", to(url.URL{Path: "a"}), false},
		{"a RequestURI of something else", with(to(url.URL{Path: "/a"}), func(r *http.Request) { r.RequestURI = "/b" }), true},
		{"a Host of its own", with(to(url.URL{Path: "/a", Host: "10.0.0.1"}), func(r *http.Request) { r.Host = "rp.example" }), true},
		{"a header Host", with(to(url.URL{Path: "/a"}), func(r *http.Request) { r.Header.Set("Host", "evil.example") }), true},
		{"CONNECT", with(to(url.URL{Path: "/a"}), func(r *http.Request) { r.Method = "CONNECT" }), false},
		{"small letters", with(to(url.URL{Path: "/a"}), func(r *http.Request) { r.Method = "patch" }), false},
		{"form", post("a=b&c"), true},
		{"form of another length", with(post("a=b&c"), func(r *http.Request) { r.ContentLength = 1 }), true},
		{"another body", with(post("a=b"), func(r *http.Request) { r.Body = io.NopCloser(strings.NewReader("a=c")) }), false},
		{"another GetBody", with(post("a=b"), func(r *http.Request) {
			r.GetBody = func() (io.ReadCloser, error) { return io.NopCloser(strings.NewReader("a=c")), nil }
		}), false},
		{"encoded form", with(post("a=b"), func(r *http.Request) { r.Header.Set("Content-Encoding", "gzip") }), false},
	} {
		s := newSite(t, &vepauth.Config{PublicOrigin: rp})
		s.handler = s.auth.Require(http.HandlerFunc(echo))
		err := vepauth.Signer{Credentials: s.login(endpoint), Now: s.now}.Sign(test.r)
		if (err == nil) != test.fine {
			t.Errorf("%s: %v", test.name, err)
		}
		if err != nil {
			continue
		}
		var wire bytes.Buffer
		if err := test.r.Write(&wire); err != nil {
			t.Errorf("%s: %v", test.name, err)
			continue
		}
		got, err := http.ReadRequest(bufio.NewReader(&wire))
		if err != nil {
			t.Errorf("%s: %v", test.name, err)
			continue
		}
		if got.Host != "rp.example" {
			t.Errorf("%s: sent to %s", test.name, got.Host)
		}
		check(t, test.name, s.do(got), 200)
	}
}

// roundTrip is a Base that does as the function says.
type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// A hostile server's challenges have a bounded size and number, whatever its
// headers have.
func TestManyChallenges(t *testing.T) {
	for name, test := range map[string]struct {
		headers []string
		asked   bool
	}{
		"one":            {[]string{`OAuth+VEP url="/t"`}, true},
		"after others":   {[]string{"a,b,c", `OAuth+VEP url="/t"`}, true},
		"after too many": {[]string{strings.Repeat("a,", 33), `OAuth+VEP url="/t"`}, false},
		"after too much": {[]string{strings.Repeat("a", 16<<10), `OAuth+VEP url="/t"`}, false},
		"in one header":  {[]string{strings.Repeat("a,", 33) + `OAuth+VEP url="/t"`}, false},
		"a long name":    {[]string{`OAuth+VEP ` + strings.Repeat("x", 65) + `="y", url="/t"`}, false},
	} {
		asked := false
		transport := &vepauth.Transport{
			Assertion: func(context.Context, string) (string, error) { asked = true; return "a~b", nil },
			Base: roundTrip(func(r *http.Request) (*http.Response, error) {
				return &http.Response{StatusCode: 401, Header: http.Header{"Www-Authenticate": test.headers}, Body: http.NoBody, Request: r}, nil
			}),
		}
		res, err := transport.RoundTrip(mustRequest(t, "GET", data, nil))
		if err == nil {
			res.Body.Close()
		}
		if asked != test.asked {
			t.Errorf("%s: asked: %v, %v", name, asked, err)
		}
	}
}
