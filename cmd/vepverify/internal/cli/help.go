package cli

import (
	"context"

	"github.com/urfave/cli/v2"
)

// helpName is the name of the command that --help runs.
const helpName = "help"

const commandHelp = `vepverify {{.Name}}: {{.Usage}}

Usage:
   vepverify {{.Name}}{{if .Flags}} [flags]{{end}}{{with .Arguments}} {{.}}{{end}}

{{.Help}}
{{- if .Flags}}

Flags:
{{- range .Flags}}
   {{.}}{{end}}

All except --now and --insecure-… can be set in the environment:
--some-flag as VEPVERIFY_SOME_FLAG.{{end}}
`

// HelpCommand returns the command that prints the help of the app or of one of
// its commands.
func HelpCommand(a *App) *Command {
	return &Command{
		Name: helpName, Usage: "explain the program or a command", Arguments: "[COMMAND]",
		Help: "Explains the program, or the command that is named.",
		Run: func(_ context.Context, c *Call) error {
			if len(c.Args) == 0 {
				cli.HelpPrinter(c.Out, a.Help, a)
				return nil
			}
			command := findCommand(a.Commands, c.Args[0])
			switch {
			case len(c.Args) > 1:
				return c.UsageErrorf("one command at a time, not %d", len(c.Args))
			case command == nil:
				return noSuchCommand(c.Args[0], a.Commands)
			}
			cli.HelpPrinter(c.Out, commandHelp, command)
			return nil
		},
	}
}
