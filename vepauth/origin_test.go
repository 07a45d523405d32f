package vepauth_test

import (
	"bytes"
	"context"
	"crypto/tls"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"testing"

	"github.com/vepverify/vepverify/vepauth"
)

// TestOrigin checks the origin of a request, from the request itself or from a proxy.
func TestOrigin(t *testing.T) {
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
		{"a proxy that is not configured", vepauth.Config{}, rp, "rp.example", false, map[string]string{"X-Forwarded-Proto": "https"}, 401},
		{"public origin", vepauth.Config{PublicOrigin: rp}, rp, "10.0.0.1:8080", false, nil, 200},
		{"public origin, another spelling", vepauth.Config{PublicOrigin: "HTTPS://RP.example:443/"}, rp, "10.0.0.1:8080", false, nil, 200},
		{"public origin, forwarding headers", vepauth.Config{PublicOrigin: rp}, rp, "10.0.0.1", false,
			map[string]string{"X-Forwarded-Proto": "http", "X-Forwarded-Host": "evil.example"}, 200},
		{"signed for another", vepauth.Config{PublicOrigin: rp}, "https://other.example", "10.0.0.1", false, nil, 401},
		{"forwarded", vepauth.Config{TrustForwarded: true}, rp, "10.0.0.1:8080", false,
			map[string]string{"X-Forwarded-Proto": "https", "X-Forwarded-Host": "rp.example"}, 200},
		{"forwarded scheme", vepauth.Config{TrustForwarded: true}, rp, "rp.example", false, map[string]string{"X-Forwarded-Proto": "HTTPS"}, 200},
		{"not forwarded", vepauth.Config{TrustForwarded: true}, rp, "rp.example", true, nil, 200},
		{"the last is the proxy's", vepauth.Config{TrustForwarded: true}, rp, "10.0.0.1", false,
			map[string]string{"X-Forwarded-Proto": "http, https", "X-Forwarded-Host": "evil.example ,rp.example"}, 200},
		{"a malformed scheme", vepauth.Config{TrustForwarded: true}, rp, "rp.example", true, map[string]string{"X-Forwarded-Proto": "gopher"}, 401},
		{"a malformed host", vepauth.Config{TrustForwarded: true}, rp, "rp.example", true, map[string]string{"X-Forwarded-Host": "a b"}, 401},
		{"a malformed port, empty", vepauth.Config{}, rp, "rp.example:", true, nil, 401},
		{"a malformed port", vepauth.Config{}, rp, "rp.example:https", true, nil, 401},
	} {
		tokens, err := vepauth.NewSignedTokens(vepauth.SignedTokensConfig{Now: newClock().now})
		if err != nil {
			t.Fatal(err)
		}
		test.config.Tokens = tokens
		s := newSite(t, &test.config)
		public := newSite(t, &vepauth.Config{Tokens: tokens, Audiences: []string{rp, test.url}}).login(test.url + "/request_token")
		r := s.signed(request("GET", test.url+"/data"), public)
		r.RequestURI, r.Host, r.TLS = "/data", test.host, nil
		if test.tls {
			r.TLS = new(tls.ConnectionState)
		}
		for name, value := range test.headers {
			r.Header.Set(name, value)
		}
		check(t, test.name, s.do(r), test.status)
		if test.status == 401 && strings.HasPrefix(test.name, "a malformed") {
			posted := tokenRequest(rp+"/request_token", backed())
			posted.Header.Set("X-Forwarded-Proto", test.headers["X-Forwarded-Proto"])
			posted.Header.Set("X-Forwarded-Host", test.headers["X-Forwarded-Host"])
			posted.Host = test.host
			check(t, test.name+", token", s.do(posted), 400)
		}
	}
}

// TestTargetForms checks that the path is the one on the wire in every form of the target.
func TestTargetForms(t *testing.T) {
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

// TestStripPrefix checks that a prefix which a handler outside strips is part of what is
// signed.
func TestStripPrefix(t *testing.T) {
	s := newSite(t, &vepauth.Config{TokenURL: "/api/token"})
	h := http.StripPrefix("/api", s.handler)
	s.handler = h
	check(t, "stripped", s.do(s.signed(request("GET", rp+"/api/data"), s.login(rp+"/api/token"))), 200)
}

// public stands for the origin of the proxy in the Config of TestBehindProxy.
const public = "the origin of the proxy"

// getThroughProxy starts a server and a proxy before it that ends TLS, and requests a path
// with a client that signs in through the proxy. It returns the answer, and the log of the
// server.
func getThroughProxy(t *testing.T, config vepauth.Config, rewrite func(*httputil.ProxyRequest), path string) (*http.Response, string, error) {
	t.Helper()
	proxy := httptest.NewUnstartedServer(nil)
	origin, log := "https://"+proxy.Listener.Addr().String(), new(bytes.Buffer)
	config.Audiences, config.Logger = []string{origin}, slog.New(slog.NewTextHandler(log, nil))
	if config.PublicOrigin == public {
		config.PublicOrigin = origin
	}
	s := newSite(t, &config)
	mux := http.NewServeMux()
	mux.Handle("/request_token", s.auth.TokenEndpoint())
	mux.Handle("/", s.auth.Require(http.HandlerFunc(echo)))
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	to, err := url.Parse(server.URL)
	if err != nil {
		t.Fatal(err)
	}
	proxy.Config.Handler = &httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) {
		r.SetURL(to)
		rewrite(r)
	}}
	proxy.StartTLS()
	t.Cleanup(proxy.Close)
	transport := &vepauth.Transport{Base: proxy.Client().Transport, Now: s.now, Assertion: func(_ context.Context, audience string) (string, error) {
		return idp.Backed(alice, userKey, audience), nil
	}}
	res, err := (&http.Client{Transport: transport}).Get(origin + path)
	return res, log.String(), err
}

// TestBehindProxy checks a server behind a real proxy that ends TLS. Either requests are
// accepted, or the log names the cause.
func TestBehindProxy(t *testing.T) {
	otherHost := func(*httputil.ProxyRequest) {}
	keepHost := func(r *httputil.ProxyRequest) { r.Out.Host = r.In.Host }
	forwarded := func(r *httputil.ProxyRequest) { r.SetXForwarded() }
	stripped := func(r *httputil.ProxyRequest) { r.Out.URL.Path = strings.TrimPrefix(r.In.URL.Path, "/api") }
	announced := func(r *httputil.ProxyRequest) {
		stripped(r)
		r.Out.Header.Set("X-Forwarded-Prefix", "/api")
	}
	decoded := func(r *httputil.ProxyRequest) { r.Out.URL.RawPath = "" }
	behind := vepauth.Config{PublicOrigin: public}
	for _, test := range []struct {
		name    string
		config  vepauth.Config
		rewrite func(*httputil.ProxyRequest)
		path    string
		log     []string // nil means that requests are accepted
		mac     bool     // they are with MACBrowserID, which does not sign the scheme
	}{
		{"another Host", vepauth.Config{}, otherHost, "/data", []string{"origin mismatch", "set Config.PublicOrigin to https://127.0.0.1:"}, false},
		{"the Host of the client", vepauth.Config{}, keepHost, "/data", []string{"origin mismatch", "set Config.PublicOrigin to https://127.0.0.1:"}, true},
		{"not trusted", vepauth.Config{}, forwarded, "/data", []string{"X-Forwarded-Proto: https and X-Forwarded-Host: 127.0.0.1:", "Config.TrustForwarded is not set"}, false},
		{"nothing to trust", vepauth.Config{TrustForwarded: true}, otherHost, "/data", []string{"origin mismatch", "let the proxy set"}, false},
		{"public origin", behind, keepHost, "/data", nil, true},
		{"public origin, another Host", behind, otherHost, "/a%2Fb//c?d=e%20f", nil, true},
		{"trusted", vepauth.Config{TrustForwarded: true}, forwarded, "/data", nil, true},
		{"a removed prefix, named", vepauth.Config{PublicOrigin: public, TokenURL: "/api/request_token"}, announced, "/api/data",
			[]string{"bad signature", "X-Forwarded-Prefix names", "url=https://127.0.0.1:", "/data"}, false},
		{"a removed prefix", behind, stripped, "/api/data", []string{"bad signature", "a proxy changes the path", "/data"}, false},
		{"a decoded path", behind, decoded, "/a%2Fb", []string{"bad signature", "a proxy changes the path"}, false},
	} {
		for _, scheme := range []vepauth.Scheme{vepauth.OAuthVEP, vepauth.MACBrowserID} {
			what := test.name + ", " + string(scheme)
			test.config.Scheme = scheme
			res, log, err := getThroughProxy(t, test.config, test.rewrite, test.path)
			if test.log == nil || test.mac && scheme == vepauth.MACBrowserID {
				wantAnswer(t, what, res, err, 200, alice+" ")
				continue
			}
			if err == nil {
				wantAnswer(t, what, res, err, 401, "")
			}
			checkLog(t, what, log, append(test.log, "level=WARN")...)
		}
	}
}
