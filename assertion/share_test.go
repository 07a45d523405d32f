package assertion_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/vepverify/vepverify/assertion"
	"github.com/vepverify/vepverify/keys"
	"github.com/vepverify/vepverify/wellknown"
)

// everywhere is a source for which each domain publishes the same key.
type everywhere struct{ key keys.PublicKey }

func (e everywhere) Authority(_ context.Context, host, _ string) (*wellknown.Authority, error) {
	return authority(host, e.key), nil
}

// TestFullByOneDomain checks that assertions of a few domains, however long they
// live, never make those of another domain undecided.
func TestFullByOneDomain(t *testing.T) {
	const room = 300
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
			store := assertion.NewMemoryOneUse(room, clock)
			v := verifier(t, assertion.Config{Keys: everywhere{idpKey.Public()}, OneUse: store, MaxLife: c.maxLife})
			certificates := map[string]string{}
			verify := func(host string, n int, life time.Duration) error {
				if certificates[host] == "" {
					certificates[host] = sign(map[string]any{
						"iss": host, "exp": now.Add(24 * time.Hour).UnixMilli(), "public-key": userDSA.Public(),
						"principal": map[string]any{"email": "mallory@" + host},
					}, idpKey)
				}
				a := sign(map[string]any{"aud": rp, "n": fmt.Sprint(host, n), "exp": now.Add(life).UnixMilli()}, userDSA)
				_, err := v.Verify(context.Background(), assertion.Bundle(a, certificates[host]), rp)
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

// TestExemptParties checks that trusted issuers and the fallback may fill the
// store.
func TestExemptParties(t *testing.T) {
	for name, c := range map[string]struct {
		config assertion.Config
		email  string
		room   int // of 30
	}{
		"itself":   {assertion.Config{}, "alice@idp.example", 10},
		"trusted":  {assertion.Config{TrustedIssuers: []string{"idp.example"}}, "alice@other.example", 30},
		"fallback": {assertion.Config{Fallback: "idp.example"}, "alice@other.example", 30},
	} {
		c.config.OneUse = assertion.NewMemoryOneUse(30, clock)
		c.config.Keys = scripted{"idp.example": authority("idp.example", idpKey.Public())}
		v := verifier(t, c.config)
		passed := 0
		for n := range 40 {
			_, err := v.Verify(context.Background(), mint{email: c.email, assertion: map[string]any{"n": n}}.String(), rp)
			if err == nil {
				passed++
			} else if !errors.Is(err, assertion.ErrFull) || !assertion.Failure(err).Undecided {
				t.Fatalf("%s: %v", name, err)
			}
		}
		if passed != c.room {
			t.Errorf("%s: %d passed, want %d", name, passed, c.room)
		}
	}
}

// TestMemoryOneUseParties checks the shares themselves, and that expiry gives
// them back.
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
