// Package corpus makes the project's test vectors: backed assertions with one
// fault or one variation each, and what the rules of docs/PROTOCOL.md make of
// them. Start with [Files], which gives every generated file of testdata.
//
// A vector begins as a verification that holds (scenario.go), which a few edits
// (edit.go) then change. The vectors stand in tables, one file of this package
// for each group; every vector names the rules that it is about. What is
// expected was written down from the rules, never read off a verifier.
//
// All keys are in this repository, and so known to everybody: those of
// package idptest, and those that package keys refuses to handle in
// rawkeys.json. Nothing is random and no clock is read, so that equal sources
// give equal bytes. A mistake in a table panics.
package corpus

import (
	"bytes"
	"encoding/json"
	"fmt"

	"github.com/vepverify/vepverify/cmd/vepverify/internal/vectors"
)

// Where things are, seen from the repository's root.
const (
	// RulesSource is the text that names the rules.
	RulesSource = "docs/PROTOCOL.md"
	// VectorsFolder is the folder of the vectors, a file for each group.
	VectorsFolder = "testdata/vectors"
)

// Vector is a case and the rules that it is about.
type Vector struct {
	vectors.Case
	Rules []string
}

// groups are the tables, in the order of the rules.
var groups = []struct {
	name  string
	table func() []vector
}{
	{"structure", structure},
	{"base64", base64Cases},
	{"json", jsonCases},
	{"header", header},
	{"claims", claims},
	{"time", times},
	{"answer", answers},
	{"algorithm", algorithms},
	{"key", keyCases},
	{"dsa-key", dsaKeys},
	{"signature", signatures},
	{"document", documents},
	{"published-key", publishedKeys},
	{"authority", authority},
	{"row3", row3},
	{"rows4and5", rows4and5},
	{"delegation", delegation},
	{"principal", principals},
	{"email", emails},
	{"chain", chains},
	{"audience", audiences},
	{"wildcard", wildcards},
	{"order", order},
}

// Vectors gives all vectors by group, in the order of the groups.
func Vectors() [][]Vector {
	all := make([][]Vector, len(groups))
	for i, g := range groups {
		for _, v := range g.table() {
			all[i] = append(all[i], v.finish(g.name))
		}
	}
	return all
}

// Files gives the generated files by their names: the vectors, the table of
// rules for people and for programs, and the sample. rules is the text of
// RulesSource.
func Files(rules []byte) (map[string][]byte, error) {
	all := Vectors()
	files := make(map[string][]byte)
	for i, g := range groups {
		data, err := vectorFile(all[i])
		if err != nil {
			return nil, fmt.Errorf("group %s: %w", g.name, err)
		}
		files[VectorsFolder+"/"+g.name+".json"] = data
	}
	if err := addTable(files, rules, all); err != nil {
		return nil, err
	}
	return files, addSample(files)
}

func vectorFile(group []Vector) ([]byte, error) {
	file := vectors.File{Format: vectors.Format}
	for _, v := range group {
		file.Cases = append(file.Cases, v.Case)
	}
	return encode(file)
}

// encode gives indented JSON in which '<', '>' and '&' stay readable.
func encode(value any) ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	e.SetIndent("", " ")
	if err := e.Encode(value); err != nil {
		return nil, err
	}
	return b.Bytes(), nil
}

// addSample adds the assertion that the README verifies, with the keys for it:
// the verification that all vectors begin with.
func addSample(files map[string][]byte) error {
	s := validScenario()
	keys, err := encode(raw(s.documents))
	if err != nil {
		return err
	}
	files["testdata/sample/assertion.txt"] = []byte(s.backed() + "\n")
	files["testdata/sample/keys.json"] = keys
	return nil
}
