// Package doctest holds what documents show against what is compiled.
package doctest

import (
	"os"
	"strings"
	"testing"
)

// Snippets wants every block of Go in a document to stand, but for its
// indentation, in a source file, which the compiler has seen. It wants at least
// least of them, so that none is lost for another reason.
func Snippets(t *testing.T, document, source string, least int) {
	t.Helper()
	code, err := os.ReadFile(source)
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(document)
	if err != nil {
		t.Fatal(err)
	}
	have := "\n" + flat(string(code))
	blocks := strings.Split(string(text), "\n```go\n")[1:]
	for _, block := range blocks {
		snippet, _, closed := strings.Cut(block, "\n```")
		if !closed || !strings.Contains(have, "\n"+flat(snippet)+"\n") {
			t.Errorf("%s has a snippet that is not in %s:\n%s", document, source, snippet)
		}
	}
	if len(blocks) < least {
		t.Errorf("%d snippets found", len(blocks))
	}
}

// flat cuts the indentation off all lines.
func flat(text string) string {
	lines := strings.Split(text, "\n")
	for i := range lines {
		lines[i] = strings.TrimSpace(lines[i])
	}
	return strings.Join(lines, "\n")
}
