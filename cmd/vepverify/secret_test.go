package main

import (
	"bytes"
	"context"
	"os"
	"slices"
	"strings"
	"testing"
	"time"
)

// secretly are values that hold a secret and are of use for no flag, or were meant
// for another.
var secretly = []string{
	"reddis://user:s3cret@host",
	"redis:/user:s3cret@host",
	"redis://user:s3cret@host:port",
	"htp://user:s3cret@[",
	"user:s3cret@host:1",
	"reddis://:" + strings.Repeat("x", 30) + "s3cret" + strings.Repeat("x", 200) + "@host",
	"reddis://user:s3cret \"'`\\\u00e9\x1b@host",
	"-----BEGIN PRIVATE KEY-----\ns3cret\n",
	`{"secret-key":"s3cret"}`,
	"eyJhbGciOiJSUzI1NiJ9.s3cret.AAAA~eyJhbGciOiJSUzI1NiJ9.e30.AAAA",
}

// complaintOf runs the program with a context that has ended, so that nothing goes
// on running, and returns all that it writes.
func complaintOf(t *testing.T, variables []string, args ...string) (code int, written string) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	var out, complaint bytes.Buffer
	p := &process{in: strings.NewReader(""), out: &out, err: &complaint, env: environ(variables), now: time.Now}
	code = run(ctx, args, p)
	return code, out.String() + complaint.String()
}

// TestNoSecretInComplaints sets every flag of every command, on the command line
// and by its variable, a value that holds a secret. No complaint repeats it.
func TestNoSecretInComplaints(t *testing.T) {
	t.Chdir(t.TempDir())
	for _, c := range newApp(&process{}).Commands {
		for _, f := range c.Flags {
			for _, name := range f.Names() {
				values := secretly
				if !slices.Contains(secretFlags, name) {
					values = values[5:8] // for time's sake
				}
				for _, value := range values {
					t.Run(c.Name+" "+name, func(t *testing.T) {
						check := func(variables []string, args ...string) {
							t.Helper()
							code, written := complaintOf(t, variables, args...)
							if code == int(exitUsage) && strings.Contains(written, "s3cret") {
								t.Errorf("%q %q: %s", variables, args, written)
							}
							if slices.Contains([]string{"replay", "proxy"}, name) && code != int(exitUsage) {
								t.Errorf("%q %q: status %d, want %d", variables, args, code, exitUsage)
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
						if v := variable(name); v != "" && len(name) > 1 {
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
		for j, c := range newApp(&process{}).Commands {
			if i%len(secretly) != j%len(secretly) && c.Name != "serve" && c.Name != "request" {
				continue // for time's sake
			}
			for _, args := range [][]string{
				{c.Name, value}, {c.Name, value, "--audience", "https://rp.example"}, {c.Name, value, value, "--identity=x"},
				{c.Name, "--replayy=" + value}, {c.Name, "--replayy", value}, {c.Name, "-replayy=" + value}, {c.Name, "--replay:" + value},
				{c.Name, "--" + value}, {c.Name, "-H" + value}, {c.Name, "-d" + value}, {value}, {"-" + value}, {"--", value}, {"--replay=" + value},
				{c.Name, "--replay=" + value, "--replay=" + value}, {c.Name, "https://rp.example/", "--identity=x", "-H" + value, "-Hx"},
			} {
				if code, written := complaintOf(t, nil, args...); code == int(exitUsage) && strings.Contains(written, "s3cret") {
					t.Errorf("%q: %s", args, written)
				}
			}
		}
		for _, s := range settings {
			if _, written := complaintOf(t, []string{s.variable + "=" + value}, "serve"); strings.Contains(written, "s3cret") {
				t.Errorf("%s=%q: %s", s.variable, value, written)
			}
			file := `{"` + s.key + `":"reddis://user:s3cret@host"}`
			if err := os.WriteFile("config.json", []byte(file), 0o600); err != nil {
				t.Fatal(err)
			}
			if _, written := complaintOf(t, []string{"CONFIG_FILES=config.json"}, "serve"); strings.Contains(written, "s3cret") {
				t.Errorf("%s: %s", file, written)
			}
		}
		if _, written := complaintOf(t, []string{"CONFIG_FILES=" + value}, "serve"); strings.Contains(written, "s3cret") {
			t.Errorf("CONFIG_FILES=%q: %s", value, written)
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
