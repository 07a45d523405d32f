package e2e

import (
	"context"
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/vepverify/vepverify/assertion"
	"github.com/vepverify/vepverify/keys"
)

// proof makes an assertion without a browser, as programs on the machine can.
func proof(ctx context.Context, idp, email, audience string) (string, error) {
	key, err := keys.Generate(keys.DS128)
	if err != nil {
		return "", err
	}
	asked, err := certification(key, email)
	if err != nil {
		return "", err
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, idp+"/certify", strings.NewReader(asked))
	if err != nil {
		return "", err
	}
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Origin", idp)
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		return "", err
	}
	defer answer.Body.Close()
	var said struct{ Certificate string }
	if err := json.NewDecoder(answer.Body).Decode(&said); err != nil {
		return "", err
	}
	return assertion.Sign(assertion.Template{Audience: audience, Expires: time.Now().Add(time.Minute)}, key, said.Certificate)
}

// certification is what the dialog asks the provider for.
func certification(key keys.PrivateKey, email string) (string, error) {
	body, err := json.Marshal(map[string]any{"email": email, "public-key": key.Public(), "duration": 600})
	return string(body), err
}

// asked is what the dialog asks for ada.
func asked(t *testing.T) string {
	t.Helper()
	key, err := keys.Generate(keys.DS128)
	if err != nil {
		t.Fatal(err)
	}
	body, err := certification(key, "ada@idp.localhost")
	if err != nil {
		t.Fatal(err)
	}
	return body
}
