//go:build unix

package evpdemo_test

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/vepverify/vepverify/cmd/vepverify/internal/demo/evpdemo"
)

// install puts a program for a shell into the path, in place of Chromium.
func install(t *testing.T, script string) *evpdemo.Browser {
	t.Helper()
	dir := t.TempDir()
	if script != "" {
		if err := os.WriteFile(filepath.Join(dir, "chromium"), []byte("#!/bin/sh\n"+script+"\n"), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	t.Setenv("PATH", dir)
	demo, err := evpdemo.New(evpdemo.Config{Address: "127.0.0.1:8400"})
	if err != nil {
		t.Fatal(err)
	}
	browser, err := demo.NewBrowser()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = browser.Remove() })
	return browser
}

// profile returns the folder of the browser's profile.
func profile(t *testing.T, b *evpdemo.Browser) string {
	t.Helper()
	return regexp.MustCompile(`--user-data-dir=(\S+)`).FindStringSubmatch(b.Command())[1]
}

// TestCommand runs the printed command line in a shell, with a program that prints its arguments.
func TestCommand(t *testing.T) {
	b := install(t, `for word; do echo "$word"; done`)
	out, err := exec.Command("/bin/sh", "-c", b.Command()).Output()
	if err != nil {
		t.Fatal(err)
	}
	words := strings.Split(string(out), "\n")
	for _, want := range []string{
		"--enable-features=EmailVerificationProtocol", "--dns-txt-resolver-url-prefix=https://dns.example/resolve?name=",
		"--host-resolver-rules=MAP *.example:443 127.0.0.1:8400, MAP * ~NOTFOUND", "https://shop.example/",
	} {
		if !strings.Contains(string(out), want+"\n") {
			t.Errorf("no %s in %q", want, words)
		}
	}
	if strings.Contains(string(out), "auto-grant") {
		t.Error("the browser would not ask")
	}
}

// TestRun runs browsers that end in different ways. The profile is removed.
func TestRun(t *testing.T) {
	for name, c := range map[string]struct{ script, want string }{
		"quits": {"exit 0", ""}, "leaves a process": {`(/bin/sleep 0.2; /bin/mkdir "${1#--user-data-dir=}") & exit 0`, ""}, "fails": {"echo; echo no display >&2; exit 1", `exit status 1 (does it have a display?), "no display"`}, "none": {"", "chromium"},
	} {
		t.Run(name, func(t *testing.T) {
			b := install(t, c.script)
			if err := evpdemo.Installed(); (err != nil) != (c.script == "") {
				t.Errorf("installed: %v", err)
			}
			err := b.Run(t.Context())
			if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
				t.Errorf("%v, want %q", err, c.want)
			}
			checkRemoved(t, b)
		})
	}
}

// TestRunStops stops a browser by its context.
func TestRunStops(t *testing.T) {
	b := install(t, "exec /bin/sleep 60")
	if err := os.WriteFile(filepath.Join(profile(t, b), "Preferences"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if err := b.Run(ctx); err != nil {
		t.Error(err)
	}
	if !errors.Is(ctx.Err(), context.DeadlineExceeded) {
		t.Error("it did not run")
	}
	if _, err := os.Stat(profile(t, b)); !os.IsNotExist(err) {
		t.Errorf("the profile is not removed at once: %v", err)
	}
	checkRemoved(t, b)
}

func checkRemoved(t *testing.T, b *evpdemo.Browser) {
	t.Helper()
	dir := profile(t, b)
	if err := b.Remove(); err != nil {
		t.Error(err)
	}
	if _, err := os.Stat(dir); !os.IsNotExist(err) {
		t.Errorf("the profile: %v", err)
	}
}
