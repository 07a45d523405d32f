package cli

import (
	"context"
	"errors"
	"fmt"
	"syscall"
)

// Interrupt is the cause with which the context of [App.Run] ends at a signal.
type Interrupt struct{ Signal syscall.Signal }

// Error implements error.
func (i Interrupt) Error() string { return fmt.Sprintf("interrupted by the signal %v", i.Signal) }

// Status returns the exit status that shells use for a process that the signal has ended.
func (i Interrupt) Status() Status { return Status(128 + int(i.Signal)) }

// Interrupted returns the [Status] with which a command ends after an interrupt, and nil if
// there was none. A command prints no answer then: it has not found one.
func Interrupted(ctx context.Context) error {
	if ctx.Err() == nil {
		return nil
	}
	i := Interrupt{syscall.SIGINT}
	errors.As(context.Cause(ctx), &i)
	return i.Status()
}
