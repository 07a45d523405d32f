package main

import (
	"bytes"
	"testing"
	"time"

	"github.com/vepverify/vepverify/assertion"
)

func TestMarks(t *testing.T) {
	step := assertion.StepReport{Name: "audience", Outcome: assertion.StepFailed}
	for _, test := range []struct {
		x    explainer
		want string
	}{
		{explainer{}, "✗ audience  0s\n"},
		{explainer{ascii: true}, "FAIL audience  0s\n"},
		{explainer{color: true}, "\x1b[31m✗\x1b[0m audience  0s\n"},
	} {
		var b bytes.Buffer
		test.x.to = &b
		test.x.step(step, true)
		if b.String() != test.want {
			t.Errorf("%+v: %q, want %q", test.x, b.String(), test.want)
		}
	}
}

func TestDurations(t *testing.T) {
	for d, want := range map[time.Duration]string{
		0: "0s", 1234 * time.Microsecond: "1.23ms", 999499: "999µs", 12345 * time.Millisecond: "12.3s", time.Hour: "1h0m0s",
	} {
		if got := rounded(d).String(); got != want {
			t.Errorf("%d ns are %s, want %s", d, got, want)
		}
	}
}
