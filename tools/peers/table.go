package main

import (
	"fmt"
	"regexp"
	"strings"

	"github.com/google/go-cmp/cmp"
)

// table is a table of Markdown: the first row has the names of the columns.
type table [][]string

func newTable(columns ...string) table { return table{columns} }

// add adds a row.
func (t *table) add(cells ...any) {
	row := make([]string, len(cells))
	for i, c := range cells {
		row[i] = fmt.Sprint(c)
	}
	*t = append(*t, row)
}

// String returns the text of the table in Markdown, without an empty line at the end.
func (t table) String() string {
	var b strings.Builder
	for i, row := range t {
		fmt.Fprintf(&b, "| %s |\n", strings.Join(row, " | "))
		if i == 0 {
			fmt.Fprintf(&b, "|%s\n", strings.Repeat("---|", len(row)))
		}
	}
	return b.String()
}

// replaceTable returns a document with the table of a peer replaced. In the document, the
// line "<!-- tools/peers/run NAME -->" and an empty line precede the table.
func replaceTable(document, name string, t table) (string, error) {
	pattern := regexp.MustCompile(`(?m)^<!-- tools/peers/run ` + regexp.QuoteMeta(name) + ` -->\n\n((?:\|.*\n)*)`)
	found := pattern.FindStringSubmatchIndex(document)
	if found == nil {
		return "", fmt.Errorf("docs/PEERS.md has no line <!-- tools/peers/run %s -->", name)
	}
	return document[:found[2]] + t.String() + document[found[3]:], nil
}

// difference returns the lines that differ.
func difference(old, new string) string {
	return cmp.Diff(strings.Split(old, "\n"), strings.Split(new, "\n"))
}

// ratio counts how many of some checks succeed.
type ratio struct{ good, all int }

func (r *ratio) count(good bool) {
	r.all++
	if good {
		r.good++
	}
}

func (r ratio) String() string { return fmt.Sprintf("%d of %d", r.good, r.all) }
