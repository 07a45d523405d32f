package login

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"strings"

	"github.com/alexedwards/scs/v2"

	"github.com/vepverify/vepverify/assertion"
	"github.com/vepverify/vepverify/internal/origin"
)

// Config says who may sign in and how. U is the application's user.
//
// Paths are the application's own: Prefix is put in front of them wherever a
// browser gets to see them.
type Config[U any] struct {
	// Verifier verifies assertions. Nil means one with the default configuration,
	// which fetches issuers' keys from the network.
	Verifier *assertion.Verifier

	// OneUse is the guard that lets each assertion sign in once. Nil means the
	// guard of the Verifier or, if it has none, one in the memory of this process
	// with room for 100 000 assertions of at most 10 minutes, of some 200 bytes
	// each. Several processes need one that they share, such as redisstore's.
	OneUse assertion.OneUse

	// InsecureReplay leaves a Verifier without a guard as it is: an assertion signs
	// in, and makes a session, as often as it is posted until it expires.
	InsecureReplay bool

	// Audiences are the origins under which browsers reach the application, as
	// in "https://rp.example". Required; never taken from a request, which says
	// what its sender likes. All are https, or all http on this very machine.
	Audiences []string

	// FindOrCreate finds, or makes, the user with the address that was proved. Required.
	// It is called for nothing else than an assertion that holds and has an
	// email address. ErrNoUser, a *Refusal, or a nil user refuse the login; any
	// other error is the application's trouble, answered by 503.
	FindOrCreate func(ctx context.Context, res *assertion.Result) (U, error)

	// UserID gives what the session is to know the user by: never empty, and never
	// another user's later. Required.
	UserID func(user U) string

	// FindByID finds the user by it. Required. It is called at the login and then on
	// every request, so that a user whom it does not give (ErrNoUser, a *Refusal,
	// nil) is signed out; any other error is answered by 503.
	FindByID func(ctx context.Context, id string) (U, error)

	// OnLogout, when set, is called with the ID that a session had, once the
	// user has signed out or somebody else has signed in in the same browser.
	OnLogout func(ctx context.Context, id string)

	// Sessions holds the sessions. Nil means in the memory of this process, for 24
	// hours, at most 10 of one user, 25 000 of users whose addresses have one
	// registrable domain, and 50 000 in all, of about 1 KiB each. A user's eleventh
	// replaces the first. A sign-in that finds no place replaces a session that was
	// not used since its sign-in or for 30 minutes, or is answered by 503.
	//
	// The cookie of the application's own must be HttpOnly, SameSite Lax or Strict
	// and, where the audience is https, Secure, which scs.New does not make it. Its
	// store has whatever bound it has; the one that scs.New makes has none.
	Sessions *scs.SessionManager

	// Prefix is the path in front of the application that its router does not
	// see, because a proxy or http.StripPrefix cuts it off or it is mounted in
	// another router, as in "/app". Empty: none.
	Prefix string

	// LoginPath, LogoutPath and ScriptPath are the routes. Empty: "/api/login",
	// "/api/logout", and LoginPath with ".js".
	LoginPath, LogoutPath, ScriptPath string

	// SignInPage is the page with the button, to which Require sends people.
	// Empty: "/".
	SignInPage string

	// AfterLogin and AfterLogout are where a browser goes that did not say
	// where (see "next" in the package comment). Empty: it stays where it is, or
	// goes to "/" when a plain form was sent.
	AfterLogin, AfterLogout string

	// ErrorPage answers in place of a page of this package when a form or a page
	// fails: message says in words what is wrong. It must send the status; no
	// more than Cache-Control, Vary, Allow and the like are set by then.
	ErrorPage func(w http.ResponseWriter, r *http.Request, status int, message string)

	// Logger is told of what the visitor is not: errors of the functions above
	// and of the session store, and why an assertion stayed undecided. Nil:
	// slog.Default. No address and no assertion is logged, unless an error of
	// the application's own holds it.
	Logger *slog.Logger

	// InsecureHTTP admits http audiences on other machines, whose sessions
	// everybody on the way can take over.
	InsecureHTTP bool
}

// New makes a Login. Its errors are mistakes in the configuration.
func New[U any](c Config[U]) (*Login[U], error) {
	l := &Login[U]{config: c}
	for _, prepare := range []func(*Login[U]) error{
		(*Login[U]).prepareFunctions, (*Login[U]).preparePaths, (*Login[U]).prepareAudiences,
		(*Login[U]).prepareVerifier, (*Login[U]).prepareSessions, (*Login[U]).prepareSite,
	} {
		if err := prepare(l); err != nil {
			return nil, fmt.Errorf("login: %w", err)
		}
	}
	return l, nil
}

func (l *Login[U]) prepareFunctions() error {
	if l.config.FindOrCreate == nil || l.config.UserID == nil || l.config.FindByID == nil {
		return errors.New("the functions FindOrCreate, UserID and FindByID are required")
	}
	return nil
}

func (l *Login[U]) preparePaths() error {
	c := &l.config
	for path, normal := range map[*string]string{
		&c.LoginPath: "/api/login", &c.LogoutPath: "/api/logout", &c.SignInPage: "/",
	} {
		if *path == "" {
			*path = normal
		}
	}
	if c.ScriptPath == "" {
		c.ScriptPath = c.LoginPath + ".js"
	}
	for _, route := range []string{c.LoginPath, c.LogoutPath, c.ScriptPath} {
		if !isRoute(route) {
			return fmt.Errorf("%q is no path for a route", route)
		}
	}
	if c.LoginPath == c.LogoutPath || c.LoginPath == c.ScriptPath || c.LogoutPath == c.ScriptPath {
		return errors.New("two routes have the same path")
	}
	if c.Prefix != "" && !isRoute(c.Prefix) {
		return fmt.Errorf("the prefix %q is no path such as \"/app\"", c.Prefix)
	}
	for _, page := range []string{c.SignInPage, c.AfterLogin, c.AfterLogout} {
		if page != "" && !isLocal(page) {
			return fmt.Errorf("%q is no page of this site", page)
		}
	}
	return nil
}

func (l *Login[U]) prepareAudiences() error {
	if len(l.config.Audiences) == 0 {
		return errors.New("an audience is required: the origin under which browsers reach the application, such as https://rp.example")
	}
	for _, a := range l.config.Audiences {
		o, err := origin.Parse(a)
		switch {
		case errors.Is(err, origin.ErrWildcard):
			return fmt.Errorf("the audience %q is a pattern: each origin must be named, because with a pattern every subdomain could sign in at the others", a)
		case err != nil:
			return fmt.Errorf("the audience %q is %w", a, err)
		case o.Scheme() == "http" && !origin.IsLocal(o.Host()) && !l.config.InsecureHTTP:
			return fmt.Errorf("the audience %q is not https, and not on this machine", a)
		}
		secure := o.Scheme() == "https"
		if len(l.audiences) > 0 && secure != l.secure {
			return errors.New("one audience is https, another http: a session cookie cannot suit both")
		}
		l.secure = secure
		l.audiences = append(l.audiences, o.String())
	}
	return nil
}

// maxUses is how many assertions the guard in memory remembers.
const maxUses = 100_000

func (l *Login[U]) prepareVerifier() (err error) {
	c := &l.config
	if c.Verifier == nil {
		if c.Verifier, err = assertion.NewVerifier(assertion.Config{}); err != nil {
			return err
		}
	}
	guard := c.OneUse
	switch {
	case guard != nil && c.InsecureReplay:
		return errors.New("InsecureReplay with a OneUse")
	case guard == nil && (c.InsecureReplay || c.Verifier.OneUse() != nil):
		return nil
	case guard == nil:
		guard = assertion.NewMemoryOneUse(maxUses, c.Verifier.Now)
	}
	c.Verifier, err = c.Verifier.WithOneUse(guard)
	return err
}

func (l *Login[U]) prepareSessions() error {
	// Two Logins in one application may share a store, but not their users.
	l.sessions.key = "vepverify/login " + l.config.Prefix + l.config.LoginPath
	if l.config.Sessions != nil {
		l.sessions.scs = l.config.Sessions
		return checkSessions(l.config.Sessions, l.secure)
	}
	s := scs.New()
	s.Store = newMemory()
	s.Cookie.Secure = l.secure
	s.Cookie.Name = cookieName(l.secure, l.config.Audiences[0], l.config.Prefix)
	l.sessions.scs = s
	return nil
}

// cookieName has a browser refuse the cookie from a sibling domain or over http
// (the prefix __Host-, RFC 6265bis, section 4.1.3). Applications under several
// prefixes of one host each have their own; so do those on several ports of it
// during development, because browsers do not tell the cookies of ports apart.
func cookieName(secure bool, audience, prefix string) string {
	suffix := strings.ReplaceAll(prefix, "/", "~")
	if secure {
		return "__Host-login" + suffix
	}
	if u, err := url.Parse(audience); err == nil && u.Port() != "" {
		suffix = "-" + u.Port() + suffix
	}
	return "login" + suffix
}

func checkSessions(s *scs.SessionManager, secure bool) error {
	c := s.Cookie
	switch {
	case s.Store == nil, s.Codec == nil, s.Lifetime <= 0:
		return errors.New("no store, codec or lifetime in Sessions: it is made by scs.New")
	case secure && !c.Secure:
		return errors.New("the audience is https, but Sessions.Cookie.Secure is not set")
	case !c.HttpOnly:
		return errors.New("the flag Sessions.Cookie.HttpOnly is not set")
	case c.SameSite != http.SameSiteLaxMode && c.SameSite != http.SameSiteStrictMode:
		return errors.New("the attribute Sessions.Cookie.SameSite is neither Lax nor Strict")
	case strings.HasPrefix(c.Name, "__Host-") && (c.Path != "/" || c.Domain != "" || !c.Secure):
		return errors.New("browsers refuse a __Host- cookie that has a domain, another path than / or is not secure")
	}
	return nil
}

func (l *Login[U]) prepareSite() error {
	c := &l.config
	l.site = site{
		prefix: c.Prefix, signInPage: c.SignInPage,
		afterLogin: c.AfterLogin, afterLogout: c.AfterLogout,
		errorPage: c.ErrorPage, log: c.Logger,
	}
	if l.log == nil {
		l.log = slog.Default()
	}
	if l.errorPage == nil {
		l.errorPage = l.ownErrorPage
	}
	var err error
	l.script, err = newScript(l.at(c.LoginPath), l.at(c.LogoutPath), l.at(c.ScriptPath))
	return err
}
