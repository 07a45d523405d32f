package keys_test

import (
	"slices"
	"testing"

	"github.com/vepverify/vepverify/keys"
)

func TestArithmetic(t *testing.T) {
	if got := keys.Arithmetic(); !slices.Contains([]string{"AVX-512 IFMA", "portable"}, got) {
		t.Errorf("got %q", got)
	}
}
