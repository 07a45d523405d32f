// Package explained shows the contents of a token and the steps of a verification on the
// pages of the demos. [Templates] adds the templates
//
//	{{template "claims" …}}    a list of [Claim]
//	{{template "checks" …}}    a list of [Check]
//	{{template "attempts" …}}  a list of [Attempt]
//	{{template "text" …}}      the complete text of a token, with a button that copies it
//
// The button needs the script at /demo.js, of which [Script] is the text.
package explained

import (
	"embed"
	"errors"
	"html/template"
	"strings"
	"time"

	"github.com/vepverify/vepverify/assertion"
	"github.com/vepverify/vepverify/evp"
)

//go:embed web/explained.html
var web embed.FS

// Script is the script of the copy buttons.
//
//go:embed web/demo.js
var Script []byte

// Templates adds the templates of this package to t.
func Templates(t *template.Template) (*template.Template, error) {
	return t.ParseFS(web, "web/explained.html")
}

// Claim is a member of a token and its meaning.
type Claim struct{ Name, Value, Meaning string }

// Check is a step of a verification.
type Check struct {
	Name    string
	Outcome assertion.Outcome
	Note    string // why it was skipped
	Facts   []assertion.Fact
	Took    string
	Failure *Failure // nil if it has not failed
}

// Failure is why a step has failed.
type Failure struct{ Found, Expected, Advice string }

// Checks returns the steps of an explanation. Explain skips the guard against a second use;
// that was done at the sign-in.
func Checks(steps []assertion.StepReport) []Check {
	var checks []Check
	note := "done once, when you signed in"
	for _, s := range steps {
		c := Check{Name: s.Name, Outcome: s.Outcome, Facts: s.Facts, Took: FormatDuration(s.Took), Failure: failureOf(s.Err)}
		switch s.Outcome {
		case assertion.StepFailed:
			note = "not reached"
		case assertion.StepSkipped:
			c.Note = note
		}
		checks = append(checks, c)
	}
	return checks
}

// failureOf returns what an error of either protocol tells.
func failureOf(err error) *Failure {
	if e, ok := errors.AsType[*assertion.Error](err); ok {
		return &Failure{e.Found, e.Expected, e.Advice}
	}
	if e, ok := errors.AsType[*evp.Error](err); ok {
		return &Failure{e.Found, e.Expected, e.Advice}
	}
	return nil
}

// Mark returns the outcome as one character.
func (c Check) Mark() string {
	return map[assertion.Outcome]string{
		assertion.StepPassed: "✓", assertion.StepFailed: "✗", assertion.StepSkipped: "–",
	}[c.Outcome]
}

// Attempt is a misuse of a token, and its outcome.
type Attempt struct {
	What   string
	Name   string // of its checks
	Reason string // why it is refused; empty means that it is accepted
	Checks []Check
}

// NewAttempt returns an attempt whose outcome is err. The steps are nil if they are not known.
func NewAttempt(what, name string, err error, steps []assertion.StepReport) Attempt {
	a := Attempt{What: what, Name: name, Checks: Checks(steps)}
	if err != nil {
		a.Reason = err.Error()
	}
	return a
}

// Took returns the time that all steps took.
func Took(steps []assertion.StepReport) string {
	var took time.Duration
	for _, s := range steps {
		took += s.Took
	}
	return FormatDuration(took)
}

// FormatDuration formats a duration with a unit and at most three digits.
func FormatDuration(d time.Duration) string {
	if d < time.Microsecond {
		return "under 1 µs"
	}
	unit := time.Microsecond
	for d >= 1000*unit {
		unit *= 10
	}
	digits := strings.TrimRight(d.Round(unit).String(), "nµms")
	return digits + " " + strings.TrimPrefix(d.Round(unit).String(), digits)
}
