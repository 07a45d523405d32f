package npm_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/vepverify/vepverify/evp/evptest"
	"github.com/vepverify/vepverify/evp/issuer"
)

// minted is a token for jose.mjs.
type minted struct {
	Name  string `json:"name"`
	Token string `json:"token"`
	JWKS  any    `json:"jwks"`
	Now   int64  `json:"now"`
}

var algorithms = []string{"Ed25519", "EdDSA", "ES256", "RS256"}

// tokens returns a token of evptest for each pair of algorithms, with a kid, with an empty
// one and without.
func tokens() []minted {
	now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	var all []minted
	for _, issuer := range algorithms {
		for _, holder := range algorithms {
			for _, kid := range []any{nil, "", "k1"} {
				key := evptest.TestKey(issuer).WithID(kid)
				world := evptest.New(evptest.Default(key)).At(now)
				request := evptest.Request{Email: "alice@mail.example", Origin: "https://rp.example", Nonce: "n", Holder: evptest.TestKey(holder + "-2")}
				name, _ := json.Marshal([]any{issuer, holder, kid}) // strings and nil: no error
				all = append(all, minted{string(name), world.Token(request), world.Issuer().JWKS(), now.UnixMilli()})
			}
		}
	}
	return all
}

// issued returns a token of evp/issuer for each pair of algorithms. A pretended browser has
// asked for it.
func issued(t *testing.T) []minted {
	t.Helper()
	now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	var all []minted
	for _, alg := range algorithms {
		keys, err := issuer.GenerateKeys(alg)
		if err != nil {
			t.Fatal(err)
		}
		i, err := issuer.New(issuer.Config{
			Issuer: "https://accounts.issuer.example", Keys: keys, LoginURL: "/login", IssuancePath: "/issue", JWKSPath: "/jwks",
			Now: func() time.Time { return now },
			Accounts: func(*http.Request) ([]issuer.Account, error) {
				return []issuer.Account{{ID: "1", Email: "alice@mail.example"}}, nil
			},
		})
		if err != nil {
			t.Fatal(err)
		}
		jwks := answer(i, httptest.NewRequest("GET", "https://accounts.issuer.example/jwks", nil))
		for _, holder := range algorithms {
			browser := evptest.TestKey(holder + "-2")
			got := answer(i, browser.IssuanceRequest("https://accounts.issuer.example/issue", "alice@mail.example", now))
			var answered struct {
				Token string `json:"issuance_token"`
			}
			if err := json.Unmarshal(got, &answered); err != nil {
				t.Fatal(err)
			}
			token := browser.Bind(answered.Token, evptest.Request{Origin: "https://rp.example", Nonce: "n", At: now})
			all = append(all, minted{"issuer " + alg + ", " + holder, token, json.RawMessage(jwks), now.UnixMilli()})
		}
	}
	return all
}

// answer returns the body of a handler's answer.
func answer(h http.Handler, r *http.Request) []byte {
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w.Body.Bytes()
}

// verify returns the errors of jose by the names of the tokens.
func verify(t *testing.T, tokens []minted) map[string]string {
	t.Helper()
	input, err := json.Marshal(tokens)
	if err != nil {
		t.Fatal(err)
	}
	var results []struct{ Name, Error string }
	run(t, &results, input, "jose.mjs")
	if len(results) != len(tokens) {
		t.Fatalf("%d results of %d tokens", len(results), len(tokens))
	}
	errors := map[string]string{}
	for _, r := range results {
		errors[r.Name] = r.Error
	}
	return errors
}

// TestJose checks that jose verifies the tokens of packages evptest and issuer.
func TestJose(t *testing.T) {
	for name, problem := range verify(t, append(tokens(), issued(t)...)) {
		if problem != "" {
			t.Errorf("%s: %s", name, problem)
		}
	}
}

// TestJoseRefuses checks that jose would notice a token that is wrong.
func TestJoseRefuses(t *testing.T) {
	world := evptest.New()
	request := evptest.Request{Email: "alice@mail.example", Origin: "https://rp.example", Nonce: "n"}
	var wrong []minted
	for _, f := range []evptest.TokenFault{
		evptest.KBByThief, evptest.KBTampered, evptest.EVTTampered, evptest.EVTByOther, evptest.HashOther,
		evptest.KidUnknown, evptest.EVTTypeOther, evptest.EVTAhead,
	} {
		wrong = append(wrong, minted{f.Name, world.Token(request, f), world.Issuer().JWKS(), world.Now().UnixMilli()})
	}
	for name, problem := range verify(t, wrong) {
		if problem == "" {
			t.Errorf("%s: jose accepts it", name)
		}
	}
}
