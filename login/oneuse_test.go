package login_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/vepverify/vepverify/assertion"
	"github.com/vepverify/vepverify/devidp/idptest"
	"github.com/vepverify/vepverify/login"
	"github.com/vepverify/vepverify/wellknown"
)

// uses posts an assertion several times, each in another browser, and returns how
// often it signed in.
func uses(t *testing.T, a *app, posted string) (n int) {
	t.Helper()
	for range 5 {
		w := newBrowser(t, a).post("/api/login", script, "assertion", posted)
		switch w.Code {
		case http.StatusOK:
			n++
		case http.StatusForbidden:
			wantAnswer(t, w, 403, failure("the assertion was used before"))
		default:
			t.Errorf("%d %s", w.Code, w.Body)
		}
	}
	return n
}

// TestOneUseByDefault: one assertion makes one session, whichever verifier the
// application sets, unless it says otherwise.
func TestOneUseByDefault(t *testing.T) {
	own := &guard{OneUse: assertion.NewMemoryOneUse(10, clock)}
	verifiers := &guard{OneUse: assertion.NewMemoryOneUse(10, clock)}
	for name, c := range map[string]struct {
		change func(*login.Config[*user])
		want   int
	}{
		"the default":              {func(*login.Config[*user]) {}, 1},
		"a guard":                  {func(c *login.Config[*user]) { c.OneUse = own }, 1},
		"the verifier's own guard": {func(c *login.Config[*user]) { c.Verifier = verifier(t, assertion.Config{OneUse: verifiers}) }, 1},
		"switched off":             {func(c *login.Config[*user]) { c.InsecureReplay = true }, 5},
		"switched off, the verifier's own guard": {func(c *login.Config[*user]) {
			c.InsecureReplay, c.Verifier = true, verifier(t, assertion.Config{OneUse: verifiers})
		}, 1},
	} {
		a := newApp(t, func(_ *app, lc *login.Config[*user]) { c.change(lc) })
		if got := uses(t, a, proof("alice@idp.example")); got != c.want {
			t.Errorf("%s: signed in %d times, want %d", name, got, c.want)
		}
	}
	if own.asked != 5 || verifiers.asked != 10 {
		t.Errorf("the guards were asked %d and %d times", own.asked, verifiers.asked)
	}
	c := config(t)
	c.OneUse, c.InsecureReplay = own, true
	if _, err := login.New(c); err == nil {
		t.Error("made with a guard and without one")
	}
}

type guard struct {
	assertion.OneUse
	asked int
}

func (g *guard) FirstUse(ctx context.Context, key string, until time.Time) (bool, error) {
	g.asked++
	return g.OneUse.FirstUse(ctx, key, until)
}

// TestLifetime: an assertion that the guard would have to remember for long is a
// failure.
func TestLifetime(t *testing.T) {
	long := idptest.Backed(idp.Certificate("alice@idp.example", userKey.Public()),
		idp.Assertion(rp, userKey).With("exp", now.Add(30*time.Minute).UnixMilli()))
	w := newBrowser(t, newApp(t)).post("/api/login", script, "assertion", long)
	if w.Code != http.StatusForbidden || !strings.Contains(w.Body.String(), "lifetime") {
		t.Errorf("%d %s", w.Code, w.Body)
	}
}

// TestSessionsOfOneUser: a user has a bounded number of sessions, and the sessions
// of others are their own.
func TestSessionsOfOneUser(t *testing.T) {
	a := newApp(t)
	bob := newBrowser(t, a)
	bob.signIn("bob@idp.example")
	var alice []*browser
	for range login.MaxOfUser + 2 {
		b := newBrowser(t, a)
		b.signIn("alice@idp.example")
		alice = append(alice, b)
	}
	alice[0].sees("stranger")
	alice[1].sees("stranger")
	alice[2].sees("alice@idp.example")
	alice[login.MaxOfUser+1].sees("alice@idp.example")
	bob.sees("bob@idp.example")
}

// TestVisitorsAreNotStored: what a visitor does who does not sign in stores
// nothing.
func TestVisitorsAreNotStored(t *testing.T) {
	store := &counting{Store: login.NewMemory()}
	sessions := secureSessions()
	sessions.Store = store
	a := newApp(t, func(_ *app, c *login.Config[*user]) { c.Sessions = sessions })
	b := newBrowser(t, a)
	for _, cookies := range []map[string]string{nil, {"session": "made up"}} {
		b = b.with(cookies)
		b.get("/", form)
		b.get("/members", form)
		b.get(a.ScriptURL(), form)
		b.post("/api/logout", form)
		b.post("/api/login", form, "assertion", "x")
		b.post("/api/login", form, "assertion", unreachable())
		b.post("/api/login", form, "assertion", proof("nobody@idp.example"))
	}
	if store.commits != 0 {
		t.Errorf("%d sessions were stored", store.commits)
	}
}

// failing is a source of keys that cannot reach anybody.
type failing struct{ err error }

func (f failing) Authority(context.Context, string, string) (*wellknown.Authority, error) {
	return nil, f.err
}

// TestLogTellsTheCause: how a look-up failed is in the log and not in the answer,
// and neither has an address or a token.
func TestLogTellsTheCause(t *testing.T) {
	const cause = "the address 10.0.0.1 is not public"
	for _, class := range []error{wellknown.ErrUnsupported, wellknown.ErrUnavailable, errors.New("policy")} {
		a := newApp(t, func(_ *app, c *login.Config[*user]) {
			v, err := assertion.NewVerifier(assertion.Config{Keys: failing{fmt.Errorf(cause+": %w", class)}, Now: clock})
			if err != nil {
				t.Fatal(err)
			}
			c.Verifier = v
		})
		posted := proof("alice@idp.example")
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

// TestFieldsAreCounted: a form with many fields is refused before it is parsed.
func TestFieldsAreCounted(t *testing.T) {
	b := newBrowser(t, newApp(t))
	fields := []string{"assertion", proof("alice@idp.example")}
	for i := range login.MaxFields - 1 {
		fields = append(fields, fmt.Sprint("f", i), "")
	}
	if w := b.post("/api/login", script, fields...); w.Code != http.StatusOK {
		t.Errorf("%d %s", w.Code, w.Body)
	}
	fields = append(fields, "one", "more")
	for _, path := range []string{"/api/login", "/api/logout"} {
		wantAnswer(t, b.post(path, script, fields...), 400, failure("too many form fields"))
	}
}

// TestLongHeaders: what no browser sends is not parsed.
func TestLongHeaders(t *testing.T) {
	b := newBrowser(t, newApp(t))
	params := strings.Repeat(";a=b", 1<<10)
	w := b.post("/api/logout", http.Header{"Accept": {"text/html" + params}})
	wantAnswer(t, w, 200, `{"status":"okay"}`)
	w = b.post("/api/logout", http.Header{"Accept": {"application/json"}, "Content-Type": {"application/x-www-form-urlencoded" + params}})
	wantAnswer(t, w, 415, failure("unsupported content type"))
}

// TestScriptIsWhole: the script has no parts.
func TestScriptIsWhole(t *testing.T) {
	a := newApp(t)
	w := newBrowser(t, a).get(a.ScriptURL(), http.Header{"Range": {"bytes=0-0" + strings.Repeat(",0-0", 1000)}})
	if w.Code != http.StatusOK || w.Body.String() != string(a.AuthScript()) {
		t.Errorf("%d, %d bytes", w.Code, w.Body.Len())
	}
}
