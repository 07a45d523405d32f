// Package evpcorpus makes the project's test vectors of the Email Verification Protocol,
// in the format vepverify-evp-vectors/1. Start with [Files], which returns every generated
// file of testdata/evp.
//
// A vector begins with a valid scenario (scenario.go), which a few edits change. The
// vectors are in tables, one for each rule of docs/EVP.md. The expected answers were
// written from the rules, never copied from a verifier.
//
// All keys are public: they are in this repository, in package evptest and in the folder
// testkeys. Nothing is random and no clock is read, so that equal sources make equal
// files. A mistake in a table panics.
package evpcorpus

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
)

// Format is the format of the vectors.
const Format = "vepverify-evp-vectors/1"

// Paths relative to the root of the repository.
const (
	// RulesSource is the document that names the rules.
	RulesSource = "docs/EVP.md"
	// VectorsFolder is the folder of the vectors, with a file for each section of rules.
	VectorsFolder = "testdata/evp/rules"
)

// Case is one verification and its expected answer.
type Case struct {
	Name     string              `json:"name"`
	Group    string              `json:"group"`
	Comment  string              `json:"comment"`
	Token    string              `json:"token"`
	Audience any                 `json:"audience"` // a string, or several
	Nonce    string              `json:"nonce"`
	Email    string              `json:"email,omitempty"`
	Now      int64               `json:"now"`
	Profile  string              `json:"profile"`
	Rule     string              `json:"rule,omitempty"` // that is broken
	TXT      map[string]TXT      `json:"txt"`
	HTTP     map[string]Response `json:"http"`
	Expect   string              `json:"expect"`
	Answer   *Answer             `json:"answer,omitempty"`
}

// TXT is an answer of DNS.
type TXT struct {
	Records []string `json:"records,omitempty"`
	Error   string   `json:"error,omitempty"`
}

// MarshalJSON returns an empty list of records if there is no error.
func (t TXT) MarshalJSON() ([]byte, error) {
	if t.Error != "" {
		return json.Marshal(map[string]string{"error": t.Error})
	}
	return json.Marshal(map[string][]string{"records": append([]string{}, t.Records...)})
}

// Response is the response to requests of a URL.
type Response struct {
	Status      int    `json:"status,omitempty"`
	ContentType string `json:"contentType,omitempty"`
	Location    string `json:"location,omitempty"`
	Body        string `json:"body,omitempty"`
	Timeout     bool   `json:"timeout,omitempty"`
}

// Answer is the expected answer of a case that is okay.
type Answer struct {
	Email    string `json:"email"`
	Issuer   string `json:"issuer"`
	Audience string `json:"audience"`
	Expires  int64  `json:"expires"`
	Private  bool   `json:"private,omitempty"`
}

// group is the table of a rule.
type group struct {
	rule string
	rows []vector
}

// tables returns the tables of all rules, in the order of docs/EVP.md.
func tables() []group {
	var all []group
	for _, part := range []func() []group{form, headers, claims, binding, times, submitted, discovery, keys, answers} {
		all = append(all, part()...)
	}
	return all
}

// Rules returns the names of the rules that have vectors, in order.
func Rules() []string {
	var rules []string
	for _, g := range tables() {
		rules = append(rules, g.rule)
	}
	return rules
}

// Cases returns all cases, in the order of the rules.
func Cases() []Case {
	var all []Case
	for _, g := range tables() {
		for _, v := range g.rows {
			all = append(all, v.finish(g.rule))
		}
	}
	return all
}

// Files returns the generated files by their names.
func Files() (map[string][]byte, error) {
	sections := make(map[string][]Case)
	for _, c := range Cases() {
		section, _, _ := strings.Cut(c.Group, ".")
		name := fmt.Sprintf("%s/%02s.json", VectorsFolder, section)
		sections[name] = append(sections[name], c)
	}
	files := make(map[string][]byte)
	for name, cases := range sections {
		data, err := encode(cases)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		files[name] = data
	}
	return files, nil
}

// encode returns the file of some cases, one on each line.
func encode(cases []Case) ([]byte, error) {
	var b bytes.Buffer
	fmt.Fprintf(&b, "{\"format\":%q,\"cases\":[\n", Format)
	for i, c := range cases {
		if i > 0 {
			b.WriteString(",\n")
		}
		e := json.NewEncoder(&b)
		e.SetEscapeHTML(false)
		if err := e.Encode(c); err != nil {
			return nil, err
		}
		b.Truncate(b.Len() - 1) // the line break of Encode
	}
	b.WriteString("\n]}\n")
	return b.Bytes(), nil
}
