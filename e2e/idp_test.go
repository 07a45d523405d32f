package e2e

import (
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

// openDialog presses the site's button and returns the dialog when it is ready.
func openDialog(rp *tab) *tab {
	rp.t.Helper()
	d := rp.popup(clicking("#in"))
	d.ready()
	return d
}

// ready waits until the dialog accepts input.
func (w *tab) ready() {
	w.t.Helper()
	w.wait(`document.getElementById('dialog')?.dataset.state === 'ready'`)
}

// dismiss presses Escape, which closes the window.
func (w *tab) dismiss() { w.t.Helper(); w.press(kb.Escape) }

func TestSignIn(t *testing.T) {
	p, idp := provider(t)
	origin := site(t, idp, watchScript)
	rp := newTab(t)
	rp.open(origin)
	rp.see("#said", "ready")
	dialog := openDialog(rp)
	dialog.see("#audience", origin)
	dialog.screenshots("first", small...)
	dialog.ready()
	dialog.enter("#email", "Ada@IDP.localhost")
	dialog.click("#sign-in")
	rp.see("#said", "login")
	rp.gone(dialog)
	result := verify(t, p, eval[string](rp, "window.assertion"), origin)
	if result.Email != "Ada@idp.localhost" || result.Issuer != "idp.localhost" {
		t.Errorf("signed in as %s by %s", result.Email, result.Issuer)
	}

	// The second time, the address is there to choose.
	dialog = openDialog(rp)
	dialog.screenshots("choose", small...)
	dialog.ready()
	dialog.click("button.address")
	rp.wait(`document.querySelectorAll('#said li').length === 4`)
	if again := verify(t, p, eval[string](rp, "window.assertion"), origin); again.Email != result.Email {
		t.Errorf("signed in as %s", again.Email)
	}
	rp.gone(dialog)
}

func TestKeyboard(t *testing.T) {
	p, idp := provider(t)
	origin := site(t, idp, watchScript)
	rp := newTab(t)
	rp.open(origin)
	rp.see("#said", "ready")
	dialog := rp.popup(chromedp.Steps(pressing(kb.Tab), pressing(kb.Enter)))
	dialog.ready()
	dialog.press("ada")
	dialog.press(kb.Enter)
	rp.see("#said", "login")
	rp.gone(dialog)
	if r := verify(t, p, eval[string](rp, "window.assertion"), origin); r.Email != "ada@idp.localhost" {
		t.Errorf("signed in as %s", r.Email)
	}
	// Enter alone does not choose: the focus is not on an address.
	dialog = rp.popup(pressing(kb.Enter))
	dialog.ready()
	dialog.press(kb.Enter)
	if s := eval[string](dialog, "document.getElementById('dialog').dataset.state"); s != "ready" {
		t.Errorf("after Enter: %s", s)
	}
	dialog.press(kb.Tab)
	dialog.screenshots("focus", small...)
	dialog.ready()
	dialog.press(kb.Enter)
	rp.wait(`document.querySelectorAll('#said li').length === 4`)
	rp.gone(dialog)
	dialog = rp.popup(pressing(kb.Enter))
	dialog.ready()
	dialog.dismiss()
	rp.see("#said", "cancelled")
	rp.gone(dialog)
}

func TestCancel(t *testing.T) {
	_, idp := provider(t)
	rp := newTab(t)
	rp.open(site(t, idp, watchScript))
	rp.see("#said", "ready")
	dialog := openDialog(rp)
	dialog.click("#type .cancel")
	rp.see("#said", "cancelled")
	rp.gone(dialog)
	dialog = openDialog(rp)
	if err := chromedp.Cancel(dialog.ctx); err != nil { // as the window's close button does
		t.Fatal(err)
	}
	rp.wait(`[...document.querySelectorAll('#said li')].filter(e => e.textContent === 'cancelled').length === 2`)
}

// TestProblems checks that a problem is shown next to the field.
func TestProblems(t *testing.T) {
	p, idp := provider(t)
	rp := newTab(t)
	rp.open(site(t, idp, `
navigator.id.watch({loggedInUser: null, onlogin: a => { window.assertion = a; say('login'); }, onlogout() {}, onready: () => say('ready')});
on('in', () => navigator.id.request({siteName: '<b>Bank\u202e</b>\n' + 'x'.repeat(90)}));`))
	rp.see("#said", "ready")
	dialog := openDialog(rp)
	if b := eval[int](dialog, "document.querySelectorAll('#site b').length"); b != 0 {
		t.Error("the site's name is markup")
	}
	if name := eval[string](dialog, "document.getElementById('site-name').textContent"); name != "<b>Bank </b> "+strings.Repeat("x", 46)+"…" {
		t.Errorf("the site's name is %q", name)
	}
	for _, c := range []struct{ typed, said string }{
		{"", "Enter an address, such as ada@idp.localhost."},
		{"ada@gmail.com", "Not an address at idp.localhost."},
		{"a b", "Not an email address: "},
		{"<img src=x onerror=alert(1)>", "Not an email address: "},
	} {
		dialog.ready()
		eval[any](dialog, "document.getElementById('email').value = ''")
		if c.typed != "" {
			dialog.enter("#email", c.typed)
		}
		dialog.press(kb.Enter)
		dialog.see("#email-problem", c.said)
		dialog.ready()
		dialog.wait(`document.activeElement.id === 'email' && document.activeElement.getAttribute('aria-invalid') === 'true'`)
	}
	eval[any](dialog, "document.getElementById('email').value = 'ada@gmail.com'")
	dialog.screenshots("problem", small...)
	dialog.ready()
	eval[any](dialog, "document.getElementById('email').value = 'ada'")
	dialog.press(kb.Enter)
	rp.see("#said", "login")
	if r := verify(t, p, eval[string](rp, "window.assertion"), originOf(rp)); r.Email != "ada@idp.localhost" {
		t.Errorf("signed in as %s", r.Email)
	}
}

// TestNotOpened checks the dialog, the front page and an absent page when a person opens them
// directly.
func TestNotOpened(t *testing.T) {
	_, idp := provider(t)
	w := newTab(t)
	w.open(idp + "/sign_in")
	w.see("#problem", "no site has opened it")
	w.screenshots("by-hand", small...)
	w.open(idp + "/")
	w.screenshots("front", small...)
	w.open(idp + "/absent")
	w.see("h1", "Not Found")
	w.screenshots("absent", small...)
	w.click("a")
	w.see("h1", "A BrowserID identity provider")
}

// TestAddresses checks that addresses are stored, the last used first, and can be forgotten.
func TestAddresses(t *testing.T) {
	_, idp := provider(t)
	rp := newTab(t)
	rp.open(site(t, idp, watchScript))
	rp.see("#said", "ready")
	long := strings.Repeat("long.", 12) + "name"
	for i, name := range []string{"ada", "bob", long} {
		dialog := openDialog(rp)
		if i > 0 {
			dialog.click("#other")
			dialog.ready()
			if i == 2 {
				dialog.screenshots("another", small...)
				dialog.ready()
			}
		}
		dialog.enter("#email", name)
		dialog.press(kb.Enter)
		rp.gone(dialog)
	}
	list := `[...document.querySelectorAll('.known .email')].map(e => e.textContent.split('@')[0]).join()`
	dialog := openDialog(rp)
	if got := eval[string](dialog, list); got != long+",bob,ada" {
		t.Errorf("addresses: %s", got)
	}
	dialog.screenshots("several", small...)
	dialog.ready()
	dialog.click(".known:nth-child(2) .forget")
	dialog.see("#status", "Forgotten: bob@idp.localhost")
	dialog.ready()
	dialog.click(".known:nth-child(2) .address")
	rp.gone(dialog)
	dialog = openDialog(rp)
	if got := eval[string](dialog, list); got != "ada,"+long {
		t.Errorf("addresses: %s", got)
	}
}

func originOf(w *tab) string { return eval[string](w, "location.origin") }

// TestNames signs in with each name of the provider.
func TestNames(t *testing.T) {
	p, idp := provider(t)
	_, port, _ := strings.Cut(strings.TrimPrefix(idp, "http://"), ":")
	for _, name := range []string{"127.0.0.1", "idp.localhost"} {
		rp := newTab(t)
		origin := strings.Replace(site(t, "http://"+name+":"+port, watchScript), "localhost", "rp.localhost", 1)
		rp.open(origin)
		rp.see("#said", "ready")
		signIn(rp, "ada")
		rp.see("#said", "login")
		verify(t, p, eval[string](rp, "window.assertion"), origin)
	}
}

// TestReopen checks that a dialog that was just closed is cancelled, and that the next one
// works.
func TestReopen(t *testing.T) {
	p, idp := provider(t)
	rp := newTab(t)
	rp.open(site(t, idp, `
const real = window.open;
let last;
window.open = (...given) => last = real.apply(window, given);
navigator.id.watch({onlogin: a => { window.assertion = a; say('login'); }, onready: () => say('ready')});
on('in', () => { if (last) last.close(); navigator.id.request({oncancel: () => say('cancel')}); });`))
	rp.see("#said", "ready")
	first := openDialog(rp)
	second := openDialog(rp)
	rp.says("ready,cancel")
	rp.gone(first)
	second.enter("#email", "ada")
	second.press(kb.Enter)
	rp.says("ready,cancel,login")
	verify(t, p, eval[string](rp, "window.assertion"), originOf(rp))
}
