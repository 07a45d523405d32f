// Package cli is the command line of vepverify, on top of urfave/cli: an [App] with
// its commands, the order of arguments, flags from the environment, help,
// completion, exit statuses, and error messages without secrets.
//
// A command is a [Command]. Its flags are bound to variables by [Text],
// [Switch] and [Value]. Its function Run gets a [Call]: the arguments that are
// not flags, and the streams, environment and clock of the process. Run
// returns nil, a [Status] for a result that it has already printed, or an error
// that [App.Run] prints on one line.
//
// The help of a command is made of its texts and flags. Package manpage makes its man page of
// the same, and of what [Manual] has for pages only.
//
// Package cli knows of assertions only that they are no names of files. It does not check that a command
// keeps secrets out of what it prints itself.
package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"runtime"
	"strings"
	"time"

	"github.com/urfave/cli/v2"
)

// Program is the name of the program in its messages.
const Program = "vepverify"

// App is a program with commands.
type App struct {
	Usage    string   // one line
	Synopsis []string // the forms of the command line
	Help     string   // what the program does
	// Manual has examples with titles, and notes on every command.
	Manual Manual
	// Default is the name of the command that runs if the first argument is
	// not the name of a command.
	Default string
	// Commands are the commands in the order in which help lists them.
	// Those of HelpCommand and VersionName must be among them.
	Commands []*Command
}

// VersionName is the name of the command that --version runs.
const VersionName = "version"

// Command is a command of an [App].
type Command struct {
	Name      string
	Group     string // the title above it in lists of commands
	Usage     string // one line for lists of commands
	Arguments string // the arguments as help shows them, such as "[FILE|-]"
	Help      string // what the command does
	Manual    Manual // the rest of its help and of its man page
	Flags     []Flag
	// Words are the values that shells complete the arguments with. Without
	// them, shells complete file names.
	Words []string
	// Logs means that the command writes a log to standard error. It then logs its
	// [Call.ServiceLinks] itself; for other commands they are printed as warnings.
	Logs bool
	// Run runs the command.
	Run func(ctx context.Context, c *Call) error
}

// Process is the environment of one run of the program: its streams, variables and
// clock.
type Process struct {
	In       io.Reader
	Out, Err io.Writer
	Env      func(name string) (value string, found bool) // like [os.LookupEnv]
	Environ  func() []string                              // like [os.Environ]; nil means that no variable is unknown
	Now      func() time.Time
	Failed   func(line string) // is called with the line on standard error when the program fails; may be nil
}

// Call is one run of a command.
type Call struct {
	*Process
	Args []string // the arguments that are not flags

	commands []*Command // of the program
	command  *Command
	parsed   *cli.Context
	fromEnv  map[string]string // the variables, or other sources, of flags that are not given, by the flags' names
	secrets  []string          // texts that no error message repeats
}

// Status is the exit status of a command that has printed its result. As an
// error it ends the command without a further message.
type Status int

// The exit statuses.
const (
	ExitOkay      Status = 0
	ExitFailure   Status = 1
	ExitUsage     Status = 2 // usage, unreadable file, bad configuration
	ExitUndecided Status = 3
)

// Error implements error.
func (s Status) Error() string { return fmt.Sprintf("exit status %d", int(s)) }

// Err returns s as an error, and nil for ExitOkay.
func (s Status) Err() error {
	if s == ExitOkay {
		return nil
	}
	return s
}

// Run runs the program and returns its exit status. Without arguments, and with a terminal
// or /dev/null as standard input, it prints the help on standard error. An error that is not a
// [Status] is printed on one line of standard error, without secrets. After a
// panic, its stack is printed too, but not its value, which may hold a secret.
func (a *App) Run(ctx context.Context, args []string, p *Process) (status int) {
	own := *p
	out := &checkedWriter{to: p.Out}
	own.Out = out
	c := &Call{Process: &own}
	defer func() {
		if r := recover(); r != nil {
			status = c.fail(errors.New("internal error: please report this bug, with the lines below and the output of vepverify version"))
			printStack(p.Err, r)
		}
	}()
	err := a.dispatch(ctx, args, c)
	if out.err != nil {
		err = fmt.Errorf("cannot write to standard output: %w", out.err)
	}
	var result Status
	switch {
	case err == nil:
		return int(ExitOkay)
	case errors.As(err, &result):
		return int(result)
	}
	return c.fail(err)
}

// dispatch finds the command, parses its flags, and runs it.
func (a *App) dispatch(ctx context.Context, args []string, c *Call) error {
	if len(args) == 0 && isCharDevice(c.In) {
		printHelp(c.Err, programHelp, a)
		return ExitUsage
	}
	c.secrets = secretTexts(args, a.Commands, c.Env)
	arranged, fromEnv, err := a.arrange(args, c.Env)
	if err != nil {
		return err
	}
	c.fromEnv = fromEnv
	c.commands, c.command = a.Commands, findCommand(a.Commands, arranged[0])
	parser := &cli.App{
		Name: Program, Reader: c.In, Writer: c.Out, ErrWriter: c.Err,
		// arrange turns --help and --version into the commands of these names.
		HideHelp: true, HideVersion: true,
		// Run returns the exit status.
		ExitErrHandler: func(*cli.Context, error) {},
		OnUsageError:   func(_ *cli.Context, err error, _ bool) error { return c.badValue(err) },
		Flags:          c.command.Flags,
		Action: func(parsed *cli.Context) error {
			c.parsed, c.Args = parsed, parsed.Args().Slice()
			if err := c.resolveFormat(); err != nil {
				return err
			}
			c.warnOfVariables()
			if err := c.checkFileNames(); err != nil {
				return err
			}
			return c.command.Run(ctx, c)
		},
	}
	return parser.RunContext(ctx, append([]string{Program}, arranged[1:]...))
}

// fail prints an error message on one line, without secrets.
func (c *Call) fail(err error) (status int) {
	text := hide(err.Error()+c.sources(err.Error()), c.secrets)
	text = strings.ReplaceAll(strings.TrimSpace(text), "\n", " ")
	line := Program + ": " + Shorten(text, 2000)
	fmt.Fprintln(c.Err, line)
	if c.Failed != nil {
		c.Failed(line)
	}
	return int(ExitUsage)
}

// printStack prints the functions and lines that led to a panic. A panic of
// another goroutine has its own callers.
func printStack(w io.Writer, panicked any) {
	callers := make([]uintptr, 100)
	callers = callers[:runtime.Callers(3, callers)] // without Callers, printStack and the deferred function
	if other, ok := panicked.(interface{ Callers() []uintptr }); ok {
		callers = other.Callers()
	}
	for frames := runtime.CallersFrames(callers); ; {
		frame, more := frames.Next()
		fmt.Fprintf(w, "%s\n\t%s:%d\n", frame.Function, frame.File, frame.Line)
		if !more {
			return
		}
	}
}

// UsageErrorf returns an error about the arguments that also names the
// command's help.
func (c *Call) UsageErrorf(format string, args ...any) error {
	return fmt.Errorf(format+" (see vepverify help %s)", append(args, c.command.Name)...)
}

// IsSet reports whether a flag is set, on the command line or by a variable.
func (c *Call) IsSet(flag string) bool { return c.parsed.IsSet(flag) }

// Given reports whether a flag is set on the command line.
func (c *Call) Given(flag string) bool { return c.IsSet(flag) && c.fromEnv[flag] == "" }

// Missing returns the first of these flags that is not set, or "".
func (c *Call) Missing(flags ...string) string {
	for _, name := range flags {
		if !c.IsSet(name) {
			return name
		}
	}
	return ""
}

// SetDefault sets a flag that is not given on the command line. The source is where the value
// comes from, such as a variable.
func (c *Call) SetDefault(flag, value, source string) error {
	if err := c.parsed.Set(flag, value); err != nil {
		if _, isSwitch := findFlag([]*Command{c.command}, flag).(*cli.BoolFlag); isSwitch {
			return errors.New("want true or false")
		}
		return err
	}
	c.fromEnv[flag] = source
	return nil
}

// checkedWriter keeps the first error of its writes, for callers that do not
// check each write.
type checkedWriter struct {
	to  io.Writer
	err error
}

// Write implements io.Writer.
func (w *checkedWriter) Write(b []byte) (int, error) {
	n, err := w.to.Write(b)
	if err != nil && w.err == nil {
		w.err = err
	}
	return n, err
}
