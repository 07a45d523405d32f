// Package porttest finds ports for programs that a test starts, and that cannot choose one
// themselves.
package porttest

import (
	"math/rand/v2"
	"net"
	"strconv"
	"testing"
)

// Free returns a port of 127.0.0.1 without a listener. It is below the range that systems use for
// outgoing connections, which could otherwise take it while its program is down. No other test
// gets it before this one ends, on Linux also none of another process.
func Free(t testing.TB) int {
	t.Helper()
	for range 100 {
		port := 20000 + rand.IntN(10000)
		if !reserve(t, port) {
			continue
		}
		l, err := net.Listen("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(port)))
		if err == nil {
			l.Close()
			return port
		}
	}
	t.Fatal("no free port from 20000 to 29999")
	return 0
}

// FreeAddr returns 127.0.0.1 and a port of [Free].
func FreeAddr(t testing.TB) string {
	t.Helper()
	return net.JoinHostPort("127.0.0.1", strconv.Itoa(Free(t)))
}
