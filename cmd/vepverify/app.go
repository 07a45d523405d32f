package main

import (
	"github.com/urfave/cli/v2"
)

// program is the name under which the program speaks of itself.
const program = "vepverify"

// defaultCommand is the command when the first argument names none.
const defaultCommand = "verify"

// newApp puts the commands together, in the order in which help lists them.
func newApp(p *process) *cli.App {
	app := &cli.App{
		Name:   program,
		Usage:  "verify BrowserID (Persona, Verified Email Protocol) assertions",
		Reader: p.in, Writer: p.out, ErrWriter: p.err,
		// help and version are commands of ours: arrange turns --help and
		// --version into them.
		HideHelp: true, HideVersion: true,
		// Exit statuses are run's affair.
		ExitErrHandler: func(*cli.Context, error) {},
		Commands: []*cli.Command{
			verifyCommand(p),
			batchCommand(p),
			serveCommand(p),
			inspectCommand(p),
			lookupCommand(p),
			vectorsCommand(p),
			keygenCommand(p),
			certifyCommand(p),
			assertCommand(p),
			requestCommand(p),
			idpCommand(p),
			demoCommand(p),
			completionCommand(p),
			versionCommand(p),
			helpCommand(p),
		},
	}
	for _, c := range app.Commands {
		c.HideHelp = true
		c.OnUsageError = p.badValue
	}
	return app
}
