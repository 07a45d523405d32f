package manpage

import (
	"context"
	"fmt"
	"runtime/debug"
	"strconv"
	"time"

	"github.com/vepverify/vepverify/cmd/vepverify/internal/cli"
)

const help = `Prints the man page of a command, or of the program, as source for man and mandoc. With
--out, it writes the pages of the program and of all commands to a folder.`

var manual = cli.Manual{
	Examples: []cli.Example{
		{For: "Read the page of a command that is not installed from a package", Lines: "vepverify man serve | man -l -"},
		{For: "Install the pages for one user", Lines: "vepverify man --out ~/.local/share/man/man1"},
	},
	Exit: []cli.Exit{
		{Status: cli.ExitOkay, Meaning: "done"},
		{Status: cli.ExitUsage, Meaning: "wrong usage, a folder that cannot be written"},
	},
	Environment: []cli.Entry{
		{Name: "SOURCE_DATE_EPOCH", Text: "The date of the pages, in seconds since 1970. Without it, the date is that of the commit " +
			"from which the program was built, if that is known."},
	},
	Flags: map[string]string{"out": `The folder is made if it is missing, and pages in it are replaced. man finds the pages if the
folder is called man1 and is in a folder of the manpath.`},
	SeeAlso: []string{"help", "completion", "man(1)"},
}

// Command returns the command that prints or writes the man pages of the app.
func Command(app *cli.App) *cli.Command {
	var out string
	return &cli.Command{
		Name: "man", Usage: "print a man page, or write all of them", Arguments: cli.CommandArgument,
		Help: help, Manual: manual,
		Flags: []cli.Flag{cli.Text(&out, "out", "write all pages to the folder `DIR`")},
		Run: func(_ context.Context, c *cli.Call) error {
			date, err := pageDate(c)
			if err != nil {
				return err
			}
			switch {
			case out != "" && len(c.Args) > 0:
				return c.UsageErrorf("--out writes the pages of all commands: name none")
			case out != "":
				return Write(out, app, date)
			}
			return printPage(c, app, date)
		},
	}
}

// printPage prints the page that the arguments name.
func printPage(c *cli.Call, app *cli.App, date time.Time) error {
	command, err := app.Named(c)
	switch {
	case err != nil:
		return err
	case command == nil:
		fmt.Fprint(c.Out, Program(app, date))
	default:
		fmt.Fprint(c.Out, Page(command, date))
	}
	return nil
}

// commitDate returns the date of the commit from which the program was built, or zero.
func commitDate() time.Time {
	info, _ := debug.ReadBuildInfo()
	if info == nil {
		return time.Time{}
	}
	for _, s := range info.Settings {
		if s.Key == "vcs.time" {
			date, _ := time.Parse(time.RFC3339, s.Value)
			return date
		}
	}
	return time.Time{}
}

// pageDate returns the date of SOURCE_DATE_EPOCH, or that of the commit.
func pageDate(c *cli.Call) (time.Time, error) {
	const name = "SOURCE_DATE_EPOCH"
	value, _ := c.Env(name)
	if value == "" {
		return commitDate(), nil
	}
	n, err := strconv.ParseInt(value, 10, 64)
	if err != nil || n < 0 {
		return time.Time{}, c.UsageErrorf("%s %.100q: want seconds since 1970", name, value)
	}
	return time.Unix(n, 0), nil
}
