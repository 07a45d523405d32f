package wellknown_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/vepverify/vepverify/wellknown"
)

// notes takes down what a trace is told. It needs no lock, because all of it
// is told in the caller's goroutine (the race detector watches).
type notes struct {
	told []string
	err  error // of Wait
}

func (n *notes) hooks() *wellknown.Hooks {
	return &wellknown.Hooks{
		Wait: func(ctx context.Context) error {
			if _, bounded := ctx.Deadline(); !bounded {
				n.told = append(n.told, "wait without end")
			}
			n.told = append(n.told, "wait")
			return n.err
		},
		Waited: func() { n.told = append(n.told, "waited") },
		Done: func(held bool, err error) {
			var lookup *wellknown.LookupError
			if err != nil && !errors.As(err, &lookup) {
				n.told = append(n.told, fmt.Sprintf("done with %T", err))
			}
			n.told = append(n.told, map[bool]string{true: "held-", false: "asked-"}[held]+nameOf(err))
		},
	}
}

// nameOf names the outcome of a look-up.
func nameOf(err error) string {
	for kind, name := range map[error]string{nil: "ok", row3: "row3", row4: "row4", row5: "row5"} {
		if err == kind || kind != nil && errors.Is(err, kind) {
			return name
		}
	}
	return "?"
}

// TestHooks: one look-up after the other, and what each tells.
func TestHooks(t *testing.T) {
	n, full := new(notes), errors.New("full")
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
		told  string
	}{
		{"first", 0, r.Authority, ctx, host, nil, "wait waited asked-ok"},
		{"again", 0, r.Authority, ctx, host, nil, "held-ok"},
		{"refresh, too early", 0, r.Refresh, ctx, host, nil, "held-ok"},
		{"no trace", 0, r.Authority, t.Context(), "a.example", nil, ""},
		{"nil trace", 0, r.Authority, wellknown.WithHooks(ctx, nil), "b.example", nil, ""},
		{"empty trace", 0, r.Authority, wellknown.WithHooks(ctx, new(wellknown.Hooks)), "none.example", nil, ""},
		{"delegations", 0, r.Authority, ctx, "b.example", nil, "held-ok"},
		{"unsupported", 0, r.Authority, ctx, "none.example", nil, "held-row3"},
		{"no domain", 0, r.Authority, ctx, "no domain", nil, "held-row5"},
		{"not by policy", 0, r.Authority, ctx, "127.0.0.1", nil, "held-row5"},
		{"no room", 0, r.Authority, ctx, "c.example", full, "wait asked-row4"},
		{"unsupported, anew", 2 * time.Minute, r.Authority, ctx, "none.example", nil, "wait waited asked-row3"},
		{"refresh", 0, r.Refresh, ctx, host, nil, "wait waited asked-ok"},
		{"delegations, anew", 2 * time.Hour, r.Authority, ctx, "b.example", nil, "wait waited wait waited wait waited asked-ok"},
		{"no room, but known", 2 * time.Hour, r.Authority, ctx, host, full, "wait asked-ok"},
		{"refresh, no room", 0, r.Refresh, ctx, host, full, "wait asked-row4"},
	} {
		now = now.Add(step.later)
		n.told, n.err, fetches = nil, step.err, 0
		a, err := step.ask(step.ctx, step.host, host)
		row(t, a, err)
		if err != nil && step.err != nil && !errors.Is(err, step.err) {
			t.Errorf("%s: %v is not for %v", step.name, err, step.err)
		}
		if got := strings.Join(n.told, " "); got != step.told {
			t.Errorf("%s: %s, want %s", step.name, got, step.told)
		}
		if step.told != "" && fetches != strings.Count(step.told, "waited") {
			t.Errorf("%s: %d fetches", step.name, fetches)
		}
	}
}

// TestHooksOfLeaving: Waited comes however the wait ends.
func TestHooksOfLeaving(t *testing.T) {
	bubble(t, 1, map[string]time.Duration{host: time.Hour}, func(t *testing.T, c *callers, _ *paced) {
		n := new(notes)
		ctx, leave := context.WithCancel(wellknown.WithHooks(t.Context(), n.hooks()))
		c.ask(ctx, host, row4)
		leave()
		c.running.Wait()
		if got := strings.Join(n.told, " "); got != "wait waited asked-row4" {
			t.Error(got)
		}
	})
}

// TestHooksOfWaiting: the time in Wait is of the look-up's, and what others
// learnt in that time needs no fetch.
func TestHooksOfWaiting(t *testing.T) {
	bubble(t, 1, nil, func(t *testing.T, c *callers, p *paced) {
		for wait, want := range map[string]error{host: nil, "late.example": row4} {
			ctx := wellknown.WithHooks(t.Context(), &wellknown.Hooks{Wait: func(ctx context.Context) error {
				if want == nil {
					look(t, c.r, wait)
					return nil
				}
				<-ctx.Done()
				return ctx.Err()
			}})
			begin := time.Now()
			a, err := c.r.Authority(ctx, wait, wait)
			if row(t, a, err) != want || time.Since(begin) > lookUp {
				t.Errorf("%s: %v after %v", wait, err, time.Since(begin))
			}
		}
		synctest.Wait()
		if asked := p.order(); len(asked) != 1 {
			t.Errorf("asked %v", asked)
		}
	})
}

func TestHooksOfStatic(t *testing.T) {
	s, err := wellknown.NewStatic(map[string]json.RawMessage{host: json.RawMessage(document(1)), "none.example": nil})
	if err != nil {
		t.Fatal(err)
	}
	n := new(notes)
	ctx := wellknown.WithHooks(t.Context(), n.hooks())
	for name, want := range map[string]string{host: "held-ok", "none.example": "held-row3", "other.example": "held-row4", "": "held-row5"} {
		n.told = nil
		s.Authority(ctx, name, host)
		if got := strings.Join(n.told, " "); got != want {
			t.Errorf("%q: %s, want %s", name, got, want)
		}
	}
}

// TestCachedAllocates nothing but the answer, traced or not.
func TestCachedAllocates(t *testing.T) {
	s := newStage(t)
	s.answer = says(200, document(1))
	look(t, s.Resolver, host)
	held := 0
	traced := wellknown.WithHooks(t.Context(), &wellknown.Hooks{Done: func(bool, error) { held++ }})
	for name, ctx := range map[string]context.Context{"untraced": t.Context(), "traced": traced} {
		allocations := testing.AllocsPerRun(100, func() {
			if _, err := s.Authority(ctx, host, host); err != nil {
				t.Fatal(err)
			}
		})
		if allocations > 1 {
			t.Errorf("%s: %v allocations", name, allocations)
		}
	}
	if held != 101 {
		t.Errorf("told %d times", held)
	}
}

// BenchmarkCached is what nearly every look-up comes to.
func BenchmarkCached(b *testing.B) {
	s := newStage(b)
	s.answer = says(200, document(1))
	traced := wellknown.WithHooks(b.Context(), &wellknown.Hooks{Done: func(bool, error) {}})
	for name, ctx := range map[string]context.Context{"untraced": b.Context(), "traced": traced} {
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
