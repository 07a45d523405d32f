package discovery

import (
	"context"

	"github.com/vepverify/vepverify/internal/fetch"
)

// Hooks are functions that a [Network] calls during a lookup. Each may be nil.
//
// A service uses them to release resources while a lookup waits for the network, so that
// slow name servers and issuers do not delay requests that need none; to limit CPU time; and
// to count lookups.
//
// All hooks except Load are called in the goroutine of the lookup's caller.
type Hooks struct {
	// Wait is called before a lookup waits for the network, because the cache does not
	// have what it needs: once for the name servers, and once for an issuer's documents.
	// The context ends with the lookup's time. If Wait returns an error, the lookup does
	// not wait. It is unavailable with that error as its cause.
	Wait func(ctx context.Context) error

	// Waited is called at the end of each wait for which Wait returned nil, with or
	// without a result.
	Waited func()

	// Load is called before the TLS certificates of a host are verified, and before a
	// document is parsed. It returns when that work may begin; release is called when it
	// has ended. It is called in the goroutine of the fetch, which serves all lookups that
	// wait for it and may outlive them, so it must not depend on the caller and must be safe
	// for concurrent use. If Load is nil, a Network does at most GOMAXPROCS/2 of these at
	// once, at least 1.
	Load func(ctx context.Context) (release func(), err error)

	// Done is called at the end of each lookup, with its error. cached reports whether it
	// returned without waiting for the network.
	Done func(cached bool, err error)
}

type hooksKey struct{}

// WithHooks returns a context whose lookups call h, and no other hooks.
func WithHooks(ctx context.Context, h *Hooks) context.Context {
	return context.WithValue(ctx, hooksKey{}, h)
}

// hooksOf returns the hooks of a context, nil if it has none. The methods of Hooks accept nil.
func hooksOf(ctx context.Context) *Hooks {
	h, _ := ctx.Value(hooksKey{}).(*Hooks)
	return h
}

// options returns the options of a lookup with these hooks. waited is set if the lookup waits.
func (h *Hooks) options(refresh bool, waited *bool) fetch.Options {
	o := fetch.Options{Refresh: refresh}
	if h == nil {
		return o
	}
	o.Waited = h.Waited
	o.Wait = func(ctx context.Context) error {
		*waited = true
		if h.Wait == nil {
			return nil
		}
		return h.Wait(ctx)
	}
	return o
}

func (h *Hooks) done(waited bool, err error) {
	if h != nil && h.Done != nil {
		h.Done(!waited, err)
	}
}

// acquire waits until work for a processor may begin, and returns the function that ends it.
func (n *Network) acquire(ctx context.Context) (release func(), err error) {
	if h := hooksOf(ctx); h != nil && h.Load != nil {
		return h.Load(ctx)
	}
	return n.work.Acquire(ctx)
}
