package assertion_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/vepverify/vepverify/assertion"
)

// lifetimes is a one-use store that keeps entries for a limited time.
type lifetimes time.Duration

func (l lifetimes) MaxLife() time.Duration { return time.Duration(l) }

func (l lifetimes) FirstUse(_ context.Context, _ string, until time.Time) (bool, error) {
	if until.Sub(now) > l.MaxLife() {
		return false, errors.New("an entry for too long")
	}
	return true, nil
}

// unlimited is one that keeps them for as long as is wanted.
type unlimited struct{}

func (unlimited) FirstUse(context.Context, string, time.Time) (bool, error) { return true, nil }

// TestMaxLife checks that an assertion that the guard would have to remember for
// too long is rejected, offline, and not undecided.
func TestMaxLife(t *testing.T) {
	const ms = time.Millisecond
	memory := func() assertion.OneUse { return assertion.NewMemoryOneUse(10, clock) }
	for name, c := range map[string]struct {
		config assertion.Config
		max    time.Duration // the longest lifetime that passes
		limit  string        // as the reason names it
	}{
		"default":             {assertion.Config{OneUse: memory()}, 10*time.Minute + 30*time.Second, "10m0s"},
		"default, no leeway":  {assertion.Config{OneUse: memory(), Leeway: -1}, 10 * time.Minute, "10m0s"},
		"a minute":            {assertion.Config{OneUse: memory(), Leeway: -1, MaxLife: time.Minute}, time.Minute, "1m0s"},
		"most of the store's": {assertion.Config{OneUse: memory(), MaxLife: 24*time.Hour - time.Minute}, 24*time.Hour - 30*time.Second, "23h59m0s"},
		"the store's":         {assertion.Config{OneUse: memory(), MaxLife: -1, Leeway: -1}, 24 * time.Hour, "24h0m0s"},
		"the store's, leeway": {assertion.Config{OneUse: memory(), MaxLife: -1}, 24*time.Hour - 30*time.Second, "23h59m0s"},
		"a short store":       {assertion.Config{OneUse: lifetimes(3 * time.Minute)}, 150 * time.Second, "2m0s"},
		"a long store":        {assertion.Config{OneUse: lifetimes(48 * time.Hour), MaxLife: -1, Leeway: -1}, 48 * time.Hour, "48h0m0s"},
	} {
		v := verifier(t, c.config)
		verify := func(life time.Duration) error {
			a := mint{assertion: map[string]any{"exp": now.Add(life).UnixMilli()}}.String()
			_, err := v.Verify(context.Background(), a, rp)
			return err
		}
		if err := verify(c.max); err != nil {
			t.Errorf("%s: %v: %v", name, c.max, err)
		}
		for _, life := range []time.Duration{c.max + ms, 25 * 365 * 24 * time.Hour} {
			err := verify(life)
			f := assertion.Failure(err)
			if !errors.Is(err, assertion.ErrLifetime) || !errors.Is(err, assertion.ErrRejected) || f == nil || f.Undecided {
				t.Errorf("%s: %v: %v", name, life, err)
				continue
			}
			if !strings.Contains(f.Reason, c.limit) {
				t.Errorf("%s: the reason %q does not name the limit %s", name, f.Reason, c.limit)
			}
		}
	}
	for name, c := range map[string]assertion.Config{
		"no guard": {}, "a store without a limit": {OneUse: unlimited{}, MaxLife: -1},
	} {
		a := mint{assertion: map[string]any{"exp": now.Add(25 * 365 * 24 * time.Hour).UnixMilli()}}.String()
		if _, err := verifier(t, c).Verify(context.Background(), a, rp); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestMaxLifeIsOffline checks the order: after the times, before any look-up, and
// in explanations too.
func TestMaxLifeIsOffline(t *testing.T) {
	source := &recorder{KeySource: static(t, nil)}
	v := verifier(t, assertion.Config{Keys: source, OneUse: assertion.NewMemoryOneUse(10, clock)})
	long := map[string]any{"exp": now.Add(time.Hour).UnixMilli(), "nbf": now.Add(time.Minute).UnixMilli()}
	if _, err := v.Verify(context.Background(), mint{assertion: long}.String(), rp); !errors.Is(err, assertion.ErrNotYetValid) {
		t.Error(err)
	}
	delete(long, "nbf")
	if e := v.Explain(context.Background(), mint{assertion: long}.String(), rp); !errors.Is(e.Err, assertion.ErrLifetime) {
		t.Error(e.Err)
	}
	if len(source.asked) > 0 {
		t.Errorf("asked %q", source.asked)
	}
}
