package corpus

import (
	"bytes"
	"errors"
	"fmt"
	"regexp"
	"strings"
)

// Rule is a rule of a document and the vectors and tests that cover it.
type Rule struct {
	ID    string   `json:"id"`
	Text  string   `json:"text"`
	Cases []string `json:"cases,omitempty"` // names of vectors
	Tests []string `json:"tests,omitempty"` // Go tests as folder.Name, if vectors are not sufficient
}

// Table is the content of rules.json.
type Table struct {
	Source string `json:"source"`
	Rules  []Rule `json:"rules"`
}

// ruleStart matches the first line of a rule: an item that begins with the rule's name in
// bold.
var ruleStart = regexp.MustCompile(`^\* \*\*\[([1-9][0-9]?\.[a-z0-9-]+)\]\*\* (.*)$`)

// Rules returns the rules of RulesSource, in its order, without cases and tests.
func Rules(source []byte) ([]Rule, error) { return ParseRules(RulesSource, source) }

// ParseRules returns the rules of a document, in its order, without cases and tests.
func ParseRules(document string, source []byte) ([]Rule, error) {
	var rules []Rule
	seen := make(map[string]bool)
	inside := false
	for line := range strings.Lines(string(source)) {
		line = strings.TrimRight(line, "\n")
		switch start := ruleStart.FindStringSubmatch(line); {
		case start != nil:
			if seen[start[1]] {
				return nil, fmt.Errorf("the rule %s is in %s twice", start[1], document)
			}
			seen[start[1]], inside = true, true
			rules = append(rules, Rule{ID: start[1], Text: start[2]})
		case inside && strings.HasPrefix(line, "  "):
			rules[len(rules)-1].Text += " " + strings.TrimSpace(line)
		default:
			inside = false
		}
	}
	if len(rules) == 0 {
		return nil, errors.New("no rules in " + document)
	}
	return rules, nil
}

// addTable adds the table of rules, in Markdown and in JSON.
func addTable(files map[string][]byte, source []byte, all [][]Vector) error {
	rules, err := Rules(source)
	if err != nil {
		return err
	}
	if err := addCoverage(rules, all); err != nil {
		return err
	}
	return AddRules(files, "testdata", rulesHead, Table{RulesSource, rules})
}

// AddRules adds a table of rules to the files of a folder, in Markdown and in JSON. head is
// the text of the Markdown before the rows.
func AddRules(files map[string][]byte, folder, head string, table Table) (err error) {
	files[folder+"/RULES.md"] = markdown(head, table.Rules)
	files[folder+"/rules.json"], err = encode(table)
	return err
}

// addCoverage adds to each rule the vectors and tests that cover it.
func addCoverage(rules []Rule, all [][]Vector) error {
	byID := make(map[string]*Rule, len(rules))
	for i := range rules {
		byID[rules[i].ID] = &rules[i]
	}
	for _, group := range all {
		for _, v := range group {
			for _, id := range v.Rules {
				rule, ok := byID[id]
				if !ok {
					return fmt.Errorf("%s tests the rule %s, which %s does not have", v.Name, id, RulesSource)
				}
				rule.Cases = append(rule.Cases, v.Name)
			}
		}
	}
	for id, tests := range covering {
		rule, ok := byID[id]
		if !ok {
			return fmt.Errorf("tests cover the rule %s, which %s does not have", id, RulesSource)
		}
		rule.Tests = tests
	}
	return nil
}

const rulesHead = `# Rules and their tests

` + "`go run ./cmd/vepverify/internal/vectors/generate`" + ` writes this file. Do not edit it.

Each row has a rule of [docs/PROTOCOL.md](../docs/PROTOCOL.md) and the test vectors in
[vectors/](vectors) that test it. Rules that vectors cannot test (networks, caches, the
one-use guard) have Go tests instead. [rules.json](rules.json) has the same for programs.

| rule | text | vectors and tests |
|---|---|---|
`

// markdown returns the table of rules in Markdown.
func markdown(head string, rules []Rule) []byte {
	var b bytes.Buffer
	b.WriteString(head)
	for _, r := range rules {
		covers := make([]string, 0, len(r.Cases)+len(r.Tests))
		for _, name := range append(r.Cases[:len(r.Cases):len(r.Cases)], r.Tests...) {
			covers = append(covers, "`"+name+"`")
		}
		fmt.Fprintf(&b, "| %s | %s | %s |\n", r.ID, strings.ReplaceAll(r.Text, "|", `\|`), strings.Join(covers, ", "))
	}
	return b.Bytes()
}
