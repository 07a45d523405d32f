package cli

import (
	"fmt"
	"slices"
	"strings"

	"github.com/urfave/cli/v2"
)

// Manual is what the help of a command and its man page say, in addition to the fields
// Usage and Help of [Command] and to the flags. Texts have the form of [go/doc/comment]:
// paragraphs, and indented lines that are shown as they are.
type Manual struct {
	// In the help, in this order, and in the man page:

	Examples []Example
	Notes    string
	Trouble  []Entry // what may not work, and what to do
	Exit     []Exit
	ExitNote string // what the exit status depends on; may be empty

	// In the man page only:

	Detail      string            // the end of the description
	Flags       map[string]string // explanations of flags in addition to their usage, by their names
	FlagGroups  []FlagGroup       // flags that are in none of them come first
	Environment []Entry           // variables other than those of the flags
	Files       []Entry
	SeeAlso     []string // names of related commands, or of other pages such as parallel(1)
	Documents   []string // files of the repository that explain more
}

// FlagGroup are flags under one title. Commands that have only some of the flags may share it.
type FlagGroup struct {
	Title string
	Text  map[string]string // as Manual.Flags; a text may be empty
}

// TitledFlags are the flags of a command that are in a group.
type TitledFlags struct {
	FlagGroup
	Flags []Flag
}

// FlagGroups returns the flags of the command, each in one group: first those without a title.
func (c *Command) FlagGroups() []TitledFlags {
	groups := []TitledFlags{{FlagGroup: FlagGroup{Text: c.Manual.Flags}}}
	for _, g := range c.Manual.FlagGroups {
		groups = append(groups, TitledFlags{FlagGroup: g})
	}
	for _, f := range c.Flags {
		i := 1 + slices.IndexFunc(groups[1:], func(g TitledFlags) bool { _, ok := g.Text[f.Names()[0]]; return ok })
		groups[i].Flags = append(groups[i].Flags, f)
	}
	return slices.DeleteFunc(groups, func(g TitledFlags) bool { return len(g.Flags) == 0 })
}

// Example is a command line or several, and what they are for.
type Example struct {
	For   string // for the man page, and for the help of the program
	Lines string
}

// Entry is a name, such as that of a variable, and its explanation.
type Entry struct{ Name, Text string }

// Exit is an exit status.
type Exit struct {
	Status  Status
	Meaning string
}

// FlagText is what the help and the man page say about a flag.
type FlagText struct {
	Names    []string // the long one first, without dashes
	Value    string   // the name of its value; empty for a switch
	Usage    string
	Default  string // empty if there is none
	Variable string // its environment variable; empty if it has none
	Needed   bool   // the command does not work without it
}

// TextOf returns what the help says about a flag.
func TextOf(f Flag) FlagText {
	names := f.Names()
	value, usage := valueName(usageOf(f))
	text := FlagText{
		Names: names, Usage: usage, Variable: variable(names[0]),
		Needed: strings.HasSuffix(usage, "(needed)") || strings.Contains(usage, "(needed, "),
	}
	if takesValue(f) {
		text.Value = value
	}
	if d, ok := f.(cli.DocGenerationFlag); ok && takesValue(f) {
		text.Default = strings.Trim(d.GetDefaultText(), `"`)
	}
	return text
}

// valueName returns the name of a flag's value, which is in back quotes in the usage, and
// the usage without them.
func valueName(usage string) (name, text string) {
	before, rest, _ := strings.Cut(usage, "`")
	name, after, found := strings.Cut(rest, "`")
	if !found {
		return "", usage
	}
	return name, before + name + after
}

// Synopsis returns the command line of a command: its name, the flags that it needs, and
// its arguments.
func (c *Command) Synopsis() string {
	words := []string{Program, c.Name}
	optional := false
	for _, f := range c.Flags {
		if text := TextOf(f); text.Needed {
			words = append(words, "--"+text.Names[0], text.Value)
		} else {
			optional = true
		}
	}
	if optional {
		words = append(words, "[flags]")
	}
	if c.Arguments != "" {
		words = append(words, c.Arguments)
	}
	return strings.Join(words, " ")
}

// Group sets the group of commands under which help lists them, and returns them.
func Group(name string, commands ...*Command) []*Command {
	for _, c := range commands {
		c.Group = name
	}
	return commands
}

// CommandGroup are the commands that help lists under one title.
type CommandGroup struct {
	Name     string
	Commands []*Command
}

// Groups returns the commands of the app by their groups.
func (a *App) Groups() (groups []CommandGroup) {
	for i, c := range a.Commands {
		if i == 0 || c.Group != a.Commands[i-1].Group {
			groups = append(groups, CommandGroup{Name: c.Group})
		}
		last := &groups[len(groups)-1]
		last.Commands = append(last.Commands, c)
	}
	return groups
}

// String returns the status and its meaning as help shows them.
func (e Exit) String() string { return fmt.Sprintf("%-3d  %s", int(e.Status), e.Meaning) }
