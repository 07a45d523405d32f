package e2e

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
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
