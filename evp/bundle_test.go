package evp_test

import (
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/vepverify/vepverify/assertion"
	"github.com/vepverify/vepverify/evp"
	"github.com/vepverify/vepverify/evp/internal/jose"
	"github.com/vepverify/vepverify/evp/internal/vector"
)

// bundleOf returns the bundle with what DNS and the hosts of a vector answer. ok is false if
// a bundle cannot say it.
func bundleOf(c vector.Case) (b *evp.Bundle, ok bool) {
	members := map[string]any{}
	if token, err := evp.Parse(c.Token); err == nil { // a name that is absent from a vector does not exist
		if _, domain, _ := strings.Cut(token.Email, "@"); domain == strings.ToLower(domain) {
			members["_email-verification."+domain] = nil
		}
	}
	for name, answer := range c.TXT {
		if answer.Error == "servfail" || answer.Error == "timeout" {
			delete(members, name) // not known
			continue
		}
		members[name] = answer.Records // nil for nxdomain
	}
	for url, answer := range c.HTTP {
		if answer.Status != 200 || answer.ContentType != "application/json" || !json.Valid([]byte(answer.Body)) || len(answer.Body) > 1<<16 {
			return nil, false
		}
		members[url] = json.RawMessage(answer.Body)
	}
	data, err := json.Marshal(members)
	if err != nil {
		return nil, false
	}
	b, err = evp.ParseBundle(data)
	return b, err == nil
}

// TestVectorsOffline checks that a bundle leads to the same outcomes as the network.
func TestVectorsOffline(t *testing.T) {
	ran := 0
	for _, c := range cases(t) {
		b, ok := bundleOf(c)
		if !ok {
			continue
		}
		ran++
		config := c.Config()
		config.Bundle = b
		v, err := evp.NewVerifier(config)
		if err != nil {
			t.Fatal(err)
		}
		_, err = v.Verify(t.Context(), c.Token, evp.Expected{Nonce: c.Nonce, Email: c.Email})
		if got := outcome(err); got != c.Expect {
			t.Errorf("%s: got %s, want %s: %v", c.Name, got, c.Expect, err)
		}
	}
	if ran < 200 {
		t.Errorf("only %d cases fit a bundle", ran)
	}
}

func outcome(err error) vector.Outcome {
	switch {
	case err == nil:
		return vector.Okay
	case errors.Is(err, assertion.ErrUndecided):
		return vector.Undecided
	case errors.Is(err, assertion.ErrMalformed), errors.Is(err, assertion.ErrRejected):
		return vector.Failure
	}
	return "misuse"
}

// documents returns a bundle for the issuer of the tests.
func documents(t testing.TB, keys ...*jose.PublicKey) []byte {
	t.Helper()
	data, err := json.Marshal(object{
		"_email-verification." + mailDomain:                   []string{"iss=" + host},
		"https://" + host + "/.well-known/email-verification": object{"issuer": "https://" + host, "jwks_uri": "https://keys.example/jwks"},
		"https://keys.example/jwks":                           object{"keys": keys},
		"idp.example":                                         object{"of": "another protocol"},
		"login.persona.org?domain=" + mailDomain:              nil,
		"_email-verification.nothing.example":                 nil,
		"https://gone.example/.well-known/email-verification": nil,
	})
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func TestBundle(t *testing.T) {
	m := newMint(t, jose.Ed25519, jose.ES256)
	path := filepath.Join(t.TempDir(), "bundle.json")
	if err := os.WriteFile(path, documents(t, m.issuer.Public()), 0o600); err != nil {
		t.Fatal(err)
	}
	b, err := evp.LoadBundle(path)
	if err != nil {
		t.Fatal(err)
	}
	if len(b.Names()) != 5 || !slices.IsSorted(b.Names()) {
		t.Errorf("names %q", b.Names())
	}
	c := config()
	c.Bundle = b
	v, err := evp.NewVerifier(c)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := v.Verify(t.Context(), m.token(t), expected); err != nil {
		t.Error(err)
	}
	verify := func(domain string) error {
		m.evt["email"] = "alice@" + domain
		_, err := v.Verify(t.Context(), m.token(t), evp.Expected{Nonce: nonce})
		return err
	}
	wantError(t, verify("nothing.example"), assertion.ErrIssuer, "8.no-issuer")
	wantError(t, verify("unknown.example"), assertion.ErrUndecided, "8.unavailable")
}

func TestMalformedBundle(t *testing.T) {
	for name, text := range map[string]string{
		"empty":           ``,
		"an array":        `[]`,
		"duplicate names": `{"a.example":1,"a.example":1}`,
		"another name":    `{"hello world":1}`,
		"http":            `{"http://accounts.issuer.example/jwks":{}}`,
		"records":         `{"_email-verification.mail.example":[1]}`,
		"metadata":        `{"https://accounts.issuer.example/.well-known/email-verification":{}}`,
	} {
		if _, err := evp.ParseBundle([]byte(text)); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
	if _, err := evp.LoadBundle(filepath.Join(t.TempDir(), "absent")); !errors.Is(err, os.ErrNotExist) {
		t.Error(err)
	}
}

// TestZeroBundle checks that the zero Bundle is empty.
func TestZeroBundle(t *testing.T) {
	c := config()
	c.Bundle = &evp.Bundle{}
	if n := c.Bundle.Len() + len(c.Bundle.Names()); n != 0 {
		t.Errorf("%d names", n)
	}
	var none *evp.Bundle
	if n := none.Len() + len(none.Names()); n != 0 {
		t.Errorf("nil: %d names", n)
	}
	v, err := evp.NewVerifier(c)
	if err != nil {
		t.Fatal(err)
	}
	_, err = v.Verify(t.Context(), newMint(t, jose.Ed25519, jose.Ed25519).token(t), expected)
	wantError(t, err, assertion.ErrUndecided, "8.unavailable")
	if d := v.Lookup(t.Context(), mailDomain); !errors.Is(d.Err, assertion.ErrUndecided) {
		t.Error(d.Err)
	}
}
