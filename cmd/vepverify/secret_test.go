package main

import (
	"bytes"
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/vepverify/vepverify/cmd/vepverify/internal/cli"
	"github.com/vepverify/vepverify/cmd/vepverify/internal/clitest"
)

// secretValues are values that hold a secret.
var secretValues = clitest.Secrets("s3cret")

// outputOf runs the program with a context that has ended, so that no command keeps
// running, and returns all of its output.
func outputOf(t *testing.T, variables []string, args ...string) (code int, written string) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	var out, stderr bytes.Buffer
	p := &cli.Process{In: strings.NewReader(""), Out: &out, Err: &stderr, Env: clitest.Env(variables...), Now: time.Now}
	code = newApp().Run(ctx, args, p)
	return code, out.String() + stderr.String()
}

// TestNoSecretInErrors sets every flag of every command, on the command line
// and by its variable, to a value that holds a secret. No error repeats it.
func TestNoSecretInErrors(t *testing.T) {
	t.Chdir(t.TempDir())
	for _, c := range newApp().Commands {
		for _, f := range c.Flags {
			for _, name := range f.Names() {
				values := secretValues
				if !slices.Contains([]string{"data", "header", "proxy", "replay"}, name) {
					values = values[5:8] // to save time
				}
				for _, value := range values {
					t.Run(c.Name+" "+name, func(t *testing.T) {
						check := func(variables []string, args ...string) {
							t.Helper()
							code, written := outputOf(t, variables, args...)
							if code == int(cli.ExitUsage) && strings.Contains(written, "s3cret") {
								t.Errorf("%q %q: %s", variables, args, written)
							}
							if slices.Contains([]string{"replay", "proxy"}, name) && code != int(cli.ExitUsage) {
								t.Errorf("%q %q: status %d, want %d", variables, args, code, cli.ExitUsage)
							}
						}
						dashes := "--"
						if len(name) == 1 {
							dashes = "-"
							check(nil, c.Name, "-"+name+value, "https://rp.example/x", "--identity=x")
						}
						check(nil, c.Name, dashes+name+"="+value)
						check(nil, c.Name, dashes+name+"="+value, "https://rp.example/x", "--identity=x")
						check(nil, c.Name, dashes+name, value, "x.txt", "--audience", "https://rp.example")
						if v := variableOf(name); v != "" && len(name) > 1 {
							check([]string{v + "=" + value}, c.Name)
							check([]string{v + "=" + value}, c.Name, "x.txt")
						}
					})
				}
			}
		}
	}
}

// TestNoSecretInOtherErrors has the secret in the name of a flag that is mistyped,
// and among the arguments.
func TestNoSecretInOtherErrors(t *testing.T) {
	t.Chdir(t.TempDir())
	for i, value := range secretValues {
		for j, c := range newApp().Commands {
			if i%len(secretValues) != j%len(secretValues) && c.Name != "serve" && c.Name != "request" {
				continue // to save time
			}
			for _, args := range [][]string{
				{c.Name, value}, {c.Name, value, "--audience", "https://rp.example"}, {c.Name, value, value, "--identity=x"},
				{c.Name, "--replayy=" + value}, {c.Name, "--replayy", value}, {c.Name, "-replayy=" + value}, {c.Name, "--replay:" + value},
				{c.Name, "--" + value}, {c.Name, "-H" + value}, {c.Name, "-d" + value}, {value}, {"-" + value}, {"--", value}, {"--replay=" + value},
				{c.Name, "--replay=" + value, "--replay=" + value}, {c.Name, "https://rp.example/", "--identity=x", "-H" + value, "-Hx"},
			} {
				if code, written := outputOf(t, nil, args...); code == int(cli.ExitUsage) && strings.Contains(written, "s3cret") {
					t.Errorf("%q: %s", args, written)
				}
			}
		}
	}
}

// TestNoHeaderInErrors: errors about a header or a method do not repeat it.
func TestNoHeaderInErrors(t *testing.T) {
	for _, args := range [][]string{
		{"-H", "s3cret"}, {"-H", "Cookie s3cret"}, {"-H", "X Y: s3cret"}, {"--header", "Cookie:\x01s3cret"},
		{"-X", "GET s3cret/"},
	} {
		_, written := outputOf(t, nil, append([]string{"request", "https://rp.example/x", "--identity=x"}, args...)...)
		if strings.Contains(written, "s3cret") {
			t.Errorf("%q: %s", args, written)
		}
	}
}
