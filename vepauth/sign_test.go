package vepauth_test

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/vepverify/vepverify/vepauth"
)

func mustRequest(t testing.TB, method, url string, body io.Reader) *http.Request {
	t.Helper()
	r, err := http.NewRequest(method, url, body)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// TestSignedHeader compares a header with one that was computed with openssl: HMAC-SHA1 of
// the base string with the key "secret&".
func TestSignedHeader(t *testing.T) {
	r := mustRequest(t, "", "http://a.example/x?b=c", nil)
	r.Header = nil
	signer := vepauth.Signer{
		Credentials: vepauth.Credentials{ID: "k&y", Secret: "secret"}, Now: newClock().now, Rand: strings.NewReader(strings.Repeat("n", 16)),
	}
	if err := signer.Sign(r); err != nil {
		t.Fatal(err)
	}
	want := `OAuth oauth_consumer_key="k%26y", oauth_signature_method="HMAC-SHA1", oauth_version="1.0", oauth_timestamp="1700000000", ` +
		`oauth_nonce="bm5ubm5ubm5ubm5ubm5ubg", oauth_signature="AicQCGRJUACe%2F1wotiC6IyjlEQk%3D"`
	if got := r.Header.Get("Authorization"); got != want {
		t.Errorf("\n got %s\nwant %s", got, want)
	}
}

// TestSignAgain checks that signing again replaces the header, with another nonce.
func TestSignAgain(t *testing.T) {
	s := newSite(t, nil)
	r := s.signed(request("GET", data), s.login(endpoint))
	first := r.Header.Get("Authorization")
	check(t, "first", s.do(r), 200)
	check(t, "second", s.do(s.signed(r, s.login(endpoint))), 200)
	if all := r.Header.Values("Authorization"); len(all) != 1 || all[0] == first {
		t.Errorf("%v", all)
	}
}

// TestSignReadsForm checks that a form can be read after signing, with GetBody or without.
func TestSignReadsForm(t *testing.T) {
	const body = "a=1&b=%C3%A9"
	c := vepauth.Credentials{ID: "i", Secret: "s"}
	for name, reader := range map[string]io.Reader{"GetBody": strings.NewReader(body), "no GetBody": io.MultiReader(strings.NewReader(body))} {
		r := form(mustRequest(t, "POST", data, reader))
		for range 2 {
			if err := vepauth.Sign(r, c); err != nil {
				t.Fatal(err)
			}
		}
		if got, err := io.ReadAll(r.Body); err != nil || string(got) != body {
			t.Errorf("%s: %q, %v", name, got, err)
		}
		again, err := r.GetBody()
		if err != nil {
			t.Fatal(err)
		}
		if got, err := io.ReadAll(again); err != nil || string(got) != body {
			t.Errorf("%s, once more: %q, %v", name, got, err)
		}
	}
	r := mustRequest(t, "POST", data, brokenBody{io.ErrUnexpectedEOF}) // not a form
	if err := vepauth.Sign(r, c); err != nil {
		t.Errorf("another body was read: %v", err)
	}
}

func TestSignErrors(t *testing.T) {
	good := vepauth.Credentials{ID: "i", Secret: "s"}
	for name, c := range map[string]vepauth.Credentials{
		"nothing":        {},
		"no secret":      {ID: "i"},
		"no ID":          {Secret: "s"},
		"unknown scheme": {ID: "i", Secret: "s", Scheme: "Basic"},
		"PLAINTEXT":      {ID: "i", Secret: "s", Method: "PLAINTEXT"},
		"method of MAC":  {ID: "i", Secret: "s", Method: vepauth.HMACSHA1, Scheme: vepauth.MACBrowserID},
	} {
		r := request("GET", data)
		if err := vepauth.Sign(r, c); !errors.Is(err, vepauth.ErrCredentials) || r.Header.Get("Authorization") != "" {
			t.Errorf("%s: %v", name, err)
		}
	}
	broken := errors.New("broken")
	noBody := form(request("POST", data))
	noBody.Body = http.NoBody
	for name, test := range map[string]struct {
		r    *http.Request
		fine bool
	}{
		"no URL":             {&http.Request{}, false},
		"no host":            {&http.Request{URL: &url.URL{Scheme: "https", Path: "/"}}, false},
		"another scheme":     {mustRequest(t, "GET", "ftp://rp.example/", nil), false},
		"malformed query":    {mustRequest(t, "GET", data+"?%zz", nil), false},
		"misplaced":          {mustRequest(t, "GET", data+"?oauth_nonce=1", nil), false},
		"malformed form":     {form(mustRequest(t, "POST", data, strings.NewReader("%"))), false},
		"broken body":        {form(mustRequest(t, "POST", data, brokenBody{broken})), false},
		"empty form":         {noBody, true},
		"host in Unicode":    {mustRequest(t, "GET", "https://bücher.example", nil), true},
		"address with zone":  {mustRequest(t, "GET", "http://[fe80::1%25eth0]:8080/", nil), true},
		"a Host of its own":  {&http.Request{Host: "rp.example", URL: &url.URL{Scheme: "https", Host: "10.0.0.1", Path: "/"}}, true},
		"opaque, as a proxy": {&http.Request{Host: "rp.example", URL: &url.URL{Scheme: "https", Opaque: "//rp.example/x"}}, true},
	} {
		if err := vepauth.Sign(test.r, good); (err == nil) != test.fine {
			t.Errorf("%s: %v", name, err)
		}
	}
	noGetBody := form(request("POST", data, "a"))
	noGetBody.GetBody = func() (io.ReadCloser, error) { return nil, broken }
	if err := vepauth.Sign(noGetBody, good); !errors.Is(err, broken) {
		t.Errorf("%v", err)
	}
	if err := (vepauth.Signer{Credentials: good, Rand: strings.NewReader("")}).Sign(request("GET", data)); err == nil {
		t.Error("a nonce without randomness")
	}
}

// TestSignedIsSent checks that Sign signs what net/http sends, or returns an error. The
// request is written to a buffer and read by a server.
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
		{"tab in the query", to(url.URL{Path: "/a", RawQuery: "b\tc"}), false},
		{"a version in the query", to(url.URL{Path: "/a", RawQuery: "b HTTP/1.1"}), false},
		{"query outside ASCII", to(url.URL{Path: "/a", RawQuery: "b=é"}), false},
		{"query that is not UTF-8", to(url.URL{Path: "/a", RawQuery: "b=\xff"}), false},
		{"percent in the query", to(url.URL{Path: "/a", RawQuery: "100%"}), false},
		{"encoded query", to(url.URL{Path: "/a", RawQuery: "b=%C3%A9%20%23"}), true},
		{"marks in the query", to(url.URL{Path: "/a", RawQuery: `a[]={"b":"c|d"}`}), true},
		{"space in the opaque path", to(url.URL{Opaque: "/a b"}), false},
		{"opaque path outside ASCII", to(url.URL{Opaque: "/é"}), false},
		{"percent in the opaque path", to(url.URL{Opaque: "/%z"}), false},
		{"line break in the path", to(url.URL{Path: "/a\r\nb"}), true}, // encoded
		{"RawPath with a space", to(url.URL{Path: "/a b", RawPath: "/a b"}), true},
		{"RawPath with a line break", to(url.URL{Path: "/a\r\nb", RawPath: "/a\r\nb"}), true},
		{"space in the host", to(url.URL{Path: "/a", Host: "rp.example x"}), false},
		{"line break in the host", to(url.URL{Path: "/a", Host: "rp.example\r\nx: y"}), false},
		{"line break in Host", with(to(url.URL{Path: "/a"}), func(r *http.Request) { r.Host = "rp.example\r\nx: y" }), false},
		{"a semicolon", to(url.URL{Path: "/a", RawQuery: "b;c"}), false},
		{"path without a slash", to(url.URL{Path: "a"}), false},
		{"a RequestURI of something else", with(to(url.URL{Path: "/a"}), func(r *http.Request) { r.RequestURI = "/b" }), true},
		{"a Host of its own", with(to(url.URL{Path: "/a", Host: "10.0.0.1"}), func(r *http.Request) { r.Host = "rp.example" }), true},
		{"a header Host", with(to(url.URL{Path: "/a"}), func(r *http.Request) { r.Header.Set("Host", "evil.example") }), true},
		{"CONNECT", with(to(url.URL{Path: "/a"}), func(r *http.Request) { r.Method = "CONNECT" }), false},
		{"lower-case letters", with(to(url.URL{Path: "/a"}), func(r *http.Request) { r.Method = "patch" }), false},
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
