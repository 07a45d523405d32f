package assertion

import (
	"context"
	"time"
)

// Outcome is what became of a step.
type Outcome string

// The outcomes of a step.
const (
	StepPassed  Outcome = "passed"
	StepFailed  Outcome = "failed"
	StepSkipped Outcome = "skipped"
)

// StepReport tells what one check did.
type StepReport struct {
	Name    string
	Outcome Outcome
	Facts   []Fact        // what it looked at
	Took    time.Duration // including look-ups
	Err     error         // why it failed, an *Error; nil if it did not
}

// Fact is something that a step looked at.
type Fact struct{ Name, Value string }

// Explanation is a verification told step by step.
type Explanation struct {
	// Steps are all the checks in their order. Those behind a failed one are
	// skipped, as is always the one-use guard: explaining uses nothing up.
	Steps []StepReport
	// Result and Err are what Verify gives, one-use guard aside.
	Result *Result
	Err    error
}

// Explain verifies as Verify does, by the same steps, and tells about each. It
// takes the same arguments and never consumes one-use state. Facts may hold
// domains and audiences, but no email address and no token.
func (v *Verifier) Explain(ctx context.Context, a string, audiences ...string) *Explanation {
	r, err := v.begin(ctx, a, audiences)
	if err != nil {
		return &Explanation{Err: err}
	}
	e := &Explanation{}
	for _, s := range steps {
		report := StepReport{Name: s.name, Outcome: StepSkipped}
		if e.Err == nil && s.name != consuming {
			e.Err = s.explain(r, &report)
		}
		e.Steps = append(e.Steps, report)
	}
	if e.Err == nil {
		e.Result = r.result()
	}
	return e
}

// explain runs the step. The time it takes is measured by the system's clock,
// whatever the verifier's says: no verdict hangs on it.
func (s step) explain(r *run, report *StepReport) error {
	start := time.Now()
	err := s.check(r)
	report.Took = time.Since(start)
	report.Outcome = StepPassed
	report.Facts = s.describe(r)
	if err != nil {
		report.Outcome = StepFailed
		report.Err = err
	}
	return err
}
