package login_test

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/vepverify/vepverify/assertion"
	"github.com/vepverify/vepverify/login"
)

func TestLoginAndLogout(t *testing.T) {
	a := newApp(t)
	b := newBrowser(t, a)
	b.sees("stranger")

	w := b.post("/api/login", script, "assertion", proof("alice@idp.example"))
	wantAnswer(t, w, 200, `{"status":"okay","email":"alice@idp.example"}`)
	b.sees("alice@idp.example")
	b.sees("alice@idp.example") // and still
	newBrowser(t, a).sees("stranger")

	w = b.post("/api/logout", script)
	wantAnswer(t, w, 200, `{"status":"okay"}`)
	b.sees("stranger")
	if len(a.left) != 1 || a.left[0] != "alice@idp.example" {
		t.Errorf("OnLogout was called with %q", a.left)
	}

	// Nobody is left to log out, which is as good.
	wantAnswer(t, b.post("/api/logout", script), 200, `{"status":"okay"}`)
	if len(a.left) != 1 {
		t.Errorf("OnLogout was called with %q", a.left)
	}
}

func TestPlainForms(t *testing.T) {
	b := newBrowser(t, newApp(t))
	w := b.post("/api/login", form, "assertion", proof("alice@idp.example"))
	if w.Code != http.StatusSeeOther || w.Header().Get("Location") != "/" || w.Header().Get("Cache-Control") != "no-store" {
		t.Errorf("login: %d %v", w.Code, w.Header())
	}
	b.sees("alice@idp.example")
	w = b.post("/api/logout", form)
	if w.Code != http.StatusSeeOther || w.Header().Get("Location") != "/" {
		t.Errorf("logout: %d %v", w.Code, w.Header())
	}
	b.sees("stranger")
}

func TestWhereToGo(t *testing.T) {
	b := newBrowser(t, newApp(t, func(_ *app, c *login.Config[*user]) {
		c.AfterLogin, c.AfterLogout = "/welcome?first=1", "/bye"
	}))
	for _, c := range []struct{ name, next, login, logout string }{
		{"not said", "", "/welcome?first=1", "/bye"},
		{"said", "/members?page=2#end", "/members?page=2#end", "/members?page=2#end"},
		{"elsewhere", "https://evil.example/", "/welcome?first=1", "/bye"},
	} {
		fields := []string{"assertion", proof("alice@idp.example"), "next", c.next}
		if got := b.post("/api/login", form, fields...).Header().Get("Location"); got != c.login {
			t.Errorf("%s: a form goes to %q after the login, want %q", c.name, got, c.login)
		}
		if got := b.post("/api/logout", form, fields[2:]...).Header().Get("Location"); got != c.logout {
			t.Errorf("%s: a form goes to %q after the logout, want %q", c.name, got, c.logout)
		}
		fields[1] = proof("alice@idp.example")
		wantAnswer(t, b.post("/api/login", script, fields...), 200, `{"status":"okay","email":"alice@idp.example","next":"`+c.login+`"}`)
		wantAnswer(t, b.post("/api/logout", script, fields[2:]...), 200, `{"status":"okay","next":"`+c.logout+`"}`)
	}
	w := b.post("/api/login", form, "assertion", proof("alice@idp.example"), "next", "/a", "next", "/b")
	if got := w.Header().Get("Location"); got != "/welcome?first=1" {
		t.Errorf("two next pages: %q", got)
	}
}

// By Accept a request says whether it wants JSON or a page.
func TestAccept(t *testing.T) {
	b := newBrowser(t, newApp(t))
	for accept, want := range map[string]int{
		"": 200, "*/*": 200, "application/json": 200, "application/*": 200, "nonsense": 200, "text/plain": 200,
		"application/json, text/html": 200, "text/html;q=0.5, application/json": 200, "text/html;q=0": 200,
		"text/*;q=0.2, */*": 200, "text/html;q=2, */*": 200, "text/html;q=x": 200,
		strings.Repeat("text/x,", 40) + "text/html": 200,
		"text/html": 303, "text/*": 303, "TEXT/HTML": 303, "text/html, application/json;q=0.9": 303,
		form.Get("Accept"): 303, "text/html;q=0.001": 303, "*/*;q=0.1, text/html": 303,
	} {
		header := http.Header{}
		if accept != "" {
			header.Set("Accept", accept)
		}
		if w := b.post("/api/logout", header); w.Code != want {
			t.Errorf("Accept %.60q: %d, want %d", accept, w.Code, want)
		}
	}
}

func TestLoaderRefuses(t *testing.T) {
	b := newBrowser(t, newApp(t))
	for email, reason := range map[string]string{
		"nobody@idp.example": "no user with this address",
		"nil@idp.example":    "no user with this address",
		"guest@idp.example":  "accounts are by invitation",
	} {
		wantAnswer(t, b.post("/api/login", script, "assertion", proof(email)), 403, failure(reason))
		b.sees("stranger")
	}
	w := b.post("/api/login", form, "assertion", proof("guest@idp.example"))
	if w.Code != 403 || !strings.Contains(w.Body.String(), "You could not be signed in: accounts are by invitation.") {
		t.Errorf("to a form: %d %s", w.Code, w.Body)
	}
	if !errors.Is(login.Refusal("x"), login.ErrNoUser) {
		t.Error("Refusal does not match ErrNoUser")
	}
}

// Somebody else who cannot sign in does not sign out who is there.
func TestRefusedWhileSignedIn(t *testing.T) {
	b := newBrowser(t, newApp(t))
	b.signIn("alice@idp.example")
	b.post("/api/login", script, "assertion", proof("mallory@idp.example"))
	b.post("/api/login", script, "assertion", "nonsense")
	b.sees("alice@idp.example")
}

func TestApplicationFails(t *testing.T) {
	a := newApp(t)
	b := newBrowser(t, a)
	b.signIn("alice@idp.example")
	a.broken = true

	w := b.post("/api/login", script, "assertion", proof("alice@idp.example"))
	wantAnswer(t, w, 503, failure("service unavailable"))
	if w.Header().Get("Retry-After") == "" {
		t.Error("no Retry-After")
	}
	for _, path := range []string{"/", "/members"} {
		w := b.get(path, form)
		if w.Code != 503 || w.Header().Get("Cache-Control") != "no-store" || strings.Contains(w.Body.String(), "database") {
			t.Errorf("%s: %d %v %s", path, w.Code, w.Header(), w.Body)
		}
		wantAnswer(t, b.get(path, script), 503, failure("service unavailable"))
	}
	if logged := a.logs.String(); strings.Count(logged, errDatabase.Error()) != 5 || strings.Contains(logged, "alice") {
		t.Errorf("logged: %s", logged)
	}

	a.broken = false
	b.sees("alice@idp.example") // nobody was signed out by that
}

// ByID may fail although Load did not, and a user may have no ID.
func TestApplicationFailsLater(t *testing.T) {
	for name, spoil := range map[string]func(*app, *login.Config[*user]){
		"ByID": func(a *app, c *login.Config[*user]) {
			load := c.FindOrCreate
			c.FindOrCreate = func(ctx context.Context, res *assertion.Result) (*user, error) {
				u, err := load(ctx, res)
				a.broken = true
				return u, err
			}
		},
		"ID": func(_ *app, c *login.Config[*user]) { c.UserID = func(*user) string { return "" } },
	} {
		b := newBrowser(t, newApp(t, spoil))
		w := b.post("/api/login", script, "assertion", proof("alice@idp.example"))
		wantAnswer(t, w, 503, failure("service unavailable"))
		if len(b.cookies) > 0 {
			t.Errorf("%s: a session was made", name)
		}
	}
}

func TestUndecidedIsLogged(t *testing.T) {
	a := newApp(t)
	newBrowser(t, a).post("/api/login", script, "assertion", unreachable())
	if logged := a.logs.String(); !strings.Contains(logged, "level=WARN") || strings.Contains(logged, "alice") {
		t.Errorf("logged: %s", logged)
	}
}

func TestOneUse(t *testing.T) {
	a := newApp(t, func(_ *app, c *login.Config[*user]) {
		c.Verifier = verifier(t, assertion.Config{OneUse: assertion.NewMemoryOneUse(10, clock)})
	})
	posted := proof("alice@idp.example")
	for i, want := range []int{200, 403} {
		if w := newBrowser(t, a).post("/api/login", script, "assertion", posted); w.Code != want {
			t.Errorf("use %d: %d %s", i+1, w.Code, w.Body)
		}
	}
}

func TestErrorPage(t *testing.T) {
	b := newBrowser(t, newApp(t, func(_ *app, c *login.Config[*user]) {
		c.ErrorPage = func(w http.ResponseWriter, _ *http.Request, status int, message string) {
			w.WriteHeader(status)
			w.Write([]byte("own page: " + message))
		}
	}))
	w := b.post("/api/login", form, "assertion", proof("nobody@idp.example"))
	if w.Code != 403 || w.Body.String() != "own page: There is no account for this address here." {
		t.Errorf("%d %s", w.Code, w.Body)
	}
	if h := w.Header(); h.Get("Cache-Control") != "no-store" || h.Get("Content-Security-Policy") != "" {
		t.Errorf("headers %v", h)
	}
	wantAnswer(t, b.post("/api/login", script, "assertion", "x"), 403, failure("no certificates provided"))
}

// What this package answers is in nobody's frame, and runs nothing.
func TestClickjacking(t *testing.T) {
	b := newBrowser(t, newApp(t))
	for name, w := range map[string]*httptest.ResponseRecorder{
		"page":    b.post("/api/login", form, "assertion", "<script>alert(1)</script>"),
		"refused": b.post("/api/login", form, "assertion", proof("guest@idp.example")),
		"JSON":    b.post("/api/login", script, "assertion", "x"),
		"okay":    b.post("/api/login", script, "assertion", proof("alice@idp.example")),
	} {
		policy := w.Header().Get("Content-Security-Policy")
		for _, want := range []string{"default-src 'none'", "frame-ancestors 'none'", "base-uri 'none'", "form-action 'none'"} {
			if !strings.Contains(policy, want) {
				t.Errorf("%s: the policy %q lacks %s", name, policy, want)
			}
		}
		if h := w.Header(); h.Get("X-Frame-Options") != "DENY" || h.Get("X-Content-Type-Options") != "nosniff" {
			t.Errorf("%s: %v", name, h)
		}
		if strings.Contains(w.Body.String(), "<script") {
			t.Errorf("%s: %s", name, w.Body)
		}
	}
}

// Many people sign in and out at once, and each sees themselves.
func TestConcurrent(t *testing.T) {
	a := newApp(t)
	var group sync.WaitGroup
	for _, email := range []string{"alice@idp.example", "bob@idp.example", "carol@idp.example", "dave@idp.example"} {
		group.Go(func() {
			b := newBrowser(t, a)
			for range 5 {
				b.sees("stranger")
				if w := b.post("/api/login", script, "assertion", proof(email)); w.Code != 200 {
					t.Errorf("login: %d %s", w.Code, w.Body)
				}
				b.sees(email)
				b.post("/api/logout", script)
			}
		})
	}
	group.Wait()
}

// The policy of the page for mistakes allows the style that the page has.
func TestErrorPageStyle(t *testing.T) {
	w := newBrowser(t, newApp(t)).post("/api/login", form)
	_, rest, _ := strings.Cut(w.Body.String(), "<style>")
	style, _, found := strings.Cut(rest, "</style>")
	sum := sha256.Sum256([]byte(style))
	want := "style-src 'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'"
	if policy := w.Header().Get("Content-Security-Policy"); !found || !strings.Contains(policy, want) {
		t.Errorf("the policy is %q, want %s", policy, want)
	}
	if h := w.Header(); h.Get("Content-Type") != "text/html; charset=utf-8" {
		t.Errorf("headers %v", h)
	}
}
