package main

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/vepverify/vepverify/cmd/vepverify/internal/cli"
	"github.com/vepverify/vepverify/cmd/vepverify/internal/clitest"
)

// TestReadme runs every vepverify command of the README in the order of the text, in
// a folder with the repository's testdata. It compares the output with that in the
// README, except durations. A command without output in the README must succeed.
func TestReadme(t *testing.T) {
	root, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	readme, err := os.ReadFile(filepath.Join(root, "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	t.Chdir(t.TempDir())
	if err := os.Symlink(filepath.Join(root, "testdata"), "testdata"); err != nil {
		t.Fatal(err)
	}
	ran := 0
	for _, block := range regexp.MustCompile("(?s)```console\n(.*?)```").FindAllStringSubmatch(string(readme), -1) {
		for _, shown := range strings.Split(block[1], "$ ")[1:] {
			line, want, _ := strings.Cut(shown, "\n")
			line = strings.Replace(line, "go run ./cmd/vepverify", "vepverify", 1)
			if args, ok := strings.CutPrefix(line, "vepverify "); ok {
				runShown(t, args, want)
				ran++
			}
		}
	}
	if ran < 6 {
		t.Errorf("only %d commands found", ran)
	}
}

func runShown(t *testing.T, line, want string) {
	t.Helper()
	line, file, redirected := strings.Cut(line, " > ")
	var out, stderr bytes.Buffer
	code := newApp().Run(context.Background(), strings.Fields(line), &cli.Process{
		In: strings.NewReader(""), Out: &out, Err: &stderr, Env: clitest.Env(), Now: time.Now,
	})
	if redirected {
		if err := os.WriteFile(file, out.Bytes(), 0o600); err != nil {
			t.Fatal(err)
		}
		out.Reset()
	}
	if want == "" {
		if code != 0 {
			t.Errorf("%s: exit %d: %s", line, code, &stderr)
		}
		return
	}
	if got := stderr.String() + out.String(); maskDurations(got) != maskDurations(want) {
		t.Errorf("%s:\n%s\nThe README says:\n%s", line, got, want)
	}
}

func maskDurations(s string) string {
	return regexp.MustCompile(` +[0-9.]+(ns|µs|ms|s)\b`).ReplaceAllString(s, " TIME")
}
