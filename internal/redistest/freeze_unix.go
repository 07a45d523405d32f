//go:build unix

package redistest

import (
	"os"
	"syscall"
)

// stop stops a process, and resume lets it run again.
func stop(p *os.Process) error   { return p.Signal(syscall.SIGSTOP) }
func resume(p *os.Process) error { return p.Signal(syscall.SIGCONT) }
