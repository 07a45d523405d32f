package cli

import (
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/vepverify/vepverify/internal/humantime"
)

// Instant is a point in time. Until it is set, it is the current time.
type Instant struct{ at *time.Time }

// Set implements flag.Value. It accepts a date, a time and a zone in the forms that have
// one meaning, and milliseconds since 1970 if they cannot be seconds.
func (i *Instant) Set(s string) error {
	at, err := parseInstant(s)
	if err != nil {
		return err
	}
	i.at = &at
	return nil
}

// String implements flag.Value.
func (i *Instant) String() string {
	if i.at == nil {
		return ""
	}
	return i.at.Format(time.RFC3339)
}

// Clock returns a clock that always returns i, or now if i is not set.
func (i *Instant) Clock(now func() time.Time) func() time.Time {
	if i.at == nil {
		return now
	}
	return func() time.Time { return *i.at }
}

var errInstant = errors.New("want a time such as 2026-01-31T12:00:00Z, or milliseconds since 1970")

// The layouts of times. Those in localLayouts have no zone.
var (
	zonedLayouts = []string{time.RFC3339, "2006-01-02T15:04:05Z0700", "2006-01-02T15:04Z07:00", "2006-01-02T15:04Z0700"}
	localLayouts = []string{"2006-01-02T15:04:05", "2006-01-02T15:04"}
	spaceInTime  = regexp.MustCompile(`^(\d{4}-\d{2}-\d{2}) +(\d)`)
	zoneInTime   = regexp.MustCompile(` *(UTC|GMT|[+-]\d{2}:?\d{2})$`)
	number       = regexp.MustCompile(`^\d+(\.\d+)?$`)
)

// parseInstant parses a time of a flag. An error has a form that can be pasted, if the
// text has a meaning at all.
func parseInstant(s string) (time.Time, error) {
	text := strings.ToUpper(strings.TrimSpace(s))
	if number.MatchString(text) {
		return parseUnix(text)
	}
	if at, err := parseNamedMonth(strings.TrimSpace(s)); err == nil {
		return at, nil
	}
	text = spaceInTime.ReplaceAllString(text, "${1}T$2")
	text = zoneInTime.ReplaceAllString(text, "$1")
	text = strings.NewReplacer("UTC", "Z", "GMT", "Z").Replace(text)
	for _, layout := range zonedLayouts {
		at, err := time.Parse(layout, text)
		if err == nil {
			return at, nil
		}
		var bad *time.ParseError
		if errors.As(err, &bad) && strings.HasSuffix(bad.Message, "out of range") {
			return at, fmt.Errorf("the %s: %w", strings.TrimPrefix(bad.Message, ": "), errInstant)
		}
	}
	return time.Time{}, incompleteInstant(text)
}

// parseNamedMonth parses a time as mail, HTTP and the command date write it, in UTC or with
// an offset. The names of other zones have several meanings.
func parseNamedMonth(text string) (time.Time, error) {
	if strings.Contains(text, "GMT") || strings.Contains(text, "UTC") {
		if at, err := time.Parse(time.UnixDate, text); err == nil {
			return at, nil
		}
		return time.Parse(time.RFC1123, text)
	}
	return time.Parse(time.RFC1123Z, text)
}

// incompleteInstant returns the error for a time that could not be parsed. Its zone or the
// time of the day may be missing.
func incompleteInstant(text string) error {
	for _, layout := range localLayouts {
		if at, err := time.Parse(layout, text); err == nil {
			at := at.Format("2006-01-02T15:04:05.999")
			return fmt.Errorf("the time zone is missing: give %sZ for UTC, or an offset such as %[1]s+01:00", at)
		}
	}
	if day, err := time.Parse(time.DateOnly, text); err == nil {
		return fmt.Errorf("the time of the day is missing: give %s, or another time of that day", day.Format(time.RFC3339))
	}
	return errInstant
}

// Limits of milliseconds since 1970. A smaller number may be seconds, a larger one
// microseconds or nanoseconds.
const (
	minMillis = 100_000_000_000     // 1973; in seconds, the year 5138
	maxMillis = 100_000_000_000_000 // the year 5138; in microseconds, 1973
)

// parseUnix parses a number of milliseconds since 1970. It refuses a number that is more
// probably in another unit, and shows what it would mean in both.
func parseUnix(text string) (time.Time, error) {
	whole, fraction, _ := strings.Cut(text, ".")
	n, err := strconv.ParseInt(whole, 10, 64)
	if err != nil {
		return time.Time{}, errInstant
	}
	form := func(at time.Time) string { return at.UTC().Format("2006-01-02T15:04:05.999Z07:00") }
	switch {
	case n < minMillis && fraction != "":
		part, _ := time.ParseDuration("0." + fraction + "s")
		return time.Time{}, fmt.Errorf("milliseconds since 1970 are a whole number; as seconds: %s", form(time.Unix(n, int64(part))))
	case n < minMillis:
		return time.Time{}, fmt.Errorf("seconds or milliseconds? give one of these; as seconds: %s; as milliseconds: %s", form(time.Unix(n, 0)), form(time.UnixMilli(n)))
	case fraction != "":
		return time.Time{}, errInstant
	case n >= maxMillis*1000:
		return time.Time{}, fmt.Errorf("too large for milliseconds since 1970; as nanoseconds: %s", form(time.Unix(0, n)))
	case n >= maxMillis:
		return time.Time{}, fmt.Errorf("too large for milliseconds since 1970; as microseconds: %s", form(time.UnixMicro(n)))
	}
	return time.UnixMilli(n), nil
}

// Span is a length of time that is not negative.
type Span time.Duration

// Set implements flag.Value.
func (s *Span) Set(text string) error {
	d, err := ParseSpan(text)
	if err != nil {
		return err
	}
	*s = Span(d)
	return nil
}

// String implements flag.Value.
func (s *Span) String() string { return FormatSpan(time.Duration(*s)) }

// FormatSpan returns the shortest form of a length of time that a flag accepts, such as
// 5m for 5m0s.
func FormatSpan(d time.Duration) string {
	text := d.String()
	if rest, ok := strings.CutSuffix(text, "m0s"); ok {
		text = rest + "m"
	}
	if rest, ok := strings.CutSuffix(text, "h0m"); ok {
		text = rest + "h"
	}
	return text
}

var (
	errSpan     = errors.New("want a length of time such as 30s, 5m or 24h")
	errLongSpan = errors.New("a length of time of more than 292 years")
)

// spanUnits are the units that [time.ParseDuration] does not have, in those that it has.
var spanUnits = map[string]time.Duration{
	"sec": time.Second, "second": time.Second, "min": time.Minute, "minute": time.Minute,
	"hr": time.Hour, "hour": time.Hour, "d": 24 * time.Hour, "day": 24 * time.Hour, "week": 7 * 24 * time.Hour,
}

var (
	wordedSpan  = regexp.MustCompile(`^(\d{1,6}) ?([a-z]+)$`)
	plainSpan   = regexp.MustCompile(`^(\d+(\.\d+)?(ns|us|µs|ms|s|m|h) ?)+$`)
	splitNumber = regexp.MustCompile(`[\d.] +[\d.]`)
)

// ParseSpan parses a length of time: that of [time.ParseDuration], and a whole number of
// one unit in words, such as "2 days". A number without a unit is refused, with the forms
// that can be pasted.
func ParseSpan(text string) (time.Duration, error) {
	text = strings.TrimSpace(text)
	d, err := time.ParseDuration(strings.ReplaceAll(text, " ", ""))
	if err == nil && d >= 0 && !splitNumber.MatchString(text) {
		return d, nil
	}
	if m := wordedSpan.FindStringSubmatch(text); m != nil {
		unit := spanUnits[strings.TrimSuffix(m[2], "s")]
		n, _ := strconv.Atoi(m[1]) // at most six digits
		if unit != 0 {
			return time.Duration(n) * unit, nil
		}
	}
	if number.MatchString(text) {
		return 0, unitMissing(text)
	}
	if err != nil && plainSpan.MatchString(text) {
		return 0, errLongSpan
	}
	if lower := strings.ToLower(text); lower != text {
		if _, err := ParseSpan(lower); err == nil {
			return 0, fmt.Errorf("units are in lower case: %s", lower)
		}
	}
	return 0, errSpan
}

// unitMissing returns the error for a number without a unit.
func unitMissing(number string) error {
	var forms []string
	for _, unit := range []string{"s", "m", "h"} {
		if d, err := time.ParseDuration(number + unit); err == nil {
			forms = append(forms, fmt.Sprintf("%s%s (%s)", number, unit, humantime.Duration(d)))
		}
	}
	if forms == nil {
		return errLongSpan
	}
	return errors.New("the unit is missing: give " + strings.Join(forms, ", "))
}
