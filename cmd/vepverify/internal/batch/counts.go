package batch

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/vepverify/vepverify/assertion"
	"github.com/vepverify/vepverify/cmd/vepverify/internal/cli"
)

// counts has the number of lines for each outcome. It is safe for concurrent use.
type counts struct {
	mu        sync.Mutex
	okay      int64
	undecided int64
	failures  map[string]*class // by class of reason
}

// class has the failures of one class.
type class struct {
	number int64
	first  int64  // number of the first line
	found  string // what the first line is, if it is malformed; else empty
}

// badLines is the class of malformed lines.
const badLines = "bad line"

// count counts the outcome of a line.
func (n *counts) count(line int64, err error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	switch {
	case err == nil:
		n.okay++
		return
	case errors.Is(err, assertion.ErrUndecided):
		n.undecided++
		return
	}
	name := classOf(err)
	if n.failures == nil {
		n.failures = make(map[string]*class)
	}
	if n.failures[name] == nil {
		n.failures[name] = &class{first: line, found: foundIn(err)}
	}
	c := n.failures[name]
	if c.number++; line < c.first {
		c.first, c.found = line, foundIn(err)
	}
}

// foundIn returns what a line without the form of an assertion is.
func foundIn(err error) string {
	var failed *assertion.Error
	if errors.As(err, &failed) && (failed.Kind == assertion.ErrMalformed || failed.Kind == assertion.ErrChain) {
		return failed.Found
	}
	return ""
}

// classOf returns the class of a failure. There are few classes.
func classOf(err error) string {
	var bad badLine
	var failed *assertion.Error
	switch {
	case errors.As(err, &bad):
		return badLines
	case errors.As(err, &failed):
		return failed.Kind.Error()
	}
	return "other"
}

// summary returns the counts for people.
func (n *counts) summary(took time.Duration) string {
	n.mu.Lock()
	defer n.mu.Unlock()
	failed := int64(0)
	for _, c := range n.failures {
		failed += c.number
	}
	lines := n.okay + failed + n.undecided
	var b strings.Builder
	fmt.Fprintf(&b, "%s: %s in %s, %s\n", cli.Program, plural(lines, "line"), took.Round(time.Millisecond), rate(lines, took))
	rows := cli.Table{Indent: "  "}
	rows.Row("okay", fmt.Sprint(n.okay))
	rows.Row("failure", fmt.Sprint(failed))
	for _, name := range n.classes() {
		rows.Row("  "+name, fmt.Sprint(n.failures[name].number)+n.note(name))
	}
	rows.Row("undecided", fmt.Sprint(n.undecided))
	return b.String() + rows.String()
}

// classes returns the classes of failures, the most frequent first.
func (n *counts) classes() []string {
	return slices.SortedFunc(maps.Keys(n.failures), func(a, b string) int {
		return cmp.Or(cmp.Compare(n.failures[b].number, n.failures[a].number), cmp.Compare(a, b))
	})
}

// note returns the number of the first line for the classes of malformed lines, and what
// that line is.
func (n *counts) note(name string) string {
	c := n.failures[name]
	switch {
	case c.found != "":
		return fmt.Sprintf(" (the first is line %d: %s)", c.first, c.found)
	case name == badLines:
		return fmt.Sprintf(" (the first is line %d)", c.first)
	}
	return ""
}

// rate returns the lines per second.
func rate(lines int64, took time.Duration) string {
	if took <= 0 {
		return "-/s"
	}
	return fmt.Sprintf("%.0f/s", float64(lines)/took.Seconds())
}

// plural returns a number with a noun.
func plural(n int64, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}
