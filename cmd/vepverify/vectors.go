package main

import (
	"context"
	"fmt"
	"regexp"

	"github.com/urfave/cli/v2"

	"github.com/vepverify/vepverify/cmd/vepverify/internal/vectors"
)

const vectorsHelp = `Runs test vectors of the format vepverify-vectors/1, which other implementations can
use too: each case has an assertion, a configuration, what the hosts answer, and what
must come of it. Nothing is fetched.

Examples:
  vepverify vectors testdata/vectors.json
  vepverify vectors --run 'wildcard|port' --verbose testdata/vectors.json

Prints a line for each case that fails, and at the end "N passed, N failed".

Exit status:
  0 all passed   1 some failed   2 usage, a file unreadable or of another format`

// trial is the command vectors.
type trial struct {
	*process
	pattern string
	verbose bool

	passed, failed int
}

// vectorFile is a file of cases and where it came from.
type vectorFile struct {
	name  string
	cases []vectors.Case
}

func vectorsCommand(p *process) *cli.Command {
	t := &trial{process: p}
	return &cli.Command{
		Name: "vectors", Usage: "run files of test vectors",
		ArgsUsage: "FILE…", Description: vectorsHelp, Action: t.run,
		Flags: []cli.Flag{
			textFlag(&t.pattern, "run", "only cases whose name matches `REGEXP`"),
			switchFlag(&t.verbose, "verbose", "a line for cases that pass, too"),
		},
	}
}

func (t *trial) run(c *cli.Context) error {
	wanted, err := regexp.Compile(t.pattern)
	if err != nil {
		return usageError(c, "--run: %w", err)
	}
	if c.NArg() == 0 {
		return usageError(c, "no file of test vectors is named")
	}
	var files []vectorFile
	for _, name := range c.Args().Slice() { // all of them first: nothing is run when one is wrong
		f, err := t.load(name)
		if err != nil {
			return err
		}
		files = append(files, f)
	}
	for _, f := range files {
		if err := t.runFile(c.Context, f, len(files) > 1, wanted); err != nil {
			return err
		}
	}
	if t.passed+t.failed == 0 && t.pattern != "" {
		return usageError(c, "--run matches no case")
	}
	fmt.Fprintf(t.out, "%d passed, %d failed\n", t.passed, t.failed)
	if t.failed > 0 {
		return exitFailure
	}
	return nil
}

func (t *trial) load(name string) (vectorFile, error) {
	from := t.in
	if name != "-" {
		f, err := openFile(name)
		if err != nil {
			return vectorFile{}, err
		}
		defer f.Close()
		from = f
	}
	f, err := vectors.Read(from)
	if err != nil {
		return vectorFile{}, fmt.Errorf("%s: %w", nameOf(name), err)
	}
	return vectorFile{name, f.Cases}, nil
}

// runFile runs the wanted cases of a file; among several files, it says which.
func (t *trial) runFile(ctx context.Context, f vectorFile, several bool, wanted *regexp.Regexp) error {
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
		t.note(name, err)
	}
	return nil
}

func (t *trial) note(name string, err error) {
	switch {
	case err != nil:
		t.failed++
		fmt.Fprintln(t.out, printable("FAIL "+name+": "+err.Error()))
	case t.verbose:
		fmt.Fprintln(t.out, printable("ok   "+name))
		fallthrough
	default:
		t.passed++
	}
}
