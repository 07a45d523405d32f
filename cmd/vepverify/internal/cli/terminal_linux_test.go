package cli_test

import (
	"os"
	"testing"

	"github.com/vepverify/vepverify/cmd/vepverify/internal/cli"
	"github.com/vepverify/vepverify/cmd/vepverify/internal/clitest"
)

// TestWantsColor: color is for terminals, unless NO_COLOR is set or the terminal
// is dumb.
func TestWantsColor(t *testing.T) {
	screen, terminal, err := clitest.OpenTerminal()
	if err != nil {
		t.Fatal(err)
	}
	defer screen.Close()
	defer terminal.Close()
	file, err := os.Create(t.TempDir() + "/file")
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	for _, test := range []struct {
		to   *os.File
		env  []string
		want bool
	}{
		{terminal, nil, true},
		{terminal, []string{"NO_COLOR="}, true},
		{terminal, []string{"NO_COLOR=1"}, false},
		{terminal, []string{"TERM=dumb"}, false},
		{file, nil, false},
	} {
		p := &cli.Process{Err: test.to, Env: clitest.Env(test.env...)}
		if got := p.WantsColor(); got != test.want {
			t.Errorf("terminal %v, environment %v: color is %v", test.to == terminal, test.env, got)
		}
	}
}
