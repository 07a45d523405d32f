package login_test

import (
	"context"
	"database/sql"
	"errors"
	"html/template"
	"net/http"
	"net/http/httptest"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/alexedwards/scs/v2"
	"github.com/go-chi/chi/v5"
	"github.com/redis/go-redis/v9"

	"github.com/vepverify/vepverify/assertion"
	"github.com/vepverify/vepverify/internal/doctest"
	"github.com/vepverify/vepverify/internal/domain"
	"github.com/vepverify/vepverify/login"
	"github.com/vepverify/vepverify/redisstore"
)

// The functions below contain the Go snippets of docs/LOGIN.md, so that they compile.
// TestDocs reports the snippets that are missing here.

type User struct {
	ID, Email string
	Blocked   bool
}

type userTable interface {
	FindOrCreate(ctx context.Context, email string) (*User, error)
	FindByID(ctx context.Context, id string) (*User, error)
}

func docsStart(users userTable, home, members http.Handler) error {
	auth, err := login.New(login.Config[*User]{
		Audiences: []string{"https://rp.example"},
		FindOrCreate: func(ctx context.Context, res *assertion.Result) (*User, error) {
			return users.FindOrCreate(ctx, res.Email)
		},
		UserID: func(u *User) string { return u.ID },
		FindByID: func(ctx context.Context, id string) (*User, error) {
			u, err := users.FindByID(ctx, id)
			if errors.Is(err, sql.ErrNoRows) || err == nil && u.Blocked {
				return nil, login.ErrNoUser
			}
			return u, err
		},
	})
	if err != nil {
		return err
	}
	mux := http.NewServeMux()
	auth.Routes(mux)
	mux.Handle("/", auth.WithUser(home))
	mux.Handle("/members", auth.Require(members))
	return nil
}

func docsUser(auth *login.Login[*User], r *http.Request) (*User, bool) {
	user, ok := auth.User(r.Context())
	return user, ok
}

func docsErrorPage(signInPage *template.Template) login.Config[*User] {
	return login.Config[*User]{
		ErrorPage: func(w http.ResponseWriter, r *http.Request, status int, message string) {
			w.WriteHeader(status)
			signInPage.Execute(w, message)
		},
	}
}

func docsHeaders(w http.ResponseWriter) {
	w.Header().Set("Content-Security-Policy", "default-src 'none'; script-src 'self' https://idp.example/include.js; "+
		"connect-src 'self'; style-src 'self'; img-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'")
	w.Header().Set("Cross-Origin-Opener-Policy", "same-origin-allow-popups")
}

func docsPrefix(
	findOrCreate func(context.Context, *assertion.Result) (*User, error), userID func(*User) string, findByID func(context.Context, string) (*User, error),
) error {
	auth, err := login.New(login.Config[*User]{
		Audiences:    []string{"https://www.example"},
		Prefix:       "/app",
		FindOrCreate: findOrCreate, UserID: userID, FindByID: findByID,
	})
	if err != nil {
		return err
	}
	inner := http.NewServeMux()
	auth.Routes(inner) // /api/login, which browsers see as /app/api/login
	outer := http.NewServeMux()
	outer.Handle("/app/", http.StripPrefix("/app", inner))
	return nil
}

func docsChi(auth *login.Login[*User], members http.Handler) {
	r := chi.NewRouter()
	auth.Routes(r)
	r.With(auth.Require).Handle("/members", members)
}

func docsSessions(store scs.Store) *scs.SessionManager {
	sessions := scs.New()
	sessions.Store = store // any of scs's: Redis, PostgreSQL, SQLite, …
	sessions.Lifetime = 12 * time.Hour
	sessions.Cookie.Name = "__Host-session"
	sessions.Cookie.Secure = true
	return sessions
}

func docsServer(mux *http.ServeMux) *http.Server {
	server := &http.Server{
		Handler:        mux,
		MaxHeaderBytes: 64 << 10,
		ReadTimeout:    30 * time.Second,
		WriteTimeout:   30 * time.Second,
	}
	return server
}

func docsOneUse(client *redis.Client) (assertion.OneUse, error) {
	guard, err := redisstore.New(client, redisstore.Config{})
	return guard, err
}

func docsEVP(codes mailer, askForCode *template.Template) login.Config[*User] {
	return login.Config[*User]{
		EVP: &login.EVP{
			Fallback: func(w http.ResponseWriter, r *http.Request, email string) {
				if err := codes.Mail(r.Context(), email); err != nil {
					http.Error(w, "Please try again in a moment.", http.StatusServiceUnavailable)
					return
				}
				askForCode.Execute(w, email)
			},
		},
	}
}

type mailer interface {
	Mail(ctx context.Context, email string) error
	Take(code string) (email string, ok bool)
}

func docsSignIn(auth *login.Login[*User], codes mailer, mux *http.ServeMux) {
	mux.HandleFunc("POST /code", func(w http.ResponseWriter, r *http.Request) {
		email, ok := codes.Take(r.PostFormValue("code"))
		if !ok {
			http.Error(w, "This code is not valid.", http.StatusForbidden)
			return
		}
		auth.SignIn(w, r, email)
	})
}

func TestDocs(t *testing.T) {
	// These snippets are also run.
	none := func(context.Context, string) (*User, error) { return nil, nil }
	if err := docsPrefix(func(context.Context, *assertion.Result) (*User, error) { return nil, nil }, func(*User) string { return "" }, none); err != nil {
		t.Error(err)
	}
	if err := docsStart(nil, http.NotFoundHandler(), http.NotFoundHandler()); err != nil {
		t.Error(err)
	}
	c := config(t)
	c.Sessions = docsSessions(scs.New().Store)
	auth, err := login.New(c)
	if err != nil {
		t.Error(err)
	}
	client := redis.NewClient(&redis.Options{Addr: "127.0.0.1:1", ContextTimeoutEnabled: true})
	defer client.Close()
	if c.OneUse, err = docsOneUse(client); err != nil {
		t.Error(err)
	}
	if _, err := login.New(c); err != nil {
		t.Error(err)
	}
	docsHeaders(httptest.NewRecorder())
	_, _, _, _, _ = docsUser, docsErrorPage, docsChi, docsServer, auth
	_, _ = docsEVP, docsSignIn

	doctest.Snippets(t, "../docs/LOGIN.md", "docs_test.go", 5)
}

// TestDocsAddresses checks that the addresses of which the document warns can sign in,
// and that the characters which it excludes are refused.
func TestDocsAddresses(t *testing.T) {
	text, err := os.ReadFile("../docs/LOGIN.md")
	if err != nil {
		t.Fatal(err)
	}
	_, table, _ := strings.Cut(string(text), "| address |")
	table, _, _ = strings.Cut(table, "\n\n")
	rows := strings.Split(table, "\n| `")[1:]
	if len(rows) < 5 {
		t.Errorf("%d addresses", len(rows))
	}
	for _, row := range rows {
		email, _, _ := strings.Cut(row, "`")
		if _, _, ok := domain.Email(email); !ok {
			t.Errorf("%s is not an address", email)
		}
		if w := newBrowser(t, newApp(t)).post("/api/login", script, "assertion", assertionFor(email)); w.Code != http.StatusOK {
			t.Errorf("%s: %d %s", email, w.Code, w.Body)
		}
	}
	for _, c := range " \x00\r\n\t\":,<>\\()[]é" {
		if _, _, ok := domain.Email("a" + string(c) + "b@idp.example"); ok {
			t.Errorf("%q is in an address", c)
		}
	}
}

// TestDocsPages checks that the HTML snippets are templates of html/template, and that
// the routes in them are the default ones.
func TestDocsPages(t *testing.T) {
	text, err := os.ReadFile("../docs/LOGIN.md")
	if err != nil {
		t.Fatal(err)
	}
	a := newApp(t)
	for _, block := range strings.Split(string(text), "\n```html\n")[1:] {
		snippet, _, _ := strings.Cut(block, "\n```")
		for _, data := range []map[string]any{
			{"Script": a.ScriptURL(), "User": User{Email: "alice@idp.example"}},
			{"Script": a.AuthScript(), "Nonce": "abc"},
		} {
			var page strings.Builder
			parsed, err := template.New("").Parse(snippet)
			if err == nil {
				err = parsed.Execute(&page, data)
			}
			if err != nil || strings.Contains(page.String(), "ZgotmplZ") {
				t.Errorf("%v\n%s", err, page.String())
			}
		}
		for _, action := range strings.Split(snippet, ` action="`)[1:] {
			path, _, _ := strings.Cut(action, `"`)
			if w := newBrowser(t, a).get(path, script); w.Code != http.StatusMethodNotAllowed {
				t.Errorf("%s: %d", path, w.Code)
			}
		}
	}
}

// TestDocsMessages checks that the messages, the reasons and the log messages of the document
// are those of the script and of this package.
func TestDocsMessages(t *testing.T) {
	read := func(names ...string) (all string) {
		for _, name := range names {
			text, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			all += string(text)
		}
		return all
	}
	document, source := read("../docs/LOGIN.md"), read("auth.js", "answer.go", "user.go", "request.go", "session.go", "evp.go")
	for _, table := range []struct {
		heading, cell string // of the first column, or of the one that names the text
		least         int
	}{
		{"### Messages\n", "\n\\| `([a-z-]+)` \\|", 7},
		{"## What the log says\n", "\n\\| [a-z]+ \\| `([^`]+)`", 8},
		{"## If something does not work\n", "\n\\| \\*([^*]+)\\*", 8},
	} {
		_, section, _ := strings.Cut(document, table.heading)
		section, _, _ = strings.Cut(section, "\n## ")
		found := regexp.MustCompile(table.cell).FindAllStringSubmatch(section, -1)
		if len(found) < table.least {
			t.Errorf("%s%d texts", table.heading, len(found))
		}
		for _, m := range found {
			for part := range strings.SplitSeq(m[1], "…") {
				if !strings.Contains(source, strings.TrimSpace(strings.TrimSuffix(strings.TrimSpace(part), ","))) {
					t.Errorf("%s%q is not in the source", table.heading, part)
				}
			}
		}
	}
}
