package main

import (
	"bytes"
	"strings"
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
		{explainer{colour: true}, "\x1b[31m✗\x1b[0m audience  0s\n"},
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
	for d, want := range map[time.Duration]string{
		0: "0 seconds", 119 * time.Second: "119 seconds", 2 * time.Minute: "2 minutes", 47 * time.Hour: "47 hours", 480 * time.Hour: "20 days",
	} {
		if got := roughly(d); got != want {
			t.Errorf("%v is said as %q, want %q", d, got, want)
		}
	}
}

func TestPrintable(t *testing.T) {
	for s, want := range map[string]string{
		"Zoë 日本 🙂":           "Zoë 日本 🙂",
		"\x1b[2J\a\x7f\n":    `\u001b[2J\u0007\u007f\u000a`,
		"\u009b\u202e\u2028": `\u009b\u202e\u2028`,
		"\U000e0001":         `\udb40\udc01`,
	} {
		if got := printable(s); got != want {
			t.Errorf("%q becomes %q, want %q", s, got, want)
		}
	}
	if got := shortened(strings.Repeat("é", 10), 5); got != "éé…" {
		t.Errorf("shortened to %q", got)
	}
}
