package evp

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/vepverify/vepverify/assertion"
	"github.com/vepverify/vepverify/evp/internal/jose"
	"github.com/vepverify/vepverify/internal/humantime"
)

// Explanation is a report about a verification.
type Explanation struct {
	// Steps are all steps, in their order. Those after a failed step are skipped. The
	// one-use guard is always skipped, so that Explain has no effect.
	Steps []assertion.StepReport
	// Result and Err are what Verify returns without a one-use guard.
	Result *Result
	Err    error
}

// Explain verifies a token by the same steps as Verify, which has the same arguments, and
// reports each step. It does not ask the one-use guard. Facts may contain domains and
// origins, but no email address, no nonce and no token.
func (v *Verifier) Explain(ctx context.Context, token string, expected Expected) *Explanation {
	run, err := v.begin(ctx, token, expected)
	if err != nil {
		return &Explanation{Err: err}
	}
	defer run.end()
	e := &Explanation{}
	for _, s := range steps {
		report := assertion.StepReport{Name: s.name, Outcome: assertion.StepSkipped}
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
func (s step) explain(v *verification) assertion.StepReport {
	start := time.Now()
	err := s.check(v)
	report := assertion.StepReport{Name: s.name, Outcome: assertion.StepPassed, Took: time.Since(start), Err: err}
	if s.describe != nil {
		report.Facts = s.describe(v)
	}
	if err != nil {
		report.Outcome = assertion.StepFailed
	}
	return report
}

func (v *verification) describeForm() []assertion.Fact {
	return []assertion.Fact{
		{Name: "size", Value: fmt.Sprintf("%d bytes", len(v.text))},
		{Name: "parts", Value: fmt.Sprint(strings.Count(v.text, "~") + 1)},
	}
}

func (v *verification) describeHeaders() (facts []assertion.Fact) {
	for _, half := range []struct {
		name  string
		token *jose.Token
	}{{nameEVT, &v.evt}, {nameKB, &v.kb}} {
		kid := "none"
		if half.token.HasKid {
			kid = fmt.Sprintf("%.64q", half.token.Kid)
		}
		facts = append(facts, assertion.Fact{
			Name: half.name, Value: fmt.Sprintf("typ %.16q, alg %.16q, kid %s", half.token.Typ, half.token.Alg, kid),
		})
	}
	return append(facts, assertion.Fact{Name: "profile", Value: v.config.Profile.String()})
}

func (v *verification) describeIssuerClaims() (facts []assertion.Fact) {
	if v.issuer != "" {
		facts = append(facts, assertion.Fact{Name: "issuer", Value: v.issuer})
	}
	if v.email != "" {
		facts = append(facts, assertion.Fact{Name: "email domain", Value: v.domain})
	}
	if v.private {
		facts = append(facts, assertion.Fact{Name: "private address", Value: "yes"})
	}
	if v.holder != nil {
		facts = append(facts, assertion.Fact{Name: "browser's key", Value: describeKey(v.holder)})
	}
	return facts
}

func (v *verification) describeBinding() []assertion.Fact {
	aud, _ := text(v.kb.Claims, "aud")
	return []assertion.Fact{
		{Name: "signed", Value: fmt.Sprintf("%.200q", aud)},
		{Name: "accepted", Value: v.acceptedOrigins()},
	}
}

func (v *verification) describeTimes() []assertion.Fact {
	facts := []assertion.Fact{
		{Name: "now", Value: humantime.UTC(v.now)},
		{Name: nameEVT, Value: v.formatTimes(v.evtTimes)},
	}
	if v.kbTimes.read { // those of the issuer's half were read before
		facts = append(facts, assertion.Fact{Name: nameKB, Value: v.formatTimes(v.kbTimes)})
	}
	return facts
}

func (v *verification) formatTimes(t times) string {
	s := "issued " + v.at(t.iat)
	if t.hasNbf {
		s += ", not before " + v.at(t.nbf)
	}
	if t.hasExp {
		s += ", expires " + v.at(t.exp)
	}
	return s
}

func (v *verification) describeSubmitted() []assertion.Fact {
	switch v.expected.Email {
	case "":
		return []assertion.Fact{{Name: "submitted", Value: "not known"}}
	case v.email:
		return []assertion.Fact{{Name: "submitted", Value: "the same"}}
	}
	return []assertion.Fact{{Name: "submitted", Value: "written differently"}}
}

func (v *verification) describeHolder() []assertion.Fact {
	return []assertion.Fact{{Name: "key", Value: "the one in cnf, " + describeKey(v.holder)}}
}

func (v *verification) describeDomain() []assertion.Fact {
	return []assertion.Fact{{Name: "email domain", Value: v.domain}, {Name: "issuer", Value: v.issuer}}
}

func (v *verification) describeKeys() []assertion.Fact {
	facts := []assertion.Fact{{Name: "issuer", Value: v.issuer}}
	if v.keys == nil {
		return facts
	}
	for _, k := range v.keys.Keys {
		facts = append(facts, assertion.Fact{Name: "key published", Value: fmt.Sprintf("%s, kid %.64q", describeKey(k), k.Kid())})
	}
	if v.keys.Skipped > 0 {
		facts = append(facts, assertion.Fact{Name: "entries skipped", Value: fmt.Sprint(v.keys.Skipped)})
	}
	if !v.keys.Fetched.IsZero() { // keys from a file were not fetched
		facts = append(facts, assertion.Fact{Name: "keys fetched", Value: humantime.At(v.keys.Fetched, v.now)})
	}
	return facts
}

func (v *verification) describeChoice() []assertion.Fact {
	facts := []assertion.Fact{{Name: "keys tried", Value: fmt.Sprintf("%d of %d", len(v.choice.tried), len(v.keys.Keys))}}
	if v.refresh {
		facts = append(facts, assertion.Fact{Name: "keys", Value: "fetched again"})
	}
	return facts
}
