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

// tally counts outcomes.
type tally struct {
	mu        sync.Mutex
	okay      int64
	undecided int64
	failures  map[string]int64 // by class of reason
	firstBad  int64            // the number of the first bad line, 0: none
}

// badLines is the class of lines that cannot be verified.
const badLines = "bad line"

// count counts the outcome of a line.
func (t *tally) count(line int64, err error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	switch {
	case err == nil:
		t.okay++
		return
	case errors.Is(err, assertion.ErrUndecided):
		t.undecided++
		return
	}
	class := classOf(err)
	if t.failures == nil {
		t.failures = make(map[string]int64)
	}
	t.failures[class]++
	if class == badLines && (t.firstBad == 0 || line < t.firstBad) {
		t.firstBad = line
	}
}

// classOf names the class of a failure's reason; there are few.
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

// summary tells a person what came out.
func (t *tally) summary(took time.Duration) string {
	t.mu.Lock()
	defer t.mu.Unlock()
	failed := int64(0)
	for _, n := range t.failures {
		failed += n
	}
	lines := t.okay + failed + t.undecided
	var b strings.Builder
	fmt.Fprintf(&b, "%s: %s in %s, %s\n", cli.Program, plural(lines, "line"), took.Round(time.Millisecond), rate(lines, took))
	rows := cli.Table{Indent: "  "}
	rows.Row("okay", fmt.Sprint(t.okay))
	rows.Row("failure", fmt.Sprint(failed))
	for _, class := range t.classes() {
		rows.Row("  "+class, fmt.Sprint(t.failures[class])+t.note(class))
	}
	rows.Row("undecided", fmt.Sprint(t.undecided))
	return b.String() + rows.String()
}

// classes gives the classes of failures, the most frequent first.
func (t *tally) classes() []string {
	return slices.SortedFunc(maps.Keys(t.failures), func(a, b string) int {
		return cmp.Or(cmp.Compare(t.failures[b], t.failures[a]), cmp.Compare(a, b))
	})
}

func (t *tally) note(class string) string {
	if class != badLines {
		return ""
	}
	return fmt.Sprintf(" (the first is line %d)", t.firstBad)
}

// rate gives lines a second.
func rate(lines int64, took time.Duration) string {
	if took <= 0 {
		return "-/s"
	}
	return fmt.Sprintf("%.0f/s", float64(lines)/took.Seconds())
}

func plural(n int64, thing string) string {
	if n == 1 {
		return "1 " + thing
	}
	return fmt.Sprintf("%d %ss", n, thing)
}
