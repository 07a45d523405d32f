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

// Time in these tests is that of package synctest: it passes when everybody waits.

const (
	timeout       = 8 * time.Second      // of a fetch, by default
	lookUpTimeout = timeout + timeout/32 // of a look-up
)

// paced is a network whose hosts take the time that it says, or none, for a
// document that is fresh for a minute.
type timedNetwork struct {
	takes map[string]time.Duration // negative: the host fails at once

	document func(host string) string // the document; nil: the same for each host

	mu                 sync.Mutex
	asked, emailDomain []string // hosts, and the email domains
	underway, most     int
}

func (p *timedNetwork) RoundTrip(q *http.Request) (*http.Response, error) {
	p.count(q.URL.Host, 1)
	p.note(q.URL.Query().Get("domain"))
	defer p.count("", -1)
	p.mu.Lock()
	takes := p.takes[q.URL.Host]
	p.mu.Unlock()
	if takes < 0 {
		return nil, &net.DNSError{}
	}
	select {
	case <-time.After(takes):
		text := document(1)
		if p.document != nil {
			text = p.document(q.URL.Host)
		}
		return reply(200, text, "Cache-Control", "max-age=60")
	case <-q.Context().Done():
		return nil, q.Context().Err()
	}
}

func (p *timedNetwork) count(host string, n int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if host != "" {
		p.asked = append(p.asked, host)
	}
	p.underway += n
	p.most = max(p.most, p.underway)
}

// set says how long host takes from now on.
func (p *timedNetwork) set(host string, takes time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.takes[host] = takes
}

func (p *timedNetwork) note(domain string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.emailDomain = append(p.emailDomain, domain)
}

// queries returns what was asked, as "host domain".
func (p *timedNetwork) queries() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	all := slices.Clone(p.asked)
	for i := range all {
		all[i] += " " + p.emailDomain[i]
	}
	return all
}

// reset forgets what was asked so far.
func (p *timedNetwork) reset() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.asked, p.emailDomain, p.most = nil, nil, p.underway
}

// peak returns how many were asked at once.
func (p *timedNetwork) peak() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.most
}

func (p *timedNetwork) order() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Clone(p.asked)
}

// callers are those whom a test sends off, a millisecond after one another.
type callers struct {
	t       *testing.T
	r       *wellknown.Resolver
	running sync.WaitGroup
}

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

// bubble runs a test on a resolver that fetches from at most so many hosts.
func bubble(t *testing.T, most int, takes map[string]time.Duration, test func(*testing.T, *callers, *timedNetwork)) {
	synctest.Test(t, func(t *testing.T) {
		p := &timedNetwork{takes: takes}
		r := resolver(t, wellknown.Config{MaxFetches: most, InsecureTransport: p})
		c := &callers{t: t, r: r}
		test(t, c, p)
		c.running.Wait()
		time.Sleep(2 * timeout) // what is under way when its callers have left
	})
}

// TestMaxFetches: so many at once and no more, so many wait, each without a
// goroutine but its caller's, and the others are told at once.
func TestMaxFetches(t *testing.T) {
	const most, waiting, named = 16, 8 * 16, 1000
	takes := make(map[string]time.Duration)
	for i := range named {
		takes[fmt.Sprintf("host%d.example", i)] = time.Second / 2
	}
	bubble(t, most, takes, func(t *testing.T, c *callers, p *timedNetwork) {
		var answered, refused atomic.Int64
		for name := range takes {
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
		if answered.Load() != most+waiting || refused.Load() != named-most-waiting || p.most != most {
			t.Errorf("%d answered, %d refused, %d fetches at once", answered.Load(), refused.Load(), p.most)
		}
		// Who was refused is not marked by it.
		for name := range takes {
			if a, err := c.r.Authority(t.Context(), name, name); err != nil {
				t.Errorf("%v %v", a, err)
			}
		}
	})
}

// goroutines counts those that the package began in this bubble and that are not
// at their end: one for each fetch under way.
func goroutines() (n int) {
	stacks := make([]byte, 1<<22)
	stacks = stacks[:runtime.Stack(stacks, true)]
	for one := range strings.SplitSeq(string(stacks), "\n\n") {
		if strings.Contains(one, "synctest bubble") && strings.Contains(one, "created by github.com/vepverify/vepverify/wellknown.(") {
			n++
		}
	}
	return n
}

// TestNoTurn: who gets no turn in time is unavailable, which is nothing that its
// host did, and its host is not contacted for nobody.
func TestNoSlot(t *testing.T) {
	bubble(t, 1, map[string]time.Duration{"slow.example": time.Hour}, func(t *testing.T, c *callers, p *timedNetwork) {
		c.ask(t.Context(), "slow.example", row4)
		begin := time.Now()
		brief, cancel := context.WithTimeout(t.Context(), 3*time.Second)
		defer cancel()
		a, err := c.r.Authority(brief, host, host)
		if row(t, a, err) != row4 || !errors.Is(err, context.DeadlineExceeded) || time.Since(begin) != 3*time.Second {
			t.Errorf("%v after %v", err, time.Since(begin))
		}
		c.running.Wait() // until slow.example ran into its own deadline
		if !slices.Equal(p.order(), []string{"slow.example"}) {
			t.Errorf("asked %v", p.order())
		}
		if _, bad, _, _ := c.r.CacheSize(); bad != 1 {
			t.Errorf("%d outcomes remembered", bad)
		}
		begin = time.Now()
		if _, got := lookUp(t, c.r, host); got != nil || time.Since(begin) != 0 {
			t.Errorf("%v after %v", got, time.Since(begin))
		}
	})
}

// TestLateTurn: a host has all of its time from its turn on, whatever is left
// of its callers', so that it is not taken for slow because others are.
func TestLateSlot(t *testing.T) {
	takes := map[string]time.Duration{"slow.example": time.Hour, host: 3 * time.Second}
	bubble(t, 1, takes, func(t *testing.T, c *callers, p *timedNetwork) {
		c.ask(t.Context(), "slow.example", row4)
		time.Sleep(time.Second)
		begin := time.Now()
		a, err := c.r.Authority(t.Context(), host, host)
		if row(t, a, err) != row4 || time.Since(begin) != lookUpTimeout {
			t.Errorf("%v after %v", err, time.Since(begin))
		}
		time.Sleep(3 * time.Second)
		begin = time.Now()
		if _, got := lookUp(t, c.r, host); got != nil || time.Since(begin) != 0 || len(p.order()) != 2 {
			t.Errorf("%v after %v, asked %v", got, time.Since(begin), p.order())
		}
	})
}

// TestSharedTurn: those who wait for the same turn share it, and it is there
// for the others when one of them leaves.
func TestSharedSlot(t *testing.T) {
	bubble(t, 1, map[string]time.Duration{"slow.example": timeout / 2}, func(t *testing.T, c *callers, p *timedNetwork) {
		c.ask(t.Context(), "slow.example", nil)
		brief, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		c.ask(brief, host, row4)
		for range 10 {
			c.ask(t.Context(), host, nil)
		}
		c.ask(brief, "left.example", row4)
		c.running.Wait()
		if !slices.Equal(p.order(), []string{"slow.example", host}) {
			t.Errorf("asked %v", p.order())
		}
	})
}

// TestKnownFirst: a flood of hosts that nobody knows takes slots from each
// other, not from a provider whose document is to be renewed.
func TestKnownFirst(t *testing.T) {
	const unknown = 1 + 8 // one under way, eight wait
	takes := make(map[string]time.Duration)
	for i := range unknown {
		takes[fmt.Sprintf("slow%d.example", i)] = time.Hour
	}
	bubble(t, 1, takes, func(t *testing.T, c *callers, p *timedNetwork) {
		c.ask(t.Context(), host, nil)
		time.Sleep(2 * time.Minute)
		for i := range unknown {
			c.ask(t.Context(), fmt.Sprintf("slow%d.example", i), row4)
		}
		c.ask(t.Context(), "another.example", row4) // too many wait
		begin := time.Now()
		if _, err := c.r.Authority(t.Context(), host, host); err != nil || time.Since(begin) != shortWait {
			t.Errorf("%v after %v, want the document held", err, time.Since(begin))
		}
		a, err := c.r.Refresh(t.Context(), host, host)
		if err != nil || time.Since(a.Fetched) > time.Second {
			t.Errorf("%+v, %v", a, err)
		}
		synctest.Wait()
		if asked := p.order(); !slices.Equal(asked[:3], []string{host, "slow0.example", host}) {
			t.Errorf("asked %v", asked)
		}
	})
}

// TestNoFetchInTime: a known provider goes on counting when there is no time or
// turn to ask it anew. Only who asks for newer keys is told that nobody knows.
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
			bubble(t, 1, map[string]time.Duration{"slow.example": time.Hour}, func(t *testing.T, callers *callers, p *timedNetwork) {
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
				if asked := p.order(); !slices.Equal(asked, []string{host, "slow.example"}) {
					t.Errorf("asked %v", asked)
				}
			})
		})
	}
}

// TestKnownStalls: who waits for a host until it has used up its time gets what
// came of that, and not by chance an answer of their own clock.
func TestKnownStalls(t *testing.T) {
	takes := make(map[string]time.Duration)
	bubble(t, 1, takes, func(t *testing.T, c *callers, _ *timedNetwork) {
		known, _ := lookUp(t, c.r, host)
		takes[host] = time.Hour
		for _, ask := range []func(context.Context, string, string) (*wellknown.Authority, error){c.r.Authority, c.r.Refresh} {
			time.Sleep(2 * time.Minute)
			begin := time.Now()
			if a, err := ask(t.Context(), host, host); err != nil || a.Fetched != known.Fetched || time.Since(begin) > lookUpTimeout {
				t.Errorf("%+v, %v after %v", a, err, time.Since(begin))
			}
		}
	})
}
