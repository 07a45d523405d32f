package wellknown_test

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/vepverify/vepverify/keys"
	"github.com/vepverify/vepverify/wellknown"
)

// TestRenewal checks that a document that is used in the last quarter of its minute is
// renewed in the background, once, and that lookups do not wait for that.
func TestRenewal(t *testing.T) {
	bubble(t, 1, map[string]time.Duration{host: 3 * time.Second}, func(t *testing.T, c *callers, tn *timedNetwork) {
		first, _ := lookUp(t, c.r, host)
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
			if n := len(tn.askedHosts()); n != want {
				t.Errorf("%d fetches, want %d", n, want)
			}
			time.Sleep(time.Nanosecond)
		}
		time.Sleep(20 * time.Second) // the first document has expired
		begin := time.Now()
		if a, err := lookUp(t, c.r, host); err != nil || a.Fetched == first.Fetched || time.Since(begin) != 0 {
			t.Errorf("%+v, %v after %v", a, err, time.Since(begin))
		}
		time.Sleep(time.Hour)
		if n := len(tn.askedHosts()); n != 2 {
			t.Errorf("%d fetches: a document that is not used was renewed", n)
		}
	})
}

// TestRenewalOfDelegation checks that both documents of a delegation are renewed.
func TestRenewalOfDelegation(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &timedNetwork{document: func(name string) string {
			if name == host {
				return delegation("a.example")
			}
			return document(1)
		}}
		r := resolver(t, wellknown.Config{InsecureTransport: s})
		lookUp(t, r, host)
		time.Sleep(50 * time.Second)
		lookUp(t, r, host)
		synctest.Wait()
		if asked := s.askedHosts(); !slices.Equal(asked, []string{host, "a.example", host, "a.example"}) && !slices.Equal(asked, []string{host, "a.example", "a.example", host}) {
			t.Errorf("asked %v", asked)
		}
	})
}

// TestRenewalFails checks that a renewal that fails leaves the document and is repeated 5 s
// later.
func TestRenewalFails(t *testing.T) {
	delays := make(map[string]time.Duration)
	bubble(t, 1, delays, func(t *testing.T, c *callers, tn *timedNetwork) {
		first, _ := lookUp(t, c.r, host)
		tn.set(host, -1) // fails
		time.Sleep(45 * time.Second)
		for range 14 {
			if a, err := lookUp(t, c.r, host); err != nil || a.Fetched != first.Fetched {
				t.Errorf("%+v, %v", a, err)
			}
			time.Sleep(time.Second)
		}
		synctest.Wait()
		if n := len(tn.askedHosts()); n != 4 { // at 0, 45, 50 and 55 s
			t.Errorf("%d fetches", n)
		}
	})
}

// fallbackNetwork has a fallback, whose document is fresh for a day, and other hosts, which
// answer 404, fresh for a minute, unless they are in answers.
type fallbackNetwork struct {
	mu      sync.Mutex
	answers map[string]roundTripper
	asked   map[string]int
	slow    int // requests that stall now
	most    int // the largest number of them since the last call of peak
}

func (fn *fallbackNetwork) RoundTrip(q *http.Request) (*http.Response, error) {
	host := q.URL.Host
	fn.mu.Lock()
	fn.asked[host]++
	answer := fn.answers[host]
	fn.mu.Unlock()
	switch {
	case answer != nil:
		return answer(q)
	case host == "fallback.example":
		return reply(200, document(1), "Cache-Control", "max-age=86400")
	}
	return reply(404, "", "Cache-Control", "max-age=60")
}

func (fn *fallbackNetwork) set(host string, answer roundTripper) {
	fn.mu.Lock()
	defer fn.mu.Unlock()
	fn.answers[host] = answer
}

// stalls is the round tripper of a host that stalls.
func (fn *fallbackNetwork) stalls(q *http.Request) (*http.Response, error) {
	fn.stalling(1)
	defer fn.stalling(-1)
	<-q.Context().Done()
	return nil, q.Context().Err()
}

func (fn *fallbackNetwork) stalling(n int) {
	fn.mu.Lock()
	defer fn.mu.Unlock()
	fn.slow += n
	fn.most = max(fn.most, fn.slow)
}

// peak returns the largest number of hosts that stalled at once since the last call.
func (fn *fallbackNetwork) peak() int {
	fn.mu.Lock()
	defer fn.mu.Unlock()
	most := fn.most
	fn.most = fn.slow
	return most
}

func (fn *fallbackNetwork) fetches(host string) int {
	fn.mu.Lock()
	defer fn.mu.Unlock()
	return fn.asked[host]
}

const userDomain = "user.example"

// fallbackBubble runs a test after the fallback's document and the 404 of userDomain were
// fetched.
func fallbackBubble(t *testing.T, slots int, test func(*testing.T, *wellknown.Resolver, *fallbackNetwork)) {
	synctest.Test(t, func(t *testing.T) {
		fn := &fallbackNetwork{answers: make(map[string]roundTripper), asked: make(map[string]int)}
		r := resolver(t, wellknown.Config{MaxFetches: slots, InsecureTransport: fn})
		lookUp(t, r, "fallback.example")
		askUserDomain(t, r, true, wellknown.ErrUnsupported)
		test(t, r, fn)
		time.Sleep(4 * timeout) // until all fetches have ended
	})
}

// askUserDomain looks userDomain up and checks that the outcome is returned at once.
func askUserDomain(t *testing.T, r *wellknown.Resolver, verifies bool, want error) {
	t.Helper()
	begin := time.Now()
	a, err := r.AuthorityFor(t.Context(), userDomain, userDomain, check(verifies))
	if got := row(t, a, err); got != want || time.Since(begin) != 0 {
		t.Errorf("%v after %v, want %v", err, time.Since(begin), want)
	}
	synctest.Wait()
}

// TestFallbackUserInFlood checks lookups for a user of the fallback while unknown hosts
// that stall have all slots for minutes.
func TestFallbackUserInFlood(t *testing.T) {
	fallbackBubble(t, 16, func(t *testing.T, r *wellknown.Resolver, fn *fallbackNetwork) {
		ctx, stop := context.WithCancel(t.Context())
		var flood sync.WaitGroup
		for i := range 100 {
			flood.Go(func() {
				for n := 0; ctx.Err() == nil; n++ {
					name := fmt.Sprintf("slow%d-%d.example", i, n)
					fn.set(name, fn.stalls)
					r.Authority(ctx, name, name)
				}
			})
		}
		for range 5 * 60 {
			time.Sleep(time.Second)
			askUserDomain(t, r, true, wellknown.ErrUnsupported)
		}
		stop()
		flood.Wait()
		if n := fn.fetches(userDomain); n < 5 || n > 10 {
			t.Errorf("%d fetches", n)
		}
	})
}

// TestUnsupportedRenewal checks that an ErrUnsupported is renewed in the last quarter of
// its life, and only if the fallback's keys verify the certificate.
func TestUnsupportedRenewal(t *testing.T) {
	fallbackBubble(t, 16, func(t *testing.T, r *wellknown.Resolver, fn *fallbackNetwork) {
		for _, step := range []struct {
			wait     time.Duration
			verifies bool
			want     int
		}{
			{45*time.Second - time.Nanosecond, true, 1}, // not yet
			{time.Nanosecond, false, 1},
			{0, true, 2}, // the lookup before did not start the renewal
			{0, true, 2},
			{30 * time.Second, true, 2}, // the second outcome
			{15 * time.Second, true, 3},
			{time.Hour, true, 4}, // not renewed, because it was not used
		} {
			time.Sleep(step.wait)
			askUserDomain(t, r, step.verifies, wellknown.ErrUnsupported)
			if n := fn.fetches(userDomain); n != step.want {
				t.Errorf("%+v: %d fetches", step, n)
			}
		}
		fn.set(userDomain, func(*http.Request) (*http.Response, error) { return reply(200, document(2)) })
		time.Sleep(50 * time.Second)
		askUserDomain(t, r, true, wellknown.ErrUnsupported)
		askUserDomain(t, r, true, nil)
	})
}

// TestUnsupportedRenewalByDelegate checks that an ErrUnsupported is also renewed for a
// certificate of the host to which the fallback delegates these emails.
func TestUnsupportedRenewalByDelegate(t *testing.T) {
	for issuer, want := range map[string]int{"bridge.example": 2, "fallback.example": 1, "other.example": 1} {
		synctest.Test(t, func(t *testing.T) {
			tn := bridgedNetwork()
			r := resolver(t, wellknown.Config{InsecureTransport: tn})
			check := check(true)
			check.Issuer = issuer
			for range 2 {
				for _, asked := range []string{emailDomain(0), "fallback.example"} {
					a, err := r.AuthorityFor(t.Context(), asked, emailDomain(0), check)
					row(t, a, err)
				}
				time.Sleep(50 * time.Second)
				synctest.Wait()
			}
			n := 0
			for _, q := range tn.queries() {
				if q == emailDomain(0)+" "+emailDomain(0) {
					n++
				}
			}
			if n != want {
				t.Errorf("%s: %d fetches, want %d", issuer, n, want)
			}
		})
	}
}

// TestUnsupportedRenewalOfOthers checks that an ErrUnsupported is not renewed for a
// certificate that the host's own keys verify, nor for another email domain.
func TestUnsupportedRenewalOfOthers(t *testing.T) {
	fallbackBubble(t, 16, func(t *testing.T, r *wellknown.Resolver, fn *fallbackNetwork) {
		fn.set("evil.example", func(q *http.Request) (*http.Response, error) {
			if q.URL.Query().Get("domain") == "evil.example" {
				return reply(404, "", "Cache-Control", "max-age=60")
			}
			return reply(200, document(3))
		})
		check := &wellknown.SignatureCheck{
			Verifies: func([]keys.PublicKey) bool { return true }, Fallback: "fallback.example",
		}
		if _, err := r.AuthorityFor(t.Context(), "evil.example", "user.example", check); err != nil {
			t.Fatal(err)
		}
		for range 2 {
			for at, emailDomain := range map[string]string{"evil.example": "evil.example", "other.example": userDomain} {
				a, err := r.AuthorityFor(t.Context(), at, emailDomain, check)
				if row(t, a, err) != wellknown.ErrUnsupported {
					t.Errorf("%s: %v", at, err)
				}
			}
			synctest.Wait()
			time.Sleep(50 * time.Second)
		}
		if n := fn.fetches("evil.example"); n != 2 {
			t.Errorf("evil.example: %d fetches", n)
		}
		if n := fn.fetches("other.example"); n != 1 {
			t.Errorf("other.example: %d fetches", n)
		}
	})
}

// TestUnsupportedRenewalFails checks that renewals that are ErrUnavailable leave an
// ErrUnsupported until it expires, and no longer.
func TestUnsupportedRenewalFails(t *testing.T) {
	fallbackBubble(t, 4, func(t *testing.T, r *wellknown.Resolver, fn *fallbackNetwork) {
		fn.set(userDomain, fn.stalls)
		time.Sleep(45 * time.Second)
		for range 15 {
			askUserDomain(t, r, true, wellknown.ErrUnsupported)
			time.Sleep(time.Second)
		}
		a, err := r.AuthorityFor(t.Context(), userDomain, userDomain, check(true))
		if row(t, a, err) != wellknown.ErrUnavailable {
			t.Errorf("expired: %v", err)
		}
		if n := fn.fetches(userDomain); n != 3 { // at 0, 45 and 55 s
			t.Errorf("%d fetches", n)
		}
	})
}

// TestUnsupportedRenewalStalls checks that a host that did not answer a renewal counts as
// slow: such hosts have one slot of four.
func TestUnsupportedRenewalStalls(t *testing.T) {
	fallbackBubble(t, 4, func(t *testing.T, r *wellknown.Resolver, fn *fallbackNetwork) {
		fn.set(userDomain, fn.stalls)
		fn.set("slow.example", fn.stalls)
		time.Sleep(45 * time.Second)
		askUserDomain(t, r, true, wellknown.ErrUnsupported)
		lookUp(t, r, "slow.example")
		time.Sleep(10 * time.Second)
		fn.peak() // starts a new count
		var both sync.WaitGroup
		for _, name := range []string{userDomain, "slow.example"} {
			both.Go(func() {
				a, err := r.AuthorityFor(t.Context(), name, name, check(true))
				if row(t, a, err) != wellknown.ErrUnavailable {
					t.Errorf("%s: %v", name, err)
				}
			})
		}
		both.Wait()
		if n := fn.peak(); n != 1 {
			t.Errorf("%d at once", n)
		}
	})
}

// TestUnsupportedRefresh checks that Refresh, if it shares a renewal that fails, returns
// ErrUnavailable, while the cached ErrUnsupported still counts.
func TestUnsupportedRefresh(t *testing.T) {
	fallbackBubble(t, 4, func(t *testing.T, r *wellknown.Resolver, fn *fallbackNetwork) {
		fn.set(userDomain, func(*http.Request) (*http.Response, error) {
			return reply(404, "", "Cache-Control", "max-age=300")
		})
		time.Sleep(time.Minute)
		askUserDomain(t, r, true, wellknown.ErrUnsupported)
		fn.set(userDomain, func(*http.Request) (*http.Response, error) {
			time.Sleep(2 * time.Second)
			return reply(503, "")
		})
		time.Sleep(4 * time.Minute)
		askUserDomain(t, r, true, wellknown.ErrUnsupported)
		a, err := r.Refresh(t.Context(), userDomain, userDomain)
		if row(t, a, err) != wellknown.ErrUnavailable {
			t.Errorf("refresh: %v", err)
		}
		askUserDomain(t, r, true, wellknown.ErrUnsupported)
		if n := fn.fetches(userDomain); n != 3 {
			t.Errorf("%d fetches", n)
		}
	})
}

// TestUnsupportedRenewalsQueued checks that renewals of ErrUnsupported take at most a
// quarter of their queue: two of eight places for a single slot.
func TestUnsupportedRenewalsQueued(t *testing.T) {
	fallbackBubble(t, 1, func(t *testing.T, r *wellknown.Resolver, fn *fallbackNetwork) {
		ask := func() {
			for i := range 8 {
				a, err := r.AuthorityFor(t.Context(), emailDomain(i), emailDomain(i), check(true))
				if row(t, a, err) != wellknown.ErrUnsupported {
					t.Errorf("%d: %v", i, err)
				}
			}
		}
		ask()
		fn.set("slow.example", fn.stalls)
		time.Sleep(50 * time.Second)
		var stalls sync.WaitGroup
		stalls.Go(func() { r.Authority(t.Context(), "slow.example", "slow.example") })
		time.Sleep(time.Second)
		ask()
		stalls.Wait()
		synctest.Wait()
		total := 0
		for i := range 8 {
			total += fn.fetches(emailDomain(i))
		}
		if total != 8+2 {
			t.Errorf("%d fetches", total)
		}
	})
}
