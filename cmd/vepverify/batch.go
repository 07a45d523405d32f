package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"runtime"

	"github.com/urfave/cli/v2"

	"github.com/vepverify/vepverify/assertion"
	"github.com/vepverify/vepverify/cmd/vepverify/internal/batch"
)

const batchHelp = `Verifies many assertions, one on each line of FILE, or of standard input when FILE is
"-" or absent, and prints one answer for each, in the order of the lines. A line is

  {"id":…,"assertion":"…","audience":"https://rp.example"}
  certificate~assertion                                      a bare one, with --audience

"id" is optional, of any kind, and comes back as it was written. With --audience, "audience"
may be left out, and must otherwise be one of those given.

Examples:
  vepverify batch lines.ndjson > answers.ndjson
  vepverify batch --keys keys.json --audience https://rp.example < assertions.txt
  parallel --pipe --keep-order vepverify batch --quiet < lines.ndjson > answers.ndjson

Answers, on standard output, each what verify answers and the id:
  {"id":…,"status":"okay","email":…,"audience":…,"expires":…,"issuer":…}
  {"id":…,"status":"failure","reason":…}                     a line out of form, too: "bad line: …"
  {"id":…,"status":"failure","reason":…,"undecided":true}

Standard error shows the progress when it is a terminal, and counts the outcomes at the
end. The first interrupt stops reading: what is being verified is finished, and the last
line answered is named, so that "tail -n +NEXT FILE" gives the rest. The second ends at once.

Exit status:
  0 every line was answered, whatever the answers   130 interrupted
  2 usage, or the input or output failed on the way`

// exitInterrupted is the status that shells know for it.
const exitInterrupted status = 130

// maxJobs bounds the memory that lines under way take, at some 100 KiB a job.
const maxJobs = 256

// batchRun is the command batch.
type batchRun struct {
	*process
	checks
	audiences list
	jobs      count
	quiet     bool
}

func batchCommand(p *process) *cli.Command {
	b := &batchRun{
		process: p, checks: newChecks(),
		jobs: count{min(runtime.GOMAXPROCS(0), maxJobs), 1, maxJobs},
	}
	return &cli.Command{
		Name: "batch", Usage: "verify many assertions, one a line",
		ArgsUsage: "[FILE|-]", Description: batchHelp, Flags: b.flags(), Action: b.run,
	}
}

func (b *batchRun) flags() []cli.Flag {
	own := []cli.Flag{
		valueFlag(&b.audiences, "audience", "accept assertions for `ORIGIN` only, and need none in the lines (repeatable)"),
		valueFlag(&b.jobs, "jobs", "`NUMBER` of assertions verified at a time"),
		switchFlag(&b.quiet, "quiet", "no progress and no counts on standard error"),
	}
	return append(own, b.checks.flags()...)
}

func (b *batchRun) run(c *cli.Context) error {
	verifier, err := b.verifier(c, b.process)
	if err != nil {
		return err
	}
	in, err := b.openInput(c)
	if err != nil {
		return err
	}
	defer in.Close()
	return b.answer(c.Context, verifier, in)
}

// batchInput is the file, or standard input, that the arguments name.
type batchInput struct {
	io.Reader
	io.Closer
	name string
}

func (b *batchRun) openInput(c *cli.Context) (*batchInput, error) {
	switch {
	case c.NArg() > 1:
		return nil, usageError(c, "one file at a time, not %d: \"cat FILE… | vepverify batch\" takes several", c.NArg())
	case c.NArg() == 0 && isTerminal(b.in):
		return nil, usageError(c, "no assertions: name the file that holds them, or \"-\" to type them")
	case c.NArg() == 0 || c.Args().First() == "-":
		return &batchInput{b.in, io.NopCloser(nil), "-"}, nil
	}
	f, err := openFile(c.Args().First())
	if err != nil {
		return nil, err
	}
	return &batchInput{f, f, f.Name()}, nil
}

// answer answers all lines of the input.
func (b *batchRun) answer(ctx context.Context, verifier *assertion.Verifier, in *batchInput) error {
	a := &answerer{verifier: verifier, audiences: b.audiences, printable: isTerminal(underlying(b.out))}
	begin := b.process.now()
	screen := b.newScreen(in.Reader, begin)
	said := make(chan struct{})
	unasked := context.AfterFunc(ctx, func() {
		defer close(said)
		screen.say("interrupted: finishing what is being verified; interrupt again to end at once")
	})
	done, err := batch.Run(ctx, batch.Config{
		In: in, Out: screen.above(b.out), Answer: a.answer, Jobs: b.jobs.value, Progress: screen.show,
	})
	if !unasked() {
		<-said
	}
	screen.close()
	var unread *batch.ReadError
	switch {
	case err == nil, errors.Is(err, batch.ErrInterrupted):
	case errors.As(err, &unread):
		return fmt.Errorf("%w; line %d is the last one answered", fileError(in.name, unread.Err), done.Lines)
	default:
		return fmt.Errorf("cannot write the answers: %w", err)
	}
	if !b.quiet {
		fmt.Fprint(b.process.err, a.summary(b.process.now().Sub(begin)))
	}
	if err != nil {
		screen.say(fmt.Sprintf("interrupted: line %d is the last one answered; \"tail -n +%d\" gives the rest", done.Lines, done.Lines+1))
		return exitInterrupted
	}
	return nil
}

// underlying gives the stream behind a checkedWriter.
func underlying(w io.Writer) io.Writer {
	if checked, ok := w.(*checkedWriter); ok {
		return checked.to
	}
	return w
}
