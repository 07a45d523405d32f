package assertion_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/vepverify/vepverify/assertion"
	"github.com/vepverify/vepverify/keys"
	"github.com/vepverify/vepverify/wellknown"
)

func TestOneUse(t *testing.T) {
	store := assertion.NewMemoryOneUse(10, clock)
	v := verifier(t, assertion.Config{OneUse: store, Leeway: -1})
	a := spec{}.String()
	bad := spec{issuerKey: otherRSA}.String()
	if e := v.Explain(context.Background(), a, rp); e.Err != nil {
		t.Errorf("explained: %v", e.Err)
	}
	if _, err := v.Verify(context.Background(), bad, rp); !errors.Is(err, assertion.ErrSignature) {
		t.Errorf("a forged certificate: %v", err)
	}
	if _, err := v.Verify(context.Background(), a, rp); err != nil {
		t.Errorf("first use, after what must not count: %v", err)
	}
	if res, err := v.Verify(context.Background(), a, rp); !errors.Is(err, assertion.ErrReplayed) || res != nil {
		t.Errorf("second use: %v", err)
	}
	// The same assertion after another certificate of the same key.
	_, token, _ := strings.Cut(a, "~")
	cert, _, _ := strings.Cut(spec{cert: map[string]any{"x": 1}}.String(), "~")
	if _, err := v.Verify(context.Background(), cert+"~"+token, rp); !errors.Is(err, assertion.ErrReplayed) {
		t.Errorf("another certificate: %v", err)
	}
	// An equal assertion of another user is another assertion.
	if _, err := v.Verify(context.Background(), spec{userKey: otherDSA}.String(), rp); err != nil {
		t.Errorf("another user: %v", err)
	}
}

func TestOneUseUnavailable(t *testing.T) {
	v := verifier(t, assertion.Config{OneUse: assertion.NewMemoryOneUse(0, clock)})
	res, err := v.Verify(context.Background(), spec{}.String(), rp)
	if res != nil || !errors.Is(err, assertion.ErrUndecided) || !errors.Is(err, assertion.ErrFull) {
		t.Errorf("a full store: %v, %v", res, err)
	}
}

// TestOneUseCause checks that logs, and not the answer, have the cause for which the
// guard does not answer.
func TestOneUseCause(t *testing.T) {
	cause := errors.New("redis at 10.0.0.5:6379: connection refused")
	v := verifier(t, assertion.Config{OneUse: brokenStore{cause}})
	_, err := v.Verify(context.Background(), spec{}.String(), rp)
	var e *assertion.Error
	if !errors.As(err, &e) || !errors.Is(err, cause) || e.Kind != assertion.ErrUndecided {
		t.Fatalf("error %v", err)
	}
	for what, text := range map[string]string{"Detail": e.Detail(), "LogValue": e.LogValue().String(), "Found": e.Found} {
		if !strings.Contains(text, cause.Error()) {
			t.Errorf("%s: %q", what, text)
		}
	}
	if f := assertion.Failure(err); strings.Contains(f.Reason, "redis") || !f.Undecided {
		t.Errorf("the answer is %+v", f)
	}
}

// brokenStore is a one-use store that does not answer.
type brokenStore struct{ error }

func (s brokenStore) FirstUse(context.Context, string, time.Time) (bool, error) {
	return false, s.error
}

// limitedStore is a one-use store that keeps entries for a limited time.
type limitedStore time.Duration

func (l limitedStore) MaxLife() time.Duration { return time.Duration(l) }

func (l limitedStore) FirstUse(_ context.Context, _ string, until time.Time) (bool, error) {
	if until.Sub(now) > l.MaxLife() {
		return false, errors.New("an entry for too long")
	}
	return true, nil
}

// unlimitedStore is a one-use store that keeps entries for any time.
type unlimitedStore struct{}

func (unlimitedStore) FirstUse(context.Context, string, time.Time) (bool, error) { return true, nil }

// TestMaxLife checks that an assertion is rejected, and not undecided, if the guard
// would have to keep its entry for too long.
func TestMaxLife(t *testing.T) {
	memory := func() assertion.OneUse { return assertion.NewMemoryOneUse(10, clock) }
	for name, c := range map[string]struct {
		config assertion.Config
		max    time.Duration // the longest lifetime that passes
		limit  string        // as the reason names it
	}{
		"default":             {assertion.Config{OneUse: memory()}, 10*time.Minute + 30*time.Second, "10 minutes"},
		"default, no leeway":  {assertion.Config{OneUse: memory(), Leeway: -1}, 10 * time.Minute, "10 minutes"},
		"a minute":            {assertion.Config{OneUse: memory(), Leeway: -1, MaxLife: time.Minute}, time.Minute, "1 minute"},
		"most of the store's": {assertion.Config{OneUse: memory(), MaxLife: 24*time.Hour - time.Minute}, 24*time.Hour - 30*time.Second, "23 hours 59 minutes"},
		"the store's":         {assertion.Config{OneUse: memory(), MaxLife: -1, Leeway: -1}, 24 * time.Hour, "1 day"},
		"the store's, leeway": {assertion.Config{OneUse: memory(), MaxLife: -1}, 24*time.Hour - 30*time.Second, "23 hours 59 minutes"},
		"a short store":       {assertion.Config{OneUse: limitedStore(3 * time.Minute)}, 150 * time.Second, "2 minutes"},
		"a long store":        {assertion.Config{OneUse: limitedStore(48 * time.Hour), MaxLife: -1, Leeway: -1}, 48 * time.Hour, "2 days"},
	} {
		v := verifier(t, c.config)
		verify := func(life time.Duration) error {
			a := spec{assertion: map[string]any{"exp": now.Add(life).UnixMilli()}}.String()
			_, err := v.Verify(context.Background(), a, rp)
			return err
		}
		if err := verify(c.max); err != nil {
			t.Errorf("%s: %v: %v", name, c.max, err)
		}
		for _, life := range []time.Duration{c.max + time.Millisecond, 25 * 365 * 24 * time.Hour} {
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
}

// TestNoMaxLife checks that an assertion may live for any time if there is no guard, or
// one without a limit and the configuration has none.
func TestNoMaxLife(t *testing.T) {
	for name, c := range map[string]assertion.Config{
		"no guard": {}, "a store without a limit": {OneUse: unlimitedStore{}, MaxLife: -1},
	} {
		a := spec{assertion: map[string]any{"exp": now.Add(25 * 365 * 24 * time.Hour).UnixMilli()}}.String()
		if _, err := verifier(t, c).Verify(context.Background(), a, rp); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestMaxLifeIsOffline checks that the lifetime is checked after the times and before
// any lookup, by Explain too.
func TestMaxLifeIsOffline(t *testing.T) {
	source := &recordingSource{KeySource: static(t, nil)}
	v := verifier(t, assertion.Config{Keys: source, OneUse: assertion.NewMemoryOneUse(10, clock)})
	long := map[string]any{"exp": now.Add(time.Hour).UnixMilli(), "nbf": now.Add(time.Minute).UnixMilli()}
	if _, err := v.Verify(context.Background(), spec{assertion: long}.String(), rp); !errors.Is(err, assertion.ErrNotYetValid) {
		t.Error(err)
	}
	delete(long, "nbf")
	if e := v.Explain(context.Background(), spec{assertion: long}.String(), rp); !errors.Is(e.Err, assertion.ErrLifetime) {
		t.Error(e.Err)
	}
	if len(source.asked) > 0 {
		t.Errorf("asked %q", source.asked)
	}
}

// sameKeySource is a KeySource for which each domain publishes the same key.
type sameKeySource struct{ key keys.PublicKey }

func (e sameKeySource) Authority(_ context.Context, host, _ string) (*wellknown.Authority, error) {
	return authority(host, e.key), nil
}

// TestOneDomainCannotFill checks that assertions of a few domains never make those of
// another domain undecided, whatever their lifetime.
func TestOneDomainCannotFill(t *testing.T) {
	const capacity = 300
	for name, c := range map[string]struct {
		life    time.Duration
		maxLife time.Duration
		hosts   []string // of the attacker; %d is a number
	}{
		"one domain, minutes":   {10 * time.Minute, 0, []string{"evil.example"}},
		"one domain, a day":     {23 * time.Hour, -1, []string{"evil.example"}},
		"many names of one":     {23 * time.Hour, -1, []string{"a%d.evil.example", "b%d.evil.example", "evil.example"}},
		"ten domains, minutes":  {10 * time.Minute, 0, tenDomains()},
		"ten domains for a day": {23 * time.Hour, -1, tenDomains()},
	} {
		t.Run(name, func(t *testing.T) {
			store := assertion.NewMemoryOneUse(capacity, clock)
			v := verifier(t, assertion.Config{Keys: sameKeySource{idpKey.Public()}, OneUse: store, MaxLife: c.maxLife})
			verify := func(host string, n int, life time.Duration) error {
				_, err := v.Verify(context.Background(), numbered(host, n, life), rp)
				return err
			}
			refused := 0
			for n := 0; refused < 30; n++ {
				for _, pattern := range c.hosts {
					err := verify(fmt.Sprintf(pattern, numbers(pattern, n)...), n, c.life)
					if err != nil && !errors.Is(err, assertion.ErrFull) {
						t.Fatal(err)
					}
					if err != nil {
						refused++
					}
				}
			}
			if refused == 0 {
				t.Error("the attacker was never refused")
			}
			for _, host := range []string{"idp.example", "mail.idp.co.uk", "other.co.uk"} {
				if err := verify(host, 0, time.Minute); err != nil {
					t.Errorf("%s: %v", host, err)
				}
			}
		})
	}
}

// numbered returns the n-th assertion of a user of host.
func numbered(host string, n int, life time.Duration) string {
	certificate := sign(map[string]any{
		"iss": host, "exp": now.Add(24 * time.Hour).UnixMilli(), "public-key": userDSA.Public(),
		"principal": map[string]any{"email": "mallory@" + host},
	}, idpKey)
	a := sign(map[string]any{"aud": rp, "n": fmt.Sprint(host, n), "exp": now.Add(life).UnixMilli()}, userDSA)
	return assertion.Bundle(a, certificate)
}

func tenDomains() (hosts []string) {
	for i := range 10 {
		hosts = append(hosts, fmt.Sprintf("evil%d.example", i))
	}
	return hosts
}

func numbers(pattern string, n int) []any {
	if pattern[1] == '%' {
		return []any{n}
	}
	return nil
}

// TestPartiesWithoutLimit checks that assertions of trusted issuers and the fallback
// may fill the store.
func TestPartiesWithoutLimit(t *testing.T) {
	for name, c := range map[string]struct {
		config assertion.Config
		email  string
		passed int // of 30
	}{
		"itself":   {assertion.Config{}, "alice@idp.example", 10},
		"trusted":  {assertion.Config{TrustedIssuers: []string{"idp.example"}}, "alice@other.example", 30},
		"fallback": {assertion.Config{Fallback: "idp.example"}, "alice@other.example", 30},
	} {
		c.config.OneUse = assertion.NewMemoryOneUse(30, clock)
		c.config.Keys = mapSource{"idp.example": authority("idp.example", idpKey.Public())}
		v := verifier(t, c.config)
		passed := 0
		for n := range 40 {
			_, err := v.Verify(context.Background(), spec{email: c.email, assertion: map[string]any{"n": n}}.String(), rp)
			if err == nil {
				passed++
			} else if !errors.Is(err, assertion.ErrFull) || !assertion.Failure(err).Undecided {
				t.Fatalf("%s: %v", name, err)
			}
		}
		if passed != c.passed {
			t.Errorf("%s: %d passed, want %d", name, passed, c.passed)
		}
	}
}

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
	use("a", time.Minute, false, nil) // a full store still has its entries
	now = now.Add(time.Minute)
	use("a", time.Minute, false, nil) // its last moment
	now = now.Add(time.Millisecond)
	use("c", time.Minute, true, nil) // in the place of a
	use("d", time.Minute, false, assertion.ErrFull)
	now = now.Add(time.Hour)
	use("a", time.Minute, true, nil)
	use("b", time.Minute, true, nil)
	now = now.Add(time.Hour)
	use("a", -time.Millisecond, false, assertion.ErrRetention) // an earlier entry would be gone
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

// TestMemoryOneUseParties checks how many entries a party has, before and after some
// have expired.
func TestMemoryOneUseParties(t *testing.T) {
	now := time.UnixMilli(1700000000000)
	m := assertion.NewMemoryOneUse(9, func() time.Time { return now })
	n := 0
	fill := func(party string, life time.Duration) (entries int) {
		for {
			n++
			first, err := m.FirstUseBy(context.Background(), party, fmt.Sprint(n), now.Add(life))
			if err != nil {
				if !errors.Is(err, assertion.ErrFull) || first {
					t.Fatalf("%v, %v", first, err)
				}
				return entries
			}
			entries++
		}
	}
	expect := func(what string, got, want int) {
		t.Helper()
		if got != want {
			t.Errorf("%s has %d entries, want %d", what, got, want)
		}
	}
	expect("the first", fill("a", time.Minute), 3)
	expect("the first again", fill("a", time.Hour), 0)
	expect("the second", fill("b", time.Hour), 2)
	expect("the third", fill("c", time.Hour), 2)
	expect("no party", fill("", time.Minute), 2)
	expect("a new one", fill("d", time.Minute), 0)
	if first, err := m.FirstUseBy(context.Background(), "d", "1", now.Add(time.Hour)); first || err != nil {
		t.Errorf("a used key: %v, %v", first, err)
	}
	now = now.Add(time.Minute + time.Millisecond)
	expect("the first, after expiry", fill("a", time.Minute), 2)
	if live, parties := assertion.OneUseSize(m); live != 6 || parties != 3 {
		t.Errorf("%d entries of %d parties", live, parties)
	}
	now = now.Add(2 * time.Hour)
	expect("the only one", fill("a", time.Minute), 3)
	if live, parties := assertion.OneUseSize(m); live != 3 || parties != 1 {
		t.Errorf("%d entries of %d parties", live, parties)
	}
}

func TestMemoryOneUsePartiesConcurrent(t *testing.T) {
	m := assertion.NewMemoryOneUse(1000, nil)
	until := time.Now().Add(time.Hour)
	var wg sync.WaitGroup
	for g := range 8 {
		wg.Go(func() {
			for i := range 500 {
				if _, err := m.FirstUseBy(context.Background(), fmt.Sprint(g%4), fmt.Sprint(g, i), until); err != nil && !errors.Is(err, assertion.ErrFull) {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	if live, parties := assertion.OneUseSize(m); live > 1000 || parties != 4 {
		t.Errorf("%d entries of %d parties", live, parties)
	}
}

// TestZeroMemoryOneUse checks that a store that NewMemoryOneUse has not made has no room.
func TestZeroMemoryOneUse(t *testing.T) {
	for name, guard := range map[string]*assertion.MemoryOneUse{"nil": nil, "zero": new(assertion.MemoryOneUse)} {
		if first, err := guard.FirstUse(context.Background(), "key", time.Now().Add(time.Minute)); first || !errors.Is(err, assertion.ErrFull) {
			t.Errorf("%s: %v, %v", name, first, err)
		}
	}
}
