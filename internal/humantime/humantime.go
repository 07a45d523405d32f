// Package humantime writes times and lengths of time for people: in errors, in
// explanations and in what the command prints. Answers in JSON have milliseconds.
package humantime

import (
	"fmt"
	"time"
)

// units are the units in milliseconds, the longest first. Years have 365 days.
var units = []struct {
	name   string
	millis int64
}{
	{"year", 365 * 24 * 3600_000}, {"day", 24 * 3600_000}, {"hour", 3600_000}, {"minute", 60_000}, {"second", 1000}, {"ms", 1},
}

// UTC returns a time in UTC, such as "2026-01-01 00:02:00 UTC".
func UTC(t time.Time) string { return t.UTC().Format("2006-01-02 15:04:05 UTC") }

// At returns a time in UTC and its distance from now, such as "2026-01-01 00:02:00 UTC (27
// days ago)".
func At(t, now time.Time) string {
	return UTC(t) + " (" + Relative(t, now) + ")"
}

// Relative returns the distance of a time from now, such as "27 days ago" or "in 2 minutes".
func Relative(t, now time.Time) string {
	ms := t.UnixMilli() - now.UnixMilli()
	if ms < 0 {
		return Approximate(-ms) + " ago"
	}
	return "in " + Approximate(ms)
}

// Approximate returns a number of milliseconds as a whole number of one unit, rounded
// down: at least two of it, except of milliseconds and seconds.
func Approximate(ms int64) string {
	if ms == 0 {
		return "0 seconds"
	}
	for _, u := range units {
		n := ms / u.millis
		if n >= 2 || n == 1 && u.name == "second" || u.name == "ms" {
			return count(n, u.name)
		}
	}
	return ""
}

// Millis returns a number of milliseconds in its two longest units, rounded down, such as
// "10 minutes 30 seconds". A number of days above 9 is alone.
func Millis(ms int64) string {
	if ms == 0 {
		return "0 seconds"
	}
	for i, u := range units {
		n := ms / u.millis
		if n == 0 && u.name != "ms" {
			continue
		}
		text := count(n, u.name)
		if rest := ms % u.millis; i+1 < len(units) && (n < 10 || u.millis < units[1].millis) {
			if n := rest / units[i+1].millis; n > 0 {
				text += " " + count(n, units[i+1].name)
			}
		}
		return text
	}
	return ""
}

// Duration returns a length of time that is not negative, as Millis does.
func Duration(d time.Duration) string { return Millis(d.Milliseconds()) }

// count returns a number with a unit.
func count(n int64, unit string) string {
	if n == 1 || unit == "ms" {
		return fmt.Sprintf("%d %s", n, unit)
	}
	return fmt.Sprintf("%d %ss", n, unit)
}
