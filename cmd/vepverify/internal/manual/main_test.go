package main

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"testing"

	"github.com/vepverify/vepverify/internal/testtool"
)

// generate runs this program as a packager does.
func generate(t *testing.T, epoch string) (folder string) {
	t.Helper()
	folder = t.TempDir()
	cmd := exec.Command("go", "run", ".", filepath.Join(folder, "man"))
	cmd.Env = append(os.Environ(), "SOURCE_DATE_EPOCH="+epoch)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	return filepath.Join(folder, "man")
}

// TestPagesAreReproducible: the pages of two runs are the same, on machines with any number of
// processors, and have the date of SOURCE_DATE_EPOCH.
func TestPagesAreReproducible(t *testing.T) {
	first := generate(t, "1767225600")
	t.Setenv("GOMAXPROCS", "1")
	t.Setenv("TZ", "Pacific/Honolulu")
	second := generate(t, "1767225600")
	pages, err := filepath.Glob(filepath.Join(first, "vepverify*.1"))
	if err != nil || len(pages) < 10 {
		t.Fatalf("%q, %v", pages, err)
	}
	for _, page := range pages {
		one, err := os.ReadFile(page)
		if err != nil {
			t.Fatal(err)
		}
		two, err := os.ReadFile(filepath.Join(second, filepath.Base(page)))
		if err != nil || !bytes.Equal(one, two) {
			t.Errorf("%s differs: %v", filepath.Base(page), err)
		}
		if !bytes.Contains(one, []byte(" 1 2026-01-01 ")) {
			t.Errorf("%s: not the date of SOURCE_DATE_EPOCH: %.100s", filepath.Base(page), one)
		}
	}
}

// TestDateOfTheCommit: without SOURCE_DATE_EPOCH, the date is that of the commit.
func TestDateOfTheCommit(t *testing.T) {
	cmd := exec.Command("git", "log", "-1", "--format=%cd", "--date=format-local:%Y-%m-%d")
	cmd.Env = append(os.Environ(), "TZ=UTC")
	date, err := cmd.Output()
	if err != nil {
		testtool.Unavailable(t, "git knows no commit: "+err.Error())
	}
	page, err := os.ReadFile(filepath.Join(generate(t, ""), "vepverify.1"))
	if err != nil {
		t.Fatal(err)
	}
	want := regexp.MustCompile(`^\.TH VEPVERIFY 1 ` + string(bytes.TrimSpace(date)) + ` `)
	if !want.Match(page) {
		t.Errorf("%.100s, want the date %s", page, date)
	}
}
