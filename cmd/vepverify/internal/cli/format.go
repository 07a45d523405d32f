package cli

import (
	"fmt"
	"slices"
	"strings"
)

// Choice is one of several words, in upper or lower case.
type Choice struct {
	Word  string
	words []string
}

// NewChoice returns a choice of words, with the default word.
func NewChoice(word string, words ...string) Choice { return Choice{word, words} }

// Set implements flag.Value.
func (c *Choice) Set(s string) error {
	i := c.index(s)
	if i < 0 {
		last := len(c.words) - 1
		return fmt.Errorf("want %s or %s", strings.Join(c.words[:last], ", "), c.words[last])
	}
	c.Word = c.words[i]
	return nil
}

func (c *Choice) index(s string) int {
	return slices.IndexFunc(c.words, func(word string) bool { return strings.EqualFold(word, s) })
}

// has reports whether s is one of the words.
func (c *Choice) has(s string) bool { return c.index(s) >= 0 }

// String implements flag.Value.
func (c *Choice) String() string { return c.Word }

// Choices returns the words, for completion.
func (c *Choice) Choices() []string { return c.words }

// The formats of answers.
const (
	FormatJSON = "json" // for programs
	FormatText = "text" // for people
)

// Format is the format in which a command prints its answers. [App.Run] sets it before the
// command runs.
type Format struct {
	Choice              // of --output
	asJSON, asText bool // of --json and --text
}

// NewFormat returns a format with its default.
func NewFormat(standard string) Format {
	return Format{Choice: NewChoice(standard, FormatJSON, FormatText)}
}

// Flags returns the flags --output, --json and --text, bound to f.
func (f *Format) Flags() []Flag {
	return []Flag{
		Value(f, "output", "the `FORMAT` of the answer: json or text"),
		Switch(&f.asJSON, "json", "short for --output json"),
		Switch(&f.asText, "text", "short for --output text"),
	}
}

// FormatFlags are the flags of a [Format] in man pages.
var FormatFlags = FlagGroup{
	Title: "Output",
	Text: map[string]string{
		"output": `json is for programs, and text for people. The text may change in later versions.`,
		"json":   ``,
		"text":   ``,
	},
}

// JSON reports whether answers are JSON.
func (f *Format) JSON() bool { return f.Word == FormatJSON }

// resolve sets the format that the flags ask for. Those of the command line win over
// variables. It returns an error if they ask for two formats.
func (f *Format) resolve(c *Call) error {
	asked := f.asked(c, true)
	if len(asked) == 0 {
		asked = f.asked(c, false)
	}
	for _, a := range asked {
		if a.format != asked[0].format {
			return c.UsageErrorf("%s and %s contradict each other: give one of them", asked[0].by, a.by)
		}
		f.Word = a.format
	}
	return nil
}

// askedFormat is a format, and the flag or variable that asks for it.
type askedFormat struct{ format, by string }

// asked returns the formats that flags of the command line ask for, or else those that
// variables ask for. --json=false asks for text. A variable that is false asks for nothing.
func (f *Format) asked(c *Call, given bool) (all []askedFormat) {
	is := func(flag string) bool { return c.IsSet(flag) && c.Given(flag) == given }
	if is("output") {
		all = append(all, askedFormat{f.Word, c.written("output", f.Word)})
	}
	for _, s := range []struct {
		flag, on, off string
		value         bool
	}{{"json", FormatJSON, FormatText, f.asJSON}, {"text", FormatText, FormatJSON, f.asText}} {
		switch {
		case is(s.flag) && s.value:
			all = append(all, askedFormat{s.on, c.written(s.flag, "")})
		case is(s.flag) && given:
			all = append(all, askedFormat{s.off, c.written(s.flag, "false")})
		}
	}
	return all
}

// written returns a flag and its value as they are written on the command line, or the
// name of the variable that has set the flag.
func (c *Call) written(flag, value string) string {
	switch {
	case !c.Given(flag):
		return variable(flag)
	case value == "":
		return "--" + flag
	case value == "false":
		return "--" + flag + "=false"
	}
	return "--" + flag + " " + value
}

// resolveFormat sets the [Format] of the command, if it has one.
func (c *Call) resolveFormat() error {
	for _, flag := range c.command.Flags {
		if f, ok := valueOf(flag).(*Format); ok {
			return f.resolve(c)
		}
	}
	return nil
}
