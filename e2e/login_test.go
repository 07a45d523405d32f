package e2e

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"github.com/vepverify/vepverify/devidp"
)

// TestSession signs in, visits the members' page, reloads it, and signs out.
func TestSession(t *testing.T) {
	w, shop := openShop(t, setting{})
	w.isSignedOut()
	w.signIn("ada")
	w.isSignedIn("ada")
	c := w.cookies()
	if len(c) != 1 || !c[0].HTTPOnly || c[0].SameSite != network.CookieSameSiteLax || c[0].Domain != "localhost" || c[0].Path != "/" {
		t.Errorf("cookies: %+v", c)
	}
	w.click("#to-members")
	w.see("h1", "Members only")
	w.reload()
	w.see("h1", "Members only")
	w.isSignedIn("ada")
	w.open(shop.origin + "/")
	w.click("#browserid-logout")
	w.isSignedOut()
	// The back button must not show the members' page.
	eval[any](w, "history.back()")
	w.wait("location.pathname + location.search === '/?next=%2Fmembers'")
	w.isSignedOut()
	if n := len(w.cookies()); n != 0 {
		t.Errorf("%d cookies after the logout", n)
	}
}

func (w *tab) cookies() []*network.Cookie {
	w.t.Helper()
	return call(w, network.GetCookies, network.GetCookiesParams{}).Cookies
}

func TestCancelled(t *testing.T) {
	w, _ := openShop(t, setting{})
	w.dialog().dismiss()
	w.message("Signing in was cancelled.")
	w.signIn("ada") // the next attempt succeeds
	w.isSignedIn("ada")
}

// TestBlocked checks that the user is told if the browser blocks the dialog, and can try
// again. The browser blocks it for real: a click by a script is not one of the user.
func TestBlocked(t *testing.T) {
	w, _ := openShop(t, setting{})
	w.loaded()
	eval[any](w, "document.getElementById('browserid-login').click()")
	w.message("Your browser blocked the sign-in window: allow pop-ups for this site and try again.")
	w.isIdle()
	d := w.popup(clicking("#browserid-state button")) // Try again
	d.ready()
	d.dismiss()
	w.message("Signing in was cancelled.")
	w.isIdle()
	if text := eval[string](w, "document.getElementById('browserid-state').textContent"); text != "" {
		t.Errorf("the state is %q", text)
	}
}

// TestClosedAtOnce checks the message for a dialog that closes before it is ready, as
// extensions that block pop-ups close it.
func TestClosedAtOnce(t *testing.T) {
	w, _ := openShop(t, setting{shim: "{ const real = window.open; window.open = (...given) => { const w = real.apply(window, given); setTimeout(() => w.close(), 0); return w; }; }"})
	w.click("#browserid-login")
	w.message("The sign-in window closed before it could answer.")
	w.message("allow pop-ups for this site and try again.")
	w.isIdle()
}

// TestPageOpenerPolicy checks that a page whose Cross-Origin-Opener-Policy cuts the connection
// to the dialog names it.
func TestPageOpenerPolicy(t *testing.T) {
	w, _ := openShop(t, setting{headers: map[string]string{"Cross-Origin-Opener-Policy": "same-origin"}})
	w.click("#browserid-login")
	w.message("its Cross-Origin-Opener-Policy cuts the connection.")
	w.isIdle()
}

// isIdle checks that the login button can be pressed, and is not busy.
func (w *tab) isIdle() {
	w.t.Helper()
	w.wait("document.querySelector('#browserid-login:enabled:not([aria-busy])')")
}

// TestWaiting checks that the page shows that it waits for the dialog, can bring it to the
// front, and can close it.
func TestWaiting(t *testing.T) {
	w, _ := openShop(t, setting{})
	d := w.dialog()
	const state = "#browserid-state[role=status]"
	w.see(state, "Waiting for the sign-in window. Show it Cancel")
	w.wait("document.querySelector('#browserid-login[aria-busy=true]')")
	d.wait("document.hasFocus()")
	call(w, page.BringToFront, cdp.Empty{})
	w.click(state + " button:first-of-type") // Show it
	d.wait("document.hasFocus()")
	w.click("#browserid-login") // shows it too
	d.ready()
	w.click(state + " button:last-of-type") // Cancel
	w.gone(d)
	w.message("Signing in was cancelled.")
	w.isIdle()
	w.wait("document.activeElement.id === 'browserid-login' && document.querySelector('#browserid-state').textContent === ''")

	d = w.dialog()
	if err := chromedp.Cancel(d.ctx); err != nil { // as the window's close button does
		t.Fatal(err)
	}
	w.message("Signing in was cancelled.")
	w.isIdle()
	w.signIn("ada")
	w.isSignedIn("ada")
}

// TestTwoTabs opens the dialog in two tabs, and signs in with both, as different users.
func TestTwoTabs(t *testing.T) {
	w, shop := openShop(t, setting{})
	other := w.newWindow()
	other.open(shop.origin + "/")
	first, second := w.dialog(), other.dialog()
	first.enter("#email", "ada")
	first.press(kb.Enter)
	w.isSignedIn("ada")
	other.see("#browserid-state", "Waiting for the sign-in window.")
	second.ready()
	second.enter("#email", "bob")
	second.press(kb.Enter)
	other.isSignedIn("bob")
	w.reload()
	w.isSignedIn("bob")
}

// TestDoubleClick checks that a double click opens one dialog.
func TestDoubleClick(t *testing.T) {
	w, _ := openShop(t, setting{})
	d := w.popup(chromedp.DoubleClick(chromedp.CSS("#browserid-login")))
	d.ready()
	targets, err := chromedp.Targets(w.ctx)
	if err != nil {
		t.Fatal(err)
	}
	own, dialogs := chromedp.FromContext(w.ctx).BrowserContextID, 0
	for _, i := range targets {
		if i.BrowserContextID == own && strings.HasSuffix(i.URL, "/sign_in") {
			dialogs++
		}
	}
	if dialogs != 1 {
		t.Errorf("%d dialogs", dialogs)
	}
	d.enter("#email", "ada")
	d.press(kb.Enter)
	w.isSignedIn("ada")
}

// TestNoScript checks that the buttons look disabled, and the page says why, in a browser
// without JavaScript, and if the script is not loaded.
func TestNoScript(t *testing.T) {
	const state = "#browserid-state"
	p, idp := provider(t)
	l, port := listen(t)
	forbidding := newShop(t, p, idp, "http://localhost:"+port, setting{headers: map[string]string{"Content-Security-Policy": "script-src 'none'"}})
	serveOn(t, l, port, forbidding.handler)
	w := newTab(t)
	w.allowErrors() // the browser reports the scripts
	w.open(forbidding.origin + "/")
	w.see(state, "If this text stays, allow JavaScript")
	w.wait("document.querySelector('#browserid-login:disabled')")
	for _, by := range []string{"", "form"} {
		w, shop := openShop(t, setting{by: by})
		w.loaded()
		w.isIdle()
		colour := func() string {
			return eval[string](w, "getComputedStyle(document.getElementById('browserid-login')).color")
		}
		if text := eval[string](w, "document.querySelector('#browserid-state').textContent"); text != "" {
			t.Errorf("by %q: the script leaves %q", by, text)
		}
		enabled := colour()
		call(w, emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: true})
		w.open(shop.origin + "/")
		w.see(state, "If this text stays, allow JavaScript")
		w.wait("document.querySelector('#browserid-login:disabled')")
		if got := colour(); got == enabled {
			t.Errorf("by %q: the disabled button has the colour %s", by, got)
		}
	}
}

// TestNoInclude checks that the page says so if the provider's script cannot be loaded.
func TestNoInclude(t *testing.T) {
	for name, c := range map[string]struct {
		setting
		message, console string
	}{
		"provider stopped": {setting{}, "The identity provider may be unreachable", "no script has defined navigator.id"},
		"forbidden": {setting{headers: map[string]string{"Content-Security-Policy": "script-src 'self'; connect-src 'self'"}},
			"Content-Security-Policy forbids it", "The Content-Security-Policy of this page has blocked http"},
		"not found": {setting{include: "/absent.js"}, "The identity provider may be unreachable", "no script has defined navigator.id"},
	} {
		t.Run(name, func(t *testing.T) {
			p, idp := provider(t)
			l, port := listen(t)
			shop := newShop(t, p, idp, "http://localhost:"+port, c.setting)
			serveOn(t, l, port, shop.handler)
			if name == "provider stopped" {
				stopServing(portOf(idp))
			}
			w := newTab(t)
			w.allowErrors() // the browser reports the script too
			call(w, page.AddScriptToEvaluateOnNewDocument, page.AddScriptToEvaluateOnNewDocumentParams{
				Source: "{ const warn = console.warn; console.warn = (...texts) => { document.documentElement.dataset.warned = texts.join(' '); warn(...texts); }; }",
			})
			w.open(shop.origin + "/")
			for range 2 {
				w.message("The sign-in dialog could not be loaded.")
				w.message(c.message)
				w.wait("document.documentElement.dataset.warned?.includes(" + quoted(c.console) + ")")
				w.click("#browserid-login")
			}
		})
	}
}

// TestNoCookies checks that the user is told if the browser keeps no cookies: at once if a
// script can find out, and after the login if not.
func TestNoCookies(t *testing.T) {
	w, _ := openShop(t, setting{shim: "Object.defineProperty(document, 'cookie', {get: () => '', set() {}});"})
	w.click("#browserid-login")
	w.message("Your browser blocks cookies for this site")

	p, idp := provider(t)
	l, port := listen(t)
	shop := newShop(t, p, idp, "http://localhost:"+port, setting{})
	serveOn(t, l, port, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		r.Header.Del("Cookie") // as if the browser had none
		shop.handler.ServeHTTP(w, r)
	}))
	w = newTab(t)
	w.open(shop.origin + "/")
	w.signIn("ada")
	w.message("Your address was accepted. If this page does not show that you are signed in")
	w.open(shop.origin + "/")
	w.isSignedOut()
	w.wait("document.getElementById('browserid-message').textContent === ''")
}

// TestBack checks that the browser's Back button does not show the page from before the
// login.
func TestBack(t *testing.T) {
	for _, by := range []string{"", "form"} {
		w, _ := openShop(t, setting{by: by, next: "/members"})
		w.signIn("ada")
		w.see("h1", "Members only")
		eval[any](w, "history.back()")
		w.see("h1", "Shop")
		w.isSignedIn("ada")
	}
}

func TestRefused(t *testing.T) {
	w, _ := openShop(t, setting{})
	w.signIn("stranger")
	w.message("You could not be signed in: accounts are by invitation.")
	w.isSignedOut()
	w.signIn("ada")
	w.isSignedIn("ada")
}

// TestDeleted checks that a deleted user is signed out on the next page.
func TestDeleted(t *testing.T) {
	w, shop := openShop(t, setting{})
	w.signIn("ada")
	w.isSignedIn("ada")
	shop.ban("ada@idp.localhost")
	w.click("#to-members")
	w.wait("location.search === '?next=%2Fmembers'")
	w.isSignedOut()
	w.signIn("ada")
	w.message("There is no account for this address here.")
}

func TestExpired(t *testing.T) {
	w, _ := openShop(t, setting{now: func() time.Time { return time.Now().Add(time.Hour) }})
	w.signIn("ada")
	w.message("Signing in took too long")
	w.isSignedOut()
}

// TestUnreachable stops the site before the assertion is posted.
func TestUnreachable(t *testing.T) {
	w, shop := openShop(t, setting{})
	stopServing(portOf(shop.origin))
	w.signIn("ada")
	w.message("The site could not be reached.")
}

// TestStoppedProvider stops the provider before the dialog is opened. The window then shows
// an error of the browser.
func TestStoppedProvider(t *testing.T) {
	w, shop := openShop(t, setting{})
	w.loaded()
	stopServing(portOf(shop.idp))
	d := w.popup(clicking("#browserid-login"))
	w.see("#browserid-state", "Waiting for the sign-in window.")
	if err := chromedp.Cancel(d.ctx); err != nil {
		t.Fatal(err)
	}
	w.message("The sign-in window closed before it could answer. If it showed an error, please try again later.")
	w.isIdle()
}

// TestRestartedProvider signs in with a provider that has other keys than those of the site,
// as after a restart, and with one for another domain.
func TestRestartedProvider(t *testing.T) {
	for domain, message := range map[string]string{
		"idp.localhost":   "does not match the keys of its domain, which may be new.",
		"other.localhost": "Your address could not be checked just now.",
	} {
		p, _ := provider(t)
		other, err := devidp.New(devidp.Config{Domain: domain})
		if err != nil {
			t.Fatal(err)
		}
		l, port := listen(t)
		shop := newShop(t, p, serve(t, other), "http://localhost:"+port, setting{})
		serveOn(t, l, port, shop.handler)
		w := newTab(t)
		w.open(shop.origin + "/")
		w.signIn("ada")
		w.message(message)
		w.isSignedOut()
	}
}

// TestByKeyboard signs in and out with the keyboard only.
func TestByKeyboard(t *testing.T) {
	w, _ := openShop(t, setting{})
	d := w.popup(chromedp.Steps(pressing(kb.Tab), pressing(kb.Enter)))
	d.ready()
	d.press("ada")
	d.press(kb.Enter)
	w.isSignedIn("ada")
	w.press(kb.Tab)
	w.press(kb.Tab)
	w.press(kb.Enter) // the link to the members
	w.see("h1", "Members only")
	w.press(kb.Tab)
	w.press(" ")
	w.isSignedOut()
}

// TestNoReferrer checks that a page with that policy can sign in. It posts with the Origin
// null; Sec-Fetch-Site shows that it is the shop's own.
func TestNoReferrer(t *testing.T) {
	w, _ := openShop(t, setting{by: "form", next: "/members", shim: "document.head.append(Object.assign(document.createElement('meta'), {name: 'referrer', content: 'no-referrer'}));"})
	w.signIn("ada")
	w.see("h1", "Members only")
	w.isSignedIn("ada")
	w.click("#browserid-logout")
	w.isSignedOut()
}

// TestNoReferrerOverHTTP checks the message for the same page over http, where the browser
// sends no Sec-Fetch-Site.
func TestNoReferrerOverHTTP(t *testing.T) {
	p, idp := provider(t)
	l, port := listen(t)
	shop := newShop(t, p, idp, "http://shop.example:"+port, setting{by: "form", insecure: true, headers: map[string]string{"Referrer-Policy": "no-referrer"}})
	serveOn(t, l, port, shop.handler)
	w := newTab(t)
	w.allowErrors() // the browser ignores Cross-Origin-Opener-Policy over http, and reports that
	w.open(shop.origin + "/")
	w.signIn("ada")
	w.see("main", "The page may have Referrer-Policy: no-referrer")
	w.see("main", "try again")
}

// TestWrongAudience opens a site at an origin that is not its audience.
func TestWrongAudience(t *testing.T) {
	for _, by := range []string{"", "form"} {
		p, idp := provider(t)
		l, port := listen(t)
		shop := newShop(t, p, idp, "http://localhost:"+port, setting{by: by})
		serveOn(t, l, port, shop.handler)
		w := newTab(t)
		w.open("http://127.0.0.1:" + port + "/")
		w.signIn("ada")
		if by == "" {
			w.message("The site does not accept requests from http://127.0.0.1:" + port + ", the address of this page. Please open the site at its usual address.")
		} else {
			w.see("main", "The site does not accept requests from the address at which you opened it. Please open it at its usual address.")
		}
	}
}

// TestForm signs in with a form, which the script fills in and the browser posts.
func TestForm(t *testing.T) {
	w, shop := openShop(t, setting{by: "form", next: "/members"})
	w.signIn("ada")
	w.see("h1", "Members only")
	w.isSignedIn("ada")
	w.click("#browserid-logout")
	w.isSignedOut()
	w.wait("location.pathname === '/'")
	w.signIn("stranger")
	w.see("main", "You could not be signed in: accounts are by invitation.")
	w.screenshots("login-refused", small...)
	w.click("a")
	w.isSignedOut()
	if at := eval[string](w, "location.href"); at != shop.origin+"/" {
		t.Errorf("the way back leads to %s", at)
	}
}

// TestInline signs in with the script in the page, allowed by a nonce.
func TestInline(t *testing.T) {
	w, _ := openShop(t, setting{by: "inline"})
	w.signIn("ada")
	w.isSignedIn("ada")
	w.click("#browserid-logout")
	w.isSignedOut()
}

// TestShims signs in with different sets of functions in navigator.id.
func TestShims(t *testing.T) {
	const reduce = "{ const id = navigator.id; navigator.id = "
	for name, shim := range map[string]string{
		"get":       reduce + "{get: id.get}; }",
		"request":   reduce + "{watch: id.watch, request: id.request}; }",
		"both":      reduce + "{get: id.get, watch: id.watch, request: id.request, logout: id.logout}; }",
		"get, late": "{ const id = navigator.id; delete navigator.id; setTimeout(() => navigator.id = {get: id.get}, 0); }",
	} {
		t.Run(name, func(t *testing.T) {
			w, _ := openShop(t, setting{shim: shim})
			w.dialog().dismiss()
			w.message("Signing in was cancelled.")
			w.signIn("ada")
			w.isSignedIn("ada")
			w.reload()
			w.isSignedIn("ada")
			w.click("#browserid-logout")
			w.isSignedOut()
		})
	}
	t.Run("none", func(t *testing.T) {
		w, _ := openShop(t, setting{shim: "delete navigator.id;"})
		w.message("The sign-in dialog could not be loaded.")
		w.click("#browserid-login")
		w.message("The sign-in dialog could not be loaded.")
	})
}

// TestNext checks that the sign-in leads to the page that was requested before.
func TestNext(t *testing.T) {
	w, shop := openShop(t, setting{})
	w.click("#to-members")
	w.wait("location.search === '?next=%2Fmembers'")
	w.signIn("ada")
	w.see("h1", "Members only")
	w.click("#browserid-logout")
	w.isSignedOut()
	w.open(shop.origin + "/?next=/members%3Fpage%3D2%23end")
	w.signIn("ada")
	w.wait("location.pathname + location.search + location.hash === '/members?page=2#end'")
}

func TestButtonsNext(t *testing.T) {
	w, _ := openShop(t, setting{next: "/members"})
	w.signIn("ada")
	w.see("h1", "Members only")
}

// TestHostileNext checks that the sign-in never leads to another site or a script.
func TestHostileNext(t *testing.T) {
	for _, by := range []string{"", "form"} {
		t.Run("by "+by, func(t *testing.T) {
			w, shop := openShop(t, setting{by: by, shim: noDialog})
			for _, next := range []string{
				"https://evil.example/", "//evil.example", `/\evil.example`, "/%09/evil.example", "javascript:alert(1)", "http:evil.example",
				"/members/..//evil.example", "https:/evil.example", "data:text/html,evil",
			} {
				w.open(shop.origin + "/")
				eval[any](w, "location.search = '?next=' + encodeURIComponent("+quoted(next)+")")
				w.wait("location.search.length > 6 && document.readyState === 'complete'")
				w.click("#browserid-login")
				w.isSignedIn("ada")
				if at := eval[string](w, "location.origin"); at != shop.origin {
					t.Errorf("%s leads to %s", next, at)
				}
				w.click("#browserid-logout")
				w.isSignedOut()
			}
		})
	}
}

// quoted returns text as a JavaScript literal.
func quoted(text string) string {
	literal, err := json.Marshal(text)
	must(err)
	return string(literal)
}
