package login_test

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/alexedwards/scs/v2"

	"github.com/vepverify/vepverify/assertion"
	"github.com/vepverify/vepverify/devidp/idptest"
	"github.com/vepverify/vepverify/login"
	"github.com/vepverify/vepverify/wellknown"
)

const rp = "https://rp.example"

// now is the time of all verifications.
var now = time.UnixMilli(1700000000000)

func clock() time.Time { return now }

var (
	idp     = idptest.New("idp.example", idptest.Key("DS128")).At(now)
	userKey = idptest.Key("DS128-2")
)

// assertions is the number of calls of assertionForAudience.
var assertions atomic.Int64

// assertionFor returns an assertion of an address. Each expires at a different time, because
// all have the same key and two equal ones could be used only once.
func assertionFor(email string) string { return assertionForAudience(email, rp) }

// assertionForAudience is assertionFor with another audience.
func assertionForAudience(email, audience string) string {
	return idp.At(now.Add(time.Duration(assertions.Add(1))*time.Millisecond)).Backed(email, userKey, audience)
}

// unreachable returns an assertion of an address whose domain cannot be reached.
func unreachable() string {
	other := idptest.New("unreachable.example", idptest.Key("DS128")).At(now)
	return other.Backed("alice@unreachable.example", userKey, rp)
}

// verifier returns a verifier that has the keys of idp.example and cannot reach other
// domains.
func verifier(t testing.TB, c assertion.Config) *assertion.Verifier {
	t.Helper()
	known, err := wellknown.NewStatic(map[string]json.RawMessage{"idp.example": idp.Document().JSON()})
	if err != nil {
		t.Fatal(err)
	}
	c.Keys, c.Now = known, clock
	v, err := assertion.NewVerifier(c)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

type user struct{ Email string }

var errDatabase = errors.New("the database is down")

// app is an application with a few users and a page for them.
type app struct {
	*login.Login[*user]
	http.Handler
	logs strings.Builder

	mu        sync.Mutex
	blocked   map[string]bool
	broken    bool // every lookup fails
	loads     int
	loggedOut []string // IDs with which OnLogout was called
}

// newApp returns an application with the users alice, bob and mallory of idp.example.
// Mallory is blocked. The functions may change the configuration.
func newApp(t testing.TB, change ...func(*app, *login.Config[*user])) *app {
	t.Helper()
	a := &app{blocked: map[string]bool{"mallory@idp.example": true}}
	c := a.config(t)
	for _, f := range change {
		f(a, &c)
	}
	l, err := login.New(c)
	if err != nil {
		t.Fatal(err)
	}
	a.Login = l
	mux := http.NewServeMux()
	a.pages(mux)
	a.Handler = mux
	return a
}

func (a *app) config(t testing.TB) login.Config[*user] {
	return login.Config[*user]{
		Verifier:     verifier(t, assertion.Config{}),
		Audiences:    []string{rp},
		FindOrCreate: a.load,
		UserID:       func(u *user) string { return u.Email },
		FindByID:     a.byID,
		OnLogout:     func(_ context.Context, id string) { a.locked(func() { a.loggedOut = append(a.loggedOut, id) }) },
		Logger:       slog.New(slog.NewTextHandler(&a.logs, nil)),
	}
}

// config returns a configuration that New accepts.
func config(t testing.TB) login.Config[*user] { return new(app).config(t) }

// pages adds the routes, a public page and a page for members.
func (a *app) pages(mux interface{ Handle(string, http.Handler) }) {
	a.Routes(mux)
	mux.Handle("/", a.WithUser(http.HandlerFunc(a.greet)))
	mux.Handle("/members", a.Require(http.HandlerFunc(a.greet)))
}

func (a *app) greet(w http.ResponseWriter, r *http.Request) {
	name := "stranger"
	if u, ok := a.User(r.Context()); ok {
		name = u.Email
	}
	w.Write([]byte("hello " + name))
}

func (a *app) load(_ context.Context, res *assertion.Result) (u *user, err error) {
	a.locked(func() {
		a.loads++
		switch {
		case a.broken:
			err = errDatabase
		case !strings.HasSuffix(res.Email, "@idp.example"):
			err = login.ErrNoUser
		case res.Email == "nobody@idp.example":
			err = login.ErrNoUser
		case res.Email == "guest@idp.example":
			err = login.Refusal("accounts are by invitation")
		case res.Email == "nil@idp.example":
		default:
			u = &user{res.Email}
		}
	})
	return u, err
}

func (a *app) byID(_ context.Context, id string) (u *user, err error) {
	a.locked(func() {
		switch {
		case a.broken:
			err = errDatabase
		case a.blocked[id]:
			err = login.ErrNoUser
		case id == "gone@idp.example":
		default:
			u = &user{id}
		}
	})
	return u, err
}

// locked calls f while it holds the lock.
func (a *app) locked(f func()) {
	a.mu.Lock()
	defer a.mu.Unlock()
	f()
}

// browser is a client that stores cookies by name. It ignores their attributes, which
// TestCookie checks and a real client in TestProxy observes.
type browser struct {
	t       testing.TB
	site    http.Handler
	cookies map[string]string
}

func newBrowser(t testing.TB, site http.Handler) *browser {
	return &browser{t, site, map[string]string{}}
}

// with returns another browser with a copy of cookies.
func (b *browser) with(cookies map[string]string) *browser {
	other := newBrowser(b.t, b.site)
	maps.Copy(other.cookies, cookies)
	return other
}

// Headers of the requests of a script, and of those of a form.
var (
	script = http.Header{"Accept": {"application/json"}}
	form   = http.Header{"Accept": {"text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"}}
)

func (b *browser) do(r *http.Request, header http.Header) *httptest.ResponseRecorder {
	b.t.Helper()
	r.Header.Set("Sec-Fetch-Site", "same-origin")
	maps.Copy(r.Header, header)
	for name, value := range b.cookies {
		r.AddCookie(&http.Cookie{Name: name, Value: value})
	}
	w := httptest.NewRecorder()
	b.site.ServeHTTP(w, r)
	for _, c := range w.Result().Cookies() {
		if c.MaxAge < 0 {
			delete(b.cookies, c.Name)
		} else {
			b.cookies[c.Name] = c.Value
		}
	}
	return w
}

func (b *browser) get(path string, header http.Header) *httptest.ResponseRecorder {
	b.t.Helper()
	return b.do(httptest.NewRequest("GET", path, nil), header)
}

func (b *browser) post(path string, header http.Header, fields ...string) *httptest.ResponseRecorder {
	b.t.Helper()
	return b.do(postRequest(path, fields...), header)
}

// postRequest returns a POST of a form. The fields are names and values in turn.
func postRequest(path string, fields ...string) *http.Request {
	values := url.Values{}
	for i := 0; i < len(fields); i += 2 {
		values.Add(fields[i], fields[i+1])
	}
	r := httptest.NewRequest("POST", path, strings.NewReader(values.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	return r
}

// signIn signs a user in. It fails the test if the login is refused.
func (b *browser) signIn(email string) {
	b.t.Helper()
	if w := b.post("/api/login", script, "assertion", assertionFor(email)); w.Code != http.StatusOK {
		b.t.Fatalf("signing %s in: %d %s", email, w.Code, w.Body)
	}
}

// wantGreeting fails the test unless the site greets the name.
func (b *browser) wantGreeting(name string) {
	b.t.Helper()
	if w := b.get("/", form); w.Code != http.StatusOK || w.Body.String() != "hello "+name {
		b.t.Errorf("the site answers %d %q, want hello %s", w.Code, w.Body, name)
	}
}

// secureSessions returns the sessions of an application, in memory, with the cookie
// "session".
func secureSessions() *scs.SessionManager {
	s := scs.New()
	s.Cookie.Secure = true
	return s
}

// wantAnswer fails the test unless the response is exactly this JSON.
func wantAnswer(t *testing.T, w *httptest.ResponseRecorder, status int, body string) {
	t.Helper()
	if got := strings.TrimSpace(w.Body.String()); w.Code != status || got != body {
		t.Errorf("response %d %s\nwant %d %s", w.Code, got, status, body)
	}
	if got := w.Header().Get("Content-Type"); got != "application/json" {
		t.Errorf("Content-Type %q", got)
	}
	if got := w.Header().Get("Cache-Control"); got != "no-store" {
		t.Errorf("Cache-Control %q", got)
	}
}

func failure(reason string) string { return `{"status":"failure","reason":"` + reason + `"}` }
