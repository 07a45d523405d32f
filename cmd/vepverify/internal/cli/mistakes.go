package cli

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// checkMistakes returns an error if an argument is probably not what the user meant to
// write: an empty one, quotes or a carriage return that a shell has passed on, or a dash of a
// text processor. Files with such names can be given as ./NAME.
func (a *arguments) checkMistakes(c *Command) error {
	for _, text := range a.files {
		if fileExists(text) {
			continue
		}
		switch {
		case text == "":
			return errors.New("an argument is empty, as of a variable that is not set")
		case strings.HasPrefix(text, "—") || strings.HasPrefix(text, "–") || strings.HasPrefix(text, "−"):
			return fmt.Errorf("the dash of %q is not the one of flags: write --%s", Shown(text), Shown(strings.TrimLeft(text, "—–−-")))
		case slices.Contains(a.afterSwitch, text):
			return fmt.Errorf("%q is not a value here: switches have none, or one after \"=\", as in --text=%[1]s", text)
		}
		if err := passedOn(text); err != nil {
			return fmt.Errorf("%q: %w", Shown(text), err)
		}
	}
	for _, f := range a.flags {
		known := findFlag([]*Command{c}, f.name)
		if !f.hasValue || isSecret(known) || takesFreeText(known) || fileExists(f.value) {
			continue
		}
		if strings.HasPrefix(f.value, "=") {
			return fmt.Errorf("--%s: no spaces around \"=\": write --%[1]s=VALUE", f.name)
		}
		if err := passedOn(f.value); err != nil {
			return fmt.Errorf("--%s %q: %w", f.name, Shown(f.value), err)
		}
	}
	return nil
}

// takesFreeText reports whether quotes may be meant in the value of a flag.
func takesFreeText(f Flag) bool {
	usage := usageOf(f)
	return strings.Contains(usage, "`REGEXP`") || strings.Contains(usage, "`TEXT`")
}

// quotes are the quotation marks of shells and of text processors.
const quotes = "'\"`“”„‘’"

// passedOn returns an error if a text ends with a carriage return, or is in quotes.
func passedOn(text string) error {
	if plain := strings.TrimRight(text, "\r"); plain != text {
		return errors.New("it ends with a carriage return: convert the file that it comes from to Unix line ends (LF)")
	}
	if plain := strings.Trim(text, quotes); plain != text {
		return fmt.Errorf("the shell has passed on the quotes: write %s, or \"…\" with the quotes of your shell", Shown(plain))
	}
	return nil
}

// missingFileHint returns what may be wrong with the name of a file that does not exist.
func missingFileHint(name string) string {
	switch {
	case name == "-":
		return "; standard input is not read here"
	case strings.HasPrefix(name, "~"):
		return `; the shell has not replaced the "~": write $HOME, or leave out the quotes`
	case strings.ContainsAny(name, "*?") && !strings.Contains(name, "?domain="):
		return "; it is a pattern for which the shell has found no file"
	case strings.HasPrefix(name, "$") || strings.HasPrefix(name, "%"):
		return "; the shell has not replaced the variable"
	case passedOn(name) != nil:
		return "; " + passedOn(name).Error()
	}
	return ""
}
