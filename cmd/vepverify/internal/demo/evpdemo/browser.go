package evpdemo

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/vepverify/vepverify/cmd/vepverify/internal/cli"
)

// programs are the names and paths under which Chromium, or Chrome, is installed.
var programs = []string{
	"chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome",
	"/Applications/Chromium.app/Contents/MacOS/Chromium", "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
}

// findBrowser returns the first of the programs that is installed.
func findBrowser() (program string, found bool) {
	for _, program := range programs {
		if _, err := exec.LookPath(program); err == nil {
			return program, true
		}
	}
	return programs[0], false
}

// args returns the arguments with which Chromium has the protocol, finds the hosts of the demo
// on this machine, finds no others, and keeps nothing outside of the profile.
func (d *Demo) args(profile string) []string {
	args := []string{
		"--user-data-dir=" + profile,
		"--no-first-run",
		"--enable-features=EmailVerificationProtocol",
		// With other pages of a site in the back/forward cache of a tab, Chromium 156 ignores the
		// form in half of the cases.
		"--disable-features=BackForwardCache",
		"--dns-txt-resolver-url-prefix=https://" + dnsHost + dnsPath + "?name=",
		"--host-resolver-rules=MAP *.example:443 " + d.config.Address + ", MAP * ~NOTFOUND",
		"--ignore-certificate-errors-spki-list=" + d.identity.pin,
	}
	if os.Geteuid() == 0 {
		args = append(args, "--no-sandbox") // Chromium does not start as root with its sandbox
	}
	return append(args, StartURL)
}

// Browser is Chromium with a new profile, in which the demo works. It need not be running.
type Browser struct {
	program string
	args    []string
	profile string
	ran     bool
}

// ErrNoBrowser means that none of the names of Chromium is found in the path.
var ErrNoBrowser = errors.New("no Chromium found: install Debian's package chromium, or Chrome")

// NewBrowser makes a folder for the profile. Call Remove at the end.
func (d *Demo) NewBrowser() (*Browser, error) {
	profile, err := os.MkdirTemp("", "vepverify-demo-")
	if err != nil {
		return nil, err
	}
	program, _ := findBrowser()
	return &Browser{program: program, args: d.args(profile), profile: profile}, nil
}

// Installed returns ErrNoBrowser if no Chromium is found.
func Installed() error {
	if _, found := findBrowser(); !found {
		return ErrNoBrowser
	}
	return nil
}

// Command returns the command line for a shell that starts the browser.
func (b *Browser) Command() string {
	words := []string{cli.ShellWord(b.program)}
	for _, arg := range b.args {
		words = append(words, cli.ShellWord(arg))
	}
	return strings.Join(words, " ")
}

// quitTime is how long the other processes of a browser may go on, which may write errors.
const quitTime = 100 * time.Millisecond

// Run runs the browser until its user quits it, or ctx ends. It is then killed, because nothing
// in the profile is worth keeping. The error is not nil if it ends by itself with another status
// than 0.
func (b *Browser) Run(ctx context.Context) error {
	b.ran = true
	var said tail
	browser := exec.CommandContext(ctx, b.program, b.args...)
	browser.Env = append(os.Environ(), "TMPDIR="+b.profile) // a browser that is killed leaves files there
	browser.Stderr = &said
	browser.WaitDelay = quitTime
	browser.Cancel = func() error {
		err := browser.Process.Kill()
		_ = os.RemoveAll(b.profile) // at once, because a second signal ends this process; Remove does the rest
		return err
	}
	err := browser.Run()
	if err == nil || errors.Is(err, exec.ErrWaitDelay) {
		return nil
	}
	select {
	case <-ctx.Done():
		return nil
	case <-time.After(quitTime): // a terminal sends Ctrl-C to the browser, too, which may be faster
		return fmt.Errorf("%s has ended: %w (does it have a display?), %q", b.program, err, said.lastLine())
	}
}

// Remove removes the profile. Processes of a browser that has just ended may write to it
// for a moment, so Remove removes it again until it stays away. It returns an error, and
// removes nothing, if someone has started a browser with the profile that is still running.
func (b *Browser) Remove() (err error) {
	if _, err := os.Lstat(filepath.Join(b.profile, "SingletonLock")); err == nil && !b.ran {
		return fmt.Errorf("the browser is still running: close it, and remove its profile, %s", b.profile)
	}
	const interval, enough, most = 50 * time.Millisecond, 5, 60
	for tries, away := 0, 0; tries < most && away < enough; tries++ {
		if tries > 0 {
			time.Sleep(interval)
		}
		if _, gone := os.Lstat(b.profile); errors.Is(gone, fs.ErrNotExist) {
			away++
		} else {
			away = 0
		}
		if err = os.RemoveAll(b.profile); err == nil && !b.ran {
			return nil
		}
	}
	return err
}

// tail keeps the end of what is written to it.
type tail struct{ text []byte }

// Write implements io.Writer.
func (t *tail) Write(p []byte) (int, error) {
	const most = 1 << 10
	t.text = append(t.text, p...)
	if len(t.text) > most {
		t.text = bytes.Clone(t.text[len(t.text)-most:])
	}
	return len(p), nil
}

// lastLine returns the last line that is not empty.
func (t *tail) lastLine() string {
	text := strings.TrimSpace(string(t.text))
	return text[strings.LastIndexByte(text, '\n')+1:]
}
