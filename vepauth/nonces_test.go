package vepauth_test

import (
	"bytes"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/vepverify/vepverify/vepauth"
)

// TestNonces checks that a used nonce is refused, that a request that was not accepted uses
// up none, and that no request is accepted if the store has an error.
func TestNonces(t *testing.T) {
	s := newSite(t, nil)
	c := s.login(endpoint)
	r := s.signed(request("GET", data), c)
	check(t, "bad signature", s.do(edit(t, resend(r), `signature="`, `signature="A`)), 401)
	check(t, "first", s.do(resend(r)), 200)
	got := s.do(resend(r))
	checkRefused(t, "second", got, oauthChallenge)
	if got.member("reason") != "nonce already used" {
		t.Errorf("%s", got.body)
	}
	s.advance(time.Minute)
	checkRefused(t, "second, at the last moment", s.do(resend(r)), oauthChallenge)

	for name, err := range map[string]error{"full": errors.New("full"), "down": errors.New("down")} {
		log := new(bytes.Buffer)
		s := newSite(t, &vepauth.Config{
			Nonces: oneUse(func(string, time.Time) (bool, error) { return true, err }),
			Logger: slog.New(slog.NewTextHandler(log, nil)),
		})
		r := s.signed(request("GET", data), s.login(endpoint))
		got := s.do(r)
		check(t, name, got, 503)
		checkFailure(t, name, got)
		if got.header.Get("Retry-After") == "" || strings.Contains(got.body, err.Error()) || !strings.Contains(log.String(), "error="+err.Error()) {
			t.Errorf("%s: %v %s, log %s", name, got.header, got.body, log)
		}
	}
}

// TestNonceKeys checks the keys in the store: one for each token, nonce and timestamp, kept
// longer than any server could accept the request.
func TestNonceKeys(t *testing.T) {
	keys := map[string]bool{}
	s := newSite(t, &vepauth.Config{Nonces: oneUse(func(key string, until time.Time) (bool, error) {
		keys[key] = true
		if len(key) != 43 {
			t.Errorf("key %q", key)
		}
		if until.Before(start.Add(2 * time.Minute)) {
			t.Errorf("kept until %v", until)
		}
		return true, nil
	})})
	one, other := s.login(endpoint), s.login(endpoint)
	for _, c := range []vepauth.Credentials{one, other} {
		for _, nonce := range []string{"a", strings.Repeat("a", 5000)} {
			for _, at := range []time.Time{start, start.Add(time.Second)} {
				r := request("GET", data)
				err := (vepauth.Signer{Credentials: c, Now: func() time.Time { return at }, Rand: strings.NewReader(strings.Repeat(nonce, 16))}).Sign(r)
				if err != nil {
					t.Fatal(err)
				}
				check(t, "nonce", s.do(r), 200)
			}
		}
	}
	if len(keys) != 4 {
		t.Errorf("%d keys", len(keys))
	}
}

// TestSlowStore checks that a request is refused if the store took so long that its entry
// could have expired meanwhile.
func TestSlowStore(t *testing.T) {
	c := newClock()
	s := newSite(t, &vepauth.Config{Now: c.now, Verifier: verifier(t, c.now), Nonces: oneUse(func(string, time.Time) (bool, error) {
		c.advance(time.Minute + 1)
		return true, nil
	})})
	checkRefused(t, "slow", s.do(s.signed(request("GET", data), s.login(endpoint))), oauthChallenge)
}
