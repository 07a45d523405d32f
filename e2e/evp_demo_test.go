package e2e

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/target"
	"github.com/chromedp/chromedp"
)

// TestDemoEVP starts "vepverify demo --evp", and Chromium with the command line that it
// prints, and signs in with a token.
func TestDemoEVP(t *testing.T) {
	c := start(t, "demo", "--evp", "--port", "0")
	line := c.find(`in which the demo works:\n  ([^\n]*)\n`)
	profile := c.find(`--user-data-dir=(\S+)`)
	w, quit := startPrinted(t, line, profile, false)
	w.see("h1", "Sign in with your email")
	w.screenshots("evp-front", large...)

	w.clickText("a", "sign in at your mail provider")
	w.see("h1", "Sign in to your mail")
	w.screenshots("evp-provider", large...)
	w.click("main button")
	w.see("h1", "Signed in as ada@mail.example")
	w.screenshots("evp-provider-signed-in", large...)
	w.clickText("a", "Go to the shop")
	w.see("h1", "Sign in with your email")
	w.fillBlindly("ada@mail.example")
	w.click("main button")
	w.see("h1", "Signed in as ada@mail.example")
	w.screenshots("evp-signed-in", large...)
	w.docsScreenshot("evp-signed-in", view{"", 800, 1000, "light", false})
	checkTokenWalkthrough(w)
	w.unfold()
	w.screenshots("evp-signed-in-open", large...)

	w.clickText("button", "Sign out")
	w.see("h1", "Sign in with your email")
	w.typeAddress("mallory@mail.example")
	w.click("main button")
	w.see("h1", "Enter the code")
	w.screenshots("evp-code", large...)
	w.enter("#code", eval[string](w, "document.getElementById('mailed').textContent"))
	w.click("main button")
	w.see("h1", "Signed in as mallory@mail.example")

	quit()
	c.interrupt()
	if _, err := os.Stat(profile); !os.IsNotExist(err) {
		t.Errorf("the profile: %v", err)
	}
}

// startPrinted starts Chromium with a command line that the demo has printed. It returns the tab
// with the page that the line names, and a function that ends the browser. Without a window, the
// browser does not ask its question, which no test can answer.
func startPrinted(t *testing.T, line, profile string, window bool) (w *tab, quit func()) {
	t.Helper()
	script := filepath.Join(t.TempDir(), "printed")
	// chromedp adds a page of its own. Without a window there can be one only.
	const others = "#!/bin/sh\n" + `for word; do shift; [ "$word" = about:blank ] || set -- "$@" "$word"; done` + "\n"
	if err := os.WriteFile(script, []byte(others+"exec "+line+` "$@"`+"\n"), 0o700); err != nil {
		t.Fatal(err)
	}
	options := []chromedp.ExecAllocatorOption{
		chromedp.ExecPath(script), chromedp.UserDataDir(profile), chromedp.NoSandbox, chromedp.DisableGPU,
		chromedp.WindowSize(screenWidth, screenHeight), chromedp.Flag("window-position", "0,0"),
	}
	if !window {
		options = append(options, chromedp.Headless, chromedp.Flag("auto-grant-email-verification-permission-for-testing", true))
	}
	allocator, stop := chromedp.NewExecAllocator(context.Background(), options...)
	t.Cleanup(stop)
	first, end := chromedp.NewContext(allocator, chromedp.WithErrorf(func(string, ...any) {}))
	t.Cleanup(end)
	quit = func() {
		if err := chromedp.Cancel(first); err != nil {
			t.Error(err)
		}
		stop() // waits for the process
	}
	// A page that is attached to while it is loading may have no context for scripts. chromedp.Do
	// would attach to the page at once, chromedp.Targets does not attach.
	for limit := time.Now().Add(deadline); time.Now().Before(limit); time.Sleep(pollInterval) {
		targets, err := chromedp.Targets(first)
		if err != nil {
			t.Fatal(err)
		}
		loaded := func(i *target.Info) bool { return strings.Contains(i.Title, "Example Shop") }
		if n := slices.IndexFunc(targets, loaded); n >= 0 {
			ctx, cancel := chromedp.NewContext(first, chromedp.WithTargetID(targets[n].TargetID))
			t.Cleanup(cancel)
			return attach(t, ctx), quit
		}
	}
	t.Fatal("the browser does not show the page")
	return nil, nil
}

// checkTokenWalkthrough checks that the page shows the outcomes of all checks, and the reasons
// for which attempts of misuse are refused.
func checkTokenWalkthrough(w *tab) {
	w.t.Helper()
	outcomes := eval[[]string](w, `[...document.querySelectorAll('[aria-labelledby=checks] .outcome')].map(e => e.textContent)`)
	if got := strings.Join(outcomes, " "); got != strings.Repeat("passed ", 11)+"skipped" {
		w.t.Errorf("checks: %s", got)
	}
	reasons := eval[string](w, `[...document.querySelectorAll('.refused')].map(e => e.textContent).join()`)
	if reasons != "Refused: audience mismatch,Refused: nonce mismatch,Refused: expired,Refused: the halves of the token do not belong together,Refused: the token was used before" {
		w.t.Errorf("attempts: %s", reasons)
	}
}
