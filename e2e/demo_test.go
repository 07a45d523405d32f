package e2e

import (
	"fmt"
	"strings"
	"testing"

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

	w.popup(clicking("#browserid-login")).cancelDialog()
	w.see("#browserid-message", "Signing in was cancelled.")
	w.screenshots("demo-cancelled", large...)

	dialog := w.popup(pressing(kb.Enter)) // the button still has the focus
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
