package serve_test

import (
	"encoding/json"
	"io"
	"maps"
	"net/http"
	"net/url"
	"path/filepath"
	"strings"
	"testing"

	"github.com/vepverify/vepverify/cmd/vepverify/internal/cli"
	"github.com/vepverify/vepverify/cmd/vepverify/internal/clitest"
	"github.com/vepverify/vepverify/evp/evptest"
)

// issuedToken is a token for alice@mail.example with the nonce "nonce", and the file for --keys that
// verifies it.
type issuedToken struct {
	text    string
	entries map[string]any
}

func newToken(t *testing.T, key string) issuedToken {
	t.Helper()
	issuer := evptest.Default(evptest.TestKey(key))
	world := evptest.New(issuer).At(sampleTime)
	return issuedToken{
		text: world.Token(evptest.Request{Email: "alice@mail.example", Origin: relyingParty, Nonce: "nonce"}),
		entries: map[string]any{
			"_email-verification.mail.example": []string{issuer.Record()},
			issuer.MetadataURL():               issuer.Metadata(),
			issuer.KeysURL():                   issuer.JWKS(),
		},
	}
}

// bundle returns the file for --keys, with the entries of other bundles.
func (k issuedToken) bundle(t *testing.T, others ...[]byte) []byte {
	t.Helper()
	entries := maps.Clone(k.entries)
	for _, other := range others {
		if err := json.Unmarshal(other, &entries); err != nil {
			t.Fatal(err)
		}
	}
	data, err := json.Marshal(entries)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// askToken posts a token and returns the body of the response.
func askToken(t *testing.T, base, token string) string {
	t.Helper()
	resp, err := http.PostForm(base+"/evp", url.Values{"token": {token}, "audience": {relyingParty}, "nonce": {"nonce"}})
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(body)
}

// expectToken checks that the service accepts the token of one key only.
func (s *service) expectToken(t *testing.T, good, bad issuedToken) {
	t.Helper()
	if body := askToken(t, s.URL, good.text); !strings.HasPrefix(body, `{"status":"okay","email":"alice@mail.example"`) {
		t.Errorf("the token of the key in use: %s", body)
	}
	if body := askToken(t, s.URL, bad.text); !strings.HasPrefix(body, `{"status":"failure","reason":"invalid signature`) {
		t.Errorf("the token of the other key: %s", body)
	}
}

// TestTokensReloaded: a change of --keys is noticed for tokens as for assertions. One file has
// both.
func TestTokensReloaded(t *testing.T) {
	before, after := newToken(t, "Ed25519"), newToken(t, "Ed25519-3")
	oldKey, newKey := newRotatedKey(t, "RS256"), newRotatedKey(t, "RS256-2")
	path := filepath.Join(t.TempDir(), "keys.json")
	writeFile(t, path, before.bundle(t, oldKey.bundle()))
	s := startServe(t, nil, "--keys", path)
	s.expectToken(t, before, after)
	s.expectKey(t, oldKey, newKey)
	replaceFile(t, path, after.bundle(t, newKey.bundle()))
	if line := s.await("keys read again"); !strings.Contains(line, `"domains":1,"evp_entries":3`) {
		t.Errorf("the log does not say what was read: %s", line)
	}
	s.expectToken(t, after, before)
	s.expectKey(t, newKey, oldKey)

	// If one part is broken, both stay as they were.
	replaceFile(t, path, []byte(`{"idp.example":null,"https://a.example/jwks":{"keys":7}}`))
	s.await("keys not read again")
	s.expectToken(t, after, before)
	s.expectKey(t, newKey, oldKey)

	// A file for assertions alone is not an error, and the log says what is missing.
	replaceFile(t, path, newKey.bundle())
	s.await("--keys has no entry for tokens any more")
	_, log := s.end(t)
	for _, secret := range []string{"eyJ", "alice", `"nonce"`} {
		if strings.Contains(log, secret) {
			t.Errorf("the log has %s: %s", secret, log)
		}
	}
}

// TestTokensOnce: --replay is for tokens, too.
func TestTokensOnce(t *testing.T) {
	token := newToken(t, "ES256")
	path := filepath.Join(t.TempDir(), "keys.json")
	writeFile(t, path, token.bundle(t))
	s := startServe(t, nil, "--keys", path, "--replay", "memory")
	for i, want := range []string{`{"status":"okay"`, `{"status":"failure","reason":"the token was used before"}`} {
		if body := askToken(t, s.URL, token.text); !strings.HasPrefix(body, want) {
			t.Errorf("use %d: %s", i+1, body)
		}
	}
}

// TestTokenSettings: the flags for tokens, by variables.
func TestTokenSettings(t *testing.T) {
	token := newToken(t, "EdDSA")
	path := filepath.Join(t.TempDir(), "keys.json")
	writeFile(t, path, token.bundle(t))
	for setting, want := range map[string]string{
		"":                               `{"status":"okay"`,
		"VEPVERIFY_PROFILE=draft-02":     `{"status":"failure"`,
		"VEPVERIFY_EVP_ISSUER=b.example": `{"status":"failure"`,
		"VEPVERIFY_EVP_DOMAIN=B.example": `{"status":"failure"`,
		"VEPVERIFY_EVP_DOMAIN=a.example Mail.example": `{"status":"okay"`,
		"VEPVERIFY_NO_EVP=true":                       `{"status":"failure","reason":"not found: want /v2, /verify or /"`,
	} {
		s := startServe(t, []string{setting}, "--keys", path)
		if body := askToken(t, s.URL, token.text); !strings.HasPrefix(body, want) {
			t.Errorf("%s: %s", setting, body)
		}
		if code, log := s.end(t); code != 0 || strings.Contains(log, token.text) {
			t.Errorf("%s: status %d, %s", setting, code, log)
		}
	}
}

// TestTokenFlags: flags that do not fit together, or have wrong values.
func TestTokenFlags(t *testing.T) {
	for _, args := range [][]string{
		{"--no-evp", "--profile", "draft-02"}, {"--no-evp", "--evp-issuer", "a.example"}, {"--no-evp", "--dns-server", "127.0.0.1"},
		{"--evp-issuer", "https://a.example"}, {"--evp-domain", "ada@a.example"}, {"--evp-domain", "localhost"}, {"--profile", "x"}, {"--dns-server", "a.example"},
		{"--keys", sampleKeys, "--dns-server", "127.0.0.1"},
	} {
		code, _, stderr := clitest.Run(t, app(), cli.Process{}, append([]string{"serve"}, args...)...)
		if code != int(cli.ExitUsage) || strings.Count(stderr, "\n") != 1 {
			t.Errorf("%q: status %d, %s", args, code, stderr)
		}
	}
}
