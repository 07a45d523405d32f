package vectors_test

import (
	"bytes"
	"encoding/json"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/vepverify/vepverify/cmd/vepverify/internal/vectors"
	"github.com/vepverify/vepverify/cmd/vepverify/internal/vectors/generate/corpus"
)

const repository = "../../../.."

// table returns the committed table of rules.
func table(t *testing.T) corpus.Table {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(repository, "testdata/rules.json"))
	if err != nil {
		t.Fatal(err)
	}
	var committed corpus.Table
	if err := json.Unmarshal(data, &committed); err != nil {
		t.Fatal(err)
	}
	return committed
}

// TestCommittedFilesAreGenerated checks that
// go run ./cmd/vepverify/internal/vectors/generate would change nothing.
func TestCommittedFilesAreGenerated(t *testing.T) {
	rules, err := os.ReadFile(filepath.Join(repository, corpus.RulesSource))
	if err != nil {
		t.Fatal(err)
	}
	files, err := corpus.Files(rules)
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range files {
		got, err := os.ReadFile(filepath.Join(repository, name))
		if err != nil {
			t.Error(err)
		} else if !bytes.Equal(got, want) {
			t.Errorf("%s is not what the generator makes: go run ./cmd/vepverify/internal/vectors/generate", name)
		}
	}
	committed, err := filepath.Glob(filepath.Join(repository, corpus.VectorsFolder, "*"))
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range committed {
		if _, ok := files[corpus.VectorsFolder+"/"+filepath.Base(path)]; !ok {
			t.Errorf("%s is not generated", path)
		}
	}
}

// TestRulesAreCovered checks that every rule has two vectors, or Go tests that exist.
func TestRulesAreCovered(t *testing.T) {
	source, err := os.ReadFile(filepath.Join(repository, corpus.RulesSource))
	if err != nil {
		t.Fatal(err)
	}
	rules, err := corpus.Rules(source)
	if err != nil {
		t.Fatal(err)
	}
	covered := map[string]corpus.Rule{}
	for _, r := range table(t).Rules {
		covered[r.ID] = r
	}
	existing := map[string]bool{}
	for _, c := range cases(t) {
		existing[c.Name] = true
	}
	for _, r := range rules {
		in, ok := covered[r.ID]
		switch {
		case !ok:
			t.Errorf("%s is not in the table", r.ID)
		case in.Text != r.Text:
			t.Errorf("%s has another text in the table", r.ID)
		case len(in.Cases) < 2 && len(in.Tests) == 0:
			t.Errorf("%s has %d cases and no test", r.ID, len(in.Cases))
		}
		for _, name := range in.Cases {
			if !existing[name] {
				t.Errorf("%s: no case %s", r.ID, name)
			}
		}
		for _, name := range in.Tests {
			folder, function, _ := strings.Cut(name, ".")
			if !hasTest(t, folder, function) {
				t.Errorf("%s: no test %s", r.ID, name)
			}
		}
	}
	if len(covered) != len(rules) {
		t.Errorf("%d rules in the table, %d in %s", len(covered), len(rules), corpus.RulesSource)
	}
}

// TestRuleNames checks that every item that looks like a rule has a name, with the number of
// its section.
func TestRuleNames(t *testing.T) {
	source, err := os.ReadFile(filepath.Join(repository, corpus.RulesSource))
	if err != nil {
		t.Fatal(err)
	}
	rules, err := corpus.Rules(source)
	if err != nil {
		t.Fatal(err)
	}
	if named := strings.Count(string(source), "\n* **["); named != len(rules) {
		t.Errorf("%d items look like rules, %d are", named, len(rules))
	}
	section := ""
	for line := range strings.Lines(string(source)) {
		if number, ok := strings.CutPrefix(line, "## "); ok {
			section = number[:1]
		}
		if id, ok := strings.CutPrefix(line, "* **["); ok && !strings.HasPrefix(id, section+".") {
			t.Errorf("in section %s: %.40s", section, line)
		}
	}
}

// hasTest reports whether a folder of the repository has the test function.
func hasTest(t *testing.T, folder, function string) bool {
	t.Helper()
	paths, err := filepath.Glob(filepath.Join(repository, folder, "*_test.go"))
	if err != nil {
		t.Fatal(err)
	}
	return slices.ContainsFunc(paths, func(path string) bool {
		f, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		return slices.ContainsFunc(f.Decls, func(d ast.Decl) bool {
			fn, ok := d.(*ast.FuncDecl)
			return ok && fn.Recv == nil && fn.Name.Name == function
		})
	})
}

func TestCasesAreInOrder(t *testing.T) {
	inRule := map[string]bool{}
	for _, r := range table(t).Rules {
		for _, name := range r.Cases {
			inRule[name] = true
		}
	}
	seen := map[string]bool{}
	for _, c := range cases(t) {
		switch {
		case seen[c.Name]:
			t.Errorf("%s: two cases have that name", c.Name)
		case !inRule[c.Name]:
			t.Errorf("%s tests no rule", c.Name)
		case c.Comment == "":
			t.Errorf("%s has no comment", c.Name)
		case !strings.HasPrefix(c.Name, c.Group+"-"):
			t.Errorf("%s does not begin with its group %q", c.Name, c.Group)
		case c.Expect == vectors.Okay && len(c.Answer) < 7:
			t.Errorf("%s does not compare the full answer", c.Name)
		}
		seen[c.Name] = true
	}
	if len(seen) < 200 {
		t.Errorf("%d cases, want at least 200", len(seen))
	}
}
