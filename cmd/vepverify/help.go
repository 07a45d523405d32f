package main

import (
	"fmt"

	"github.com/urfave/cli/v2"
)

const programHelp = `vepverify: {{.Usage}}

Usage:
   vepverify FILE --audience ORIGIN [flags]
   vepverify COMMAND [arguments] [flags]

Commands:
{{- range .VisibleCommands}}
   {{.Name}}{{"\t"}}{{.Usage}}{{end}}

From nothing to a verified assertion:
   vepverify keygen --out issuer.key --bundle idp.example > keys.json
   vepverify certify --key issuer.key --issuer idp.example --email ada@idp.example --out ada.json
   vepverify assert --identity ada.json --audience https://rp.example > assertion.txt
   vepverify assertion.txt --audience https://rp.example --keys keys.json --explain

Flags stand before or after file names; "--" ends them; a value that begins with "-"
is given as --flag=value. A file named like a command is written ./verify. "-" is
standard input. Every flag but --now and --insecure-… can be set in the environment:
--ca-file as VEPVERIFY_CA_FILE, those that repeat with spaces between the values.

Exit status: 0 okay, 1 failure, 3 undecided (try later), each with its answer on standard
output; 2 for wrong usage, unreadable files and bad configuration, with one line on
standard error that says which.

vepverify help COMMAND explains a command.
`

const commandHelp = `vepverify {{.Name}}: {{.Usage}}

Usage:
   vepverify {{.Name}} {{if .Flags}}[flags] {{end}}{{.ArgsUsage}}

{{.Description}}
{{- if .VisibleFlags}}

Flags:
{{- range .VisibleFlags}}
   {{.}}{{end}}

All but --now and --insecure-… can be set in the environment: --some-flag as VEPVERIFY_SOME_FLAG.{{end}}
`

func helpCommand(p *process) *cli.Command {
	return &cli.Command{
		Name: "help", Usage: "explain the program or a command", ArgsUsage: "[COMMAND]",
		Description: "Explains the program or, when one is named, a command.",
		Action: func(c *cli.Context) error {
			if c.NArg() == 0 {
				cli.HelpPrinter(p.out, programHelp, c.App)
				return nil
			}
			command := findCommand(c.App.Commands, c.Args().First())
			if command == nil || c.NArg() > 1 {
				return fmt.Errorf("no such command: vepverify help lists them")
			}
			cli.HelpPrinter(p.out, commandHelp, command)
			return nil
		},
	}
}
