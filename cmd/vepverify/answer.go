package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/vepverify/vepverify/assertion"
)

// answer prints what became of a verification, and gives the exit status that
// goes with it.
func (v *verification) answer(res *assertion.Result, err error) error {
	if err == nil {
		if v.text {
			v.printResult(res)
			return nil
		}
		return v.printJSON(res)
	}
	failed := assertion.Failure(err)
	if failed == nil {
		return unprefixed{err}
	}
	if v.text {
		v.printFailure(failed, err)
	} else if err := v.printJSON(failed); err != nil {
		return err
	}
	if failed.Undecided {
		return exitUndecided
	}
	return exitFailure
}

// printJSON prints one line of JSON that is safe to see on a terminal.
func (p *process) printJSON(v any) error {
	data, err := json.Marshal(v)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintln(p.out, printable(string(data)))
	return err
}

// verdict is the answer in one sentence.
func verdict(res *assertion.Result, failed *assertion.FailureAnswer) string {
	switch {
	case failed == nil && res.Email == "":
		return printable("okay: holder of a certificate without email, at " + res.Audience)
	case failed == nil:
		return printable("okay: " + res.Email + " at " + res.Audience)
	case failed.Undecided:
		return printable("undecided: " + strings.TrimPrefix(failed.Reason, "undecided, "))
	}
	return printable("failure: " + failed.Reason)
}

func (v *verification) printResult(res *assertion.Result) {
	fmt.Fprintln(v.out, verdict(res, nil))
	now := v.checks.now.clock(v.process.now)()
	t := table{indent: "  "}
	t.row("issuer", res.Issuer)
	t.row("expires", sinceOrUntil(res.Expires, now))
	t.claims("issuer's claim", res.IDPClaims)
	t.claims("user's claim", res.UserClaims)
	fmt.Fprint(v.out, t.String())
}

func (v *verification) printFailure(failed *assertion.FailureAnswer, err error) {
	fmt.Fprintln(v.out, verdict(nil, failed))
	var why *assertion.Error
	if !errors.As(err, &why) {
		return
	}
	t := table{indent: "  "}
	t.fault(why)
	fmt.Fprint(v.out, t.String())
}

// table is a list of names and values, the values in one column.
type table struct {
	indent string
	rows   [][2]string
}

func (t *table) row(name, value string) { t.rows = append(t.rows, [2]string{name, value}) }

// claims adds a row for each claim, by name.
func (t *table) claims(label string, claims map[string]json.RawMessage) {
	for _, name := range slices.Sorted(maps.Keys(claims)) {
		t.row(label, shortened(name, 80)+" = "+shortened(string(claims[name]), 300))
	}
}

// flagOf names the flag that sets a field of assertion.Config.
var flagOf = map[string]string{
	"Fallback": "--fallback", "InsecureWeakKeys": "--insecure-weak-keys", "Keys": "--keys",
	"MaxChain": "--max-chain", "Now": "--now", "TrustedIssuers": "--trusted-issuer",
}

// advice returns the advice of err with the flag, or the command, that it is about.
func advice(err *assertion.Error) string {
	if flag := flagOf[err.Setting]; flag != "" {
		return err.Advice + " (" + flag + ")"
	}
	if err.Domain != "" && err.Setting == "" {
		return err.Advice + ": " + program + " lookup " + err.Domain
	}
	return err.Advice
}

// fault adds what a failed check found.
func (t *table) fault(err *assertion.Error) {
	for _, r := range [][2]string{{"found", err.Found}, {"expected", err.Expected}, {"what to do", advice(err)}} {
		if r[1] != "" {
			t.row(r[0], r[1])
		}
	}
}

// String gives the table in printable form.
func (t *table) String() string {
	width := 0
	for _, r := range t.rows {
		width = max(width, len(r[0]))
	}
	var b strings.Builder
	for _, r := range t.rows {
		fmt.Fprintf(&b, "%s%-*s  %s\n", t.indent, width, printable(r[0]), printable(r[1]))
	}
	return b.String()
}

// sinceOrUntil gives a time, and how far from now it is.
func sinceOrUntil(at, now time.Time) string {
	text := at.UTC().Format("2006-01-02 15:04:05 UTC")
	if d := at.Sub(now); d >= 0 {
		return text + " (in " + roughly(d) + ")"
	}
	return text + " (" + roughly(now.Sub(at)) + " ago)"
}

// roughly gives a length of time as people say it.
func roughly(d time.Duration) string {
	const day = 24 * time.Hour
	switch {
	case d >= 2*day:
		return fmt.Sprintf("%d days", d/day)
	case d >= 2*time.Hour:
		return fmt.Sprintf("%d hours", d/time.Hour)
	case d >= 2*time.Minute:
		return fmt.Sprintf("%d minutes", d/time.Minute)
	}
	return fmt.Sprintf("%d seconds", d/time.Second)
}
