package assertion

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/vepverify/vepverify/certchain"
	"github.com/vepverify/vepverify/internal/humantime"
)

// Outcome is the outcome of a step.
type Outcome string

// The outcomes of a step.
const (
	StepPassed  Outcome = "passed"
	StepFailed  Outcome = "failed"
	StepSkipped Outcome = "skipped"
)

// StepReport is a report about one step of a verification.
type StepReport struct {
	Name    string
	Outcome Outcome
	Facts   []Fact        // what the step looked at; nil if it was skipped
	Took    time.Duration // includes lookups
	Err     error         // an *Error if the step failed, else nil
}

// Fact is something that a step looked at.
type Fact struct{ Name, Value string }

// Explanation is a report about a verification.
type Explanation struct {
	// Steps are all steps, in their order. Those after a failed step are skipped.
	// The one-use guard is always skipped, so that Explain has no effect.
	Steps []StepReport
	// Result and Err are what Verify returns without a one-use guard.
	Result *Result
	Err    error
}

// Explain verifies an assertion by the same steps as Verify, which has the same
// arguments, and reports each step. It does not ask the one-use guard. Facts may
// contain domains and audiences, but no email address and no token.
func (v *Verifier) Explain(ctx context.Context, a string, audiences ...string) *Explanation {
	run, err := v.begin(ctx, a, audiences)
	if err != nil {
		return &Explanation{Err: err}
	}
	defer run.end()
	e := &Explanation{}
	for _, s := range steps {
		report := StepReport{Name: s.name, Outcome: StepSkipped}
		if e.Err == nil && s.name != oneUseStep {
			report = s.explain(run)
			e.Err = report.Err
		}
		e.Steps = append(e.Steps, report)
	}
	if e.Err == nil {
		e.Result = run.result()
	}
	return e
}

// explain runs the step. It measures the time with the system's clock, because the
// verifier's may be fixed; no outcome depends on it.
func (s step) explain(v *verification) StepReport {
	start := time.Now()
	err := s.check(v)
	report := StepReport{Name: s.name, Outcome: StepPassed, Took: time.Since(start), Facts: s.describe(v), Err: err}
	if err != nil {
		report.Outcome = StepFailed
	}
	return report
}

func (v *verification) describeShape() []Fact {
	return []Fact{
		{"size", fmt.Sprintf("%d bytes", len(v.text))},
		{"certificates", fmt.Sprint(strings.Count(v.text, "~"))},
	}
}

func (v *verification) describeForm() (facts []Fact) {
	for i, c := range v.chain {
		facts = append(facts, Fact{v.certificateName(i), fmt.Sprintf("issued by %s, alg %.16q", c.Issuer, c.Algorithm)})
	}
	if v.assertion != nil {
		facts = append(facts, Fact{"assertion", fmt.Sprintf("alg %.16q", v.assertion.Algorithm)})
	}
	return facts
}

func (v *verification) describeKeys() (facts []Fact) {
	for _, key := range v.certified {
		facts = append(facts, Fact{"certified key", key.Algorithm()})
	}
	return facts
}

func (v *verification) describeAudience() []Fact {
	return []Fact{
		{"signed", fmt.Sprintf("%.200q", v.audience)},
		{"accepted", fmt.Sprintf("%.200q", v.audiences)},
	}
}

func (v *verification) describeTimes() (facts []Fact) {
	facts = append(facts, Fact{"now", humantime.UTC(v.now)})
	for i, c := range v.chain {
		facts = append(facts, Fact{v.certificateName(i), formatValidity(c.Validity, v.now)})
	}
	return append(facts, Fact{"assertion", formatValidity(v.assertion.Validity, v.now)})
}

func (v *verification) describePrincipal() []Fact {
	if v.email == "" {
		return []Fact{{"email", "none"}}
	}
	return []Fact{{"email domain", v.emailDomain}}
}

func (v *verification) describeSignature() []Fact {
	return []Fact{{"key", "the certified one, " + describeKey(v.userKey())}}
}

func (v *verification) describeAuthority() []Fact {
	facts := []Fact{{"issuer", v.issuer()}}
	if v.trusted[v.issuer()] {
		facts = append(facts, Fact{"trusted", "by configuration"})
	}
	a := v.authority
	if a == nil {
		return facts
	}
	if v.primaryErr != nil {
		facts = append(facts, Fact{"email domain", v.primaryErr.Error()})
	}
	facts = append(facts, Fact{"authority", a.Domain})
	if len(a.Delegations) > 0 {
		facts = append(facts, Fact{"delegated by", strings.Join(a.Delegations, ", ")})
	}
	for _, key := range a.Keys {
		facts = append(facts, Fact{"key published", describeKey(key)})
	}
	for _, key := range a.WeakKeys {
		facts = append(facts, Fact{"key published", describeKey(key) + " (weak)"})
	}
	for _, skipped := range a.SkippedKeys {
		facts = append(facts, Fact{"key skipped", skipped.String()})
	}
	if len(a.Keys)+len(a.WeakKeys) == 0 {
		facts = append(facts, Fact{"keys published", "none that is usable"})
	}
	if !a.Fetched.IsZero() { // a document from a file was not fetched
		facts = append(facts, Fact{"document fetched", v.fetched()})
	}
	return facts
}

func (v *verification) describeCertificates() []Fact {
	return []Fact{{"keys of", v.authority.Domain}}
}

// formatValidity returns the times of a token, as seen from now.
func formatValidity(v certchain.Validity, now time.Time) string {
	var s string
	if !v.IssuedAt.IsZero() {
		s += "issued " + humantime.At(v.IssuedAt, now) + ", "
	}
	if !v.NotBefore.IsZero() {
		s += "not before " + humantime.At(v.NotBefore, now) + ", "
	}
	return s + "expires " + humantime.At(v.Expires, now)
}
