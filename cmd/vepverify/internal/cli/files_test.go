package cli_test

import (
	"context"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/vepverify/vepverify/cmd/vepverify/internal/cli"
)

// TestLargeFile checks that a file over the limit is an error, and not cut off.
func TestLargeFile(t *testing.T) {
	name := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(name, make([]byte, 11), 0o600); err != nil {
		t.Fatal(err)
	}
	var p cli.Process
	if data, err := p.ReadWhole(t.Context(), name, 11); err != nil || len(data) != 11 {
		t.Errorf("at the limit: %d bytes, %v", len(data), err)
	}
	if data, err := p.ReadWhole(t.Context(), name, 10); err == nil || !strings.Contains(err.Error(), "larger than 10 bytes") {
		t.Errorf("over the limit: %d bytes, %v", len(data), err)
	}
}

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
