package login_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/vepverify/vepverify/assertion"
	"github.com/vepverify/vepverify/login"
	"github.com/vepverify/vepverify/wellknown"
)

func TestLoginAndLogout(t *testing.T) {
	a := newApp(t)
	b := newBrowser(t, a)
	b.wantGreeting("stranger")

	w := b.post("/api/login", script, "assertion", assertionFor("alice@idp.example"))
	wantAnswer(t, w, 200, `{"status":"okay","email":"alice@idp.example"}`)
	b.wantGreeting("alice@idp.example")
	b.wantGreeting("alice@idp.example") // a second time
	newBrowser(t, a).wantGreeting("stranger")

	w = b.post("/api/logout", script)
	wantAnswer(t, w, 200, `{"status":"okay"}`)
	b.wantGreeting("stranger")
	if len(a.loggedOut) != 1 || a.loggedOut[0] != "alice@idp.example" {
		t.Errorf("OnLogout was called with %q", a.loggedOut)
	}

	// A logout without a user succeeds too.
	wantAnswer(t, b.post("/api/logout", script), 200, `{"status":"okay"}`)
	if len(a.loggedOut) != 1 {
		t.Errorf("OnLogout was called with %q", a.loggedOut)
	}
}

func TestForms(t *testing.T) {
	b := newBrowser(t, newApp(t))
	w := b.post("/api/login", form, "assertion", assertionFor("alice@idp.example"))
	if w.Code != http.StatusSeeOther || w.Header().Get("Location") != "/" || w.Header().Get("Cache-Control") != "no-store" {
		t.Errorf("login: %d %v", w.Code, w.Header())
	}
	b.wantGreeting("alice@idp.example")
	w = b.post("/api/logout", form)
	if w.Code != http.StatusSeeOther || w.Header().Get("Location") != "/" {
		t.Errorf("logout: %d %v", w.Code, w.Header())
	}
	b.wantGreeting("stranger")
}

func TestDestination(t *testing.T) {
	b := newBrowser(t, newApp(t, func(_ *app, c *login.Config[*user]) {
		c.AfterLogin, c.AfterLogout = "/welcome?first=1", "/bye"
	}))
	for _, c := range []struct{ name, next, login, logout string }{
		{"not said", "", "/welcome?first=1", "/bye"},
		{"said", "/members?page=2#end", "/members?page=2#end", "/members?page=2#end"},
		{"elsewhere", "https://evil.example/", "/welcome?first=1", "/bye"},
	} {
		fields := []string{"assertion", assertionFor("alice@idp.example"), "next", c.next}
		if got := b.post("/api/login", form, fields...).Header().Get("Location"); got != c.login {
			t.Errorf("%s: a form goes to %q after the login, want %q", c.name, got, c.login)
		}
		if got := b.post("/api/logout", form, fields[2:]...).Header().Get("Location"); got != c.logout {
			t.Errorf("%s: a form goes to %q after the logout, want %q", c.name, got, c.logout)
		}
		fields[1] = assertionFor("alice@idp.example")
		wantAnswer(t, b.post("/api/login", script, fields...), 200, `{"status":"okay","email":"alice@idp.example","next":"`+c.login+`"}`)
		wantAnswer(t, b.post("/api/logout", script, fields[2:]...), 200, `{"status":"okay","next":"`+c.logout+`"}`)
	}
	w := b.post("/api/login", form, "assertion", assertionFor("alice@idp.example"), "next", "/a", "next", "/b")
	if got := w.Header().Get("Location"); got != "/welcome?first=1" {
		t.Errorf("two next pages: %q", got)
	}
}

func TestFindOrCreateRefuses(t *testing.T) {
	b := newBrowser(t, newApp(t))
	for email, reason := range map[string]string{
		"nobody@idp.example": "no user with this address",
		"nil@idp.example":    "no user with this address",
		"guest@idp.example":  "accounts are by invitation",
	} {
		wantAnswer(t, b.post("/api/login", script, "assertion", assertionFor(email)), 403, failure(reason))
		b.wantGreeting("stranger")
	}
	w := b.post("/api/login", form, "assertion", assertionFor("guest@idp.example"))
	if w.Code != 403 || !strings.Contains(w.Body.String(), "You could not be signed in: accounts are by invitation.") {
		t.Errorf("to a form: %d %s", w.Code, w.Body)
	}
	if !errors.Is(login.Refusal("x"), login.ErrNoUser) {
		t.Error("Refusal does not match ErrNoUser")
	}
}

// TestRefusedWhileSignedIn checks that a refused login does not sign out the user.
func TestRefusedWhileSignedIn(t *testing.T) {
	b := newBrowser(t, newApp(t))
	b.signIn("alice@idp.example")
	b.post("/api/login", script, "assertion", assertionFor("mallory@idp.example"))
	b.post("/api/login", script, "assertion", "nonsense")
	b.wantGreeting("alice@idp.example")
}

func TestApplicationFails(t *testing.T) {
	a := newApp(t)
	b := newBrowser(t, a)
	b.signIn("alice@idp.example")
	a.broken = true

	w := b.post("/api/login", script, "assertion", assertionFor("alice@idp.example"))
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
	// The second and third request for a page have the same cause as the first.
	if logged := a.logs.String(); strings.Count(logged, errDatabase.Error()) != 2 || strings.Contains(logged, "alice") {
		t.Errorf("logged: %s", logged)
	}

	a.broken = false
	b.wantGreeting("alice@idp.example") // the failures did not sign out the user
}

// TestFindByIDFails checks an error of FindByID after FindOrCreate succeeded,
// and a user without an ID.
func TestFindByIDFails(t *testing.T) {
	for name, mutate := range map[string]func(*app, *login.Config[*user]){
		"FindByID": func(a *app, c *login.Config[*user]) {
			load := c.FindOrCreate
			c.FindOrCreate = func(ctx context.Context, res *assertion.Result) (*user, error) {
				u, err := load(ctx, res)
				a.broken = true
				return u, err
			}
		},
		"UserID": func(_ *app, c *login.Config[*user]) { c.UserID = func(*user) string { return "" } },
	} {
		b := newBrowser(t, newApp(t, mutate))
		w := b.post("/api/login", script, "assertion", assertionFor("alice@idp.example"))
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

// TestConcurrent checks that users who sign in and out at the same time see their own
// names.
func TestConcurrent(t *testing.T) {
	a := newApp(t)
	var group sync.WaitGroup
	for _, email := range []string{"alice@idp.example", "bob@idp.example", "carol@idp.example", "dave@idp.example"} {
		group.Go(func() {
			b := newBrowser(t, a)
			for range 5 {
				b.wantGreeting("stranger")
				if w := b.post("/api/login", script, "assertion", assertionFor(email)); w.Code != 200 {
					t.Errorf("login: %d %s", w.Code, w.Body)
				}
				b.wantGreeting(email)
				b.post("/api/logout", script)
			}
		})
	}
	group.Wait()
}

// TestAudienceIsConfigured checks that the audience does not come from the request. The
// original, Flask-BrowserID, took it from the header Host.
func TestAudienceIsConfigured(t *testing.T) {
	b := newBrowser(t, newApp(t))
	for _, host := range []string{"evil.example", "rp.example:8080", "localhost"} {
		r := postRequest("https://"+host+"/api/login", "assertion", idp.Backed("alice@idp.example", userKey, "https://"+host))
		w := b.do(r, script)
		if w.Code != http.StatusForbidden || !strings.Contains(w.Body.String(), `"reason":"audience mismatch: `) {
			t.Errorf("Host %s and an assertion for it: %d %s", host, w.Code, w.Body)
		}
		b.wantGreeting("stranger")

		// The configured audience counts also if a proxy sends another Host.
		w = b.with(nil).do(postRequest("http://"+host+"/api/login", "assertion", assertionFor("alice@idp.example")), script)
		if w.Code != http.StatusOK {
			t.Errorf("Host %s and an assertion for %s: %d %s", host, rp, w.Code, w.Body)
		}
	}
}

// TestUndecided checks the answer if an issuer cannot be reached. The original,
// Flask-BrowserID, called a remote verifier, and answered 500 if that failed.
func TestUndecided(t *testing.T) {
	b := newBrowser(t, newApp(t))
	undecided := unreachable()

	w := b.post("/api/login", script, "assertion", undecided)
	wantAnswer(t, w, 503, `{"status":"failure","reason":"undecided, try again later","undecided":true}`)
	if w.Header().Get("Retry-After") == "" {
		t.Error("no Retry-After")
	}

	w = b.post("/api/login", form, "assertion", undecided)
	if w.Code != 503 || w.Header().Get("Retry-After") == "" || !strings.Contains(w.Body.String(), "Please try again in a moment.") {
		t.Errorf("to a form: %d %v %s", w.Code, w.Header(), w.Body)
	}
	b.wantGreeting("stranger")
}

// TestFindByIDRefuses checks that a user whom the next request would refuse is not told
// to be signed in.
func TestFindByIDRefuses(t *testing.T) {
	b := newBrowser(t, newApp(t))
	for _, email := range []string{"mallory@idp.example", "gone@idp.example"} { // FindOrCreate returns them and FindByID does not
		w := b.post("/api/login", script, "assertion", assertionFor(email))
		wantAnswer(t, w, 403, failure("no user with this address"))
		if len(b.cookies) > 0 {
			t.Error("a session was made")
		}
	}
}

// TestFindOrCreateIsCalledForVerifiedOnly checks that no failure reaches the
// application. The original, Flask-BrowserID, called its loader with failures.
func TestFindOrCreateIsCalledForVerifiedOnly(t *testing.T) {
	a := newApp(t, func(a *app, c *login.Config[*user]) {
		c.Verifier = verifier(t, assertion.Config{TrustedIssuers: []string{"idp.example"}})
	})
	b := newBrowser(t, a)
	noAddress := idp.Certificate("alice@idp.example", userKey.Public()).With("principal", map[string]any{})
	for name, posted := range map[string]string{
		"malformed":      "x~y",
		"expired":        idp.At(now.Add(-1e13)).Backed("alice@idp.example", userKey, rp),
		"other audience": idp.Backed("alice@idp.example", userKey, "https://other.example"),
		"undecided":      unreachable(),
		"no address":     noAddress.String() + "~" + idp.Assertion(rp, userKey).String(),
	} {
		w := b.post("/api/login", script, "assertion", posted)
		var answer struct{ Status string }
		if err := json.Unmarshal(w.Body.Bytes(), &answer); err != nil || answer.Status != "failure" {
			t.Errorf("%s: %d %s", name, w.Code, w.Body)
		}
	}
	if a.loads != 0 {
		t.Errorf("FindOrCreate was called %d times", a.loads)
	}
	b.signIn("alice@idp.example")
	if a.loads != 1 {
		t.Errorf("FindOrCreate was called %d times for an accepted assertion", a.loads)
	}
}

// TestLogContainsCause checks that the log says how a lookup failed, that the response
// does not, and that neither contains an address or a token.
func TestLogContainsCause(t *testing.T) {
	const cause = "the address 10.0.0.1 is not public"
	for _, class := range []error{wellknown.ErrUnsupported, wellknown.ErrUnavailable, errors.New("policy")} {
		a := newApp(t, func(_ *app, c *login.Config[*user]) {
			v, err := assertion.NewVerifier(assertion.Config{Keys: unreachableKeys{fmt.Errorf(cause+": %w", class)}, Now: clock})
			if err != nil {
				t.Fatal(err)
			}
			c.Verifier = v
		})
		posted := assertionFor("alice@idp.example")
		for _, header := range []http.Header{script, form} {
			w := newBrowser(t, a).post("/api/login", header, "assertion", posted)
			logged, answered := a.logs.String(), w.Body.String()
			if !strings.Contains(logged, cause) || strings.Contains(answered, "10.0.0.1") || w.Code < 400 {
				t.Errorf("%v: logged: %s; answered: %d %s", class, logged, w.Code, answered)
			}
			for _, secret := range []string{"alice@", posted[:40], posted[len(posted)-40:]} {
				if strings.Contains(logged+answered, secret) {
					t.Errorf("%v: logged: %s; answered: %s", class, logged, answered)
				}
			}
		}
	}
}

// unreachableKeys is a key source whose lookups all fail.
type unreachableKeys struct{ err error }

func (f unreachableKeys) Authority(context.Context, string, string) (*wellknown.Authority, error) {
	return nil, f.err
}
