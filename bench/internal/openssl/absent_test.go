//go:build !openssl || !cgo

package openssl_test

import (
	"errors"
	"testing"

	"github.com/vepverify/vepverify/bench/internal/openssl"
)

func TestNotBuilt(t *testing.T) {
	if _, err := openssl.New(); !errors.Is(err, openssl.ErrNotBuilt) || openssl.Available {
		t.Errorf("%v, available %v", err, openssl.Available)
	}
}
