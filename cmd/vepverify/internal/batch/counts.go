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
	failures  map[string]int64 // by class of reason
	firstBad  int64            // number of the first malformed line; 0 means none
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
	class := classOf(err)
	if n.failures == nil {
		n.failures = make(map[string]int64)
	}
	n.failures[class]++
	if class == badLines && (n.firstBad == 0 || line < n.firstBad) {
		n.firstBad = line
	}
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
	for _, number := range n.failures {
		failed += number
	}
	lines := n.okay + failed + n.undecided
	var b strings.Builder
	fmt.Fprintf(&b, "%s: %s in %s, %s\n", cli.Program, plural(lines, "line"), took.Round(time.Millisecond), rate(lines, took))
	rows := cli.Table{Indent: "  "}
	rows.Row("okay", fmt.Sprint(n.okay))
	rows.Row("failure", fmt.Sprint(failed))
	for _, class := range n.classes() {
		rows.Row("  "+class, fmt.Sprint(n.failures[class])+n.note(class))
	}
	rows.Row("undecided", fmt.Sprint(n.undecided))
	return b.String() + rows.String()
}

// classes returns the classes of failures, the most frequent first.
func (n *counts) classes() []string {
	return slices.SortedFunc(maps.Keys(n.failures), func(a, b string) int {
		return cmp.Or(cmp.Compare(n.failures[b], n.failures[a]), cmp.Compare(a, b))
	})
}

// note returns the number of the first malformed line for the class of these lines.
func (n *counts) note(class string) string {
	if class != badLines {
		return ""
	}
	return fmt.Sprintf(" (the first is line %d)", n.firstBad)
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
