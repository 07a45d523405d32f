package vepauth_test

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/vepverify/vepverify/vepauth"
)

// parameters returns a query or form of n parameters.
func parameters(n int) string { return strings.Repeat("a&", n)[:max(2*n-1, 0)] }

// unreadable is a body that must not be read.
type unreadable struct{ testing.TB }

func (b unreadable) Read([]byte) (int, error) {
	b.Error("the body was read")
	return 0, io.EOF
}

func (b unreadable) Close() error { return nil }

// TestMaxParameters checks the limit of the parameters in query and form together, which
// does not depend on the signature.
func TestMaxParameters(t *testing.T) {
	const most = vepauth.MaxParameters
	for _, test := range []struct {
		name        string
		query, form int
		want        int
	}{
		{"query", most, 0, 200}, {"form", 0, most, 200}, {"both", most / 2, most / 2, 200},
		{"query, one more", most + 1, 0, 400}, {"form, one more", 0, most + 1, 400}, {"both, one more", most / 2, most/2 + 1, 400},
	} {
		for _, wrong := range []bool{false, true} {
			s := newSite(t, nil)
			r := s.signed(form(request("POST", data+"?"+parameters(test.query), parameters(test.form))), s.login(endpoint))
			want := test.want
			if wrong {
				edit(t, r, `signature="`, `signature="A`)
			}
			if wrong && want == 200 {
				want = 401
			}
			got := s.do(r)
			check(t, test.name, got, want)
			if want == 400 && got.member("reason") != "too many parameters" {
				t.Errorf("%s: %s", test.name, got.body)
			}
		}
	}
	s := newSite(t, nil)
	check(t, "token", s.do(form(request("POST", endpoint, parameters(most)+"&assertion="+backed()))), 400)
	check(t, "token, fewer", s.do(form(request("POST", endpoint, parameters(most-1)+"&assertion="+backed()))), 200)
	mac := newSite(t, &vepauth.Config{Scheme: vepauth.MACBrowserID}) // signs the query unparsed
	check(t, "MAC", mac.do(mac.signed(request("GET", data+"?"+parameters(most+1)), mac.login(endpoint))), 200)
}

// TestBodyIsReadLast checks that a body is read after every cheaper check.
func TestBodyIsReadLast(t *testing.T) {
	for name, test := range map[string]struct {
		mutate func(s *site, r *http.Request)
		want   int
	}{
		"token":           {func(s *site, r *http.Request) { edit(s, r, `key="`, `key="A`) }, 401},
		"timestamp":       {func(s *site, r *http.Request) { edit(s, r, "1700000000", "1600000000") }, 401},
		"nonce":           {func(s *site, r *http.Request) { edit(s, r, `nonce="`, `nonce="%00`) }, 401},
		"long nonce":      {func(s *site, r *http.Request) { edit(s, r, `nonce="`, `nonce="`+strings.Repeat("n", vepauth.MaxNonce)) }, 401},
		"target":          {func(s *site, r *http.Request) { r.RequestURI = "x:/data" }, 401},
		"host":            {func(s *site, r *http.Request) { r.Header.Set("Host", "evil.example") }, 401},
		"query":           {func(s *site, r *http.Request) { r.RequestURI += "?" + parameters(vepauth.MaxParameters+1) }, 400},
		"size":            {func(s *site, r *http.Request) { r.ContentLength = vepauth.DefaultMaxForm + 1 }, 413},
		"encoding":        {func(s *site, r *http.Request) { r.Header.Set("Content-Encoding", "gzip") }, 401},
		"length of names": {func(s *site, r *http.Request) { edit(s, r, "OAuth ", "OAuth "+strings.Repeat("x", 65)+"=y, ") }, 401},
	} {
		s := newSite(t, nil)
		r := s.signed(form(request("POST", data, "a=b")), s.login(endpoint))
		r.Body = unreadable{t}
		test.mutate(s, r)
		check(t, name, s.do(r), test.want)
	}
}

// TestNonceSyntax checks that a nonce is printable ASCII of a limited length.
func TestNonceSyntax(t *testing.T) {
	for nonce, want := range map[string]int{
		"n": 200, "a b~!": 200, strings.Repeat("n", vepauth.MaxNonce): 200,
		strings.Repeat("n", vepauth.MaxNonce+1): 401, "a%00b": 401, "a%0Ab": 401, "%C3%A9": 401, "%7F": 401, "\xc3\xa9": 401,
	} {
		s := newSite(t, nil)
		c := s.login(endpoint)
		params := `oauth_consumer_key="` + c.ID + `", oauth_signature_method="HMAC-SHA1", oauth_timestamp="1700000000", oauth_nonce="` + nonce + `"`
		base, err := vepauth.BaseString("GET", "https", "rp.example", "/data", "", params)
		if err != nil {
			t.Fatal(err)
		}
		got := s.do(get(data, "OAuth "+params+`, oauth_signature="`+signature(c, base)+`"`))
		check(t, fmt.Sprintf("%q", nonce), got, want)
	}
}

// TestMaxTarget checks the limit of the request target of signed requests. Requests without
// credentials reach the next handler unchanged.
func TestMaxTarget(t *testing.T) {
	s := newSite(t, nil)
	c := s.login(endpoint)
	long := "/" + strings.Repeat("x", vepauth.MaxTarget)
	r := s.signed(request("GET", data), c)
	r.RequestURI = long
	check(t, "signed", s.do(r), 414)
	r = request("GET", rp)
	r.RequestURI = long
	check(t, "anonymous", s.do(r), 200)
	longest := rp + "/" + strings.Repeat("x", vepauth.MaxTarget-len(rp)-1)
	check(t, "the longest", s.do(s.signed(request("GET", longest), c)), 200)
}
