package cli_test

import (
	"context"
	"io"
	"testing"

	"github.com/vepverify/vepverify/cmd/vepverify/internal/cli"
)

// TestInterruptedInput: whoever types nothing can still leave.
func TestInterruptedInput(t *testing.T) {
	in, typist := io.Pipe()
	defer typist.Close()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := (&cli.Process{In: in}).ReadUpTo(ctx, "-", 10); err == nil {
		t.Error("read came to an end without an error")
	}
}
