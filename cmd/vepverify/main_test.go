package main

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	urfave "github.com/urfave/cli/v2"

	"github.com/vepverify/vepverify/cmd/vepverify/internal/cli"
	"github.com/vepverify/vepverify/cmd/vepverify/internal/clitest"
)

// runApp runs the program within the test.
func runApp(t *testing.T, p cli.Process, args ...string) (code int, out, stderr string) {
	t.Helper()
	return clitest.Run(t, newApp(), p, args...)
}

func TestErrorIsPrintable(t *testing.T) {
	for _, args := range [][]string{
		{"no\x1b[31mfile\nhere", "--audience", "https://rp.example"},
		{"--\x1b[31m\n"},
		{"--now", "\x1b[31m\u202e", "x"},
		{"verify", "--fallback", "\x1b[31m\n\u009b", "--audience", "x"},
		{"lookup", "\x1b[31m\n"},
		{"help", "\x1b[31m\n"},
		{strings.Repeat("x", 1<<20), "--audience", "https://rp.example"},
	} {
		code, _, stderr := runApp(t, cli.Process{}, args...)
		if code != int(cli.ExitUsage) || strings.Count(stderr, "\n") != 1 || len(stderr) > 3000 {
			t.Errorf("%.40q: status %d and %.300q, want %d and one line", args, code, stderr, cli.ExitUsage)
		}
		if strings.ContainsAny(stderr, "\x1b\u202e\u009b") {
			t.Errorf("%.40q: not printable: %q", args, stderr)
		}
	}
}

// TestFlagsAgree: flags of the same name take a value in all commands or in none,
// because arguments are parsed before the command is known.
func TestFlagsAgree(t *testing.T) {
	takes := make(map[string]bool)
	for _, c := range newApp().Commands {
		for _, f := range c.Flags {
			name := f.Names()[0]
			before, known := takes[name]
			if known && before != f.(urfave.DocGenerationFlag).TakesValue() {
				t.Errorf("--%s takes a value in some commands only", name)
			}
			takes[name] = f.(urfave.DocGenerationFlag).TakesValue()
			d := f.(urfave.DocGenerationFlag)
			if d.TakesValue() && strings.Count(d.GetUsage(), "`") != 2 {
				t.Errorf("%s --%s: the help does not name the value", c.Name, name)
			}
		}
	}
}

// TestEveryFlagHasAVariable: every flag except the clock and those that weaken a
// check can be set in the environment.
func TestEveryFlagHasAVariable(t *testing.T) {
	for i, c := range newApp().Commands {
		for _, f := range c.Flags {
			name := f.Names()[0]
			want := name != "now" && !strings.HasPrefix(name, "insecure")
			variable := "VEPVERIFY_" + strings.ToUpper(strings.ReplaceAll(name, "-", "_"))
			value := "true"
			if name == "output" && c.Name != "request" { // a format; another value is for request
				value = cli.FormatJSON
			}
			app, set := newApp(), false
			app.Commands[i].Run = func(_ context.Context, c *cli.Call) error {
				set = c.IsSet(name) && !c.Given(name)
				return nil
			}
			_, _, stderr := clitest.Run(t, app, cli.Process{Env: clitest.Env(variable + "=" + value)}, c.Name)
			if got := set || strings.Contains(stderr, "invalid value") && strings.Contains(stderr, variable); got != want {
				t.Errorf("%s --%s from the environment: %v, want %v: %s", c.Name, name, got, want, stderr)
			}
		}
	}
}

// variableOf returns the variable of a flag, or "" if it has none.
func variableOf(flag string) string {
	if flag == "now" || strings.HasPrefix(flag, "insecure-") {
		return ""
	}
	return "VEPVERIFY_" + strings.ToUpper(strings.ReplaceAll(flag, "-", "_"))
}

// TestHelpNamesFilesThatExist: the files of the repository in the examples of the help exist.
func TestHelpNamesFilesThatExist(t *testing.T) {
	for _, c := range newApp().Commands {
		_, help, _ := runApp(t, cli.Process{}, "help", c.Name)
		for _, word := range strings.Fields(help) {
			if !strings.HasPrefix(word, "testdata/") {
				continue
			}
			if _, err := os.Stat(filepath.Join("..", "..", word)); err != nil {
				t.Errorf("%s: %v", c.Name, err)
			}
		}
	}
}
