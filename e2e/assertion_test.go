package e2e

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/vepverify/vepverify/assertion"
	"github.com/vepverify/vepverify/devidp"
	"github.com/vepverify/vepverify/keys"
)

// makeAssertion returns a backed assertion that is made without a browser.
func makeAssertion(p *devidp.Provider, email, audience string) (string, error) {
	key, err := keys.Generate(keys.DS128)
	if err != nil {
		return "", err
	}
	certificate, err := p.Certify(email, key.Public(), 10*time.Minute)
	if err != nil {
		return "", err
	}
	return assertion.Sign(assertion.Template{Audience: audience, Expires: time.Now().Add(time.Minute)}, key, certificate)
}

// certifyRequest returns the body of a request for a certificate, as the dialog sends
// it.
func certifyRequest(t *testing.T) string {
	t.Helper()
	key, err := keys.Generate(keys.DS128)
	if err != nil {
		t.Fatal(err)
	}
	body, err := json.Marshal(map[string]any{"email": "ada@idp.localhost", "public-key": key.Public(), "duration": 600})
	if err != nil {
		t.Fatal(err)
	}
	return string(body)
}
