package cli

import (
	"errors"
	"fmt"
	"os"
	"regexp"
	"strings"
)

// commandLike matches a word that may be a mistyped command. The name of a file usually
// has a dot or a slash.
var commandLike = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9_-]{0,30}$`)

// checkCommand returns an error if the first argument is neither a command nor a file, and
// looks like a mistyped command, or if a command stands after a file.
func (a *arguments) checkCommand(commands []*Command) error {
	if a.command != "" || a.word == "" {
		return nil
	}
	if first, rest, _ := strings.Cut(a.word, " "); rest != "" && findCommand(commands, first) != nil && !fileExists(a.word) {
		return fmt.Errorf("the command %s and its arguments are one word: leave out the quotes around them", first)
	}
	if commandLike.MatchString(a.word) && !MayHoldSecret(a.word) && !fileExists(a.word) {
		return unknownCommand(a.word, commands)
	}
	for _, later := range a.files[1:] {
		if findCommand(commands, later) != nil && !fileExists(later) {
			return fmt.Errorf("the command comes before its arguments: vepverify %s %s", later, Shown(a.word))
		}
	}
	return nil
}

func fileExists(name string) bool {
	_, err := os.Lstat(name)
	return err == nil
}

// unknownCommand returns the error for a word that is not a command, with the command that
// was probably meant.
func unknownCommand(word string, commands []*Command) error {
	if near := nearest(strings.ToLower(word), commandNames(commands)); near != "" {
		return fmt.Errorf("unknown command %q, did you mean %q? (there is no file of that name either)", word, near)
	}
	return fmt.Errorf("unknown command %q, and there is no file of that name: vepverify help lists the commands", word)
}

// noSuchCommand returns the error for the argument of help.
func noSuchCommand(word string, commands []*Command) error {
	if MayHoldSecret(word) {
		return errors.New("no such command: vepverify help lists them")
	}
	if near := nearest(strings.ToLower(word), commandNames(commands)); near != "" {
		return fmt.Errorf("no such command %q, did you mean %q?", Shorten(word, 40), near)
	}
	return fmt.Errorf("no such command %q: vepverify help lists them", Shorten(word, 40))
}

// unknownFlag returns an error that names the flag up to the first character
// that no flag's name has. A value may follow there, such as a URL with a
// password.
func unknownFlag(c *Command, name string, commands []*Command) error {
	if i := strings.IndexAny(name, ":/@ "); i >= 0 {
		name = name[:i]
	}
	if len(name) > 1 && MayHoldSecret(name[1:]) { // a flag of one letter, and its value
		name = name[:1]
	}
	return fmt.Errorf("%s has no flag %s%s (see vepverify help %[1]s)", c.Name, dashed(Shown(name)), flagHint(c, name, commands))
}

// dashed returns the name of a flag as it is written.
func dashed(name string) string {
	if len(name) == 1 {
		return "-" + name
	}
	return "--" + name
}

// flagHint returns the commands that have a flag, or else the flag of the command that was
// probably meant.
func flagHint(c *Command, name string, commands []*Command) string {
	var owners []string
	for _, other := range commands {
		if findFlag([]*Command{other}, name) != nil {
			owners = append(owners, other.Name)
		}
	}
	switch n := len(owners); {
	case n == 1:
		return "; " + owners[0] + " has"
	case n > 1:
		return "; " + strings.Join(owners[:n-1], ", ") + " and " + owners[n-1] + " have"
	}
	if findCommand(commands, name) != nil {
		return "; a command has no dashes: vepverify " + name
	}
	if near := nearest(strings.ToLower(name), flagNames(c)); near != "" {
		return ", perhaps --" + near
	}
	return ""
}

// flagNames returns the long names of a command's flags.
func flagNames(c *Command) []string {
	names := []string{helpName, VersionName}
	for _, f := range c.Flags {
		names = append(names, f.Names()[0])
	}
	return names
}

// nearest returns the word that was probably mistyped or cut off as text, or "".
func nearest(text string, words []string) string {
	for _, word := range words {
		if len(text) >= 3 && strings.HasPrefix(word, text) {
			return word
		}
	}
	best, found := min(1+len(text)/4, 3)+1, "" // at most one error in a short word, and three in a long one
	for _, word := range words {
		if d := editDistance(text, word); d < best {
			best, found = d, word
		}
	}
	return found
}

// editDistance returns the number of letters that are inserted, removed, replaced, or
// swapped with the next one, to make b of a.
func editDistance(a, b string) int {
	rows := make([][]int, len(a)+1)
	for i := range rows {
		rows[i] = make([]int, len(b)+1)
		rows[i][0] = i
	}
	for j := range rows[0] {
		rows[0][j] = j
	}
	for i := 1; i <= len(a); i++ {
		for j := 1; j <= len(b); j++ {
			replace := rows[i-1][j-1]
			if a[i-1] != b[j-1] {
				replace++
			}
			rows[i][j] = min(replace, rows[i-1][j]+1, rows[i][j-1]+1)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				rows[i][j] = min(rows[i][j], rows[i-2][j-2]+1)
			}
		}
	}
	return rows[len(a)][len(b)]
}
