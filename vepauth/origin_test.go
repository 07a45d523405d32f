package vepauth_test

import (
	"crypto/tls"
	"net/http"
	"strings"
	"testing"

	"github.com/vepverify/vepverify/vepauth"
)

// Where a request is for, by its own account or that of a proxy.
func TestOrigins(t *testing.T) {
	for _, test := range []struct {
		name    string
		config  vepauth.Config
		url     string // as the client sees it
		host    string // as the server gets it
		tls     bool
		headers map[string]string
		status  int
	}{
		{"TLS", vepauth.Config{}, rp, "rp.example", true, nil, 200},
		{"no TLS", vepauth.Config{}, "http://rp.example", "rp.example", false, nil, 200},
		{"case and port", vepauth.Config{}, rp, "RP.Example:443", true, nil, 200},
		{"a proxy that nobody spoke of", vepauth.Config{}, rp, "rp.example", false, map[string]string{"X-Forwarded-Proto": "https"}, 401},
		{"public origin", vepauth.Config{PublicOrigin: rp}, rp, "10.0.0.1:8080", false, nil, 200},
		{"public origin, written otherwise", vepauth.Config{PublicOrigin: "HTTPS://RP.example:443/"}, rp, "10.0.0.1:8080", false, nil, 200},
		{"public origin, forwarding headers", vepauth.Config{PublicOrigin: rp}, rp, "10.0.0.1", false,
			map[string]string{"X-Forwarded-Proto": "http", "X-Forwarded-Host": "evil.example"}, 200},
		{"signed for another", vepauth.Config{PublicOrigin: rp}, "https://other.example", "10.0.0.1", false, nil, 401},
		{"forwarded", vepauth.Config{TrustForwarded: true}, rp, "10.0.0.1:8080", false,
			map[string]string{"X-Forwarded-Proto": "https", "X-Forwarded-Host": "rp.example"}, 200},
		{"forwarded scheme", vepauth.Config{TrustForwarded: true}, rp, "rp.example", false, map[string]string{"X-Forwarded-Proto": "HTTPS"}, 200},
		{"not forwarded", vepauth.Config{TrustForwarded: true}, rp, "rp.example", true, nil, 200},
		{"the last is the proxy's", vepauth.Config{TrustForwarded: true}, rp, "10.0.0.1", false,
			map[string]string{"X-Forwarded-Proto": "http, https", "X-Forwarded-Host": "evil.example ,rp.example"}, 200},
		{"an odd scheme", vepauth.Config{TrustForwarded: true}, rp, "rp.example", true, map[string]string{"X-Forwarded-Proto": "gopher"}, 401},
		{"an odd host", vepauth.Config{TrustForwarded: true}, rp, "rp.example", true, map[string]string{"X-Forwarded-Host": "a b"}, 401},
		{"an odd port, empty", vepauth.Config{}, rp, "rp.example:", true, nil, 401},
		{"an odd port", vepauth.Config{}, rp, "rp.example:https", true, nil, 401},
	} {
		tokens, err := vepauth.NewSignedTokens(vepauth.SignedTokensConfig{Now: newClock().now})
		if err != nil {
			t.Fatal(err)
		}
		test.config.Tokens = tokens
		s := newSite(t, &test.config)
		public := newSite(t, &vepauth.Config{Tokens: tokens}).login(test.url + "/request_token")
		r := s.signed(request("GET", test.url+"/data"), public)
		r.RequestURI, r.Host, r.TLS = "/data", test.host, nil
		if test.tls {
			r.TLS = new(tls.ConnectionState)
		}
		for name, value := range test.headers {
			r.Header.Set(name, value)
		}
		check(t, test.name, s.do(r), test.status)
		if test.status == 401 && strings.HasPrefix(test.name, "an odd") {
			posted := posting(rp+"/request_token", backed())
			posted.Header.Set("X-Forwarded-Proto", test.headers["X-Forwarded-Proto"])
			posted.Header.Set("X-Forwarded-Host", test.headers["X-Forwarded-Host"])
			posted.Host = test.host
			check(t, test.name+", token", s.do(posted), 400)
		}
	}
}

// Whatever form the request target has, the path is the one on the wire.
func TestTargets(t *testing.T) {
	s := newSite(t, nil)
	c := s.login(endpoint)
	r := s.signed(request("GET", rp+"/a%2fb?x"), c)
	r.RequestURI = "/a%2fb?x"
	check(t, "origin form", s.do(r), 200)
	r = s.signed(request("GET", rp+"/a%2fb?x"), c)
	r.RequestURI = ""
	check(t, "no target", s.do(r), 200)
	r = s.signed(request("GET", rp+"/?x"), c)
	r.RequestURI = rp + "?x"
	check(t, "absolute form without a path", s.do(r), 200)
	r = s.signed(request("GET", rp+"/"), c)
	r.RequestURI = rp
	check(t, "absolute form of an origin", s.do(r), 200)
	r = s.signed(request("OPTIONS", rp+"/"), c)
	r.RequestURI = "*"
	check(t, "asterisk form", s.do(r), 401)
}

// A prefix that a handler in between strips was signed all the same.
func TestStripPrefix(t *testing.T) {
	s := newSite(t, &vepauth.Config{TokenURL: "/api/token"})
	h := http.StripPrefix("/api", s.handler)
	s.handler = h
	check(t, "stripped", s.do(s.signed(request("GET", rp+"/api/data"), s.login(rp+"/api/token"))), 200)
}
