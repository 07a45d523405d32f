package testtool_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/vepverify/vepverify/internal/testtool"
)

const (
	childVariable = "TESTTOOL_CHILD"
	noProgram     = "no-such-program"
)

// TestChild is run by the other tests, through the go command.
func TestChild(t *testing.T) {
	if os.Getenv(childVariable) == "" {
		return
	}
	testtool.Path(t, noProgram)
	t.Error("still running")
}

// goTest runs TestChild with the go command and returns the output, which goes to a pipe or
// to a file, and whether the run passed.
func goTest(t *testing.T, ci string, toFile bool, flags ...string) (output string, passed bool) {
	t.Helper()
	args := append([]string{"test", "-count=1", "-run", "^TestChild$"}, flags...)
	child := exec.Command("go", append(args, "github.com/vepverify/vepverify/internal/testtool")...)
	child.Env = append(os.Environ(), childVariable+"=1", "CI="+ci)
	if !toFile {
		text, err := child.CombinedOutput()
		return string(text), err == nil
	}
	name := filepath.Join(t.TempDir(), "output")
	file, err := os.Create(name)
	if err != nil {
		t.Fatal(err)
	}
	child.Stdout, child.Stderr = file, file
	passed = child.Run() == nil
	if err := file.Close(); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return string(text), passed
}

func TestMissing(t *testing.T) {
	const said = "no-such-program is not installed (Debian: apt-get install no-such-program)"
	for _, c := range []struct {
		name, ci string
		flags    []string
		passes   bool
	}{
		{"alone", "", nil, true},
		{"verbose", "false", []string{"-v"}, true},
		{"in CI", "true", nil, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			output, passed := goTest(t, c.ci, false, c.flags...)
			if passed != c.passes || strings.Count(output, said) != 1 {
				t.Errorf("passed %v, want %v and %q:\n%s", passed, c.passes, said, output)
			}
		})
	}
}

func TestPath(t *testing.T) {
	if got := testtool.Path(t, "go"); filepath.Base(got) != "go" {
		t.Errorf("got %q", got)
	}
}
