// Package batch is the command batch: it verifies the assertions in the lines of a
// file, several at a time, and prints one answer for each line.
package batch

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime"
	"slices"
	"time"

	"github.com/vepverify/vepverify/cmd/vepverify/internal/batch/pipeline"
	"github.com/vepverify/vepverify/cmd/vepverify/internal/cli"
	"github.com/vepverify/vepverify/cmd/vepverify/internal/signals"
	"github.com/vepverify/vepverify/cmd/vepverify/internal/verifier"
	"github.com/vepverify/vepverify/internal/sniff"
)

const help = `Verifies many assertions, one on each line of FILE, or of standard input when FILE is
"-" or absent, and prints one answer for each, in the order of the lines. A line is

  {"id":…,"assertion":"…","audience":"https://rp.example"}
  certificate~assertion                                      a bare one, with --audience

"id" is optional and may be any JSON value. The answer has it as it was written. With
--audience, "audience" is optional, and must be one of the given ones. A line with a token of
the Email Verification Protocol, which has a nonce of its own, is a bad line.`

// manual is the rest of its help and of its man page.
var manual = cli.Manual{
	Examples: []cli.Example{
		{For: "Verify a file", Lines: "vepverify batch lines.ndjson > answers.ndjson"},
		{For: "Verify bare assertions for one site, with keys from a file", Lines: "vepverify batch --keys keys.json --audience https://rp.example < assertions.txt"},
		{For: "Verify blocks of lines in several processes", Lines: "parallel --pipe --keep-order vepverify batch --quiet < lines.ndjson > answers.ndjson"},
	},
	Notes: `Answers on standard output, each with the id and the answer of verify:
  {"id":…,"status":"okay","email":…,"audience":…,"expires":…,"issuer":…}
  {"id":…,"status":"failure","reason":…}                     malformed lines too: "bad line: …"
  {"id":…,"status":"failure","reason":…,"undecided":true}
With --text, an answer is a line for people, such as "7: okay: ada@idp.example at
https://rp.example", where 7 is the id.

Standard error shows the progress if it is a terminal, and the counts of the outcomes at
the end. After the first interrupt, the lines that are being verified are finished. The
number of the last answered line is printed, so that "tail -n +NEXT FILE" prints the rest.
The second interrupt ends the program at once. SIGHUP, which the system sends when the
terminal is closed, counts as the first, except under nohup.`,
	Exit: []cli.Exit{
		{Status: cli.ExitOkay, Meaning: "every line was answered, with any outcome"},
		{Status: 130, Meaning: "interrupted"},
		{Status: cli.ExitUsage, Meaning: "wrong usage, or an error of the input or output"},
	},
	Flags: map[string]string{
		"audience": `It is the audience of lines that have none, and a limit for those that have one. Without this
limit, the author of a bare assertion could write an object instead, and so choose the site.`,
		"jobs": `At most 256. More jobs than processors help if lines wait for the network, because issuers are
slow.`,
		"quiet": ``,
	},
	FlagGroups: append([]cli.FlagGroup{cli.FormatFlags}, verifier.Groups...),
	Detail: `A line is at most 64 KiB long. Memory does not depend on the number of lines. Support
documents and verified certificates are kept from line to line, so the assertions of one user
cost less if they are close to each other.`,
	SeeAlso:   []string{"verify", "lookup", "parallel(1)"},
	Documents: []string{"docs/BATCH.md"},
}

// exitInterrupted is the exit status that shells use for it.
const exitInterrupted cli.Status = 130

// maxJobs bounds the memory of the lines that are being verified: about 100 KiB for
// each job.
const maxJobs = 256

// command is the command batch with its flags.
type command struct {
	verifier.Flags
	audiences cli.List
	jobs      cli.Count
	quiet     bool
	format    cli.Format
}

// Command returns the command batch.
func Command() *cli.Command {
	b := &command{
		Flags: verifier.New(), format: cli.NewFormat(cli.FormatJSON),
		jobs: cli.Count{N: min(runtime.GOMAXPROCS(0), maxJobs), Low: 1, High: maxJobs},
	}
	own := []cli.Flag{
		cli.Value(&b.audiences, "audience", "accept assertions for `ORIGIN` only; lines need no audience then (repeatable)"),
		cli.Default("the number of processors", cli.Value(&b.jobs, "jobs", "`NUMBER` of assertions verified at a time")),
		cli.Switch(&b.quiet, "quiet", "no progress and no counts on standard error"),
	}
	return &cli.Command{
		Name: "batch", Usage: "verify many assertions, one on each line",
		Arguments: "[FILE|-]", Help: help, Manual: manual, Flags: slices.Concat(own, b.format.Flags(), b.Flags.Flags()), Run: b.run,
	}
}

func (b *command) run(ctx context.Context, c *cli.Call) error {
	v, err := b.Verifier(c)
	if err != nil {
		return err
	}
	if err := verifier.CheckAudiences(c, b.audiences); err != nil {
		return err
	}
	name, err := inputName(c)
	if err != nil {
		return err
	}
	in, err := c.Open(ctx, name)
	if err != nil {
		return err
	}
	defer in.Close()
	ctx, stop := signals.UntilHangup(ctx, c.Err)
	defer stop()
	kind := kindOf(in.Reader)
	a := &answerer{verifier: v, audiences: b.audiences, printable: cli.IsTerminal(c.Out), text: !b.format.JSON()}
	begin := c.Now()
	done, err := b.answer(ctx, c, in.Reader, a)
	if done.Bytes == 0 && err == nil {
		kind = sniff.Empty
	}
	err = b.report(c, name, a, done, err, c.Now().Sub(begin))
	if wrongInputs[kind] && !b.quiet {
		fmt.Fprintf(c.Err, "%s: the input is %s: %s\n", cli.Program, kind, kind.Advice())
	}
	return err
}

// wrongInputs are files that have no lines to verify.
var wrongInputs = map[sniff.Kind]bool{
	sniff.Empty: true, sniff.UTF8BOM: true, sniff.UTF16: true, sniff.Compressed: true, sniff.Binary: true,
	sniff.PEM: true, sniff.PEMPrivateKey: true, sniff.HTML: true, sniff.Identity: true, sniff.PrivateKey: true,
	sniff.PublicKey: true, sniff.SupportDocument: true, sniff.Bundle: true, sniff.Answer: true, sniff.Claims: true,
	sniff.Folded: true, sniff.PrivateCurveKey: true, sniff.PublicCurveKey: true, sniff.KeySet: true, sniff.EVPMetadata: true,
	sniff.EVPBundle: true,
}

// kindOf returns what a file is, by its beginning, and Unknown for other inputs.
func kindOf(in io.Reader) sniff.Kind {
	f, ok := in.(*os.File)
	if !ok || sizeOf(in) < 0 {
		return sniff.Unknown
	}
	offset, err := f.Seek(0, io.SeekCurrent)
	if err != nil {
		return sniff.Unknown
	}
	beginning := make([]byte, 64<<10)
	n, err := f.ReadAt(beginning, offset)
	if err != nil && !errors.Is(err, io.EOF) {
		return sniff.Unknown
	}
	return sniff.Of(string(beginning[:n]))
}

// inputName returns the name of the input file, "-" for standard input.
func inputName(c *cli.Call) (string, error) {
	switch {
	case len(c.Args) > 1:
		return "", c.UsageErrorf("one file at a time, not %d: \"cat FILE… | vepverify batch\" takes several", len(c.Args))
	case len(c.Args) == 1:
		return c.Args[0], nil
	case cli.IsTerminal(c.In):
		return "", c.UsageErrorf("no assertions: name the file that holds them, or \"-\" to type them")
	}
	return "-", nil
}

// answer answers all lines of the input.
func (b *command) answer(ctx context.Context, c *cli.Call, in io.Reader, a *answerer) (pipeline.Progress, error) {
	screen := b.newScreen(c, in)
	defer screen.close()
	printed := make(chan struct{})
	stop := context.AfterFunc(ctx, func() {
		defer close(printed)
		screen.println("interrupted: finishing what is being verified; interrupt again to end at once")
	})
	done, err := pipeline.Run(ctx, pipeline.Config{
		In: in, Out: screen.writer(c.Out), Answer: a.answer, Jobs: b.jobs.N, Progress: screen.show,
	})
	if !stop() {
		<-printed
	}
	return done, err
}

// report prints the counts, and returns the error with which the command ends.
func (b *command) report(c *cli.Call, name string, a *answerer, done pipeline.Progress, err error, took time.Duration) error {
	var unread *pipeline.ReadError
	switch {
	case err == nil, errors.Is(err, pipeline.ErrInterrupted):
	case errors.As(err, &unread):
		return fmt.Errorf("%w; line %d is the last one answered", cli.ReadError(name, unread.Err), done.Lines)
	default:
		return fmt.Errorf("cannot write the answers: %w", err)
	}
	if !b.quiet {
		fmt.Fprint(c.Err, a.summary(took))
	}
	if err != nil {
		fmt.Fprintf(c.Err, "%s: interrupted: line %d is the last one answered; \"tail -n +%d\" prints the rest\n", cli.Program, done.Lines, done.Lines+1)
		return exitInterrupted
	}
	return nil
}
