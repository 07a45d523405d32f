package vector_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/vepverify/vepverify/evp/internal/vector"
)

// generated returns the vectors that the generator of the command makes. Their groups are
// the rules.
func generated(t *testing.T) []vector.Case {
	t.Helper()
	paths, err := filepath.Glob("../../../testdata/evp/rules/*.json")
	if err != nil || len(paths) == 0 {
		t.Fatalf("no vectors: %v", err)
	}
	var all []vector.Case
	for _, path := range paths {
		data, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		cases, err := vector.Load(data)
		if err != nil {
			t.Fatalf("%s: %v", path, err)
		}
		all = append(all, cases...)
	}
	return all
}

// TestGenerated checks outcome, answer and rule of every generated vector.
func TestGenerated(t *testing.T) {
	for _, c := range generated(t) {
		if err := c.Check(t.Context()); err != nil {
			t.Errorf("%s: %v (%s)", c.Name, err, c.Comment)
		}
	}
}
