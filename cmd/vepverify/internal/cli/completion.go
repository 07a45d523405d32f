package cli

import (
	"context"
	_ "embed"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"text/template"
)

const completionHelp = `Prints a script that completes commands, flags, their values and file names in a shell.`

// completionManual is the rest of its help and of its man page.
var completionManual = Manual{
	Examples: []Example{
		{"Try it in bash, and keep it", `source <(vepverify completion bash)
vepverify completion bash > ~/.local/share/bash-completion/completions/vepverify`},
		{"Try it in zsh, and keep it in a folder of $fpath", `source <(vepverify completion zsh)
vepverify completion zsh > "${fpath[1]}/_vepverify"`},
		{"Try it in fish, and keep it", `vepverify completion fish | source
vepverify completion fish > ~/.config/fish/completions/vepverify.fish`},
	},
	Notes: `The folders must exist, and that of zsh must be in $fpath before compinit runs.`,
	Exit:  []Exit{{ExitOkay, "done"}, {ExitUsage, "wrong usage"}},
	Files: []Entry{
		{"/usr/share/bash-completion/completions/vepverify", "The script for bash, from the Debian package."},
		{"/usr/share/zsh/vendor-completions/_vepverify", "The script for zsh, from the Debian package."},
		{"/usr/share/fish/vendor_completions.d/vepverify.fish", "The script for fish, from the Debian package."},
	},
	SeeAlso: []string{helpName, "bash(1)", "zsh(1)", "fish(1)"},
}

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

// completable is what the scripts need of a command.
type completable struct {
	Name, Usage string
	Flags       []completableFlag
	Words       []string // see Command
}

type completableFlag struct {
	Name, Usage string
	Value       bool     // it takes a value
	File        bool     // the value is a file or folder
	Choices     []string // the values, if there are few
}

// CompletionCommand returns the command that prints completion scripts for the
// app's commands.
func CompletionCommand(a *App) *Command {
	return &Command{
		Name: "completion", Usage: "print a completion script for bash, zsh or fish",
		Arguments: "bash|zsh|fish", Help: completionHelp, Manual: completionManual, Words: []string{"bash", "fish", "zsh"},
		Run: func(_ context.Context, c *Call) error {
			if len(c.Args) != 1 || scripts[c.Args[0]] == "" {
				return c.UsageErrorf("which shell? bash, zsh or fish")
			}
			t, err := template.New("completion").Funcs(template.FuncMap{"quote": shellQuote}).Parse(scripts[c.Args[0]])
			if err != nil {
				return err
			}
			return t.Execute(c.Out, completables(a.Commands))
		},
	}
}

// completables returns what the scripts need of the commands.
func completables(commands []*Command) (list []completable) {
	for _, c := range commands {
		e := completable{Name: c.Name, Usage: c.Usage, Words: c.Words}
		for _, f := range c.Flags {
			usage := usageOf(f)
			e.Flags = append(e.Flags, completableFlag{
				Name: f.Names()[0], Usage: strings.ReplaceAll(usage, "`", ""),
				Value: takesValue(f), File: strings.Contains(usage, "`FILE`") || strings.Contains(usage, "`DIR`"), Choices: choicesOf(f),
			})
		}
		if c.Arguments == CommandArgument {
			e.Words = commandNames(commands)
		}
		list = append(list, e)
	}
	return list
}

// choicesOf returns the values of a flag that shells complete.
func choicesOf(f Flag) []string {
	if c, ok := valueOf(f).(interface{ Choices() []string }); ok {
		return c.Choices()
	}
	return nil
}

func commandNames(commands []*Command) (names []string) {
	for _, c := range commands {
		names = append(names, c.Name)
	}
	slices.Sort(names)
	return names
}

// Invocation returns the words with which the user started this program, for
// command lines to copy. arg0 is the first element of [os.Args].
func Invocation(arg0 string) string {
	if strings.Contains(filepath.ToSlash(arg0), "/go-build") {
		return "go run ./cmd/vepverify"
	}
	return ShellWord(arg0)
}

var plainWord = regexp.MustCompile(`^[A-Za-z0-9_./:@%+,=-]+$`)

// ShellWord quotes text for a shell if that is necessary.
func ShellWord(text string) string {
	if plainWord.MatchString(text) {
		return text
	}
	return shellQuote(text)
}

// shellQuote puts text into single quotes, for all three shells.
func shellQuote(s string) string { return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'" }
