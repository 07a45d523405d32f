package wellknown_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/vepverify/vepverify/wellknown"
)

// hookLog records the calls of hooks. It has no lock, because they are called in the
// goroutine of the lookup's caller, which the race detector checks.
type hookLog struct {
	calls []string
	err   error // of Wait
}

func (l *hookLog) hooks() *wellknown.Hooks {
	return &wellknown.Hooks{
		Wait: func(ctx context.Context) error {
			if _, bounded := ctx.Deadline(); !bounded {
				l.calls = append(l.calls, "wait without end")
			}
			l.calls = append(l.calls, "wait")
			return l.err
		},
		Waited: func() { l.calls = append(l.calls, "waited") },
		Done: func(cached bool, err error) {
			var lookup *wellknown.LookupError
			if err != nil && !errors.As(err, &lookup) {
				l.calls = append(l.calls, fmt.Sprintf("done with %T", err))
			}
			l.calls = append(l.calls, map[bool]string{true: "cached-", false: "fetched-"}[cached]+nameOf(err))
		},
	}
}

// nameOf returns the name of the outcome of a lookup.
func nameOf(err error) string {
	for kind, name := range map[error]string{nil: "ok", row3: "row3", row4: "row4", row5: "row5"} {
		if err == kind || kind != nil && errors.Is(err, kind) {
			return name
		}
	}
	return "?"
}

// TestHooks checks which hooks are called by each of several lookups.
func TestHooks(t *testing.T) {
	n, full := new(hookLog), errors.New("full")
	ctx := wellknown.WithHooks(t.Context(), n.hooks())
	network := serving(map[string]json.RawMessage{
		host:           json.RawMessage(document(1)),
		"a.example":    json.RawMessage(delegation(host)),
		"b.example":    json.RawMessage(delegation("a.example")),
		"none.example": nil,
	})
	now, fetches := start, 0
	r := resolver(t, wellknown.Config{
		Now: func() time.Time { return now },
		InsecureTransport: roundTripper(func(q *http.Request) (*http.Response, error) {
			fetches++
			return network(q)
		}),
	})
	for _, step := range []struct {
		name  string
		later time.Duration
		ask   func(context.Context, string, string) (*wellknown.Authority, error)
		ctx   context.Context
		host  string
		err   error // of Wait
		calls string
	}{
		{"first", 0, r.Authority, ctx, host, nil, "wait waited fetched-ok"},
		{"again", 0, r.Authority, ctx, host, nil, "cached-ok"},
		{"refresh, too early", 0, r.Refresh, ctx, host, nil, "cached-ok"},
		{"no hooks", 0, r.Authority, t.Context(), "a.example", nil, ""},
		{"nil hooks", 0, r.Authority, wellknown.WithHooks(ctx, nil), "b.example", nil, ""},
		{"empty hooks", 0, r.Authority, wellknown.WithHooks(ctx, new(wellknown.Hooks)), "none.example", nil, ""},
		{"delegations", 0, r.Authority, ctx, "b.example", nil, "cached-ok"},
		{"unsupported", 0, r.Authority, ctx, "none.example", nil, "cached-row3"},
		{"no domain", 0, r.Authority, ctx, "no domain", nil, "cached-row5"},
		{"not by policy", 0, r.Authority, ctx, "127.0.0.1", nil, "cached-row5"},
		{"no room", 0, r.Authority, ctx, "c.example", full, "wait fetched-row4"},
		{"unsupported, again", 2 * time.Minute, r.Authority, ctx, "none.example", nil, "wait waited fetched-row3"},
		{"refresh", 0, r.Refresh, ctx, host, nil, "wait waited fetched-ok"},
		{"delegations, again", 2 * time.Hour, r.Authority, ctx, "b.example", nil, "wait waited wait waited wait waited fetched-ok"},
		{"no room, but known", 2 * time.Hour, r.Authority, ctx, host, full, "wait fetched-ok"},
		{"refresh, no room", 0, r.Refresh, ctx, host, full, "wait fetched-row4"},
	} {
		now = now.Add(step.later)
		n.calls, n.err, fetches = nil, step.err, 0
		a, err := step.ask(step.ctx, step.host, host)
		row(t, a, err)
		if err != nil && step.err != nil && !errors.Is(err, step.err) {
			t.Errorf("%s: %v is not for %v", step.name, err, step.err)
		}
		if got := strings.Join(n.calls, " "); got != step.calls {
			t.Errorf("%s: %s, want %s", step.name, got, step.calls)
		}
		if step.calls != "" && fetches != strings.Count(step.calls, "waited") {
			t.Errorf("%s: %d fetches", step.name, fetches)
		}
	}
}

// TestHooksCallerLeaves checks that Waited is called if the caller leaves.
func TestHooksCallerLeaves(t *testing.T) {
	bubble(t, 1, map[string]time.Duration{host: time.Hour}, func(t *testing.T, c *callers, _ *timedNetwork) {
		n := new(hookLog)
		ctx, leave := context.WithCancel(wellknown.WithHooks(t.Context(), n.hooks()))
		c.ask(ctx, host, row4)
		leave()
		c.running.Wait()
		if got := strings.Join(n.calls, " "); got != "wait waited fetched-row4" {
			t.Error(got)
		}
	})
}

// TestHooksSlowWait checks that the time in Wait counts for the lookup, and that there is
// no fetch for what was cached in that time.
func TestHooksSlowWait(t *testing.T) {
	bubble(t, 1, nil, func(t *testing.T, c *callers, tn *timedNetwork) {
		for wait, want := range map[string]error{host: nil, "late.example": row4} {
			ctx := wellknown.WithHooks(t.Context(), &wellknown.Hooks{Wait: func(ctx context.Context) error {
				if want == nil {
					lookUp(t, c.r, wait)
					return nil
				}
				<-ctx.Done()
				return ctx.Err()
			}})
			begin := time.Now()
			a, err := c.r.Authority(ctx, wait, wait)
			if row(t, a, err) != want || time.Since(begin) > lookUpTimeout {
				t.Errorf("%s: %v after %v", wait, err, time.Since(begin))
			}
		}
		synctest.Wait()
		if asked := tn.askedHosts(); len(asked) != 1 {
			t.Errorf("asked %v", asked)
		}
	})
}

func TestHooksStatic(t *testing.T) {
	s, err := wellknown.NewStatic(map[string]json.RawMessage{host: json.RawMessage(document(1)), "none.example": nil})
	if err != nil {
		t.Fatal(err)
	}
	n := new(hookLog)
	ctx := wellknown.WithHooks(t.Context(), n.hooks())
	for name, want := range map[string]string{host: "cached-ok", "none.example": "cached-row3", "other.example": "cached-row4", "": "cached-row5"} {
		n.calls = nil
		s.Authority(ctx, name, host)
		if got := strings.Join(n.calls, " "); got != want {
			t.Errorf("%q: %s, want %s", name, got, want)
		}
	}
}

// TestCachedAllocates checks that a lookup in the cache allocates only the answer, with
// and without hooks.
func TestCachedAllocates(t *testing.T) {
	s := newTestResolver(t)
	s.answer = answers(200, document(1))
	lookUp(t, s.Resolver, host)
	cached := 0
	hooked := wellknown.WithHooks(t.Context(), &wellknown.Hooks{Done: func(bool, error) { cached++ }})
	for name, ctx := range map[string]context.Context{"no hooks": t.Context(), "hooks": hooked} {
		allocations := testing.AllocsPerRun(100, func() {
			if _, err := s.Authority(ctx, host, host); err != nil {
				t.Fatal(err)
			}
		})
		if allocations > 1 {
			t.Errorf("%s: %v allocations", name, allocations)
		}
	}
	if cached != 101 {
		t.Errorf("%d calls of Done", cached)
	}
}

// BenchmarkCached measures a lookup that needs no fetch, as nearly all do.
func BenchmarkCached(b *testing.B) {
	s := newTestResolver(b)
	s.answer = answers(200, document(1))
	hooked := wellknown.WithHooks(b.Context(), &wellknown.Hooks{Done: func(bool, error) {}})
	for name, ctx := range map[string]context.Context{"no hooks": b.Context(), "hooks": hooked} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := s.Authority(ctx, host, host); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

type valueKey struct{}

// TestHooksLoad checks that a document is parsed between Load and release, and that the
// context of Load is that of the fetch.
func TestHooksLoad(t *testing.T) {
	s := newTestResolver(t)
	s.answer = answers(200, document(1))
	var calls []string
	ctx := wellknown.WithHooks(context.WithValue(t.Context(), valueKey{}, "v"), &wellknown.Hooks{
		Load: func(ctx context.Context) (func(), error) {
			if _, bounded := ctx.Deadline(); !bounded || ctx.Value(valueKey{}) != "v" {
				t.Error("not the context of the fetch")
			}
			calls = append(calls, "load")
			return func() { calls = append(calls, "release") }, nil
		},
		Waited: func() { calls = append(calls, "waited") },
	})
	for range 2 {
		if _, err := s.Authority(ctx, host, host); err != nil {
			t.Fatal(err)
		}
	}
	s.answer = notFound // nothing to parse
	if _, err := s.Authority(ctx, "none.example", host); !errors.Is(err, row3) {
		t.Error(err)
	}
	if got := len(calls); got != 4 || calls[0] != "load" || calls[1] != "release" || calls[2] != "waited" {
		t.Error(calls)
	}
}

// TestHooksLoadAfterCaller checks that Load is called although its caller has left, and
// that its context has not ended.
func TestHooksLoadAfterCaller(t *testing.T) {
	begun, finish := make(chan struct{}), make(chan struct{})
	r := resolver(t, wellknown.Config{InsecureTransport: roundTripper(func(*http.Request) (*http.Response, error) {
		close(begun)
		<-finish
		return reply(200, document(1))
	})})
	loaded := make(chan error, 1)
	ctx, leave := context.WithCancel(t.Context())
	ctx = wellknown.WithHooks(ctx, &wellknown.Hooks{Load: func(ctx context.Context) (func(), error) {
		loaded <- ctx.Err()
		return func() {}, nil
	}})
	left := make(chan error, 1)
	go func() {
		_, err := r.Authority(ctx, host, host)
		left <- err
	}()
	<-begun
	leave()
	if err := <-left; !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	close(finish)
	if err := <-loaded; err != nil {
		t.Error(err)
	}
	if _, err := lookUp(t, r, host); err != nil {
		t.Error(err)
	}
}

// TestHooksLoadRefused checks that an error of Load is ErrUnavailable and not cached, and
// that a cached document still counts.
func TestHooksLoadRefused(t *testing.T) {
	full := errors.New("full")
	s := newTestResolver(t)
	s.answer = answers(200, document(1))
	ctx := wellknown.WithHooks(t.Context(), &wellknown.Hooks{Load: func(context.Context) (func(), error) { return nil, full }})
	a, err := s.Authority(ctx, host, host)
	if row(t, a, err) != row4 || !errors.Is(err, full) {
		t.Error(err)
	}
	if documents, faults, _, _ := s.CacheSize(); documents+faults != 0 {
		t.Errorf("%d documents and %d outcomes cached", documents, faults)
	}
	known, _ := lookUp(t, s.Resolver, host)
	s.now = s.now.Add(2 * time.Hour)
	if a, err := s.Refresh(ctx, host, host); row(t, a, err) != row4 || !errors.Is(err, full) {
		t.Errorf("refresh: %v", err)
	}
	if a, err := s.Authority(ctx, host, host); err != nil || a.Fetched != known.Fetched {
		t.Errorf("%+v %v", a, err)
	}
	if a, err := lookUp(t, s.Resolver, host); err != nil || a.Fetched != s.now {
		t.Errorf("%+v %v", a, err)
	}
}

// TestLoadsBounded checks that a document is not parsed while there is no room, and is
// parsed afterwards.
func TestLoadsBounded(t *testing.T) {
	r := resolver(t, wellknown.Config{InsecureTransport: roundTripper(func(*http.Request) (*http.Response, error) {
		return reply(200, document(1))
	})})
	free := wellknown.OccupyLoads(r)
	var answered atomic.Int64
	done := make(chan struct{})
	go func() {
		defer close(done)
		if _, err := r.Authority(t.Context(), host, host); err != nil {
			t.Error(err)
		}
		answered.Add(1)
	}()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
	defer cancel()
	if a, err := r.Authority(ctx, host, host); row(t, a, err) != row4 || answered.Load() != 0 {
		t.Errorf("%v, with no room to read documents", err)
	}
	free()
	<-done
}

// TestHooksLoadOfCertificates checks that a host's certificates too are verified between
// Load and release, before its document is parsed, and that an error of Load is
// ErrUnavailable and not cached.
func TestHooksLoadOfCertificates(t *testing.T) {
	n := newNetwork(t)
	n.Serve(host, jsonHandler(document(1)))
	r := resolver(t, n.config())
	full, calls, inProgress := errors.New("full"), 0, 0
	load := func(context.Context) (func(), error) {
		if calls++; calls == 1 {
			return nil, full
		}
		inProgress++
		return func() { inProgress-- }, nil
	}
	ctx := wellknown.WithHooks(t.Context(), &wellknown.Hooks{Load: load})
	a, err := r.Authority(ctx, host, host)
	if row(t, a, err) != row4 || !errors.Is(err, full) {
		t.Error(err)
	}
	if _, err := r.Authority(ctx, host, host); err != nil || calls != 3 || inProgress != 0 {
		t.Errorf("%v; %d calls, %d in progress", err, calls, inProgress)
	}
}
