package demo

import (
	"errors"

	"github.com/vepverify/vepverify/assertion"
)

// A check is a step of a verification, as pages show it.
type check struct {
	Name    string
	Outcome assertion.Outcome
	Note    string // why it was skipped
	Facts   []assertion.Fact
	Took    string
	Err     *assertion.Error
}

func checksOf(e *assertion.Explanation) []check {
	var checks []check
	note := "done once, when you signed in" // explaining uses nothing up
	for _, s := range e.Steps {
		c := check{Name: s.Name, Outcome: s.Outcome, Facts: s.Facts, Took: lapse(s.Took)}
		errors.As(s.Err, &c.Err)
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

// Sign is the outcome in one character, beside the word.
func (c check) Sign() string {
	return map[assertion.Outcome]string{
		assertion.StepPassed: "✓", assertion.StepFailed: "✗", assertion.StepSkipped: "–",
	}[c.Outcome]
}
