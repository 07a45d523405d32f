package evpcorpus_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/vepverify/vepverify/cmd/vepverify/internal/vectors/generate/corpus"
	"github.com/vepverify/vepverify/cmd/vepverify/internal/vectors/generate/evpcorpus"
)

const repository = "../../../../../.."

func read(t *testing.T, name string) []byte {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(repository, name))
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// TestCommittedFilesAreGenerated checks that the generator would change nothing.
func TestCommittedFilesAreGenerated(t *testing.T) {
	files, err := evpcorpus.Files(read(t, evpcorpus.RulesSource))
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range files {
		if !bytes.Equal(read(t, name), want) {
			t.Errorf("%s is not what the generator makes: go run ./cmd/vepverify/internal/vectors/generate", name)
		}
	}
	committed, err := filepath.Glob(filepath.Join(repository, evpcorpus.VectorsFolder, "*"))
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range committed {
		if _, ok := files[evpcorpus.VectorsFolder+"/"+filepath.Base(path)]; !ok {
			t.Errorf("%s is not generated", path)
		}
	}
}

// table returns the committed table of rules.
func table(t *testing.T) corpus.Table {
	t.Helper()
	var table corpus.Table
	if err := json.Unmarshal(read(t, evpcorpus.Folder+"/rules.json"), &table); err != nil {
		t.Fatal(err)
	}
	return table
}

// TestRulesAreCovered checks that every rule has two vectors, and that its Go tests exist.
func TestRulesAreCovered(t *testing.T) {
	for _, r := range table(t).Rules {
		if len(r.Cases) < 2 {
			t.Errorf("%s has %d vectors", r.ID, len(r.Cases))
		}
		for _, name := range r.Tests {
			folder, function, _ := strings.Cut(name, ".")
			if !hasTest(t, folder, function) {
				t.Errorf("%s: no test %s", r.ID, name)
			}
		}
	}
}

// hasTest reports whether a folder of the repository has the test function.
func hasTest(t *testing.T, folder, function string) bool {
	t.Helper()
	found := false
	for _, f := range parsed(t, folder, true) {
		for _, d := range f.Decls {
			fn, ok := d.(*ast.FuncDecl)
			found = found || ok && fn.Recv == nil && fn.Name.Name == function
		}
	}
	return found
}

// parsed returns the files of a folder: its tests, or the others.
func parsed(t *testing.T, folder string, tests bool) (files []*ast.File) {
	t.Helper()
	paths, err := filepath.Glob(filepath.Join(repository, folder, "*.go"))
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range paths {
		if strings.HasSuffix(path, "_test.go") != tests {
			continue
		}
		f, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, f)
	}
	return files
}

// TestRulesOfTheVerifier checks that every rule that the verifier's errors name has vectors.
func TestRulesOfTheVerifier(t *testing.T) {
	ruleName := regexp.MustCompile(`^"[1-9][0-9]?\.[a-z][a-z0-9-]*"$`)
	known := map[string]bool{}
	for _, r := range table(t).Rules {
		known[fmt.Sprintf("%q", r.ID)] = true
	}
	named := 0
	for _, folder := range []string{"evp", "evp/internal/discovery"} {
		for _, f := range parsed(t, folder, false) {
			ast.Inspect(f, func(n ast.Node) bool {
				if text, ok := n.(*ast.BasicLit); ok && ruleName.MatchString(text.Value) {
					named++
					if !known[text.Value] {
						t.Errorf("%s: %s is not a rule of %s", folder, text.Value, evpcorpus.RulesSource)
					}
				}
				return true
			})
		}
	}
	if named < 20 {
		t.Errorf("only %d rules found", named)
	}
}

func TestCases(t *testing.T) {
	seen := map[string]bool{}
	for _, c := range evpcorpus.Cases() {
		switch {
		case seen[c.Name]:
			t.Errorf("%s: two cases have that name", c.Name)
		case c.Comment == "":
			t.Errorf("%s has no comment", c.Name)
		case !strings.HasPrefix(c.Name, c.Group+"/"):
			t.Errorf("%s does not begin with its group %q", c.Name, c.Group)
		case c.Expect == "okay" && c.Rule != "":
			t.Errorf("%s breaks %s, and is okay", c.Name, c.Rule)
		}
		seen[c.Name] = true
	}
	if len(seen) < 400 {
		t.Errorf("%d cases, want at least 400", len(seen))
	}
}

// TestFaultsHaveEffect checks that no two cases of a group are the same verification, except
// the replay of 12.one-use.
func TestFaultsHaveEffect(t *testing.T) {
	seen := map[string]string{}
	for _, c := range evpcorpus.Cases() {
		name := c.Name
		c.Name, c.Comment = "", ""
		data, err := json.Marshal(c)
		if err != nil {
			t.Fatal(err)
		}
		if other, ok := seen[string(data)]; ok && c.Group != "12.one-use" {
			t.Errorf("%s and %s are the same", other, name)
		}
		seen[string(data)] = name
	}
}
