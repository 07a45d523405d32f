package evpdemo

import (
	"crypto/rand"
	"net/http"
	"strings"
	"time"

	"github.com/vepverify/vepverify/evp/issuer"
	"github.com/vepverify/vepverify/internal/bounded"
	"github.com/vepverify/vepverify/internal/page"
)

// The paths of the protocol at the provider. The first two are fixed.
const (
	metadataPath    = "/.well-known/email-verification"
	webIdentityPath = "/.well-known/web-identity"
	issuancePath    = "/email-verification/issuance"
	jwksPath        = "/email-verification/jwks"
	accountsPath    = "/email-verification/accounts"
)

// maxAccounts is the number of sessions at the mail provider. The least recently used one
// beyond that ends.
const maxAccounts = 100

// provider is the mail provider of the demo, which issues tokens for the addresses of its
// users. Anyone can be any user.
type provider struct {
	*issuer.Issuer
	sessions *bounded.Cache[string, string] // address by the value of the cookie
	pages    *pages
}

// newProvider returns a provider with new keys.
func newProvider(c Config, p *pages) (*provider, error) {
	keys, err := issuer.GenerateKeys(issuer.Ed25519)
	if err != nil {
		return nil, err
	}
	m := &provider{sessions: bounded.New[string, string](maxAccounts, maxAccounts), pages: p}
	m.Issuer, err = issuer.New(issuer.Config{
		Issuer: issuerOrigin, Keys: keys, Accounts: m.accounts, LoginURL: "/", IssuancePath: issuancePath, JWKSPath: jwksPath, AccountsPath: accountsPath,
		Now: c.Now, Logger: c.Logger, MaxAge: time.Second, // so that pages show all requests each time
	})
	return m, err
}

// routes returns the handler of the provider's host.
func (m *provider) routes() http.Handler {
	mux := http.NewServeMux()
	for _, path := range m.Paths() {
		mux.Handle(path, m.Issuer)
	}
	mux.HandleFunc("GET /{$}", m.front)
	mux.HandleFunc("POST /sign-in", m.signIn)
	mux.HandleFunc("POST /sign-out", m.signOut)
	page.Handle(mux)
	protection := http.NewCrossOriginProtection()
	protection.AddInsecureBypassPattern("POST " + issuancePath) // browsers send it as cross-site
	return protection.Handler(mux)
}

// cookie is the cookie of a session. Browsers send it with the requests of the protocol only
// if it is SameSite=None.
const cookie = "__Host-session"

func (m *provider) setCookie(w http.ResponseWriter, value string, maxAge int) {
	http.SetCookie(w, &http.Cookie{
		Name: cookie, Value: value, MaxAge: maxAge, Path: "/", Secure: true, HttpOnly: true, SameSite: http.SameSiteNoneMode,
	})
}

// user returns the address of the user who has sent the request, or "".
func (m *provider) user(r *http.Request) string {
	c, err := r.Cookie(cookie)
	if err != nil {
		return ""
	}
	address, _ := m.sessions.Get(c.Value)
	return address
}

// accounts returns the accounts of a session, for package issuer.
func (m *provider) accounts(r *http.Request) ([]issuer.Account, error) {
	if address := m.user(r); address != "" {
		return []issuer.Account{{Email: address}}, nil
	}
	return nil, nil
}

// front serves the page of the provider.
func (m *provider) front(w http.ResponseWriter, r *http.Request) {
	m.pages.show(w, http.StatusOK, "provider.html", &view{Title: "Example Mail", Provider: true, Email: m.user(r)})
}

// maxUser is the length of the longest name of a user.
const maxUser = 64

// signIn signs in the user of the field user, and tells the browser so.
func (m *provider) signIn(w http.ResponseWriter, r *http.Request) {
	user, _, _ := strings.Cut(strings.ToLower(r.FormValue("user")), "@")
	address := user + "@" + mailDomain
	if !isUser(user) {
		m.pages.show(w, http.StatusBadRequest, "provider.html", &view{
			Title: "Example Mail", Provider: true, Message: "A name has letters, digits and dots only, and at most 64 of them.",
		})
		return
	}
	id := rand.Text()
	m.sessions.Set(id, address, 1)
	m.setCookie(w, id, 0)
	issuer.LoggedIn(w)
	m.pages.show(w, http.StatusOK, "provider.html", &view{Title: "Example Mail", Provider: true, Email: address})
}

// isUser reports whether text may be the part of an address before the "@".
func isUser(text string) bool {
	for _, c := range text {
		if (c < 'a' || c > 'z') && (c < '0' || c > '9') && c != '.' {
			return false
		}
	}
	return text != "" && len(text) <= maxUser && text[0] != '.' && text[len(text)-1] != '.' && !strings.Contains(text, "..")
}

// signOut signs out, and tells the browser so. The browser then sends no token until the
// next sign-in.
func (m *provider) signOut(w http.ResponseWriter, r *http.Request) {
	if c, err := r.Cookie(cookie); err == nil {
		m.sessions.Set(c.Value, "", 1)
	}
	m.setCookie(w, "", -1)
	issuer.LoggedOut(w)
	m.pages.show(w, http.StatusOK, "provider.html", &view{Title: "Example Mail", Provider: true})
}
