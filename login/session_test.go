package login_test

import (
	"bytes"
	"context"
	"encoding/gob"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/alexedwards/scs/v2"
	"github.com/alexedwards/scs/v2/memstore"

	"github.com/vepverify/vepverify/login"
)

func TestCookie(t *testing.T) {
	for _, c := range []struct {
		name, audience, prefix string
		want                   http.Cookie
	}{
		{"https", rp, "", http.Cookie{Name: "__Host-login", Secure: true}},
		{"prefix", rp, "/app/v2", http.Cookie{Name: "__Host-login~app~v2", Secure: true}},
		{"development", "http://localhost:8080", "", http.Cookie{Name: "login-8080"}},
	} {
		a := newApp(t, func(_ *app, lc *login.Config[*user]) { lc.Audiences, lc.Prefix = []string{c.audience}, c.prefix })
		w := newBrowser(t, a).post("/api/login", script, "assertion", idp.Backed("alice@idp.example", userKey, c.audience))
		cookies := w.Result().Cookies()
		if len(cookies) != 1 {
			t.Fatalf("%s: %d cookies", c.name, len(cookies))
		}
		got := cookies[0]
		if got.Name != c.want.Name || got.Secure != c.want.Secure || !got.HttpOnly ||
			got.SameSite != http.SameSiteLaxMode || got.Path != "/" || got.Domain != "" {
			t.Errorf("%s: the cookie is %v", c.name, got)
		}
		if life := time.Duration(got.MaxAge) * time.Second; life < 23*time.Hour || life > 24*time.Hour+time.Second {
			t.Errorf("%s: the cookie lives for %v", c.name, life)
		}
	}
}

// TestCookieOnlyWhenNeeded checks that only a login sets the cookie, and only a logout
// deletes it.
func TestCookieOnlyWhenNeeded(t *testing.T) {
	b := newBrowser(t, newApp(t))
	sets := func(path string) bool { return len(b.get(path, form).Result().Cookies()) > 0 }
	if sets("/") || sets("/members") {
		t.Error("a visitor gets a cookie")
	}
	b.post("/api/login", script, "assertion", "nonsense")
	if len(b.cookies) > 0 {
		t.Error("a refused login gets a cookie")
	}
	b.signIn("alice@idp.example")
	if sets("/") || sets("/members") {
		t.Error("the cookie is set again and again")
	}
	b.post("/api/logout", script)
	if len(b.cookies) > 0 {
		t.Error("a logout leaves the cookie")
	}
}

// TestSessionContainsOnlyID checks that a session contains the user's ID and nothing
// else.
func TestSessionContainsOnlyID(t *testing.T) {
	store := memstore.NewWithCleanupInterval(0)
	sessions := secureSessions()
	sessions.Store = store
	b := newBrowser(t, newApp(t, func(_ *app, c *login.Config[*user]) { c.Sessions = sessions }))
	b.signIn("alice@idp.example")
	b.signIn("alice@idp.example")

	all, err := store.All()
	if err != nil || len(all) != 1 {
		t.Fatalf("%d sessions, %v", len(all), err)
	}
	for _, data := range all {
		_, values, err := scs.GobCodec{}.Decode(data)
		if err != nil || len(values) != 1 {
			t.Fatalf("the session is %v, %v", values, err)
		}
		for _, value := range values {
			if value != "alice@idp.example" {
				t.Errorf("the session holds %v", value)
			}
		}
	}
}

// newAppWithValues returns an application that stores values of its own in the sessions.
func newAppWithValues(t *testing.T) (*app, *scs.SessionManager, http.Handler) {
	sessions := secureSessions()
	a := newApp(t, func(a *app, c *login.Config[*user]) {
		c.Sessions = sessions
		left := c.OnLogout
		c.OnLogout = func(ctx context.Context, id string) {
			left(ctx, id)
			sessions.Put(ctx, "flash", "goodbye "+id)
		}
	})
	mux := http.NewServeMux()
	mux.Handle("/", a)
	mux.HandleFunc("/keep", func(w http.ResponseWriter, r *http.Request) { sessions.Put(r.Context(), "kept", "cake") })
	mux.HandleFunc("/kept", func(w http.ResponseWriter, r *http.Request) {
		w.Write([]byte(sessions.GetString(r.Context(), "kept") + "|" + sessions.PopString(r.Context(), "flash")))
	})
	return a, sessions, sessions.LoadAndSave(mux)
}

// TestSharedSession checks that values which the application stored for a visitor remain
// after the visitor's login, and do not reach another user.
func TestSharedSession(t *testing.T) {
	a, _, site := newAppWithValues(t)
	b := newBrowser(t, site)
	kept := func(want string) {
		t.Helper()
		if got := b.get("/kept", form).Body.String(); got != want {
			t.Errorf("kept %q, want %q", got, want)
		}
	}
	b.get("/keep", form)
	b.signIn("alice@idp.example")
	b.wantGreeting("alice@idp.example")
	kept("cake|")

	if w := b.post("/api/login", script, "assertion", assertionFor("bob@idp.example")); len(w.Result().Cookies()) != 1 {
		t.Errorf("the cookies are %v", w.Result().Cookies())
	}
	b.wantGreeting("bob@idp.example")
	kept("|goodbye alice@idp.example")

	b.get("/keep", form)
	if w := b.post("/api/logout", script); w.Code != 200 || len(w.Result().Cookies()) != 1 {
		t.Errorf("logout: %d %v", w.Code, w.Result().Cookies())
	}
	b.wantGreeting("stranger")
	kept("|goodbye bob@idp.example")
	if len(a.loggedOut) != 2 {
		t.Errorf("OnLogout was called with %q", a.loggedOut)
	}
}

// TestOnLogoutStoresValues checks that OnLogout can put values into the session without
// LoadAndSave too.
func TestOnLogoutStoresValues(t *testing.T) {
	a, _, site := newAppWithValues(t)
	b := newBrowser(t, a)
	b.signIn("alice@idp.example")
	b.post("/api/logout", script)
	b.wantGreeting("stranger")
	b.site = site
	if got := b.get("/kept", form).Body.String(); got != "|goodbye alice@idp.example" {
		t.Errorf("kept %q", got)
	}
}

func TestAnotherUserSignsIn(t *testing.T) {
	a := newApp(t)
	b := newBrowser(t, a)
	b.signIn("alice@idp.example")
	before := b.with(b.cookies)
	b.signIn("bob@idp.example")
	b.wantGreeting("bob@idp.example")
	before.wantGreeting("stranger")
	b.signIn("bob@idp.example")
	if len(a.loggedOut) != 1 || a.loggedOut[0] != "alice@idp.example" {
		t.Errorf("OnLogout was called with %q", a.loggedOut)
	}
}

// TestUserDeletedWhileSignedIn checks that a user whom FindByID refuses is signed out,
// and stays signed out.
func TestUserDeletedWhileSignedIn(t *testing.T) {
	a := newApp(t)
	b := newBrowser(t, a)
	b.signIn("alice@idp.example")
	old := b.with(b.cookies)
	a.blocked["alice@idp.example"] = true
	if w := b.get("/members", form); w.Code != http.StatusSeeOther {
		t.Errorf("the members' page says %d", w.Code)
	}
	if len(b.cookies) > 0 {
		t.Error("the cookie is still there")
	}
	a.blocked["alice@idp.example"] = false
	old.wantGreeting("stranger")
}

// TestLoginsShareSessions checks that the users of one Login are not signed in at another that
// shares its sessions.
func TestLoginsShareSessions(t *testing.T) {
	sessions := secureSessions()
	share := func(_ *app, c *login.Config[*user]) { c.Sessions = sessions }
	members := newApp(t, share)
	staff := newApp(t, share, func(_ *app, c *login.Config[*user]) { c.LoginPath = "/staff/login" })
	b := newBrowser(t, members)
	b.signIn("alice@idp.example")
	b.with(b.cookies).wantGreeting("alice@idp.example")
	b.site = staff
	b.wantGreeting("stranger")
}

// TestIdleTimeout checks that each request extends the idle time.
func TestIdleTimeout(t *testing.T) {
	store := &counting{Store: memstore.NewWithCleanupInterval(0)}
	sessions := secureSessions()
	sessions.Store, sessions.IdleTimeout = store, time.Hour
	b := newBrowser(t, newApp(t, func(_ *app, c *login.Config[*user]) { c.Sessions = sessions }))
	b.signIn("alice@idp.example")
	commits := store.commits
	b.wantGreeting("alice@idp.example")
	if store.commits != commits+1 {
		t.Errorf("a request stored the session %d times", store.commits-commits)
	}
}

// counting is a store that counts commits and can be made to fail.
type counting struct {
	scs.Store
	commits                         int
	findFails, commitFails, delFail bool
}

var errStore = errors.New("the store is down")

func (s *counting) Find(token string) ([]byte, bool, error) {
	if s.findFails {
		return nil, false, errStore
	}
	return s.Store.Find(token)
}

func (s *counting) Commit(token string, data []byte, expiry time.Time) error {
	if s.commitFails {
		return errStore
	}
	s.commits++
	return s.Store.Commit(token, data, expiry)
}

func (s *counting) Delete(token string) error {
	if s.delFail {
		return errStore
	}
	return s.Store.Delete(token)
}

// TestStoreFails checks that a login or logout which the store did not save is not
// reported as successful, and that the response is complete.
func TestStoreFails(t *testing.T) {
	for _, c := range []struct {
		name  string
		fault counting
		login int
		page  int // of a user who signed in before
		leave int
	}{
		{"find", counting{findFails: true}, 200, 503, 503}, // a login without a cookie looks for no session
		{"commit", counting{commitFails: true}, 503, 200, 200},
		{"delete", counting{delFail: true}, 200, 200, 503},
	} {
		t.Run(c.name, func(t *testing.T) {
			store := &counting{Store: memstore.NewWithCleanupInterval(0)}
			sessions := secureSessions()
			sessions.Store = store
			a := newApp(t, func(_ *app, lc *login.Config[*user]) { lc.Sessions = sessions })
			in, out := newBrowser(t, a), newBrowser(t, a)
			in.signIn("bob@idp.example")
			store.findFails, store.commitFails, store.delFail = c.fault.findFails, c.fault.commitFails, c.fault.delFail

			w := out.post("/api/login", script, "assertion", assertionFor("alice@idp.example"))
			if c.login == 503 {
				wantAnswer(t, w, 503, failure("service unavailable"))
			}
			if signed := len(out.cookies) > 0; w.Code != c.login || signed != (c.login == 200) {
				t.Errorf("login: %d, cookies %v", w.Code, out.cookies)
			}
			if w := in.get("/", form); w.Code != c.page {
				t.Errorf("page: %d", w.Code)
			}
			again := in.with(in.cookies)
			wantAnswer(t, again.post("/api/login", script, "assertion", assertionFor("alice@idp.example")), 503, failure("service unavailable"))
			w = in.post("/api/logout", script)
			if c.leave == 503 {
				wantAnswer(t, w, 503, failure("service unavailable"))
			}
			if still := len(in.cookies) > 0; w.Code != c.leave || still != (c.leave == 503) {
				t.Errorf("logout: %d, cookies %v", w.Code, in.cookies)
			}
		})
	}
}

// TestStoreFailsForDeletedUser checks that a user whom FindByID refuses is signed out
// even if the session cannot be destroyed.
func TestStoreFailsForDeletedUser(t *testing.T) {
	store := &counting{Store: memstore.NewWithCleanupInterval(0)}
	sessions := secureSessions()
	sessions.Store = store
	a := newApp(t, func(_ *app, c *login.Config[*user]) { c.Sessions = sessions })
	b := newBrowser(t, a)
	b.signIn("alice@idp.example")
	store.delFail, a.blocked["alice@idp.example"] = true, true
	b.wantGreeting("stranger")
	if !bytes.Contains([]byte(a.logs.String()), []byte(errStore.Error())) {
		t.Errorf("logged: %s", a.logs.String())
	}
}

// TestStoreFailsOnceInSharedSession checks that LoadAndSave does not store the user of a
// login whose session could not be stored.
func TestStoreFailsOnceInSharedSession(t *testing.T) {
	a, sessions, site := newAppWithValues(t)
	store := &failingOnce{Store: memstore.NewWithCleanupInterval(0)}
	sessions.Store = store
	b := newBrowser(t, site)
	store.fail = true
	if w := b.post("/api/login", script, "assertion", assertionFor("alice@idp.example")); w.Code != 503 {
		t.Errorf("login: %d %s", w.Code, w.Body)
	}
	b.wantGreeting("stranger")
	if a.loads != 1 {
		t.Errorf("%d loads", a.loads)
	}
}

type failingOnce struct {
	scs.Store
	fail bool
}

func (s *failingOnce) Commit(token string, data []byte, expiry time.Time) error {
	if s.fail {
		s.fail = false
		return errStore
	}
	return s.Store.Commit(token, data, expiry)
}

// TestSessionValueOfOtherType checks that a value of another type in the session is not a user.
func TestSessionValueOfOtherType(t *testing.T) {
	sessions := secureSessions()
	b := newBrowser(t, newApp(t, func(_ *app, c *login.Config[*user]) { c.Sessions = sessions }))
	b.signIn("alice@idp.example")
	data, _, err := sessions.Store.Find(b.cookies["session"])
	if err != nil {
		t.Fatal(err)
	}
	deadline, values, err := sessions.Codec.Decode(data)
	if err != nil {
		t.Fatal(err)
	}
	gob.Register(struct{ X int }{})
	for key := range values {
		values[key] = struct{ X int }{1}
	}
	if data, err = sessions.Codec.Encode(deadline, values); err != nil {
		t.Fatal(err)
	}
	if err := sessions.Store.Commit(b.cookies["session"], data, deadline); err != nil {
		t.Fatal(err)
	}
	b.wantGreeting("stranger")
}

// TestSessionFixation checks that a login renews the token, and that a logout ends it.
// The original, Flask-BrowserID, kept the token, so an attacker who had set it was
// signed in too.
func TestSessionFixation(t *testing.T) {
	sessions := secureSessions()
	a := newApp(t, func(_ *app, c *login.Config[*user]) { c.Sessions = sessions })
	visits := http.NewServeMux() // the application has a session for each visitor
	visits.Handle("/", sessions.LoadAndSave(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		sessions.Put(r.Context(), "visited", true)
	})))
	visits.Handle("/api/", a)

	attacker := newBrowser(t, visits)
	attacker.get("/", form)
	planted := attacker.cookies["session"]
	if planted == "" {
		t.Fatal("no session to plant")
	}
	victim := attacker.with(attacker.cookies)
	victim.site = a
	victim.signIn("alice@idp.example")
	victim.wantGreeting("alice@idp.example")
	if victim.cookies["session"] == planted {
		t.Error("the session has the token from before the login")
	}
	attacker.site = a
	attacker.wantGreeting("stranger")

	// The logout ends the token.
	stolen := victim.with(victim.cookies)
	if w := victim.post("/api/logout", script); w.Code != http.StatusOK {
		t.Fatalf("logout: %d", w.Code)
	}
	stolen.wantGreeting("stranger")
	if _, found, err := sessions.Store.Find(stolen.cookies["session"]); found || err != nil {
		t.Errorf("the session is still there: %v, %v", found, err)
	}
}

// TestSessionFixationWithMadeUpToken checks that a token which the store does not have
// is not used.
func TestSessionFixationWithMadeUpToken(t *testing.T) {
	a := newApp(t)
	b := newBrowser(t, a)
	b.cookies["__Host-login"] = "made-up"
	b.signIn("alice@idp.example")
	if b.cookies["__Host-login"] == "made-up" {
		t.Error("the session has the token that was sent")
	}
	b.with(map[string]string{"__Host-login": "made-up"}).wantGreeting("stranger")
}

// TestSessionsOfOneUser checks that a user has at most MaxOfUser sessions, which does
// not affect other users.
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
	alice[0].wantGreeting("stranger")
	alice[1].wantGreeting("stranger")
	alice[2].wantGreeting("alice@idp.example")
	alice[login.MaxOfUser+1].wantGreeting("alice@idp.example")
	bob.wantGreeting("bob@idp.example")
}

// TestVisitorsAreNotStored checks that requests of visitors store no session.
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
		b.post("/api/login", form, "assertion", assertionFor("nobody@idp.example"))
	}
	if store.commits != 0 {
		t.Errorf("%d sessions were stored", store.commits)
	}
}

// askedStore counts lookups.
type askedStore struct {
	scs.Store
	asked int
}

func (s *askedStore) Find(token string) ([]byte, bool, error) {
	s.asked++
	return s.Store.Find(token)
}

// TestLongCookie checks that the session store is not asked for a token that no browser sends:
// net/http reads cookies of a megabyte, and the store may be another server.
func TestLongCookie(t *testing.T) {
	store := &askedStore{Store: memstore.New()}
	var name string
	a := newApp(t, func(_ *app, c *login.Config[*user]) {
		c.Sessions = secureSessions()
		c.Sessions.Store, name = store, c.Sessions.Cookie.Name
	})
	for size, asked := range map[int]int{100: 1, 4096: 1, 4097: 0, 1 << 20: 0} {
		store.asked = 0
		r := httptest.NewRequest("GET", rp+"/members", nil)
		r.Header.Set("Cookie", name+"="+strings.Repeat("a", size))
		w := httptest.NewRecorder()
		a.ServeHTTP(w, r)
		if w.Code != http.StatusUnauthorized || store.asked != asked {
			t.Errorf("%d bytes: %d, the store was asked %d times, want %d", size, w.Code, store.asked, asked)
		}
	}
}
