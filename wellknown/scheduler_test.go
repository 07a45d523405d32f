package wellknown_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/vepverify/vepverify/wellknown"
)

// The tests in this file run in bubbles of package synctest, where time passes when all
// goroutines wait.

const (
	timeout       = 8 * time.Second      // of a fetch, by default
	lookUpTimeout = timeout + timeout/32 // of a lookup
)

// timedNetwork is a network whose hosts answer after a delay with a document that is fresh
// for a minute. It records the requests.
type timedNetwork struct {
	delays map[string]time.Duration // by host; a host with a negative one fails at once

	document func(host string) string // returns the document; nil means the same for each host
	answer   roundTripper             // answers in place of document if it is not nil

	mu                 sync.Mutex
	asked, emailDomain []string // hosts and email domains
	inProgress, most   int
}

func (tn *timedNetwork) RoundTrip(q *http.Request) (*http.Response, error) {
	delay := tn.begin(q.URL.Host, q.URL.Query().Get("domain"))
	defer tn.end()
	if delay < 0 {
		return nil, &net.DNSError{}
	}
	select {
	case <-time.After(delay):
		if tn.answer != nil {
			return tn.answer(q)
		}
		text := document(1)
		if tn.document != nil {
			text = tn.document(q.URL.Host)
		}
		return reply(200, text, "Cache-Control", "max-age=60")
	case <-q.Context().Done():
		return nil, q.Context().Err()
	}
}

// begin records a request and returns the delay of its answer.
func (tn *timedNetwork) begin(host, emailDomain string) time.Duration {
	tn.mu.Lock()
	defer tn.mu.Unlock()
	tn.asked, tn.emailDomain = append(tn.asked, host), append(tn.emailDomain, emailDomain)
	tn.inProgress++
	tn.most = max(tn.most, tn.inProgress)
	return tn.delays[host]
}

// end records the end of a request.
func (tn *timedNetwork) end() {
	tn.mu.Lock()
	defer tn.mu.Unlock()
	tn.inProgress--
}

// set sets the delay of host.
func (tn *timedNetwork) set(host string, delays time.Duration) {
	tn.mu.Lock()
	defer tn.mu.Unlock()
	tn.delays[host] = delays
}

// queries returns the requests so far, as "host domain".
func (tn *timedNetwork) queries() []string {
	tn.mu.Lock()
	defer tn.mu.Unlock()
	all := slices.Clone(tn.asked)
	for i := range all {
		all[i] += " " + tn.emailDomain[i]
	}
	return all
}

// reset forgets the requests so far.
func (tn *timedNetwork) reset() {
	tn.mu.Lock()
	defer tn.mu.Unlock()
	tn.asked, tn.emailDomain, tn.most = nil, nil, tn.inProgress
}

// peak returns the largest number of requests in progress at once.
func (tn *timedNetwork) peak() int {
	tn.mu.Lock()
	defer tn.mu.Unlock()
	return tn.most
}

// askedHosts returns the hosts of the requests so far, in order.
func (tn *timedNetwork) askedHosts() []string {
	tn.mu.Lock()
	defer tn.mu.Unlock()
	return slices.Clone(tn.asked)
}

// callers are concurrent lookups of a resolver.
type callers struct {
	t       *testing.T
	r       *wellknown.Resolver
	running sync.WaitGroup
}

// ask starts a lookup, and waits for a millisecond so that lookups start in order.
func (c *callers) ask(ctx context.Context, host string, want error) {
	c.t.Helper()
	c.running.Go(func() {
		a, err := c.r.Authority(ctx, host, host)
		if got := row(c.t, a, err); got != want {
			c.t.Errorf("%s: %v, want %v", host, err, want)
		}
	})
	time.Sleep(time.Millisecond)
}

// bubble runs a test in a bubble of package synctest, with a resolver that has that many
// slots.
func bubble(t *testing.T, slots int, delays map[string]time.Duration, test func(*testing.T, *callers, *timedNetwork)) {
	synctest.Test(t, func(t *testing.T) {
		tn := &timedNetwork{delays: delays}
		r := resolver(t, wellknown.Config{MaxFetches: slots, InsecureTransport: tn})
		c := &callers{t: t, r: r}
		test(t, c, tn)
		c.running.Wait()
		time.Sleep(2 * timeout) // until fetches without callers have ended
	})
}

// TestMaxFetches checks the numbers of fetches in progress and of queued ones, that only
// the former have a goroutine, and that further lookups return at once.
func TestMaxFetches(t *testing.T) {
	const most, waiting, named = 16, 8 * 16, 1000
	delays := make(map[string]time.Duration)
	for i := range named {
		delays[fmt.Sprintf("host%d.example", i)] = time.Second / 2
	}
	bubble(t, most, delays, func(t *testing.T, c *callers, tn *timedNetwork) {
		var answered, refused atomic.Int64
		for name := range delays {
			c.running.Go(func() {
				begin := time.Now()
				a, err := c.r.Authority(t.Context(), name, name)
				switch took := time.Since(begin); {
				case err == nil:
					answered.Add(1)
				case row(t, a, err) == row4 && took == 0:
					refused.Add(1)
				default:
					t.Errorf("%v after %v", err, took)
				}
			})
		}
		synctest.Wait()
		if n := goroutines(); n != most {
			t.Errorf("%d goroutines for %d fetches", n, most)
		}
		c.running.Wait()
		if answered.Load() != most+waiting || refused.Load() != named-most-waiting || tn.most != most {
			t.Errorf("%d answered, %d refused, %d fetches at once", answered.Load(), refused.Load(), tn.most)
		}
		// Being over a limit is not cached.
		for name := range delays {
			if a, err := c.r.Authority(t.Context(), name, name); err != nil {
				t.Errorf("%v %v", a, err)
			}
		}
	})
}

// goroutines returns the number of goroutines that package fetch started in this bubble: one
// for each fetch in progress.
func goroutines() (n int) {
	stacks := make([]byte, 1<<22)
	stacks = stacks[:runtime.Stack(stacks, true)]
	for one := range strings.SplitSeq(string(stacks), "\n\n") {
		if strings.Contains(one, "synctest bubble") && strings.Contains(one, "created by github.com/vepverify/vepverify/internal/fetch.(") {
			n++
		}
	}
	return n
}

// TestNoSlot checks that a lookup without a slot in time is ErrUnavailable, that this is
// not cached, and that its host is not contacted without a caller.
func TestNoSlot(t *testing.T) {
	bubble(t, 1, map[string]time.Duration{"slow.example": time.Hour}, func(t *testing.T, c *callers, tn *timedNetwork) {
		c.ask(t.Context(), "slow.example", row4)
		begin := time.Now()
		brief, cancel := context.WithTimeout(t.Context(), 3*time.Second)
		defer cancel()
		a, err := c.r.Authority(brief, host, host)
		if row(t, a, err) != row4 || !errors.Is(err, context.DeadlineExceeded) || time.Since(begin) != 3*time.Second {
			t.Errorf("%v after %v", err, time.Since(begin))
		}
		c.running.Wait() // until slow.example timed out
		if !slices.Equal(tn.askedHosts(), []string{"slow.example"}) {
			t.Errorf("asked %v", tn.askedHosts())
		}
		if _, bad, _, _ := c.r.CacheSize(); bad != 1 {
			t.Errorf("%d outcomes cached", bad)
		}
		begin = time.Now()
		if _, got := lookUp(t, c.r, host); got != nil || time.Since(begin) != 0 {
			t.Errorf("%v after %v", got, time.Since(begin))
		}
	})
}

// TestLateSlot checks that the time of a fetch starts with its slot, so that a host does
// not count as slow because others are.
func TestLateSlot(t *testing.T) {
	delays := map[string]time.Duration{"slow.example": time.Hour, host: 3 * time.Second}
	bubble(t, 1, delays, func(t *testing.T, c *callers, tn *timedNetwork) {
		c.ask(t.Context(), "slow.example", row4)
		time.Sleep(time.Second)
		begin := time.Now()
		a, err := c.r.Authority(t.Context(), host, host)
		if row(t, a, err) != row4 || time.Since(begin) != lookUpTimeout {
			t.Errorf("%v after %v", err, time.Since(begin))
		}
		time.Sleep(3 * time.Second)
		begin = time.Now()
		if _, got := lookUp(t, c.r, host); got != nil || time.Since(begin) != 0 || len(tn.askedHosts()) != 2 {
			t.Errorf("%v after %v, asked %v", got, time.Since(begin), tn.askedHosts())
		}
	})
}

// TestSharedSlot checks that callers share a queued fetch, also after one of them has left.
func TestSharedSlot(t *testing.T) {
	bubble(t, 1, map[string]time.Duration{"slow.example": timeout / 2}, func(t *testing.T, c *callers, tn *timedNetwork) {
		c.ask(t.Context(), "slow.example", nil)
		brief, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		c.ask(brief, host, row4)
		for range 10 {
			c.ask(t.Context(), host, nil)
		}
		c.ask(brief, "left.example", row4)
		c.running.Wait()
		if !slices.Equal(tn.askedHosts(), []string{"slow.example", host}) {
			t.Errorf("asked %v", tn.askedHosts())
		}
	})
}

// TestKnownFirst checks that a flood of unknown hosts does not delay the fetch of a known
// one.
func TestKnownFirst(t *testing.T) {
	const unknown = 1 + 8 // one in progress, eight queued
	delays := make(map[string]time.Duration)
	for i := range unknown {
		delays[fmt.Sprintf("slow%d.example", i)] = time.Hour
	}
	bubble(t, 1, delays, func(t *testing.T, c *callers, tn *timedNetwork) {
		c.ask(t.Context(), host, nil)
		time.Sleep(2 * time.Minute)
		for i := range unknown {
			c.ask(t.Context(), fmt.Sprintf("slow%d.example", i), row4)
		}
		c.ask(t.Context(), "another.example", row4) // too many are queued
		begin := time.Now()
		if _, err := c.r.Authority(t.Context(), host, host); err != nil || time.Since(begin) != staleSlotWait {
			t.Errorf("%v after %v, want the cached document", err, time.Since(begin))
		}
		a, err := c.r.Refresh(t.Context(), host, host)
		if err != nil || time.Since(a.Fetched) > time.Second {
			t.Errorf("%+v, %v", a, err)
		}
		synctest.Wait()
		if asked := tn.askedHosts(); !slices.Equal(asked[:3], []string{host, "slow0.example", host}) {
			t.Errorf("asked %v", asked)
		}
	})
}

// TestNoFetchInTime checks that a known document still counts if there is no time or slot
// for a fetch, and that Refresh then returns ErrUnavailable.
func TestNoFetchInTime(t *testing.T) {
	full := errors.New("full")
	for name, c := range map[string]struct {
		ctx  func(context.Context) (context.Context, context.CancelFunc)
		want error
	}{
		"no slot": {func(ctx context.Context) (context.Context, context.CancelFunc) {
			return context.WithTimeout(ctx, time.Second)
		}, context.DeadlineExceeded},
		"canceled": {func(ctx context.Context) (context.Context, context.CancelFunc) {
			ctx, cancel := context.WithCancel(ctx)
			cancel()
			return ctx, cancel
		}, context.Canceled},
		"no room": {func(ctx context.Context) (context.Context, context.CancelFunc) {
			return wellknown.WithHooks(ctx, &wellknown.Hooks{Wait: func(context.Context) error { return full }}), func() {}
		}, full},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, 1, map[string]time.Duration{"slow.example": time.Hour}, func(t *testing.T, callers *callers, tn *timedNetwork) {
				known, _ := lookUp(t, callers.r, host)
				time.Sleep(2 * time.Minute)
				callers.ask(t.Context(), "slow.example", row4)
				ctx, cancel := c.ctx(t.Context())
				defer cancel()
				if _, err := callers.r.Refresh(ctx, host, host); row(t, nil, err) != row4 || !errors.Is(err, c.want) {
					t.Errorf("refresh: %v", err)
				}
				if _, err := callers.r.Authority(ctx, "unknown.example", host); row(t, nil, err) != row4 || !errors.Is(err, c.want) {
					t.Errorf("unknown: %v", err)
				}
				if a, err := callers.r.Authority(ctx, host, host); err != nil || a.Fetched != known.Fetched {
					t.Errorf("known: %+v %v", a, err)
				}
				if asked := tn.askedHosts(); !slices.Equal(asked, []string{host, "slow.example"}) {
					t.Errorf("asked %v", asked)
				}
			})
		})
	}
}

// TestKnownStalls checks that a lookup that waits until a fetch times out gets the result
// of the fetch, and not an error of its own timeout.
func TestKnownStalls(t *testing.T) {
	delays := make(map[string]time.Duration)
	bubble(t, 1, delays, func(t *testing.T, c *callers, _ *timedNetwork) {
		known, _ := lookUp(t, c.r, host)
		delays[host] = time.Hour
		for _, ask := range []func(context.Context, string, string) (*wellknown.Authority, error){c.r.Authority, c.r.Refresh} {
			time.Sleep(2 * time.Minute)
			begin := time.Now()
			if a, err := ask(t.Context(), host, host); err != nil || a.Fetched != known.Fetched || time.Since(begin) > lookUpTimeout {
				t.Errorf("%+v, %v after %v", a, err, time.Since(begin))
			}
		}
	})
}
