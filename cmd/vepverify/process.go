package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/urfave/cli/v2"
	"golang.org/x/term"
)

// process is what a run of the program has of the world around it.
type process struct {
	in       io.Reader
	out, err io.Writer
	env      func(name string) (string, bool)
	now      func() time.Time

	// fromEnv are the flags, without dashes, that the environment has set.
	fromEnv map[string]bool

	// secrets are texts that no complaint repeats.
	secrets []string
}

// status is the exit status of a command that came to an answer, and has
// printed it. Every other error is of the kind that exits with exitUsage.
type status int

// The exit statuses.
const (
	exitOkay      status = 0
	exitFailure   status = 1
	exitUsage     status = 2 // usage, unreadable file, bad configuration
	exitUndecided status = 3
)

// Error implements error, so that commands can return a status.
func (s status) Error() string { return fmt.Sprintf("exit status %d", int(s)) }

// result gives the error with which a command exits with s.
func (s status) result() error {
	if s == exitOkay {
		return nil
	}
	return s
}

// run runs the program and gives its exit status.
func run(ctx context.Context, args []string, p *process) (code int) {
	out := &checkedWriter{to: p.out}
	own := *p
	own.out = out
	defer func() {
		if recover() != nil { // the trace is of no use to whoever sees it
			code = own.complain(errors.New("internal error, which is a bug: please report it, with the output of vepverify version"))
		}
	}()
	err := own.dispatch(ctx, args)
	if out.failed != nil {
		err = fmt.Errorf("cannot write to standard output: %w", out.failed)
	}
	var answered status
	switch {
	case err == nil:
		return int(exitOkay)
	case errors.As(err, &answered):
		return int(answered)
	}
	return own.complain(err)
}

func (p *process) dispatch(ctx context.Context, args []string) error {
	app := newApp(p)
	p.secrets = secretTexts(args, app.Commands, p.env)
	ordered, fromEnv, err := arrange(args, app.Commands, p.env)
	if err != nil {
		return err
	}
	p.fromEnv = fromEnv
	return app.RunContext(ctx, append([]string{app.Name}, ordered...))
}

// complain says on one line what is wrong, without secrets.
func (p *process) complain(err error) int {
	text := hide(err.Error(), p.secrets)
	text = strings.ReplaceAll(strings.TrimSpace(text), "\n", " ")
	fmt.Fprintln(p.err, program+": "+shortened(text, 2000))
	return int(exitUsage)
}

// given says whether the flag stands on the command line; in the environment
// does not count.
func (p *process) given(c *cli.Context, name string) bool {
	return c.IsSet(name) && !p.fromEnv[name]
}

// usageError says what is wrong with the arguments and where to read more.
func usageError(c *cli.Context, format string, args ...any) error {
	return fmt.Errorf(format+" (see vepverify help %s)", append(args, c.Command.Name)...)
}

// checkedWriter remembers that a write failed, for the many places that do
// not ask.
type checkedWriter struct {
	to     io.Writer
	failed error
}

// Write implements io.Writer.
func (w *checkedWriter) Write(b []byte) (int, error) {
	n, err := w.to.Write(b)
	if err != nil && w.failed == nil {
		w.failed = err
	}
	return n, err
}

// isTerminal says whether a stream, an io.Reader or io.Writer, is a terminal.
func isTerminal(stream any) bool {
	f, ok := stream.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}
