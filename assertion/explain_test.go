package assertion_test

import (
	"context"
	"errors"
	"reflect"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/vepverify/vepverify/assertion"
)

// TestExplainEqualsVerify checks that Explain has the outcome of Verify, and that
// exactly the last step that was not skipped failed.
func TestExplainEqualsVerify(t *testing.T) {
	rows := reasons()
	rows["good"] = rows["empty"]
	good := rows["good"]
	good.a, good.want = spec{}.String(), nil
	rows["good"] = good
	for name, row := range rows {
		v := verifier(t, row.config)
		res, err := v.Verify(context.Background(), row.a, rp)
		e := v.Explain(context.Background(), row.a, rp)
		if (err == nil) != (e.Err == nil) || (err != nil && err.Error() != e.Err.Error()) || !errors.Is(e.Err, row.want) {
			t.Errorf("%s: verified %v, explained %v", name, err, e.Err)
		}
		if diff := cmp.Diff(res, e.Result); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
		checkSteps(t, name, e)
	}
}

func checkSteps(t *testing.T, name string, e *assertion.Explanation) {
	t.Helper()
	want := assertion.StepPassed
	for _, step := range e.Steps {
		switch {
		case step.Name == "one use":
			want = assertion.StepSkipped
		case step.Outcome == assertion.StepFailed && want == assertion.StepPassed && e.Err != nil:
			if step.Err == nil || step.Err.Error() != e.Err.Error() {
				t.Errorf("%s: step %q failed with %v, the whole with %v", name, step.Name, step.Err, e.Err)
			}
			want = assertion.StepSkipped
			continue
		}
		if step.Outcome != want {
			t.Errorf("%s: step %q %s, want %s", name, step.Name, step.Outcome, want)
		}
		if (len(step.Facts) > 0) != (want == assertion.StepPassed) {
			t.Errorf("%s: step %q (%s) has the facts %v", name, step.Name, step.Outcome, step.Facts)
		}
	}
	if want == assertion.StepPassed {
		t.Errorf("%s: no step failed, and none was skipped", name)
	}
}

// TestExplainIsComplete checks that an error tells what was found, what was expected
// and what to do.
func TestExplainIsComplete(t *testing.T) {
	for name, row := range reasons() {
		e := verifier(t, row.config).Explain(context.Background(), row.a, rp)
		var err *assertion.Error
		if !errors.As(e.Err, &err) {
			t.Fatalf("%s: %v", name, e.Err)
		}
		if err.Found == "" || err.Expected == "" || err.Advice == "" {
			t.Errorf("%s: found %q, expected %q, advice %q", name, err.Found, err.Expected, err.Advice)
		}
		checkAdvice(t, name, err)
	}
}

// checkAdvice checks that a setting is a field of Config, and that the advice names
// no flag of a command.
func checkAdvice(t *testing.T, name string, err error) {
	t.Helper()
	var e *assertion.Error
	if !errors.As(err, &e) {
		t.Errorf("%s: %v", name, err)
		return
	}
	if _, ok := reflect.TypeFor[assertion.Config]().FieldByName(e.Setting); e.Setting != "" && !ok {
		t.Errorf("%s: no setting %q", name, e.Setting)
	}
	if strings.Contains(e.Advice, "--") || strings.Contains(e.Advice, "vepverify") {
		t.Errorf("%s: advice for a command: %q", name, e.Advice)
	}
}
