package e2e

import (
	"time"

	"github.com/chromedp/cdproto/audits"
	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

// evpTab is a window of a visitor of a world's site.
type evpTab struct {
	*tab
	world  *evpWorld
	issues chan string // why the browser has no token
}

// newEVPTab opens a window in a new profile.
func (world *evpWorld) newEVPTab() *evpTab { return world.watch(newTab(world.t)) }

// watch collects why the browser has no token.
func (world *evpWorld) watch(t *tab) *evpTab {
	world.t.Helper()
	w := &evpTab{tab: t, world: world, issues: make(chan string, 100)}
	err := chromedp.Listen(w.ctx, func(event any) {
		if e, ok := event.(*audits.EventIssueAdded); ok && e.Issue.Details != nil && e.Issue.Details.EmailVerificationRequestIssueDetails != nil {
			w.issues <- string(e.Issue.Details.EmailVerificationRequestIssueDetails.EmailVerificationRequestIssueReason)
		}
	})
	if err != nil {
		world.t.Fatal(err)
	}
	call(w.tab, audits.Enable, cdp.Empty{})
	return w
}

// visit signs in at the issuer and opens the site.
func (world *evpWorld) visit() *evpTab {
	world.t.Helper()
	w := world.newEVPTab()
	w.logIn()
	w.open(world.origin() + "/")
	return w
}

// logIn signs in at the issuer.
func (w *evpTab) logIn() { w.t.Helper(); w.open("https://" + w.world.issuer + "/login") }

// typeAddress types an address, with the keys, in place of what the field contains, and
// leaves the field.
func (w *tab) typeAddress(address string) {
	w.t.Helper()
	w.click("input[name=email]")
	eval[any](w, "document.querySelector('input[name=email]').select()")
	w.enter("input[name=email]", address)
	w.press(kb.Tab)
}

// tryToken submits the form, catches the submission before the page sees it, and reports
// whether the browser has put a token into the form.
const tryToken = `(() => {
	const field = document.querySelector('input[name=token]');
	const caught = event => { event.preventDefault(); event.stopImmediatePropagation(); };
	addEventListener('submit', caught, {capture: true});
	field.form.requestSubmit();
	removeEventListener('submit', caught, {capture: true});
	return field.value !== '';
})()`

// patience is how long ask waits for the browser, in turn.
var patience = []time.Duration{5 * time.Second, 10 * time.Second, 20 * time.Second}

// ask types the address, and waits until the issuer has answered the browser's request for a
// token, or the browser says why it sent none.
//
// The page should be the first of the site in its tab. If another one is in the tab's
// back/forward cache, Chromium 156 asks nothing in half of the cases, without a reason. It
// does not ask for the same address in the same field a second time, so ask reloads the page to
// try again.
func (w *evpTab) ask(address string) (reason string) {
	w.t.Helper()
	for _, limit := range patience {
		w.world.forget()
		w.typeAddress(address)
		select {
		case <-w.world.issued:
			return ""
		case reason := <-w.issues:
			return reason
		case <-time.After(limit):
			w.t.Logf("nothing for %v: reloads the page", limit)
			w.reload()
		}
	}
	w.t.Fatal("the browser asks for no token")
	return ""
}

// moments are how long fill waits after the issuer's answer, in turn.
var moments = []time.Duration{50 * time.Millisecond, 500 * time.Millisecond, 5 * time.Second}

// fill types the address, and waits until the browser has a token for it.
//
// Nothing tells a page, or the protocol of DevTools, when that is. The browser puts the token
// into the form only when the form is submitted, and a submission before that ends its
// attempt. So fill waits for the issuer's answer, which is an event, and then a moment, in
// which the browser verifies that answer: on an idle machine 5 ms suffice. If there is no token
// then, fill reloads the page, which begins a new attempt, and waits longer.
func (w *evpTab) fill(address string) {
	w.t.Helper()
	for _, moment := range moments {
		if reason := w.ask(address); reason != "" {
			w.t.Fatalf("no token: %s", reason)
		}
		if w.hasToken(moment) {
			return
		}
	}
	w.t.Fatal("the browser has no token")
}

// hasToken reports whether the browser has a token after a moment. If not, it reloads the page.
func (w *tab) hasToken(moment time.Duration) bool {
	w.t.Helper()
	time.Sleep(moment)
	if eval[bool](w, tryToken) {
		return true
	}
	w.t.Logf("no token after %v: reloads the page", moment)
	w.reload()
	return false
}

// fillBlindly is fill for a site whose issuer tells nothing, because it is another process.
func (w *tab) fillBlindly(address string) {
	w.t.Helper()
	for _, moment := range []time.Duration{time.Second, 3 * time.Second, 10 * time.Second} {
		w.typeAddress(address)
		if w.hasToken(moment) {
			return
		}
	}
	w.t.Fatal("the browser has no token")
}

// noToken types an address, waits until the browser says why there is no token, and returns
// that.
func (w *evpTab) noToken(address string) (reason string) {
	w.t.Helper()
	reason = w.ask(address)
	if reason == "" || eval[bool](w.tab, tryToken) {
		w.t.Error("the browser gets a token")
	}
	return reason
}

// submit presses the button of the form.
func (w *evpTab) submit() { w.t.Helper(); w.click("form button") }

// seeSignedIn waits for the page of a visitor who is signed in.
func (w *evpTab) seeSignedIn(address string) { w.t.Helper(); w.see("p", "You are "+address) }

// seeCode waits for the page of a visitor without a token.
func (w *evpTab) seeCode(address string) { w.t.Helper(); w.see("label", "The code for "+address) }

// front brings the window to the front. Keys reach no other window.
func (w *evpTab) front() { w.t.Helper(); call(w.tab, page.BringToFront, cdp.Empty{}) }
