package issuer_test

import (
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"testing"
	"time"

	"github.com/vepverify/vepverify/assertion"
	"github.com/vepverify/vepverify/evp"
	"github.com/vepverify/vepverify/evp/issuer"
)

const (
	rp    = "https://rp.example"
	nonce = "Rk9PQkFSRk9PQkFSRk9PQkFSRk9PQkFSRk9PQkFSRk8"
)

// bind appends the browser's part to a token.
func (b browser) bind(token string) string {
	sum := sha256.Sum256([]byte(token + "~"))
	part := func(v any) string {
		data, _ := json.Marshal(v)
		return base64.RawURLEncoding.EncodeToString(data)
	}
	input := part(map[string]string{"alg": "Ed25519", "typ": "kb+jwt"}) + "." + part(map[string]any{
		"aud": rp, "iat": now.Unix(), "nonce": nonce, "sd_hash": base64.RawURLEncoding.EncodeToString(sum[:]),
	})
	return token + "~" + input + "." + base64.RawURLEncoding.EncodeToString(ed25519.Sign(b.key, []byte(input)))
}

// bundle returns the documents of an issuer, and the record of mail.example.
func bundle(t *testing.T, i *issuer.Issuer) *evp.Bundle {
	t.Helper()
	name, record := i.Record("mail.example")
	entries := map[string]any{name: []string{record}}
	for _, path := range []string{"/.well-known/email-verification", "/email-verification/jwks"} {
		entries[issuerOrigin+path] = json.RawMessage(get(i, path, "empty").Body.Bytes())
	}
	data, err := json.Marshal(entries)
	if err != nil {
		t.Fatal(err)
	}
	b, err := evp.ParseBundle(data)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// TestVerifierAcceptsTokens checks tokens with the module's verifier, in both profiles.
func TestVerifierAcceptsTokens(t *testing.T) {
	for _, alg := range []string{issuer.Ed25519, issuer.EdDSA, issuer.ES256, issuer.RS256} {
		for _, profile := range []evp.Profile{evp.Default, evp.Draft02} {
			t.Run(alg+" "+profile.String(), func(t *testing.T) {
				c := config(t)
				c.Keys = testKeys(t, alg)
				c.Accounts = accountsOf(issuer.Account{Email: alice, Private: true})
				i := newIssuer(t, c)
				token := newBrowser().bind(issued(t, newBrowser().ask(bodyFor(alice)).send(t, i)))
				v, err := evp.NewVerifier(evp.Config{
					Origins: []string{rp}, Profile: profile, Bundle: bundle(t, i), Now: func() time.Time { return now },
				})
				if err != nil {
					t.Fatal(err)
				}
				result, err := v.Verify(t.Context(), token, evp.Expected{Nonce: nonce, Email: alice})
				if alg == issuer.EdDSA && profile == evp.Draft02 {
					if !errors.Is(err, assertion.ErrAlgorithm) {
						t.Errorf("got %v", err)
					}
					return
				}
				if err != nil {
					t.Fatal(err)
				}
				if result.Email != alice || result.Issuer != issuerHost || !result.Private {
					t.Errorf("got %+v", result)
				}
			})
		}
	}
}

// TestVerifierAcceptsKeysOfBrowsers checks the tokens for the requests of Chromium. Their
// holder is not here, so all that can be checked is that the contents are well formed.
func TestVerifierAcceptsKeysOfBrowsers(t *testing.T) {
	for _, r := range recordings(t) {
		token := issued(t, r.message().send(t, recordedIssuer(t, r)))
		if _, err := evp.Parse(newBrowser().bind(token)); err != nil {
			t.Errorf("%s: %v", r.Name, err)
		}
	}
}
