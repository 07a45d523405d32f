package e2e

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	browserdomain "github.com/chromedp/cdproto/browser"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

// TestDemo starts the demo, opens its page, and uses all pages.
func TestDemo(t *testing.T) {
	c := start(t, "demo")
	address := c.find(`Open this page in a browser: (http://\S+)\n`)
	w := newTab(t)
	w.open(address)
	w.see("h1", "Sign in with your email")
	w.screenshots("demo-front", large...)
	w.tabTo("#browserid-login")
	w.screenshots("demo-focus", large...)

	dialog := w.popup(clicking("#browserid-login"))
	w.screenshots("demo-waiting", large...)
	dialog.cancelDialog()
	w.see("#browserid-message", "Signing in was cancelled.")
	w.screenshots("demo-cancelled", large...)

	dialog = w.popup(pressing(kb.Enter)) // the button still has the focus
	dialog.ready()
	dialog.screenshots("demo-dialog", small...)
	dialog.docsScreenshot("dialog", view{"", 440, 560, "light", false})
	dialog.ready()
	dialog.enter("#email", "ada@idp.localhost")
	dialog.click("#sign-in")
	w.see("h1", "Signed in as ada@idp.localhost")
	w.gone(dialog)
	w.screenshots("demo-walkthrough", large...)
	w.docsScreenshot("demo", view{"", 800, 1000, "light", false})
	checkWalkthrough(w)
	w.unfold()
	w.screenshots("demo-walkthrough-open", large...)

	w.tabAround()
	w.clickText("a", "Members’ page")
	w.see("h1", "Members’ page")
	w.see(".people", "ada@idp.localhost")
	w.screenshots("demo-members", large...)
	w.clickText("a", "See what happened")
	w.see("h1", "Signed in as")
	w.clickText("button", "Sign out")
	w.see("h1", "Sign in with your email")

	w.open(address + "members")
	w.see(".message", "Sign in first")
	w.screenshots("demo-wanted", large...)
	w.signIn("x" + strings.Repeat(".very.long.name", 4))
	w.see("h1", "Members’ page")
	w.screenshots("demo-long", large...)
	w.open(address + "absent")
	w.see("h1", "This page does not exist")
	w.screenshots("demo-absent", large...)

	idp := c.find(`identity provider: +(http://\S+)`)
	checkFrames(w, serveAttacker(t, "harmless"), address, address+"members", address+"absent", address+"api/login", address+"api/whoami", idp+"/sign_in")
	c.interrupt()
}

// checkWalkthrough checks that the page shows the outcomes of all checks, and the reasons for
// which attempts of misuse are refused.
func checkWalkthrough(w *tab) {
	w.t.Helper()
	outcomes := eval[[]string](w, `[...document.querySelectorAll('[aria-labelledby=checks] .outcome')].map(e => e.textContent)`)
	if got := strings.Join(outcomes, " "); got != strings.Repeat("passed ", 9)+"skipped" {
		w.t.Errorf("checks: %s", got)
	}
	reasons := eval[string](w, `[...document.querySelectorAll('.refused')].map(e => e.textContent).join()`)
	if reasons != "Refused: audience mismatch: domain mismatch,Refused: expired,Refused: invalid signature,Refused: the assertion was used before" {
		w.t.Errorf("attempts: %s", reasons)
	}
}

// TestDemoProgram runs the lines for a shell that the page shows.
func TestDemoProgram(t *testing.T) {
	c := start(t, "demo")
	w := newTab(t)
	w.open(c.find(`Open this page in a browser: (http://\S+)\n`))
	out := c.shell(eval[string](w, "document.getElementById('program').innerText"))
	if !strings.Contains(out, "client@idp.localhost") {
		t.Error(out)
	}
	c.interrupt()
}

// TestDemoCopy copies the texts that have a copy button, by mouse and by keyboard, and reads
// the clipboard.
func TestDemoCopy(t *testing.T) {
	c := start(t, "demo")
	address := c.find(`Open this page in a browser: (http://\S+)\n`)
	w := newTab(t)
	w.allowClipboard(address)
	w.open(address)
	commands := c.find(`in another terminal:\n  (curl [^\n]*\n  [^\n]*)\n`)
	commands = strings.ReplaceAll(commands, "\n  ", "\n")
	for name, act := range map[string]func(){
		"mouse":    func() { w.click("[data-copy=program]") },
		"keyboard": func() { w.tabTo("[data-copy=program]"); w.press(kb.Enter) },
	} {
		w.reload()
		w.clearClipboard()
		act()
		w.see("[data-copy=program] + [role=status]", "Copied.")
		if got := w.clipboard(); got != commands {
			t.Errorf("%s: copied %q, want %q", name, got, commands)
		}
	}
	w.signIn("ada")
	w.see("h1", "Signed in as")
	w.unfold()
	w.click("[data-copy=text]")
	w.see("[data-copy=text] + [role=status]", "Copied.")
	text := w.clipboard()
	if strings.Count(text, "~") != 1 || text != eval[string](w, "document.getElementById('text').textContent") {
		t.Errorf("copied %q", text)
	}
	if err := os.WriteFile(filepath.Join(c.dir, "copied.txt"), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	if out := c.shell("vepverify inspect copied.txt"); !strings.Contains(out, "ada@idp.localhost") {
		t.Error(out)
	}
	c.interrupt()
}

// allowClipboard lets the pages of an origin read the clipboard.
func (w *tab) allowClipboard(address string) {
	w.t.Helper()
	profile := chromedp.FromContext(w.ctx).BrowserContextID
	for _, name := range []string{"clipboard-read", "clipboard-write"} {
		call(w, browserdomain.SetPermission, browserdomain.SetPermissionParams{
			Permission: &browserdomain.PermissionDescriptor{Name: name}, Setting: browserdomain.PermissionSettingGranted,
			Origin: strings.TrimSuffix(address, "/"), BrowserContextID: profile,
		})
	}
}

func (w *tab) clipboard() string {
	w.t.Helper()
	return eval[string](w, "navigator.clipboard.readText()")
}

func (w *tab) clearClipboard() {
	w.t.Helper()
	w.loaded()
	eval[any](w, "navigator.clipboard.writeText('nothing')")
}

// TestDemoWithout opens the page in browsers that lack something that it uses. The page must
// say what is missing, and show no button that does nothing.
func TestDemoWithout(t *testing.T) {
	c := start(t, "demo")
	address := c.find(`Open this page in a browser: (http://\S+)\n`)
	const copyShown = "document.querySelector('[data-copy=program]').checkVisibility()"
	const said = "document.querySelector('[data-copy=program] + [role=status]').textContent"
	for name, test := range map[string]struct {
		script, want string
	}{
		"clipboard":            {"Object.defineProperty(navigator, 'clipboard', {value: undefined})", "!" + copyShown},
		"clipboard permission": {"navigator.clipboard.writeText = () => Promise.reject(new Error())", said + ".includes('Select the text')"},
		"nothing":              {"", copyShown},
	} {
		t.Run(name, func(t *testing.T) {
			w := newTab(t)
			call(w, page.AddScriptToEvaluateOnNewDocument, page.AddScriptToEvaluateOnNewDocumentParams{Source: test.script})
			w.open(address)
			if name == "clipboard permission" {
				w.click("[data-copy=program]")
			}
			w.wait(test.want)
			w.screenshots("demo-without-"+strings.ReplaceAll(name, " ", "-"), large...)
		})
	}
	t.Run("cookies", func(t *testing.T) {
		w := newBrowserTab(t, `{"profile": {"default_content_setting_values": {"cookies": 2}}}`)
		w.open(address)
		w.click("#browserid-login")
		w.see("#browserid-message", "Your browser blocks cookies for this site")
		w.screenshots("demo-without-cookies", large...)
	})
	t.Run("JavaScript", func(t *testing.T) {
		w := newTab(t)
		call(w, emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: true})
		w.open(address)
		w.see("#browserid-state", "allow JavaScript for this site")
		w.wait("getComputedStyle(document.querySelector('#browserid-state span')).visibility === 'visible' && !" + copyShown)
		w.screenshots("demo-without-script", large...)
	})
	c.interrupt()
}

// newBrowserTab opens a window of another browser, whose user has these preferences.
func newBrowserTab(t *testing.T, preferences string) *tab {
	t.Helper()
	needBrowser(t)
	profile, err := os.MkdirTemp("", "vepverify-e2e-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(profile) }) // a process of the browser may still write
	file := filepath.Join(profile, "Default", "Preferences")
	if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, []byte(preferences), 0o600); err != nil {
		t.Fatal(err)
	}
	options := append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.ExecPath(chromium()), chromedp.NoSandbox, chromedp.DisableGPU, chromedp.UserDataDir(profile),
		chromedp.Flag("disable-popup-blocking", false))
	allocator, stop := chromedp.NewExecAllocator(context.Background(), options...)
	t.Cleanup(stop)
	ctx, end := chromedp.NewContext(allocator, chromedp.WithErrorf(func(string, ...any) {}))
	t.Cleanup(end)
	return attach(t, ctx)
}

// TestDemoContents follows the links to the sections of the page.
func TestDemoContents(t *testing.T) {
	c := start(t, "demo")
	w := newTab(t)
	w.open(c.find(`Open this page in a browser: (http://\S+)\n`))
	w.signIn("ada")
	w.see("h1", "Signed in as")
	for _, heading := range eval[[]string](w, "[...document.querySelectorAll('h2')].map(e => e.textContent)") {
		w.clickText("nav a", heading)
		w.wait(fmt.Sprintf("(e => e.textContent === %q && e.getBoundingClientRect().top >= 0 && e.getBoundingClientRect().bottom <= innerHeight)(document.querySelector(':target'))", heading))
	}
	c.interrupt()
}

func (w *tab) cancelDialog() {
	w.t.Helper()
	w.ready()
	w.dismiss()
}

// tabTo presses Tab until the element has the focus.
func (w *tab) tabTo(selector string) {
	w.t.Helper()
	for range 20 {
		w.press(kb.Tab)
		if eval[bool](w, fmt.Sprintf("document.activeElement.matches(%q)", selector)) {
			return
		}
	}
	w.t.Fatalf("%s is not reached by Tab", selector)
}

// tabAround presses Tab until the focus has been on every control. Each must show the focus.
func (w *tab) tabAround() {
	w.t.Helper()
	want := eval[int](w, "[...document.querySelectorAll('a, button, input, summary, [tabindex]')].filter(e => e.checkVisibility()).length")
	eval[any](w, "document.activeElement.blur(), getSelection().collapse(document.body, 0)")
	for got := 0; ; got++ {
		w.press(kb.Tab)
		at := eval[string](w, "document.activeElement.cloneNode().outerHTML")
		if strings.HasPrefix(at, "<body") {
			if got != want {
				w.t.Errorf("Tab stops %d times, want %d", got, want)
			}
			return
		}
		if ring := eval[string](w, "(s => s.outlineStyle + s.outlineWidth)(getComputedStyle(document.activeElement))"); ring != "solid3px" || got > want {
			w.t.Fatalf("stop %d of %d: the focus is %s on %s", got+1, want, ring, at)
		}
	}
}

// clickText clicks the element with that text.
func (w *tab) clickText(element, text string) {
	w.t.Helper()
	w.input(chromedp.Click(chromedp.JSPath(fmt.Sprintf("[...document.querySelectorAll(%q)].find(e => e.textContent.trim() === %q)", element, text))))
}

// unfold opens all details elements.
func (w *tab) unfold() {
	w.t.Helper()
	eval[any](w, "document.querySelectorAll('summary').forEach(e => e.click())")
}
