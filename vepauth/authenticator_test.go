package vepauth_test

import (
	"encoding/base64"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/vepverify/vepverify/vepauth"
)

const data = rp + "/data"

// edit replaces text in the Authorization header, which must contain it.
func edit(t testing.TB, r *http.Request, pairs ...string) *http.Request {
	t.Helper()
	for i := 0; i < len(pairs); i += 2 {
		before := r.Header.Get("Authorization")
		after := strings.Replace(before, pairs[i], pairs[i+1], 1)
		if after == before {
			t.Fatalf("no %q in %s", pairs[i], before)
		}
		r.Header.Set("Authorization", after)
	}
	return r
}

// without removes a parameter from the Authorization header.
func without(t testing.TB, r *http.Request, name string) *http.Request {
	t.Helper()
	var kept []string
	scheme, params, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	all := strings.Split(params, ", ")
	for _, p := range all {
		if !strings.HasPrefix(p, name+"=") {
			kept = append(kept, p)
		}
	}
	if len(kept) != len(all)-1 {
		t.Fatalf("no %s in %s", name, params)
	}
	r.Header.Set("Authorization", scheme+" "+strings.Join(kept, ", "))
	return r
}

// TestAnonymous checks that requests without credentials of the scheme are anonymous,
// whatever other credentials they have, and that Require challenges them.
func TestAnonymous(t *testing.T) {
	for scheme, challenge := range map[vepauth.Scheme]string{
		vepauth.OAuthVEP: oauthChallenge, vepauth.MACBrowserID: `MAC+BrowserID url="/request_token"`,
	} {
		s := newSite(t, &vepauth.Config{Scheme: scheme})
		other := `OAuth oauth_nonce="n"`
		if scheme == vepauth.OAuthVEP {
			other = `MAC id="i"`
		}
		for _, headers := range [][]string{
			nil, {""}, {"Basic YTpi"}, {"Bearer x"}, {other}, {"OAuth2 x"}, {"MACX id=1"}, {"OAuth+VEP"}, {"Browser-ID x~y"}, {"Basic a", "Bearer b"},
		} {
			got := s.do(get(data, headers...))
			check(t, strings.Join(headers, "|"), got, 200)
			if got.body != "anonymous " {
				t.Errorf("%v: %s", headers, got.body)
			}
			checkRefused(t, strings.Join(headers, "|"), do(s.auth.Require(http.HandlerFunc(echo)), get(data, headers...)), challenge)
		}
	}
}

// TestBadCredentials checks that every fault of credentials is answered with 401 and a
// challenge, also on a public page.
func TestBadCredentials(t *testing.T) {
	for _, test := range []struct {
		name   string
		mutate func(s *site, r *http.Request)
		reason string
	}{
		{"nothing after the scheme", func(s *site, r *http.Request) { r.Header.Set("Authorization", "OAuth") }, "unsupported signature method"},
		{"malformed", func(s *site, r *http.Request) { r.Header.Set("Authorization", `OAuth oauth_nonce="n`) }, "malformed Authorization header"},
		{"two headers", func(s *site, r *http.Request) { r.Header.Add("Authorization", "Basic x") }, "more than one Authorization header"},
		{"no method", func(s *site, r *http.Request) { without(s, r, "oauth_signature_method") }, "unsupported signature method"},
		{"PLAINTEXT", func(s *site, r *http.Request) { edit(s, r, "HMAC-SHA1", "PLAINTEXT") }, "unsupported signature method"},
		{"RSA-SHA1", func(s *site, r *http.Request) { edit(s, r, "HMAC-SHA1", "RSA-SHA1") }, "unsupported signature method"},
		{"method in lower case", func(s *site, r *http.Request) { edit(s, r, "HMAC-SHA1", "hmac-sha1") }, "unsupported signature method"},
		{"version 2", func(s *site, r *http.Request) { edit(s, r, `"1.0"`, `"2.0"`) }, "unsupported oauth_version"},
		{"no consumer key", func(s *site, r *http.Request) { without(s, r, "oauth_consumer_key") }, "no token in the Authorization header"},
		{"no timestamp", func(s *site, r *http.Request) { without(s, r, "oauth_timestamp") }, "no timestamp in the Authorization header"},
		{"no nonce", func(s *site, r *http.Request) { without(s, r, "oauth_nonce") }, "no nonce in the Authorization header"},
		{"no signature", func(s *site, r *http.Request) { without(s, r, "oauth_signature") }, "no signature in the Authorization header"},
		{"empty timestamp", func(s *site, r *http.Request) { edit(s, r, "1700000000", "") }, "no timestamp in the Authorization header"},
		{"a timestamp in letters", func(s *site, r *http.Request) { edit(s, r, "1700000000", "now") }, "malformed timestamp"},
		{"negative timestamp", func(s *site, r *http.Request) { edit(s, r, "1700000000", "-1700000000") }, "malformed timestamp"},
		{"signed timestamp", func(s *site, r *http.Request) { edit(s, r, "1700000000", "+1700000000") }, "malformed timestamp"},
		{"leading zero", func(s *site, r *http.Request) { edit(s, r, "1700000000", "01700000000") }, "malformed timestamp"},
		{"fraction", func(s *site, r *http.Request) { edit(s, r, "1700000000", "1700000000.0") }, "malformed timestamp"},
		{"digits of another script", func(s *site, r *http.Request) { edit(s, r, "1700000000", "%D9%A1700000000") }, "malformed timestamp"},
		{"beyond 64 bits", func(s *site, r *http.Request) { edit(s, r, "1700000000", "99999999999999999999") }, "malformed timestamp"},
		{"past", func(s *site, r *http.Request) { s.advance(61 * time.Second) }, "timestamp out of range"},
		{"future", func(s *site, r *http.Request) { s.advance(-61 * time.Second) }, "timestamp out of range"},
		{"far future", func(s *site, r *http.Request) { edit(s, r, "1700000000", "99999999999") }, "timestamp out of range"},
		{"unknown token", func(s *site, r *http.Request) { edit(s, r, `key="`, `key="A`) }, "unknown or expired token"},
		{"signature of another nonce", func(s *site, r *http.Request) { edit(s, r, `nonce="`, `nonce="A`) }, "bad signature"},
		{"another time", func(s *site, r *http.Request) { edit(s, r, "1700000000", "1700000001") }, "bad signature"},
		{"another signature", func(s *site, r *http.Request) { edit(s, r, `signature="`, `signature="AAAA`) }, "bad signature"},
		{"a signature that is not base64", func(s *site, r *http.Request) { edit(s, r, `signature="`, `signature="-`) }, "bad signature"},
		{"another hash", func(s *site, r *http.Request) { edit(s, r, "HMAC-SHA1", "HMAC-SHA256") }, "bad signature"},
		{"one parameter more", func(s *site, r *http.Request) { edit(s, r, "OAuth ", `OAuth x="y", `) }, "bad signature"},
		{"one parameter twice", func(s *site, r *http.Request) { edit(s, r, "OAuth ", `OAuth OAuth_Version="1.0", `) }, "malformed Authorization header"},
		{"one parameter twice, encoded", func(s *site, r *http.Request) { edit(s, r, "OAuth ", `OAuth oauth%5Fversion="1.0", `) }, "malformed Authorization header"},
		{"a value that cannot be decoded", func(s *site, r *http.Request) { edit(s, r, `nonce="`, `nonce="%zz`) }, "malformed Authorization header"},
		{"another method", func(s *site, r *http.Request) { r.Method = "DELETE" }, "bad signature"},
		{"another path", func(s *site, r *http.Request) { r.RequestURI = rp + "/other" }, "bad signature"},
		{"another encoding of the path", func(s *site, r *http.Request) { r.RequestURI = rp + "/d%61ta" }, "bad signature"},
		{"one query more", func(s *site, r *http.Request) { r.RequestURI += "?x=y" }, "bad signature"},
		{"an unsigned oauth_signature", func(s *site, r *http.Request) { r.RequestURI += "?oauth_signature=x" }, "OAuth parameter outside the Authorization header"},
		{"a malformed query", func(s *site, r *http.Request) { r.RequestURI += "?%" }, "malformed percent-encoding"},
		{"another host", func(s *site, r *http.Request) { r.Host = "www.rp.example" }, "the token is not valid for this origin or application"},
		{"no host", func(s *site, r *http.Request) { r.Host = "" }, "the origin of the request is not known"},
		{"another port", func(s *site, r *http.Request) { r.Host = "rp.example:8443" }, "the token is not valid for this origin or application"},
		{"without TLS", func(s *site, r *http.Request) { r.TLS = nil }, "the token is not valid for this origin or application"},
	} {
		s := newSite(t, nil)
		r := s.signed(request("GET", data), s.login(endpoint))
		test.mutate(s, r)
		got := s.do(r)
		checkRefused(t, test.name, got, oauthChallenge)
		if reason := got.member("reason"); reason != test.reason {
			t.Errorf("%s: %s; want %s", test.name, reason, test.reason)
		}
	}
}

// TestMalformedHeaders checks that an Authorization header that begins with the name of the
// scheme is never taken for no credentials, and that a client that sent credentials is never
// told that it sent none.
func TestMalformedHeaders(t *testing.T) {
	type headers []string
	const malformed, other, misplaced = "malformed Authorization header", "the Authorization header does not have the scheme ", "OAuth parameter outside the Authorization header"
	for scheme, tests := range map[vepauth.Scheme][]struct {
		headers
		reason string
		passes bool // a handler that does not require credentials is called
	}{
		vepauth.OAuthVEP: {
			{headers{`OAuth, oauth_nonce="n"`}, malformed, false},
			{headers{`oauth,oauth_nonce="n"`}, malformed, false},
			{headers{` OAUTH,`}, malformed, false},
			{headers{`OAuth="x"`}, malformed, false},
			{headers{`OAuth"x"`}, malformed, false},
			{headers{`OAuth: oauth_nonce="n"`}, malformed, false},
			{headers{`OAuth;oauth_nonce="n"`}, malformed, false},
			{headers{`OAuth/1.0 oauth_nonce="n"`}, malformed, false},
			{headers{"OAuth\toauth_nonce"}, malformed, false},
			{headers{`OAuth oauth_nonce="n" oauth_version="1.0"`}, malformed, false},
			{headers{`OAuth oauth_nonce="n`}, malformed, false},
			{headers{`OAuth oauth_signature=a/b=`}, malformed, false},
			{headers{`OAuth oauth_nonce="n", oauth_nonce="n"`}, malformed, false},
			{headers{`OAuth oauth_nonce="n", Basic YTpi`}, malformed, false},
			{headers{`OAuth YTpi`}, malformed, false},
			{headers{`OAuth ,, oauth_nonce="n",`}, "unsupported signature method", false},
			{headers{`OAuth`}, "unsupported signature method", false},
			{headers{`OAuth id="i", ts="1", nonce="n", mac="m"`}, "unsupported signature method", false},
			{headers{`OAuth oauth_nonce="n"`, `OAuth oauth_nonce="n"`}, "more than one Authorization header", false},
			{headers{`Basic YTpi`, `OAuth, oauth_nonce="n"`}, "more than one Authorization header", false},
			{headers{`OAuth+VEP oauth_nonce="n"`}, other + "OAuth", true},
			{headers{`MAC oauth_nonce="n"`}, other + "OAuth", true},
			{headers{`OAuth2 oauth_nonce="n"`}, other + "OAuth", true},
			{headers{`oauth_nonce="n"`}, other + "OAuth", true},
			{headers{`Bearer x`, `Basic YTpi`}, other + "OAuth", true},
			{headers{``}, "authentication required", true},
		},
		vepauth.MACBrowserID: {
			{headers{`MAC, id="i"`}, malformed, false},
			{headers{`mac,id="i"`}, malformed, false},
			{headers{`MAC id`}, malformed, false},
			{headers{`MAC id="i", ID="i"`}, malformed, false},
			{headers{`MAC id="i" ts="1"`}, malformed, false},
			{headers{`MAC oauth_consumer_key="k"`}, "no token in the Authorization header", false},
			{headers{`MAC ,id="i",,`}, "no timestamp in the Authorization header", false},
			{headers{`MAC id="i"`, `Basic YTpi`}, "more than one Authorization header", false},
			{headers{`OAuth, oauth_nonce="n"`}, other + "MAC", true},
			{headers{`MAC+BrowserID id="i"`}, other + "MAC", true},
		},
	} {
		s := newSite(t, &vepauth.Config{Scheme: scheme})
		required := s.auth.Require(http.HandlerFunc(echo))
		for _, test := range tests {
			what := strings.Join(test.headers, " | ")
			got := do(required, get(data, test.headers...))
			checkRefused(t, what, got, string(scheme)+` url="/request_token"`)
			if reason := got.member("reason"); reason != test.reason {
				t.Errorf("%s: %s; want %s", what, reason, test.reason)
			}
			if got := s.do(get(data, test.headers...)); (got.status == 200) != test.passes {
				t.Errorf("%s: %d", what, got.status)
			}
		}
	}
	inQuery := do(newSite(t, nil).auth.Require(nil), get(data+"?oauth_nonce=n&oauth_signature=s"))
	if reason := inQuery.member("reason"); inQuery.status != 401 || reason != misplaced {
		t.Errorf("in the query: %d %s", inQuery.status, reason)
	}
}

// TestOrderOfChecks checks that the first of two faults determines the reason.
func TestOrderOfChecks(t *testing.T) {
	type mutate func(s *site, r *http.Request)
	steps := []struct {
		reason string
		mutate mutate
	}{
		{"unsupported signature method", func(s *site, r *http.Request) { edit(s, r, "HMAC-SHA1", "PLAINTEXT") }},
		{"no nonce in the Authorization header", func(s *site, r *http.Request) { without(s, r, "oauth_nonce") }},
		{"malformed timestamp", func(s *site, r *http.Request) { edit(s, r, "1700000000", "1e9") }},
		{"timestamp out of range", func(s *site, r *http.Request) { s.advance(-time.Hour) }},
		{"unknown or expired token", func(s *site, r *http.Request) { edit(s, r, `key="`, `key="A`) }},
		{"bad signature", func(s *site, r *http.Request) { edit(s, r, `signature="`, `signature="A`) }},
	}
	for i, first := range steps {
		for _, second := range steps[i+1:] {
			s := newSite(t, nil)
			r := s.signed(request("GET", data), s.login(endpoint))
			first.mutate(s, r)
			second.mutate(s, r)
			if got := s.do(r).member("reason"); got != first.reason {
				t.Errorf("%s and %s: %s", first.reason, second.reason, got)
			}
		}
	}
}

// TestBadMACCredentials is TestBadCredentials for the other scheme, where it differs.
func TestBadMACCredentials(t *testing.T) {
	for name, mutate := range map[string]func(s *site, r *http.Request){
		"nothing":        func(s *site, r *http.Request) { r.Header.Set("Authorization", "MAC") },
		"malformed":      func(s *site, r *http.Request) { r.Header.Set("Authorization", "MAC id") },
		"no id":          func(s *site, r *http.Request) { without(s, r, "id") },
		"no ts":          func(s *site, r *http.Request) { without(s, r, "ts") },
		"no nonce":       func(s *site, r *http.Request) { without(s, r, "nonce") },
		"no mac":         func(s *site, r *http.Request) { without(s, r, "mac") },
		"malformed ts":   func(s *site, r *http.Request) { edit(s, r, "1700000000", "1.7e9") },
		"past":           func(s *site, r *http.Request) { s.advance(61 * time.Second) },
		"unknown id":     func(s *site, r *http.Request) { edit(s, r, `id="`, `id="A`) },
		"another nonce":  func(s *site, r *http.Request) { edit(s, r, `nonce="`, `nonce="A`) },
		"an ext":         func(s *site, r *http.Request) { edit(s, r, "MAC ", `MAC ext="x", `) },
		"another mac":    func(s *site, r *http.Request) { edit(s, r, `mac="`, `mac="A`) },
		"id twice":       func(s *site, r *http.Request) { edit(s, r, "MAC ", `MAC ID="x", `) },
		"another method": func(s *site, r *http.Request) { r.Method = "DELETE" },
		"another query":  func(s *site, r *http.Request) { r.RequestURI += "?x" },
	} {
		s := newSite(t, &vepauth.Config{Scheme: vepauth.MACBrowserID})
		r := s.signed(request("GET", data), s.login(endpoint))
		mutate(s, r)
		checkRefused(t, name, s.do(r), `MAC+BrowserID url="/request_token"`)
	}
}

// TestGoodCredentials checks both schemes and all signature methods.
func TestGoodCredentials(t *testing.T) {
	for _, c := range []vepauth.Credentials{
		{}, {Scheme: vepauth.OAuthVEP, Method: vepauth.HMACSHA1}, {Method: vepauth.HMACSHA256}, {Scheme: vepauth.MACBrowserID},
	} {
		s := newSite(t, &vepauth.Config{Scheme: c.Scheme})
		login := s.login(endpoint)
		c.ID, c.Secret = login.ID, login.Secret
		for _, r := range []*http.Request{
			request("GET", data), request("GET", data+"?a=b&a=%C3%A9+1"), request("PROPFIND", rp+"/%7ea//%2F"), request("HEAD", rp),
			request("POST", data, "{}"), form(request("POST", data, "")), request("OPTIONS", rp+":443/x"),
		} {
			got := s.do(s.signed(r, c))
			check(t, r.Method+" "+r.RequestURI, got, 200)
			if !strings.HasPrefix(got.body, alice) {
				t.Errorf("%s: %s", r.RequestURI, got.body)
			}
		}
		r := s.signed(request("GET", data), c)
		checkStatus := func(what string, edited *http.Request) {
			t.Helper()
			check(t, what, s.do(edited), 200)
		}
		scheme, _, _ := strings.Cut(r.Header.Get("Authorization"), " ")
		checkStatus("scheme in another case", edit(t, r, scheme, strings.ToLower(scheme)))
		checkStatus("realm", edit(t, s.signed(request("GET", data), c), scheme, scheme+` realm="100% mine",`))
		checkStatus("more space and commas", edit(t, s.signed(request("GET", data), c), scheme, scheme+"  ,\t,", `nonce="`, `nonce = "`))
	}
}

// TestMACWithExt checks that the parameter ext of MAC is signed.
func TestMACWithExt(t *testing.T) {
	s := newSite(t, &vepauth.Config{Scheme: vepauth.MACBrowserID})
	c := s.login(endpoint)
	mac := hmacSHA1(c.Secret, "1700000000\nn\nGET\n/a?b\nrp.example\n443\nmore\n")
	got := s.do(get(rp+"/a?b", `MAC id="`+c.ID+`", ts="1700000000", nonce=n, ext="mo\re", mac="`+base64.StdEncoding.EncodeToString(mac)+`"`))
	check(t, "ext", got, 200)
}

// TestLeeway checks that the clock of a client may differ by the leeway in both directions,
// and no more.
func TestLeeway(t *testing.T) {
	for _, leeway := range []time.Duration{0, time.Second, 90 * time.Second, 10 * time.Minute} {
		bound := leeway
		if leeway == 0 {
			bound = time.Minute
		}
		for off, status := range map[time.Duration]int{
			bound: 200, -bound: 200, bound + time.Nanosecond: 401, -bound - time.Nanosecond: 401,
		} {
			s := newSite(t, &vepauth.Config{Leeway: leeway})
			c := s.login(endpoint)
			tokens := s.signed(request("GET", data), c)
			s.advance(off)
			if off > 5*time.Minute { // the token has expired
				status = 401
			}
			check(t, leeway.String()+" off "+off.String(), s.do(tokens), status)
		}
	}
}

// TestNesting checks nested handlers: an Authenticator does not verify a request twice, and
// does not accept the identities of another.
func TestNesting(t *testing.T) {
	s := newSite(t, nil)
	c := s.login(endpoint)
	h := s.auth.Handler(s.auth.Require(s.auth.Handler(http.HandlerFunc(echo))))
	check(t, "same", do(h, s.signed(request("GET", data), c)), 200)
	checkRefused(t, "same, anonymous", do(h, request("GET", data)), oauthChallenge)

	mac := newSite(t, &vepauth.Config{Scheme: vepauth.MACBrowserID, TokenURL: "/mac"})
	both := s.auth.Handler(mac.auth.Handler(http.HandlerFunc(echo)))
	for _, r := range []*http.Request{s.signed(request("GET", data), c), mac.signed(request("GET", data), mac.login(rp+"/mac"))} {
		if got := do(both, r); got.body != alice+" " {
			t.Errorf("%d %s", got.status, got.body)
		}
	}
	other := s.auth.Handler(mac.auth.Require(http.HandlerFunc(echo)))
	checkRefused(t, "another's identity", do(other, s.signed(request("GET", data), c)), `MAC+BrowserID url="/mac"`)
}

// TestChallengeFromInside checks that a handler can send the challenge.
func TestChallengeFromInside(t *testing.T) {
	s := newSite(t, nil)
	h := s.auth.Handler(http.HandlerFunc(s.auth.Challenge))
	checkRefused(t, "challenge", do(h, request("GET", data)), oauthChallenge)
}

// TestParseToken checks the results of ParseToken and the answers to its errors.
func TestParseToken(t *testing.T) {
	here := vepauth.Scope{Origin: rp}
	for _, test := range []struct {
		name   string
		scope  vepauth.Scope
		secret string
		err    error
		status int
	}{
		{"fine", here, "s", nil, 200},
		{"refused", here, "s", vepauth.ErrRefused, 401},
		{"down", here, "s", errors.New("down"), 503},
		{"no secret", here, "", nil, 503},
		{"another secret", here, "x", nil, 401},
		{"another place", vepauth.Scope{Origin: "https://other.example"}, "s", nil, 401},
		{"no place", vepauth.Scope{}, "s", nil, 401},
		{"an application", vepauth.Scope{Origin: rp, Application: "a"}, "s", nil, 401},
	} {
		s := newSite(t, &vepauth.Config{Tokens: fakeTokens{parse: func(r *http.Request, token string) (vepauth.Identity, string, error) {
			if token != `i d"%\` || r.URL.Path != "/data" {
				t.Errorf("token %q of %s", token, r.URL)
			}
			return vepauth.Identity{Email: "bob@b.example", Scope: test.scope}, test.secret, test.err
		}}})
		got := s.do(s.signed(request("GET", data), vepauth.Credentials{ID: `i d"%\`, Secret: "s"}))
		check(t, test.name, got, test.status)
		if test.status == 200 && got.body != "bob@b.example " {
			t.Errorf("%s: %s", test.name, got.body)
		}
	}
}

// TestIdentity checks the identity that handlers get.
func TestIdentity(t *testing.T) {
	s := newSite(t, nil)
	var got vepauth.Identity
	h := s.auth.Require(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { got, _ = vepauth.FromContext(r.Context()) }))
	check(t, "request", do(h, s.signed(request("GET", data), s.login(endpoint))), 200)
	want := vepauth.Identity{
		Email: alice, Issuer: "idp.example", Scope: vepauth.Scope{Origin: rp}, Expires: start.Add(5 * time.Minute),
	}
	if !got.Expires.Equal(want.Expires) {
		t.Errorf("expires %v", got.Expires)
	}
	if got.Expires = want.Expires; got != want {
		t.Errorf("%+v", got)
	}
	if id, ok := vepauth.FromContext(t.Context()); ok || id != (vepauth.Identity{}) {
		t.Errorf("%+v", id)
	}
}

// TestRefusedIsNotServed checks that a refused request does not reach the next handler.
func TestRefusedIsNotServed(t *testing.T) {
	s := newSite(t, nil)
	h := s.auth.Handler(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("served") }))
	for _, r := range []*http.Request{get(data, "OAuth"), get(endpoint), get(data, "OAuth x", "OAuth y")} {
		do(h, r)
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, s.signed(request("GET", data), vepauth.Credentials{ID: "a", Secret: "b"}))
	if w.Code != 401 {
		t.Errorf("%d", w.Code)
	}
}
