package vepauth_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/vepverify/vepverify/assertion"
	"github.com/vepverify/vepverify/devidp/idptest"
	"github.com/vepverify/vepverify/vepauth"
	"github.com/vepverify/vepverify/wellknown"
)

// logged returns a site whose log, from a level, is in the buffer.
func logged(t testing.TB, level slog.Level, c vepauth.Config) (*site, *bytes.Buffer) {
	log := new(bytes.Buffer)
	c.Logger = slog.New(slog.NewTextHandler(log, &slog.HandlerOptions{Level: level}))
	return newSite(t, &c), log
}

// checkLog checks that a log contains all texts of want, and no secret.
func checkLog(t testing.TB, what, log string, want ...string) {
	t.Helper()
	for _, text := range want {
		if !strings.Contains(log, text) {
			t.Errorf("%s: no %q in the log %q", what, text, log)
		}
	}
	for _, secret := range []string{"alice", "oauth_", backed()[:30], "?", "secret-"} {
		if strings.Contains(log, secret) {
			t.Errorf("%s: %q in the log %q", what, secret, log)
		}
	}
}

// TestWrongOrigin checks servers that do not know the origin that their clients see. No token
// is issued with which every request would be refused. The log names both origins, and the
// setting.
func TestWrongOrigin(t *testing.T) {
	https := map[string]string{"X-Forwarded-Proto": "https"}
	both := map[string]string{"X-Forwarded-Proto": "https", "X-Forwarded-Host": "rp.example"}
	for _, test := range []struct {
		name    string
		config  vepauth.Config // Audiences: rp, if empty
		proved  string         // rp, if empty
		server  string         // the URL that the server gets
		headers map[string]string
		log     []string // nil means that a token is issued
	}{
		{"TLS ends at a proxy", vepauth.Config{}, "", "http://rp.example", nil,
			[]string{"the assertion is for https://rp.example, but this server's origin is http://rp.example", "PublicOrigin to https://rp.example", "TrustForwarded"}},
		{"its headers are not trusted", vepauth.Config{}, "", "http://rp.example", both,
			[]string{"X-Forwarded-Proto: https and X-Forwarded-Host: rp.example, but Config.TrustForwarded is not set", "TrustForwarded"}},
		{"the scheme is not trusted", vepauth.Config{}, "", "http://rp.example", https, []string{"X-Forwarded-Proto: https, but Config.TrustForwarded is not set"}},
		{"RFC 7239", vepauth.Config{}, "", "http://rp.example", map[string]string{"Forwarded": `for=10.0.0.1;Proto=https;host="rp.example"`},
			[]string{"Forwarded for https://rp.example, but Config.TrustForwarded is not set"}},
		{"another Host", vepauth.Config{}, "", "http://127.0.0.1:8080", nil, []string{"this server's origin is http://127.0.0.1:8080", "PublicOrigin"}},
		{"another Host over TLS", vepauth.Config{}, "", "https://10.0.0.1", nil, []string{"this server's origin is https://10.0.0.1", "PublicOrigin"}},
		{"a port added", vepauth.Config{}, "", "https://rp.example:8443", nil, []string{"this server's origin is https://rp.example:8443"}},
		{"a port removed", vepauth.Config{Audiences: []string{"https://rp.example:8443"}}, "https://rp.example:8443", rp, nil, []string{"this server's origin is https://rp.example"}},
		{"an http audience over TLS", vepauth.Config{Audiences: []string{"http://rp.example"}}, "http://rp.example", rp, nil, []string{"this server's origin is https://rp.example"}},
		{"a wildcard", vepauth.Config{Audiences: []string{"https://*.rp.example"}}, "https://a.rp.example", "http://a.rp.example", nil,
			[]string{"the assertion is for https://a.rp.example, but this server's origin is http://a.rp.example"}},
		{"several audiences", vepauth.Config{Audiences: []string{rp, "https://b.example"}}, "https://b.example", "http://b.example", nil, []string{"for https://b.example"}},
		{"both schemes, and a proxy's header", vepauth.Config{Audiences: []string{rp, "http://rp.example"}}, "", "http://rp.example", https, []string{"X-Forwarded-Proto: https"}},
		{"trusted, without headers", vepauth.Config{TrustForwarded: true}, "", "http://10.0.0.1", nil, []string{"this server's origin is http://10.0.0.1", "let the proxy set X-Forwarded-Proto"}},
		{"trusted, without the scheme", vepauth.Config{TrustForwarded: true}, "", "http://10.0.0.1", map[string]string{"X-Forwarded-Host": "rp.example"},
			[]string{"this server's origin is http://rp.example", "let the proxy set X-Forwarded-Proto"}},
		{"the public origin of one of two", vepauth.Config{PublicOrigin: rp, Audiences: []string{rp, "https://b.example"}}, "https://b.example", "http://10.0.0.1",
			map[string]string{"X-Forwarded-Proto": "https", "X-Forwarded-Host": "b.example"}, []string{"this server's origin is https://rp.example", "correct Config.PublicOrigin"}},
		{"the public origin of one of two, by Host", vepauth.Config{PublicOrigin: rp, Audiences: []string{rp, "https://b.example"}}, "https://b.example", "http://b.example", nil,
			[]string{"the assertion is for https://b.example, but this server's origin is https://rp.example", "TrustForwarded"}},
		{"a wildcard and one public origin", vepauth.Config{PublicOrigin: "https://a.rp.example", Audiences: []string{"https://*.rp.example"}}, "https://b.rp.example", "http://b.rp.example", nil,
			[]string{"this server's origin is https://a.rp.example", "TrustForwarded"}},
		{"a public origin that is not an audience", vepauth.Config{PublicOrigin: "http://rp.example"}, "", "http://10.0.0.1", nil, []string{"this server's origin is http://rp.example", "correct Config.PublicOrigin"}},
		{"several proxies, the last one without TLS", vepauth.Config{TrustForwarded: true}, "", "http://10.0.0.1",
			map[string]string{"X-Forwarded-Proto": "https, http", "X-Forwarded-Host": "rp.example, rp.example"},
			[]string{"but this server's origin is http://rp.example; the request has X-Forwarded-Proto: http and X-Forwarded-Host: rp.example", "let the proxy set"}},
		{"a page at another origin", vepauth.Config{}, "", "https://api.rp.example", nil,
			[]string{"if clients do send requests to https://api.rp.example, add it to Config.Audiences"}},
		{"MAC", vepauth.Config{Scheme: vepauth.MACBrowserID}, "", "http://rp.example", nil, []string{"this server's origin is http://rp.example"}},
		{"MAC, another host", vepauth.Config{Scheme: vepauth.MACBrowserID}, "", "https://10.0.0.1", nil, []string{"this server's origin is https://10.0.0.1"}},

		{"the same", vepauth.Config{}, "", rp, both, nil},
		{"another spelling", vepauth.Config{}, "https://rp.example:443", "https://RP.example", nil, nil},
		{"IPv6", vepauth.Config{Audiences: []string{"https://[::1]:8443"}}, "https://[::1]:8443", "https://[0:0::1]:8443", nil, nil},
		{"another audience", vepauth.Config{Audiences: []string{rp, "https://b.example"}}, "https://b.example", rp, nil, nil},
		{"another subdomain", vepauth.Config{Audiences: []string{"https://*.rp.example"}}, "https://a.rp.example", "https://b.rp.example", nil, nil},
		{"both schemes", vepauth.Config{Audiences: []string{rp, "http://rp.example"}}, "", "http://rp.example", nil, nil},
		{"a page at another origin, which is configured", vepauth.Config{Audiences: []string{rp, "https://api.rp.example"}}, "", "https://api.rp.example", nil, nil},
		{"several proxies", vepauth.Config{TrustForwarded: true}, "", "http://10.0.0.1",
			map[string]string{"X-Forwarded-Proto": "http, https", "X-Forwarded-Host": "evil.example, rp.example"}, nil},
		{"default port of IPv6", vepauth.Config{Audiences: []string{"https://[::1]"}}, "https://[::1]", "https://[::1]:443", nil, nil},
		{"MAC, another audience", vepauth.Config{Scheme: vepauth.MACBrowserID, Audiences: []string{"https://rp.example:8443", "https://b.example"}},
			"https://b.example", "http://rp.example:8443", nil, nil},
		{"another audience, behind a proxy", vepauth.Config{PublicOrigin: rp, Audiences: []string{rp, "https://b.example"}}, "https://b.example", "http://10.0.0.1", nil, nil},
		{"a proxy that is configured", vepauth.Config{PublicOrigin: rp}, "", "http://10.0.0.1", nil, nil},
		{"a proxy that is trusted", vepauth.Config{TrustForwarded: true}, "", "http://10.0.0.1", both, nil},
		{"MAC does not sign the scheme", vepauth.Config{Scheme: vepauth.MACBrowserID, Audiences: []string{"https://rp.example:8443"}},
			"https://rp.example:8443", "http://rp.example:8443", https, nil},
	} {
		if test.config.Audiences == nil {
			test.config.Audiences = []string{rp}
		}
		if test.proved == "" {
			test.proved = rp
		}
		s, log := logged(t, slog.LevelWarn, test.config)
		r := tokenRequest(test.server+"/request_token", idp.Backed(alice, userKey, test.proved))
		for name, value := range test.headers {
			r.Header.Set(name, value)
		}
		got := s.do(r)
		if test.log == nil {
			check(t, test.name, got, 200)
			if log.Len() > 0 {
				t.Errorf("%s: %s", test.name, log)
			}
			continue
		}
		check(t, test.name, got, 400)
		checkFailure(t, test.name, got)
		checkLog(t, test.name, log.String(), append(test.log, "level=WARN", "origin mismatch")...)
		if reason := got.member("reason"); !strings.HasPrefix(reason, "origin mismatch") || strings.Contains(reason, "//") {
			t.Errorf("%s: the client is told %q", test.name, reason)
		}
	}
}

// TestPublicOriginOfNoAudience checks that New warns of an origin for which no client makes
// an assertion.
func TestPublicOriginOfNoAudience(t *testing.T) {
	for public, warned := range map[string]bool{"": false, rp: false, "https://RP.example:443/": false, "http://rp.example": true, "https://www.example": true} {
		_, log := logged(t, slog.LevelWarn, vepauth.Config{Audiences: []string{rp}, PublicOrigin: public})
		if strings.Contains(log.String(), "PublicOrigin is not one of Audiences") != warned {
			t.Errorf("%q: %q", public, log)
		}
	}
}

// TestUnknownAudience checks that the audience of a Verifier that is not one of the
// configuration is not compared, and not logged.
func TestUnknownAudience(t *testing.T) {
	for _, audience := range []string{"", "a\nb", "https://other.example"} {
		s, log := logged(t, slog.LevelDebug, vepauth.Config{Verifier: fixedVerifier{res: &assertion.Result{Email: alice, Audience: audience}}})
		check(t, audience, s.do(tokenRequest("http://10.0.0.1/request_token", backed())), 200)
		if log.Len() > 0 {
			t.Errorf("%q: %s", audience, log)
		}
	}
}

// TestNoAudience checks that the log tells an operator whose Audiences lack the origin of the
// server, if an assertion for that is refused.
func TestNoAudience(t *testing.T) {
	for name, test := range map[string]struct {
		signed, server string
		headers        [2]string
		log            []string
	}{
		"own origin":   {"http://rp.example", "http://rp.example", [2]string{}, []string{"level=WARN", "this server's origin, http://rp.example, is not one of Config.Audiences"}},
		"public":       {"https://www.example", rp, [2]string{"X-Forwarded-Host", "www.example"}, []string{"level=WARN", "not one of Config.Audiences; the request has X-Forwarded-Host: www.example"}},
		"the client's": {"https://other.example", rp, [2]string{}, []string{"level=INFO", "audience mismatch: domain mismatch"}},
	} {
		s, log := logged(t, slog.LevelInfo, vepauth.Config{Audiences: []string{rp}})
		r := tokenRequest(test.server+"/request_token", idp.Backed(alice, userKey, test.signed))
		if test.headers[0] != "" {
			r.Header.Set(test.headers[0], test.headers[1])
		}
		got := s.do(r)
		check(t, name, got, 400)
		if !strings.HasPrefix(got.member("reason"), "audience mismatch") {
			t.Errorf("%s: %s", name, got.body)
		}
		checkLog(t, name, log.String(), test.log...)
	}
}

// TestClock checks that the log tells an operator whose clock is wrong, if assertions are
// refused.
func TestClock(t *testing.T) {
	for difference, want := range map[time.Duration]string{2 * time.Hour: "expired", -2 * time.Hour: "later than verification date"} {
		s, log := logged(t, slog.LevelWarn, vepauth.Config{})
		s.advance(difference)
		got := s.do(tokenRequest(endpoint, backed()))
		check(t, want, got, 400)
		checkLog(t, want, log.String(), "level=WARN", want, "2023-11-14", "NTP")
	}
}

// TestRefusedRequestIsLogged checks that the log names the cause of every refused request,
// with the origin and path that this server verified. What the operator can correct is a
// warning.
func TestRefusedRequestIsLogged(t *testing.T) {
	foreign := newSite(t, nil).login(endpoint)
	two := vepauth.Config{Audiences: []string{rp, "http://rp.example"}}
	const shown = "url=https://rp.example/data\n"
	for _, test := range []struct {
		name   string
		config vepauth.Config
		change func(s *site, r *http.Request)
		log    []string
	}{
		{"a signature", vepauth.Config{}, func(s *site, r *http.Request) { edit(s, r, `signature="`, `signature="AAAA`) },
			[]string{"WARN", `"vepauth: bad signature"`, "url=https://rp.example/data"}},
		{"another path", vepauth.Config{}, func(s *site, r *http.Request) {
			r.RequestURI = rp + "/alice@idp.example/secret-" + strings.Repeat("x", 40) + "/z?secret-"
		},
			[]string{"WARN", "url=https://rp.example/…/…/z"}},
		{"a path with secrets", vepauth.Config{}, func(s *site, r *http.Request) {
			r.RequestURI = rp + "/alice%2540idp.example/d;id=secret-/0123456789abcdef0123456789abcdef/a%2Fb/1.5/%zz/z"
		},
			[]string{"WARN", "url=https://rp.example/…/…/…/a%2Fb/1.5/…/z"}},
		{"a removed prefix", vepauth.Config{}, func(s *site, r *http.Request) {
			r.Header = s.signed(request("GET", rp+"/api/data"), s.login(endpoint)).Header
			r.Header.Set("X-Forwarded-Prefix", "/api/")
		}, []string{"WARN", "X-Forwarded-Prefix"}},
		{"another origin", two, func(s *site, r *http.Request) {
			s.signed(r, s.login("http://rp.example/request_token"))
			r.TLS, r.RequestURI = nil, "/data"
			r.URL = &url.URL{Path: "/data"}
		}, []string{"WARN", "bad signature", "the request was signed for https://rp.example, but this server's origin is http://rp.example", "PublicOrigin"}},
		{"another origin, MAC", vepauth.Config{Scheme: vepauth.MACBrowserID}, func(s *site, r *http.Request) {
			s.signed(r, s.login("http://rp.example/request_token"))
			r.TLS, r.RequestURI = nil, "/data"
			r.URL = &url.URL{Path: "/data"}
		}, []string{"WARN", "bad signature", "the request was signed for https://rp.example, but this server's origin is http://rp.example", "PublicOrigin"}},
		{"a token of another origin", vepauth.Config{}, func(s *site, r *http.Request) { r.TLS = nil },
			[]string{"WARN", "the token is for https://rp.example, but this server's origin is http://rp.example"}},
		{"the clock", vepauth.Config{}, func(s *site, r *http.Request) { s.advance(time.Hour) },
			[]string{"WARN", "timestamp out of range", "1 hour behind this server's", "NTP"}},
		{"the clock, ahead", vepauth.Config{}, func(s *site, r *http.Request) { s.advance(-time.Hour) }, []string{"WARN", "1 hour ahead of"}},
		{"a foreign token", vepauth.Config{}, func(s *site, r *http.Request) { s.signed(r, foreign) },
			[]string{"WARN", "unknown or expired token", "SignedTokensConfig.Secrets"}},
		{"another application", vepauth.Config{TokenURL: "/{application}/{version}/token", Applications: map[string][]string{"sync": {"1.5"}, "keys": {"1"}}},
			func(s *site, r *http.Request) {
				s.signed(r, s.login(rp+"/sync/1.5/token"))
				r.RequestURI, r.URL.Path = rp+"/keys/1/data", "/keys/1/data"
			}, []string{"WARN", `the token is for application \"sync\", version \"1.5\"`, "Config.ApplicationOf"}},
		{"no scope", vepauth.Config{}, func(s *site, r *http.Request) {
			*s = *newSite(s, &vepauth.Config{Logger: s.logger, Tokens: fakeTokens{parse: func(*http.Request, string) (vepauth.Identity, string, error) {
				return vepauth.Identity{Email: alice}, "s", nil
			}}})
		}, []string{"WARN", "without the scope of its token", "let ParseToken return Grant.Scope"}},
		{"no host", vepauth.Config{}, func(s *site, r *http.Request) { r.Host, r.RequestURI = "", "/data" },
			[]string{"WARN", "the origin of the request is not known", "pass on the header Host"}},
		{"an expired token", vepauth.Config{}, func(s *site, r *http.Request) {
			c := s.login(endpoint)
			s.advance(time.Hour)
			s.signed(r, c)
		}, []string{"INFO", "unknown or expired token"}},
		{"a long path", vepauth.Config{}, func(s *site, r *http.Request) {
			r.RequestURI = rp + strings.Repeat("/abc", 45) + "/" + strings.Repeat("secret-", 9000)
		},
			[]string{"WARN", "url=https://rp.example/abc/", "/abc/…\n"}},
		{"a used nonce", vepauth.Config{Nonces: oneUse(func(string, time.Time) (bool, error) { return false, nil })}, nil, []string{"INFO", "nonce already used", shown}},
		{"a malformed header", vepauth.Config{}, func(s *site, r *http.Request) { r.Header.Set("Authorization", "OAuth, x") },
			[]string{"INFO", "malformed Authorization header", shown}},
		{"a rewritten URL", vepauth.Config{}, func(s *site, r *http.Request) { r.URL.RawQuery = "a" }, []string{"WARN", "a handler outside vepauth"}},
		{"no origin", vepauth.Config{TrustForwarded: true}, func(s *site, r *http.Request) { r.Header.Set("X-Forwarded-Proto", "secret-\n") },
			[]string{"WARN", "the origin of the request is not known", "let the proxy set"}},
		{"no nonces", vepauth.Config{Nonces: oneUse(func(string, time.Time) (bool, error) {
			return false, fmt.Errorf("store: %w", errors.New("READONLY"))
		})}, nil, []string{"WARN", "nonces cannot be checked now", "store: READONLY", shown}},
		{"full", vepauth.Config{Nonces: assertion.NewMemoryOneUse(1, newClock().now)}, func(s *site, r *http.Request) {
			check(s, "the first", s.do(s.signed(request("GET", data), s.login(endpoint))), 200)
		}, []string{"WARN", "nonces cannot be checked now", "full", "Config.Nonces"}},
		{"a broken store of tokens", vepauth.Config{}, func(s *site, r *http.Request) {
			*s = *newSite(s, &vepauth.Config{Logger: s.logger, Tokens: fakeTokens{parse: func(*http.Request, string) (vepauth.Identity, string, error) {
				return vepauth.Identity{}, "", errors.New("database is down")
			}}})
		}, []string{"WARN", "tokens cannot be checked now", "database is down"}},
	} {
		s, log := logged(t, slog.LevelInfo, test.config)
		r := s.signed(request("GET", data), s.login(endpoint))
		if test.change != nil {
			test.change(s, r)
		}
		for range 3 {
			if got := s.do(r); got.status < 400 {
				t.Errorf("%s: %d", test.name, got.status)
			}
		}
		checkLog(t, test.name, log.String(), test.log...)
		if lines := strings.Count(log.String(), "\n"); lines != 1 {
			t.Errorf("%s: %d lines: %s", test.name, lines, log)
		}
	}
}

// TestSuspicion checks that what is probably a client's fault is a warning only if no request
// was accepted in the last minute.
func TestSuspicion(t *testing.T) {
	s, log := logged(t, slog.LevelInfo, vepauth.Config{})
	c, foreign := s.login(endpoint), newSite(t, nil).login(endpoint)
	check(t, "accepted", s.do(s.signed(request("GET", data), c)), 200)
	check(t, "foreign", s.do(s.signed(request("GET", data), foreign)), 401)
	checkLog(t, "one client", log.String(), "level=INFO")
	log.Reset()
	s.advance(62 * time.Second)
	check(t, "foreign", s.do(s.signed(request("GET", data), foreign)), 401)
	checkLog(t, "all clients", log.String(), "level=WARN")
	log.Reset()
	ahead := s.signed(request("GET", data), c)
	check(t, "accepted", s.do(s.signed(request("GET", data), s.login(endpoint))), 200)
	s.advance(-2 * time.Hour)
	check(t, "ahead", s.do(ahead), 401)
	checkLog(t, "the clock was set back", log.String(), "level=WARN", "timestamp out of range")
}

// TestClientChoosesNoAdvice checks that a client cannot make the log advise an operator to
// trust an origin that the client has chosen.
func TestClientChoosesNoAdvice(t *testing.T) {
	for _, config := range []vepauth.Config{{}, {PublicOrigin: rp}, {TrustForwarded: true}, {Audiences: []string{"https://*.rp.example", rp}}, {Scheme: vepauth.MACBrowserID}} {
		s, log := logged(t, slog.LevelInfo, config)
		r := s.signed(request("GET", "https://evil.example/data"), s.login(endpoint))
		r.Host, r.RequestURI = "rp.example", "/data"
		r.URL = &url.URL{Path: "/data"}
		if !config.TrustForwarded {
			r.Header.Set("X-Forwarded-Proto", "https")
			r.Header.Set("X-Forwarded-Host", "evil.example")
		}
		r.Header.Set("Forwarded", "host=evil.example;proto=https")
		check(t, "signed for another origin", s.do(r), 401)
		checkLog(t, "signed for another origin", log.String(), "bad signature", "the client signed something else")
		if strings.Contains(log.String(), "evil") {
			t.Errorf("%+v: %s", config, log)
		}
	}
}

// TestCertainCauseIsNotHidden checks that a client's fault does not hide a cause that is
// certainly the server's, although both have the same reason.
func TestCertainCauseIsNotHidden(t *testing.T) {
	s, log := logged(t, slog.LevelInfo, vepauth.Config{})
	foreign := s.signed(request("GET", data), s.login(endpoint))
	foreign.Host, foreign.TLS = "10.0.0.1", nil
	ours := s.signed(request("GET", data), s.login("http://rp.example/request_token"))
	check(t, "of one of two origins", s.do(ours), 401)
	check(t, "of an origin that is not served", s.do(foreign), 401)
	checkLog(t, "both", log.String(), "but this server's origin is https://rp.example", "but this server's origin is http://10.0.0.1")
}

// TestNoAudiences checks that an authenticator without Audiences does not take its origin for
// a mistake: it has none to compare with.
func TestNoAudiences(t *testing.T) {
	tokens, err := vepauth.NewSignedTokens(vepauth.SignedTokensConfig{Now: newClock().now})
	if err != nil {
		t.Fatal(err)
	}
	c := newSite(t, &vepauth.Config{Tokens: tokens}).login("http://rp.example/request_token")
	s, log := logged(t, slog.LevelInfo, vepauth.Config{Tokens: tokens, Audiences: []string{}, DisableTokenEndpoint: true})
	check(t, "accepted", s.do(s.signed(request("GET", "http://rp.example/data"), c)), 200)
	check(t, "of another origin", s.do(s.signed(request("GET", data), c)), 401)
	checkLog(t, "of another origin", log.String(), "level=INFO", "the token is for http://rp.example")
}

// TestLogIsBounded checks that clients cannot fill the log, whatever they choose.
func TestLogIsBounded(t *testing.T) {
	s, log := logged(t, slog.LevelInfo, vepauth.Config{Audiences: []string{rp}, Nonces: oneUse(func(key string, _ time.Time) (bool, error) {
		return false, errors.New("store: refused")
	})})
	c := s.login(endpoint)
	for i := range 300 {
		host := fmt.Sprintf("http://h%d.example", i)
		s.do(tokenRequest(host+"/request_token", backed()))
		s.do(tokenRequest(host+"/request_token", idp.Backed(alice, userKey, host)))
		s.do(tokenRequest(endpoint, idptest.New(fmt.Sprintf("idp%d.example", i)).At(start).Backed(alice, userKey, rp)))
		s.do(s.signed(request("GET", rp+fmt.Sprint("/", i)), c))
		s.do(s.signed(request("GET", rp+fmt.Sprint("/", i)), vepauth.Credentials{ID: fmt.Sprint(i), Secret: "s"}))
		s.do(edit(t, s.signed(request("GET", rp+fmt.Sprint("/", i)), c), `nonce="`, `nonce="A`))
		s.do(get(host+fmt.Sprint("/", i), fmt.Sprintf("OAuth, x%d", i)))
	}
	if lines := strings.Count(log.String(), "\n"); lines < 6 || lines > 20 {
		t.Errorf("%d lines: %.9000s", lines, log)
	}
}

// TestLogLineIsBounded checks that a client cannot make a line long or break it, whatever a
// header has.
func TestLogLineIsBounded(t *testing.T) {
	long := strings.Repeat("a.", 5000) + "example"
	for _, host := range []string{long, long + "\nlevel=ERROR", "a\x1b[31m", "\u202e", "[" + long, `a" error="b`} {
		for _, config := range []vepauth.Config{{Audiences: []string{rp}}, {TrustForwarded: true}, {PublicOrigin: "https://rp.example:444"}} {
			s, log := logged(t, slog.LevelDebug, config)
			for i, r := range []*http.Request{
				tokenRequest(endpoint, backed()), tokenRequest(endpoint, idp.Backed(alice, userKey, "https://"+long)),
				s.signed(request("GET", data), vepauth.Credentials{ID: "a", Secret: "s"}), request("GET", data),
			} {
				r.TLS, r.Host = nil, host
				r.Header.Set("X-Forwarded-Proto", "https")
				r.Header.Set("X-Forwarded-Host", host)
				r.Header.Set("X-Forwarded-Prefix", host)
				r.Header.Set("Forwarded", `host="`+host+`"`)
				s.do(r)
				for line := range strings.Lines(log.String()) {
					if len(line) > 2000 || strings.ContainsAny(line, "\x1b\u202e") || strings.HasPrefix(line, "level") {
						t.Errorf("%d, %.20q: %.300q", i, host, line)
					}
				}
				log.Reset()
			}
		}
	}
}

// TestTokenRequestElsewhere checks that the log names a proxy that has changed the path of the
// token endpoint: its requests look like others without credentials.
func TestTokenRequestElsewhere(t *testing.T) {
	for _, test := range []struct {
		tokenURL, url string
		logged        bool
	}{
		{"/api/request_token", "/request_token", true},
		{"/request_token", "/api/request_token", true},
		{"/token/", "/v1/token/", false}, // ends with no segment
		{"/token/{name}", "/v1/token/x", false},
		{"/request_token", "/other_request_token", false},
		{"/request_token", "/data", false},
	} {
		s, log := logged(t, slog.LevelInfo, vepauth.Config{TokenURL: test.tokenURL})
		h := s.auth.Require(http.HandlerFunc(echo))
		check(t, test.url, do(h, request("GET", rp+test.url)), 401)
		if log.Len() > 0 {
			t.Errorf("GET %s: %s", test.url, log)
		}
		check(t, test.url, do(h, tokenRequest(rp+test.url, backed())), 401)
		if !test.logged && log.Len() > 0 {
			t.Errorf("%s: %s", test.url, log)
		} else if test.logged {
			checkLog(t, test.url, log.String(), "level=WARN", "Config.TokenURL", "url=https://rp.example"+test.url)
		}
	}
}

// TestNothingToLog checks that no line is logged for what clients do every day.
func TestNothingToLog(t *testing.T) {
	s, log := logged(t, slog.LevelDebug, vepauth.Config{})
	h := s.auth.Require(http.HandlerFunc(echo))
	check(t, "no credentials", do(h, request("GET", data)), 401)
	check(t, "signed", do(h, s.signed(request("GET", data), s.login(endpoint))), 200)
	if log.Len() > 0 {
		t.Error(log)
	}
}

// TestUndecided checks that the answers that may be others later say so.
func TestUndecided(t *testing.T) {
	known, err := wellknown.NewStatic(map[string]json.RawMessage{"idp.example": idp.Document().JSON()})
	if err != nil {
		t.Fatal(err)
	}
	replays, err := assertion.NewVerifier(assertion.Config{Keys: known, Now: newClock().now, OneUse: oneUse(func(string, time.Time) (bool, error) {
		return false, errors.New("store: down")
	})})
	if err != nil {
		t.Fatal(err)
	}
	for name, config := range map[string]vepauth.Config{
		"replays":   {Verifier: replays},
		"lookup":    {Verifier: fixedVerifier{err: &assertion.Error{Kind: assertion.ErrUndecided, Reason: "unreachable"}}},
		"no result": {Verifier: fixedVerifier{}},
		"tokens":    {Tokens: issues(vepauth.Token{}, errors.New("down"))},
	} {
		s, log := logged(t, slog.LevelWarn, config)
		got := s.do(tokenRequest(endpoint, backed()))
		check(t, name, got, 503)
		if !strings.HasSuffix(got.body, `"undecided":true}`+"\n") {
			t.Errorf("%s: %s", name, got.body)
		}
		checkLog(t, name, log.String(), "level=WARN", map[string]string{"replays": "store: down", "tokens": "down", "lookup": "unreachable"}[name])
	}
	s := newSite(t, &vepauth.Config{Nonces: oneUse(func(string, time.Time) (bool, error) { return false, errors.New("down") })})
	if got := s.do(s.signed(request("GET", data), s.login(endpoint))); !strings.HasSuffix(got.body, `"undecided":true}`+"\n") {
		t.Errorf("nonces: %s", got.body)
	}
}
