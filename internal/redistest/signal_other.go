//go:build !unix

package redistest

import (
	"errors"
	"os"
)

// stop stops a process, and resume lets it run again, where the system has signals for it.
func stop(*os.Process) error   { return errors.ErrUnsupported }
func resume(*os.Process) error { return errors.ErrUnsupported }

// kill ends a process.
func kill(p *os.Process) error { return p.Kill() }
