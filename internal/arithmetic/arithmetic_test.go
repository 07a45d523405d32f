package arithmetic_test

import (
	"slices"
	"testing"

	"github.com/vepverify/vepverify/internal/arithmetic"
)

func TestName(t *testing.T) {
	if got := arithmetic.Name(); !slices.Contains([]string{arithmetic.IFMA, arithmetic.Portable}, got) {
		t.Errorf("got %q", got)
	}
}
