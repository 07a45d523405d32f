//go:build !linux

package clitest

import (
	"errors"
	"os/exec"
)

// RunOnTerminal returns an error: it works on Linux only.
func RunOnTerminal(*exec.Cmd, string, bool) (shown string, err error) {
	return "", errors.New("pseudo-terminals are used on Linux only")
}
