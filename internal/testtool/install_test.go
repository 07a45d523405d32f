package testtool_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// needed is a call that names a program or a Debian package which a test needs.
var needed = regexp.MustCompile(`testtool\.(?:Path|Missing)\(\w+, "([^"]+)"\)`)

// TestInstalled checks that .ci/run installs what the tests need.
func TestInstalled(t *testing.T) {
	const top = "../.."
	script, err := os.ReadFile(filepath.Join(top, ".ci/run"))
	if err != nil {
		t.Fatal(err)
	}
	_, lists, found := strings.Cut(string(script), "\nprograms=(")
	lists, _, _ = strings.Cut(lists, "\n}\n") // the end of the function missing
	if !found {
		t.Fatal(".ci/run has no list of programs")
	}
	installed := regexp.MustCompile(`[\w-]+`).FindAllString(lists, -1)
	err = filepath.WalkDir(top, func(path string, _ fs.DirEntry, err error) error {
		if err != nil || filepath.Ext(path) != ".go" {
			return err
		}
		text, err := os.ReadFile(path)
		for _, call := range needed.FindAllStringSubmatch(string(text), -1) {
			if tool := call[1]; tool != "go" && !slices.Contains(installed, tool) {
				t.Errorf("%s needs %s, which .ci/run does not install", path, tool)
			}
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}
}
