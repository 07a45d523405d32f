package vepauth_test

import (
	"encoding/base64"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/vepverify/vepverify/assertion"
	"github.com/vepverify/vepverify/vepauth"
)

// The tests in this file check that the weaknesses of the original plugin are absent.
// replay_test.go has the replay to another process.

// signedWith signs with a chosen nonce, repeated to 16 bytes.
func (s *site) signedWith(nonce string, r *http.Request, c vepauth.Credentials) *http.Request {
	s.Helper()
	err := vepauth.Signer{Credentials: c, Now: s.now, Rand: strings.NewReader(strings.Repeat(nonce, 16)[:16])}.Sign(r)
	if err != nil {
		s.Fatal(err)
	}
	return r
}

// TestOriginalSharedNonces checks for a weakness of the original: all users shared one set of
// nonces, so one user could use up the nonces of another.
func TestOriginalSharedNonces(t *testing.T) {
	s := newSite(t, nil)
	one, other := s.login(endpoint), s.login(endpoint)
	check(t, "one", s.do(s.signedWith("n", request("GET", data), one)), 200)
	check(t, "the other with the same nonce", s.do(s.signedWith("n", request("GET", data), other)), 200)
	check(t, "one again", s.do(s.signedWith("n", request("GET", data), one)), 401)
	s.advance(time.Second)
	check(t, "one at another time", s.do(s.signedWith("n", request("GET", data), one)), 200)
}

// TestOriginalNonceBeforeSignature checks for a weakness of the original: the nonces of
// requests with a bad signature were stored, so anyone who saw or guessed a nonce could use
// it up.
func TestOriginalNonceBeforeSignature(t *testing.T) {
	s := newSite(t, nil)
	c := s.login(endpoint)
	forged := c
	forged.Secret = "guessed"
	for range 3 {
		check(t, "forged", s.do(s.signedWith("n", request("GET", data), forged)), 401)
	}
	check(t, "its owner", s.do(s.signedWith("n", request("GET", data), c)), 200)
}

// TestOriginalCheckThenAdd checks for a weakness of the original: a nonce was looked up and
// added in two steps, so several concurrent requests with one nonce were accepted.
func TestOriginalCheckThenAdd(t *testing.T) {
	s := newSite(t, nil)
	c := s.login(endpoint)
	const rounds, at = 50, 16
	for range rounds {
		r := s.signed(request("GET", data), c)
		var accepted atomic.Int32
		var together sync.WaitGroup
		begin := make(chan struct{})
		for range at {
			copied := resend(r)
			together.Go(func() {
				<-begin
				if got := s.do(copied); got.status == 200 {
					accepted.Add(1)
				} else if got.status != 401 {
					t.Errorf("%d %s", got.status, got.body)
				}
			})
		}
		close(begin)
		together.Wait()
		if n := accepted.Load(); n != 1 {
			t.Fatalf("%d of %d accepted", n, at)
		}
	}
}

// TestOriginalUnboundedNonces checks for a weakness of the original: the memory grew with
// each nonce. A full store now refuses requests: it does not grow, and it does not evict
// nonces that could be replayed.
func TestOriginalUnboundedNonces(t *testing.T) {
	const room, flood = 200, 1000
	c := newClock()
	s := newSite(t, &vepauth.Config{Now: c.now, Verifier: verifier(t, c.now), Nonces: assertion.NewMemoryOneUse(room, c.now)})
	s.clock = c
	credentials := s.login(endpoint)
	accepted := make([]*http.Request, 0, room)
	for i := range flood {
		r := s.signed(request("GET", fmt.Sprint(data, "?", i)), credentials)
		switch got := s.do(r); {
		case got.status == 200 && i < room:
			accepted = append(accepted, r)
		case got.status != 503 || i < room || got.header.Get("Retry-After") == "":
			t.Fatalf("request %d: %d %s", i, got.status, got.body)
		}
		if i%10 == 0 {
			for _, r := range accepted[:min(len(accepted), 5)] {
				check(t, "replay", s.do(resend(r)), 401)
			}
		}
	}
	for _, r := range accepted {
		check(t, "replay", s.do(resend(r)), 401)
	}
	c.advance(2*time.Minute + time.Second) // there is room again
	for _, r := range accepted {
		check(t, "replay after expiry", s.do(resend(r)), 401)
	}
	check(t, "fresh", s.do(s.signed(request("GET", data), credentials)), 200)
}

// TestOriginalLearnedSkew checks for a weakness of the original: the clock skew of a client
// was learned from its first request, so a request of last year was accepted, and all others
// that were recorded then.
func TestOriginalLearnedSkew(t *testing.T) {
	s := newSite(t, nil)
	for _, off := range []time.Duration{-365 * 24 * time.Hour, -time.Hour, time.Hour, 365 * 24 * time.Hour} {
		c := s.login(endpoint)
		for range 3 {
			r := request("GET", data)
			err := vepauth.Signer{Credentials: c, Now: func() time.Time { return s.now().Add(off) }}.Sign(r)
			if err != nil {
				t.Fatal(err)
			}
			check(t, off.String(), s.do(r), 401)
		}
		check(t, "on time", s.do(s.signed(request("GET", data), c)), 200)
	}
}

// TestOriginalSHA1 checks for a weakness of the original: the salt had 24 bits, so tokens of
// a user shared secrets, and everything used SHA-1. TestTokenFormat checks the salt, this
// test the length of the MAC.
func TestOriginalSHA1(t *testing.T) {
	token, err := signedTokens(t, vepauth.SignedTokensConfig{}).MakeToken(nil, grant(alice))
	if err != nil {
		t.Fatal(err)
	}
	raw, err := base64.RawURLEncoding.DecodeString(token.ID)
	if err != nil {
		t.Fatal(err)
	}
	if end := strings.LastIndexByte(string(raw[:len(raw)-31]), '}'); len(raw)-end-1 != 32 {
		t.Errorf("%d bytes of MAC", len(raw)-end-1)
	}
	s := newSite(t, nil)
	c := s.login(endpoint)
	c.Method = vepauth.HMACSHA256
	check(t, "SHA-256", s.do(s.signed(request("GET", data), c)), 200)
}

// TestOriginalMisspeltApplications checks for a weakness of the original: a misspelt
// application was ignored, and then all were allowed.
func TestOriginalMisspeltApplications(t *testing.T) {
	if _, err := vepauth.New(vepauth.Config{
		Audiences: []string{rp}, TokenURL: "/{application}/{version}/token", Applications: map[string][]string{"sync-1.0": nil},
	}); err == nil {
		t.Error("an application without versions is accepted")
	}
	if _, err := vepauth.New(vepauth.Config{Audiences: []string{rp}, TokenURL: "/{application}/{version}/token"}); err == nil {
		t.Error("a token URL with placeholders of applications, but without Applications, is accepted")
	}
	s := twoApplications(t, nil)
	check(t, "unlisted", s.do(tokenRequest(rp+"/other/1.0/token", backed())), 404)
}

// TestOriginalExceptions checks for a weakness of the original: malformed input was answered
// with 500.
func TestOriginalExceptions(t *testing.T) {
	odd := []string{
		"", " ", ",", "=", `"`, `\`, "%", "%zz", "\x00", "\xff\xfe", "é", "😀", "~", "~~", ".", "..~..", "a~b", "e30.e30.e30~e30.e30.e30",
		"null", "[]", "{}", "-1", "1e400", "NaN", "OAuth", "Browser-ID", "MAC", strings.Repeat("A", 20000), strings.Repeat("~", 100), strings.Repeat("=", 1000),
	}
	for _, scheme := range []vepauth.Scheme{vepauth.OAuthVEP, vepauth.MACBrowserID} {
		s := newSite(t, &vepauth.Config{Scheme: scheme, TokenURL: "/{application}/{version}/token", Applications: map[string][]string{"a": {"1"}}})
		for _, text := range odd {
			for _, r := range []*http.Request{
				get(data, text), get(data, "OAuth "+text), get(data, "MAC "+text), get(data, `OAuth oauth_consumer_key="`+text+`"`),
				get(data, `OAuth oauth_signature_method="HMAC-SHA1", oauth_consumer_key="`+text+`", oauth_timestamp="1700000000", oauth_nonce="n", oauth_signature="s"`),
				get(data, `OAuth oauth_signature_method="HMAC-SHA1", oauth_consumer_key="t", oauth_timestamp="`+text+`", oauth_nonce="n", oauth_signature="s"`),
				get(data, `MAC id="`+text+`", ts="1700000000", nonce="n", mac="m"`),
				get(rp+"/a/1/token", text), get(rp+"/a/1/token", "Browser-ID "+text), tokenRequest(rp+"/a/1/token", text),
				form(request("POST", rp+"/a/1/token", text)), form(request("POST", rp+"/a/1/token", "assertion="+text)),
				header(request("POST", rp+"/a/1/token", "x"), "Content-Type", text),
				header(form(request("POST", data, text)), "Authorization", "OAuth "+text),
			} {
				if got := s.do(r); got.status >= 500 {
					t.Errorf("%s %s %q: %d", r.Method, r.URL, text, got.status)
				}
			}
		}
	}
}

// TestOriginalPlaceholdersAcrossSlashes checks for a weakness of the original: a placeholder
// matched slashes, so a path could be parsed in two ways.
func TestOriginalPlaceholdersAcrossSlashes(t *testing.T) {
	s := twoApplications(t, nil)
	for _, path := range []string{"/sync/1.5/1.5/token", "/a/sync/1.5/token", "/sync/1.5%2Ftoken"} {
		got := s.do(tokenRequest(rp+path, backed()))
		if got.status != 200 || !strings.HasPrefix(got.body, "anonymous ") { // the answer of the next handler
			t.Errorf("%s: %d %s", path, got.status, got.body)
		}
	}
}

// TestOriginalAudienceGlobs checks for a weakness of the original: audiences were globs, and
// mozilla.com* matched mozilla.com.evil.org.
func TestOriginalAudienceGlobs(t *testing.T) {
	for _, glob := range []string{"mozilla.com*", "https://mozilla.com*", "https://*mozilla.com", "*", "https://?ozilla.com", "https://[m]ozilla.com"} {
		if _, err := vepauth.New(vepauth.Config{Audiences: []string{glob}}); err == nil {
			t.Errorf("%s is accepted", glob)
		}
	}
	s := newSite(t, &vepauth.Config{Audiences: []string{"https://mozilla.com", "https://*.mozilla.com"}})
	for _, audience := range []string{"https://mozilla.com.evil.org", "https://evilmozilla.com", "https://www.mozilla.com.evil.org"} {
		check(t, audience, s.do(tokenRequest(endpoint, idp.Backed(alice, userKey, audience))), 400)
	}
}
