package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"

	"github.com/vepverify/vepverify/cmd/vepverify/internal/cli"
	"github.com/vepverify/vepverify/cmd/vepverify/internal/vectors"
)

const vectorsHelp = `Runs test vectors of the format vepverify-vectors/1, which other implementations can
use too. Each case has an assertion, a configuration, the answers of the hosts, and the
expected result. Nothing is fetched. vepverify-evp-vectors/1 is the format for tokens of the
Email Verification Protocol. Files of both formats may be given together.`

// vectorsManual is the rest of its help and of its man page.
var vectorsManual = cli.Manual{
	Examples: []cli.Example{
		{For: "Run all vectors of this repository for assertions", Lines: "vepverify vectors testdata/vectors"},
		{For: "Run some of the cases of one file, and list them", Lines: "vepverify vectors --run 'wildcard|port' --verbose testdata/vectors/audience.json"},
	},
	Notes: `A folder stands for all files *.json in it and below it. Other JSON in a folder, which has
neither "format" nor "cases", is skipped, and standard error names it.

Prints a line for each case that fails, and at the end "N passed, N failed". With --json,
the lines are {"file":…,"case":…,"passed":false,"problem":…} and {"passed":N,"failed":N}.`,
	Exit: []cli.Exit{
		{Status: cli.ExitOkay, Meaning: "all passed"},
		{Status: cli.ExitFailure, Meaning: "some failed"},
		{Status: cli.ExitUsage, Meaning: "wrong usage, a file unreadable or of another format"},
	},
	Detail:     "testdata/README.md in the repository describes the formats.",
	Flags:      map[string]string{"run": `The expression has the syntax of Go's package regexp, and matches anywhere in the name.`},
	FlagGroups: []cli.FlagGroup{cli.FormatFlags},
	Documents:  []string{"docs/PROTOCOL.md", "docs/EVP.md"},
}

// vectorsCmd is the command vectors with its flags and counts.
type vectorsCmd struct {
	pattern string
	verbose bool
	format  cli.Format

	passed, failed int
}

// vectorFile is a file of cases.
type vectorFile struct {
	name  string
	cases []vectors.Test
}

func vectorsCommand() *cli.Command {
	t := &vectorsCmd{format: cli.NewFormat(cli.FormatText)}
	return &cli.Command{
		Name: "vectors", Usage: "run files of test vectors",
		Arguments: "FILE|FOLDER…", Help: vectorsHelp, Manual: vectorsManual, Run: t.run,
		Flags: append(t.format.Flags(),
			cli.Text(&t.pattern, "run", "only cases whose name matches `REGEXP`"),
			cli.Switch(&t.verbose, "verbose", "print a line for cases that pass, too"),
		),
	}
}

func (t *vectorsCmd) run(ctx context.Context, c *cli.Call) error {
	wanted, err := regexp.Compile(t.pattern)
	if err != nil {
		return c.UsageErrorf("--run: %w", err)
	}
	if len(c.Args) == 0 {
		return c.UsageErrorf("no file of test vectors: name one, or a folder of them")
	}
	files, err := loadVectors(ctx, c)
	if err != nil {
		return err
	}
	for _, f := range files {
		if err := t.runFile(ctx, c, f, len(files) > 1, wanted); err != nil {
			return err
		}
	}
	if t.passed+t.failed == 0 && t.pattern != "" {
		return c.UsageErrorf("--run matches no case")
	}
	if err := t.printCounts(c); err != nil {
		return err
	}
	if t.failed > 0 {
		return cli.ExitFailure
	}
	return nil
}

// loadVectors reads the files that the arguments name. All of them must be readable before
// a case is run, and there must be a case.
func loadVectors(ctx context.Context, c *cli.Call) (files []vectorFile, err error) {
	cases := 0
	var others []string
	for _, arg := range c.Args {
		names, err := vectorFiles(arg)
		if err != nil {
			return nil, err
		}
		for _, name := range names {
			f, err := loadVectorFile(ctx, c, name)
			if errors.Is(err, vectors.ErrOther) && name != arg { // in a folder
				others = append(others, name)
				continue
			}
			if err != nil {
				return nil, err
			}
			files, cases = append(files, f), cases+len(f.cases)
		}
	}
	if cases == 0 {
		return nil, fmt.Errorf("no test vectors in %s", strings.Join(c.Args, ", "))
	}
	if len(others) > 0 {
		fmt.Fprintf(c.Err, "%s: note: %s skipped, not test vectors: %s\n", cli.Program,
			plural(len(others), "file", "files"), cli.Printable(cli.Shorten(strings.Join(others, ", "), 200)))
	}
	return files, nil
}

// vectorFiles returns the names of the files that an argument stands for, sorted.
func vectorFiles(arg string) (names []string, err error) {
	info, err := os.Stat(arg)
	if err != nil || !info.IsDir() { // the error of a missing file comes when it is read
		return []string{arg}, nil
	}
	root := arg + string(filepath.Separator) // so that WalkDir follows a symbolic link
	err = filepath.WalkDir(root, func(name string, entry fs.DirEntry, err error) error {
		if err == nil && !entry.IsDir() && strings.HasSuffix(name, ".json") {
			names = append(names, name)
		}
		return err
	})
	switch {
	case err != nil:
		return nil, cli.ReadError(arg, err)
	case len(names) == 0:
		return nil, fmt.Errorf("%s: no .json file in this folder or below it", arg)
	}
	return names, nil
}

// maxVectorFile is the size limit of a file of test vectors, in bytes.
const maxVectorFile = 256 << 20

func loadVectorFile(ctx context.Context, c *cli.Call, name string) (vectorFile, error) {
	data, err := c.ReadWhole(ctx, name, maxVectorFile)
	if err != nil {
		return vectorFile{}, err
	}
	cases, err := vectors.ReadTests(bytes.NewReader(data))
	if err != nil {
		return vectorFile{}, fmt.Errorf("%s: %w", cli.FileName(name), err)
	}
	return vectorFile{name, cases}, nil
}

// runFile runs the wanted cases of a file. If there are several files, it prints the
// file with each case.
func (t *vectorsCmd) runFile(ctx context.Context, call *cli.Call, f vectorFile, several bool, wanted *regexp.Regexp) error {
	for _, c := range f.cases {
		if !wanted.MatchString(c.ID()) {
			continue
		}
		err := c.Check(ctx)
		if err := cli.Interrupted(ctx); err != nil {
			return err
		}
		r := caseResult{Case: c.ID(), Passed: err == nil}
		if several {
			r.File = f.name
		}
		if err != nil {
			r.Problem = err.Error()
		}
		if err := t.report(call, r); err != nil {
			return err
		}
	}
	return nil
}

// caseResult is the result of a case. The JSON form is for scripts.
type caseResult struct {
	File    string `json:"file,omitempty"` // if there are several files
	Case    string `json:"case"`
	Passed  bool   `json:"passed"`
	Problem string `json:"problem,omitempty"`
}

// String returns the result on one line.
func (r caseResult) String() string {
	text := r.Case
	if r.File != "" {
		text = r.File + ": " + text
	}
	if r.Passed {
		return "ok   " + text
	}
	return "FAIL " + text + ": " + r.Problem
}

// report counts the result of a case, and prints it if it failed or with --verbose.
func (t *vectorsCmd) report(c *cli.Call, r caseResult) error {
	if r.Passed {
		t.passed++
	} else {
		t.failed++
	}
	switch {
	case r.Passed && !t.verbose:
		return nil
	case t.format.JSON():
		return c.PrintJSON(r)
	}
	_, err := fmt.Fprintln(c.Out, cli.Printable(r.String()))
	return err
}

// printCounts prints the line at the end.
func (t *vectorsCmd) printCounts(c *cli.Call) error {
	if t.format.JSON() {
		return c.PrintJSON(struct {
			Passed int `json:"passed"`
			Failed int `json:"failed"`
		}{t.passed, t.failed})
	}
	_, err := fmt.Fprintf(c.Out, "%d passed, %d failed\n", t.passed, t.failed)
	return err
}
