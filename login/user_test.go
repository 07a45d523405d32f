package login_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"testing"

	"github.com/vepverify/vepverify/login"
)

func TestRequire(t *testing.T) {
	a := newApp(t)
	b := newBrowser(t, a)
	for _, c := range []struct {
		method, accept string
		status         int
		location       string
	}{
		{"GET", form.Get("Accept"), 303, "/?next=%2Fmembers%3Fpage%3D2%26x%3Dy"},
		{"HEAD", form.Get("Accept"), 303, "/?next=%2Fmembers%3Fpage%3D2%26x%3Dy"},
		{"POST", form.Get("Accept"), 401, ""},
		{"GET", "application/json", 401, ""},
		{"GET", "*/*", 401, ""},
		{"POST", "application/json", 401, ""},
	} {
		r := httptest.NewRequest(c.method, "/members?page=2&x=y", nil)
		w := b.do(r, http.Header{"Accept": {c.accept}})
		if w.Code != c.status || w.Header().Get("Location") != c.location {
			t.Errorf("%s as %s: %d, Location %q", c.method, c.accept, w.Code, w.Header().Get("Location"))
		}
		if (c.status == 401) != (w.Header().Get("WWW-Authenticate") != "") {
			t.Errorf("%s as %s: challenge %q", c.method, c.accept, w.Header().Get("WWW-Authenticate"))
		}
		if h := w.Header(); h.Get("Cache-Control") != "no-store" || !slices.Equal(h["Vary"], []string{"Cookie", "Accept"}) {
			t.Errorf("%s as %s: headers %v", c.method, c.accept, h)
		}
	}
	wantAnswer(t, b.get("/members", script), 401, failure("not signed in"))

	b.signIn("alice@idp.example")
	w := b.get("/members", form)
	if w.Code != 200 || w.Body.String() != "hello alice@idp.example" || w.Header().Get("Cache-Control") != "no-store" {
		t.Errorf("a member sees %d %s, Cache-Control %q", w.Code, w.Body, w.Header().Get("Cache-Control"))
	}
}

// TestRequireThenLogin checks that a login with the next page of the redirect returns to
// the page that was asked for.
func TestRequireThenLogin(t *testing.T) {
	b := newBrowser(t, newApp(t, func(_ *app, c *login.Config[*user]) { c.SignInPage = "/enter?lang=en#form" }))
	w := b.get("/members?a=%2F%2F&b=%C3%BC", form)
	page, err := url.Parse(w.Header().Get("Location"))
	if err != nil || page.Path != "/enter" || page.Query().Get("lang") != "en" || page.Fragment != "form" {
		t.Fatalf("sent to %v, %v", page, err)
	}
	w = b.post("/api/login", form, "assertion", assertionFor("alice@idp.example"), "next", page.Query().Get("next"))
	if got := w.Header().Get("Location"); got != "/members?a=%2F%2F&b=%C3%BC" {
		t.Errorf("back to %q", got)
	}
}

// TestRequireHostilePath checks that no request target redirects to another origin.
func TestRequireHostilePath(t *testing.T) {
	a := newApp(t)
	handler := a.Require(http.NotFoundHandler())
	for _, target := range []string{"//evil.example/members", "/\\evil.example", "http://evil.example/", "*", "/a/..//evil.example", "/%2fevil.example"} {
		r := httptest.NewRequest("GET", "/members", nil)
		r.RequestURI = target
		if w := newBrowser(t, handler).do(r, form); w.Code != 303 || w.Header().Get("Location") != "/" {
			t.Errorf("%s: %d, Location %q", target, w.Code, w.Header().Get("Location"))
		}
	}
}

// TestFindByIDCalledOnce checks that nested WithUser handlers call FindByID once for a
// request.
func TestFindByIDCalledOnce(t *testing.T) {
	lookups := 0
	a := newApp(t, func(a *app, c *login.Config[*user]) {
		c.FindByID = func(ctx context.Context, id string) (*user, error) {
			lookups++
			return a.byID(ctx, id)
		}
	})
	b := newBrowser(t, a.WithUser(a.WithUser(a)))
	b.get("/members", form)
	if lookups != 0 {
		t.Errorf("%d lookups for a visitor", lookups)
	}
	b.signIn("alice@idp.example")
	lookups = 0
	b.wantGreeting("alice@idp.example")
	if lookups != 1 {
		t.Errorf("%d lookups for a request", lookups)
	}
}

// TestPlainResponseWriter checks that handlers get the server's own ResponseWriter.
func TestPlainResponseWriter(t *testing.T) {
	var got http.ResponseWriter
	h := newApp(t).WithUser(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { got = w }))
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequest("GET", "/", nil))
	if got != http.ResponseWriter(w) {
		t.Errorf("the handler got a %T", got)
	}
}

func TestUserWithoutMiddleware(t *testing.T) {
	if u, ok := newApp(t).User(t.Context()); ok || u != nil {
		t.Errorf("User returns %v, %v", u, ok)
	}
}
