package main

import (
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/vepverify/vepverify/assertion"
	"github.com/vepverify/vepverify/cmd/vepverify/internal/cli"
	"github.com/vepverify/vepverify/evp"
	"github.com/vepverify/vepverify/internal/sniff"
)

// settingFlags are the flags that set a field of assertion.Config, wellknown.Config or
// evp.Config. An error names the field, and not the flag.
var settingFlags = map[string]string{
	"CAFile": "--ca-file", "InsecureAllowPrivate": "--insecure-allow-private", "Proxy": "--proxy", "Timeout": "--timeout",
	"Fallback": "--fallback", "InsecureWeakKeys": "--insecure-weak-keys", "Keys": "--keys",
	"MaxChain": "--max-chain", "Now": "--now", "TrustedIssuers": "--trusted-issuer",
	"Bundle": "--keys", "Origins": "--audience", "Profile": "--profile", "Resolver": "--dns-server",
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
	sniff.EVPToken:        "vepverify FILE --audience ORIGIN --nonce NONCE",
	sniff.EVPMetadata:     "--keys takes a bundle with it, as lookup --evp --save writes it",
	sniff.EVPBundle:       "--keys takes it",
	sniff.KeySet:          "--keys takes a bundle with it, as lookup --evp --save writes it",
}

// detail is what an error of package assertion or evp says about a failed check.
type detail struct {
	Reason, Found, Expected, Advice, Setting string
	// Domain is the domain whose lookup failed, or whose keys did not verify what was
	// signed. EmailDomain is that of the address, if it is another one.
	Domain, EmailDomain string
	Rule                string // of a token
	isForm, isSignature bool
	isToken             bool
}

// detailOf returns the detail of an error, nil if it has none.
func detailOf(err error) *detail {
	d := &detail{
		isForm:      errors.Is(err, assertion.ErrMalformed) || errors.Is(err, assertion.ErrChain),
		isSignature: errors.Is(err, assertion.ErrSignature) || errors.Is(err, assertion.ErrAlgorithm),
	}
	var a *assertion.Error
	var t *evp.Error
	switch {
	case errors.As(err, &a):
		d.Reason, d.Found, d.Expected, d.Advice, d.Setting = a.Reason, a.Found, a.Expected, a.Advice, a.Setting
		d.Domain, d.EmailDomain = a.Domain, a.EmailDomain
	case errors.As(err, &t):
		d.Reason, d.Found, d.Expected, d.Advice, d.Setting = t.Reason, t.Found, t.Expected, t.Advice, t.Setting
		d.Domain, d.Rule, d.isToken = t.Domain, t.Rule, true
	default:
		return nil
	}
	return d
}

// adviser completes the advice of packages assertion and evp with the flags and commands to use.
type adviser struct {
	keys  string     // of --keys
	input sniff.Kind // what the input is
	now   time.Time
	// isToken means that the input is verified as a token.
	isToken bool
	// emailDomain is that of the address in a token. lookup --evp takes it.
	emailDomain string
}

// advice returns the advice of d, with the flag or the command to use.
func (a *adviser) advice(d *detail) string {
	command := inputCommands[a.input]
	switch {
	case d.isForm && command != "" && !d.isToken:
		return d.Advice + " (" + command + ")"
	case d.Domain != "" && a.keys != "" && (d.Setting == "Keys" || d.Setting == "Bundle"):
		return fmt.Sprintf("%s (to add them to those of --keys: %s --save %s)", d.Advice, a.lookupOf(d), a.bundle())
	case settingFlags[d.Setting] != "":
		return d.Advice + " (" + settingFlags[d.Setting] + ")"
	case d.Domain != "" && d.Setting == "" && !d.isSignature:
		return d.Advice + ": " + a.lookupOf(d)
	}
	return d.Advice
}

// lookupOf returns the command that looks up the domain of d.
func (a *adviser) lookupOf(d *detail) string {
	name := d.Domain
	switch {
	case d.isToken && a.emailDomain != "":
		name = "--evp " + a.emailDomain
	case d.isToken:
		name = "--evp " + name
	case d.EmailDomain != "":
		name = `"` + name + domainQuery + d.EmailDomain + `"` // ? is a pattern in most shells
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

// keysRow tells where the keys that did not verify a signature come from, and how to look
// at them or to renew them. It is empty for other errors.
func (a *adviser) keysRow(d *detail) string {
	switch {
	case d.Domain == "" || d.Setting != "" || !d.isSignature:
		return ""
	case a.keys == "":
		return "to see them: " + a.lookupOf(d)
	}
	written := ""
	if info, err := os.Stat(a.keys); err == nil {
		written = ", written " + cli.FormatTime(info.ModTime(), a.now)
	}
	return fmt.Sprintf("those of --keys %s%s; to fetch them anew: %s --save %s", a.keys, written, a.lookupOf(d), a.bundle())
}

// addDetail adds the rows that explain why a check failed.
func (a *adviser) addDetail(t *cli.Table, d *detail) {
	rule := ""
	if d.Rule != "" {
		rule = d.Rule + " of docs/EVP.md"
	}
	for _, r := range [][2]string{
		{"found", d.Found}, {"expected", d.Expected}, {"what to do", a.advice(d)}, {"keys", a.keysRow(d)}, {"rule", rule},
	} {
		if r[1] != "" {
			t.Row(r[0], r[1])
		}
	}
}

// printNote prints on standard error what the input is, if it is not an assertion: the
// answer in JSON has only a reason, which may be that of any text.
func (a *adviser) printNote(c *cli.Call) {
	switch {
	case !a.input.IsOther() || a.isToken && (a.input == sniff.EVPToken || a.input == sniff.EVPHalf):
		return
	case a.isToken:
		fmt.Fprintf(c.Err, "%s: the input is %s, not a token of the Email Verification Protocol\n", cli.Program, a.input)
		return
	}
	command := ""
	if text := inputCommands[a.input]; text != "" {
		command = " (" + text + ")"
	}
	fmt.Fprintf(c.Err, "%s: the input is %s: %s%s\n", cli.Program, a.input, a.input.Advice(), command)
}
