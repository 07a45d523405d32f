package redistest

import "syscall"

// dieWithParent makes the kernel kill the server when the test's process dies,
// however it dies. The server has a process group, to which the processes belong that save its
// data.
func dieWithParent() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL, Setpgid: true}
}
