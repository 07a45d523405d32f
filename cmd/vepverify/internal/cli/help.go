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

vepverify help COMMAND explains a command.
`

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
				printHelp(c.Out, programHelp, a)
				return nil
			}
			command := findCommand(a.Commands, c.Args[0])
			switch {
			case len(c.Args) > 1:
				return c.UsageErrorf("one command at a time, not %d", len(c.Args))
			case command == nil:
				return noSuchCommand(c.Args[0], a.Commands)
			}
			printHelp(c.Out, commandHelp, command)
			return nil
		},
	}
}

func printHelp(w io.Writer, template string, data any) {
	cli.HelpPrinterCustom(w, template, data, map[string]any{"paragraph": paragraph})
}

// helpWidth is the largest number of columns of paragraphs that are wrapped.
const helpWidth = 90

// paragraph returns text as a paragraph that is indented and wrapped.
func paragraph(columns int, text string) string {
	p := comment.Printer{TextPrefix: strings.Repeat(" ", columns), TextWidth: helpWidth}
	return strings.TrimSuffix(string(p.Text(new(comment.Parser).Parse(text))), "\n")
}
