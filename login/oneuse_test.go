package login_test

import (
	"context"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/vepverify/vepverify/assertion"
	"github.com/vepverify/vepverify/devidp/idptest"
	"github.com/vepverify/vepverify/login"
)

// uses posts an assertion five times, each in another browser, and returns how often it
// signed in.
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

// TestOneUseByDefault checks that an assertion signs in once with any verifier, unless
// InsecureReplay is set.
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
		if got := uses(t, a, assertionFor("alice@idp.example")); got != c.want {
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

// TestAssertionLifetime checks that an assertion is refused if the guard would have to remember
// it for too long.
func TestAssertionLifetime(t *testing.T) {
	long := idptest.Backed(idp.Certificate("alice@idp.example", userKey.Public()),
		idp.Assertion(rp, userKey).With("exp", now.Add(30*time.Minute).UnixMilli()))
	w := newBrowser(t, newApp(t)).post("/api/login", script, "assertion", long)
	if w.Code != http.StatusForbidden || !strings.Contains(w.Body.String(), "lifetime") {
		t.Errorf("%d %s", w.Code, w.Body)
	}
}

func TestOneUse(t *testing.T) {
	a := newApp(t, func(_ *app, c *login.Config[*user]) {
		c.Verifier = verifier(t, assertion.Config{OneUse: assertion.NewMemoryOneUse(10, clock)})
	})
	posted := assertionFor("alice@idp.example")
	for i, want := range []int{200, 403} {
		if w := newBrowser(t, a).post("/api/login", script, "assertion", posted); w.Code != want {
			t.Errorf("use %d: %d %s", i+1, w.Code, w.Body)
		}
	}
}
