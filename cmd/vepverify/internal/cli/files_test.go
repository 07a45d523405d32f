package cli_test

import (
	"context"
	"io"
	"testing"

	"github.com/vepverify/vepverify/cmd/vepverify/internal/cli"
)

// TestInterruptedInput: an interrupt ends a read of standard input.
func TestInterruptedInput(t *testing.T) {
	in, keyboard := io.Pipe()
	defer keyboard.Close()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := (&cli.Process{In: in}).ReadUpTo(ctx, "-", 10); err == nil {
		t.Error("the read ended without an error")
	}
}
