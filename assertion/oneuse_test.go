package assertion_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/vepverify/vepverify/assertion"
)

func TestMemoryOneUse(t *testing.T) {
	ctx := context.Background()
	now := time.UnixMilli(1700000000000)
	m := assertion.NewMemoryOneUse(2, func() time.Time { return now })
	use := func(key string, life time.Duration, first bool, want error) {
		t.Helper()
		got, err := m.FirstUse(ctx, key, now.Add(life))
		if got != first || !errors.Is(err, want) {
			t.Errorf("%s: %v, %v; want %v, %v", key, got, err, first, want)
		}
	}
	use("a", time.Minute, true, nil)
	use("a", time.Hour, false, nil)
	use("b", 2*time.Minute, true, nil)
	use("c", time.Minute, false, assertion.ErrFull)
	use("a", time.Minute, false, nil) // a full store still knows its entries
	now = now.Add(time.Minute)
	use("a", time.Minute, false, nil) // its last moment
	now = now.Add(time.Millisecond)
	use("c", time.Minute, true, nil) // in the place of a
	use("d", time.Minute, false, assertion.ErrFull)
	now = now.Add(time.Hour)
	use("a", time.Minute, true, nil)
	use("b", time.Minute, true, nil)
	now = now.Add(time.Hour)
	use("a", -time.Millisecond, false, assertion.ErrRetention) // whether it was used is forgotten
	use("e", 0, true, nil)
	use("f", 24*time.Hour, true, nil)
	use("g", 24*time.Hour+1, false, assertion.ErrRetention)
}

func TestMemoryOneUseIsAtomic(t *testing.T) {
	m := assertion.NewMemoryOneUse(1000, nil)
	until := time.Now().Add(time.Hour)
	var first atomic.Int32
	var wg sync.WaitGroup
	for range 16 {
		wg.Go(func() {
			for i := range 100 {
				ok, err := m.FirstUse(context.Background(), fmt.Sprint(i), until)
				if err != nil {
					t.Error(err)
				}
				if ok {
					first.Add(1)
				}
			}
		})
	}
	wg.Wait()
	if n := first.Load(); n != 100 {
		t.Errorf("%d first uses of 100 keys", n)
	}
}

// TestWithOneUse: the guard of the new verifier counts and has its limits, and the
// old verifier is as it was.
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
	if _, err := v.WithOneUse(briefly{}); !errors.Is(err, assertion.ErrMisuse) {
		t.Errorf("a guard that keeps nothing: %v", err)
	}
	if _, err := (*assertion.Verifier)(nil).WithOneUse(guard); !errors.Is(err, assertion.ErrMisuse) {
		t.Errorf("a nil verifier: %v", err)
	}
}

// briefly is a guard that keeps no entry for long enough.
type briefly struct{ assertion.OneUse }

func (briefly) MaxLife() time.Duration { return time.Second }
