package cli

import (
	"fmt"
	"slices"
	"strings"
)

// arguments are the parsed arguments, in their original order.
type arguments struct {
	flags   []flagArgument
	files   []string
	command string // empty until the first argument that is not a flag
	word    string // the first argument that is not a flag, if it is not a command and not after "--"
	help    bool
	version bool

	afterSwitch []string // true and false after a flag that has no value
}

// flagArgument is one flag with its value. The value of a switch is optional.
type flagArgument struct {
	name, value string
	hasValue    bool
}

// arrange returns the arguments in the order that urfave/cli needs: the command, its
// flags, "--", and then everything else. urfave/cli itself stops looking for flags at
// the first argument that is not a flag. Flags that are not given are taken from the
// environment; fromEnv has their variables.
//
// It returns an error if the command does not have a flag, or if a flag has no value or
// is given twice.
func (a *App) arrange(args []string, env func(string) (string, bool)) (ordered []string, fromEnv map[string]string, err error) {
	parsed, err := parseArguments(args, a.Commands)
	if err != nil {
		return nil, nil, err
	}
	if err := parsed.checkCommand(a.Commands); err != nil {
		return nil, nil, err
	}
	switch {
	case parsed.help && parsed.command == "":
		return []string{helpName, "--"}, nil, nil
	case parsed.help:
		return []string{helpName, "--", parsed.command}, nil, nil
	case parsed.version:
		return []string{VersionName, "--"}, nil, nil
	case parsed.command == "":
		parsed.command = a.Default
	}
	c := findCommand(a.Commands, parsed.command)
	parsed.useLongNames(c)
	if err := parsed.check(c, a.Commands); err != nil {
		return nil, nil, err
	}
	ordered = []string{parsed.command}
	for _, f := range parsed.flags {
		ordered = append(ordered, f.String())
	}
	if err := parsed.checkMistakes(c); err != nil {
		return nil, nil, err
	}
	defaults, fromEnv := flagsFromEnv(c, parsed.given, env)
	for _, f := range defaults {
		if name, _, _ := strings.Cut(strings.TrimPrefix(f, "--"), "="); strings.HasSuffix(f, "\r") {
			return nil, nil, fmt.Errorf("%s: %w", variable(name), passedOn("\r"))
		}
	}
	ordered = append(ordered, defaults...)
	return append(append(ordered, "--"), parsed.files...), fromEnv, nil
}

// parseArguments separates flags, their values, the command and files.
func parseArguments(args []string, commands []*Command) (*arguments, error) {
	a := new(arguments)
	afterUnknown := false // the argument may be the value of an unknown flag
	afterSwitch := false
	for i := 0; i < len(args); i++ {
		arg := args[i]
		switch {
		case arg == "--":
			a.files = append(a.files, args[i+1:]...)
			return a, nil
		case arg == "-" || !strings.HasPrefix(arg, "-"):
			if afterSwitch && (arg == "true" || arg == "false") {
				a.afterSwitch = append(a.afterSwitch, arg)
			}
			a.addPositional(arg, commands, afterUnknown)
			afterUnknown, afterSwitch = false, false
		case arg == "--help" || arg == "-help" || arg == "-h":
			a.help = true
		case arg == "--version" || arg == "-version" || arg == "-v" || arg == "-V":
			a.version = true
		default:
			f := a.parseFlag(arg, commands)
			known := findFlag(commands, f.name)
			afterUnknown = known == nil && !f.hasValue
			afterSwitch = known != nil && !takesValue(known) && !f.hasValue
			if known != nil && takesValue(known) && !f.hasValue {
				if i+1 == len(args) || len(args[i+1]) > 1 && args[i+1][0] == '-' {
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

// addPositional adds an argument that is not a flag. The first one may be a
// command, but not a mistyped one if it stands after an unknown flag.
func (a *arguments) addPositional(arg string, commands []*Command, afterUnknown bool) {
	first := a.command == "" && len(a.files) == 0
	if first && findCommand(commands, arg) != nil {
		a.command = arg
		return
	}
	if first && arg != "-" && !afterUnknown {
		a.word = arg
	}
	a.files = append(a.files, arg)
}

// parseFlag parses -name, --name, and both with =value. After a command that
// has a flag of one letter with a value, the value may follow the letter
// directly.
func (a *arguments) parseFlag(arg string, commands []*Command) (f flagArgument) {
	text := strings.TrimPrefix(strings.TrimPrefix(arg, "-"), "-")
	f.name, f.value, f.hasValue = strings.Cut(text, "=")
	if a.command == "" || len(text) < 2 || arg[1] == '-' || findFlag(commands, f.name) != nil {
		return f
	}
	short := findFlag([]*Command{findCommand(commands, a.command)}, text[:1])
	if short != nil && takesValue(short) {
		return flagArgument{text[:1], text[1:], true}
	}
	return f
}

// useLongNames replaces short names of the command's flags by the long ones, and
// removes the short names from the flags. urfave/cli sets a flag of two names
// twice, so that the value of a repeatable flag would be there twice.
func (a *arguments) useLongNames(c *Command) {
	for i, f := range a.flags {
		if known := findFlag([]*Command{c}, f.name); known != nil {
			a.flags[i].name = known.Names()[0]
		}
	}
	for _, f := range c.Flags {
		Short("", f)
	}
}

// String returns the flag in the only form in which a value may begin with "-".
func (f flagArgument) String() string {
	if !f.hasValue {
		return "--" + f.name
	}
	return "--" + f.name + "=" + f.value
}

// given reports whether the arguments have this flag.
func (a *arguments) given(name string) bool {
	return slices.ContainsFunc(a.flags, func(f flagArgument) bool { return f.name == name })
}

// check compares the flags with those that the command has.
func (a *arguments) check(c *Command, commands []*Command) error {
	seen := make(map[string]bool)
	for _, f := range a.flags {
		known := findFlag([]*Command{c}, f.name)
		switch {
		case known == nil:
			return unknownFlag(c, f.name, commands)
		case f.hasValue && f.value == "":
			return fmt.Errorf("--%s is empty: give it a value, or leave it out", f.name)
		case seen[f.name] && !repeatable(known):
			return fmt.Errorf("--%s is given twice", f.name)
		}
		seen[f.name] = true
	}
	return nil
}

func findCommand(commands []*Command, name string) *Command {
	if i := slices.IndexFunc(commands, func(c *Command) bool { return c.Name == name }); i >= 0 {
		return commands[i]
	}
	return nil
}

// findFlag returns the flag of the first command that has one of that name.
// Any command will do before the command is known: flags of the same name all
// take a value, or all do not.
func findFlag(commands []*Command, name string) Flag {
	for _, c := range commands {
		for _, f := range c.Flags {
			if slices.Contains(f.Names(), name) {
				return f
			}
		}
	}
	return nil
}
