package main

import (
	_ "embed"
	"slices"
	"strings"
	"text/template"

	"github.com/urfave/cli/v2"
)

const completionHelp = `Prints a script that completes commands, flags and file names in a shell.

To try it, and to keep it:
  bash   source <(vepverify completion bash)
         vepverify completion bash > ~/.local/share/bash-completion/completions/vepverify
  zsh    source <(vepverify completion zsh)
         vepverify completion zsh > ~/.zfunc/_vepverify      (a folder in $fpath)
  fish   vepverify completion fish | source
         vepverify completion fish > ~/.config/fish/completions/vepverify.fish`

// The scripts, as templates over a []completable.
var (
	//go:embed completion/bash.tmpl
	bashScript string
	//go:embed completion/zsh.tmpl
	zshScript string
	//go:embed completion/fish.tmpl
	fishScript string

	scripts = map[string]string{"bash": bashScript, "zsh": zshScript, "fish": fishScript}
)

// completable is a command as the scripts see it.
type completable struct {
	Name, Usage string
	Flags       []completableFlag
	Words       []string // what its arguments may be, if not files
}

type completableFlag struct {
	Name, Usage string
	Value       bool // it takes one
	File        bool // which is a file or folder
}

func completionCommand(p *process) *cli.Command {
	return &cli.Command{
		Name: "completion", Usage: "print a completion script for bash, zsh or fish",
		ArgsUsage: "bash|zsh|fish", Description: completionHelp,
		Action: func(c *cli.Context) error {
			script, known := scripts[c.Args().First()]
			if !known || c.NArg() != 1 {
				return usageError(c, "which shell? bash, zsh or fish")
			}
			t, err := template.New("completion").Funcs(template.FuncMap{"quote": shellQuote}).Parse(script)
			if err != nil {
				return err
			}
			return t.Execute(p.out, completables(c.App.Commands))
		},
	}
}

func completables(commands []*cli.Command) (list []completable) {
	for _, c := range commands {
		e := completable{Name: c.Name, Usage: c.Usage}
		for _, f := range c.Flags {
			d, _ := f.(cli.DocGenerationFlag)
			usage := strings.ReplaceAll(d.GetUsage(), "`", "")
			e.Flags = append(e.Flags, completableFlag{
				Name: f.Names()[0], Usage: usage, Value: d.TakesValue(), File: strings.Contains(d.GetUsage(), "`FILE`"),
			})
		}
		switch c.Name {
		case "completion":
			e.Words = []string{"bash", "fish", "zsh"}
		case "help":
			for _, other := range commands {
				e.Words = append(e.Words, other.Name)
			}
			slices.Sort(e.Words)
		}
		list = append(list, e)
	}
	return list
}

// shellQuote puts text into single quotes, for all three shells.
func shellQuote(s string) string { return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'" }
