package main

import (
	"encoding/json"
	"errors"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/vepverify/vepverify/cmd/vepverify/internal/cli"
	"github.com/vepverify/vepverify/evp/issuer"
)

// TestKeygenForIssuer checks that package issuer loads the keys of keygen, and publishes the set
// that --jwks prints.
func TestKeygenForIssuer(t *testing.T) {
	for _, algorithm := range []string{"Ed25519", "ES256", "RS256"} {
		name := filepath.Join(t.TempDir(), "issuer.jwk")
		code, out, stderr := runApp(t, cli.Process{}, "keygen", "--algorithm", algorithm, "--out", name, "--jwks")
		if code != 0 {
			t.Fatalf("%s: status %d, %s", algorithm, code, stderr)
		}
		keys, err := issuer.LoadKeys(name)
		if err != nil {
			t.Fatalf("%s: %v", algorithm, err)
		}
		published, err := keys.PublicJWKS()
		if err != nil {
			t.Fatal(err)
		}
		var got, want any
		if err := errors.Join(json.Unmarshal([]byte(out), &got), json.Unmarshal(published, &want)); err != nil {
			t.Fatalf("%s: %v: %s", algorithm, err, out)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s: printed something else than the issuer publishes: %s", algorithm, diff)
		}
	}
}
