package cli_test

import (
	"context"
	"errors"
	"runtime"
	"strings"
	"testing"

	"github.com/vepverify/vepverify/cmd/vepverify/internal/cli"
	"github.com/vepverify/vepverify/cmd/vepverify/internal/clitest"
)

// runCommand runs a program whose only command is this function.
func runCommand(t *testing.T, run func(context.Context, *cli.Call) error, args ...string) (status int, stdout, stderr string) {
	t.Helper()
	app := &cli.App{Default: "test", Commands: []*cli.Command{{Name: "test", Run: run}}}
	return clitest.Run(t, app, cli.Process{}, args...)
}

// panicker is where TestPanic panics. Its stack must name it.
func panicker(context.Context, *cli.Call) error { panic("a secret") }

// callersOfWorker returns callers that begin with itself.
func callersOfWorker() []uintptr {
	callers := make([]uintptr, 10)
	return callers[:runtime.Callers(1, callers)]
}

// otherPanic is the panic of another goroutine.
type otherPanic struct{ callers []uintptr }

func (p otherPanic) Callers() []uintptr { return p.callers }

// TestPanic: a panic is one line and the stack, without the value of the panic.
func TestPanic(t *testing.T) {
	status, out, stderr := runCommand(t, panicker)
	if status != int(cli.ExitUsage) || out != "" {
		t.Errorf("status %d and %q on standard output, want %d and nothing", status, out, cli.ExitUsage)
	}
	first, stack, _ := strings.Cut(stderr, "\n")
	if !strings.HasPrefix(first, "vepverify: internal error: ") {
		t.Errorf("the first line is %q", first)
	}
	if !strings.Contains(stack, ".panicker\n") || !strings.Contains(stack, "cli_test.go:") {
		t.Errorf("the stack does not name the function and the line: %s", stack)
	}
	if strings.Contains(stderr, "secret") {
		t.Errorf("the value of the panic is shown: %s", stderr)
	}
}

// TestPanicOfOtherGoroutine: the stack is that of the goroutine that panicked.
func TestPanicOfOtherGoroutine(t *testing.T) {
	_, _, stderr := runCommand(t, func(context.Context, *cli.Call) error { panic(otherPanic{callersOfWorker()}) })
	if !strings.Contains(stderr, ".callersOfWorker\n") {
		t.Errorf("the stack of the worker is missing: %s", stderr)
	}
}

func TestStatus(t *testing.T) {
	for _, test := range []struct {
		err    error
		status int
	}{
		{nil, 0},
		{cli.ExitOkay.Err(), 0},
		{cli.ExitFailure.Err(), 1},
		{cli.ExitUndecided, 3},
		{errors.New("no such file"), 2},
	} {
		status, _, stderr := runCommand(t, func(context.Context, *cli.Call) error { return test.err })
		if status != test.status || (stderr != "") != (status == int(cli.ExitUsage)) {
			t.Errorf("%v: status %d, stderr %q", test.err, status, stderr)
		}
	}
}
