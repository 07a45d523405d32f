package main

import (
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/vepverify/vepverify/cmd/vepverify/internal/batch"
	"github.com/vepverify/vepverify/cmd/vepverify/internal/cli"
	"github.com/vepverify/vepverify/cmd/vepverify/internal/demo"
	"github.com/vepverify/vepverify/cmd/vepverify/internal/idp"
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
	}))
}

// newApp returns the program. Help lists its commands in this order.
func newApp() *cli.App {
	app := &cli.App{Help: help, Default: "verify"}
	app.Commands = []*cli.Command{
		verifyCommand(),
		batch.Command(),
		serve.Command(),
		inspectCommand(),
		lookupCommand(),
		vectorsCommand(),
		keygenCommand(),
		certifyCommand(),
		assertCommand(),
		request.Command(),
		idp.Command(),
		demo.Command(),
		healthCommand(),
		cli.CompletionCommand(app),
		versionCommand(),
		cli.HelpCommand(app),
	}
	return app
}

// help is the template of the program's help.
const help = `vepverify: verify BrowserID (Persona, Verified Email Protocol) assertions, and tokens of the
Email Verification Protocol (EVP, experimental)

Usage:
   vepverify FILE --audience ORIGIN [flags]
   vepverify COMMAND [arguments] [flags]

Commands:
{{- range .Commands}}
   {{.Name}}{{"\t"}}{{.Usage}}{{end}}

From nothing to a verified assertion:
   vepverify keygen --out issuer.key --bundle idp.example > keys.json
   vepverify certify --key issuer.key --issuer idp.example --email ada@idp.example --out ada.json
   vepverify assert --identity ada.json --audience https://rp.example > assertion.txt
   vepverify assertion.txt --audience https://rp.example --keys keys.json --explain

A token, as Chromium sends it:
   vepverify token.txt --audience https://rp.example --nonce="$NONCE"

Flags may stand before or after file names; "--" ends them. A value that begins with "-"
is given as --flag=value. A file named like a command is written ./verify. "-" is
standard input. Every flag except --now and --insecure-… can be set in the environment:
--ca-file as VEPVERIFY_CA_FILE, repeatable ones with spaces between the values.

Exit status: 0 okay, 1 failure, 3 undecided (try later), each with its answer on standard
output; 2 for wrong usage, unreadable files and bad configuration, with one line on
standard error; 130 after Ctrl-C and 143 after SIGTERM, without an answer.

vepverify help COMMAND explains a command.
`
