package main

import (
	"context"
	"fmt"
	"regexp"

	"github.com/vepverify/vepverify/cmd/vepverify/internal/cli"
	"github.com/vepverify/vepverify/cmd/vepverify/internal/vectors"
)

const vectorsHelp = `Runs test vectors of the format vepverify-vectors/1, which other implementations can
use too. Each case has an assertion, a configuration, the answers of the hosts, and the
expected result. Nothing is fetched.

Examples:
  vepverify vectors testdata/vectors.json
  vepverify vectors --run 'wildcard|port' --verbose testdata/vectors.json

Prints a line for each case that fails, and at the end "N passed, N failed".

Exit status:
  0 all passed   1 some failed   2 usage, a file unreadable or of another format`

// vectorsCmd is the command vectors with its flags and counts.
type vectorsCmd struct {
	pattern string
	verbose bool

	passed, failed int
}

// vectorFile is a file of cases.
type vectorFile struct {
	name  string
	cases []vectors.Case
}

func vectorsCommand() *cli.Command {
	t := &vectorsCmd{}
	return &cli.Command{
		Name: "vectors", Usage: "run files of test vectors",
		Arguments: "FILE…", Help: vectorsHelp, Run: t.run,
		Flags: []cli.Flag{
			cli.Text(&t.pattern, "run", "only cases whose name matches `REGEXP`"),
			cli.Switch(&t.verbose, "verbose", "print a line for cases that pass, too"),
		},
	}
}

func (t *vectorsCmd) run(ctx context.Context, c *cli.Call) error {
	wanted, err := regexp.Compile(t.pattern)
	if err != nil {
		return c.UsageErrorf("--run: %w", err)
	}
	if len(c.Args) == 0 {
		return c.UsageErrorf("no file of test vectors named")
	}
	var files []vectorFile
	for _, name := range c.Args { // before any case is run: all files must be readable
		f, err := t.load(c, name)
		if err != nil {
			return err
		}
		files = append(files, f)
	}
	for _, f := range files {
		if err := t.runFile(ctx, c, f, len(files) > 1, wanted); err != nil {
			return err
		}
	}
	if t.passed+t.failed == 0 && t.pattern != "" {
		return c.UsageErrorf("--run matches no case")
	}
	fmt.Fprintf(c.Out, "%d passed, %d failed\n", t.passed, t.failed)
	if t.failed > 0 {
		return cli.ExitFailure
	}
	return nil
}

// load reads a file of test vectors.
func (t *vectorsCmd) load(c *cli.Call, name string) (vectorFile, error) {
	in, err := c.Open(name)
	if err != nil {
		return vectorFile{}, err
	}
	defer in.Close()
	f, err := vectors.Read(in)
	if err != nil {
		return vectorFile{}, fmt.Errorf("%s: %w", cli.FileName(name), err)
	}
	return vectorFile{name, f.Cases}, nil
}

// runFile runs the wanted cases of a file. If there are several files, it prints the
// file with each case.
func (t *vectorsCmd) runFile(ctx context.Context, call *cli.Call, f vectorFile, several bool, wanted *regexp.Regexp) error {
	for i := range f.cases {
		c := &f.cases[i]
		if !wanted.MatchString(c.Name) {
			continue
		}
		err := c.Check(ctx)
		if ctx.Err() != nil {
			return fmt.Errorf("interrupted")
		}
		name := c.Name
		if several {
			name = f.name + ": " + name
		}
		t.report(call, name, err)
	}
	return nil
}

// report counts the outcome of a case and prints its line.
func (t *vectorsCmd) report(c *cli.Call, name string, err error) {
	switch {
	case err != nil:
		t.failed++
		fmt.Fprintln(c.Out, cli.Printable("FAIL "+name+": "+err.Error()))
	case t.verbose:
		fmt.Fprintln(c.Out, cli.Printable("ok   "+name))
		fallthrough
	default:
		t.passed++
	}
}
