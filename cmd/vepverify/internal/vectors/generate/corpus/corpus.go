// Package corpus makes the project's test vectors: backed assertions with one fault or
// one variation each, and the answers that the rules of docs/PROTOCOL.md require. Start
// with [Files], which returns every generated file of testdata.
//
// A vector begins with a valid scenario (scenario.go), which a few edits (edits.go)
// change. The vectors are in tables, one for each group. Every vector names the rules that
// it tests. The expected answers were written from the rules, never copied from a
// verifier.
//
// All keys are public: they are in this repository, in package idptest and in
// rawkeys.json. Nothing is random and no clock is read, so that equal sources make equal
// files. A mistake in a table panics.
package corpus

import (
	"bytes"
	"encoding/json"
	"fmt"

	"github.com/vepverify/vepverify/cmd/vepverify/internal/vectors"
)

// Paths relative to the root of the repository.
const (
	// RulesSource is the document that names the rules.
	RulesSource = "docs/PROTOCOL.md"
	// VectorsFolder is the folder of the vectors, with a file for each group.
	VectorsFolder = "testdata/vectors"
)

// Vector is a case and the names of the rules that it tests.
type Vector struct {
	vectors.Case
	Rules []string
}

// groups has the tables, in the order of the rules.
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

// Vectors returns all vectors by group, in the order of the groups.
func Vectors() [][]Vector {
	all := make([][]Vector, len(groups))
	for i, g := range groups {
		for _, v := range g.table() {
			all[i] = append(all[i], v.finish(g.name))
		}
	}
	return all
}

// Files returns the generated files by their names: the vectors, the table of rules in
// Markdown and in JSON, and the sample. rules is the text of RulesSource.
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

// vectorFile returns the file of a group.
func vectorFile(group []Vector) ([]byte, error) {
	file := vectors.File{Format: vectors.Format}
	for _, v := range group {
		file.Cases = append(file.Cases, v.Case)
	}
	return encode(file)
}

// encode returns indented JSON in which '<', '>' and '&' are not escaped.
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

// addSample adds the assertion that the README verifies, and its keys. It is the valid
// scenario.
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
