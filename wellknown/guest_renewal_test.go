package wellknown_test

import (
	"context"
	"fmt"
	"net/http"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/vepverify/vepverify/keys"
	"github.com/vepverify/vepverify/wellknown"
)

// guests is a network of a fallback, whose document is fresh for a day, and of hosts that
// answer 404 for a minute unless answers has something else.
type guests struct {
	mu      sync.Mutex
	answers map[string]roundTripper
	asked   map[string]int
	slow    int // stalling now
	most    int // stalling at once
}

func (g *guests) RoundTrip(q *http.Request) (*http.Response, error) {
	host := q.URL.Host
	g.mu.Lock()
	g.asked[host]++
	answer := g.answers[host]
	g.mu.Unlock()
	switch {
	case answer != nil:
		return answer(q)
	case host == "fallback.example":
		return reply(200, document(1), "Cache-Control", "max-age=86400")
	}
	return reply(404, "", "Cache-Control", "max-age=60")
}

func (g *guests) set(host string, answer roundTripper) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.answers[host] = answer
}

// stalls is the answer of a host that stalls.
func (g *guests) stalls(q *http.Request) (*http.Response, error) {
	g.stalling(1)
	defer g.stalling(-1)
	<-q.Context().Done()
	return nil, q.Context().Err()
}

func (g *guests) stalling(n int) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.slow += n
	g.most = max(g.most, g.slow)
}

// peak returns how many hosts stalled at once since the last call.
func (g *guests) peak() int {
	g.mu.Lock()
	defer g.mu.Unlock()
	most := g.most
	g.most = g.slow
	return most
}

func (g *guests) fetches(host string) int {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.asked[host]
}

const guest = "guest.example"

// guestBubble runs a test after the fallback's document and the guest's 404 were fetched.
func guestBubble(t *testing.T, turns int, test func(*testing.T, *wellknown.Resolver, *guests)) {
	synctest.Test(t, func(t *testing.T) {
		g := &guests{answers: make(map[string]roundTripper), asked: make(map[string]int)}
		r := resolver(t, wellknown.Config{MaxFetches: turns, InsecureTransport: g})
		look(t, r, "fallback.example")
		askGuest(t, r, true, wellknown.ErrUnsupported)
		test(t, r, g)
		time.Sleep(4 * timeout) // what is under way or queued
	})
}

// askGuest looks the guest up and expects the outcome at once.
func askGuest(t *testing.T, r *wellknown.Resolver, verifies bool, want error) {
	t.Helper()
	begin := time.Now()
	a, err := r.Authority(signed(t.Context(), verifies), guest, guest)
	if got := row(t, a, err); got != want || time.Since(begin) != 0 {
		t.Errorf("%v after %v, want %v", err, time.Since(begin), want)
	}
	synctest.Wait()
}

// TestGuestInFlood holds that a user of the fallback is served while unknown hosts
// that stall have all turns for minutes.
func TestGuestInFlood(t *testing.T) {
	guestBubble(t, 16, func(t *testing.T, r *wellknown.Resolver, g *guests) {
		ctx, stop := context.WithCancel(t.Context())
		var flood sync.WaitGroup
		for i := range 100 {
			flood.Go(func() {
				for n := 0; ctx.Err() == nil; n++ {
					name := fmt.Sprintf("slow%d-%d.example", i, n)
					g.set(name, g.stalls)
					r.Authority(ctx, name, name)
				}
			})
		}
		for range 5 * 60 {
			time.Sleep(time.Second)
			askGuest(t, r, true, wellknown.ErrUnsupported)
		}
		stop()
		flood.Wait()
		if n := g.fetches(guest); n < 5 || n > 10 {
			t.Errorf("%d fetches", n)
		}
	})
}

// TestGuestRenewal holds when an outcome is renewed: in its last quarter, and only
// if the fallback's keys verify the certificate.
func TestGuestRenewal(t *testing.T) {
	guestBubble(t, 16, func(t *testing.T, r *wellknown.Resolver, g *guests) {
		for _, step := range []struct {
			wait     time.Duration
			verifies bool
			want     int
		}{
			{45*time.Second - time.Nanosecond, true, 1}, // not yet
			{time.Nanosecond, false, 1},
			{0, true, 2}, // the look-up before took nothing from it
			{0, true, 2},
			{30 * time.Second, true, 2}, // the second outcome
			{15 * time.Second, true, 3},
			{time.Hour, true, 4}, // not renewed unused
		} {
			time.Sleep(step.wait)
			askGuest(t, r, step.verifies, wellknown.ErrUnsupported)
			if n := g.fetches(guest); n != step.want {
				t.Errorf("%+v: %d fetches", step, n)
			}
		}
		g.set(guest, func(*http.Request) (*http.Response, error) { return reply(200, document(2)) })
		time.Sleep(50 * time.Second)
		askGuest(t, r, true, wellknown.ErrUnsupported)
		askGuest(t, r, true, nil)
	})
}

// TestGuestRenewalOfOthers holds that nothing else vouches for the renewal of an
// outcome without a document: not the host's own keys, and nothing for another
// email domain.
func TestGuestRenewalOfOthers(t *testing.T) {
	guestBubble(t, 16, func(t *testing.T, r *wellknown.Resolver, g *guests) {
		g.set("evil.example", func(q *http.Request) (*http.Response, error) {
			if q.URL.Query().Get("domain") == "evil.example" {
				return reply(404, "", "Cache-Control", "max-age=60")
			}
			return reply(200, document(3))
		})
		ctx := wellknown.WithSignatureCheck(t.Context(), &wellknown.SignatureCheck{
			Verifies: func([]keys.PublicKey) bool { return true }, Fallback: "fallback.example",
		})
		if _, err := r.Authority(ctx, "evil.example", "user.example"); err != nil {
			t.Fatal(err)
		}
		for range 2 {
			for at, emailDomain := range map[string]string{"evil.example": "evil.example", "other.example": guest} {
				a, err := r.Authority(ctx, at, emailDomain)
				if row(t, a, err) != wellknown.ErrUnsupported {
					t.Errorf("%s: %v", at, err)
				}
			}
			synctest.Wait()
			time.Sleep(50 * time.Second)
		}
		if n := g.fetches("evil.example"); n != 2 {
			t.Errorf("evil.example: %d fetches", n)
		}
		if n := g.fetches("other.example"); n != 1 {
			t.Errorf("other.example: %d fetches", n)
		}
	})
}

// TestGuestRenewalFails holds that renewals that find nothing out leave the outcome
// until it expires, and no longer.
func TestGuestRenewalFails(t *testing.T) {
	guestBubble(t, 4, func(t *testing.T, r *wellknown.Resolver, g *guests) {
		g.set(guest, g.stalls)
		time.Sleep(45 * time.Second)
		for range 15 {
			askGuest(t, r, true, wellknown.ErrUnsupported)
			time.Sleep(time.Second)
		}
		a, err := r.Authority(signed(t.Context(), true), guest, guest)
		if row(t, a, err) != wellknown.ErrUnavailable {
			t.Errorf("expired: %v", err)
		}
		if n := g.fetches(guest); n != 3 { // at 0, 45 and 55 s
			t.Errorf("%d fetches", n)
		}
	})
}

// TestGuestStalls holds that a host that did not answer a renewal counts among
// those that did not answer last time, which have one turn of four.
func TestGuestStalls(t *testing.T) {
	guestBubble(t, 4, func(t *testing.T, r *wellknown.Resolver, g *guests) {
		g.set(guest, g.stalls)
		g.set("slow.example", g.stalls)
		time.Sleep(45 * time.Second)
		askGuest(t, r, true, wellknown.ErrUnsupported)
		look(t, r, "slow.example")
		time.Sleep(10 * time.Second)
		g.peak() // forgets those so far
		var both sync.WaitGroup
		for _, name := range []string{guest, "slow.example"} {
			both.Go(func() {
				a, err := r.Authority(signed(t.Context(), true), name, name)
				if row(t, a, err) != wellknown.ErrUnavailable {
					t.Errorf("%s: %v", name, err)
				}
			})
		}
		both.Wait()
		if n := g.peak(); n != 1 {
			t.Errorf("%d at once", n)
		}
	})
}

// TestGuestRefresh holds that a look-up for newer keys that shares a renewal is
// told that it found nothing out, while the outcome that is held goes on counting.
func TestGuestRefresh(t *testing.T) {
	guestBubble(t, 4, func(t *testing.T, r *wellknown.Resolver, g *guests) {
		g.set(guest, func(*http.Request) (*http.Response, error) {
			return reply(404, "", "Cache-Control", "max-age=300")
		})
		time.Sleep(time.Minute)
		askGuest(t, r, true, wellknown.ErrUnsupported)
		g.set(guest, func(*http.Request) (*http.Response, error) {
			time.Sleep(2 * time.Second)
			return reply(503, "")
		})
		time.Sleep(4 * time.Minute)
		askGuest(t, r, true, wellknown.ErrUnsupported)
		a, err := r.Refresh(signed(t.Context(), true), guest, guest)
		if row(t, a, err) != wellknown.ErrUnavailable {
			t.Errorf("refresh: %v", err)
		}
		askGuest(t, r, true, wellknown.ErrUnsupported)
		if n := g.fetches(guest); n != 3 {
			t.Errorf("%d fetches", n)
		}
	})
}

// TestGuestRenewalsQueued holds that renewals of outcomes take at most a quarter of
// the places in their queue: two of the eight of a single turn.
func TestGuestRenewalsQueued(t *testing.T) {
	guestBubble(t, 1, func(t *testing.T, r *wellknown.Resolver, g *guests) {
		ask := func() {
			for i := range 8 {
				a, err := r.Authority(signed(t.Context(), true), about(i), about(i))
				if row(t, a, err) != wellknown.ErrUnsupported {
					t.Errorf("%d: %v", i, err)
				}
			}
		}
		ask()
		g.set("slow.example", g.stalls)
		time.Sleep(50 * time.Second)
		var stalls sync.WaitGroup
		stalls.Go(func() { r.Authority(t.Context(), "slow.example", "slow.example") })
		time.Sleep(time.Second)
		ask()
		stalls.Wait()
		synctest.Wait()
		total := 0
		for i := range 8 {
			total += g.fetches(about(i))
		}
		if total != 8+2 {
			t.Errorf("%d fetches", total)
		}
	})
}
