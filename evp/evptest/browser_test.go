package evptest_test

import (
	"errors"
	"fmt"
	"net/http"
	"testing"

	"github.com/vepverify/vepverify/evp/evptest"
)

// page is the page of a relying party.
const page = `<!doctype html><title>site</title>
<form action="/search"><input name="q"></form>
<form method="post" action="done?x=1">
<input type="email" name="email" autocomplete="username email">
<input type="hidden" name="csrf" value="c&amp;1">
<input type="checkbox" name="unchecked" value="1"><input type="checkbox" name="checked" value="1" checked>
<input type="hidden" name="token" autocomplete="email-verification-token" nonce="%s"><button name="go">Go</button></form>`

// site is a relying party. It shows what was posted.
func site(page string) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /sign/in", func(w http.ResponseWriter, r *http.Request) {
		http.SetCookie(w, &http.Cookie{Name: "__Host-session", Value: "s1", Path: "/", Secure: true, HttpOnly: true})
		w.Header().Set("Content-Security-Policy", "default-src 'self'")
		fmt.Fprintf(w, page, nonce)
	})
	mux.HandleFunc("POST /sign/done", func(w http.ResponseWriter, r *http.Request) {
		if _, err := r.Cookie("__Host-session"); err != nil {
			http.Error(w, err.Error(), http.StatusForbidden)
			return
		}
		if err := r.ParseForm(); err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		r.PostForm.Set("x", r.URL.Query().Get("x"))
		http.Redirect(w, r, "/welcome?"+r.PostForm.Encode(), http.StatusSeeOther)
	})
	mux.HandleFunc("GET /welcome", func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, "welcome") })
	return mux
}

func TestBrowserSignsIn(t *testing.T) {
	world := evptest.New().At(now)
	browser := evptest.NewBrowser(world, site(page), origin)
	got, err := browser.SignIn("/sign/in", email)
	if err != nil {
		t.Fatal(err)
	}
	if got.Status != 200 || got.Body != "welcome" {
		t.Errorf("%d %s", got.Status, got.Body)
	}
	wantEqual(t, map[string][]string(got.URL.Query()), map[string][]string{
		"email": {email}, "csrf": {"c&1"}, "checked": {"1"}, "x": {"1"}, "token": {world.Token(request)},
	})
}

func TestBrowserWithoutToken(t *testing.T) {
	browser := evptest.NewBrowser(evptest.New(), site(page), origin)
	got, err := browser.SignInWithout("/sign/in", email)
	if err != nil {
		t.Fatal(err)
	}
	wantEqual(t, got.URL.Query()["token"], []string{""})
}

func TestBrowserHasNoToken(t *testing.T) {
	const form = `<form method=post action=/sign/done><input type=email name=email>`
	for name, c := range map[string]struct {
		page   string
		change func(*evptest.Browser)
		want   error
	}{
		"no form":            {page: `<p>`, want: evptest.ErrNoForm},
		"no field":           {page: form, want: evptest.ErrNoTokenField},
		"no nonce":           {page: form + `<input type=hidden name=t autocomplete=email-verification-token>`, want: evptest.ErrNoNonce},
		"policy, no scripts": {page: page, change: func(b *evptest.Browser) { b.NoScript = true }, want: evptest.ErrNoNonce},
		"another account":    {page: page, change: func(b *evptest.Browser) { b.Accounts = []string{"bob@mail.example"} }},
		"not hidden":         {page: form + `<input name=t autocomplete=email-verification-token nonce=n>`, want: evptest.ErrNoTokenField},
		"not secure":         {page: page, change: func(b *evptest.Browser) { b.Origin = "http://rp.example" }, want: evptest.ErrInsecure},
		"autocomplete off": {page: `<form method=post action=/sign/done><input type=email name=email autocomplete=off>
			<input type=hidden name=token autocomplete=email-verification-token nonce=n>`, want: evptest.ErrAutocompleteOff},
	} {
		t.Run(name, func(t *testing.T) {
			browser := evptest.NewBrowser(evptest.New(), site(c.page), origin)
			if c.change != nil {
				c.change(browser)
			}
			got, err := browser.SignIn("/sign/in", email)
			if !errors.Is(err, c.want) {
				t.Fatal(err)
			}
			if err == nil && got.URL.Query().Get("token") != "" {
				t.Error("a token")
			}
		})
	}
}

// TestOtherForm checks a form without a field for an address.
func TestOtherForm(t *testing.T) {
	const code = `<form action=/search><input name=q></form><form method=post action=/sign/done><input name=code>`
	browser := evptest.NewBrowser(evptest.New(), site(code), origin)
	page, err := browser.Open("/sign/in")
	if err != nil {
		t.Fatal(err)
	}
	form, err := page.Form("code")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := form.Token(); !errors.Is(err, evptest.ErrNoTokenField) {
		t.Error(err)
	}
	form.Values.Set("code", "123")
	got, err := form.Submit("")
	if err != nil || got.URL.Query().Get("code") != "123" {
		t.Errorf("%+v, %v", got, err)
	}
}

// TestSubmittedTwice checks that the same form posts the same token.
func TestSubmittedTwice(t *testing.T) {
	browser := evptest.NewBrowser(evptest.New(), site(page), origin)
	page, err := browser.Open("/sign/in")
	if err != nil {
		t.Fatal(err)
	}
	form, err := page.Type(email)
	if err != nil {
		t.Fatal(err)
	}
	token, err := form.Token()
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if got, err := form.Submit(token); err != nil || got.URL.Query().Get("token") != token {
			t.Errorf("%+v, %v", got, err)
		}
	}
}

// TestBrowserStaysAtTheOrigin checks that a redirect to another site is an error.
func TestBrowserStaysAtTheOrigin(t *testing.T) {
	elsewhere := http.RedirectHandler("https://other.example/", http.StatusFound)
	if _, err := evptest.NewBrowser(evptest.New(), elsewhere, origin).Open("/"); err == nil {
		t.Error("no error")
	}
}
