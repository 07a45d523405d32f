//go:build unix

package serve_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/vepverify/vepverify/internal/redistest"
)

// TestReplayFilesChangeAtStart: a file of --replay that changes after it has been read, while the
// service starts, is read again.
func TestReplayFilesChangeAtStart(t *testing.T) {
	dir := t.TempDir()
	f := certificateFiles{filepath.Join(dir, "cert"), filepath.Join(dir, "key")}
	renewed := certificateFiles{f.cert + ".renewed", f.key + ".renewed"}
	f.write(t, certified(1, 0, month))
	renewed.write(t, certified(2, 0, 2*month))
	authority, err := os.ReadFile(redistest.NewAuthority(t).CAFile)
	if err != nil {
		t.Fatal(err)
	}
	caFile := filepath.Join(dir, "ca") // a pipe, which the service reads after the certificate
	writeFile(t, caFile+".renewed", authority)
	if err := syscall.Mkfifo(caFile, 0o600); err != nil {
		t.Fatal(err)
	}
	changed := make(chan error, 1)
	go func() {
		pipe, err := os.OpenFile(caFile, os.O_WRONLY, 0) // waits for the service
		if err != nil {
			changed <- err
			return
		}
		_, failed := pipe.Write(authority)
		changed <- errors.Join(failed, os.Rename(renewed.key, f.key), os.Rename(renewed.cert, f.cert), os.Rename(caFile+".renewed", caFile), pipe.Close())
	}()
	s := startServe(t, nil, "--keys", sampleKeys, "--replay", "rediss://127.0.0.1:1",
		"--replay-ca-file", caFile, "--replay-cert", f.cert, "--replay-key", f.key)
	if err := <-changed; err != nil {
		t.Fatal(err)
	}
	if line := s.await("replay TLS files read again"); !strings.Contains(line, `"expires":"2026-03-02T00:00:00Z"`) {
		t.Error(line)
	}
}
