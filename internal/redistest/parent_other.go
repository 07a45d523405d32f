//go:build !linux

package redistest

import "syscall"

// dieWithParent returns nil: other systems have no such attribute, and a test
// process that is killed leaves its server behind.
func dieWithParent() *syscall.SysProcAttr { return nil }
