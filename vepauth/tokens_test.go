package vepauth_test

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/vepverify/vepverify/assertion"
	"github.com/vepverify/vepverify/vepauth"
)

var (
	oldSecret = bytes.Repeat([]byte{1}, 32)
	newSecret = bytes.Repeat([]byte{2}, 16)
)

func signedTokens(t testing.TB, c vepauth.SignedTokensConfig) *vepauth.SignedTokens {
	t.Helper()
	if c.Now == nil {
		c.Now = newClock().now
	}
	tokens, err := vepauth.NewSignedTokens(c)
	if err != nil {
		t.Fatal(err)
	}
	return tokens
}

func grant(email string) vepauth.Grant {
	return vepauth.Grant{
		Result: &assertion.Result{Email: email, Issuer: "idp.example"},
		Scope:  vepauth.Scope{Origin: rp, Application: "sync", Version: "1.5"},
	}
}

// TestSignedTokens checks that ParseToken returns what MakeToken got, with the same secret.
func TestSignedTokens(t *testing.T) {
	tokens := signedTokens(t, vepauth.SignedTokensConfig{Secrets: [][]byte{oldSecret}})
	for _, email := range []string{alice, "x@y.z", "!#$%&'*+/=?^_`{|}~.-@idp.example", strings.Repeat("a", 230) + "@idp.example"} {
		token, err := tokens.MakeToken(nil, grant(email))
		if err != nil {
			t.Fatal(err)
		}
		id, secret, err := tokens.ParseToken(nil, token.ID)
		want := vepauth.Identity{Email: email, Issuer: "idp.example", Scope: grant("").Scope, Expires: id.Expires}
		if err != nil || secret != token.Secret || id != want || !id.Expires.Equal(start.Add(5*time.Minute)) {
			t.Errorf("%+v, %v", id, err)
		}
		if raw, err := base64.RawURLEncoding.DecodeString(secret); err != nil || len(raw) != 32 {
			t.Errorf("a secret of %d bytes", len(raw))
		}
	}
}

// TestTokenFormat checks that the payload is readable JSON, that a MAC of 32 bytes follows,
// and that the salt has at least 128 bits, which are new each time.
func TestTokenFormat(t *testing.T) {
	tokens := signedTokens(t, vepauth.SignedTokensConfig{})
	salts := map[string]bool{}
	for range 100 {
		token, err := tokens.MakeToken(nil, grant(alice))
		if err != nil {
			t.Fatal(err)
		}
		raw, err := base64.RawURLEncoding.DecodeString(token.ID)
		if err != nil {
			t.Fatal(err)
		}
		var payload struct{ Email, N string }
		if err := json.Unmarshal(raw[:len(raw)-32], &payload); err != nil || payload.Email != alice {
			t.Fatalf("%s: %v", raw, err)
		}
		if salt, err := base64.RawURLEncoding.DecodeString(payload.N); err != nil || len(salt) < 16 {
			t.Fatalf("%s: %v", payload.N, err)
		}
		salts[payload.N] = true
	}
	if len(salts) != 100 {
		t.Errorf("%d salts of 100 tokens", len(salts))
	}
}

// TestModifiedTokens checks that no modification of a token is accepted, nor is a second text
// of it: every character replaced, removed and inserted.
func TestModifiedTokens(t *testing.T) {
	tokens := signedTokens(t, vepauth.SignedTokensConfig{})
	token, err := tokens.MakeToken(nil, grant(alice))
	if err != nil {
		t.Fatal(err)
	}
	refuse := func(text string) {
		t.Helper()
		if id, secret, err := tokens.ParseToken(nil, text); !errors.Is(err, vepauth.ErrRefused) || secret != "" || id != (vepauth.Identity{}) {
			t.Fatalf("%q: %+v, %v", text, id, err)
		}
	}
	good := token.ID
	const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_+/=.~ \n\r\x00é"
	for i := range good {
		for _, c := range alphabet {
			if byte(c) != good[i] {
				refuse(good[:i] + string(c) + good[i+1:])
			}
		}
		for _, c := range "A\n\r =" {
			refuse(good[:i] + string(c) + good[i:])
		}
		refuse(good[:i])
		refuse(good[i+1:])
	}
	for _, text := range []string{good + "\n", good + "=", good + "==", good + "A", good + good, strings.Repeat("A", 43), strings.Repeat("A", 100000), "😀"} {
		refuse(text)
	}
}

// TestTokenLife checks that tokens expire at their time and not before.
func TestTokenLife(t *testing.T) {
	for _, life := range []time.Duration{0, time.Second, 24 * time.Hour} {
		c := newClock()
		tokens := signedTokens(t, vepauth.SignedTokensConfig{Life: life, Now: c.now})
		token, err := tokens.MakeToken(nil, grant(alice))
		if err != nil {
			t.Fatal(err)
		}
		if life == 0 {
			life = 5 * time.Minute
		}
		c.advance(life)
		if _, _, err := tokens.ParseToken(nil, token.ID); err != nil {
			t.Errorf("%v: %v at its end", life, err)
		}
		c.advance(time.Millisecond)
		if _, _, err := tokens.ParseToken(nil, token.ID); !errors.Is(err, vepauth.ErrRefused) {
			t.Errorf("%v: %v after its end", life, err)
		}
	}
}

// TestExpiredTokenIsChallenged checks that an expired token is answered with a challenge, so
// that a client gets another.
func TestExpiredTokenIsChallenged(t *testing.T) {
	s := newSite(t, nil)
	c := s.login(endpoint)
	s.advance(5*time.Minute + time.Second)
	checkRefused(t, "expired", s.do(s.signed(request("GET", data), c)), oauthChallenge)
}

// TestRotation checks the rotation of master secrets: the first signs tokens, and all are
// accepted until they are removed.
func TestRotation(t *testing.T) {
	before := signedTokens(t, vepauth.SignedTokensConfig{Secrets: [][]byte{oldSecret}})
	during := signedTokens(t, vepauth.SignedTokensConfig{Secrets: [][]byte{newSecret, oldSecret}})
	after := signedTokens(t, vepauth.SignedTokensConfig{Secrets: [][]byte{newSecret}})
	for i, test := range []struct {
		maker, reader *vepauth.SignedTokens
		ok            bool
	}{
		{before, during, true}, {during, after, true}, {during, during, true}, {before, after, false}, {during, before, false},
	} {
		token, err := test.maker.MakeToken(nil, grant(alice))
		if err != nil {
			t.Fatal(err)
		}
		_, secret, err := test.reader.ParseToken(nil, token.ID)
		if test.ok && (err != nil || secret != token.Secret) || !test.ok && !errors.Is(err, vepauth.ErrRefused) {
			t.Errorf("%d: %v", i, err)
		}
	}
}

// TestRandomSecret checks that each process without a configured secret has one of its own.
func TestRandomSecret(t *testing.T) {
	token, err := signedTokens(t, vepauth.SignedTokensConfig{}).MakeToken(nil, grant(alice))
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := signedTokens(t, vepauth.SignedTokensConfig{}).ParseToken(nil, token.ID); !errors.Is(err, vepauth.ErrRefused) {
		t.Errorf("%v", err)
	}
}

// TestSecretsDiffer checks that two tokens never have the same secret, even if they are of the
// same user and time.
func TestSecretsDiffer(t *testing.T) {
	always := func() *strings.Reader { return strings.NewReader(strings.Repeat("x", 16)) }
	seen := map[string]bool{}
	for _, email := range []string{alice, "bob@idp.example"} { // with the same salt
		token, err := signedTokens(t, vepauth.SignedTokensConfig{Secrets: [][]byte{oldSecret}, Rand: always()}).MakeToken(nil, grant(email))
		if err != nil {
			t.Fatal(err)
		}
		seen[token.Secret] = true
	}
	tokens := signedTokens(t, vepauth.SignedTokensConfig{})
	for range 10 {
		token, err := tokens.MakeToken(nil, grant(alice))
		if err != nil {
			t.Fatal(err)
		}
		seen[token.Secret] = true
	}
	if len(seen) != 12 {
		t.Errorf("%d secrets of 12 tokens", len(seen))
	}
}

func TestBadSignedTokens(t *testing.T) {
	for name, c := range map[string]vepauth.SignedTokensConfig{
		"empty secret":        {Secrets: [][]byte{{}}},
		"nil secret":          {Secrets: [][]byte{nil}},
		"second secret empty": {Secrets: [][]byte{oldSecret, {}}},
		"short secret":        {Secrets: [][]byte{make([]byte, 15)}},
		"negative life":       {Life: -1},
		"too long a life":     {Life: 25 * time.Hour},
		"no randomness":       {Rand: strings.NewReader("")},
	} {
		if tokens, err := vepauth.NewSignedTokens(c); err == nil || tokens != nil {
			t.Errorf("%s is accepted", name)
		}
	}
	tokens := signedTokens(t, vepauth.SignedTokensConfig{Secrets: [][]byte{oldSecret}, Rand: strings.NewReader("short")})
	if _, err := tokens.MakeToken(nil, grant(alice)); err == nil || errors.Is(err, vepauth.ErrRefused) {
		t.Errorf("without randomness: %v", err)
	}
	for _, g := range []vepauth.Grant{{}, grant("")} {
		if _, err := tokens.MakeToken(nil, g); !errors.Is(err, vepauth.ErrRefused) {
			t.Errorf("no email address: %v", err)
		}
	}
}

// TestSecretsAreCopied checks that modifying the slice of a secret later has no effect.
func TestSecretsAreCopied(t *testing.T) {
	secret := bytes.Repeat([]byte{3}, 16)
	tokens := signedTokens(t, vepauth.SignedTokensConfig{Secrets: [][]byte{secret}})
	token, err := tokens.MakeToken(nil, grant(alice))
	clear(secret)
	if _, got, parseErr := tokens.ParseToken(nil, token.ID); err != nil || parseErr != nil || got != token.Secret {
		t.Errorf("%v, %v", err, parseErr)
	}
}

// TestRedaction checks that formatting and logging shows neither tokens nor credentials.
func TestRedaction(t *testing.T) {
	token := vepauth.Token{ID: "IDENT", Secret: "SECRET"}
	credentials := vepauth.Credentials{ID: "IDENT", Secret: "SECRET"}
	for _, v := range []any{token, &token, credentials, &credentials, vepauth.Signer{Credentials: credentials}, []any{token}} {
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x"} {
			if text := fmt.Sprintf(verb, v); strings.Contains(text, "SECRET") || strings.Contains(text, "IDENT") || strings.Contains(text, "534543") {
				t.Errorf("%s: %s", verb, text)
			}
		}
	}
}

// TestZeroSignedTokens checks that SignedTokens which NewSignedTokens has not made issue and
// accept no tokens, and that this is not the fault of clients.
func TestZeroSignedTokens(t *testing.T) {
	grant := vepauth.Grant{Result: &assertion.Result{Email: alice}}
	for name, tokens := range map[string]*vepauth.SignedTokens{"nil": nil, "zero": {}} {
		if token, err := tokens.MakeToken(nil, grant); err == nil || errors.Is(err, vepauth.ErrRefused) || token.ID != "" {
			t.Errorf("%s: MakeToken: %v", name, err)
		}
		for _, token := range []string{"", "x", strings.Repeat("A", 80)} {
			if _, _, err := tokens.ParseToken(nil, token); err == nil || errors.Is(err, vepauth.ErrRefused) {
				t.Errorf("%s: ParseToken(%q): %v", name, token, err)
			}
		}
	}
	if _, err := vepauth.New(vepauth.Config{Audiences: []string{"https://rp.example"}, Tokens: new(vepauth.SignedTokens)}); err == nil {
		t.Error("New accepts zero SignedTokens")
	}
}
