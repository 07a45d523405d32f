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

	"github.com/vepverify/vepverify/cmd/vepverify/internal/vectors/generate/corpus"
)

// Format is the format of the vectors.
const Format = "vepverify-evp-vectors/1"

// Paths relative to the root of the repository.
const (
	// RulesSource is the document that names the rules.
	RulesSource = "docs/EVP.md"
	// Folder has the table of rules.
	Folder = "testdata/evp"
	// VectorsFolder is the folder of the vectors, with a file for each section of rules.
	VectorsFolder = Folder + "/rules"
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

// Files returns the generated files by their names: the vectors, and the table of rules in
// Markdown and in JSON. rules is the text of RulesSource.
func Files(rules []byte) (map[string][]byte, error) {
	all := Cases()
	files := make(map[string][]byte)
	for name, cases := range sections(all) {
		data, err := encode(cases)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		files[name] = data
	}
	return files, addTable(files, rules, all)
}

// sections returns the cases by the names of their files.
func sections(all []Case) map[string][]Case {
	sections := make(map[string][]Case)
	for _, c := range all {
		section, _, _ := strings.Cut(c.Group, ".")
		name := fmt.Sprintf("%s/%02s.json", VectorsFolder, section)
		sections[name] = append(sections[name], c)
	}
	return sections
}

// addTable adds the table of rules.
func addTable(files map[string][]byte, source []byte, all []Case) error {
	rules, err := corpus.ParseRules(RulesSource, source)
	if err != nil {
		return err
	}
	byID := make(map[string]*corpus.Rule, len(rules))
	for i := range rules {
		byID[rules[i].ID] = &rules[i]
		rules[i].Tests = covering[rules[i].ID]
	}
	for _, c := range all {
		rule, ok := byID[c.Group]
		if !ok {
			return fmt.Errorf("%s tests the rule %s, which %s does not have", c.Name, c.Group, RulesSource)
		}
		rule.Cases = append(rule.Cases, c.Name)
	}
	return corpus.AddRules(files, Folder, rulesHead, corpus.Table{Source: RulesSource, Rules: rules})
}

const rulesHead = `# Rules of the Email Verification Protocol and their tests

` + "`go run ./cmd/vepverify/internal/vectors/generate`" + ` writes this file. Do not edit it.

Each row has a rule of [docs/EVP.md](../../docs/EVP.md) and the test vectors in [rules/](rules)
that test it. Rules about caches, connections and more than one token have Go tests besides.
[rules.json](rules.json) has the same for programs.

| rule | text | vectors and tests |
|---|---|---|
`

// covering names the Go tests of rules that vectors alone cannot test.
var covering = map[string][]string{
	"1.size":          {"evp/evptest.TestTokenFaults"},
	"7.offline-first": {"evp/evptest.TestTokenFaults"},
	"8.unavailable":   {"evp/evptest.TestOutage"},
	"8.iss":           {"evp/evptest.TestRecordChanges"},
	"9.guard":         {"evp/evptest.TestNetworkFaults", "evp/evptest.TestSites"},
	"9.unavailable":   {"evp/evptest.TestNetworkFaultsOverTLS", "evp/evptest.TestOutage"},
	"10.refresh":      {"evp/evptest.TestRotation", "evp/evptest.TestRefreshFails"},
	"12.one-use":      {"evp/evptest.TestOneUse"},
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
