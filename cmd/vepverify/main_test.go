package main

import (
	"bytes"
	"context"
	"io"
	"runtime/debug"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/urfave/cli/v2"
)

// trialRun runs the program within the test, with an environment of its own.
func trialRun(t *testing.T, p *process, args ...string) (code int, out, complaint string) {
	t.Helper()
	var stdout, stderr bytes.Buffer
	p.out, p.err = &stdout, &stderr
	if p.in == nil {
		p.in = strings.NewReader("")
	}
	if p.env == nil {
		p.env = func(string) (string, bool) { return "", false }
	}
	if p.now == nil {
		p.now = time.Now
	}
	code = run(t.Context(), args, p)
	return code, stdout.String(), stderr.String()
}

func TestPanicLeavesNoTrace(t *testing.T) {
	p := &process{env: func(string) (string, bool) { panic("a secret") }}
	code, out, complaint := trialRun(t, p, "verify", "x", "--audience", "https://rp.example")
	if code != int(exitUsage) || out != "" {
		t.Errorf("status %d and %q on standard output, want %d and nothing", code, out, exitUsage)
	}
	if strings.Contains(complaint, "secret") || strings.Count(complaint, "\n") != 1 {
		t.Errorf("the complaint is no single line without details: %q", complaint)
	}
}

func TestComplaintIsPrintable(t *testing.T) {
	for _, args := range [][]string{
		{"no\x1b[31mfile\nhere", "--audience", "https://rp.example"},
		{"--\x1b[31m\n"},
		{"--now", "\x1b[31m\u202e", "x"},
		{"verify", "--fallback", "\x1b[31m\n\u009b", "--audience", "x"},
		{"lookup", "\x1b[31m\n"},
		{"help", "\x1b[31m\n"},
		{strings.Repeat("x", 1<<20), "--audience", "https://rp.example"},
	} {
		code, _, complaint := trialRun(t, &process{}, args...)
		if code != int(exitUsage) || strings.Count(complaint, "\n") != 1 || len(complaint) > 3000 {
			t.Errorf("%.40q: status %d and %.300q, want %d and one line", args, code, complaint, exitUsage)
		}
		if strings.ContainsAny(complaint, "\x1b\u202e\u009b") {
			t.Errorf("%.40q: not printable: %q", args, complaint)
		}
	}
}

// TestInterruptedInput: whoever types nothing can still leave.
func TestInterruptedInput(t *testing.T) {
	in, typist := io.Pipe()
	defer typist.Close()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := (&process{in: in}).read(ctx, "-", 10); err == nil {
		t.Error("read came to an end without an error")
	}
}

func TestVersion(t *testing.T) {
	for _, test := range []struct {
		info *debug.BuildInfo
		want string
	}{
		{&debug.BuildInfo{GoVersion: "go1.26", Main: debug.Module{Version: "v1.2.3"}}, "vepverify v1.2.3 go1.26"},
		{&debug.BuildInfo{GoVersion: "go1.26"}, "vepverify (devel) go1.26"},
		{&debug.BuildInfo{
			GoVersion: "go1.26", Main: debug.Module{Version: "(devel)"},
			Settings: []debug.BuildSetting{{Key: "vcs.revision", Value: "abc"}, {Key: "vcs.modified", Value: "true"}},
		}, "vepverify (devel) abc+changes go1.26"},
	} {
		if got := version(test.info); got != test.want {
			t.Errorf("version is %q, want %q", got, test.want)
		}
	}
	if got := version(nil); !strings.HasPrefix(got, "vepverify ") {
		t.Errorf("without build information, version is %q", got)
	}
}

// TestFlagsAgree: arrange reads flags before it knows the command.
func TestFlagsAgree(t *testing.T) {
	takes := make(map[string]bool)
	for _, c := range newApp(&process{}).Commands {
		for _, f := range c.Flags {
			name := f.Names()[0]
			before, known := takes[name]
			if known && before != takesValue(f) {
				t.Errorf("--%s takes a value in some commands only", name)
			}
			takes[name] = takesValue(f)
			d := f.(cli.DocGenerationFlag)
			if takesValue(f) && strings.Count(d.GetUsage(), "`") != 2 {
				t.Errorf("%s --%s: the help does not name the value", c.Name, name)
			}
		}
	}
}

// TestEveryFlagHasAVariable, except the clock and what weakens a check.
func TestEveryFlagHasAVariable(t *testing.T) {
	for _, c := range newApp(&process{}).Commands {
		for _, f := range c.Flags {
			name := f.Names()[0]
			wanted := name != "now" && !strings.HasPrefix(name, "insecure")
			asked := "VEPVERIFY_" + strings.ToUpper(strings.ReplaceAll(name, "-", "_"))
			args, _, err := arrange([]string{c.Name}, []*cli.Command{c}, func(v string) (string, bool) {
				if v != asked {
					return "", false
				}
				return "-value", true
			})
			if err != nil {
				t.Fatal(err)
			}
			if got := slices.Contains(args, "--"+name+"=-value"); got != wanted {
				t.Errorf("%s --%s from the environment: %v, want %v", c.Name, name, got, wanted)
			}
		}
	}
}

// FuzzArrange: what has been put in order stays as it is.
func FuzzArrange(f *testing.F) {
	for _, seed := range []string{
		"a.txt\x00--audience\x00https://rp.example", "--help", "--version", "verify\x00-h", "help\x00lookup",
		"--audience=x\x00--\x00--odd", "lookup\x00--json\x00idp.example\x00--save\x00x", "-\x00--text=false", "--now\x00-1", "request\x00-XPUT\x00-i\x00-da=b\x00-H\x00c:d\x00x",
	} {
		f.Add(seed)
	}
	none := func(string) (string, bool) { return "", false }
	f.Fuzz(func(t *testing.T, joined string) {
		commands := newApp(&process{}).Commands
		once, _, err := arrange(strings.Split(joined, "\x00"), commands, none)
		if err != nil {
			return
		}
		twice, _, err := arrange(once, commands, none)
		if err != nil || !slices.Equal(once, twice) {
			t.Errorf("arranged again, %q is %q (%v)", once, twice, err)
		}
	})
}
