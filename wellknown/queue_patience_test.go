package wellknown_test

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"
)

// shortWait is how long a look-up waits for a turn while a document is held.
const shortWait = 50 * time.Millisecond

// TestStaleWithoutTurn holds that documents that expired unused answer after the
// short wait while all turns are taken by known hosts that stall for the first
// time, and that their fetches are made once there are turns.
func TestStaleWithoutTurn(t *testing.T) {
	const honest = 20
	name := func(i int) string { return fmt.Sprintf("rare%d.example", i) }
	bubble(t, 128, make(map[string]time.Duration), func(t *testing.T, c *callers, p *paced) {
		begin := time.Now()
		for i := range honest {
			look(t, c.r, name(i))
		}
		stall(t, c, p, stalled["of 400 domains"])
		for i := range honest {
			c.running.Go(func() {
				asked := time.Now()
				a, err := look(t, c.r, name(i))
				if err != nil || a.Fetched != begin || time.Since(asked) != shortWait {
					t.Errorf("%s: %+v, %v after %v", name(i), a, err, time.Since(asked))
				}
			})
		}
		time.Sleep(4 * timeout) // until each of the others has had a turn
		for i := range honest {
			asked := time.Now()
			if a, err := look(t, c.r, name(i)); err != nil || a.Fetched == begin || time.Since(asked) != 0 {
				t.Errorf("%s: %+v, %v after %v", name(i), a, err, time.Since(asked))
			}
		}
	})
}

// TestStaleQueued holds that the fetch of a look-up that did not wait for its turn
// stays queued, and that later look-ups do not wait for it again.
func TestStaleQueued(t *testing.T) {
	bubble(t, 1, map[string]time.Duration{"slow.example": time.Hour}, func(t *testing.T, c *callers, p *paced) {
		first, _ := look(t, c.r, host)
		time.Sleep(2 * time.Minute)
		c.ask(t.Context(), "slow.example", row4)
		for i, want := range []time.Duration{shortWait, 0, 0} {
			begin := time.Now()
			if a, err := look(t, c.r, host); err != nil || a.Fetched != first.Fetched || time.Since(begin) != want {
				t.Errorf("%d: %+v, %v after %v, want %v", i, a, err, time.Since(begin), want)
			}
		}
		p.reset()
		time.Sleep(timeout)
		synctest.Wait()
		if asked := p.order(); len(asked) != 1 || asked[0] != host {
			t.Errorf("asked %v", asked)
		}
	})
}

// TestStaleWithLateTurn holds that a look-up whose fetch gets its turn within the
// short wait waits for the answer, for one second in all.
func TestStaleWithLateTurn(t *testing.T) {
	const turn = 40 * time.Millisecond
	for name, c := range map[string]struct {
		takes, want time.Duration
		fresh       bool
	}{
		"answers": {500 * time.Millisecond, turn + 500*time.Millisecond, true},
		"stalls":  {time.Hour, time.Second, false},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, 1, make(map[string]time.Duration), func(t *testing.T, callers *callers, p *paced) {
				first, _ := look(t, callers.r, host)
				time.Sleep(2 * time.Minute)
				p.set("slow.example", turn+time.Millisecond)
				p.set(host, c.takes)
				callers.ask(t.Context(), "slow.example", nil) // a millisecond before
				begin := time.Now()
				a, err := look(t, callers.r, host)
				if err != nil || (a.Fetched != first.Fetched) != c.fresh || time.Since(begin) != c.want {
					t.Errorf("%+v, %v after %v, want %v", a, err, time.Since(begin), c.want)
				}
			})
		})
	}
}
