package main

import (
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/vepverify/vepverify/assertion"
	"github.com/vepverify/vepverify/cmd/vepverify/internal/cli"
)

// Escape sequences for those terminals that want color.
const (
	red   = "\x1b[31m"
	green = "\x1b[32m"
	faint = "\x1b[2m"
	reset = "\x1b[0m"
)

// marks are how outcomes look.
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
}

// printExplanation tells on standard error what each check found.
func printExplanation(c *cli.Call, e *assertion.Explanation) {
	x := &explainer{to: c.Err, color: c.WantsColor(), ascii: c.ASCIIOnly()}
	reached := true
	for _, s := range e.Steps {
		x.step(s, reached)
		reached = reached && s.Outcome != assertion.StepFailed
	}
	x.verdict(e)
}

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
	var fault *assertion.Error
	if errors.As(s.Err, &fault) {
		fmt.Fprintf(x.to, "   => %s\n", cli.Printable(fault.Reason))
		why := cli.Table{Indent: "      "}
		addFault(&why, fault)
		fmt.Fprint(x.to, why.String())
	}
}

func (x *explainer) verdict(e *assertion.Explanation) {
	outcome := assertion.StepPassed
	failed := assertion.Failure(e.Err)
	if e.Err != nil {
		outcome = assertion.StepFailed
	}
	if failed == nil && e.Err != nil { // misuse; said on the last line anyway
		return
	}
	fmt.Fprintf(x.to, "%s %s\n", x.mark(outcome), verdict(e.Result, failed))
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

// rounded gives a duration with three digits at most.
func rounded(d time.Duration) time.Duration {
	for unit := time.Microsecond; ; unit *= 10 {
		if d < 1000*unit {
			return d.Round(unit)
		}
	}
}
