package e2e

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/alexedwards/scs/v2"
	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/page"
)

// evil is a page of somebody else with a form that it posts when #go is pressed,
// and frames.
func evil(t *testing.T, html string) string {
	return serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		fmt.Fprint(w, `<!DOCTYPE html><title>Prizes</title><link rel="icon" href="data:,">`+html)
	}))
}

// TestCrossSitePost: other pages sign nobody out, and nobody in as somebody else
// (login CSRF), be they of another site or of another origin of the same.
func TestCrossSitePost(t *testing.T) {
	w, shop := openShop(t, setting{})
	mallory, err := makeAssertion(shop.provider, "mallory@idp.localhost", shop.origin)
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"localhost", "evil.example"} {
		from := func(path, fields string) string {
			return strings.Replace(evil(t, `<form method="post" action="`+shop.origin+path+`">`+fields+`<button id="go">Win</button></form>`), "localhost", name, 1)
		}
		w.open(from("/api/login", `<input name="assertion" value="`+mallory+`">`))
		w.click("#go")
		w.see("main", "another site")
		w.open(shop.origin + "/")
		w.isSignedOut()

		w.signIn("ada")
		w.isSignedIn("ada")
		w.open(from("/api/logout", ""))
		if got := eval[string](w, fmt.Sprintf("fetch('%s/api/logout', {method: 'POST', mode: 'no-cors', credentials: 'include'}).then(r => r.type)", shop.origin)); got != "opaque" {
			t.Errorf("a script's logout: %s", got)
		}
		w.click("#go")
		w.see("main", "another site")
		w.open(shop.origin + "/")
		w.isSignedIn("ada")
		w.click("#browserid-logout")
		w.isSignedOut()
	}
}

// TestFramed: no page of login's, of the provider's, or with the headers of
// docs/LOGIN.md, is shown in another's frame.
func TestFramed(t *testing.T) {
	w, shop := openShop(t, setting{})
	inner := evil(t, "harmless")
	checkFrames(w, inner, shop.origin+"/", shop.origin+"/members", shop.origin+"/api/login", shop.idp+"/", shop.idp+"/sign_in", shop.idp+"/absent")
}

// checkFrames wants the first of the addresses to be shown in a frame, and none
// of the others.
func checkFrames(w *tab, addresses ...string) {
	w.t.Helper()
	html := ""
	for _, a := range addresses {
		html += `<iframe src="` + a + `"></iframe>`
	}
	w.mayComplain() // the browser says why it shows none
	w.open(evil(w.t, html))
	w.wait("document.readyState === 'complete'")
	frames := call(w, page.GetFrameTree, cdp.Empty{}).FrameTree.ChildFrames
	if len(frames) != len(addresses) {
		w.t.Fatalf("%d frames", len(frames))
	}
	for i, f := range frames {
		if shown := f.Frame.UnreachableURL == ""; shown != (i == 0) {
			w.t.Errorf("%s in a frame: %v", addresses[i], shown)
		}
	}
}

// TestFixation: a session that somebody else knew before is nobody's after.
func TestFixation(t *testing.T) {
	w, shop := openShop(t, setting{sessions: scs.New()})
	w.open(shop.origin + "/visit")
	planted := w.cookies()
	if len(planted) != 1 {
		t.Fatalf("cookies: %v", planted)
	}
	w.open(shop.origin + "/")
	w.signIn("ada")
	w.isSignedIn("ada")
	own := w.cookies()
	if len(own) != 1 || own[0].Value == planted[0].Value {
		t.Error("the session has the token of before")
	}
	thief := newTab(t)
	call(thief, network.SetCookie, network.SetCookieParams{Name: planted[0].Name, Value: planted[0].Value, URL: shop.origin})
	thief.open(shop.origin + "/")
	thief.isSignedOut()
	// Nor is the session of before the logout anybody's.
	w.click("#browserid-logout")
	w.isSignedOut()
	call(thief, network.SetCookie, network.SetCookieParams{Name: own[0].Name, Value: own[0].Value, URL: shop.origin})
	thief.reload()
	thief.isSignedOut()
}
