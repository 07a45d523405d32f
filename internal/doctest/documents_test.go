package doctest_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"unicode/utf8"
)

const top = "../.."

var (
	fenced      = regexp.MustCompile("(?ms)^ *```.*?^ *```$")
	link        = regexp.MustCompile(`\]\(([^)\s]+)\)`)
	heading     = regexp.MustCompile(`(?m)^#{1,6} (.*)$`)
	linked      = regexp.MustCompile(`\[([^\]]*)\]\([^)]*\)`)
	punctuation = regexp.MustCompile(`[^\pL\pN_\- ]`)
)

// anchors returns the names that GitHub gives to the headings of a document. The second of two
// equal headings gets another name, which no link here needs.
func anchors(document string) map[string]bool {
	all := make(map[string]bool)
	for _, h := range heading.FindAllStringSubmatch(document, -1) {
		text := punctuation.ReplaceAllString(strings.ToLower(linked.ReplaceAllString(h[1], "$1")), "")
		all[strings.ReplaceAll(text, " ", "-")] = true
	}
	return all
}

// readMarkdown returns a document without its blocks of code.
func readMarkdown(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return fenced.ReplaceAllString(string(text), "")
}

// checkLink fails the test if a link of a document is relative, and leads to no file or heading.
func checkLink(t *testing.T, document, target string) {
	t.Helper()
	if strings.Contains(target, ":") {
		return
	}
	name, anchor, _ := strings.Cut(target, "#")
	path := document
	if name != "" {
		path = filepath.Join(filepath.Dir(document), name)
	}
	if _, err := os.Stat(path); err != nil {
		t.Errorf("%s: %s: %v", document, target, err)
		return
	}
	if anchor != "" && filepath.Ext(path) == ".md" && !anchors(readMarkdown(t, path))[anchor] {
		t.Errorf("%s: %s: no such heading", document, target)
	}
}

// documents returns the paths of all documents.
func documents(t *testing.T) (paths []string) {
	t.Helper()
	err := filepath.WalkDir(top, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if entry.IsDir() && (entry.Name() == "node_modules" || entry.Name() == ".git") {
			return fs.SkipDir
		}
		if filepath.Ext(path) == ".md" {
			paths = append(paths, path)
		}
		return nil
	})
	if err != nil || len(paths) < 10 {
		t.Fatalf("%d documents, %v", len(paths), err)
	}
	return paths
}

// TestLinks checks that the links of all documents to files and headings of this repository lead
// there.
func TestLinks(t *testing.T) {
	links := 0
	for _, path := range documents(t) {
		for _, l := range link.FindAllStringSubmatch(readMarkdown(t, path), -1) {
			links++
			checkLink(t, path, l[1])
		}
	}
	if links < 100 {
		t.Errorf("%d links", links)
	}
}

// TestWidth checks that lines of text have at most 100 characters. Tables and images have one line
// each, however long.
func TestWidth(t *testing.T) {
	for _, path := range documents(t) {
		for line := range strings.Lines(readMarkdown(t, path)) {
			line = strings.TrimRight(line, "\n")
			if !strings.HasPrefix(line, "|") && !strings.HasPrefix(line, "![") && utf8.RuneCountInString(line) > 100 {
				t.Errorf("%s: a line is too long: %s", path, line)
			}
		}
	}
}
