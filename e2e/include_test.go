package e2e

import (
	"fmt"
	"net/url"
	"testing"

	"github.com/chromedp/chromedp/kb"
)

// said returns the texts that the page has added by say.
func said(w *tab) string {
	return eval[string](w, `[...document.querySelectorAll('#said li')].map(e => e.textContent).join()`)
}

// says waits until the page has added these texts.
func (w *tab) says(want string) {
	w.t.Helper()
	w.wait(`[...document.querySelectorAll('#said li')].map(e => e.textContent).join() === ` + "'" + want + "'")
}

func signIn(rp *tab, name string) {
	rp.t.Helper()
	dialog := openDialog(rp)
	if eval[bool](dialog, "document.getElementById('type').hidden") {
		dialog.click("#other")
		dialog.ready()
	}
	dialog.enter("#email", name)
	dialog.press(kb.Enter)
	rp.gone(dialog)
}

// TestWatch checks the callbacks of watch, for each state of the site and of the browser.
func TestWatch(t *testing.T) {
	_, idp := provider(t)
	origin := site(t, idp, watchScript)
	visit := 0
	as := func(user string) string { // a new query makes the page load again
		visit++
		return fmt.Sprintf("%s/?%d#%s", origin, visit, url.PathEscape(user))
	}
	w := newTab(t)
	w.open(as(""))
	w.says("match,ready") // no user in either
	w.open(as("ada@idp.localhost"))
	w.says("logout,ready") // the browser has no address
	signIn(w, "ada")
	w.says("logout,ready,login")
	w.open(as("ada@idp.localhost"))
	w.says("match,ready")
	other := w.newWindow()
	other.open(as("ada@idp.localhost"))
	other.says("match,ready")
	w.click("#out")
	w.says("match,ready,logout")
	other.says("match,ready,logout") // it receives the logout
	w.click("#out")
	w.open(as("ada@idp.localhost"))
	w.says("logout,ready")
	signIn(w, "bob")
	w.open(as("")) // the session ended: no call of onlogin
	w.says("match,ready")
	w.open(as("bob@idp.localhost"))
	w.says("logout,ready")
}

func TestGet(t *testing.T) {
	p, idp := provider(t)
	origin := site(t, idp, `
on('in', () => navigator.id.get(a => { window.assertion = a; say(a === null ? 'null' : 'got'); }, {siteName: 'Old'}));
on('out', () => navigator.id.getVerifiedEmail(a => say(a === null ? 'null' : 'old')));
say('here');`)
	rp := newTab(t)
	rp.open(origin)
	rp.see("#said", "here")
	signIn(rp, "ada")
	rp.says("here,got")
	verify(t, p, eval[string](rp, "window.assertion"), origin)
	dialog := openDialog(rp)
	dialog.dismiss()
	rp.says("here,got,null")
	dialog = openDialog(rp)
	rp.click("#out") // the newer request takes over the window
	rp.says("here,got,null,null")
	dialog.ready()
	dialog.click("button.address")
	rp.says("here,got,null,null,old")
}

// TestSiteCancels checks that the site can close the dialog.
func TestSiteCancels(t *testing.T) {
	_, idp := provider(t)
	rp := newTab(t)
	rp.open(site(t, idp, watchScript+`on('out', () => navigator.id.cancel());`))
	rp.see("#said", "ready")
	dialog := openDialog(rp)
	rp.click("#out")
	rp.gone(dialog)
	rp.see("#said", "cancelled")
	eval[any](rp, "navigator.id.cancel()") // nothing is open
	signIn(rp, "ada")
	rp.see("#said", "login")
}

// TestMisuse checks the cases in which the historic script threw an error.
func TestMisuse(t *testing.T) {
	_, idp := provider(t)
	w := newTab(t)
	for name, script := range map[string]string{
		"request before watch": `navigator.id.request()`,
		"no onlogin":           `navigator.id.watch({})`,
		"no function":          `navigator.id.watch({onlogin: 1})`,
		"no onlogout":          `navigator.id.watch({onlogin() {}, loggedInUser: null})`,
		"not an address":       `navigator.id.watch({onlogin() {}, onlogout() {}, loggedInUser: 1})`,
		"two names":            `navigator.id.watch({onlogin() {}, onlogout() {}, loggedInUser: 'a', loggedInEmail: 'a'})`,
		"get after watch":      `navigator.id.watch({onlogin() {}}); navigator.id.get(() => {})`,
	} {
		w.open(site(t, idp, `try { `+script+`; say('fine'); } catch (e) { say(e.name); }`))
		w.says("Error")
		if got := said(w); got != "Error" {
			t.Errorf("%s: %s", name, got)
		}
	}
	w.open(site(t, idp, `
navigator.id.watch({onlogin() {}, onready: () => say('stateless')});
navigator.id.logout(() => say('called back'));`))
	w.says("stateless,called back")
}
