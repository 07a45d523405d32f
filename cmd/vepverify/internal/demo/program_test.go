package demo_test

import (
	"encoding/json"
	"log/slog"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/vepverify/vepverify/cmd/vepverify/internal/demo"
	"github.com/vepverify/vepverify/devidp"
	"github.com/vepverify/vepverify/keys"
	"github.com/vepverify/vepverify/vepauth"
)

type identity struct {
	Email, Certificate string
	PrivateKey         json.RawMessage
}

// client fetches an identity for a program.
func client(t *testing.T, v *visitor) (identity, keys.PrivateKey) {
	t.Helper()
	_, body := v.send("GET", "/client.json", nil)
	var id identity
	if err := json.Unmarshal([]byte(body), &id); err != nil {
		t.Fatalf("%v: %s", err, body)
	}
	key, err := keys.ParsePrivateKey(id.PrivateKey)
	if err != nil {
		t.Fatal(err)
	}
	return id, key
}

// TestProgram requests the protected resource with an identity, through the token
// endpoint.
func TestProgram(t *testing.T) {
	v := &visitor{t: t, site: newSite(t)}
	id, key := client(t, v)
	answer, body := v.send("POST", "/request_token", url.Values{"assertion": {sign(t, key, id.Certificate)}})
	var credentials struct {
		ID     string `json:"oauth_consumer_key"`
		Secret string `json:"oauth_consumer_secret"`
	}
	if err := json.Unmarshal([]byte(body), &credentials); err != nil || answer.StatusCode != 200 {
		t.Fatalf("%d: %v: %s", answer.StatusCode, err, body)
	}
	r := httptest.NewRequest("GET", origin+"/api/whoami", nil)
	signer := vepauth.Signer{Credentials: vepauth.Credentials{ID: credentials.ID, Secret: credentials.Secret}, Now: clock}
	if err := signer.Sign(r); err != nil {
		t.Fatal(err)
	}
	answer, body = do(t, v.site, r)
	var who struct {
		Email, Issuer string
		Expires       time.Time
	}
	if err := json.Unmarshal([]byte(body), &who); err != nil || answer.StatusCode != 200 || who.Email != "client@idp.localhost" || who.Issuer != "idp.localhost" || !who.Expires.After(now) {
		t.Errorf("%d: %v: %s", answer.StatusCode, err, body)
	}
	if other, _ := client(t, v); other.Certificate == id.Certificate {
		t.Error("two programs have the same identity")
	}
}

// TestIdentityFails checks that a client does not receive the reason if its identity cannot
// be made, and that the log does.
func TestIdentityFails(t *testing.T) {
	long := strings.Repeat(strings.Repeat("a", 60)+".", 4) + "localhost" // its addresses are too long
	provider, err := devidp.New(devidp.Config{Domain: long, Now: clock})
	if err != nil {
		t.Fatal(err)
	}
	var log strings.Builder
	site, err := demo.New(demo.Config{
		Provider: provider, ProviderOrigin: "http://localhost:8400", Origin: origin, Now: clock,
		Logger: slog.New(slog.NewTextHandler(&log, nil)),
	})
	if err != nil {
		t.Fatal(err)
	}
	answer, body := (&visitor{t: t, site: site}).send("GET", "/client.json", nil)
	if answer.StatusCode != 500 || strings.Contains(body, "address") || !strings.Contains(log.String(), "address") {
		t.Errorf("%d: %s, logged: %s", answer.StatusCode, body, log.String())
	}
}

func TestProgramLines(t *testing.T) {
	site, err := demo.New(demo.Config{Provider: idp(), ProviderOrigin: "http://localhost:8400", Origin: origin, Command: "./vepverify"})
	if err != nil {
		t.Fatal(err)
	}
	lines := site.Program()
	if len(lines) != 2 || lines[0] != "curl -fsSo client.json http://localhost:8401/client.json" ||
		lines[1] != "./vepverify request http://localhost:8401/api/whoami --identity client.json --explain" {
		t.Errorf("%q", lines)
	}
}
