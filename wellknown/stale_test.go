package wellknown_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"
)

// staleSlotWait is how long a lookup waits for a slot if a stale document counts.
const staleSlotWait = 50 * time.Millisecond

// TestStaleWithoutSlot checks that stale documents are used after staleSlotWait while
// known hosts that stall have all slots, and that their fetches start when there are slots.
func TestStaleWithoutSlot(t *testing.T) {
	const honest = 20
	name := func(i int) string { return fmt.Sprintf("rare%d.example", i) }
	bubble(t, 128, make(map[string]time.Duration), func(t *testing.T, c *callers, tn *timedNetwork) {
		begin := time.Now()
		for i := range honest {
			lookUp(t, c.r, name(i))
		}
		stall(t, c, tn, stalled["of 400 domains"])
		for i := range honest {
			c.running.Go(func() {
				asked := time.Now()
				a, err := lookUp(t, c.r, name(i))
				if err != nil || a.Fetched != begin || time.Since(asked) != staleSlotWait {
					t.Errorf("%s: %+v, %v after %v", name(i), a, err, time.Since(asked))
				}
			})
		}
		time.Sleep(4 * timeout) // until each of the others has had a slot
		for i := range honest {
			asked := time.Now()
			if a, err := lookUp(t, c.r, name(i)); err != nil || a.Fetched == begin || time.Since(asked) != 0 {
				t.Errorf("%s: %+v, %v after %v", name(i), a, err, time.Since(asked))
			}
		}
	})
}

// TestStaleQueued checks that the fetch of a lookup that has returned stays queued, and
// that later lookups do not wait for it again.
func TestStaleQueued(t *testing.T) {
	bubble(t, 1, map[string]time.Duration{"slow.example": time.Hour}, func(t *testing.T, c *callers, tn *timedNetwork) {
		first, _ := lookUp(t, c.r, host)
		time.Sleep(2 * time.Minute)
		c.ask(t.Context(), "slow.example", row4)
		for i, want := range []time.Duration{staleSlotWait, 0, 0} {
			begin := time.Now()
			if a, err := lookUp(t, c.r, host); err != nil || a.Fetched != first.Fetched || time.Since(begin) != want {
				t.Errorf("%d: %+v, %v after %v, want %v", i, a, err, time.Since(begin), want)
			}
		}
		tn.reset()
		time.Sleep(timeout)
		synctest.Wait()
		if asked := tn.askedHosts(); len(asked) != 1 || asked[0] != host {
			t.Errorf("asked %v", asked)
		}
	})
}

// TestStaleWithLateSlot checks that a lookup whose fetch starts within staleSlotWait
// waits for the answer, for at most one second in total.
func TestStaleWithLateSlot(t *testing.T) {
	const slot = 40 * time.Millisecond
	for name, c := range map[string]struct {
		delays, want time.Duration
		fresh        bool
	}{
		"answers": {500 * time.Millisecond, slot + 500*time.Millisecond, true},
		"stalls":  {time.Hour, time.Second, false},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, 1, make(map[string]time.Duration), func(t *testing.T, callers *callers, tn *timedNetwork) {
				first, _ := lookUp(t, callers.r, host)
				time.Sleep(2 * time.Minute)
				tn.set("slow.example", slot+time.Millisecond)
				tn.set(host, c.delays)
				callers.ask(t.Context(), "slow.example", nil) // starts a millisecond before
				begin := time.Now()
				a, err := lookUp(t, callers.r, host)
				if err != nil || (a.Fetched != first.Fetched) != c.fresh || time.Since(begin) != c.want {
					t.Errorf("%+v, %v after %v, want %v", a, err, time.Since(begin), c.want)
				}
			})
		})
	}
}

// TestStaleWithinASecond checks that a stale document is used after one second of the
// fetch, or after staleSlotWait without a slot, and that the fetch goes on.
func TestStaleWithinASecond(t *testing.T) {
	for name, longest := range map[string]time.Duration{"stalls": time.Second, "no slot": staleSlotWait} {
		t.Run(name, func(t *testing.T) {
			blocked := name == "no slot"
			delays := map[string]time.Duration{"slow.example": time.Hour}
			bubble(t, 1, delays, func(t *testing.T, c *callers, tn *timedNetwork) {
				first, _ := lookUp(t, c.r, host)
				time.Sleep(2 * time.Minute)
				if blocked {
					c.ask(t.Context(), "slow.example", row4)
				}
				tn.set(host, 3*time.Second)
				for i, want := range []time.Duration{longest, 0, 0} { // the second is of the fetch, not of each caller
					begin := time.Now()
					if a, err := lookUp(t, c.r, host); err != nil || a.Fetched != first.Fetched || time.Since(begin) != want {
						t.Errorf("%d: %+v, %v after %v, want %v", i, a, err, time.Since(begin), want)
					}
				}
				time.Sleep(timeout + 3*time.Second)
				begin := time.Now()
				if a, err := lookUp(t, c.r, host); err != nil || a.Fetched == first.Fetched || time.Since(begin) != 0 {
					t.Errorf("%+v, %v after %v", a, err, time.Since(begin))
				}
			})
		})
	}
}

// TestStaleNotForRefresh checks that Refresh waits for the fetch to end.
func TestStaleNotForRefresh(t *testing.T) {
	delays := make(map[string]time.Duration)
	bubble(t, 1, delays, func(t *testing.T, c *callers, tn *timedNetwork) {
		first, _ := lookUp(t, c.r, host)
		tn.set(host, 3*time.Second)
		time.Sleep(2 * time.Minute)
		begin := time.Now()
		a, err := c.r.Refresh(t.Context(), host, host)
		if err != nil || a.Fetched == first.Fetched || time.Since(begin) != 3*time.Second {
			t.Errorf("%+v, %v after %v", a, err, time.Since(begin))
		}
	})
}

// TestStaleEnds checks that a document does not count 24 h after it expired, if its host
// stalls.
func TestStaleEnds(t *testing.T) {
	delays := make(map[string]time.Duration)
	bubble(t, 1, delays, func(t *testing.T, c *callers, tn *timedNetwork) {
		lookUp(t, c.r, host)
		tn.set(host, time.Hour)
		time.Sleep(time.Minute + 24*time.Hour)
		if a, err := c.r.Authority(t.Context(), host, host); row(t, a, err) != row4 || !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("%+v, %v", a, err)
		}
	})
}
