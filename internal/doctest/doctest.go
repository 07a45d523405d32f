// Package doctest compares the code in documents with code that is compiled.
package doctest

import (
	"os"
	"strings"
	"testing"
)

// Snippets fails the test unless every block of Go code in a Markdown document occurs
// in a source file, apart from indentation. The tests compile the source file, so a
// snippet that occurs there compiles too. Snippets also fails if there are fewer than
// minimum blocks, so that a block in another format is not overlooked.
func Snippets(t *testing.T, document, source string, minimum int) {
	t.Helper()
	code, err := os.ReadFile(source)
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(document)
	if err != nil {
		t.Fatal(err)
	}
	compiled := "\n" + withoutIndentation(string(code))
	blocks := strings.Split(string(text), "\n```go\n")[1:]
	for _, block := range blocks {
		snippet, _, closed := strings.Cut(block, "\n```")
		if !closed || !strings.Contains(compiled, "\n"+withoutIndentation(snippet)+"\n") {
			t.Errorf("%s has a snippet that is not in %s:\n%s", document, source, snippet)
		}
	}
	if len(blocks) < minimum {
		t.Errorf("%d snippets found, want %d or more", len(blocks), minimum)
	}
}

func withoutIndentation(text string) string {
	lines := strings.Split(text, "\n")
	for i := range lines {
		lines[i] = strings.TrimSpace(lines[i])
	}
	return strings.Join(lines, "\n")
}
