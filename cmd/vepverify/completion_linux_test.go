package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/vepverify/vepverify/cmd/vepverify/internal/cli"
	"github.com/vepverify/vepverify/cmd/vepverify/internal/clitest"
	"github.com/vepverify/vepverify/internal/testtool"
)

// completionPlaces are the places below /usr/share into which packages put the scripts.
var completionPlaces = map[string]string{
	"bash": "bash-completion/completions/vepverify",
	"zsh":  "zsh/vendor-completions/_vepverify",
	"fish": "fish/vendor_completions.d/vepverify.fish",
}

// installCompletion writes the scripts to their places below a folder that stands for
// /usr/share.
func installCompletion(t *testing.T) (share string) {
	t.Helper()
	share = t.TempDir()
	for shell, place := range completionPlaces {
		code, script, stderr := runApp(t, cli.Process{}, "completion", shell)
		if code != 0 {
			t.Fatal(stderr)
		}
		file := filepath.Join(share, place)
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(script), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return share
}

// typeInto starts a shell on a terminal, types lines into it, and returns the screen.
func typeInto(t *testing.T, share, shell string, lines ...string) string {
	t.Helper()
	home := t.TempDir()
	cmd := exec.Command("sh", "-c", "exec "+shell+" <&3 >&3 2>&3")
	cmd.Dir = home
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "TERM=dumb", "HOME=" + home, "SHARE=" + share,
		"XDG_DATA_DIRS=" + share, "LC_ALL=C.UTF-8", "HISTFILE=", "BASH_COMPLETION_USER_DIR=" + home}
	shown, err := clitest.RunOnTerminal(cmd, strings.Join(lines, "\n")+"\nexit 0\n", true)
	if err != nil {
		t.Errorf("%s: %v", shell, err)
	}
	return shown
}

// The lines that are typed: the Tab key completes a command, a flag, a value, and a word of the
// command help.
var (
	stub      = `vepverify() { echo "ran [$*]"; }`
	completed = map[string]string{
		"vepverify keyg\t":                       "ran [keygen]",
		"vepverify lookup --sa\tx":               "ran [lookup --save x]",
		"vepverify serve --undecided-status 5\t": "ran [serve --undecided-status 503]",
		"vepverify man comple\t":                 "ran [man completion]",
		"vepverify help heal\t":                  "ran [help health]",
	}
)

// TestInstalledCompletion: shells find the scripts at the places where packages put them, and the
// Tab key completes with them.
func TestInstalledCompletion(t *testing.T) {
	share := installCompletion(t)
	t.Run("bash", func(t *testing.T) {
		const loader = "/usr/share/bash-completion/bash_completion"
		if _, err := os.Stat(loader); err != nil {
			testtool.Missing(t, "bash-completion")
		}
		checkCompleted(t, share, "bash --norc --noprofile -i", "source "+loader, stub)
	})
	t.Run("zsh", func(t *testing.T) {
		testtool.Path(t, "zsh")
		checkCompleted(t, share, "zsh -f -i", "fpath=($SHARE/zsh/vendor-completions $fpath)", "autoload -U compinit; compinit -u -D", stub)
	})
}

// checkCompleted types each of the lines into a shell that has been set up.
func checkCompleted(t *testing.T, share, shell string, setup ...string) {
	t.Helper()
	for line, want := range completed {
		if shown := typeInto(t, share, shell, append(setup, line)...); !strings.Contains(shown, want) {
			t.Errorf("%q is not completed to %q:\n%s", line, want, shown)
		}
	}
}

// TestInstalledFishCompletion is TestInstalledCompletion for fish, which can be asked for its
// completions.
func TestInstalledFishCompletion(t *testing.T) {
	fish := testtool.Path(t, "fish")
	share := installCompletion(t)
	for line, want := range map[string]string{
		"vepverify keyg": "keygen\t", "vepverify lookup --sa": "--save\t", "vepverify serve --undecided-status 5": "503\t",
		"vepverify man comple": "completion\n", "vepverify help heal": "health\n",
	} {
		cmd := exec.Command(fish, "--command", "complete --do-complete '"+line+"'")
		home := t.TempDir()
		cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "HOME=" + home, "XDG_CONFIG_HOME=" + home, "XDG_DATA_DIRS=" + share, "LC_ALL=C.UTF-8"}
		out, err := cmd.CombinedOutput()
		if err != nil || !strings.HasPrefix(string(out), want) {
			t.Errorf("%q is completed to %q, want %q; %v", line, out, want, err)
		}
	}
}
