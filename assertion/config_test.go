package assertion_test

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/vepverify/vepverify/assertion"
	"github.com/vepverify/vepverify/wellknown"
)

func TestInvalidConfig(t *testing.T) {
	for name, c := range map[string]assertion.Config{
		"trusted issuer": {TrustedIssuers: []string{"https://idp.example"}},
		"fallback":       {Fallback: "idp.example/"},
		"leeway":         {Leeway: 5*time.Minute + 1},
		"zero resolver":  {Keys: new(wellknown.Resolver)},
		"negative chain": {MaxChain: -1},
		"long chain":     {MaxChain: assertion.MaxChainLimit + 1},
		"no fallback":    {InsecureFallbackOnUnavailable: true},

		"life without a guard":  {MaxLife: time.Minute},
		"no limit, no guard":    {MaxLife: -1},
		"life beyond the store": {MaxLife: 24 * time.Hour, OneUse: assertion.NewMemoryOneUse(1, clock)},
		"life and leeway beyond the store": {
			MaxLife: 24*time.Hour - time.Minute + time.Millisecond, OneUse: assertion.NewMemoryOneUse(1, clock),
		},
		"store shorter than the leeway": {OneUse: limitedStore(time.Minute)},
	} {
		if v, err := assertion.NewVerifier(c); !errors.Is(err, assertion.ErrMisuse) || v != nil {
			t.Errorf("%s: %v, %v", name, v, err)
		} else if !strings.HasPrefix(err.Error(), "assertion: ") {
			t.Errorf("%s: %q does not begin with the package", name, err)
		}
	}
}

func TestMisuse(t *testing.T) {
	var none *assertion.Verifier
	for name, v := range map[string]*assertion.Verifier{"nil": none, "zero": new(assertion.Verifier)} {
		if res, err := v.Verify(context.Background(), spec{}.String(), rp); !errors.Is(err, assertion.ErrMisuse) || res != nil {
			t.Errorf("%s: %v, %v", name, res, err)
		}
		if e := v.Explain(context.Background(), spec{}.String(), rp); !errors.Is(e.Err, assertion.ErrMisuse) {
			t.Errorf("%s: explains %v", name, e.Err)
		}
	}
	//lint:ignore SA1012 a nil context is what is tested
	if _, err := verifier(t, assertion.Config{}).Verify(nil, spec{}.String(), rp); !errors.Is(err, assertion.ErrMisuse) {
		t.Errorf("a nil context: %v", err)
	}
	if _, err := verifier(t, assertion.Config{}).Verify(context.Background(), spec{}.String()); !errors.Is(err, assertion.ErrMisuse) {
		t.Errorf("no audience: %v", err)
	}
	if _, err := assertion.Verify(context.Background(), spec{}.String()); !errors.Is(err, assertion.ErrMisuse) {
		t.Errorf("no audience, default verifier: %v", err)
	}
}

func TestWithTrustedIssuers(t *testing.T) {
	source := &recordingSource{KeySource: static(t, map[string]json.RawMessage{"other.example": document(idpKey.Public())})}
	v := verifier(t, assertion.Config{Keys: source})
	a := spec{issuer: "other.example"}.String()
	if _, err := v.Verify(context.Background(), a, rp); !errors.Is(err, assertion.ErrIssuer) {
		t.Errorf("untrusted: %v", err)
	}
	trusting, err := v.WithTrustedIssuers("OTHER.example")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := trusting.Verify(context.Background(), a, rp); err != nil {
		t.Errorf("trusted: %v", err)
	}
	if want := []string{"idp.example idp.example", "other.example idp.example"}; !slices.Equal(source.asked, want) {
		t.Errorf("asked %q, want %q", source.asked, want)
	}
	distrusting, err := trusting.WithTrustedIssuers()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := distrusting.Verify(context.Background(), a, rp); !errors.Is(err, assertion.ErrIssuer) {
		t.Errorf("trusted no more: %v", err)
	}
	if _, err := v.Verify(context.Background(), a, rp); !errors.Is(err, assertion.ErrIssuer) {
		t.Errorf("the first verifier changed: %v", err)
	}
	if v, err := v.WithTrustedIssuers("other.example", "not a domain"); !errors.Is(err, assertion.ErrMisuse) || v != nil {
		t.Errorf("a malformed name: %v, %v", v, err)
	}
	if _, err := (*assertion.Verifier)(nil).WithTrustedIssuers(); !errors.Is(err, assertion.ErrMisuse) {
		t.Errorf("a nil verifier: %v", err)
	}
}

// TestWithOneUse checks that the limits of the guard are those of the new verifier,
// and that the old verifier does not change.
func TestWithOneUse(t *testing.T) {
	now := time.UnixMilli(1700000000000)
	v, err := assertion.NewVerifier(assertion.Config{Now: func() time.Time { return now }})
	if err != nil {
		t.Fatal(err)
	}
	if v.OneUse() != nil || !v.Now().Equal(now) {
		t.Errorf("guard %v, time %v", v.OneUse(), v.Now())
	}
	guard := assertion.NewMemoryOneUse(1, v.Now)
	guarded, err := v.WithOneUse(guard)
	if err != nil || guarded.OneUse() != assertion.OneUse(guard) || v.OneUse() != nil {
		t.Errorf("%v, %v", guarded, err)
	}
	if _, err := v.WithOneUse(shortStore{}); !errors.Is(err, assertion.ErrMisuse) {
		t.Errorf("a guard that keeps nothing: %v", err)
	}
	limited := verifier(t, assertion.Config{OneUse: guard, MaxLife: time.Minute})
	if v, err := limited.WithOneUse(nil); !errors.Is(err, assertion.ErrMisuse) || v != nil {
		t.Errorf("MaxLife without a guard: %v, %v", v, err)
	}
	if _, err := (*assertion.Verifier)(nil).WithOneUse(guard); !errors.Is(err, assertion.ErrMisuse) {
		t.Errorf("a nil verifier: %v", err)
	}
}

// shortStore is a guard that keeps entries for less than twice the leeway.
type shortStore struct{ assertion.OneUse }

func (shortStore) MaxLife() time.Duration { return time.Second }

// TestNilValues checks that a value that a Config or a call must not have is an error of the
// constructor, and no panic of a later call.
func TestNilValues(t *testing.T) {
	for name, c := range map[string]assertion.Config{
		"Keys":   {Keys: (*wellknown.Resolver)(nil)},
		"OneUse": {OneUse: (*assertion.MemoryOneUse)(nil)},
	} {
		if v, err := assertion.NewVerifier(c); !errors.Is(err, assertion.ErrMisuse) || v != nil {
			t.Errorf("%s: %v, %v", name, v, err)
		} else if !strings.HasPrefix(err.Error(), "assertion: "+name+": ") {
			t.Errorf("%s: %q", name, err)
		}
	}
	v := verifier(t, assertion.Config{})
	if v, err := v.WithOneUse((*assertion.MemoryOneUse)(nil)); !errors.Is(err, assertion.ErrMisuse) || v != nil {
		t.Errorf("WithOneUse: %v, %v", v, err)
	}
}

// TestUnmadeVerifier checks every method of a Verifier that NewVerifier has not made.
func TestUnmadeVerifier(t *testing.T) {
	for name, v := range map[string]*assertion.Verifier{"nil": nil, "zero": new(assertion.Verifier)} {
		if _, err := v.WithOneUse(assertion.NewMemoryOneUse(1, nil)); !errors.Is(err, assertion.ErrMisuse) {
			t.Errorf("%s: WithOneUse: %v", name, err)
		}
		if _, err := v.WithTrustedIssuers("idp.example"); !errors.Is(err, assertion.ErrMisuse) {
			t.Errorf("%s: WithTrustedIssuers: %v", name, err)
		}
		if guard := v.OneUse(); guard != nil {
			t.Errorf("%s: OneUse: %v", name, guard)
		}
		if v.Now().IsZero() {
			t.Errorf("%s: Now: zero", name)
		}
	}
}
