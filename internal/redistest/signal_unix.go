//go:build unix

package redistest

import (
	"os"
	"syscall"
)

// stop stops a process, and resume lets it run again.
func stop(p *os.Process) error   { return p.Signal(syscall.SIGSTOP) }
func resume(p *os.Process) error { return p.Signal(syscall.SIGCONT) }

// kill ends a process, and those of its group if it leads one.
func kill(p *os.Process) error {
	if syscall.Kill(-p.Pid, syscall.SIGKILL) == nil {
		return nil
	}
	return p.Kill()
}
