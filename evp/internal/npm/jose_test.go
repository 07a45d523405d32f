package npm_test

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/vepverify/vepverify/evp/evptest"
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

// TestJose checks that jose verifies every token of package evptest.
func TestJose(t *testing.T) {
	for name, problem := range verify(t, tokens()) {
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
