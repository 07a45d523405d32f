package evp

import (
	"context"

	"github.com/vepverify/vepverify/evp/internal/discovery"
)

// Hooks are functions that a verifier calls during a lookup. A service uses them to release
// resources while a lookup waits for the network, to limit CPU time, and to count lookups.
// They have the same meaning as those of package wellknown.
type Hooks = discovery.Hooks

// WithHooks returns a context whose verifications call h, and no other hooks. Hooks may be
// shared by several contexts if their functions are safe for concurrent use.
func WithHooks(ctx context.Context, h *Hooks) context.Context { return discovery.WithHooks(ctx, h) }
