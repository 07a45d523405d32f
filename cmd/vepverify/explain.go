package main

import (
	"fmt"
	"io"
	"time"

	"github.com/vepverify/vepverify/assertion"
	"github.com/vepverify/vepverify/cmd/vepverify/internal/cli"
)

// Escape sequences for terminals with color.
const (
	red   = "\x1b[31m"
	green = "\x1b[32m"
	faint = "\x1b[2m"
	reset = "\x1b[0m"
)

// marks are the signs of outcomes.
var marks = map[assertion.Outcome]struct{ sign, ascii, color string }{
	assertion.StepPassed:  {"✓", "ok  ", green},
	assertion.StepFailed:  {"✗", "FAIL", red},
	assertion.StepSkipped: {"–", "-   ", faint},
}

// explainer writes explanations for people.
type explainer struct {
	to    io.Writer
	color bool
	ascii bool
	*adviser
}

// printExplanation prints the result of each check on standard error. The summary is the line with
// the result of all, or "" if there is none.
func printExplanation(c *cli.Call, steps []assertion.StepReport, failed bool, summary string, a *adviser) {
	x := &explainer{to: c.Err, color: c.WantsColor(), ascii: c.ASCIIOnly(), adviser: a}
	reached := true
	for _, s := range steps {
		x.step(s, reached)
		reached = reached && s.Outcome != assertion.StepFailed
	}
	outcome := assertion.StepPassed
	if failed {
		outcome = assertion.StepFailed
	}
	if summary != "" {
		fmt.Fprintf(x.to, "%s %s\n", x.mark(outcome), summary)
	}
}

// step prints the result of one check. reached means that no earlier check failed.
func (x *explainer) step(s assertion.StepReport, reached bool) {
	switch {
	case s.Outcome != assertion.StepSkipped:
		fmt.Fprintf(x.to, "%s %s  %v\n", x.mark(s.Outcome), s.Name, rounded(s.Took))
	case reached:
		fmt.Fprintf(x.to, "%s %s: not checked here\n", x.mark(s.Outcome), s.Name)
	default:
		fmt.Fprintf(x.to, "%s %s: not reached\n", x.mark(s.Outcome), s.Name)
	}
	t := cli.Table{Indent: "      "}
	for _, f := range s.Facts {
		t.Row(f.Name, f.Value)
	}
	fmt.Fprint(x.to, t.String())
	if d := detailOf(s.Err); d != nil {
		fmt.Fprintf(x.to, "   => %s\n", cli.Printable(d.Reason))
		rows := cli.Table{Indent: "      "}
		x.addDetail(&rows, d)
		fmt.Fprint(x.to, rows.String())
	}
}

func (x *explainer) mark(o assertion.Outcome) string {
	m := marks[o]
	sign := m.sign
	if x.ascii {
		sign = m.ascii
	}
	if x.color {
		return m.color + sign + reset
	}
	return sign
}

// rounded returns a duration with three digits at most.
func rounded(d time.Duration) time.Duration {
	for unit := time.Microsecond; ; unit *= 10 {
		if d < 1000*unit {
			return d.Round(unit)
		}
	}
}
