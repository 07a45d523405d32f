package manifests_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// top is the folder of the repository, deploy that of the files which are tested.
var (
	top    = mustAbs("../..")
	deploy = filepath.Join(top, "deploy")
)

// binary is the command, built from this checkout as a release is.
var binary string

func TestMain(m *testing.M) {
	os.Exit(run(m))
}

func run(m *testing.M) int {
	dir, err := os.MkdirTemp("", "manifests")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(dir)
	binary = filepath.Join(dir, "vepverify")
	const stamp = "github.com/vepverify/vepverify/internal/buildinfo"
	build := exec.Command("go", "build", "-ldflags", "-X "+stamp+".version=v1.2.3 -X "+stamp+".commit="+strings.Repeat("a", 40), "-o", binary, "./cmd/vepverify")
	build.Dir = top
	if out, err := build.CombinedOutput(); err != nil {
		fmt.Fprintf(os.Stderr, "go build: %v\n%s", err, out)
		return 1
	}
	return m.Run()
}

func mustAbs(path string) string {
	abs, err := filepath.Abs(path)
	if err != nil {
		panic(err)
	}
	return abs
}

// read returns a file of deploy/.
func read(t *testing.T, name string) string {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(deploy, name))
	check(t, err)
	return string(data)
}

// output runs a program and returns what it prints. If the program fails, the test does.
func output(t *testing.T, program string, args ...string) string {
	t.Helper()
	out, err := exec.Command(program, args...).CombinedOutput()
	if err != nil {
		t.Fatalf("%s %q: %v\n%s", program, args, err, out)
	}
	return string(out)
}

func check(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
