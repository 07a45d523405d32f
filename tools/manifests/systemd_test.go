package manifests_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/vepverify/vepverify/internal/testtool"
)

// installUnit copies the unit, with these drop-ins, to a new folder. The copy runs the command of
// this checkout, because systemd-analyze looks for it.
func installUnit(t *testing.T, dropIns ...string) string {
	t.Helper()
	dir := t.TempDir()
	const start = "ExecStart=/usr/bin/vepverify serve\n"
	unit := read(t, "systemd/vepverify.service")
	if !strings.Contains(unit, start) {
		t.Fatalf("the unit has no %q", start)
	}
	unit = strings.Replace(unit, start, "ExecStart="+binary+" serve\n", 1)
	path := filepath.Join(dir, "vepverify.service")
	check(t, os.WriteFile(path, []byte(unit), 0o644))
	check(t, os.Mkdir(path+".d", 0o755))
	for _, name := range dropIns {
		check(t, os.WriteFile(filepath.Join(path+".d", name), []byte(read(t, "systemd/drop-ins/"+name)), 0o644))
	}
	return path
}

// dropIns returns the names of the drop-ins in deploy/.
func dropIns(t *testing.T) []string {
	t.Helper()
	paths, err := filepath.Glob(filepath.Join(deploy, "systemd/drop-ins/*.conf"))
	check(t, err)
	var names []string
	for _, path := range paths {
		names = append(names, filepath.Base(path))
	}
	if len(names) == 0 {
		t.Fatal("no drop-ins")
	}
	return names
}

// TestUnitIsValid: systemd finds nothing to complain about in the unit, alone and with each
// drop-in.
func TestUnitIsValid(t *testing.T) {
	analyze := testtool.Path(t, "systemd-analyze")
	verify := func(t *testing.T, unit string) {
		t.Helper()
		output(t, analyze, "verify", "--man=no", "--recursive-errors=no", unit)
	}
	t.Run("alone", func(t *testing.T) { verify(t, installUnit(t)) })
	for _, name := range dropIns(t) {
		t.Run(name, func(t *testing.T) { verify(t, installUnit(t, name)) })
	}
}

// TestVerifySeesDropIns: a mistake in a drop-in is found by what TestUnitIsValid runs.
func TestVerifySeesDropIns(t *testing.T) {
	analyze := testtool.Path(t, "systemd-analyze")
	unit := installUnit(t)
	check(t, os.WriteFile(unit+".d/wrong.conf", []byte("[Service]\nPrivateUser=no\n"), 0o644))
	out, err := exec.Command(analyze, "verify", "--man=no", "--recursive-errors=no", unit).CombinedOutput()
	if err == nil {
		t.Errorf("the mistake is not found: %s", out)
	}
}

// TestUnitExposure: systemd's estimate of the unit's exposure is at most 2.0.
func TestUnitExposure(t *testing.T) {
	out := output(t, testtool.Path(t, "systemd-analyze"), "security", "--offline=true", "--threshold=20", "--no-pager", installUnit(t))
	overall := regexp.MustCompile(`Overall exposure level for vepverify.service: (\S+)`).FindStringSubmatch(out)
	if overall == nil {
		t.Fatal(out)
	}
	t.Log("exposure", overall[1])
}

// commented is a setting in the example of settings that is commented out.
var commented = regexp.MustCompile(`(?m)^#([A-Z_]+)=(.*)$`)

// TestEnvironmentExample: each setting in the example is one of the service, which starts with it.
func TestEnvironmentExample(t *testing.T) {
	example := read(t, "systemd/vepverify.env")
	if active := regexp.MustCompile(`(?m)^[^#\n].*$`).FindString(example); active != "" {
		t.Errorf("%q is not commented out", active)
	}
	if !strings.Contains(example, "\n#VEPVERIFY_PORT=8080\n") {
		t.Error("the example has another port than the unit")
	}
	files := exampleFiles(t)
	found := commented.FindAllStringSubmatch(example, -1)
	if len(found) < 10 {
		t.Fatalf("only %d settings found", len(found))
	}
	for _, setting := range found {
		name, value := setting[1], files.Replace(setting[2])
		t.Run(name+"="+setting[2], func(t *testing.T) {
			env := map[string]string{"PORT": "0"}
			switch name { // what each needs, and free ports
			case "VEPVERIFY_PORT":
				value = "0"
			case "VEPVERIFY_METRICS_ADDRESS":
				value = strings.Replace(value, ":8081", ":0", 1)
			case "VEPVERIFY_MAX_LIFE":
				env["VEPVERIFY_REPLAY"] = "memory"
			case "VEPVERIFY_TLS_CERT", "VEPVERIFY_TLS_KEY":
				env["VEPVERIFY_TLS_CERT"] = files.Replace("/etc/vepverify/tls.crt")
				env["VEPVERIFY_TLS_KEY"] = files.Replace("/etc/vepverify/tls.key")
			}
			s := start(t, with(env, name, value), "serve")
			s.expectNoLog("variable unknown", "variable ignored", "not for production")
		})
	}
}

// exampleFiles makes the files that the example names. The returned Replacer replaces their paths.
func exampleFiles(t *testing.T) *strings.Replacer {
	t.Helper()
	dir := t.TempDir()
	keys, err := os.ReadFile(newIssuer(t, "idp.example").keys)
	check(t, err)
	certificate, key := selfSigned(t)
	for name, data := range map[string][]byte{"keys.json": keys, "ca.pem": certificate, "tls.crt": certificate, "tls.key": key} {
		check(t, os.WriteFile(filepath.Join(dir, name), data, 0o600))
	}
	return strings.NewReplacer("/etc/vepverify/", dir+"/")
}
