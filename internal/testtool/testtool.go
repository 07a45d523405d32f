// Package testtool is for tests that run a program which is not part of Go, such as
// redis-server or Chromium. If the program is not installed, the test is skipped, or
// fails if CI=true is in the environment.
//
// go test hides what a package prints whose tests pass, skipped ones included. So this
// package writes a line about each skipped test to the standard error of the go command
// itself. That works on Linux. On other systems only go test -v shows skipped tests.
package testtool

import (
	"fmt"
	"os"
	"os/exec"
	"path"
	"runtime/debug"
	"testing"
)

// debianPackages are the packages of tools whose package has another name.
var debianPackages = map[string]string{
	"node": "nodejs", "man": "man-db", "lexgrog": "man-db", "promtool": "prometheus", "redis-cli": "redis-tools",
	"systemd-analyze": "systemd",
}

// Path returns the path of an installed program. If it is not installed, Path ends the
// test as [Missing] does.
func Path(t testing.TB, program string) string {
	t.Helper()
	found, err := exec.LookPath(program)
	if err != nil {
		Missing(t, program)
	}
	return found
}

// Missing ends a test because a tool is not installed: it skips the test, or fails it if
// CI=true. The tool is a program, or the name of a Debian package.
func Missing(t testing.TB, tool string) {
	t.Helper()
	debian := tool
	if name, ok := debianPackages[tool]; ok {
		debian = name
	}
	Unavailable(t, fmt.Sprintf("%s is not installed (Debian: apt-get install %s)", tool, debian))
}

// Unavailable ends a test because something that it needs is missing, as the text says: it
// skips the test, or fails it if CI=true.
func Unavailable(t testing.TB, text string) {
	t.Helper()
	if os.Getenv("CI") == "true" {
		t.Fatal(text)
	}
	if !testing.Verbose() {
		report(fmt.Sprintf("skipped: %s of %s: %s\n", t.Name(), testedPackage(), text))
	}
	t.Skip(text)
}

// testedPackage returns the name of the package whose tests run.
func testedPackage() string {
	if info, ok := debug.ReadBuildInfo(); ok {
		return info.Path[:len(info.Path)-len(path.Ext(info.Path))] // without .test
	}
	return path.Base(os.Args[0])
}
