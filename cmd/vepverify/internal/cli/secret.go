package cli

import (
	"slices"
	"strconv"
	"strings"
)

// hidden stands for a value that is not shown.
const hidden = "(hidden)"

// secretFlags are the flags whose values may hold a password or a token. No
// error repeats the value of one of them.
var secretFlags = []string{"data", "header", "proxy", "replay"}

// MayHoldSecret reports whether a text of any other origin looks like one that
// holds a secret: a URL or an address with a user and a password, the text of a
// key or an identity where the name of its file was meant, or an assertion.
func MayHoldSecret(text string) bool {
	user, _, isAddress := strings.Cut(text, "@")
	return isAddress && strings.Contains(user, ":") ||
		strings.ContainsAny(text, "{\n") || strings.HasPrefix(text, "-----BEGIN") || strings.HasPrefix(text, "eyJ")
}

// secretTexts returns the texts that no error may repeat: among the arguments, and
// among the variables of the commands' flags.
func secretTexts(args []string, commands []*Command, env func(string) (string, bool)) (all []string) {
	add := func(flag, text string) {
		if MayHoldSecret(text) || slices.Contains(secretFlags, flag) && strings.ContainsAny(text, ":=@/") {
			all = append(append(all, text), strings.Fields(text)...) // as variables of repeatable flags are read
		}
	}
	before := "" // the flag whose value may follow
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

// shownLengths are the lengths at which texts are cut off where errors show them.
var shownLengths = []int{200, 100, 40}

// hide replaces the secrets in a text, also where only their beginning stands.
// It is the second defence: errors about flags that may hold a secret do not
// repeat the value in the first place.
func hide(text string, secrets []string) string {
	for _, s := range secrets {
		for _, form := range shownForms(s) {
			if len(form) >= 4 { // a shorter text is part of other words, and cannot be a secret
				text = strings.ReplaceAll(text, form, hidden)
			}
		}
	}
	return text
}

// shownForms returns a text in the forms in which errors show it, the longest
// first: whole, quoted or made printable, and cut off.
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

// Shown returns a value as errors show it.
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
