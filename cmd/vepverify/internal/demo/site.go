package demo

import (
	"errors"
	"fmt"
	"html/template"
	"log/slog"
	"net/http"
	"strings"
	"time"

	"github.com/vepverify/vepverify/assertion"
	"github.com/vepverify/vepverify/cmd/vepverify/internal/demo/explained"
	"github.com/vepverify/vepverify/cmd/vepverify/internal/demo/posted"
	"github.com/vepverify/vepverify/devidp"
	"github.com/vepverify/vepverify/internal/origin"
	"github.com/vepverify/vepverify/internal/page"
	"github.com/vepverify/vepverify/internal/refusal"
	"github.com/vepverify/vepverify/internal/target"
	"github.com/vepverify/vepverify/login"
	"github.com/vepverify/vepverify/vepauth"
	"github.com/vepverify/vepverify/wellknown"
)

// Config configures a [Site].
type Config struct {
	// Provider is the identity provider whose keys the site trusts. Required.
	Provider *devidp.Provider
	// ProviderOrigin and Origin are the origins at which the provider and the
	// site are served, such as "http://localhost:8400". Required.
	ProviderOrigin, Origin string
	// Command starts vepverify, in the lines for a shell that the pages show.
	// Empty means "vepverify".
	Command string
	// Now is the clock. Nil means [time.Now].
	Now func() time.Time
	// Logger receives the site's errors. Nil means [slog.Default].
	Logger *slog.Logger
}

func (c Config) withDefaults() Config {
	if c.Command == "" {
		c.Command = "vepverify"
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Logger == nil {
		c.Logger = slog.Default()
	}
	return c
}

func (c Config) validate() error {
	switch {
	case c.Provider == nil:
		return errors.New("demo: Provider: missing")
	case c.ProviderOrigin == "":
		return errors.New("demo: ProviderOrigin: missing")
	case c.Origin == "":
		return errors.New("demo: Origin: missing")
	}
	return nil
}

// Site is the demo's relying party. It is safe for concurrent use.
type Site struct {
	config    Config
	members   *members
	verifiers verifiers
	auth      *login.Login[*member]
	pages     *template.Template
	policy    string
	handler   http.Handler
}

// New returns a site. It returns an error if a required field of the configuration is
// missing or an origin is malformed.
func New(c Config) (*Site, error) {
	if err := c.validate(); err != nil {
		return nil, err
	}
	s, err := newSite(c.withDefaults())
	if err != nil {
		return nil, fmt.Errorf("demo: %w", err)
	}
	return s, nil
}

// newSite returns a site with a complete configuration.
func newSite(c Config) (s *Site, err error) {
	s = &Site{config: c, members: newMembers(), policy: policy(c.ProviderOrigin)}
	if s.verifiers, err = newVerifiers(c); err != nil {
		return nil, err
	}
	s.pages, err = template.New("").Funcs(template.FuncMap{"words": words}).ParseFS(web, "web/*.html")
	if err != nil {
		return nil, err
	}
	if s.pages, err = explained.Templates(s.pages); err != nil {
		return nil, err
	}
	s.auth, err = login.New(login.Config[*member]{
		Verifier: s.verifiers.once, Audiences: []string{c.Origin},
		FindOrCreate: s.findOrCreate, UserID: (*member).id, FindByID: s.members.find,
		ErrorPage: s.problem, Logger: c.Logger,
	})
	if err != nil {
		return nil, err
	}
	s.handler, err = s.routes()
	return s, err
}

// verifiers are the verifiers of a site. They trust the keys of the provider only, and
// use no network.
type verifiers struct {
	once     *assertion.Verifier // accepts each assertion once
	uncached *assertion.Verifier // caches nothing, so that an explanation shows all work
	later    *assertion.Verifier // has a clock that is an hour ahead
}

func newVerifiers(c Config) (v verifiers, err error) {
	keys, err := wellknown.ParseStatic(c.Provider.KeysBundle())
	if err != nil {
		return v, err
	}
	v.once, err = assertion.NewVerifier(assertion.Config{
		Keys: keys, Now: c.Now, OneUse: assertion.NewMemoryOneUse(10_000, c.Now),
	})
	if err != nil {
		return v, err
	}
	v.uncached, err = assertion.NewVerifier(assertion.Config{Keys: keys, Now: c.Now, CertificateCache: -1, KeyTables: -1})
	if err != nil {
		return v, err
	}
	v.later, err = assertion.NewVerifier(assertion.Config{
		Keys: keys, Now: func() time.Time { return c.Now().Add(time.Hour) },
	})
	return v, err
}

// routes returns the handler of all paths.
func (s *Site) routes() (http.Handler, error) {
	signed, err := vepauth.New(vepauth.Config{
		Audiences: []string{s.config.Origin}, PublicOrigin: s.config.Origin,
		Verifier: s.verifiers.once, Now: s.config.Now, Logger: s.config.Logger,
	})
	if err != nil {
		return nil, err
	}
	mux := http.NewServeMux()
	s.auth.Routes(posted.Mux{ServeMux: mux})
	mux.Handle("GET /{$}", s.auth.WithUser(http.HandlerFunc(s.front)))
	mux.Handle("GET /members", s.auth.Require(http.HandlerFunc(s.membersPage)))
	mux.Handle(vepauth.DefaultTokenURL, signed.TokenEndpoint())
	mux.Handle("GET "+resourcePath, signed.Require(http.HandlerFunc(s.whoami)))
	mux.HandleFunc("GET "+clientPath, s.client)
	mux.Handle("GET /demo.js", page.Static("text/javascript; charset=utf-8", explained.Script))
	page.Handle(mux)
	mux.HandleFunc("/", s.notServed(mux))
	return mux, nil
}

// ServeHTTP serves requests that were sent to the site's own origin. It redirects
// requests for another name of this machine to that origin, because a session and
// an assertion are valid at one origin only. It refuses all other names: their
// owner can point them to this machine, so that the owner's pages would be
// same-origin with this site (DNS rebinding). It refuses request targets that
// package target refuses, whatever the Host.
func (s *Site) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.commonHeaders(w.Header())
	path, ok := target.Local(r)
	switch host := strings.ToLower(r.Host); {
	case !ok:
		refuse(w, http.StatusBadRequest, "the request target is not a path")
	case "http://"+host == s.config.Origin:
		s.handler.ServeHTTP(w, r)
	case isLocal(r.Host):
		w.Header().Set("Location", s.config.Origin+path)
		w.WriteHeader(http.StatusTemporaryRedirect)
	default:
		s.refuse(w, r, http.StatusMisdirectedRequest, "The demo has another address", "Open "+s.config.Origin+"/ instead.")
	}
}

// refuse answers with a status and a reason, as plain text.
func refuse(w http.ResponseWriter, status int, reason string) {
	(&refusal.Refusal{Status: status, Reason: reason}).WriteText(w)
}

// isLocal reports whether a Host is a name or address that only the machine itself
// can have (RFC 6761, section 6.3), with or without a port.
func isLocal(host string) bool {
	o, ok := origin.FromHost("http", host)
	return ok && origin.IsLocal(o.Host())
}

// policy returns the Content-Security-Policy of all responses. The site's pages may
// use its own files and the provider's script, and no page may frame them. There
// are no inline scripts or styles.
func policy(provider string) string {
	return "default-src 'none'; script-src 'self' " + provider + "/include.js; style-src 'self'; img-src 'self'; connect-src 'self'; " +
		"base-uri 'none'; form-action 'self'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'"
}

// commonHeaders sets the headers of all responses.
func (s *Site) commonHeaders(h http.Header) {
	h.Set("Content-Security-Policy", s.policy)
	h.Set("Cross-Origin-Opener-Policy", "same-origin-allow-popups") // the dialog must find its opener
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
	h.Set("X-Frame-Options", "DENY") // for browsers without frame-ancestors
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", "same-origin")
	h.Set("Cache-Control", "no-store")
}
