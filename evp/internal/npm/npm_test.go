package npm_test

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/vepverify/vepverify/internal/testtool"
)

// packages are the packages of package.json.
var packages = []string{"jose", "email-verification-api"}

// folder returns the folder with node_modules. It ends the test if a package is missing, or
// installs the packages if CI=true.
func folder(t *testing.T) string {
	t.Helper()
	folder := os.Getenv("EVP_NPM")
	if folder == "" {
		cache, err := os.UserCacheDir()
		if err != nil {
			testtool.Unavailable(t, "no folder for the packages of npm: set EVP_NPM")
		}
		folder = filepath.Join(cache, "vepverify", "evp-npm")
	}
	if missing(t, folder) != "" && os.Getenv("CI") == "true" {
		install(t, folder)
	}
	if name := missing(t, folder); name != "" {
		testtool.Unavailable(t, "the npm package "+name+" is not installed (see evp/internal/npm/doc.go)")
	}
	return folder
}

// missing returns the name of a package that the folder does not have in the version of
// package.json, or "".
func missing(t *testing.T, folder string) string {
	t.Helper()
	var wanted struct{ Dependencies map[string]string }
	readJSON(t, "package.json", &wanted)
	for _, name := range packages {
		data, err := os.ReadFile(filepath.Join(folder, "node_modules", name, "package.json"))
		if err != nil {
			return name
		}
		var installed struct{ Version string }
		if err := json.Unmarshal(data, &installed); err != nil || installed.Version != wanted.Dependencies[name] {
			return name
		}
	}
	return ""
}

// install installs the packages of package-lock.json in a folder.
func install(t *testing.T, folder string) {
	t.Helper()
	if err := os.MkdirAll(folder, 0o755); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"package.json", "package-lock.json"} {
		data, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(folder, name), data, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	npm := exec.CommandContext(t.Context(), testtool.Path(t, "npm"), "ci", "--prefix", folder, "--ignore-scripts", "--no-audit", "--no-fund")
	if out, err := npm.CombinedOutput(); err != nil {
		t.Fatalf("npm ci: %v\n%s", err, out)
	}
}

func readJSON(t *testing.T, path string, into any) {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(data, into); err != nil {
		t.Fatalf("%s: %v", path, err)
	}
}

// run runs a script of this folder, and decodes what it prints.
func run(t *testing.T, into any, input []byte, script string, args ...string) {
	t.Helper()
	path := folder(t)
	if _, err := os.ReadFile(script); err != nil { // so that go test notices changes
		t.Fatal(err)
	}
	command := exec.CommandContext(t.Context(), testtool.Path(t, "node"), append([]string{script}, args...)...)
	command.Env = append(os.Environ(), "NPM_FOLDER="+path)
	command.Stdin = bytes.NewReader(input)
	var stderr bytes.Buffer
	command.Stderr = &stderr
	out, err := command.Output()
	if err != nil {
		t.Fatalf("%v\n%s", err, stderr.Bytes())
	}
	if err := json.Unmarshal(out, into); err != nil {
		t.Fatal(err)
	}
}
