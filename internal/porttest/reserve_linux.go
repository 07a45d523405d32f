package porttest

import (
	"fmt"
	"net"
	"testing"
)

// reserve reserves a port until the test ends, and reports whether no other test has it. The
// reservation is a socket in the abstract namespace, which ends with the process.
func reserve(t testing.TB, port int) bool {
	l, err := net.Listen("unix", fmt.Sprintf("@porttest-%d", port))
	if err != nil {
		return false
	}
	t.Cleanup(func() { l.Close() })
	return true
}
