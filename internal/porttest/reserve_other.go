//go:build !linux

package porttest

import (
	"sync"
	"testing"
)

// reserved are the ports that tests of this process have.
var reserved sync.Map

// reserve reserves a port until the test ends, and reports whether no other test has it.
func reserve(t testing.TB, port int) bool {
	if _, taken := reserved.LoadOrStore(port, true); taken {
		return false
	}
	t.Cleanup(func() { reserved.Delete(port) })
	return true
}
