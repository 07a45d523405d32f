package cli

import (
	"regexp"
	"strconv"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/vepverify/vepverify/internal/sniff"
)

// hidden is shown in place of a secret.
const hidden = "(hidden)"

// Secret marks a flag whose value may hold a password or a token, and returns it. No
// error repeats the value.
func Secret(f Flag) Flag {
	switch f := f.(type) {
	case *cli.StringFlag:
		f.Category = secretCategory
	case *cli.GenericFlag:
		f.Category = secretCategory
	}
	return f
}

// secretCategory is the category of secret flags. The help of this package does not
// use categories.
const secretCategory = "secret"

// isSecret reports whether a flag is marked as secret.
func isSecret(f Flag) bool {
	c, ok := f.(cli.CategorizableFlag)
	return ok && c.GetCategory() == secretCategory
}

// secretNames returns the names of the commands' secret flags.
func secretNames(commands []*Command) map[string]bool {
	names := make(map[string]bool)
	for _, c := range commands {
		for _, f := range c.Flags {
			if isSecret(f) {
				names[f.Names()[0]] = true
			}
		}
	}
	return names
}

// MayHoldSecret reports whether a text that is not the value of a secret flag looks
// as if it holds a secret. Such texts are a URL or an address with a user and a
// password, a key or an identity in place of the name of its file, and an assertion or
// another token, whole or in part.
func MayHoldSecret(text string) bool {
	user, _, isAddress := strings.Cut(text, "@")
	return isAddress && strings.Contains(user, ":") ||
		strings.ContainsAny(text, "{\n") || strings.Contains(text, "-----BEGIN") || hideTokens(text) != text
}

// tokenLike matches a text of the characters of a token (RFC 7515, and "~"), with those
// that percent-encoding adds. It may be the name of a file or a domain, too.
var tokenLike = regexp.MustCompile(`[A-Za-z0-9_~.%-]{8,}`)

// longBase64 matches a text in base64 that is longer than a hash or a label of a domain.
var longBase64 = regexp.MustCompile(`[A-Za-z0-9_-]{80,}`)

// hideTokens hides the tokens in a text, whole or cut off, and any long base64.
func hideTokens(text string) string {
	return tokenLike.ReplaceAllStringFunc(text, func(word string) string {
		if strings.HasPrefix(word, "eyJ") || sniff.HoldsToken(word) {
			return hidden
		}
		return longBase64.ReplaceAllString(word, hidden)
	})
}

// secretTexts returns the texts that no error may repeat, from the arguments and
// from the variables of the commands' flags.
func secretTexts(args []string, commands []*Command, env func(string) (string, bool)) (all []string) {
	secret := secretNames(commands)
	add := func(flag, text string) {
		if MayHoldSecret(text) || secret[flag] && strings.ContainsAny(text, ":=@/") {
			all = append(append(all, text), strings.Fields(text)...) // variables of repeatable flags are split at white space
		}
	}
	before := "" // the flag whose value may be the argument
	for _, arg := range args {
		name, value, _ := strings.Cut(strings.TrimLeft(arg, "-"), "=")
		add(before, arg)
		add("", strings.TrimLeft(arg, "-"))
		add("", name)
		add(name, value)
		before = longName(commands, name)
		if len(arg) > 2 && arg[0] == '-' && arg[1] != '-' {
			add(longName(commands, arg[1:2]), arg[2:]) // as in -Hname:value
		}
	}
	for _, c := range commands {
		for _, f := range c.Flags {
			if name := variable(f.Names()[0]); name != "" {
				value, _ := env(name)
				add(f.Names()[0], value)
			}
		}
	}
	return all
}

// longName returns the first name of a flag, or the name itself if no command has
// it.
func longName(commands []*Command, name string) string {
	if f := findFlag(commands, name); f != nil {
		return f.Names()[0]
	}
	return name
}

// shownLengths are the lengths at which errors cut off the texts that they show.
var shownLengths = []int{200, 100, 40}

// hide replaces the secrets in a text, and the beginnings of secrets that are cut
// off. It is the second defense: errors about secret flags do not have the value in
// the first place.
func hide(text string, secrets []string) string {
	for _, s := range secrets {
		for _, form := range shownForms(s) {
			if len(form) >= 4 { // a shorter text is not a secret, and may be part of other words
				text = strings.ReplaceAll(text, form, hidden)
			}
		}
	}
	return hideTokens(text)
}

// shownForms returns the forms in which errors show a text, the longest first: whole
// or cut off, each as it is, printable and quoted.
func shownForms(s string) (forms []string) {
	whole := []string{s}
	for _, n := range shownLengths {
		if len(s) > n {
			whole = append(whole, s[:n])
		}
	}
	for _, text := range whole {
		quoted := strconv.Quote(text)
		forms = append(forms, text, Printable(text), quoted[1:len(quoted)-1])
	}
	return forms
}

// Shown returns the form of a value for error messages: hidden if it may hold a
// secret, and shortened.
func Shown(value string) string {
	if MayHoldSecret(value) {
		return hidden
	}
	return Shorten(value, 40)
}

// KeepSecret keeps a text out of error messages if it may hold a secret.
func (c *Call) KeepSecret(text string) {
	if MayHoldSecret(text) {
		c.secrets = append(c.secrets, text)
	}
}
