package main

import (
	"bufio"
	"encoding/json"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/vepverify/vepverify/internal/buildinfo"
	"github.com/vepverify/vepverify/internal/testtool"
	"github.com/vepverify/vepverify/verifyapi"
)

func TestVersion(t *testing.T) {
	for _, test := range []struct {
		info buildinfo.Info
		want string
	}{
		{buildinfo.Info{Version: "v1.2.3", Go: "go1.26"}, "vepverify v1.2.3 go1.26"},
		{buildinfo.Info{Version: "v1.2.3", Commit: "abc", Go: "go1.26"}, "vepverify v1.2.3 abc go1.26"},
		{buildinfo.Info{Version: "(devel)", Commit: "abc", Modified: true, Go: "go1.26"}, "vepverify (devel) abc+changes go1.26"},
	} {
		if got, _, _ := strings.Cut(versionOf(test.info).String(), ", "); got != test.want {
			t.Errorf("version is %q, want %q", got, test.want)
		}
	}
}

// TestStamps builds the program as a release is built, and asks it for its version, and its
// service. A part without a stamp is unknown, because these builds do not look at the repository.
func TestStamps(t *testing.T) {
	const (
		stamp  = "-X github.com/vepverify/vepverify/internal/buildinfo."
		commit = "0123456789abcdef0123456789abcdef01234567"
		none   = "0000000000000000000000000000000000000000"
		source = "https://github.com/vepverify/vepverify"
	)
	goTool := testtool.Path(t, "go")
	for name, test := range map[string]struct {
		flags   string
		version string // the line, without the version of Go
		served  verifyapi.Version
	}{
		"no stamp": {"", "vepverify (devel)", verifyapi.Version{Version: "0.0.0", Commit: none, Source: source}},
		"both": {
			stamp + "version=v1.2.3 " + stamp + "commit=" + commit,
			"vepverify v1.2.3 " + commit, verifyapi.Version{Version: "1.2.3", Commit: commit, Source: source},
		},
		"a version": {stamp + "version=v1.2.3", "vepverify v1.2.3", verifyapi.Version{Version: "1.2.3", Commit: none, Source: source}},
		"a commit":  {stamp + "commit=" + commit, "vepverify (devel) " + commit, verifyapi.Version{Version: "0.0.0", Commit: commit, Source: source}},
	} {
		t.Run(name, func(t *testing.T) {
			program := filepath.Join(t.TempDir(), "vepverify")
			if runtime.GOOS == "windows" {
				program += ".exe"
			}
			build := exec.Command(goTool, "build", "-buildvcs=false", "-ldflags", test.flags, "-o", program, ".")
			if out, err := build.CombinedOutput(); err != nil {
				t.Fatalf("%v: %s", err, out)
			}
			out, err := exec.Command(program, "version").Output()
			if got, _, _ := strings.Cut(string(out), " go1."); err != nil || got != test.version {
				t.Errorf("%q, %v, want %q", got, err, test.version)
			}
			if diff := cmp.Diff(test.served, servedVersion(t, program)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// servedVersion runs the program's service and returns what its /__version__ answers.
func servedVersion(t *testing.T, program string) (v verifyapi.Version) {
	t.Helper()
	service := exec.Command(program, "serve")
	out, err := service.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := service.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() {
		_ = service.Process.Signal(os.Kill)
		_ = service.Wait() // it was killed
	}()
	line, err := bufio.NewReader(out).ReadBytes('\n')
	if err != nil {
		t.Fatal(err)
	}
	var running struct{ Fields struct{ URL string } }
	if err := json.Unmarshal(line, &running); err != nil {
		t.Fatal(err)
	}
	res, err := http.Get(running.Fields.URL + "/__version__")
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(body, &v); err != nil {
		t.Fatalf("%s: %v", body, err)
	}
	return v
}
