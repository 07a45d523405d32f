package wellknown_test

import (
	"context"
	"errors"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/vepverify/vepverify/wellknown"
)

// TestRenewal holds that a document in use is renewed in the background in the
// last quarter of its minute, once, and that its users never wait.
func TestRenewal(t *testing.T) {
	bubble(t, 1, map[string]time.Duration{host: 3 * time.Second}, func(t *testing.T, c *callers, p *paced) {
		first, _ := look(t, c.r, host)
		time.Sleep(45*time.Second - time.Nanosecond)
		for _, want := range []int{1, 2, 2} { // before, at the beginning of, and in the last quarter
			begin := time.Now()
			gone, cancel := context.WithCancel(t.Context())
			a, err := c.r.Authority(gone, host, host)
			cancel() // the renewal does not depend on it
			if err != nil || a.Fetched != first.Fetched || time.Since(begin) != 0 {
				t.Errorf("%+v, %v after %v", a, err, time.Since(begin))
			}
			synctest.Wait()
			if n := len(p.order()); n != want {
				t.Errorf("%d fetches, want %d", n, want)
			}
			time.Sleep(time.Nanosecond)
		}
		time.Sleep(20 * time.Second) // the first document has expired
		begin := time.Now()
		if a, err := look(t, c.r, host); err != nil || a.Fetched == first.Fetched || time.Since(begin) != 0 {
			t.Errorf("%+v, %v after %v", a, err, time.Since(begin))
		}
		time.Sleep(time.Hour)
		if n := len(p.order()); n != 2 {
			t.Errorf("%d fetches: a document that is not used was renewed", n)
		}
	})
}

// TestRenewalOfDelegation holds that both documents are renewed.
func TestRenewalOfDelegation(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &paced{document: func(name string) string {
			if name == host {
				return delegation("a.example")
			}
			return document(1)
		}}
		r := resolver(t, wellknown.Config{InsecureTransport: s})
		look(t, r, host)
		time.Sleep(50 * time.Second)
		look(t, r, host)
		synctest.Wait()
		if asked := s.order(); !slices.Equal(asked, []string{host, "a.example", host, "a.example"}) && !slices.Equal(asked, []string{host, "a.example", "a.example", host}) {
			t.Errorf("asked %v", asked)
		}
	})
}

// TestRenewalFails holds that a renewal that fails leaves the document, and is
// tried again 5 s later.
func TestRenewalFails(t *testing.T) {
	takes := make(map[string]time.Duration)
	bubble(t, 1, takes, func(t *testing.T, c *callers, p *paced) {
		first, _ := look(t, c.r, host)
		p.set(host, -1) // fails
		time.Sleep(45 * time.Second)
		for range 14 {
			if a, err := look(t, c.r, host); err != nil || a.Fetched != first.Fetched {
				t.Errorf("%+v, %v", a, err)
			}
			time.Sleep(time.Second)
		}
		synctest.Wait()
		if n := len(p.order()); n != 4 { // at 0, 45, 50 and 55 s
			t.Errorf("%d fetches", n)
		}
	})
}

// TestStaleWithinASecond holds that a document that expired answers after one
// second of the fetch, or the short wait for a turn, and that the fetch goes on.
func TestStaleWithinASecond(t *testing.T) {
	for name, longest := range map[string]time.Duration{"stalls": time.Second, "no turn": shortWait} {
		t.Run(name, func(t *testing.T) {
			blocked := name == "no turn"
			takes := map[string]time.Duration{"slow.example": time.Hour}
			bubble(t, 1, takes, func(t *testing.T, c *callers, p *paced) {
				first, _ := look(t, c.r, host)
				time.Sleep(2 * time.Minute)
				if blocked {
					c.ask(t.Context(), "slow.example", row4)
				}
				p.set(host, 3*time.Second)
				for i, want := range []time.Duration{longest, 0, 0} { // the time is of the fetch, not of each caller
					begin := time.Now()
					if a, err := look(t, c.r, host); err != nil || a.Fetched != first.Fetched || time.Since(begin) != want {
						t.Errorf("%d: %+v, %v after %v, want %v", i, a, err, time.Since(begin), want)
					}
				}
				time.Sleep(timeout + 3*time.Second)
				begin := time.Now()
				if a, err := look(t, c.r, host); err != nil || a.Fetched == first.Fetched || time.Since(begin) != 0 {
					t.Errorf("%+v, %v after %v", a, err, time.Since(begin))
				}
			})
		})
	}
}

// TestStaleNotForRefresh holds that a look-up for newer keys has its whole time.
func TestStaleNotForRefresh(t *testing.T) {
	takes := make(map[string]time.Duration)
	bubble(t, 1, takes, func(t *testing.T, c *callers, p *paced) {
		first, _ := look(t, c.r, host)
		p.set(host, 3*time.Second)
		time.Sleep(2 * time.Minute)
		begin := time.Now()
		a, err := c.r.Refresh(t.Context(), host, host)
		if err != nil || a.Fetched == first.Fetched || time.Since(begin) != 3*time.Second {
			t.Errorf("%+v, %v after %v", a, err, time.Since(begin))
		}
	})
}

// TestStaleEnds holds that 24 h after it expired a document answers no longer,
// however its host stalls.
func TestStaleEnds(t *testing.T) {
	takes := make(map[string]time.Duration)
	bubble(t, 1, takes, func(t *testing.T, c *callers, p *paced) {
		look(t, c.r, host)
		p.set(host, time.Hour)
		time.Sleep(time.Minute + 24*time.Hour)
		if a, err := c.r.Authority(t.Context(), host, host); row(t, a, err) != row4 || !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("%+v, %v", a, err)
		}
	})
}
