package cli_test

import (
	"strings"
	"testing"
	"time"

	"github.com/vepverify/vepverify/cmd/vepverify/internal/cli"
)

// TestInstant: a time that has one meaning is accepted.
func TestInstant(t *testing.T) {
	noon := time.Date(2026, 1, 31, 12, 0, 0, 0, time.UTC)
	for text, want := range map[string]time.Time{
		"2026-01-31T12:00:00Z": noon, "2026-01-31t12:00:00z": noon, "2026-01-31T13:00:00+01:00": noon, "2026-01-31T13:00:00+0100": noon,
		"2026-01-31 12:00:00Z": noon, "2026-01-31 12:00:00 UTC": noon, "2026-01-31T12:00Z": noon, " 2026-01-31T12:00:00Z ": noon,
		"Sat, 31 Jan 2026 12:00:00 GMT": noon, "Sat, 31 Jan 2026 13:00:00 +0100": noon, "Sat Jan 31 12:00:00 UTC 2026": noon,
		"2026-01-31 04:00:00 -08:00": noon, "2026-01-31T12:00:00 GMT": noon, "2026-01-31T12:00:00.5Z": noon.Add(time.Second / 2),
		"1769860800000": noon, "100000000000": time.UnixMilli(1e11), "99999999999999": time.UnixMilli(1e14 - 1),
	} {
		var i cli.Instant
		if err := i.Set(text); err != nil {
			t.Errorf("%q: %v", text, err)
		} else if got := i.Clock(time.Now)(); !got.Equal(want) {
			t.Errorf("%q is %v, want %v", text, got, want)
		}
	}
}

// TestAmbiguousInstant: the error for every other time has the forms that can be pasted.
func TestAmbiguousInstant(t *testing.T) {
	for text, forms := range map[string][]string{
		"1767225600":           {"as seconds: 2026-01-01T00:00:00Z;", "as milliseconds: 1970-01-21T10:53:45.6Z"},
		"0":                    {"as seconds: 1970-01-01T00:00:00Z;", "as milliseconds: 1970-01-01T00:00:00Z"},
		"99999999999":          {"as seconds: 5138-11-16T09:46:39Z;", "as milliseconds: 1973-03-03T09:46:39.999Z"},
		"1767225600.25":        {"as seconds: 2026-01-01T00:00:00.25Z"},
		"1767225600000000":     {"as microseconds: 2026-01-01T00:00:00Z"},
		"1767225600000000000":  {"as nanoseconds: 2026-01-01T00:00:00Z"},
		"2026-01-31":           {"the time of the day is missing: give 2026-01-31T00:00:00Z"},
		"2026-01-31T12:00:00":  {"the time zone is missing: give 2026-01-31T12:00:00Z for UTC", "2026-01-31T12:00:00+01:00"},
		"2026-01-31 12:00":     {"give 2026-01-31T12:00:00Z for UTC"},
		"2026-02-30T12:00:00Z": {"day out of range"}, "2026-01-31T25:00:00Z": {"hour out of range"},
		"yesterday": {"such as 2026-01-31T12:00:00Z"}, "": {"such as"}, "-1": {"such as"}, "31.01.2026": {"such as"},
		"99999999999999999999": {"such as"}, "2026-01-31T12:00:00 CET": {"such as"}, "Sat, 31 Jan 2026 12:00:00 CET": {"such as"}, "1e12": {"such as"},
	} {
		err := new(cli.Instant).Set(text)
		for _, form := range forms {
			if err == nil || !strings.Contains(err.Error(), form) {
				t.Errorf("%q: %v, want %q", text, err, form)
			}
		}
		if err == nil {
			continue
		}
		for _, word := range strings.Fields(strings.NewReplacer(";", "", ",", "").Replace(err.Error())) {
			if len(word) > 19 && word[4] == '-' && new(cli.Instant).Set(word) != nil {
				t.Errorf("%q: the advice %s is refused", text, word)
			}
		}
	}
}

func TestSpan(t *testing.T) {
	for text, want := range map[string]time.Duration{
		"30s": 30 * time.Second, "1h30m": 90 * time.Minute, "1h 30m": 90 * time.Minute, "0": 0, "0.5h": 30 * time.Minute, "100ms": 100 * time.Millisecond,
		"30d": 720 * time.Hour, "2 days": 48 * time.Hour, "10 minutes": 10 * time.Minute, "1min": time.Minute, "5 secs": 5 * time.Second, " 5m ": 5 * time.Minute,
	} {
		if got, err := cli.ParseSpan(text); err != nil || got != want {
			t.Errorf("%q is %v, %v, want %v", text, got, err, want)
		}
	}
	for text, form := range map[string]string{
		"600": "the unit is missing: give 600s (10 minutes), 600m (10 hours), 600h (25 days)",
		"2.5": "give 2.5s (2.5 seconds), 2.5m (2 minutes 30 seconds), 2.5h",
		"10M": "units are in lower case: 10m", "24H": "24h", "5 Minutes": "5 minutes",
		"": "such as 30s", "-5s": "such as 30s", "soon": "such as 30s", "1 0s": "such as 30s", "PT10M": "such as 30s", "10 parsecs": "such as 30s",
		"99999999999": "more than 292 years", "3000000h": "more than 292 years", "1 month": "such as 30s",
	} {
		if d, err := cli.ParseSpan(text); err == nil || !strings.Contains(err.Error(), form) {
			t.Errorf("%q: %v, %v, want %q", text, d, err, form)
		}
	}
}

// TestFormatSpan: what the help and errors show is accepted.
func TestFormatSpan(t *testing.T) {
	for d, want := range map[time.Duration]string{
		0: "0s", time.Second: "1s", 5 * time.Minute: "5m", 90 * time.Minute: "1h30m", 24 * time.Hour: "24h", 61 * time.Second: "1m1s", time.Hour + time.Second: "1h0m1s",
		10 * time.Minute: "10m", 20 * time.Hour: "20h", 200 * time.Millisecond: "200ms",
	} {
		got := cli.FormatSpan(d)
		if again, err := cli.ParseSpan(got); got != want || err != nil || again != d {
			t.Errorf("%v is %s, read as %v (%v), want %s", d, got, again, err, want)
		}
	}
}
