package login_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/alexedwards/scs/v2"
	"github.com/alexedwards/scs/v2/memstore"

	"github.com/vepverify/vepverify/assertion"
	"github.com/vepverify/vepverify/evp"
	"github.com/vepverify/vepverify/login"
)

func TestBadConfigurations(t *testing.T) {
	type C = login.Config[*user]
	fallback := func(http.ResponseWriter, *http.Request, string) {}
	for name, mutate := range map[string]func(*C){
		"no FindOrCreate":          func(c *C) { c.FindOrCreate = nil },
		"no UserID":                func(c *C) { c.UserID = nil },
		"no FindByID":              func(c *C) { c.FindByID = nil },
		"no audience":              func(c *C) { c.Audiences = nil },
		"slash":                    func(c *C) { c.Audiences = []string{"https://rp.example/"} },
		"path":                     func(c *C) { c.Audiences = []string{"https://rp.example/app"} },
		"query":                    func(c *C) { c.Audiences = []string{"https://rp.example?"} },
		"fragment":                 func(c *C) { c.Audiences = []string{"https://rp.example#"} },
		"user info":                func(c *C) { c.Audiences = []string{"https://a@rp.example"} },
		"no scheme":                func(c *C) { c.Audiences = []string{"rp.example"} },
		"other scheme":             func(c *C) { c.Audiences = []string{"app://rp.example"} },
		"no host":                  func(c *C) { c.Audiences = []string{"https://"} },
		"port only":                func(c *C) { c.Audiences = []string{"https://:443"} },
		"empty port":               func(c *C) { c.Audiences = []string{"https://rp.example:"} },
		"port 0":                   func(c *C) { c.Audiences = []string{"https://rp.example:0"} },
		"port 65536":               func(c *C) { c.Audiences = []string{"https://rp.example:65536"} },
		"two ports":                func(c *C) { c.Audiences = []string{"https://rp.example:1:2"} },
		"wildcard":                 func(c *C) { c.Audiences = []string{"https://*.rp.example"} },
		"space":                    func(c *C) { c.Audiences = []string{"https://rp.example "} },
		"bad IPv6":                 func(c *C) { c.Audiences = []string{"https://[::1"} },
		"text after IPv6":          func(c *C) { c.Audiences = []string{"https://[::1]x"} },
		"IPv4 in brackets":         func(c *C) { c.Audiences = []string{"https://[127.0.0.1]"} },
		"bad Unicode":              func(c *C) { c.Audiences = []string{"https://\u2488.example"} },
		"second bad":               func(c *C) { c.Audiences = []string{rp, "x"} },
		"http":                     func(c *C) { c.Audiences = []string{"http://rp.example"} },
		"http, looks local":        func(c *C) { c.Audiences = []string{"http://localhost.example"} },
		"http and https":           func(c *C) { c.Audiences = []string{rp, "http://localhost"} },
		"login path":               func(c *C) { c.LoginPath = "login" },
		"login path with slash":    func(c *C) { c.LoginPath = "/login/" },
		"login path with wildcard": func(c *C) { c.LoginPath = "/{x}" },
		"logout path with method":  func(c *C) { c.LogoutPath = "POST /logout" },
		"script path with query":   func(c *C) { c.ScriptPath = "/a.js?x" },
		"script path is root":      func(c *C) { c.ScriptPath = "/" },
		"same paths":               func(c *C) { c.LogoutPath = "/api/login" },
		"script and login":         func(c *C) { c.ScriptPath = "/api/login" },
		"prefix with slash":        func(c *C) { c.Prefix = "/app/" },
		"prefix without":           func(c *C) { c.Prefix = "app" },
		"prefix is an origin":      func(c *C) { c.Prefix = "https://rp.example/app" },
		"prefix //":                func(c *C) { c.Prefix = "//evil.example" },
		"prefix dots":              func(c *C) { c.Prefix = "/a/../b" },
		"sign-in page elsewhere":   func(c *C) { c.SignInPage = "https://evil.example/" },
		"after login elsewhere":    func(c *C) { c.AfterLogin = "//evil.example" },
		"after logout elsewhere":   func(c *C) { c.AfterLogout = "/\\evil.example" },
		"cookie not secure":        func(c *C) { c.Sessions = secureSessions(); c.Sessions.Cookie.Secure = false },
		"cookie for scripts":       func(c *C) { c.Sessions = secureSessions(); c.Sessions.Cookie.HttpOnly = false },
		"cookie for all sites":     func(c *C) { c.Sessions = secureSessions(); c.Sessions.Cookie.SameSite = http.SameSiteNoneMode },
		"cookie without SameSite":  func(c *C) { c.Sessions = secureSessions(); c.Sessions.Cookie.SameSite = 0 },
		"no store":                 func(c *C) { c.Sessions = secureSessions(); c.Sessions.Store = nil },
		"no lifetime":              func(c *C) { c.Sessions = secureSessions(); c.Sessions.Lifetime = 0 },
		"cookie of another domain": func(c *C) { c.Sessions = secureSessions(); c.Sessions.Cookie.Domain = "p.example" },
		"cookie of a subdomain":    func(c *C) { c.Sessions = secureSessions(); c.Sessions.Cookie.Domain = "www.rp.example" },
		"cookie of another path":   func(c *C) { c.Sessions = secureSessions(); c.Sessions.Cookie.Path = "/ap" },
		"cookie without a path":    func(c *C) { c.Sessions = secureSessions(); c.Sessions.Cookie.Path = "" },
		"secure cookie over http": func(c *C) {
			c.Sessions, c.InsecureHTTP, c.Audiences = secureSessions(), true, []string{"http://intranet.example"}
		},
		"__Host- and domain": func(c *C) {
			c.Sessions = secureSessions()
			c.Sessions.Cookie.Name, c.Sessions.Cookie.Domain = "__Host-x", "rp.example"
		},

		"__host- and domain": func(c *C) {
			c.Sessions = secureSessions()
			c.Sessions.Cookie.Name, c.Sessions.Cookie.Domain = "__host-x", "rp.example"
		},
		"__Secure- without Secure": func(c *C) {
			c.Audiences, c.Sessions = []string{"http://localhost"}, secureSessions()
			c.Sessions.Cookie.Name, c.Sessions.Cookie.Secure = "__Secure-x", false
		},
		"__Host-Http- and path": func(c *C) {
			c.Prefix, c.Sessions = "/app", secureSessions()
			c.Sessions.Cookie.Name, c.Sessions.Cookie.Path = "__Host-Http-x", "/app"
		},
		"__Http- without Secure": func(c *C) {
			c.Audiences, c.Sessions = []string{"http://localhost"}, secureSessions()
			c.Sessions.Cookie.Name, c.Sessions.Cookie.Secure = "__http-x", false
		},

		"cookie without a name": func(c *C) { c.Sessions = secureSessions(); c.Sessions.Cookie.Name = "" },
		"bad name of a cookie":  func(c *C) { c.Sessions = secureSessions(); c.Sessions.Cookie.Name = "a b" },

		"nil guard":               func(c *C) { c.OneUse = (*assertion.MemoryOneUse)(nil) },
		"zero verifier":           func(c *C) { c.Verifier = new(assertion.Verifier) },
		"zero verifier, replay":   func(c *C) { c.Verifier, c.InsecureReplay = new(assertion.Verifier), true },
		"nil store":               func(c *C) { c.Sessions = secureSessions(); c.Sessions.Store = (*memstore.MemStore)(nil) },
		"nil codec":               func(c *C) { c.Sessions = secureSessions(); c.Sessions.Codec = (*scs.GobCodec)(nil) },
		"zero verifier of tokens": func(c *C) { c.EVP = &login.EVP{Verifier: new(evp.Verifier), Fallback: fallback} },
		"nil guard, with tokens":  func(c *C) { c.EVP, c.OneUse = &login.EVP{Fallback: fallback}, (*assertion.MemoryOneUse)(nil) },
		"equal names of fields":   func(c *C) { c.EVP = &login.EVP{Form: evp.Form{TokenName: "email"}, Fallback: fallback} },
		"a field named assertion": func(c *C) { c.EVP = &login.EVP{Form: evp.Form{EmailName: "assertion"}, Fallback: fallback} },
	} {
		c := config(t)
		mutate(&c)
		if l, err := login.New(c); err == nil || l != nil {
			t.Errorf("%s: made", name)
		} else if !strings.HasPrefix(err.Error(), "login: ") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestCookies checks that session cookies are accepted which browsers keep and send.
func TestCookies(t *testing.T) {
	for _, c := range []struct{ audience, prefix, domain, path string }{
		{rp, "", "", "/"}, {rp, "", "rp.example", "/"}, {rp, "", ".RP.example", "/"}, {"https://www.rp.example:8443", "", "rp.example", "/"},
		{rp, "/app", "", "/app"}, {rp, "/app", "", "/app/"}, {rp, "", "", "/api"}, {"http://localhost:8080", "", "", "/"},
	} {
		lc := config(t)
		lc.Audiences, lc.Prefix, lc.Sessions = []string{c.audience}, c.prefix, secureSessions()
		lc.Sessions.Cookie.Domain, lc.Sessions.Cookie.Path = c.domain, c.path
		if _, err := login.New(lc); err != nil {
			t.Errorf("%v: %v", c, err)
		}
	}
}

// TestAudiences checks that an audience which New accepts, however it is written, is
// the audience of assertions and the Origin of browsers.
func TestAudiences(t *testing.T) {
	for _, c := range []struct{ configured, signed string }{
		{"https://rp.example", "https://rp.example"},
		{"https://RP.example:443", "https://rp.example"},
		{"HTTPS://rp.example:8443", "https://rp.example:8443"},
		{"https://bücher.example", "https://xn--bcher-kva.example"},
		{"https://[2001:DB8::1]", "https://[2001:db8::1]"},
		{"http://localhost:8080", "http://localhost:8080"},
		{"http://127.0.0.1:80", "http://127.0.0.1"},
		{"http://rp.localhost", "http://rp.localhost"},
		{"http://[::1]:8080", "http://[::1]:8080"},
	} {
		a := newApp(t, func(_ *app, lc *login.Config[*user]) { lc.Audiences = []string{c.configured} })
		r := postRequest("https://backend.internal/api/login", "assertion", idp.Backed("alice@idp.example", userKey, c.signed))
		w := newBrowser(t, a).do(r, http.Header{"Sec-Fetch-Site": nil, "Origin": {c.signed}})
		if w.Code != http.StatusOK {
			t.Errorf("audience %s, Origin and assertion %s: %d %s", c.configured, c.signed, w.Code, w.Body)
		}
	}
}

func TestInsecureHTTP(t *testing.T) {
	c := config(t)
	c.Audiences, c.InsecureHTTP = []string{"http://intranet.example"}, true
	if _, err := login.New(c); err != nil {
		t.Error(err)
	}
}

func TestDefaultVerifier(t *testing.T) {
	a := newApp(t, func(_ *app, c *login.Config[*user]) { c.Verifier = nil })
	w := newBrowser(t, a).post("/api/login", script, "assertion", "x")
	wantAnswer(t, w, 403, failure("no certificates provided"))
}

// TestNewRefusesAudiences checks audiences that would otherwise come from the request,
// or have a slash at the end.
func TestNewRefusesAudiences(t *testing.T) {
	for _, audiences := range [][]string{nil, {}, {""}, {"https://rp.example/"}, {"rp.example"}} {
		c := config(t)
		c.Audiences = audiences
		if _, err := login.New(c); err == nil {
			t.Errorf("made a Login with the audiences %q", audiences)
		}
	}
}
