package wellknown_test

import (
	"context"
	"errors"
	"net/http"
	"sync/atomic"
	"testing"
	"time"

	"github.com/vepverify/vepverify/wellknown"
)

type valueKey struct{}

// TestHooksLoad holds that a document is read between Load and release, in a
// context that ends with the fetch and not with the caller.
func TestHooksLoad(t *testing.T) {
	s := newStage(t)
	s.answer = says(200, document(1))
	var told []string
	ctx := wellknown.WithHooks(context.WithValue(t.Context(), valueKey{}, "v"), &wellknown.Hooks{
		Load: func(ctx context.Context) (func(), error) {
			if _, bounded := ctx.Deadline(); !bounded || ctx.Value(valueKey{}) != "v" {
				t.Error("not the context of the fetch")
			}
			told = append(told, "load")
			return func() { told = append(told, "release") }, nil
		},
		Waited: func() { told = append(told, "waited") },
	})
	for range 2 {
		if _, err := s.Authority(ctx, host, host); err != nil {
			t.Fatal(err)
		}
	}
	s.answer = notFound // nothing to read
	if _, err := s.Authority(ctx, "none.example", host); !errors.Is(err, row3) {
		t.Error(err)
	}
	if got := len(told); got != 4 || told[0] != "load" || told[1] != "release" || told[2] != "waited" {
		t.Error(told)
	}
}

// TestHooksLoadAfterCaller holds that Load may come when its caller has left,
// and that the context given still has time.
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
	if _, err := look(t, r, host); err != nil {
		t.Error(err)
	}
}

// TestHooksLoadRefused holds that an error of Load is undecided and not
// remembered, and that a document held goes on answering.
func TestHooksLoadRefused(t *testing.T) {
	full := errors.New("full")
	s := newStage(t)
	s.answer = says(200, document(1))
	ctx := wellknown.WithHooks(t.Context(), &wellknown.Hooks{Load: func(context.Context) (func(), error) { return nil, full }})
	a, err := s.Authority(ctx, host, host)
	if row(t, a, err) != row4 || !errors.Is(err, full) {
		t.Error(err)
	}
	if good, bad, _, _ := s.CacheSize(); good+bad != 0 {
		t.Errorf("%d documents and %d outcomes kept", good, bad)
	}
	known, _ := look(t, s.Resolver, host)
	s.now = s.now.Add(2 * time.Hour)
	if a, err := s.Refresh(ctx, host, host); row(t, a, err) != row4 || !errors.Is(err, full) {
		t.Errorf("refresh: %v", err)
	}
	if a, err := s.Authority(ctx, host, host); err != nil || a.Fetched != known.Fetched {
		t.Errorf("%+v %v", a, err)
	}
	if a, err := look(t, s.Resolver, host); err != nil || a.Fetched != s.now {
		t.Errorf("%+v %v", a, err)
	}
}

// TestLoadsBounded holds that documents are read one after the other where that
// is the limit, and that all are read.
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

// TestHooksLoadOfCertificates holds that a host's certificates are verified between
// Load and release too, before its document, and that an error of Load is undecided
// and not remembered.
func TestHooksLoadOfCertificates(t *testing.T) {
	n := newInternet(t)
	n.serve(host, jsonHandler(document(1)))
	r := resolver(t, n.config())
	full, calls, held := errors.New("full"), 0, 0
	load := func(context.Context) (func(), error) {
		if calls++; calls == 1 {
			return nil, full
		}
		held++
		return func() { held-- }, nil
	}
	ctx := wellknown.WithHooks(t.Context(), &wellknown.Hooks{Load: load})
	a, err := r.Authority(ctx, host, host)
	if row(t, a, err) != row4 || !errors.Is(err, full) {
		t.Error(err)
	}
	if _, err := r.Authority(ctx, host, host); err != nil || calls != 3 || held != 0 {
		t.Errorf("%v; %d calls, %d held", err, calls, held)
	}
}
