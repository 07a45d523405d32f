package cli_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/vepverify/vepverify/cmd/vepverify/internal/cli"
)

// testApp returns a program with commands that have flags of every kind.
func testApp() *cli.App {
	app := &cli.App{Default: "verify"}
	app.Commands = []*cli.Command{
		{Name: "verify", Flags: []cli.Flag{
			cli.Value(new(cli.List), "audience", "an `ORIGIN`"),
			cli.Value(new(cli.Instant), "now", "a `TIME`"),
			cli.Switch(new(bool), "text", "text"),
		}},
		{Name: "lookup", Flags: []cli.Flag{
			cli.Switch(new(bool), "json", "JSON"),
			cli.Text(new(string), "save", "a `FILE`"),
		}},
		{Name: "request", Flags: []cli.Flag{
			cli.Short("X", cli.Text(new(string), "method", "a `METHOD`")),
			cli.Short("d", cli.Value(new(cli.List), "data", "`TEXT`")),
			cli.Short("H", cli.Value(new(cli.List), "header", "a `HEADER`")),
			cli.Short("i", cli.Switch(new(bool), "include", "include")),
		}},
		{Name: cli.VersionName},
		cli.HelpCommand(app),
	}
	return app
}

// FuzzArrange: arguments that are in order stay unchanged.
func FuzzArrange(f *testing.F) {
	for _, seed := range []string{
		"a.txt\x00--audience\x00https://rp.example", "--help", "--version", "verify\x00-h", "help\x00lookup",
		"--audience=x\x00--\x00--odd", "lookup\x00--json\x00idp.example\x00--save\x00x", "-\x00--text=false", "--now\x00-1", "request\x00-XPUT\x00-i\x00-da=b\x00-H\x00c:d\x00x",
	} {
		f.Add(seed)
	}
	none := func(string) (string, bool) { return "", false }
	f.Fuzz(func(t *testing.T, joined string) {
		app := testApp()
		once, _, err := app.Arrange(strings.Split(joined, "\x00"), none)
		if err != nil {
			return
		}
		twice, _, err := app.Arrange(once, none)
		if err != nil || !slices.Equal(once, twice) {
			t.Errorf("arranged again, %q is %q (%v)", once, twice, err)
		}
	})
}
