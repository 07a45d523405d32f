package workload

import (
	"context"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/vepverify/vepverify/assertion"
)

// Runner is a verifier in a state, and a pool to verify. It is safe for concurrent
// use.
type Runner struct {
	verifier *assertion.Verifier
	pool     *Pool
	turn     atomic.Uint64
}

// NewRunner returns a runner whose verifier is in the state: it has verified some of
// the pool.
func (m *Generator) NewRunner(pool *Pool, s State) (*Runner, error) {
	config := configOf(s)
	config.Keys = m.resolver
	config.Now = func() time.Time { return Now }
	verifier, err := assertion.NewVerifier(config)
	if err != nil {
		return nil, err
	}
	r := &Runner{verifier: verifier, pool: pool}
	for range min(s.warmUp(), len(pool.Texts)) {
		if _, err := r.Verify(context.Background()); err != nil {
			return nil, fmt.Errorf("%s/%s, warming up: %w", pool.Pair, s, err)
		}
	}
	return r, nil
}

// Verify verifies the next assertion of the pool.
func (r *Runner) Verify(ctx context.Context) (*assertion.Result, error) {
	i := (r.turn.Add(1) - 1) % uint64(len(r.pool.Texts))
	return r.verifier.Verify(ctx, r.pool.Texts[i], Audience)
}
