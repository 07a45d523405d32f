package redistest

import (
	"fmt"
	"net"
	"syscall"
	"testing"
)

// dieWithParent makes the kernel kill the server when the test's process dies,
// however it dies. The server has a process group, to which the processes belong that save its
// data.
func dieWithParent() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL, Setpgid: true}
}

// reserve reserves a port until the test ends, and reports whether no other test has it. The
// reservation is a socket in the abstract namespace, which ends with the process.
func reserve(t testing.TB, port int) bool {
	l, err := net.Listen("unix", fmt.Sprintf("@redistest-%d", port))
	if err != nil {
		return false
	}
	t.Cleanup(func() { l.Close() })
	return true
}
