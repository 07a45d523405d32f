//go:build unix

package cli_test

import (
	"context"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/vepverify/vepverify/cmd/vepverify/internal/cli"
)

// TestInterruptedPipe: an interrupt ends the wait for the writer of a named pipe.
func TestInterruptedPipe(t *testing.T) {
	name := filepath.Join(t.TempDir(), "pipe")
	if err := syscall.Mkfifo(name, 0o600); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(cli.Interrupt{Signal: syscall.SIGTERM})
	var p cli.Process
	if _, err := p.ReadFile(ctx, name); err != cli.Status(143) {
		t.Errorf("ReadFile: %v", err)
	}
	if _, err := p.Open(ctx, name); err != cli.Status(143) {
		t.Errorf("Open: %v", err)
	}
	writer, err := os.OpenFile(name, os.O_RDWR, 0) // ends the waits
	if err != nil {
		t.Fatal(err)
	}
	writer.Close()
}
