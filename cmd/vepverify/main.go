package main

import (
	"os"
	"os/signal"
	"slices"
	"syscall"
	"time"

	"github.com/vepverify/vepverify/cmd/vepverify/internal/batch"
	"github.com/vepverify/vepverify/cmd/vepverify/internal/cli"
	"github.com/vepverify/vepverify/cmd/vepverify/internal/demo"
	"github.com/vepverify/vepverify/cmd/vepverify/internal/idp"
	"github.com/vepverify/vepverify/cmd/vepverify/internal/manpage"
	"github.com/vepverify/vepverify/cmd/vepverify/internal/request"
	"github.com/vepverify/vepverify/cmd/vepverify/internal/serve"
	"github.com/vepverify/vepverify/cmd/vepverify/internal/signals"
)

func main() {
	// A write to a closed pipe returns an error instead of ending the process.
	signal.Ignore(syscall.SIGPIPE)
	ctx := signals.Context(os.Stderr)
	os.Exit(newApp().Run(ctx, os.Args[1:], &cli.Process{
		In: os.Stdin, Out: os.Stdout, Err: os.Stderr, Env: os.LookupEnv, Environ: os.Environ, Now: time.Now,
		Failed: serve.NotifyFailure,
	}))
}

// newApp returns the program. Help lists its commands in this order.
func newApp() *cli.App {
	app := &cli.App{
		Usage: "verify BrowserID assertions and EVP tokens", Default: "verify",
		Synopsis: synopsis, Help: help, Manual: manual,
	}
	app.Commands = slices.Concat(
		cli.Group("Verify", verifyCommand(), batch.Command(), serve.Command(), healthCommand()),
		cli.Group("Inspect", inspectCommand(), lookupCommand()),
		cli.Group("Issue and sign in", keygenCommand(), certifyCommand(), assertCommand(), request.Command()),
		cli.Group("Try and test", demo.Command(), idp.Command(), vectorsCommand()),
		cli.Group("About this program", cli.HelpCommand(app), manpage.Command(app), cli.CompletionCommand(app), versionCommand()),
	)
	return app
}

var synopsis = []string{"vepverify FILE --audience ORIGIN [flags]", "vepverify COMMAND [arguments] [flags]"}

const help = `BrowserID (Mozilla Persona, the Verified Email Protocol) lets a person or a program prove an
email address with a signed text, an assertion. In the Email Verification Protocol (EVP), its
descendant, browsers do so with a token. EVP is a draft, and its support is experimental.`

// manual is the rest of the program's help and of its man page.
var manual = cli.Manual{
	Examples: []cli.Example{
		{For: "From nothing to a verified assertion", Lines: `vepverify keygen --out issuer.key --bundle idp.example > keys.json
vepverify certify --key issuer.key --issuer idp.example --email ada@idp.example --out ada.json
vepverify assert --identity ada.json --audience https://rp.example > assertion.txt
vepverify assertion.txt --audience https://rp.example --keys keys.json --explain`},
		{For: "A token, as Chromium sends it", Lines: `vepverify token.txt --audience https://rp.example --nonce="$NONCE"`},
	},
	Notes: `Flags may stand before or after file names; "--" ends them. A value that begins with "-"
is given as --flag=value. A file named like a command is written ./verify. "-" is
standard input. Every flag except --now and --insecure-… can be set in the environment:
--ca-file as VEPVERIFY_CA_FILE, repeatable ones with spaces between the values.`,
	Environment: terminalVariables,
	SeeAlso:     []string{"verify", "serve"},
	Documents:   []string{"README.md", "docs/README.md"},
	Exit: []cli.Exit{
		{Status: cli.ExitOkay, Meaning: "okay"},
		{Status: cli.ExitFailure, Meaning: "failure: an assertion is refused, or what the command checks is not as it should be"},
		{Status: cli.ExitUsage, Meaning: "wrong usage, unreadable files or bad configuration"},
		{Status: cli.ExitUndecided, Meaning: "undecided: an issuer could not be reached; try again later"},
		{Status: 130, Meaning: "interrupted by Ctrl-C"},
		{Status: 143, Meaning: "ended by SIGTERM"},
	},
	ExitNote: `0 okay, 1 failure, 3 undecided (try later), each with its answer on standard
output; 2 for wrong usage, unreadable files and bad configuration, with one line on
standard error; 130 after Ctrl-C and 143 after SIGTERM, without an answer.`,
}

// terminalVariables are variables of other software about the terminal.
var terminalVariables = []cli.Entry{
	{Name: "NO_COLOR", Text: "If it is not empty, no colors are used. They are used on terminals only, and not if TERM is dumb."},
	{Name: "LC_ALL, LC_CTYPE, LANG", Text: "In a locale that is not UTF-8, explanations are marked with ASCII characters."},
}
