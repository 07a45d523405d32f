// Package oneuse has what verifiers do with a guard against replay, an assertion.OneUse or a
// vepauth.OneUse, and its optional methods.
package oneuse

import (
	"context"
	"time"
)

// Guard is an assertion.OneUse, which documents it, or a vepauth.OneUse.
type Guard interface {
	FirstUse(ctx context.Context, key string, until time.Time) (bool, error)
}

// MaxLife returns how far ahead the time of an entry may be. It reports whether the guard has
// such a limit.
func MaxLife(g Guard) (life time.Duration, limited bool) {
	if g, ok := g.(interface{ MaxLife() time.Duration }); ok {
		return g.MaxLife(), true
	}
	return 0, false
}

// FirstUse asks the guard. The party is for a guard that divides its capacity among parties.
func FirstUse(ctx context.Context, g Guard, party, key string, until time.Time) (bool, error) {
	if g, ok := g.(interface {
		FirstUseBy(ctx context.Context, party, key string, until time.Time) (bool, error)
	}); ok {
		return g.FirstUseBy(ctx, party, key, until)
	}
	return g.FirstUse(ctx, key, until)
}
