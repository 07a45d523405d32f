package main

import (
	"bytes"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"testing"

	"github.com/vepverify/vepverify/internal/testtool"
)

// TestBatchDocs runs the commands of docs/BATCH.md in the order of the text, and
// compares their output with that in the text, except times.
func TestBatchDocs(t *testing.T) {
	needGNUParallel(t)
	text, err := os.ReadFile("../../docs/BATCH.md")
	if err != nil {
		t.Fatal(err)
	}
	folder := t.TempDir()
	parallel := 0
	for _, block := range regexp.MustCompile("(?s)```console\n(.*?)```").FindAllStringSubmatch(string(text), -1) {
		for _, shown := range strings.Split("\n"+block[1], "\n$ ")[1:] {
			line, want, _ := strings.Cut(strings.TrimSuffix(shown, "\n")+"\n", "\n")
			if strings.HasPrefix(line, "parallel ") {
				parallel++
			}
			if got := runInShell(t, folder, line); maskRate(got) != maskRate(want) {
				t.Fatalf("%s:\n%s\nThe page says:\n%s", line, got, want)
			}
		}
	}
	if parallel == 0 {
		t.Error("no command runs parallel")
	}
}

// needGNUParallel skips the test if GNU parallel is not installed; in CI the test
// fails. The program of the same name in moreutils has no --pipe.
func needGNUParallel(t *testing.T) {
	t.Helper()
	out, err := exec.Command("parallel", "--version").CombinedOutput()
	if err == nil && bytes.Contains(out, []byte("GNU parallel")) {
		return
	}
	testtool.Missing(t, "parallel")
}

func runInShell(t *testing.T, folder, line string) string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "bash", "-c", line)
	cmd.Dir = folder
	cmd.Env = append(os.Environ(), "GORACE=atexit_sleep_ms=0", "LC_ALL=C")
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%s: %v\n%s", line, err, out)
	}
	return string(out)
}

func maskRate(s string) string {
	return regexp.MustCompile(`in [0-9.]+m?s, [0-9]+/s`).ReplaceAllString(s, "in TIME")
}
