package oneuse_test

import (
	"context"
	"testing"
	"time"

	"github.com/vepverify/vepverify/internal/oneuse"
)

// plain is a guard without optional methods.
type plain struct{ asked *[]string }

func (g plain) FirstUse(_ context.Context, key string, _ time.Time) (bool, error) {
	*g.asked = append(*g.asked, key)
	return true, nil
}

// full is a guard with all optional methods.
type full struct{ plain }

func (full) MaxLife() time.Duration { return time.Hour }

func (g full) FirstUseBy(_ context.Context, party, key string, _ time.Time) (bool, error) {
	*g.asked = append(*g.asked, party+" "+key)
	return false, nil
}

func TestOptionalMethods(t *testing.T) {
	var asked []string
	without, with := plain{&asked}, full{plain{&asked}}
	if life, limited := oneuse.MaxLife(without); life != 0 || limited {
		t.Errorf("MaxLife without: %v, %v", life, limited)
	}
	if life, limited := oneuse.MaxLife(with); life != time.Hour || !limited {
		t.Errorf("MaxLife with: %v, %v", life, limited)
	}
	if first, err := oneuse.FirstUse(t.Context(), without, "party", "key", time.Time{}); !first || err != nil {
		t.Errorf("FirstUse without: %v, %v", first, err)
	}
	if first, err := oneuse.FirstUse(t.Context(), with, "party", "key", time.Time{}); first || err != nil {
		t.Errorf("FirstUse with: %v, %v", first, err)
	}
	if len(asked) != 2 || asked[0] != "key" || asked[1] != "party key" {
		t.Errorf("asked %q", asked)
	}
}
