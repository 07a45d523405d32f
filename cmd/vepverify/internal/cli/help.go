package cli

import (
	"context"
	"go/doc/comment"
	"io"
	"strings"

	"github.com/urfave/cli/v2"
)

// helpName is the name of the command that --help runs.
const helpName = "help"

const programHelp = `vepverify: {{.Usage}}

Usage:
{{- range .Synopsis}}
   {{.}}{{end}}

{{.Help}}
{{- range .Groups}}

{{.Name}}:
{{- range .Commands}}
   {{printf "%-11s" .Name}} {{.Usage}}{{end}}{{end}}
{{- range .Manual.Examples}}

{{.For}}:
{{indent 3 .Lines}}{{end}}

{{.Manual.Notes}}

Exit status: {{.Manual.ExitNote}}

{{explain}}
`

// CommandsHelp says where the help of a command is.
const CommandsHelp = "vepverify help COMMAND explains a command."

const commandHelp = `vepverify {{.Name}}: {{.Usage}}

Usage:
   {{.Synopsis}}

{{.Help}}
{{- with .Manual.Examples}}

Example{{if gt (len .) 1}}s{{end}}:
{{- range .}}
{{indent 2 .Lines}}{{end}}{{end}}
{{- with .Manual.Notes}}

{{.}}{{end}}
{{- with .Manual.Trouble}}

If something does not work:
{{- range .}}
  {{.Name}}
{{paragraph 6 .Text}}{{end}}{{end}}
{{- with .Manual.Exit}}

Exit status{{with $.Manual.ExitNote}}, {{.}}{{end}}:
{{- range .}}
  {{.}}{{end}}{{end}}
{{- if .Flags}}

Flags:
{{- range .Flags}}
   {{.}}{{end}}

{{variables}}{{end}}
`

// VariablesHelp says which variables set flags.
const VariablesHelp = `All flags except --now and --insecure-… can be set in the environment:
--some-flag as VEPVERIFY_SOME_FLAG.`

// HelpCommand returns the command that prints the help of the app or of one of
// its commands.
func HelpCommand(a *App) *Command {
	return &Command{
		Name: helpName, Usage: "explain the program or a command", Arguments: CommandArgument,
		Help:   "Explains the program, or the command that is named. --help after a command does the same.",
		Manual: Manual{Exit: []Exit{{ExitOkay, "done"}, {ExitUsage, "wrong usage, no such command"}}, SeeAlso: []string{"man"}},
		Run: func(_ context.Context, c *Call) error {
			switch command, err := a.Named(c); {
			case err != nil:
				return err
			case command == nil:
				printHelp(c.Out, programHelp, a)
			default:
				printHelp(c.Out, commandHelp, command)
			}
			return nil
		},
	}
}

// CommandArgument is the argument, as help shows it, that is the name of a command or absent.
const CommandArgument = "[COMMAND]"

// Named returns the command that the argument of a call names, or nil without an argument.
func (a *App) Named(c *Call) (*Command, error) {
	switch {
	case len(c.Args) == 0:
		return nil, nil
	case len(c.Args) > 1:
		return nil, c.UsageErrorf("one command at a time, not %d", len(c.Args))
	}
	command := findCommand(a.Commands, c.Args[0])
	if command == nil {
		return nil, noSuchCommand(c.Args[0], a.Commands)
	}
	return command, nil
}

func printHelp(w io.Writer, template string, data any) {
	cli.HelpPrinterCustom(w, template, data, map[string]any{
		"paragraph": paragraph,
		"explain":   func() string { return CommandsHelp },
		"variables": func() string { return VariablesHelp },
	})
}

// helpWidth is the largest number of columns of paragraphs that are wrapped.
const helpWidth = 90

// paragraph returns text as a paragraph that is indented and wrapped.
func paragraph(columns int, text string) string {
	p := comment.Printer{TextPrefix: strings.Repeat(" ", columns), TextWidth: helpWidth}
	return strings.TrimSuffix(string(p.Text(new(comment.Parser).Parse(text))), "\n")
}
