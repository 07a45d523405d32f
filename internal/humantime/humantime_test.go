package humantime_test

import (
	"testing"
	"time"

	"github.com/vepverify/vepverify/internal/humantime"
)

const (
	second = int64(1000)
	minute = 60 * second
	hour   = 60 * minute
	day    = 24 * hour
)

func TestApproximate(t *testing.T) {
	for ms, want := range map[int64]string{
		0: "0 seconds", 1: "less than a second", 999: "less than a second", second: "1 second", 1999: "1 second", 119 * second: "119 seconds", 2 * minute: "2 minutes",
		47 * hour: "47 hours", 2 * day: "2 days", 27*day + 20*hour: "27 days", 729 * day: "729 days", 730 * day: "2 years", 1 << 53: "285616 years",
	} {
		if got := humantime.Approximate(ms); got != want {
			t.Errorf("%d ms are %q, want %q", ms, got, want)
		}
	}
}

func TestMillis(t *testing.T) {
	for ms, want := range map[int64]string{
		0: "0 seconds", 1: "0.001 seconds", 950: "0.95 seconds", second: "1 second", 30 * second: "30 seconds", 1500: "1.5 seconds", 59_999: "59.999 seconds", minute: "1 minute",
		10 * minute: "10 minutes", 10*minute + 30*second: "10 minutes 30 seconds", 90 * minute: "1 hour 30 minutes",
		27*day + 20*hour: "27 days", 2*day + hour: "2 days 1 hour", 3*365*day + 2*day: "3 years 2 days", 1 << 53: "285616 years",
	} {
		if got := humantime.Millis(ms); got != want {
			t.Errorf("%d ms are %q, want %q", ms, got, want)
		}
	}
	if got := humantime.Duration(5 * time.Minute); got != "5 minutes" {
		t.Errorf("5 minutes are %q", got)
	}
}

func TestAt(t *testing.T) {
	at := time.Date(2026, 1, 1, 0, 2, 0, 0, time.FixedZone("", 3600))
	for now, want := range map[time.Time]string{
		at:                              "2025-12-31 23:02:00 UTC (in 0 seconds)",
		at.Add(668 * time.Hour):         "2025-12-31 23:02:00 UTC (27 days ago)",
		at.Add(-2 * time.Minute):        "2025-12-31 23:02:00 UTC (in 2 minutes)",
		at.AddDate(2000, 0, 0):          "2025-12-31 23:02:00 UTC (2001 years ago)",
		at.Add(1500 * time.Millisecond): "2025-12-31 23:02:00 UTC (1 second ago)",
	} {
		if got := humantime.At(at, now); got != want {
			t.Errorf("seen at %v: %q, want %q", now, got, want)
		}
	}
}
