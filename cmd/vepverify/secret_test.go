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

// secretly are values that hold a secret.
var secretly = clitest.Secrets("s3cret")

// complaintOf runs the program with a context that has ended, so that nothing goes
// on running, and returns all that it writes.
func complaintOf(t *testing.T, variables []string, args ...string) (code int, written string) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	var out, complaint bytes.Buffer
	p := &cli.Process{In: strings.NewReader(""), Out: &out, Err: &complaint, Env: clitest.Env(variables...), Now: time.Now}
	code = newApp().Run(ctx, args, p)
	return code, out.String() + complaint.String()
}

// TestNoSecretInComplaints sets every flag of every command, on the command line
// and by its variable, a value that holds a secret. No complaint repeats it.
func TestNoSecretInComplaints(t *testing.T) {
	t.Chdir(t.TempDir())
	for _, c := range newApp().Commands {
		for _, f := range c.Flags {
			for _, name := range f.Names() {
				values := secretly
				if !slices.Contains([]string{"data", "header", "proxy", "replay"}, name) {
					values = values[5:8] // for time's sake
				}
				for _, value := range values {
					t.Run(c.Name+" "+name, func(t *testing.T) {
						check := func(variables []string, args ...string) {
							t.Helper()
							code, written := complaintOf(t, variables, args...)
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

// TestNoSecretInOtherComplaints has the secret where no flag takes it: in a flag
// that is mistyped, among the arguments, in the variables and files of the
// original verifier.
func TestNoSecretInOtherComplaints(t *testing.T) {
	t.Chdir(t.TempDir())
	for i, value := range secretly {
		for j, c := range newApp().Commands {
			if i%len(secretly) != j%len(secretly) && c.Name != "serve" && c.Name != "request" {
				continue // for time's sake
			}
			for _, args := range [][]string{
				{c.Name, value}, {c.Name, value, "--audience", "https://rp.example"}, {c.Name, value, value, "--identity=x"},
				{c.Name, "--replayy=" + value}, {c.Name, "--replayy", value}, {c.Name, "-replayy=" + value}, {c.Name, "--replay:" + value},
				{c.Name, "--" + value}, {c.Name, "-H" + value}, {c.Name, "-d" + value}, {value}, {"-" + value}, {"--", value}, {"--replay=" + value},
				{c.Name, "--replay=" + value, "--replay=" + value}, {c.Name, "https://rp.example/", "--identity=x", "-H" + value, "-Hx"},
			} {
				if code, written := complaintOf(t, nil, args...); code == int(cli.ExitUsage) && strings.Contains(written, "s3cret") {
					t.Errorf("%q: %s", args, written)
				}
			}
		}
	}
}

// TestHiddenHeaders: what is wrong with a header or a form is said without it.
func TestHiddenHeaders(t *testing.T) {
	for _, args := range [][]string{
		{"-H", "s3cret"}, {"-H", "Cookie s3cret"}, {"-H", "X Y: s3cret"}, {"--header", "Cookie:\x01s3cret"},
		{"-X", "GET s3cret/"},
	} {
		_, written := complaintOf(t, nil, append([]string{"request", "https://rp.example/x", "--identity=x"}, args...)...)
		if strings.Contains(written, "s3cret") {
			t.Errorf("%q: %s", args, written)
		}
	}
}
