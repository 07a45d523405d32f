package evptest_test

import (
	"encoding/json"
	"os"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/vepverify/vepverify/evp"
	"github.com/vepverify/vepverify/evp/evptest"
	"github.com/vepverify/vepverify/evp/issuer"
)

// jwkOf returns a new private JWK with a kid, as package issuer and the command keygen write
// it, and its public members.
func jwkOf(t *testing.T, alg string) (private []byte, public evptest.Object) {
	t.Helper()
	keys, err := issuer.GenerateKeys(alg)
	if err != nil {
		t.Fatal(err)
	}
	var set struct{ Keys []json.RawMessage }
	var published struct{ Keys []evptest.Object }
	privateSet, err := keys.PrivateJWKS()
	if err != nil {
		t.Fatal(err)
	}
	publicSet, err := keys.PublicJWKS()
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(privateSet, &set); err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(publicSet, &published); err != nil {
		t.Fatal(err)
	}
	return set.Keys[0], published.Keys[0]
}

// TestParseJWK checks that a key which an issuer has as JWK signs tokens in a test, with its
// alg and its kid.
func TestParseJWK(t *testing.T) {
	for _, alg := range []string{"Ed25519", "EdDSA", "ES256", "RS256"} {
		private, public := jwkOf(t, alg)
		key, err := evptest.ParseKey(private)
		if err != nil {
			t.Errorf("%s: %v", alg, err)
			continue
		}
		if diff := cmp.Diff(public.With("use", "sig"), key.Published()); diff != "" {
			t.Errorf("%s: (-published +parsed)\n%s", alg, diff)
		}
		world := evptest.New(evptest.Default(key)).At(now)
		if _, err := verify(t, world, evp.Default, world.Token(request)); err != nil {
			t.Errorf("%s: %v", alg, err)
		}
	}
}

// TestParseKeyRefused checks that a text that is not a usable private key has one error, which
// names both forms.
func TestParseKeyRefused(t *testing.T) {
	private, public := jwkOf(t, "Ed25519")
	publicText, err := json.Marshal(public)
	if err != nil {
		t.Fatal(err)
	}
	pem, err := os.ReadFile("testkeys/Ed25519.pem")
	if err != nil {
		t.Fatal(err)
	}
	_, want := evptest.ParseKey(nil)
	if want == nil {
		t.Fatal("no error for an empty text")
	}
	for name, data := range map[string][]byte{
		"text":             []byte("secret"),
		"public JWK":       publicText,
		"JWK set":          []byte(`{"keys":[` + string(private) + `]}`),
		"no key":           []byte(`{}`),
		"symmetric":        []byte(`{"kty":"oct","k":"AAAA"}`),
		"alg of another":   []byte(`{"kty":"OKP","crv":"Ed25519","alg":"ES256","d":"nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}`),
		"other curve":      []byte(`{"kty":"EC","crv":"P-384","x":"","y":"","d":""}`),
		"half a JWK":       private[:len(private)/2],
		"half a PEM":       pem[:len(pem)/2],
		"PEM of a public":  []byte("-----BEGIN PUBLIC KEY-----\nMCowBQYDK2VwAyEA11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=\n-----END PUBLIC KEY-----\n"),
		"kid not a string": []byte(`{"kty":"OKP","crv":"Ed25519","kid":1,"d":"nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}`),
		"X25519, a JWK":    []byte(`{"kty":"OKP","crv":"X25519","d":"nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}`),
		"trailing text":    append(private[:len(private):len(private)], "x"...),
	} {
		if key, err := evptest.ParseKey(data); err == nil || err.Error() != want.Error() || key.Sign != nil {
			t.Errorf("%s: %v, want %v", name, err, want)
		}
	}
}
