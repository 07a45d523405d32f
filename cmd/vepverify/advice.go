package main

import (
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/vepverify/vepverify/assertion"
	"github.com/vepverify/vepverify/cmd/vepverify/internal/cli"
	"github.com/vepverify/vepverify/internal/sniff"
)

// settingFlags are the flags that set a field of assertion.Config or wellknown.Config. An
// [assertion.Error] names the field, and not the flag.
var settingFlags = map[string]string{
	"CAFile": "--ca-file", "InsecureAllowPrivate": "--insecure-allow-private", "Proxy": "--proxy", "Timeout": "--timeout",
	"Fallback": "--fallback", "InsecureWeakKeys": "--insecure-weak-keys", "Keys": "--keys",
	"MaxChain": "--max-chain", "Now": "--now", "TrustedIssuers": "--trusted-issuer",
}

// inputCommands are the commands that take a text that is not an assertion.
var inputCommands = map[sniff.Kind]string{
	sniff.Identity:        "vepverify assert --identity FILE --audience ORIGIN",
	sniff.PrivateKey:      "vepverify certify --key FILE signs certificates with it",
	sniff.SupportDocument: "--keys takes a folder of such files, named DOMAIN.json",
	sniff.Bundle:          "--keys takes it",
	sniff.JSONAssertion:   "vepverify batch takes lines of such JSON",
	sniff.JSONLines:       "vepverify batch",
	sniff.Several:         "vepverify batch",
}

// adviser completes the advice of package assertion with the flags and commands to use.
type adviser struct {
	keys  string     // of --keys
	input sniff.Kind // what the input is
	now   time.Time
}

// advice returns the advice of err, with the flag or the command to use.
func (a *adviser) advice(err *assertion.Error) string {
	command := inputCommands[a.input]
	isForm := errors.Is(err, assertion.ErrMalformed) || errors.Is(err, assertion.ErrChain)
	switch {
	case isForm && command != "":
		return err.Advice + " (" + command + ")"
	case err.Domain != "" && a.keys != "" && err.Setting == "Keys":
		return fmt.Sprintf("%s (to add them to those of --keys: %s --save %s)", err.Advice, lookupOf(err), a.bundle())
	case settingFlags[err.Setting] != "":
		return err.Advice + " (" + settingFlags[err.Setting] + ")"
	case err.Domain != "" && err.Setting == "" && !isSignature(err):
		return err.Advice + ": " + lookupOf(err)
	}
	return err.Advice
}

func isSignature(err error) bool {
	return errors.Is(err, assertion.ErrSignature) || errors.Is(err, assertion.ErrAlgorithm)
}

// lookupOf returns the command that looks up the domain of err.
func lookupOf(err *assertion.Error) string {
	name := err.Domain
	if err.EmailDomain != "" {
		name = `"` + name + domainQuery + err.EmailDomain + `"` // ? is a pattern in most shells
	}
	return cli.Program + " lookup " + name
}

// bundle returns the file to which lookup --save should add keys: that of --keys, unless it
// is a folder.
func (a *adviser) bundle() string {
	if info, err := os.Stat(a.keys); err != nil || info.IsDir() {
		return "NEWFILE"
	}
	return a.keys
}

// keysRow tells where the keys that did not verify a certificate come from, and how to look
// at them or to renew them. It is empty for other errors.
func (a *adviser) keysRow(err *assertion.Error) string {
	switch {
	case err.Domain == "" || err.Setting != "" || !isSignature(err):
		return ""
	case a.keys == "":
		return "to see them: " + lookupOf(err)
	}
	written := ""
	if info, err := os.Stat(a.keys); err == nil {
		written = ", written " + cli.FormatTime(info.ModTime(), a.now)
	}
	return fmt.Sprintf("those of --keys %s%s; to fetch them anew: %s --save %s", a.keys, written, lookupOf(err), a.bundle())
}

// addDetail adds the rows that explain why a check failed.
func (a *adviser) addDetail(t *cli.Table, err *assertion.Error) {
	for _, r := range [][2]string{{"found", err.Found}, {"expected", err.Expected}, {"what to do", a.advice(err)}, {"keys", a.keysRow(err)}} {
		if r[1] != "" {
			t.Row(r[0], r[1])
		}
	}
}

// printNote prints on standard error what the input is, if it is not an assertion: the
// answer in JSON has only a reason, which may be that of any text.
func (a *adviser) printNote(c *cli.Call) {
	if !a.input.IsOther() {
		return
	}
	command := ""
	if text := inputCommands[a.input]; text != "" {
		command = " (" + text + ")"
	}
	fmt.Fprintf(c.Err, "%s: the input is %s: %s%s\n", cli.Program, a.input, a.input.Advice(), command)
}
