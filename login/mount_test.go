package login_test

import (
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"testing"

	"github.com/go-chi/chi/v5"

	"github.com/vepverify/vepverify/login"
)

// mounts are ways to mount an application. The prefix is what browsers see.
var mounts = []struct {
	name, prefix string
	mount        func(*app) http.Handler
}{
	{"http.ServeMux", "", func(a *app) http.Handler { return a }},
	{"chi", "", func(a *app) http.Handler {
		r := chi.NewRouter()
		a.pages(r)
		return r
	}},
	{"chi, mounted", "/app", func(a *app) http.Handler {
		r := chi.NewRouter()
		r.Route("/app", func(r chi.Router) { a.pages(r) })
		return r
	}},
	{"chi, sub-router", "/app", func(a *app) http.Handler {
		inner := chi.NewRouter()
		a.pages(inner)
		outer := chi.NewRouter()
		outer.Mount("/app", inner)
		return outer
	}},
	{"http.StripPrefix", "/app", func(a *app) http.Handler {
		mux := http.NewServeMux()
		mux.Handle("/app/", http.StripPrefix("/app", a))
		return mux
	}},
	{"a proxy that removes the prefix", "/app", func(a *app) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			path, found := strings.CutPrefix(r.RequestURI, "/app")
			if !found || !strings.HasPrefix(path, "/") {
				http.NotFound(w, r)
				return
			}
			backend := httptest.NewRequest(r.Method, path, r.Body)
			backend.Header = r.Header
			a.ServeHTTP(w, backend)
		})
	}},
}

func TestMounts(t *testing.T) {
	for _, m := range mounts {
		t.Run(m.name, func(t *testing.T) {
			a := newApp(t, func(_ *app, c *login.Config[*user]) { c.Prefix, c.AfterLogout = m.prefix, "/bye" })
			b := newBrowser(t, m.mount(a))

			w := b.get(m.prefix+"/members?x=1", form)
			want := m.prefix + "/?next=" + url.QueryEscape(m.prefix+"/members?x=1")
			if w.Code != 303 || w.Header().Get("Location") != want {
				t.Errorf("redirected by %d to %q, want %q", w.Code, w.Header().Get("Location"), want)
			}
			if w := b.get(a.ScriptURL(), form); w.Code != 200 || !strings.Contains(w.Body.String(), `"login":"`+m.prefix+`/api/login"`) {
				t.Errorf("script at %s: %d", a.ScriptURL(), w.Code)
			}
			w = b.post(m.prefix+"/api/login", form, "assertion", assertionFor("alice@idp.example"), "next", m.prefix+"/members?x=1")
			if w.Code != 303 || w.Header().Get("Location") != m.prefix+"/members?x=1" {
				t.Errorf("login: %d to %q", w.Code, w.Header().Get("Location"))
			}
			if w := b.get(m.prefix+"/members", form); w.Body.String() != "hello alice@idp.example" {
				t.Errorf("members: %d %s", w.Code, w.Body)
			}
			w = b.post(m.prefix+"/api/login", form, "assertion", assertionFor("alice@idp.example"))
			if w.Code != 303 || w.Header().Get("Location") != m.prefix+"/" {
				t.Errorf("login: %d to %q", w.Code, w.Header().Get("Location"))
			}
			w = b.post(m.prefix+"/api/login", form)
			if w.Code != 400 || !strings.Contains(w.Body.String(), `href="`+m.prefix+`/"`) {
				t.Errorf("the error page: %d %s", w.Code, w.Body)
			}
			w = b.post(m.prefix+"/api/logout", form)
			if w.Code != 303 || w.Header().Get("Location") != m.prefix+"/bye" {
				t.Errorf("logout: %d to %q", w.Code, w.Header().Get("Location"))
			}
			if w := b.get(m.prefix+"/api/login", script); w.Code != 405 || w.Header().Get("Allow") != "POST" {
				t.Errorf("get: %d, Allow %q", w.Code, w.Header().Get("Allow"))
			}
		})
	}
}

// TestPrefixMatchesWholeSegments checks that a path which only begins like the prefix is a
// path of the application.
func TestPrefixMatchesWholeSegments(t *testing.T) {
	a := newApp(t, func(_ *app, c *login.Config[*user]) { c.Prefix = "/app" })
	b := newBrowser(t, a.Require(http.NotFoundHandler()))
	for path, next := range map[string]string{"/apples": "/app/apples", "/app": "/app", "/app?x": "/app?x", "/app/": "/app/", "/": "/app/"} {
		if got, want := b.get(path, form).Header().Get("Location"), "/app/?next="+url.QueryEscape(next); got != want {
			t.Errorf("%s: sent to %q, want %q", path, got, want)
		}
	}
}

func TestOtherPaths(t *testing.T) {
	a := newApp(t, func(_ *app, c *login.Config[*user]) {
		c.LoginPath, c.LogoutPath, c.ScriptPath = "/enter", "/leave", "/static/buttons.js"
	})
	b := newBrowser(t, a)
	if w := b.post("/enter", script, "assertion", assertionFor("alice@idp.example")); w.Code != 200 {
		t.Errorf("login: %d", w.Code)
	}
	b.wantGreeting("alice@idp.example")
	if w := b.post("/leave", script); w.Code != 200 {
		t.Errorf("logout: %d", w.Code)
	}
	text := b.get(a.ScriptURL(), form).Body.String()
	if !strings.HasPrefix(a.ScriptURL(), "/static/buttons.js?v=") || !strings.Contains(text, `"/enter"`) || !strings.Contains(text, `"/leave"`) {
		t.Errorf("script at %s", a.ScriptURL())
	}
}

// TestProxy checks the documented configuration with a proxy that terminates TLS, removes
// the prefix and sends another Host. The client observes the attributes of cookies.
func TestProxy(t *testing.T) {
	var front *httptest.Server // its origin is the audience
	var backend http.Handler
	plain := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { backend.ServeHTTP(w, r) }))
	defer plain.Close()
	target, err := url.Parse(plain.URL)
	if err != nil {
		t.Fatal(err)
	}
	proxy := &httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) {
		r.Out.URL.Path = strings.TrimPrefix(r.Out.URL.Path, "/app")
		r.SetURL(target) // and the Host
	}}
	front = httptest.NewTLSServer(proxy)
	defer front.Close()
	a := newApp(t, func(_ *app, c *login.Config[*user]) { c.Audiences, c.Prefix = []string{front.URL}, "/app" })
	backend = a

	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	client := front.Client()
	client.Jar = jar
	send := func(method, path string, origin string, fields url.Values) (*http.Response, string) {
		t.Helper()
		r, err := http.NewRequestWithContext(t.Context(), method, front.URL+path, strings.NewReader(fields.Encode()))
		if err != nil {
			t.Fatal(err)
		}
		r.Header = form.Clone() // no Sec-Fetch-Site, like an old browser
		if method == "POST" {
			r.Header.Set("Origin", origin)
			r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		}
		res, err := client.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		defer res.Body.Close()
		body, err := io.ReadAll(res.Body)
		if err != nil {
			t.Fatal(err)
		}
		return res, string(body)
	}

	signIn := url.Values{"assertion": {idp.Backed("alice@idp.example", userKey, front.URL)}, "next": {"/app/members"}}
	if res, body := send("POST", "/app/api/login", "https://evil.example", signIn); res.StatusCode != 403 {
		t.Errorf("from another site: %d %s", res.StatusCode, body)
	}
	res, body := send("POST", "/app/api/login", front.URL, signIn)
	if res.Request.URL.String() != front.URL+"/app/members" || body != "hello alice@idp.example" {
		t.Errorf("the login ends at %s: %s", res.Request.URL, body)
	}
	// The cookie is Secure although the application is reached over http.
	if cookies := res.Request.Response.Cookies(); len(cookies) != 1 || !cookies[0].Secure {
		t.Errorf("the cookies are %v", cookies)
	}
	if _, body := send("GET", "/app/", "", nil); body != "hello alice@idp.example" {
		t.Errorf("the page says %s", body)
	}
	if res, body := send("POST", "/app/api/logout", front.URL, nil); res.Request.URL.Path != "/app/" || body != "hello stranger" {
		t.Errorf("the logout ends at %s: %s", res.Request.URL, body)
	}
}

// TestHTTP2 checks that an empty body of unknown length, as HTTP/2 allows, is an empty
// form.
func TestHTTP2(t *testing.T) {
	server := httptest.NewUnstartedServer(newApp(t))
	server.EnableHTTP2 = true
	server.StartTLS()
	defer server.Close()
	empty := struct{ io.Reader }{strings.NewReader("")}
	res, err := server.Client().Post(server.URL+"/api/logout", "", empty)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	if res.ProtoMajor != 2 || res.StatusCode != http.StatusOK {
		t.Errorf("%s: %s", res.Proto, res.Status)
	}
}
