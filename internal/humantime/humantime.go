// Package humantime writes times and lengths of time for people: in errors, in
// explanations and in what the command prints. Answers in JSON have milliseconds.
package humantime

import (
	"fmt"
	"strconv"
	"time"
)

// units are the units in milliseconds, the longest first. Years have 365 days.
var units = []struct {
	name   string
	millis int64
}{
	{"year", 365 * 24 * 3600_000}, {"day", 24 * 3600_000}, {"hour", 3600_000}, {"minute", 60_000}, {"second", 1000},
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
// down: at least two of it, except of seconds.
func Approximate(ms int64) string {
	if 0 < ms && ms < 1000 {
		return "less than a second"
	}
	for _, u := range units[:len(units)-1] {
		if n := ms / u.millis; n >= 2 {
			return count(n, u.name)
		}
	}
	return count(ms/1000, "second")
}

// Millis returns a number of milliseconds in its two longest units, rounded down, such as
// "10 minutes 30 seconds". A number of years or days above 9 is alone. Below a minute it
// has fractions of a second.
func Millis(ms int64) string {
	for i, u := range units[:len(units)-1] {
		n := ms / u.millis
		if n == 0 {
			continue
		}
		text, next := count(n, u.name), units[i+1]
		if rest := ms % u.millis / next.millis; rest > 0 && (n < 10 || i > 1) {
			text += " " + count(rest, next.name)
		}
		return text
	}
	if ms%1000 == 0 {
		return count(ms/1000, "second")
	}
	return strconv.FormatFloat(float64(ms)/1000, 'f', -1, 64) + " seconds"
}

// Duration returns a length of time that is not negative, as Millis does.
func Duration(d time.Duration) string { return Millis(d.Milliseconds()) }

// count returns a number with a unit.
func count(n int64, unit string) string {
	if n == 1 {
		return "1 " + unit
	}
	return fmt.Sprintf("%d %ss", n, unit)
}
