package devidp_test

import (
	"bytes"
	"encoding/json"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/vepverify/vepverify/devidp"
	"github.com/vepverify/vepverify/wellknown"
)

func TestNewRefuses(t *testing.T) {
	for _, name := range []string{"idp localhost", "http://idp.localhost", "idp.localhost:8400", "idp.localhost.", "<b>", "ada@idp.localhost", "."} {
		if p, err := devidp.New(devidp.Config{Domain: name}); err == nil {
			t.Errorf("%q: a provider for %v, no error", name, p.Domain())
		}
	}
}

// TestNew checks that the domain is in lower case and that each provider has a new key.
func TestNew(t *testing.T) {
	a, err := devidp.New(devidp.Config{Domain: "Example.COM"})
	if err != nil {
		t.Fatal(err)
	}
	b, err := devidp.New(devidp.Config{Domain: "example.com"})
	if err != nil {
		t.Fatal(err)
	}
	if a.Domain() != "example.com" {
		t.Errorf("domain %q", a.Domain())
	}
	if bytes.Equal(a.KeysBundle(), b.KeysBundle()) {
		t.Error("two providers have the same key")
	}
}

// TestDocuments checks that the support document and the bundle have the same contents,
// and that package wellknown parses both.
func TestDocuments(t *testing.T) {
	_, served := answer(t, newRequest("GET", "/.well-known/browserid?domain=idp.localhost", ""))
	document, err := wellknown.ParseDocument([]byte(served))
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{document.Authentication, document.Provisioning} {
		if response, _ := answer(t, newRequest("GET", path, "")); response.StatusCode != 200 {
			t.Errorf("%s: %d", path, response.StatusCode)
		}
	}
	var bundle map[string]json.RawMessage
	if err := json.Unmarshal(idp().KeysBundle(), &bundle); err != nil {
		t.Fatal(err)
	}
	var want, got any
	if json.Unmarshal([]byte(served), &want) != nil || json.Unmarshal(bundle[idp().Domain()], &got) != nil || len(bundle) != 1 {
		t.Fatalf("bundle: %s", idp().KeysBundle())
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if _, file := answer(t, newRequest("GET", "/keys.json", "")); file != string(idp().KeysBundle()) {
		t.Errorf("/keys.json: %s", file)
	}
	static, err := wellknown.ParseStatic(idp().KeysBundle())
	if err != nil {
		t.Fatal(err)
	}
	authority, err := static.Authority(t.Context(), devidp.DefaultDomain, devidp.DefaultDomain)
	if err != nil || authority.Domain != devidp.DefaultDomain || len(authority.Keys) != 1 {
		t.Errorf("%v, %v", authority, err)
	}
}

// TestBundleIsACopy checks that a caller may modify the bundle.
func TestBundleIsACopy(t *testing.T) {
	before := idp().KeysBundle()
	clear(idp().KeysBundle())
	if !bytes.Equal(before, idp().KeysBundle()) {
		t.Error("the bundle was changed")
	}
}
