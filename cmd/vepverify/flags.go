package main

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/urfave/cli/v2"
)

// Commands keep their flags' values in a struct of their own, to which the
// constructors below bind them. A word in `back quotes` in usage stands for the
// flag's value in the help.

func textFlag(into *string, name, usage string) cli.Flag {
	return &cli.StringFlag{Name: name, Usage: usage, Destination: into, Value: *into}
}

func switchFlag(into *bool, name, usage string) cli.Flag {
	return &cli.BoolFlag{Name: name, Usage: usage, Destination: into, DisableDefaultText: true}
}

// valueFlag is for values that are checked when they are read.
func valueFlag(into cli.Generic, name, usage string) cli.Flag {
	return &cli.GenericFlag{Name: name, Usage: usage, Value: into}
}

// short gives a flag a second name of one letter; an empty one takes it away.
func short(letter string, f cli.Flag) cli.Flag {
	var names []string
	if letter != "" {
		names = []string{letter}
	}
	switch f := f.(type) {
	case *cli.StringFlag:
		f.Aliases = names
	case *cli.BoolFlag:
		f.Aliases = names
	case *cli.GenericFlag:
		f.Aliases = names
	}
	return f
}

// setTo gives the value of a flag of one of these kinds, once flags are read.
func setTo(f cli.Flag) string {
	switch f := f.(type) {
	case *cli.StringFlag:
		return *f.Destination
	case *cli.BoolFlag:
		return strconv.FormatBool(*f.Destination)
	case *cli.GenericFlag:
		return f.Value.String()
	}
	return ""
}

func takesValue(f cli.Flag) bool {
	d, ok := f.(cli.DocGenerationFlag)
	return ok && d.TakesValue()
}

func repeatable(f cli.Flag) bool {
	g, ok := f.(*cli.GenericFlag)
	if !ok {
		return false
	}
	_, ok = g.Value.(*list)
	return ok
}

// list is the value of a flag that may be given several times; a value is
// taken as it is, commas and all.
type list []string

// Set implements cli.Generic.
func (l *list) Set(s string) error {
	*l = append(*l, s)
	return nil
}

// String implements cli.Generic.
func (l *list) String() string { return strings.Join(*l, " ") }

// instant is a point in time; until it is set, that at which it is asked for.
type instant struct{ at *time.Time }

// Set implements cli.Generic.
func (i *instant) Set(s string) error {
	if at, err := time.Parse(time.RFC3339, s); err == nil {
		i.at = &at
		return nil
	}
	const limit = 1 << 53 // the largest time of the protocol
	ms, err := strconv.ParseInt(s, 10, 64)
	if err != nil || ms < 0 || ms > limit {
		return errors.New("want a time such as 2026-01-31T12:00:00Z, or milliseconds since 1970")
	}
	at := time.UnixMilli(ms)
	i.at = &at
	return nil
}

// String implements cli.Generic.
func (i *instant) String() string {
	if i.at == nil {
		return ""
	}
	return i.at.Format(time.RFC3339)
}

// clock gives the time set, and otherwise the clock given.
func (i *instant) clock(otherwise func() time.Time) func() time.Time {
	if i.at == nil {
		return otherwise
	}
	return func() time.Time { return *i.at }
}

// span is a length of time that is not negative.
type span time.Duration

// Set implements cli.Generic.
func (s *span) Set(text string) error {
	d, err := time.ParseDuration(text)
	if err != nil || d < 0 {
		return errors.New("want a length of time such as 30s, 5m or 24h")
	}
	*s = span(d)
	return nil
}

// String implements cli.Generic.
func (s *span) String() string {
	if d := time.Duration(*s); d%time.Hour == 0 && d > 0 {
		return fmt.Sprintf("%dh", d/time.Hour)
	}
	return time.Duration(*s).String()
}

// count is a whole number within bounds.
type count struct{ value, low, high int }

// Set implements cli.Generic.
func (c *count) Set(s string) error {
	n, err := strconv.Atoi(s)
	if err != nil || n < c.low || n > c.high {
		return fmt.Errorf("want a whole number from %d to %d", c.low, c.high)
	}
	c.value = n
	return nil
}

// String implements cli.Generic.
func (c *count) String() string { return strconv.Itoa(c.value) }

// badValue rewords what the flag parser says of a value that it cannot read. It
// names the variable if that is where the value stands, and leaves the value out
// if it may hold a secret.
func (p *process) badValue(c *cli.Context, err error, _ bool) error {
	text := err.Error()
	for _, f := range c.Command.Flags {
		name := f.Names()[0]
		for _, form := range []struct{ before, after, cause string }{
			{"invalid value ", " for flag -" + name + ": ", ""},
			{"invalid boolean value ", " for -" + name + ": parse error", "want true or false"},
		} {
			i := strings.LastIndex(text, form.after)
			if i < 0 || !strings.HasPrefix(text, form.before) {
				continue
			}
			value, cause := text[len(form.before):i], form.cause
			if cause == "" {
				cause = text[i+len(form.after):]
			}
			return usageError(c, "%s", p.badFlagValue(name, value, cause))
		}
	}
	return usageError(c, "%s", text)
}

// badFlagValue says what is wrong with a flag's value, which is quoted.
func (p *process) badFlagValue(name, quoted, cause string) string {
	where := "--" + name
	if p.fromEnv[name] {
		where = variable(name)
	}
	value, err := strconv.Unquote(quoted)
	if err != nil || slices.Contains(secretFlags, name) || mayHoldSecret(value) {
		return "invalid value for " + where + ": " + cause
	}
	return "invalid value " + quoted + " for " + where + ": " + cause
}
