package main

import (
	"fmt"
	"slices"
	"strings"

	"github.com/urfave/cli/v2"
)

// arguments are the arguments taken apart, in the order in which they came.
type arguments struct {
	flags   []flagArgument
	files   []string
	command string // empty until the first argument that is no flag
	help    bool
	version bool
}

// flagArgument is one flag with its value; that of a switch may be absent.
type flagArgument struct {
	name, value string
	hasValue    bool
}

// arrange puts arguments into the order that urfave/cli understands, which
// stops looking for flags at the first argument that is none: the command, its
// flags, "--", everything else. Flags that are not given are taken from the
// environment; fromEnv says which were.
//
// The errors are about usage: flags that the command does not have, lack their value,
// or are given twice.
func arrange(args []string, commands []*cli.Command, env func(string) (string, bool)) (ordered []string, fromEnv map[string]bool, err error) {
	a, err := split(args, commands)
	if err != nil {
		return nil, nil, err
	}
	switch {
	case a.help && a.command == "":
		return []string{"help", "--"}, nil, nil
	case a.help:
		return []string{"help", "--", a.command}, nil, nil
	case a.version:
		return []string{"version", "--"}, nil, nil
	case a.command == "":
		a.command = defaultCommand
	}
	c := findCommand(commands, a.command)
	a.useLongNames(c)
	if err := a.check(c); err != nil {
		return nil, nil, err
	}
	ordered = []string{a.command}
	for _, f := range a.flags {
		ordered = append(ordered, f.String())
	}
	defaults, fromEnv := environment(c, a.given, env)
	ordered = append(ordered, defaults...)
	return append(append(ordered, "--"), a.files...), fromEnv, nil
}

// split tells flags, their values, the command and files apart.
func split(args []string, commands []*cli.Command) (*arguments, error) {
	a := new(arguments)
	for i := 0; i < len(args); i++ {
		arg := args[i]
		switch {
		case arg == "--":
			a.files = append(a.files, args[i+1:]...)
			return a, nil
		case arg == "-" || !strings.HasPrefix(arg, "-"):
			a.positional(arg, commands)
		case arg == "--help" || arg == "-help" || arg == "-h":
			a.help = true
		case arg == "--version" || arg == "-version":
			a.version = true
		default:
			f := a.cutFlag(arg, commands)
			if known := findFlag(commands, f.name); known != nil && takesValue(known) && !f.hasValue {
				if i+1 == len(args) || strings.HasPrefix(args[i+1], "-") {
					return nil, fmt.Errorf("--%s needs a value; one that begins with \"-\" is given as --%[1]s=VALUE", f.name)
				}
				i++
				f.value, f.hasValue = args[i], true
			}
			a.flags = append(a.flags, f)
		}
	}
	return a, nil
}

// positional takes an argument that is no flag. The first may be a command.
func (a *arguments) positional(arg string, commands []*cli.Command) {
	first := a.command == "" && len(a.files) == 0
	if first && findCommand(commands, arg) != nil {
		a.command = arg
		return
	}
	a.files = append(a.files, arg)
}

// cutFlag reads -name, --name and both with =value. Behind a command that has a
// flag of one letter with a value, it also reads that value without a space.
func (a *arguments) cutFlag(arg string, commands []*cli.Command) (f flagArgument) {
	text := strings.TrimPrefix(strings.TrimPrefix(arg, "-"), "-")
	f.name, f.value, f.hasValue = strings.Cut(text, "=")
	if a.command == "" || len(text) < 2 || arg[1] == '-' || findFlag(commands, f.name) != nil {
		return f
	}
	short := findFlag([]*cli.Command{findCommand(commands, a.command)}, text[:1])
	if short != nil && takesValue(short) {
		return flagArgument{text[:1], text[1:], true}
	}
	return f
}

// useLongNames gives flags that the command has by a short name their long one,
// and leaves that as the only one: urfave/cli sets a flag of two names twice,
// which one that can be repeated takes for a repetition.
func (a *arguments) useLongNames(c *cli.Command) {
	for i, f := range a.flags {
		if known := findFlag([]*cli.Command{c}, f.name); known != nil {
			a.flags[i].name = known.Names()[0]
		}
	}
	for _, f := range c.Flags {
		short("", f)
	}
}

// String gives the one form in which a value may begin with "-".
func (f flagArgument) String() string {
	if !f.hasValue {
		return "--" + f.name
	}
	return "--" + f.name + "=" + f.value
}

func (a *arguments) given(name string) bool {
	return slices.ContainsFunc(a.flags, func(f flagArgument) bool { return f.name == name })
}

// check holds the flags against those that the command has.
func (a *arguments) check(c *cli.Command) error {
	seen := make(map[string]bool)
	for _, f := range a.flags {
		known := findFlag([]*cli.Command{c}, f.name)
		switch {
		case known == nil:
			return unknownFlag(c, f.name)
		case f.hasValue && f.value == "":
			return fmt.Errorf("--%s is empty: give it a value, or leave it out", f.name)
		case seen[f.name] && !repeatable(known):
			return fmt.Errorf("--%s is given twice", f.name)
		}
		seen[f.name] = true
	}
	return nil
}

// unknownFlag names the flag up to the first character that no flag's name has:
// a value may follow there, such as a URL with a password.
func unknownFlag(c *cli.Command, name string) error {
	if i := strings.IndexAny(name, ":/@ "); i >= 0 {
		name = name[:i]
	}
	if len(name) > 1 && mayHoldSecret(name[1:]) { // a flag of one letter, and its value
		name = name[:1]
	}
	hint := ""
	if near := cli.SuggestFlag(c.Flags, name, true); near != "" {
		hint = ", perhaps " + near
	}
	return fmt.Errorf("%s has no flag --%s%s (see vepverify help %[1]s)", c.Name, shortened(name, 40), hint)
}

func findCommand(commands []*cli.Command, name string) *cli.Command {
	if i := slices.IndexFunc(commands, func(c *cli.Command) bool { return c.HasName(name) }); i >= 0 {
		return commands[i]
	}
	return nil
}

// findFlag gives the flag of the first command that has one of that name.
// Before the command is known any will do: flags of the same name all take a
// value, or all do not.
func findFlag(commands []*cli.Command, name string) cli.Flag {
	for _, c := range commands {
		for _, f := range c.Flags {
			if slices.Contains(f.Names(), name) {
				return f
			}
		}
	}
	return nil
}
