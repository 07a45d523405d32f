package wellknown

import (
	"context"

	"github.com/vepverify/vepverify/internal/fetch"
)

// Hooks are functions that a [Resolver] and a [Static] call during a lookup. Each may be
// nil.
//
// A service uses them to release resources while a lookup waits for the network, so that
// slow hosts do not delay requests that need no host; to limit CPU time; and to count
// lookups.
//
// All hooks except Load are called in the goroutine of the lookup's caller.
type Hooks struct {
	// Wait is called before a lookup waits for the network, because the cache does not
	// have what it needs. It is called once for each host that the lookup waits for, and
	// once more for each wait for the first fetch of a host for another email domain.
	// Renewals in the background do not call it.
	//
	// The context ends with the lookup's time. If Wait returns an error, the lookup does
	// not wait. It returns ErrUnavailable with that error as its cause, or, unless it is a
	// Refresh, a document that expired less than 24 h ago.
	Wait func(ctx context.Context) error

	// Waited is called at the end of each wait for which Wait returned nil, with or
	// without a result.
	Waited func()

	// Load is called before the TLS certificates of a host are verified, and before a
	// document that was fetched is parsed and its keys are checked. Each takes up to some
	// milliseconds of CPU time. Load returns when that work may begin; release is called
	// when it has ended. Unless Load returns an error, release must not be nil.
	//
	// Load is called in the goroutine of the fetch, at any time until that fetch's
	// deadline: also while the caller is in Wait, and after the lookup has returned. A
	// fetch serves all lookups that wait for it, and calls the Load of the one that
	// started it. Renewals in the background call it too. So Load must not depend on the
	// caller and must be safe for concurrent use. It should give this work a low priority.
	//
	// The context is that of the fetch: it has the values of the caller's context, but it
	// ends with the fetch and not with the caller. If Load returns an error, the fetch is
	// ErrUnavailable with that error as its cause, and nothing is cached.
	//
	// If Load is nil, a [Resolver] does at most GOMAXPROCS/2 of these at once, at least 1.
	Load func(ctx context.Context) (release func(), err error)

	// Done is called at the end of each call of Authority, AuthorityFor and Refresh, with
	// the error that it returns: nil or a *LookupError. cached reports whether it returned
	// without waiting for the network.
	Done func(cached bool, err error)
}

type hooksKey struct{}

// WithHooks returns a context whose lookups call h, and no other hooks. Hooks may be
// shared by several contexts if their functions are safe for concurrent use.
func WithHooks(ctx context.Context, h *Hooks) context.Context {
	return context.WithValue(ctx, hooksKey{}, h)
}

// hooksOf returns the hooks of a context, nil if it has none or is nil. The methods of Hooks
// accept nil.
func hooksOf(ctx context.Context) *Hooks {
	if ctx == nil {
		return nil
	}
	h, _ := ctx.Value(hooksKey{}).(*Hooks)
	return h
}

func (h *Hooks) wait(ctx context.Context) error {
	if h == nil || h.Wait == nil {
		return nil
	}
	return h.Wait(ctx)
}

func (h *Hooks) waited() {
	if h != nil && h.Waited != nil {
		h.Waited()
	}
}

func (h *Hooks) done(cached bool, err error) {
	if h != nil && h.Done != nil {
		h.Done(cached, err)
	}
}

// semaphore limits the work described at Hooks.Load if there is no such hook.
type semaphore struct{ fetch.Work }

// acquire waits until a piece of work may begin, and returns the function that ends it.
func (s semaphore) acquire(ctx context.Context) (release func(), err error) {
	if h := hooksOf(ctx); h != nil && h.Load != nil {
		return h.Load(ctx)
	}
	return s.Acquire(ctx)
}
