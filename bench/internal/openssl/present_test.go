//go:build openssl && cgo

package openssl_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/vepverify/vepverify/bench/internal/openssl"
	"github.com/vepverify/vepverify/devidp/idptest"
)

func TestSum(t *testing.T) {
	for _, name := range []string{"RS128", "RS256", "DS128", "DS256", "DS128-own-group"} {
		t.Run(name, func(t *testing.T) {
			key := idptest.Key(name)
			token := idptest.Token{Key: key, Claims: idptest.Object{"aud": "https://rp.example"}}
			if err := run(t, name, token.String()); err != nil {
				t.Error(err)
			}
			token.Sign = func(message []byte) ([]byte, error) {
				signature, err := key.Sign(message)
				signature[len(signature)-1] ^= 8
				return signature, err
			}
			if err := run(t, name, token.String()); !errors.Is(err, openssl.ErrVerify) {
				t.Errorf("altered signature: %v, want ErrVerify", err)
			}
		})
	}
	if !strings.HasPrefix(openssl.Version(), "OpenSSL") {
		t.Errorf("version %q", openssl.Version())
	}
}

func run(t *testing.T, name, token string) error {
	t.Helper()
	sum, err := openssl.New()
	if err != nil {
		t.Fatal(err)
	}
	defer sum.Close()
	for range 2 {
		if err := sum.Add(idptest.Key(name).Public(), token); err != nil {
			t.Fatal(err)
		}
	}
	return sum.Run(5)
}
