package vepauth_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/vepverify/vepverify/assertion"
	"github.com/vepverify/vepverify/vepauth"
)

// fixedVerifier is a Verifier with one result.
type fixedVerifier struct {
	res *assertion.Result
	err error
}

func (v fixedVerifier) Verify(context.Context, string, ...string) (*assertion.Result, error) {
	return v.res, v.err
}

// fakeTokens is a TokenManager with these methods.
type fakeTokens struct {
	make  func(r *http.Request, g vepauth.Grant) (vepauth.Token, error)
	parse func(r *http.Request, token string) (vepauth.Identity, string, error)
}

func (m fakeTokens) MakeToken(r *http.Request, g vepauth.Grant) (vepauth.Token, error) {
	return m.make(r, g)
}

func (m fakeTokens) ParseToken(r *http.Request, token string) (vepauth.Identity, string, error) {
	return m.parse(r, token)
}

// issues returns a TokenManager whose MakeToken returns these values.
func issues(token vepauth.Token, err error) fakeTokens {
	return fakeTokens{make: func(*http.Request, vepauth.Grant) (vepauth.Token, error) { return token, err }}
}

const endpoint = rp + "/request_token"

// get returns a GET request with Authorization headers, as clients of the original plugin
// request tokens.
func get(url string, authorization ...string) *http.Request {
	r := request("GET", url)
	for _, a := range authorization {
		r.Header.Add("Authorization", a)
	}
	return r
}

// typed returns a token request with a body of that Content-Type.
func typed(body string, contentType ...string) *http.Request {
	r := request("POST", endpoint, body)
	r.Header["Content-Type"] = contentType
	return r
}

// TestTokenEndpoint has every status of the token endpoint.
func TestTokenEndpoint(t *testing.T) {
	const urlencoded = "application/x-www-form-urlencoded"
	a := backed()
	tooLong := "assertion=" + strings.Repeat("x", vepauth.MaxAssertionBody)
	refusing := issues(vepauth.Token{}, fmt.Errorf("not this one: %w", vepauth.ErrRefused))
	unreachable := fixedVerifier{err: &assertion.Error{Kind: assertion.ErrUndecided, Reason: "unreachable"}}

	for _, test := range []struct {
		name   string
		config vepauth.Config
		r      *http.Request
		status int
	}{
		{"PUT", vepauth.Config{}, request("PUT", endpoint, "assertion="+a), 405},
		{"HEAD", vepauth.Config{}, request("HEAD", endpoint), 405},
		{"OPTIONS with an assertion", vepauth.Config{}, header(request("OPTIONS", endpoint), "Authorization", "Browser-ID "+a), 405},

		{"GET without anything", vepauth.Config{}, get(endpoint), 401},
		{"GET with an assertion in the query", vepauth.Config{}, get(endpoint + "?assertion=" + a), 401},
		{"GET with a form", vepauth.Config{}, form(request("GET", endpoint, "assertion="+a)), 401},
		{"POST without a body", vepauth.Config{}, request("POST", endpoint), 401},
		{"POST of an empty form", vepauth.Config{}, form(request("POST", endpoint, "")), 401},
		{"POST without a type or body", vepauth.Config{}, request("POST", endpoint, ""), 401},
		{"POST of another field", vepauth.Config{}, form(request("POST", endpoint, "a=1")), 401},

		{"GET with another scheme", vepauth.Config{}, get(endpoint, "Basic YTpi"), 400},
		{"GET with OAuth", vepauth.Config{}, get(endpoint, `OAuth oauth_nonce="n"`), 400},
		{"POST with another scheme", vepauth.Config{}, header(tokenRequest(endpoint, a), "Authorization", "Bearer x"), 400},
		{"an empty header", vepauth.Config{}, get(endpoint, ""), 400},
		{"two headers", vepauth.Config{}, get(endpoint, "Browser-ID "+a, "Browser-ID "+a), 400},

		{"a large form", vepauth.Config{}, typed(tooLong, urlencoded), 413},
		{"a large body of another type", vepauth.Config{}, typed(tooLong, "text/plain"), 413},
		{"JSON", vepauth.Config{}, typed(`{"assertion":"x"}`, "application/json"), 415},
		{"no type", vepauth.Config{}, typed("assertion=" + a), 415},
		{"a malformed type", vepauth.Config{}, typed("assertion="+a, "application/"), 415},
		{"multipart", vepauth.Config{}, typed("--b\r\n", "multipart/form-data; boundary=b"), 415},
		{"a malformed form", vepauth.Config{}, typed("assertion=%zz", urlencoded), 400},
		{"two assertions", vepauth.Config{}, typed("assertion="+a+"&assertion="+a, urlencoded), 400},
		{"an empty assertion", vepauth.Config{}, tokenRequest(endpoint, ""), 400},
		{"an empty assertion in the header", vepauth.Config{}, get(endpoint, "Browser-ID"), 400},
		{"no assertion, by form", vepauth.Config{}, tokenRequest(endpoint, "x"), 400},
		{"no assertion, by header", vepauth.Config{}, get(endpoint, "Browser-ID <script>~x"), 400},
		{"an assertion beyond the size of assertions", vepauth.Config{}, tokenRequest(endpoint, strings.Repeat("x", assertion.MaxSize+1)), 400},

		{"another audience", vepauth.Config{}, tokenRequest(endpoint, idp.Backed(alice, userKey, "https://other.example")), 400},

		{"expired", vepauth.Config{}, tokenRequest(endpoint, idp.At(start.AddDate(-1, 0, 0)).Backed(alice, userKey, rp)), 400},
		{"forged", vepauth.Config{}, tokenRequest(endpoint, a[:len(a)-8]+"AAAAAAAA"), 400},
		{"undecided", vepauth.Config{Verifier: unreachable}, tokenRequest(endpoint, a), 503},
		{"a verifier that fails", vepauth.Config{Verifier: fixedVerifier{err: errors.New("odd")}}, tokenRequest(endpoint, a), 503},
		{"a verifier without a result", vepauth.Config{Verifier: fixedVerifier{}}, tokenRequest(endpoint, a), 503},

		{"refused", vepauth.Config{Tokens: refusing}, tokenRequest(endpoint, a), 401},
		{"a token manager that fails", vepauth.Config{Tokens: issues(vepauth.Token{}, errors.New("down"))}, tokenRequest(endpoint, a), 503},
		{"no secret", vepauth.Config{Tokens: issues(vepauth.Token{ID: "i"}, nil)}, tokenRequest(endpoint, a), 503},
		{"extra members that cannot be marshaled", vepauth.Config{Tokens: issues(vepauth.Token{ID: "i", Secret: "s", Extra: map[string]any{"f": func() {}}}, nil)},
			tokenRequest(endpoint, a), 500},

		{"fine, by POST", vepauth.Config{}, tokenRequest(endpoint, a), 200},
		{"fine, by GET", vepauth.Config{}, get(endpoint, "Browser-ID "+a), 200},
		{"fine, by POST with the header", vepauth.Config{}, header(request("POST", endpoint), "Authorization", "browser-id "+a), 200},
		{"fine, with a charset", vepauth.Config{}, typed("assertion="+a, "Application/X-WWW-Form-Urlencoded; charset=utf-8"), 200},
		{"fine, with a query", vepauth.Config{}, tokenRequest(endpoint+"?a=b", a), 200},
	} {
		s := newSite(t, &test.config)
		got := s.do(test.r)
		check(t, test.name, got, test.status)
		switch got.status {
		case 200:
			if got.member("oauth_consumer_key") == "" || got.member("oauth_consumer_secret") == "" {
				t.Errorf("%s: no credentials in %s", test.name, got.body)
			}
		case 401:
			checkRefused(t, test.name, got, oauthChallenge)
		default:
			checkFailure(t, test.name, got)
		}
		if got.header.Get("Cache-Control") != "no-store" || got.header.Get("Content-Type") != "application/json" {
			t.Errorf("%s: %v", test.name, got.header)
		}
		if allow := got.header.Get("Allow"); (got.status == 405) != (allow == "GET, POST") {
			t.Errorf("%s: Allow %q", test.name, allow)
		}
		if after := got.header.Get("Retry-After"); (got.status == 503) != (after == "5") {
			t.Errorf("%s: Retry-After %q", test.name, after)
		}
	}
}

// TestOrderOfTokenEndpoint checks that the first of two faults determines the answer.
func TestOrderOfTokenEndpoint(t *testing.T) {
	const unknown = rp + "/nope/1/token"
	elsewhere := idp.Backed(alice, userKey, "https://other.example")
	apps := vepauth.Config{
		TokenURL: "/{application}/{version}/token", Applications: map[string][]string{"sync": {"1"}},
		Tokens: issues(vepauth.Token{}, vepauth.ErrRefused),
	}
	notAsked := apps
	notAsked.Verifier = verifierFunc(func() { t.Error("an unknown application's assertion was verified") })
	for _, test := range []struct {
		name   string
		config vepauth.Config
		r      *http.Request
		status int
	}{
		{"method before header", apps, header(request("PUT", unknown), "Authorization", "Basic x"), 405},
		{"no assertion before unknown application", apps, get(unknown), 401},
		{"scheme before size and type", apps, header(request("POST", unknown, strings.Repeat("x", 70000)), "Authorization", "Basic x"), 400},
		{"size before type", apps, request("POST", unknown, strings.Repeat("x", 70000)), 413},
		{"type before unknown application", apps, request("POST", unknown, "x"), 415},
		{"unparsable before unknown application", apps, tokenRequest(unknown, "x"), 400},
		{"unknown application before verification", notAsked, tokenRequest(unknown, backed()), 404},
		{"audience before the token manager", apps, tokenRequest(rp+"/sync/1/token", elsewhere), 400},
		{"the token manager last", apps, tokenRequest(rp+"/sync/1/token", backed()), 401},
	} {
		check(t, test.name, newSite(t, &test.config).do(test.r), test.status)
	}
}

type verifierFunc func()

func (f verifierFunc) Verify(context.Context, string, ...string) (*assertion.Result, error) {
	f()
	return nil, assertion.ErrRejected
}

// TestReasons checks that the reason is that of the verifier, and that the answer repeats
// nothing of the request as HTML.
func TestReasons(t *testing.T) {
	s := newSite(t, nil)
	got := s.do(tokenRequest(endpoint, idp.Backed(alice, userKey, "https://other.example")))
	if got.member("reason") != "audience mismatch: domain mismatch" {
		t.Errorf("%s", got.body)
	}
	for _, r := range []*http.Request{
		tokenRequest(endpoint, "<script>"), get(endpoint, "<script> x"), typed("x", "<script>"),
		get(rp+"/data", `OAuth oauth_signature_method="<script>"`),
	} {
		if got := s.do(r); strings.Contains(got.body, "<") || got.header.Get("X-Content-Type-Options") != "nosniff" {
			t.Errorf("%d %v %s", got.status, got.header, got.body)
		}
	}
}

// TestMakeToken checks what a TokenManager gets, and what it may add to the answer.
func TestMakeToken(t *testing.T) {
	var got vepauth.Grant
	tokens := fakeTokens{make: func(r *http.Request, g vepauth.Grant) (vepauth.Token, error) {
		got = g
		if r.Header.Get("X-Device") != "phone" {
			t.Errorf("not the request: %v", r.Header)
		}
		return vepauth.Token{ID: "i", Secret: "s", Extra: map[string]any{
			"node": "https://n1.example", "oauth_consumer_secret": "other", "id": 7, "duration": 300,
		}}, nil
	}}
	for scheme, want := range map[vepauth.Scheme]string{
		vepauth.OAuthVEP:     `{"duration":300,"id":7,"node":"https://n1.example","oauth_consumer_key":"i","oauth_consumer_secret":"s"}`,
		vepauth.MACBrowserID: `{"algorithm":"hmac-sha-1","duration":300,"id":"i","key":"s","node":"https://n1.example","oauth_consumer_secret":"other"}`,
	} {
		s := newSite(t, &vepauth.Config{
			Scheme: scheme, Tokens: tokens, TokenURL: "/{application}/{version}/{node}/token",
			Applications: map[string][]string{"sync": {"1.5"}},
		})
		a := s.do(header(tokenRequest("https://RP.example:443/%73ync/1.5/n%C3%A91/token", backed()), "X-Device", "phone"))
		if a.status != 200 || strings.TrimSpace(a.body) != want {
			t.Errorf("%d %s", a.status, a.body)
		}
		want := vepauth.Grant{
			Result: got.Result,
			Scope:  vepauth.Scope{Origin: rp, Application: "sync", Version: "1.5"},
			Values: map[string]string{"application": "sync", "version": "1.5", "node": "né1"},
		}
		if d := cmp.Diff(want, got); d != "" || got.Result.Email != alice || got.Result.Issuer != "idp.example" {
			t.Errorf("%v %s", got.Result, d)
		}
	}
}

// TestTokenAnswer checks the members of the answers of both schemes.
func TestTokenAnswer(t *testing.T) {
	for scheme, want := range map[vepauth.Scheme][]string{
		vepauth.OAuthVEP:     {"oauth_consumer_key", "oauth_consumer_secret"},
		vepauth.MACBrowserID: {"algorithm", "id", "key"},
	} {
		a := newSite(t, &vepauth.Config{Scheme: scheme}).do(tokenRequest(endpoint, backed()))
		var members map[string]string
		if err := json.Unmarshal([]byte(a.body), &members); err != nil || len(members) != len(want) {
			t.Errorf("%s: %s", scheme, a.body)
		}
		for _, name := range want {
			if members[name] == "" {
				t.Errorf("%s: no %s in %s", scheme, name, a.body)
			}
		}
		if scheme == vepauth.MACBrowserID && members["algorithm"] != "hmac-sha-1" {
			t.Errorf("algorithm %s", members["algorithm"])
		}
	}
}

// TestEndpointPath checks where the token endpoint is: at TokenURL, where it is mounted, or
// nowhere.
func TestEndpointPath(t *testing.T) {
	elsewhere := newSite(t, &vepauth.Config{TokenURL: "/auth/token"})
	disabled := newSite(t, &vepauth.Config{DisableTokenEndpoint: true, Audiences: []string{}})
	announced := newSite(t, &vepauth.Config{DisableTokenEndpoint: true, TokenURL: "/request_token"})
	placeholder := newSite(t, &vepauth.Config{TokenURL: "/{node}/token"})
	for _, test := range []struct {
		name   string
		h      http.Handler
		url    string
		status int
		want   string // the challenge, or the beginning of the body
	}{
		{"at its path", elsewhere.handler, "/auth/token", 200, "{"},
		{"within Require", elsewhere.auth.Require(nil), "/auth/token", 200, "{"},
		{"the default path is not served then", elsewhere.handler, "/request_token", 200, "anonymous assertion="},
		{"not below its path", elsewhere.handler, "/auth/token/", 200, "anonymous assertion="},
		{"mounted alone", elsewhere.auth.TokenEndpoint(), "/anywhere", 200, "{"},
		{"mounted alone, with a placeholder", placeholder.auth.TokenEndpoint(), "/n/token", 200, "{"},
		{"mounted alone, not its pattern", placeholder.auth.TokenEndpoint(), "/n/m/token", 404, "{"},
		{"disabled", disabled.handler, "/request_token", 200, "anonymous assertion="},
		{"disabled, alone", disabled.auth.TokenEndpoint(), "/request_token", 404, "{"},
		{"disabled, the challenge", disabled.auth.Require(nil), "/data", 401, "OAuth+VEP"},
		{"the endpoint of another server, the challenge", announced.auth.Require(nil), "/data", 401, oauthChallenge},
		{"the endpoint of another server is not served", announced.auth.Require(nil), "/request_token", 401, oauthChallenge},
	} {
		got := do(test.h, tokenRequest(rp+test.url, backed()))
		check(t, test.name, got, test.status)
		if got.status == 401 {
			checkRefused(t, test.name, got, test.want)
		} else if !strings.HasPrefix(got.body, test.want) {
			t.Errorf("%s: %s", test.name, got.body)
		}
	}
}
