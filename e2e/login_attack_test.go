package e2e

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/alexedwards/scs/v2"
	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/page"
)

// serveAttacker serves a page of an attacker, and returns its origin.
func serveAttacker(t *testing.T, html string) string {
	return serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		fmt.Fprint(w, `<!DOCTYPE html><title>Prizes</title><link rel="icon" href="data:,">`+html)
	}))
}

// TestCrossSitePost checks that pages of another site, and of another origin of the same
// site, can neither sign a user out nor sign a user in with another address (login CSRF).
func TestCrossSitePost(t *testing.T) {
	w, shop := openShop(t, setting{})
	mallory, err := makeAssertion(shop.provider, "mallory@idp.localhost", shop.origin)
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"localhost", "evil.example"} {
		from := func(path, fields string) string {
			return strings.Replace(serveAttacker(t, `<form method="post" action="`+shop.origin+path+`">`+fields+`<button id="go">Win</button></form>`), "localhost", name, 1)
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

// TestPageWithoutOrigin posts a form from a sandboxed page and from a file.
func TestPageWithoutOrigin(t *testing.T) {
	w, shop := openShop(t, setting{})
	form := `<!DOCTYPE html><title>Prizes</title><link rel="icon" href="data:,"><form method="post" action="` + shop.origin + `/api/logout"><button id="go">Win</button></form>`
	file := filepath.Join(t.TempDir(), "page.html")
	if err := os.WriteFile(file, []byte(form), 0o600); err != nil {
		t.Fatal(err)
	}
	sandboxed := serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		w.Header().Set("Content-Security-Policy", "sandbox allow-forms allow-scripts")
		fmt.Fprint(w, form)
	}))
	for _, address := range []string{sandboxed, "file://" + file} {
		w.open(address)
		w.click("#go")
		w.see("main", "a page without an origin, such as a file, a sandboxed frame or a redirect by another site")
	}
}

// TestFramed checks that no page can frame the pages of package login, of the provider, or
// with the headers of docs/LOGIN.md.
func TestFramed(t *testing.T) {
	w, shop := openShop(t, setting{})
	inner := serveAttacker(t, "harmless")
	checkFrames(w, inner, shop.origin+"/", shop.origin+"/members", shop.origin+"/api/login", shop.idp+"/", shop.idp+"/sign_in", shop.idp+"/absent")
}

// checkFrames checks that the first address can be shown in a frame, and the others cannot.
func checkFrames(w *tab, addresses ...string) {
	w.t.Helper()
	html := ""
	for _, a := range addresses {
		html += `<iframe src="` + a + `"></iframe>`
	}
	w.allowErrors() // the browser reports why it does not show them
	w.open(serveAttacker(w.t, html))
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

// TestFixation checks that a session token from before the sign-in, or from before the
// logout, is not valid after it.
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
		t.Error("the session token did not change")
	}
	thief := newTab(t)
	call(thief, network.SetCookie, network.SetCookieParams{Name: planted[0].Name, Value: planted[0].Value, URL: shop.origin})
	thief.open(shop.origin + "/")
	thief.isSignedOut()
	// The session from before the logout is not valid after it.
	w.click("#browserid-logout")
	w.isSignedOut()
	call(thief, network.SetCookie, network.SetCookieParams{Name: own[0].Name, Value: own[0].Value, URL: shop.origin})
	thief.reload()
	thief.isSignedOut()
}
