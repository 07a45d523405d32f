package discovery_test

import (
	"crypto/rsa"
	"encoding/base64"
	"errors"
	"fmt"
	"math/big"
	"strings"
	"testing"

	"go.uber.org/goleak"

	"github.com/vepverify/vepverify/evp/internal/discovery"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// The names of most tests.
const (
	mail   = "mail.example"            // the domain of an address
	issuer = "accounts.issuer.example" // its issuer
	record = "iss=" + issuer
)

// metadata returns metadata of the issuer with that jwks_uri.
func metadata(keySetURL string) string {
	return fmt.Sprintf(`{"issuer":"https://%s","issuance_endpoint":"https://%s/issue","jwks_uri":%q,`+
		`"signing_alg_values_supported":["Ed25519","ES256"],"private_email_supported":true}`, issuer, issuer, keySetURL)
}

// Keys of each kind. The RSA key is made by rsaKey.
const (
	ed25519Key = `{"kty":"OKP","crv":"Ed25519","x":"hsSSi8bNGZYZnGpqhMo240gz6J2_Z-SR6p6lBVp34nU","kid":"k1"}`
	p256Key    = `{"kty":"EC","crv":"P-256","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU","y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0","kid":"k2"}`
)

// rsaKey returns an RSA key of that size. Its modulus is just odd: the tests verify no
// signature.
func rsaKey(bits uint, variant int64) string {
	n := new(big.Int).Lsh(big.NewInt(1), bits-1)
	key := rsa.PublicKey{N: n.Add(n, big.NewInt(2*variant+1)), E: 65537}
	return fmt.Sprintf(`{"kty":"RSA","e":"AQAB","n":%q}`, base64.RawURLEncoding.EncodeToString(key.N.Bytes()))
}

// keySet returns a key set with these entries.
func keySet(entries ...string) string { return `{"keys":[` + strings.Join(entries, ",") + `]}` }

// repeat returns n times the same entry.
func repeat(entry string, n int) string { return strings.TrimSuffix(strings.Repeat(entry+",", n), ",") }

// checkError checks that err is an error of that outcome and rule, which has an advice and
// contains nothing that was sent: all hostile texts of the tests contain "marker".
func checkError(t *testing.T, name string, err error, outcome discovery.Outcome, rule string) *discovery.Error {
	t.Helper()
	var e *discovery.Error
	if !errors.As(err, &e) {
		t.Errorf("%s: %v, want an error of %s", name, err, rule)
		return nil
	}
	if e.Outcome != outcome || e.Rule != rule || e.Reason == "" || e.Advice == "" {
		t.Errorf("%s: outcome %d, rule %s, reason %q, advice %q; want outcome %d and rule %s", name, e.Outcome, e.Rule, e.Reason, e.Advice, outcome, rule)
	}
	if text := fmt.Sprint(e, e.Reason, e.Advice, e.Domain, e.Cause); strings.Contains(text, "marker") {
		t.Errorf("%s: remote text in %s", name, text)
	}
	return e
}
