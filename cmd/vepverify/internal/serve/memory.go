package serve

import (
	"runtime/debug"

	"github.com/vepverify/vepverify/cmd/vepverify/internal/cli"
)

// The garbage collector's settings for the service, unless GOGC or GOMEMLIMIT is
// set. The heap of the service is small, so that with Go's own 100 % garbage is
// collected many times a second under load, and the stacks of all connections are
// scanned each time: a tenth of the time of processors that a request takes. The limit
// keeps the whole under 256 MiB; close to it, garbage is collected more often.
const (
	gcPercent   = 300
	memoryLimit = 224 << 20 // bytes
)

// tuneMemory applies the settings, and returns the function that restores those
// before. With --replay memory the live heap can be as large as the limit, so
// that Go's own settings stay.
func (s *command) tuneMemory(c *cli.Call) (restore func()) {
	if s.replay.where == "memory" {
		return func() {}
	}
	percent, limit := debug.SetGCPercent(gcPercent), debug.SetMemoryLimit(memoryLimit)
	restore = func() {
		debug.SetGCPercent(percent)
		debug.SetMemoryLimit(limit)
	}
	if value, _ := c.Env("GOGC"); value != "" {
		debug.SetGCPercent(percent)
	}
	if value, _ := c.Env("GOMEMLIMIT"); value != "" {
		debug.SetMemoryLimit(limit)
	}
	return restore
}
