package evpdemo

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
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
	return &Browser{program, d.args(profile), profile}, nil
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

// quitTime is how long the processes of a browser that was killed may take to end.
const quitTime = time.Second

// Run runs the browser until its user quits it, or ctx ends. It is then killed, because nothing
// in the profile is worth keeping. The error is not nil if it ends
// by itself with another status than 0.
func (b *Browser) Run(ctx context.Context) error {
	var said tail
	browser := exec.CommandContext(ctx, b.program, b.args...)
	browser.Stderr = &said
	browser.WaitDelay = quitTime
	if err := browser.Run(); err != nil && ctx.Err() == nil {
		return fmt.Errorf("%s has ended: %w, %q", b.program, err, said.lastLine())
	}
	return nil
}

// Remove removes the profile. Processes of a browser that has just quit may still write to
// it, so Remove tries again for a while.
func (b *Browser) Remove() (err error) {
	const tries, interval = 20, 100 * time.Millisecond
	for i := range tries {
		if i > 0 {
			time.Sleep(interval)
		}
		if err = os.RemoveAll(b.profile); err == nil {
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
