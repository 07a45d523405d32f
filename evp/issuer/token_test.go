package issuer_test

import (
	"crypto/ed25519"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/go-jose/go-jose/v4"
	"github.com/google/go-cmp/cmp"

	"github.com/vepverify/vepverify/evp/issuer"
)

// TestTokens checks the contents of tokens, and their signatures with go-jose and the
// published keys.
func TestTokens(t *testing.T) {
	for _, alg := range []string{issuer.Ed25519, issuer.EdDSA, issuer.ES256, issuer.RS256} {
		t.Run(alg, func(t *testing.T) {
			c := config(t)
			c.Keys = testKeys(t, alg)
			i := newIssuer(t, c)
			m := newBrowser().ask(bodyFor(alice))
			token := issued(t, m.send(t, i))
			_, x, _ := strings.Cut(m.get("Signature-Key"), `x="`)
			if diff := cmp.Diff(map[string]any{
				"iss": issuerOrigin, "iat": float64(now.Unix()), "email": alice, "email_verified": true,
				"cnf": map[string]any{"jwk": map[string]any{
					"kty": "OKP", "crv": "Ed25519", "alg": "Ed25519", "x": strings.TrimSuffix(x, `"`),
				}},
			}, claims(t, token)); diff != "" {
				t.Error(diff)
			}
			kid := published(t, i)[0].KeyID
			if diff := cmp.Diff(map[string]any{"alg": alg, "kid": kid, "typ": "evt+jwt"}, tokenHeader(t, token)); diff != "" {
				t.Error(diff)
			}
			checkWithGoJOSE(t, i, token)
		})
	}
}

func tokenHeader(t *testing.T, token string) map[string]any {
	t.Helper()
	head, _, _ := strings.Cut(token, ".")
	return claims(t, "."+head)
}

// published returns the published keys as go-jose decodes them.
func published(t *testing.T, h http.Handler) []jose.JSONWebKey {
	t.Helper()
	var set jose.JSONWebKeySet
	if err := json.Unmarshal(get(h, "/email-verification/jwks", "empty").Body.Bytes(), &set); err != nil {
		t.Fatal(err)
	}
	return set.Keys
}

// checkWithGoJOSE checks the signature of a token by the published key that it names.
func checkWithGoJOSE(t *testing.T, h http.Handler, token string) {
	t.Helper()
	for _, key := range published(t, h) {
		if key.KeyID != tokenHeader(t, token)["kid"] {
			continue
		}
		if !key.IsPublic() || !key.Valid() {
			t.Error("not a valid public key")
		}
		verifyWithGoJOSE(t, key, token)
		return
	}
	t.Error("the key is not published")
}

func TestKeysOfRequests(t *testing.T) {
	for _, r := range recordings(t) {
		token := issued(t, r.message().send(t, recordedIssuer(t, r)))
		jwk := claims(t, token)["cnf"].(map[string]any)["jwk"].(map[string]any)
		text := "sig=hwk"
		for _, name := range []string{"alg", "crv", "e", "kty", "n", "x", "y"} {
			if value, found := jwk[name]; found {
				text += ";" + name + `="` + value.(string) + `"`
			}
		}
		if sent := r.message().get("Signature-Key"); text != sent {
			t.Errorf("%s: got %s, want %s", r.Name, text, sent)
		}
	}
}

func TestRotation(t *testing.T) {
	c := config(t)
	i := newIssuer(t, c)
	kids := func() (kids []string) {
		for _, k := range published(t, i) {
			kids = append(kids, k.KeyID)
		}
		return kids
	}
	signedBy := func() any {
		token := issued(t, newBrowser().ask(bodyFor(alice)).send(t, i))
		checkWithGoJOSE(t, i, token)
		return tokenHeader(t, token)["kid"]
	}
	before, old := kids(), issued(t, newBrowser().ask(bodyFor(alice)).send(t, i))
	if len(before) != 2 || signedBy() != before[0] {
		t.Fatalf("before: %v", before)
	}
	if err := c.Keys.Rotate(); err != nil {
		t.Fatal(err)
	}
	after := kids()
	if len(after) != 3 || after[0] != before[1] || after[2] != before[0] || signedBy() != after[0] {
		t.Errorf("before %v, after %v", before, after)
	}
	checkWithGoJOSE(t, i, old)
	if err := c.Keys.Rotate(); err != nil {
		t.Fatal(err)
	}
	if last := kids(); len(last) != 3 || last[0] != after[1] || last[2] != after[0] {
		t.Errorf("after %v, then %v", after, last)
	}
}

func TestRotationOfOneKey(t *testing.T) {
	private, err := testKeys(t, issuer.ES256).PrivateJWKS()
	if err != nil {
		t.Fatal(err)
	}
	var set struct{ Keys []json.RawMessage }
	if err := json.Unmarshal(private, &set); err != nil {
		t.Fatal(err)
	}
	keys, err := issuer.ParseKeys(set.Keys[0])
	if err != nil {
		t.Fatal(err)
	}
	if err := keys.Rotate(); err != nil {
		t.Fatal(err)
	}
	data, err := keys.PrivateJWKS()
	if err != nil {
		t.Fatal(err)
	}
	var rotated struct{ Keys []json.RawMessage }
	if err := json.Unmarshal(data, &rotated); err != nil || len(rotated.Keys) != 2 || string(rotated.Keys[0]) != string(set.Keys[0]) {
		t.Errorf("%d keys, error %v", len(rotated.Keys), err)
	}
}

func TestFilesOfKeys(t *testing.T) {
	folder := t.TempDir()
	write := func(name string, data []byte) string {
		path := filepath.Join(folder, name)
		if err := os.WriteFile(path, data, 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	private := func(k *issuer.Keys) []byte {
		data, err := k.PrivateJWKS()
		if err != nil {
			t.Fatal(err)
		}
		return data
	}
	ed, es := testKeys(t, issuer.EdDSA), testKeys(t, issuer.ES256)
	loaded, err := issuer.LoadKeys(write("ed", private(ed)), write("es", private(es)))
	if err != nil {
		t.Fatal(err)
	}
	edPublic, _ := ed.PublicJWKS()
	esPublic, _ := es.PublicJWKS()
	got, _ := loaded.PublicJWKS()
	want := strings.TrimSuffix(string(edPublic), "]}") + "," + strings.TrimPrefix(string(esPublic), `{"keys":[`)
	if string(got) != want {
		t.Errorf("got %s, want %s", got, want)
	}
	if strings.Contains(string(got), `"d"`) {
		t.Error("a private member is published")
	}
	if err := ed.Replace(es); err != nil {
		t.Fatal(err)
	}
	if after, _ := ed.PublicJWKS(); string(after) != string(esPublic) {
		t.Errorf("after Replace: %s", after)
	}
	var none issuer.Keys
	if ed.Replace(&none) == nil || ed.Replace(nil) == nil || none.Rotate() == nil {
		t.Error("no keys were accepted")
	}
	if _, err := issuer.LoadKeys(filepath.Join(folder, "absent")); err == nil {
		t.Error("a file that does not exist was loaded")
	}
	if _, err := issuer.LoadKeys(); err == nil {
		t.Error("no file was loaded")
	}
	if _, err := issuer.LoadKeys(write("one", private(es)), write("same", private(es))); err == nil {
		t.Error("the same keys were loaded twice")
	}
}

// The key of RFC 8037, appendix A, and its thumbprint.
const (
	rfc8037D    = "nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A"
	rfc8037X    = "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"
	rfc8037Kid  = "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k"
	rfc8037Base = `"kty":"OKP","crv":"Ed25519","d":"` + rfc8037D + `","x":"` + rfc8037X + `"`
)

func TestParseKeys(t *testing.T) {
	for _, test := range []struct{ name, text, want string }{
		{"one", `{` + rfc8037Base + `}`, `"alg":"Ed25519","kid":"` + rfc8037Kid + `"`},
		{"a set", `{"keys":[{` + rfc8037Base + `}]}`, `"alg":"Ed25519","kid":"` + rfc8037Kid + `"`},
		{"alg and kid", `{` + rfc8037Base + `,"alg":"EdDSA","kid":"2026-11","use":"sig"}`, `"alg":"EdDSA","use":"sig","kid":"2026-11"`},
		{"kid empty", `{` + rfc8037Base + `,"kid":""}`, `"alg":"Ed25519","kid":"` + rfc8037Kid + `"`},
		{"alg of another key", `{` + rfc8037Base + `,"alg":"ES256"}`, ""},
		{"public", `{"kty":"OKP","crv":"Ed25519","x":"` + rfc8037X + `"}`, ""},
		{"kid is a number", `{` + rfc8037Base + `,"kid":1}`, ""},
		{"use enc", `{` + rfc8037Base + `,"use":"enc"}`, ""},
		{"same twice", `{"keys":[{` + rfc8037Base + `},{` + rfc8037Base + `}]}`, ""},
		{"no keys", `{"keys":[]}`, ""},
		{"keys are not an array", `{"keys":{}}`, ""},
		{"not JSON", `-----BEGIN PRIVATE KEY-----`, ""},
	} {
		keys, err := issuer.ParseKeys([]byte(test.text))
		if test.want == "" {
			if err == nil || strings.Contains(err.Error(), rfc8037D) {
				t.Errorf("%s: error %v", test.name, err)
			}
			continue
		}
		if err != nil {
			t.Errorf("%s: %v", test.name, err)
			continue
		}
		got, _ := keys.PublicJWKS()
		if want := `{"keys":[{"crv":"Ed25519","kty":"OKP","x":"` + rfc8037X + `",` + test.want + `}]}`; string(got) != want {
			t.Errorf("%s: got %s, want %s", test.name, got, want)
		}
	}
}

// verifyWithGoJOSE verifies a token. go-jose has no alg "Ed25519": there, it decodes the key
// and crypto/ed25519 verifies.
func verifyWithGoJOSE(t *testing.T, key jose.JSONWebKey, token string) {
	t.Helper()
	if tokenHeader(t, token)["alg"] == "Ed25519" {
		dot := strings.LastIndexByte(token, '.')
		if !ed25519.Verify(key.Key.(ed25519.PublicKey), []byte(token[:dot]), decode(t, token[dot+1:])) {
			t.Error("the signature does not verify")
		}
		return
	}
	signed, err := jose.ParseSignedCompact(token, []jose.SignatureAlgorithm{jose.EdDSA, jose.ES256, jose.RS256})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := signed.Verify(key); err != nil {
		t.Error(err)
	}
}

func decode(t *testing.T, s string) []byte {
	t.Helper()
	b, err := base64.RawURLEncoding.DecodeString(s)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// TestUnmadeKeys checks the methods of Keys without a key.
func TestUnmadeKeys(t *testing.T) {
	full, err := issuer.GenerateKeys(issuer.Ed25519)
	if err != nil {
		t.Fatal(err)
	}
	var none *issuer.Keys
	for name, method := range map[string]func() error{
		"nil, Rotate":       none.Rotate,
		"nil, Replace":      func() error { return none.Replace(full) },
		"nil, PrivateJWKS":  func() error { _, err := none.PrivateJWKS(); return err },
		"nil, PublicJWKS":   func() error { _, err := none.PublicJWKS(); return err },
		"zero, Rotate":      new(issuer.Keys).Rotate,
		"zero, PrivateJWKS": func() error { _, err := new(issuer.Keys).PrivateJWKS(); return err },
		"zero, PublicJWKS":  func() error { _, err := new(issuer.Keys).PublicJWKS(); return err },
		"replaced by nil":   func() error { return full.Replace(nil) },
		"replaced by zero":  func() error { return full.Replace(new(issuer.Keys)) },
	} {
		if method() == nil {
			t.Errorf("%s: no error", name)
		}
	}
	if err := new(issuer.Keys).Replace(full); err != nil {
		t.Errorf("a zero Keys: %v", err)
	}
}
