package cli

import (
	"fmt"
	"iter"
	"strconv"
	"strings"

	"github.com/urfave/cli/v2"
)

// Flag is a flag of a [Command]: the result of [Text], [Switch] or [Value].
type Flag = cli.Flag

// Text returns a flag for any text. Its default is what the variable holds.
// Here and below, a word in `back quotes` in usage names the flag's value in the
// help.
func Text(variable *string, name, usage string) Flag {
	return &cli.StringFlag{Name: name, Usage: usage, Destination: variable, Value: *variable}
}

// Switch returns a flag that is on or off.
func Switch(variable *bool, name, usage string) Flag {
	return &cli.BoolFlag{Name: name, Usage: usage, Destination: variable, DisableDefaultText: true}
}

// Value returns a flag whose value is checked when it is parsed. If the variable has the
// method Choices() []string, shells complete the value with these words.
func Value(variable cli.Generic, name, usage string) Flag {
	return &cli.GenericFlag{Name: name, Usage: usage, Value: variable}
}

// Short adds a second name of one letter to a flag, and returns the flag. An empty
// letter removes the second name.
func Short(letter string, f Flag) Flag {
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

// Default sets what the help shows as the default of a flag of [Value] in place of its value,
// which depends on the machine. It returns the flag.
func Default(text string, f Flag) Flag {
	f.(*cli.GenericFlag).DefaultText = text
	return f
}

// FlagValues returns the names of the command's flags and their values.
func (c *Call) FlagValues() iter.Seq2[string, string] {
	return func(yield func(string, string) bool) {
		for _, f := range c.command.Flags {
			if !yield(f.Names()[0], flagValue(f)) {
				return
			}
		}
	}
}

func flagValue(f Flag) string {
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

// valueOf returns the value of a flag of [Value], and nil for other flags.
func valueOf(f Flag) cli.Generic {
	if g, ok := f.(*cli.GenericFlag); ok {
		return g.Value
	}
	return nil
}

// takesValue reports whether a flag has a value. A switch has none.
func takesValue(f Flag) bool {
	d, ok := f.(cli.DocGenerationFlag)
	return ok && d.TakesValue()
}

// usageOf returns the usage of a flag, with the name of its value in back quotes.
func usageOf(f Flag) string {
	if d, ok := f.(cli.DocGenerationFlag); ok {
		return d.GetUsage()
	}
	return ""
}

// repeatable reports whether a flag may be given several times.
func repeatable(f Flag) bool {
	_, ok := valueOf(f).(*List)
	return ok
}

// List is the value of a flag that may be given several times. A value is
// not split at commas.
type List []string

// Set implements flag.Value.
func (l *List) Set(s string) error {
	*l = append(*l, s)
	return nil
}

// String implements flag.Value.
func (l *List) String() string { return strings.Join(*l, " ") }

// Count is a whole number between Low and High, both included.
type Count struct{ N, Low, High int }

// Set implements flag.Value.
func (c *Count) Set(s string) error {
	n, err := strconv.Atoi(s)
	if err != nil || n < c.Low || n > c.High {
		return fmt.Errorf("want a whole number from %d to %d", c.Low, c.High)
	}
	c.N = n
	return nil
}

// String implements flag.Value.
func (c *Count) String() string { return strconv.Itoa(c.N) }

// badValue replaces an error of the flag parser about a value that it cannot
// parse. The new error names the variable if the value is that of a variable,
// and leaves out a value that may hold a secret.
func (c *Call) badValue(err error) error {
	text := err.Error()
	for _, f := range c.command.Flags {
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
			return c.UsageErrorf("%s", c.badFlagValue(name, value, cause))
		}
	}
	return c.UsageErrorf("%s", text)
}

// badFlagValue returns the error text for a flag's value, which is quoted.
func (c *Call) badFlagValue(name, quoted, cause string) string {
	where := "--" + name
	if source := c.fromEnv[name]; source != "" {
		where = source
	}
	value, err := strconv.Unquote(quoted)
	if err != nil || isSecret(findFlag([]*Command{c.command}, name)) || MayHoldSecret(value) {
		return "invalid value for " + where + ": " + cause
	}
	return "invalid value " + quoted + " for " + where + ": " + cause
}
