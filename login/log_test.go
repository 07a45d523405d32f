package login_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/alexedwards/scs/v2/memstore"

	"github.com/vepverify/vepverify/assertion"
	"github.com/vepverify/vepverify/devidp/idptest"
	"github.com/vepverify/vepverify/login"
)

// brokenGuard is a one-use guard that fails.
type brokenGuard struct{}

func (brokenGuard) FirstUse(context.Context, string, time.Time) (bool, error) {
	return false, errors.New("the replica is read-only")
}

// TestCauses checks what a visitor reads and what the log contains when a request is refused
// or fails: what to do, and the cause. Neither contains a secret or an address. The log has
// each cause once in a minute.
func TestCauses(t *testing.T) {
	withStore := func(fault counting) func(*app, *login.Config[*user]) {
		return func(_ *app, c *login.Config[*user]) {
			store := fault
			store.Store = memstore.NewWithCleanupInterval(0)
			c.Sessions = secureSessions()
			c.Sessions.Store = &store
		}
	}
	for name, c := range map[string]struct {
		change func(*app, *login.Config[*user])
		path   string
		posted string // the assertion; empty means one that is valid
		header http.Header
		status int
		shown  string // on the page
		logged string
		level  string
	}{
		"database": {
			change: func(a *app, _ *login.Config[*user]) { a.broken = true },
			status: 503, shown: "Please try again in a moment.", logged: "finding the user: the database is down", level: "ERROR",
		},
		"sessions cannot be stored": {
			change: withStore(counting{commitFails: true}),
			status: 503, shown: "Please try again in a moment.", logged: "storing the session: the store is down", level: "ERROR",
		},
		"sessions cannot be loaded": {
			change: withStore(counting{findFails: true}), header: http.Header{"Cookie": {"session=x"}},
			status: 503, shown: "Please try again in a moment.", logged: "loading the session: the store is down", level: "ERROR",
		},
		"sessions cannot be loaded for a page": {
			change: withStore(counting{findFails: true}), header: http.Header{"Cookie": {"session=x"}}, path: "/members",
			status: 503, shown: "Please try again in a moment.", logged: "loading the session: the store is down", level: "ERROR",
		},
		"guard": {
			change: func(_ *app, c *login.Config[*user]) { c.OneUse = brokenGuard{} },
			status: 503, shown: "Please try again in a moment.", logged: "the replica is read-only", level: "WARN",
		},
		"undecided": {posted: unreachable(), status: 503, shown: "Please try again in a moment.", logged: "unreachable.example", level: "WARN"},
		"audience": {
			posted: assertionForAudience("alice@idp.example", "https://other.example"),
			status: 403, shown: "open this site at its usual address", logged: "audiences=[https://rp.example]", level: "WARN",
		},
		"signature": {
			posted: idptest.New("idp.example", idptest.Key("DS128-2")).At(now).Backed("alice@idp.example", userKey, rp),
			status: 403, shown: "does not match the keys of its domain", logged: "invalid signature", level: "INFO",
		},
		"no cookie": {path: "/members", status: 401, shown: "Please sign in first."},
		"session ended": {
			path: "/members", header: http.Header{"Cookie": {"__Host-login=x"}},
			status: 401, shown: "Your session has ended. Please sign in again.", logged: "was lost with the session store", level: "INFO",
		},
		"reloaded": {path: "/api/login#GET", status: 405, shown: "Please go to the sign-in page."},
		"no-referrer": {
			header: http.Header{"Origin": {"null"}, "Sec-Fetch-Site": nil},
			status: 403, shown: "Referrer-Policy: no-referrer", logged: "Referrer-Policy: no-referrer: use same-origin", level: "WARN",
		},
		"a file": {
			header: http.Header{"Origin": {"null"}, "Sec-Fetch-Site": {"cross-site"}},
			status: 403, shown: "a file, a sandboxed frame or a redirect by another site", logged: "a file or in a sandboxed frame", level: "WARN",
		},
		"another site": {
			header: http.Header{"Origin": {"https://evil.example"}, "Sec-Fetch-Site": {"cross-site"}},
			status: 403, shown: "another site", logged: "another site has sent it, or", level: "WARN",
		},
		"another site without an Origin": {
			header: http.Header{"Sec-Fetch-Site": {"cross-site"}},
			status: 403, shown: "another site", logged: "it has no Origin", level: "WARN",
		},
		"wrong audience": {
			header: http.Header{"Origin": {"https://www.rp.example"}, "Sec-Fetch-Site": {"same-origin"}},
			status: 403, shown: "open it at its usual address", logged: "an origin that Config.Audiences lacks\" audiences=[https://rp.example]", level: "WARN",
		},
		"http": {
			header: http.Header{"Origin": {"http://rp.example"}, "Sec-Fetch-Site": nil},
			status: 403, shown: "open it at its usual address", logged: "another scheme or port", level: "WARN",
		},
		"two origins": {
			header: http.Header{"Origin": {rp, rp}},
			status: 403, shown: "another site", logged: "several headers", level: "WARN",
		},
	} {
		t.Run(name, func(t *testing.T) {
			if c.change == nil {
				c.change = func(*app, *login.Config[*user]) {}
			}
			a := newApp(t, c.change)
			for range 3 {
				w := ask(t, a, c.path, c.posted, c.header)
				if w.Code != c.status || !strings.Contains(w.Body.String(), c.shown) {
					t.Errorf("%d %s", w.Code, w.Body)
				}
				wantNoSecret(t, w.Body.String())
			}
			logged := a.logs.String()
			// The details of a signature differ the second time.
			if c.logged == "" && logged != "" || c.logged != "" && (strings.Count(logged, "\n") > 2 || !strings.Contains(logged, c.logged) || !strings.Contains(logged, "level="+c.level)) {
				t.Errorf("logged: %s", logged)
			}
			wantNoSecret(t, logged)
		})
	}
}

// ask posts an assertion to the login by a form. At another path, or at one with "#GET",
// it sends a form that is a POST, or a GET.
func ask(t *testing.T, a *app, path, posted string, header http.Header) *httptest.ResponseRecorder {
	t.Helper()
	if path == "" {
		path = "/api/login"
	}
	if posted == "" {
		posted = assertionFor("alice@idp.example")
	}
	r := postRequest(path, "assertion", posted)
	if rest, found := strings.CutSuffix(path, "#GET"); found {
		r = httptest.NewRequest("GET", rest, nil)
	}
	all := form.Clone()
	for name, values := range header {
		all[name] = values
	}
	return newBrowser(t, a).do(r, all)
}

// wantNoSecret fails the test if the text has an address, a part of an assertion, or what a
// request said about its origin.
func wantNoSecret(t *testing.T, text string) {
	t.Helper()
	for _, secret := range []string{"alice@", "eyJ", "evil.example", "www.rp.example", "=x"} {
		if strings.Contains(text, secret) {
			t.Errorf("contains %q: %s", secret, text)
		}
	}
}

// TestCausesDoNotHideEachOther checks that a cause is logged although others were logged
// just before.
func TestCausesDoNotHideEachOther(t *testing.T) {
	a := newApp(t)
	for i, header := range []http.Header{
		{"Origin": {"null"}, "Sec-Fetch-Site": nil}, {"Origin": {"null"}, "Sec-Fetch-Site": {"cross-site"}}, {"Origin": {"https://evil.example"}}, {"Sec-Fetch-Site": {"cross-site"}},
		{"Origin": {"http://rp.example"}, "Sec-Fetch-Site": nil}, {"Origin": {"https://evil.example"}, "Sec-Fetch-Site": nil}, {"Origin": {rp, rp}},
	} {
		ask(t, a, "", "", header)
		if lines := strings.Count(a.logs.String(), "\n"); lines != i+1 {
			t.Fatalf("after %v: %d lines: %s", header, lines, a.logs.String())
		}
	}
	before := strings.Count(a.logs.String(), "\n")
	for i, posted := range []string{unreachable(), "x", idp.At(now.Add(-1e13)).Backed("alice@idp.example", userKey, rp), assertionForAudience("alice@idp.example", "https://other.example")} {
		ask(t, a, "", posted, nil)
		if lines := strings.Count(a.logs.String(), "\n"); lines != before+i+1 {
			t.Fatalf("after assertion %d: %s", i, a.logs.String())
		}
	}
}

// TestDisconnectedClient checks that a request whose client has disconnected is not a failure of
// the site.
func TestDisconnectedClient(t *testing.T) {
	a := newApp(t, func(_ *app, c *login.Config[*user]) {
		c.FindOrCreate = func(ctx context.Context, _ *assertion.Result) (*user, error) { return nil, ctx.Err() }
	})
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for _, posted := range []string{assertionFor("alice@idp.example"), unreachable()} {
		if w := newBrowser(t, a).do(postRequest("/api/login", "assertion", posted).WithContext(ctx), script); w.Code != http.StatusServiceUnavailable {
			t.Errorf("%d %s", w.Code, w.Body)
		}
	}
	if logged := a.logs.String(); logged != "" {
		t.Errorf("logged: %s", logged)
	}
}

// TestNullOriginReason checks that a script learns why its request with the Origin null is
// refused.
func TestNullOriginReason(t *testing.T) {
	w := newBrowser(t, newApp(t)).post("/api/login", http.Header{"Accept": {"application/json"}, "Origin": {"null"}, "Sec-Fetch-Site": nil}, "assertion", "x")
	wantAnswer(t, w, 403, failure("cross-origin request refused: the Origin is null (Referrer-Policy: no-referrer, a sandboxed frame, a redirect or a file)"))
}
