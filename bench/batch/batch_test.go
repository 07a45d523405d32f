package main

import (
	"bytes"
	"io"
	"regexp"
	"runtime"
	"testing"

	"github.com/vepverify/vepverify/bench/internal/command"
)

func TestParseFlags(t *testing.T) {
	o, err := parseFlags([]string{"--rounds", "3", "--assertions=200", "--lines", "10"}, io.Discard)
	if err != nil || o != (options{rounds: 3, assertions: 200, lines: 10}) {
		t.Errorf("%+v, %v", o, err)
	}
	for _, bad := range [][]string{{"--rounds", "0"}, {"--assertions", "9"}, {"--lines", "-1"}, {"more"}, {"--unknown"}} {
		if _, err := parseFlags(bad, io.Discard); err == nil {
			t.Errorf("%v: accepted", bad)
		}
	}
}

// TestRun runs both measurements on few assertions.
func TestRun(t *testing.T) {
	program, err := command.Build(t.Context(), t.TempDir(), t.Output())
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		o    options
		want string
	}{
		{options{rounds: 1, assertions: 40, command: program}, `^spread .*goal 75\)\ntogether .*goal 75\)\n$`},
		{options{rounds: 1, assertions: 40, lines: 100, command: program}, `^100 lines, 100 okay, .*MiB resident \(goal 96\)\n$`},
	} {
		if test.o.lines > 0 && runtime.GOOS != "linux" {
			continue // no /proc
		}
		var out bytes.Buffer
		if err := run(t.Context(), test.o, &out, t.Output()); err != nil {
			t.Fatal(err)
		}
		if !regexp.MustCompile(test.want).MatchString(out.String()) {
			t.Errorf("%+v prints\n%s", test.o, out.String())
		}
	}
}
