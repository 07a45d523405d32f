package keys_test

import (
	"bytes"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/vepverify/vepverify/keys"
)

// FuzzParsePublicKey checks that there is either a key or an error, and that a key that was
// parsed is the same after it was written in either form and parsed again.
func FuzzParsePublicKey(f *testing.F) {
	for _, k := range usable() {
		f.Add(object{"algorithm": "RS", "n": k.n.String(), "e": k.e.String()}.json())
		f.Add(k.jwk().json())
	}
	for _, k := range dsaKeys() {
		f.Add(k.public().json())
		f.Add(object{"kty": "DSA", "p": b64(k.p), "q": b64(k.q), "g": b64(k.g), "y": b64(k.y) + "="}.json())
	}
	for _, text := range []string{
		`{}`, `{"kty":"RSA"}`, `{"kty":"EC"}`, `{"kty":"RSA","algorithm":"RS"}`, `{"algorithm":"RS","n":"","e":"3"}`,
		`{"kty":"RSA","n":"AQ\nAB","e":"Aw=="}`, `{"algorithm":"DS","p":"0","q":"1","g":"-1","y":"0x2"}`,
		`{"algorithm":"RS","n":"` + strings.Repeat("9", 3000) + `","e":"3"}`,
	} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		k, err := keys.InsecureParsePublicKey(data)
		if (k == nil) != (err != nil) {
			t.Fatalf("key %v with error %v", k, err)
		}
		strong, strongErr := keys.ParsePublicKey(data)
		if (strong == nil) != (strongErr != nil) {
			t.Fatalf("key %v with error %v", strong, strongErr)
		}
		if err != nil {
			if !slices.ContainsFunc([]error{keys.ErrMalformed, keys.ErrUnknownType, keys.ErrTooLarge}, func(class error) bool { return errors.Is(err, class) }) {
				t.Errorf("an error that matches none of the package: %v", err)
			}
			return
		}
		if k.Weak() != errors.Is(strongErr, keys.ErrWeak) {
			t.Errorf("weak %v, error %v", k.Weak(), strongErr)
		}
		if !slices.Contains(keys.Algorithms(), k.Algorithm()) {
			t.Errorf("unknown algorithm %s", k.Algorithm())
		}
		if err := k.Verify(data, data); err != nil && !errors.Is(err, keys.ErrSignature) {
			t.Errorf("Verify: %v", err)
		}
		for _, write := range []func() ([]byte, error){k.MarshalJSON, k.MarshalJWK} {
			again, err := keys.InsecureParsePublicKey(written(t, write))
			if err != nil {
				t.Errorf("what was written cannot be parsed: %v", err)
			} else if !bytes.Equal(again.Canonical(), k.Canonical()) {
				t.Error("what was written is another key")
			}
		}
	})
}

// FuzzParsePrivateKey checks that there is either a key or an error, and that the public
// half of a key verifies what the key signs.
func FuzzParsePrivateKey(f *testing.F) {
	for _, k := range usable() {
		if k.bits <= 1024 {
			f.Add(k.private().json())
			f.Add(k.jwk().json())
		}
	}
	for _, k := range dsaKeys() {
		f.Add(k.private().json())
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		k, err := keys.InsecureParsePrivateKey(data)
		if (k == nil) != (err != nil) {
			t.Fatalf("key %v with error %v", k, err)
		}
		if err != nil {
			return
		}
		if err := k.Public().Validate(); err != nil {
			t.Errorf("Validate: %v", err)
		}
		s, err := k.Sign(data)
		if err != nil {
			t.Fatalf("Sign: %v", err)
		}
		if err := k.Public().Verify(data, s); err != nil {
			t.Errorf("Verify: %v", err)
		}
		again, err := keys.InsecureParsePrivateKey(written(t, k.MarshalJWK))
		if err != nil {
			t.Errorf("what was written cannot be parsed: %v", err)
		} else if !bytes.Equal(again.Public().Canonical(), k.Public().Canonical()) {
			t.Error("what was written is another key")
		}
	})
}
