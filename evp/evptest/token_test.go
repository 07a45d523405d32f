package evptest_test

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/vepverify/vepverify/evp/evptest"
)

// parts returns the decoded header and claims of a compact JWS.
func parts(t *testing.T, text string) (header, claims map[string]any) {
	t.Helper()
	segments := strings.Split(text, ".")
	if len(segments) != 3 {
		t.Fatalf("%d parts", len(segments))
	}
	for i, into := range []*map[string]any{&header, &claims} {
		data, err := base64.RawURLEncoding.DecodeString(segments[i])
		if err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal(data, into); err != nil {
			t.Fatal(err)
		}
	}
	return header, claims
}

func TestToken(t *testing.T) {
	world := evptest.New().At(now)
	evt, kb := evptest.Split(world.Token(request))
	hash := sha256.Sum256([]byte(evt + "~"))
	iat := float64(now.Unix())
	holder := evptest.TestKey("Ed25519-2").Public["x"]

	header, claims := parts(t, evt)
	wantEqual(t, header, map[string]any{"typ": "evt+jwt", "alg": "Ed25519", "kid": "k1"})
	wantEqual(t, claims, map[string]any{
		"iss": "https://accounts.issuer.example", "iat": iat, "email": email, "email_verified": true,
		"cnf": map[string]any{"jwk": map[string]any{"kty": "OKP", "crv": "Ed25519", "alg": "Ed25519", "x": holder}},
	})
	header, claims = parts(t, kb)
	wantEqual(t, header, map[string]any{"typ": "kb+jwt", "alg": "Ed25519"})
	wantEqual(t, claims, map[string]any{
		"aud": origin, "nonce": nonce, "iat": iat, "sd_hash": base64.RawURLEncoding.EncodeToString(hash[:]),
	})
}

func wantEqual(t *testing.T, got, want any) {
	t.Helper()
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

// TestSameText checks that the same request makes the same text, for all keys.
func TestSameText(t *testing.T) {
	for _, issuer := range algorithms {
		for _, holder := range algorithms {
			request := request
			request.Holder = evptest.TestKey(holder)
			world := evptest.New(evptest.Default(evptest.TestKey(issuer))).At(now)
			if first, second := world.Token(request), world.Token(request); first != second {
				t.Errorf("%s, %s: two texts", issuer, holder)
			}
		}
	}
}

var algorithms = []string{"Ed25519", "EdDSA", "ES256", "RS256"}

func TestIssuerOfAddress(t *testing.T) {
	world := evptest.New(evptest.Default(), evptest.Gmail()).At(now)
	for address, want := range map[string]string{
		email:                 "https://accounts.issuer.example",
		"bob@gmail.example":   "https://accounts.gmail.example",
		"bob@GMAIL.example":   "https://accounts.gmail.example",
		"carol@other.example": "https://accounts.issuer.example",
		"no address":          "https://accounts.issuer.example",
	} {
		evt, _ := evptest.Split(world.Token(evptest.Request{Email: address, Origin: origin, Nonce: nonce}))
		if _, claims := parts(t, evt); claims["iss"] != want {
			t.Errorf("%s: %v", address, claims["iss"])
		}
	}
}

// TestFaultsChangeTheToken checks that no fault of a token is without effect.
func TestFaultsChangeTheToken(t *testing.T) {
	world := evptest.New().At(now)
	good := world.Token(request)
	seen := map[string]string{}
	for _, f := range evptest.TokenFaults() {
		text := world.Token(request, f)
		if text == good {
			t.Errorf("%s: no effect", f.Name)
		}
		if other, ok := seen[text]; ok {
			t.Errorf("%s and %s make the same text", f.Name, other)
		}
		seen[text] = f.Name
	}
}

// TestUnknownKey checks that a mistake of a test is noticed.
func TestUnknownKey(t *testing.T) {
	defer func() {
		if text := fmt.Sprint(recover()); !strings.Contains(text, `no test key "DS128"`) {
			t.Error(text)
		}
	}()
	evptest.TestKey("DS128")
}
