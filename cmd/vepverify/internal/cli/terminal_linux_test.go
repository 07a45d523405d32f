package cli_test

import (
	"fmt"
	"os"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/vepverify/vepverify/cmd/vepverify/internal/cli"
)

// TestColor: on a terminal, and not with NO_COLOR or on one that is dumb.
func TestColor(t *testing.T) {
	terminal := openTerminal(t)
	file, err := os.Create(t.TempDir() + "/file")
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	for _, test := range []struct {
		to   *os.File
		env  map[string]string
		want bool
	}{
		{terminal, nil, true},
		{terminal, map[string]string{"NO_COLOR": ""}, true},
		{terminal, map[string]string{"NO_COLOR": "1"}, false},
		{terminal, map[string]string{"TERM": "dumb"}, false},
		{file, nil, false},
	} {
		p := &cli.Process{Err: test.to, Env: func(name string) (string, bool) {
			value, set := test.env[name]
			return value, set
		}}
		if got := p.WantsColor(); got != test.want {
			t.Errorf("terminal %v, environment %v: color is %v", test.to == terminal, test.env, got)
		}
	}
}

// openTerminal gives the near end of a new pseudo-terminal.
func openTerminal(t *testing.T) *os.File {
	t.Helper()
	far, err := os.OpenFile("/dev/ptmx", os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { far.Close() })
	if err := unix.IoctlSetPointerInt(int(far.Fd()), unix.TIOCSPTLCK, 0); err != nil {
		t.Fatal(err)
	}
	number, err := unix.IoctlGetInt(int(far.Fd()), unix.TIOCGPTN)
	if err != nil {
		t.Fatal(err)
	}
	near, err := os.OpenFile(fmt.Sprintf("/dev/pts/%d", number), os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { near.Close() })
	return near
}
