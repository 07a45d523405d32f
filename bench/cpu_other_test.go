//go:build !unix

package bench_test

import (
	"testing"
	"time"
)

// processorTime skips the test: only Unix is asked for the processor time of this process.
func processorTime(t testing.TB) time.Duration {
	t.Skip("the processor time of a process is measured on Unix only")
	return 0
}
