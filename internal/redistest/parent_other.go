//go:build !linux

package redistest

import "syscall"

// dieWithParent: other systems have no such thing, and a test process that is
// killed leaves its server behind.
func dieWithParent() *syscall.SysProcAttr { return nil }
