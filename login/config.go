package login

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"time"

	"github.com/alexedwards/scs/v2"

	"github.com/vepverify/vepverify/assertion"
	"github.com/vepverify/vepverify/evp"
	"github.com/vepverify/vepverify/internal/loglimit"
	"github.com/vepverify/vepverify/internal/origin"
	"github.com/vepverify/vepverify/internal/typednil"
)

// Config configures a Login. U is the application's type of users.
//
// Paths are those that the application's router sees. Browsers see Prefix before them.
type Config[U any] struct {
	// Verifier verifies assertions. Nil means a verifier with the default
	// configuration, which fetches the keys of issuers from the network.
	Verifier *assertion.Verifier

	// OneUse is the guard that lets each assertion, and each token of EVP, sign in once. Nil
	// means the guard of the Verifier (for tokens: of EVP.Verifier) or, if it has none, a guard
	// in the memory of this process. That has room for 100 000 assertions with a lifetime of at
	// most 10 minutes, about 200 bytes each. Several processes need a guard that they share,
	// such as redisstore's.
	OneUse assertion.OneUse

	// InsecureReplay means that a verifier without a guard gets none. Until it expires, an
	// assertion then makes a session each time that it is posted.
	InsecureReplay bool

	// EVP lets visitors also sign in with a token of the Email Verification Protocol, or by the
	// application's own way if their browser has none. Nil means assertions only.
	EVP *EVP

	// Audiences are the origins at which browsers reach the application, such as
	// https://rp.example. Required. They are never taken from a request, because its sender
	// chooses the Host. All must be https, or all http on this machine.
	Audiences []string

	// FindOrCreate finds or creates the user with the verified address. Required. It
	// is called for an assertion that was accepted and has an email address, for a token
	// that was accepted, and by SignIn. For a token, Issuer is a host, and IDPClaims has
	// is_private_email if the address is private. For SignIn, the Result has only Email. An
	// error that matches ErrNoUser, or a nil user, refuses the login. Any other error
	// is logged and answered with 503.
	FindOrCreate func(ctx context.Context, res *assertion.Result) (U, error)

	// UserID returns the ID of a user, by which the session identifies the user.
	// Required. An ID must not be empty, and must never be used for another user.
	UserID func(user U) string

	// FindByID finds the user with an ID. Required. It is called at each login and
	// then for each request. An error that matches ErrNoUser, or a nil user, refuses the
	// login or signs the user out. Any other error is logged and answered with 503.
	FindByID func(ctx context.Context, id string) (U, error)

	// OnLogout is called with the ID of a user who has signed out, or in whose browser
	// another user has signed in. Nil means that nothing is called.
	OnLogout func(ctx context.Context, id string)

	// Sessions manages the sessions. Nil means sessions in the memory of this process
	// that last 24 hours, about 1 KiB each:
	//
	//   - at most 10 of one user, whose next login replaces the oldest;
	//   - at most 25 000 of users whose addresses have one registrable domain;
	//   - at most 50 000 in all.
	//
	// At the last two limits, a login replaces a session that was not used after its
	// login, or for 30 minutes. If there is none, the login is answered with 503.
	//
	// The cookie of a manager that the application sets must be HttpOnly, SameSite
	// Lax or Strict and, if the audience is https, Secure. scs.New does not set
	// Secure. Browsers must keep it at all audiences and send it to the routes, as its
	// Domain and Path say. The default store of scs.New is not bounded.
	Sessions *scs.SessionManager

	// Prefix is the path before the application's own paths, such as "/app", if its
	// router does not see it: a proxy or http.StripPrefix removes it, or another
	// router mounts the application. Empty means none.
	Prefix string

	// LoginPath, LogoutPath and ScriptPath are the paths of the routes. Empty means
	// "/api/login", "/api/logout", and LoginPath with ".js".
	LoginPath, LogoutPath, ScriptPath string

	// SignInPage is the page with the button, to which Require redirects. Empty means
	// "/".
	SignInPage string

	// AfterLogin and AfterLogout are the pages to go to if the request names no next
	// page. Empty means that a script stays on its page, and that a form goes to "/".
	AfterLogin, AfterLogout string

	// ErrorPage writes the answer to a form, or to a request for a page, that has failed.
	// It must write the status. The message is a text for visitors. The header may already have
	// fields such as Cache-Control, Vary, Allow and Retry-After. Nil means a small page
	// of this package.
	ErrorPage func(w http.ResponseWriter, r *http.Request, status int, message string)

	// Logger logs what answers do not contain: errors of the functions above and of the
	// session store (level error), why an assertion is undecided or a request may come
	// from another site (warn), why another assertion is refused (info). Each cause is
	// logged once a minute. Log records contain no address and no assertion, unless an
	// error of the application does. Nil means slog.Default.
	Logger *slog.Logger

	// Now is the clock of the default Verifier and of the default Sessions. Nil means
	// time.Now. It must be close to that, because scs reads time.Now when it sets
	// the time at which a session expires.
	Now func() time.Time

	// InsecureHTTP allows http audiences on other machines. An attacker in the network
	// between them and the browser can take over sessions.
	InsecureHTTP bool
}

// New returns a Login. An error means that the configuration is not valid.
func New[U any](c Config[U]) (*Login[U], error) {
	c = c.withDefaults()
	if err := c.validate(); err != nil {
		return nil, err
	}
	audiences, err := c.origins()
	if err != nil {
		return nil, err
	}
	if c.Verifier, err = c.verifier(); err != nil {
		return nil, fmt.Errorf("login: Verifier: %w", err)
	}
	l := &Login[U]{config: c, sessions: newSessions(c, audiences[0]), log: loglimit.NewLogger(c.Logger)}
	for _, o := range audiences {
		l.audiences = append(l.audiences, o.String())
	}
	if l.tokens, err = newTokens(c); err != nil {
		return nil, fmt.Errorf("login: %w", err)
	}
	extra := ""
	if l.tokens != nil {
		extra = evp.Script()
	}
	l.script, err = newScript(extra, l.browserPath(c.LoginPath), l.browserPath(c.LogoutPath), l.browserPath(c.ScriptPath))
	if err != nil {
		return nil, fmt.Errorf("login: %w", err)
	}
	return l, nil
}

// withDefaults returns the configuration with the defaults of its paths, its clock
// and its logger.
func (c Config[U]) withDefaults() Config[U] {
	if c.LoginPath == "" {
		c.LoginPath = "/api/login"
	}
	if c.LogoutPath == "" {
		c.LogoutPath = "/api/logout"
	}
	if c.ScriptPath == "" {
		c.ScriptPath = c.LoginPath + ".js"
	}
	if c.SignInPage == "" {
		c.SignInPage = "/"
	}
	if c.Logger == nil {
		c.Logger = slog.Default()
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	return c
}

// validate checks a configuration with defaults.
func (c Config[U]) validate() error {
	switch {
	case c.FindOrCreate == nil:
		return errors.New("login: FindOrCreate: required")
	case c.UserID == nil:
		return errors.New("login: UserID: required")
	case c.FindByID == nil:
		return errors.New("login: FindByID: required")
	case c.OneUse != nil && c.InsecureReplay:
		return errors.New("login: OneUse: set together with InsecureReplay")
	}
	if err := typednil.Check(c.OneUse); err != nil {
		return fmt.Errorf("login: OneUse: %w", err)
	}
	if err := c.validatePaths(); err != nil {
		return err
	}
	audiences, err := c.origins()
	if err != nil || c.Sessions == nil {
		return err
	}
	if err := checkSessions(c.Sessions, audiences[0].Scheme() == "https"); err != nil {
		return err
	}
	return c.checkCookie(audiences)
}

// validatePaths checks the routes, the prefix and the pages.
func (c Config[U]) validatePaths() error {
	for _, route := range []struct{ field, path string }{
		{"LoginPath", c.LoginPath}, {"LogoutPath", c.LogoutPath}, {"ScriptPath", c.ScriptPath},
	} {
		if !isRoute(route.path) {
			return fmt.Errorf("login: %s: %q is not a path such as \"/api/login\"", route.field, route.path)
		}
	}
	switch {
	case c.LogoutPath == c.LoginPath:
		return errors.New("login: LogoutPath: the same as LoginPath")
	case c.ScriptPath == c.LoginPath, c.ScriptPath == c.LogoutPath:
		return errors.New("login: ScriptPath: the same as LoginPath or LogoutPath")
	case c.Prefix != "" && !isRoute(c.Prefix):
		return fmt.Errorf("login: Prefix: %q is not a path such as \"/app\"", c.Prefix)
	}
	for _, page := range []struct{ field, path string }{
		{"SignInPage", c.SignInPage}, {"AfterLogin", c.AfterLogin}, {"AfterLogout", c.AfterLogout},
	} {
		if page.path != "" && !isLocal(page.path) {
			return fmt.Errorf("login: %s: %q is not a page of this site", page.field, page.path)
		}
	}
	return nil
}

// origins parses Audiences. All have one scheme, because the session cookie is either
// Secure or not.
func (c Config[U]) origins() ([]origin.Origin, error) {
	if len(c.Audiences) == 0 {
		return nil, errors.New("login: Audiences: required: the origin at which browsers reach the application, such as https://rp.example")
	}
	var origins []origin.Origin
	for _, audience := range c.Audiences {
		o, err := origin.Parse(audience)
		switch {
		case errors.Is(err, origin.ErrWildcard):
			return nil, fmt.Errorf("login: Audiences: %q is a wildcard: with it, any subdomain could sign in at the others", audience)
		case err != nil:
			return nil, fmt.Errorf("login: Audiences: %q: %w", audience, err)
		case o.Scheme() == "http" && !origin.IsLocal(o.Host()) && !c.InsecureHTTP:
			return nil, fmt.Errorf("login: Audiences: %q is neither https nor on this machine (InsecureHTTP allows it)", audience)
		case len(origins) > 0 && o.Scheme() != origins[0].Scheme():
			return nil, errors.New("login: Audiences: both http and https: a session cookie cannot be for both")
		}
		origins = append(origins, o)
	}
	return origins, nil
}

// maxUses is the number of assertions that the default OneUse stores.
const maxUses = 100_000

// verifier returns the verifier with a one-use guard, unless InsecureReplay is set.
func (c Config[U]) verifier() (v *assertion.Verifier, err error) {
	if v = c.Verifier; v == nil {
		if v, err = assertion.NewVerifier(assertion.Config{Now: c.Now}); err != nil {
			return nil, err
		}
	}
	return v.WithOneUse(c.guard(v))
}

// guard returns the one-use guard of a verifier, of assertions or of tokens. It may be nil.
func (c Config[U]) guard(v interface {
	OneUse() assertion.OneUse
	Now() time.Time
}) assertion.OneUse {
	switch own := v.OneUse(); {
	case c.OneUse != nil:
		return c.OneUse
	case c.InsecureReplay || own != nil:
		return own
	}
	return assertion.NewMemoryOneUse(maxUses, v.Now)
}
