package npm_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/vepverify/vepverify/evp/internal/vector"
)

// explanation is a row of disagreements.tsv.
type explanation struct {
	names  *regexp.Regexp
	theirs string // "accepts", or the stage and the code of the package's error
	why    string
	used   bool
}

func explanations(t *testing.T) []explanation {
	t.Helper()
	data, err := os.ReadFile("disagreements.tsv")
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSuffix(string(data), "\n"), "\n")
	var all []explanation
	for _, line := range lines[1:] {
		cells := strings.Split(line, "\t")
		if len(cells) != 3 {
			t.Fatalf("not three cells: %s", line)
		}
		all = append(all, explanation{names: regexp.MustCompile(cells[0]), theirs: cells[1], why: cells[2]})
	}
	return all
}

// files returns the paths of all files of vectors.
func files(t *testing.T) []string {
	t.Helper()
	const folder = "../../../testdata/evp"
	paths, err := filepath.Glob(folder + "/rules/*.json")
	if err != nil || len(paths) == 0 {
		t.Fatalf("no vectors: %v", err)
	}
	return append(paths, folder+"/vectors.json")
}

func cases(t *testing.T) []vector.Case {
	t.Helper()
	var all []vector.Case
	for _, path := range files(t) {
		data, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		list, err := vector.Load(data)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, list...)
	}
	return all
}

// TestEmailVerificationAPI checks that every case in which the package's outcome is not the
// expected one is explained, and that every explanation applies to a case.
func TestEmailVerificationAPI(t *testing.T) {
	var results []struct {
		Name, Code string
		Okay       bool
	}
	run(t, &results, nil, "verify.mjs", files(t)...)
	all, table := cases(t), explanations(t)
	if len(results) != len(all) {
		t.Fatalf("%d results of %d cases", len(results), len(all))
	}
	disagreements := 0
	for i, r := range results {
		if all[i].Name != r.Name {
			t.Fatalf("result %d is %q, want %q", i, r.Name, all[i].Name)
		}
		if r.Okay == (all[i].Expect == vector.Okay) {
			continue
		}
		disagreements++
		theirs := "accepts"
		if !r.Okay {
			theirs = r.Code
		}
		if !explained(table, r.Name, theirs) {
			t.Errorf("%s: expected %s, the package: %s (%s)", r.Name, all[i].Expect, theirs, all[i].Comment)
		}
	}
	for _, e := range table {
		if !e.used {
			t.Errorf("%s, %s: explains no case: %s", e.names, e.theirs, e.why)
		}
	}
	t.Logf("%d of %d cases differ, for %d reasons", disagreements, len(all), len(table))
}

// explained marks the first row that explains a disagreement. It reports whether there is
// one.
func explained(table []explanation, name, theirs string) bool {
	for i, e := range table {
		if e.theirs == theirs && e.names.MatchString(name) {
			table[i].used = true
			return true
		}
	}
	return false
}
