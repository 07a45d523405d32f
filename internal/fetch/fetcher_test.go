package fetch_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"github.com/vepverify/vepverify/internal/fetch"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// The tests in this file run in bubbles of package synctest, where time passes when all
// goroutines wait.

// source answers fetches after a delay, with what the test sets. Its documents are numbers:
// how many fetches of the host there were.
type source struct {
	mu     sync.Mutex
	delay  time.Duration
	fault  *fetch.Fault
	life   time.Duration
	number map[string]int
}

func (s *source) get(ctx context.Context, q fetch.Question) fetch.Result[int] {
	s.mu.Lock()
	s.number[q.Host]++
	r := fetch.Result[int]{Document: s.number[q.Host], Fault: s.fault, Size: 100, Life: s.life}
	delay := s.delay
	s.mu.Unlock()
	select {
	case <-time.After(delay):
		return r
	case <-ctx.Done():
		return fetch.Result[int]{Fault: fetch.Unavailable.Fault("timed out", ctx.Err())}
	}
}

// set sets what the next fetches return.
func (s *source) set(delay time.Duration, fault *fetch.Fault) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.delay, s.fault = delay, fault
}

// total returns the number of fetches.
func (s *source) total() (n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, k := range s.number {
		n += k
	}
	return n
}

// bubble runs a test with a fetcher whose documents live for five minutes.
func bubble(t *testing.T, l fetch.Limits, test func(*testing.T, *fetch.Fetcher[int], *source)) {
	synctest.Test(t, func(t *testing.T) {
		s := &source{life: 5 * time.Minute, number: make(map[string]int)}
		test(t, fetch.NewFetcher(l, s.get), s)
		time.Sleep(time.Hour) // until fetches without callers have ended
	})
}

var (
	outage  = fetch.Unavailable.Fault("no answer", nil)
	refusal = fetch.Refused.FaultByHost("404")
)

const host = "idp.example"

// TestStale checks when a document counts after it has expired.
func TestStale(t *testing.T) {
	const expired = 6 * time.Minute
	for name, c := range map[string]struct {
		stale   bool
		after   time.Duration
		fault   *fetch.Fault
		refresh bool
		want    any // the number of the document, or the outcome of a fault
	}{
		"not expired":          {false, time.Minute, outage, false, 1},
		"renewed":              {false, expired, nil, false, 2},
		"outage":               {false, expired, outage, false, fetch.Unavailable},
		"outage, stale":        {true, expired, outage, false, 1},
		"outage, stale, 24 h":  {true, 24 * time.Hour, outage, false, 1},
		"outage, 24 h and 5 m": {true, 24*time.Hour + 5*time.Minute, outage, false, fetch.Unavailable},
		"answer, stale":        {true, expired, refusal, false, fetch.Refused},
		"refresh":              {false, 2 * time.Minute, nil, true, 2},
		"refresh at once":      {false, time.Minute, nil, true, 1},
		"refresh in an outage": {false, 2 * time.Minute, outage, true, 1},
		"refresh, no life":     {false, expired, outage, true, fetch.Unavailable},
		"refresh, stale":       {true, expired, outage, true, 1},
		"refresh, answer":      {true, 2 * time.Minute, refusal, true, fetch.Refused},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, fetch.Limits{Stale: c.stale}, func(t *testing.T, f *fetch.Fetcher[int], s *source) {
				f.Lookup(t.Context(), fetch.Own(host), fetch.Options{})
				time.Sleep(c.after)
				s.set(0, c.fault)
				e := f.Lookup(t.Context(), fetch.Own(host), fetch.Options{Refresh: c.refresh})
				if got := result(e); got != c.want {
					t.Errorf("%v, want %v", got, c.want)
				}
			})
		})
	}
}

// result returns the document of an entry, or the outcome of its fault.
func result(e *fetch.Entry[int]) any {
	if e.Fault != nil {
		return e.Fault.Outcome
	}
	return e.Document
}

// TestLife checks that a result is used for the life that the fetch gave it.
func TestLife(t *testing.T) {
	for name, c := range map[string]struct {
		fault      *fetch.Fault
		life, want time.Duration
	}{
		"document":                {nil, 5 * time.Minute, 5 * time.Minute},
		"document, default":       {nil, 0, time.Hour},
		"refused":                 {refusal, time.Minute, time.Minute},
		"refused, default":        {refusal, 0, time.Minute},
		"unavailable":             {outage, 5 * time.Second, 5 * time.Second},
		"unavailable, default":    {outage, -1, 5 * time.Second},
		"a cause on this side":    {fetch.LocalFault("no room", nil), time.Minute, 0},
		"a cause, and no context": {fetch.LocalFault("no room", errors.ErrUnsupported), 0, 0},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, fetch.Limits{}, func(t *testing.T, f *fetch.Fetcher[int], s *source) {
				s.fault, s.life = c.fault, c.life
				q := fetch.Own(host)
				e := f.Lookup(t.Context(), q, fetch.Options{})
				if (e.Fault != nil) != (c.fault != nil) {
					t.Fatal(e.Fault)
				}
				now := time.Now()
				if c.want > 0 && f.Cached(q, now.Add(c.want-1), false) == nil {
					t.Error("not cached")
				}
				if f.Cached(q, now.Add(c.want), false) != nil {
					t.Error("cached for too long")
				}
			})
		})
	}
}

// TestRenewal checks that a document in the last quarter of its life is renewed in the
// background.
func TestRenewal(t *testing.T) {
	bubble(t, fetch.Limits{}, func(t *testing.T, f *fetch.Fetcher[int], s *source) {
		q := fetch.Own(host)
		f.Lookup(t.Context(), q, fetch.Options{})
		time.Sleep(3*time.Minute + 45*time.Second)
		for i := range 2 {
			if e := f.Lookup(t.Context(), q, fetch.Options{}); e.Document != i+1 {
				t.Errorf("document %d, want %d", e.Document, i+1)
			}
			synctest.Wait()
			time.Sleep(time.Nanosecond)
		}
	})
}

// TestOneFetch checks that callers share a fetch, that the Fetcher's limits hold for any
// fetch function, and that a caller leaves with its context.
func TestOneFetch(t *testing.T) {
	bubble(t, fetch.Limits{MaxFetches: 1}, func(t *testing.T, f *fetch.Fetcher[int], s *source) {
		s.set(2*time.Second, nil)
		var callers sync.WaitGroup
		for range 100 {
			callers.Go(func() {
				if e := f.Lookup(t.Context(), fetch.Own(host), fetch.Options{}); e.Fault != nil {
					t.Error(e.Fault)
				}
			})
		}
		brief, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		e := f.Lookup(brief, fetch.Own(host), fetch.Options{})
		if result(e) != fetch.Unavailable || !errors.Is(e.Fault.Cause, context.DeadlineExceeded) {
			t.Errorf("%+v", e.Fault)
		}
		callers.Wait()
		if s.total() != 1 {
			t.Errorf("%d fetches", s.total())
		}
	})
}

// TestFlood checks that a flood of hosts that are not known delays no known host, whether or
// not its document counts after it has expired.
func TestFlood(t *testing.T) {
	for _, stale := range []bool{false, true} {
		bubble(t, fetch.Limits{MaxFetches: 16, Stale: stale}, func(t *testing.T, f *fetch.Fetcher[int], s *source) {
			f.Lookup(t.Context(), fetch.Own(host), fetch.Options{})
			time.Sleep(6 * time.Minute)
			s.set(time.Second, nil)
			var callers sync.WaitGroup
			for i := range 200 {
				callers.Go(func() { f.Lookup(t.Context(), fetch.Own(fmt.Sprintf("h%d.example", i)), fetch.Options{}) })
			}
			synctest.Wait()
			begin := time.Now()
			if e := f.Lookup(t.Context(), fetch.Own(host), fetch.Options{}); e.Fault != nil || time.Since(begin) > time.Second {
				t.Errorf("stale %v: %v after %v", stale, result(e), time.Since(begin))
			}
			callers.Wait()
			if n := s.total(); n > 2+16+8*16 {
				t.Errorf("%d fetches", n)
			}
		})
	}
}

// TestWait checks that Wait and Waited are called around the waits of a lookup.
func TestWait(t *testing.T) {
	bubble(t, fetch.Limits{}, func(t *testing.T, f *fetch.Fetcher[int], _ *source) {
		var waits, waited int
		full := errors.New("full")
		o := fetch.Options{
			Wait: func(context.Context) error {
				if waits++; waits == 1 {
					return full
				}
				return nil
			},
			Waited: func() { waited++ },
		}
		if e := f.Lookup(t.Context(), fetch.Own(host), o); result(e) != fetch.Unavailable || !errors.Is(e.Fault.Cause, full) {
			t.Error(result(e))
		}
		for range 2 {
			if e := f.Lookup(t.Context(), fetch.Own(host), o); e.Fault != nil {
				t.Error(e.Fault)
			}
		}
		if waits != 2 || waited != 1 {
			t.Errorf("%d waits, %d ended", waits, waited)
		}
	})
}

// TestBounds checks that faults never evict documents, and that one party's entries are
// bounded.
func TestBounds(t *testing.T) {
	bubble(t, fetch.Limits{MaxEntries: 100}, func(t *testing.T, f *fetch.Fetcher[int], s *source) {
		f.Lookup(t.Context(), fetch.Own(host), fetch.Options{})
		for i := range 400 {
			f.Lookup(t.Context(), fetch.Own(fmt.Sprintf("h%d.attacker.example", i)), fetch.Options{})
		}
		s.set(0, refusal)
		for i := range 400 {
			f.Lookup(t.Context(), fetch.Own(fmt.Sprintf("h%d.example", i)), fetch.Options{})
		}
		if got := f.Sizes(); got.Documents != 1+25 || got.Faults != 100 {
			t.Errorf("%+v", got)
		}
		if f.Cached(fetch.Own(host), time.Now(), false) == nil {
			t.Error("the document of another party was evicted")
		}
	})
}

// TestSender checks which rate limits the fetches of a host, by what is known about the
// senders, and that known hosts and questions about a host's own need nothing.
func TestSender(t *testing.T) {
	one := func(int) string { return "idp.example" }
	below := func(i int) string { return fmt.Sprintf("h%d.idp.example", i) }
	own := func(int) string { return "" }
	others := func(i int) string { return fmt.Sprintf("user%d.example", i) }
	issuers := func(i int) string { return fmt.Sprintf("issuer%d.example", i) }
	for name, c := range map[string]struct {
		host, onBehalfOf func(int) string // an empty domain means the host
		sender           fetch.Sender
		issuer           func(int) string
		want             int // of 2000 at once
	}{
		"nothing known":     {host: one, onBehalfOf: others, want: 64},
		"verified":          {host: one, onBehalfOf: others, sender: fetch.Sender{Verified: true}, want: 1024},
		"hosts below":       {host: below, onBehalfOf: own, want: 512},
		"verified below":    {host: below, onBehalfOf: own, sender: fetch.Sender{Verified: true}, want: 2000},
		"configured below":  {host: below, onBehalfOf: own, sender: fetch.Sender{Configured: true}, want: 2000},
		"one issuer":        {host: one, onBehalfOf: others, issuer: one, want: 64},
		"issuers":           {host: one, onBehalfOf: others, issuer: issuers, want: 1024},
		"of one registrant": {host: one, onBehalfOf: others, issuer: below, want: 64},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, fetch.Limits{}, func(t *testing.T, f *fetch.Fetcher[int], s *source) {
				for i := range 2000 {
					q := fetch.Question{Host: c.host(i), For: c.onBehalfOf(i)}
					if q.For == "" {
						q = fetch.Own(q.Host)
					}
					sender := c.sender
					if c.issuer != nil {
						sender.Issuer = c.issuer(i)
					}
					e := f.Lookup(t.Context(), q, fetch.Options{Sender: func() fetch.Sender { return sender }})
					if e.Fault != nil && !e.OverRate() {
						t.Fatal(e.Fault)
					}
				}
				if got := s.total(); got != c.want {
					t.Errorf("%d fetches, want %d", got, c.want)
				}
			})
		})
	}
}

// TestOrder checks that verified senders go before others, and that Sender is not called for
// a known host.
func TestOrder(t *testing.T) {
	bubble(t, fetch.Limits{MaxFetches: 1}, func(t *testing.T, f *fetch.Fetcher[int], s *source) {
		s.set(time.Second, nil)
		var callers sync.WaitGroup
		var mu sync.Mutex
		var order []string
		ask := func(name string, o fetch.Options) {
			callers.Go(func() {
				f.Lookup(t.Context(), fetch.Own(name), o)
				mu.Lock()
				defer mu.Unlock()
				order = append(order, name)
			})
			synctest.Wait()
		}
		ask("first.example", fetch.Options{})
		ask("other.example", fetch.Options{})
		ask("verified.example", fetch.Options{Sender: func() fetch.Sender { return fetch.Sender{Verified: true} }})
		callers.Wait()
		if want := []string{"first.example", "verified.example", "other.example"}; !slices.Equal(order, want) {
			t.Errorf("%v", order)
		}
		time.Sleep(6 * time.Minute)
		f.Lookup(t.Context(), fetch.Own("first.example"), fetch.Options{Sender: func() fetch.Sender {
			t.Error("called for a known host")
			return fetch.Sender{}
		}})
	})
}
