package e2e

import (
	"context"
	"crypto/rand"
	"html/template"
	"net/http"
	"os"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/alexedwards/scs/v2"
	"github.com/chromedp/chromedp/kb"

	"github.com/vepverify/vepverify/assertion"
	"github.com/vepverify/vepverify/devidp"
	"github.com/vepverify/vepverify/login"
	"github.com/vepverify/vepverify/wellknown"
)

// setting is the configuration of a shop.
type setting struct {
	by       string // how its page signs in: "" (the script posts), "form", or "inline" (the script is in the page)
	shim     string // a script that changes navigator.id, loaded after include.js
	next     string // data-next of the button
	origin   string // its audience; empty means the origin of its server
	insecure bool   // the audience is http on another machine
	prefix   string
	include  string            // the URL of include.js; empty means the provider's
	headers  map[string]string // of its pages, in addition or instead
	now      func() time.Time
	sessions *scs.SessionManager
}

// noDialog is a shim that returns an assertion without a dialog.
const noDialog = "navigator.id = {get: done => fetch('/assertion').then(r => r.text()).then(done)};"

// shop is a relying party with package login and the headers that docs/LOGIN.md
// recommends. Its users are strings, their addresses.
type shop struct {
	setting
	provider *devidp.Provider
	idp      string // the provider's origin
	auth     *login.Login[string]

	mu      sync.Mutex
	banned  map[string]bool
	handler http.Handler
}

var shopPage = template.Must(template.New("").Parse(`<!DOCTYPE html><html lang="en"><meta charset="utf-8"><title>Shop</title>
<meta name="viewport" content="width=device-width, initial-scale=1"><meta name="color-scheme" content="light dark">
<h1>{{.Title}}</h1>
{{if .User}}<p id="who">Signed in as {{.User}}</p>
{{if eq .By "form"}}<form method="post" action="{{.Prefix}}/api/logout"><button id="browserid-logout" data-user="{{.User}}">Sign out</button></form>
{{else}}<button id="browserid-logout" data-user="{{.User}}" disabled>Sign out</button>{{end}}
{{else}}<p id="who">Not signed in</p>
{{if eq .By "form"}}<form method="post" action="{{.Prefix}}/api/login"><input type="hidden" name="assertion" autocomplete="off">
<input type="hidden" name="next" value="{{.Next}}"><button id="browserid-login" disabled>Sign in</button></form>
{{else}}<button id="browserid-login"{{with .Next}} data-next="{{.}}"{{end}} disabled>Sign in</button>{{end}}
<p id="browserid-state" role="status">Loading. If this text stays, allow JavaScript for this site.</p>{{end}}
<p><a id="to-members" href="{{.Prefix}}/members">Members</a></p>
<script src="{{.Include}}" defer></script>{{if .Shim}}<script src="{{.Prefix}}/shim.js" defer></script>{{end}}
{{if .Nonce}}<script nonce="{{.Nonce}}">{{.Inline}}</script>{{else}}<script src="{{.Script}}" defer></script>{{end}}</html>`))

// newShop returns a shop that trusts the provider's keys.
func newShop(t *testing.T, p *devidp.Provider, idp, origin string, s setting) *shop {
	t.Helper()
	keys, err := wellknown.ParseStatic(p.KeysBundle())
	if err != nil {
		t.Fatal(err)
	}
	verifier, err := assertion.NewVerifier(assertion.Config{Keys: keys, Now: s.now})
	if err != nil {
		t.Fatal(err)
	}
	if s.origin == "" {
		s.origin = origin
	}
	if s.include == "" {
		s.include = idp + "/include.js"
	}
	shop := &shop{setting: s, provider: p, idp: idp, banned: make(map[string]bool)}
	shop.auth, err = login.New(login.Config[string]{
		Verifier: verifier, Audiences: []string{s.origin}, Prefix: s.prefix, Sessions: s.sessions, InsecureHTTP: s.insecure,
		FindOrCreate: shop.findOrCreate, UserID: func(user string) string { return user }, FindByID: shop.findByID,
	})
	if err != nil {
		t.Fatal(err)
	}
	mux := http.NewServeMux()
	shop.auth.Routes(mux)
	mux.Handle("GET /{$}", shop.auth.WithUser(shop.page("Shop")))
	mux.Handle("GET /members", shop.auth.Require(shop.page("Members only")))
	mux.HandleFunc("GET /assertion", func(w http.ResponseWriter, _ *http.Request) {
		text, err := makeAssertion(p, "ada@idp.localhost", s.origin)
		if err != nil {
			text = err.Error()
		}
		_, _ = w.Write([]byte(text))
	})
	mux.HandleFunc("GET /shim.js", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/javascript")
		_, _ = w.Write([]byte(s.shim))
	})
	shop.handler = mux
	if s.sessions != nil {
		mux.HandleFunc("GET /visit", func(w http.ResponseWriter, r *http.Request) { s.sessions.Put(r.Context(), "visited", true) })
		shop.handler = s.sessions.LoadAndSave(mux)
	}
	return shop
}

// openShop starts a provider and a shop, and opens the shop in a new profile.
func openShop(t *testing.T, s setting) (*tab, *shop) {
	t.Helper()
	p, idp := provider(t)
	l, port := listen(t)
	shop := newShop(t, p, idp, "http://localhost:"+port, s)
	serveOn(t, l, port, shop.handler)
	w := newTab(t)
	w.open(shop.origin + "/")
	return w, shop
}

// findOrCreate returns the user of an assertion, for package login.
func (s *shop) findOrCreate(_ context.Context, res *assertion.Result) (string, error) {
	if strings.HasPrefix(res.Email, "stranger@") {
		return "", login.Refusal("accounts are by invitation")
	}
	return res.Email, nil
}

// findByID returns a user who is not banned, for package login.
func (s *shop) findByID(_ context.Context, id string) (string, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.banned[id] {
		return "", login.ErrNoUser
	}
	return id, nil
}

func (s *shop) ban(user string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.banned[user] = true
}

// page returns the handler of a page with that title.
func (s *shop) page(title string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		policy, nonce := documentedPolicy(s.idp), ""
		if s.by == "inline" {
			nonce = rand.Text()
			policy = strings.Replace(policy, "script-src 'self'", "script-src 'nonce-"+nonce+"'", 1)
		}
		w.Header().Set("Content-Security-Policy", policy)
		w.Header().Set("Cross-Origin-Opener-Policy", "same-origin-allow-popups")
		for name, value := range s.headers {
			w.Header().Set(name, value)
		}
		user, _ := s.auth.User(r.Context())
		must(shopPage.Execute(w, map[string]any{
			"Title": title, "User": user, "By": s.by, "Prefix": s.prefix, "Next": s.next, "Shim": s.shim,
			"Include": s.include, "Script": s.auth.ScriptURL(), "Inline": s.auth.AuthScript(), "Nonce": nonce,
		}))
	}
}

// documentedPolicy returns the Content-Security-Policy that docs/LOGIN.md recommends, for the
// provider's origin.
func documentedPolicy(idp string) string {
	text, err := os.ReadFile("../docs/LOGIN.md")
	must(err)
	_, call, _ := strings.Cut(string(text), `Set("Content-Security-Policy",`)
	call, _, _ = strings.Cut(call, "\")\n")
	policy := ""
	for _, m := range regexp.MustCompile(`"([^"]*)"`).FindAllStringSubmatch(call+`"`, -1) {
		policy += m[1]
	}
	const example = "https://idp.example"
	if !strings.Contains(policy, "default-src 'none'") || !strings.Contains(policy, example) {
		panic("cannot parse the policy of docs/LOGIN.md: " + policy)
	}
	return strings.ReplaceAll(policy, example, idp)
}

// dialog presses the sign-in button and returns the provider's dialog when it is ready.
func (w *tab) dialog() *tab {
	w.t.Helper()
	d := w.popup(clicking("#browserid-login"))
	d.ready()
	return d
}

// signIn signs in with a name at the provider's domain, and waits until the dialog is closed.
func (w *tab) signIn(name string) {
	w.t.Helper()
	d := w.dialog()
	if eval[bool](d, "document.getElementById('type').hidden") {
		d.click("#other")
		d.ready()
	}
	d.enter("#email", name)
	d.press(kb.Enter)
	w.gone(d)
}

func (w *tab) isSignedIn(name string) {
	w.t.Helper()
	w.see("#who", "Signed in as "+name+"@idp.localhost")
}

func (w *tab) isSignedOut() { w.t.Helper(); w.see("#who", "Not signed in") }

// message waits for the message next to the button.
func (w *tab) message(want string) {
	w.t.Helper()
	w.see("#browserid-message", want)
	if where := eval[string](w, "document.getElementById('browserid-message').previousElementSibling.id + document.getElementById('browserid-message').getAttribute('role')"); where != "browserid-loginalert" {
		w.t.Errorf("the message follows %s", where)
	}
}
