package login

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/alexedwards/scs/v2"

	"github.com/vepverify/vepverify/internal/cookiename"
	"github.com/vepverify/vepverify/internal/origin"
	"github.com/vepverify/vepverify/internal/typednil"
)

// sessions manages sessions. The only value of this package in a session is the
// user's ID.
type sessions struct {
	manager *scs.SessionManager
	key     string // the key of the user's ID in a session
}

// newSessions returns the sessions of a valid configuration. Two Logins of one
// application may share a store, but not their users.
func newSessions[U any](c Config[U], audience origin.Origin) sessions {
	key := "vepverify/login " + c.Prefix + c.LoginPath
	if c.Sessions != nil {
		return sessions{c.Sessions, key}
	}
	manager := scs.New()
	manager.Store = newMemory(c.Now)
	manager.Cookie.Secure = audience.Scheme() == "https"
	manager.Cookie.Name = cookieName(audience, c.Prefix)
	return sessions{manager, key}
}

// cookieName returns the name of the session cookie. With the prefix __Host-, a
// browser refuses a cookie of a sibling domain or over http (RFC 6265bis, section
// 4.1.3). Applications with different prefixes have different names, because they can
// have one host. During development, the name contains the port: browsers send cookies to
// all ports of a host.
func cookieName(audience origin.Origin, prefix string) string {
	suffix := cookieSuffix(prefix)
	switch {
	case audience.Scheme() == "https":
		return "__Host-login" + suffix
	case audience.Port() != "":
		return "login-" + audience.Port() + suffix
	}
	return "login" + suffix
}

// cookieSuffix returns the end of the names of the cookies of a prefix.
func cookieSuffix(prefix string) string { return strings.ReplaceAll(prefix, "/", "~") }

// isMade reports whether scs.New has made a session manager.
func isMade(s *scs.SessionManager) bool {
	return s != nil && s.Store != nil && s.Codec != nil && s.Lifetime > 0
}

// checkSessions returns an error if the session manager is not safe. The audiences are
// https if secure is set, and http otherwise.
func checkSessions(s *scs.SessionManager, secure bool) error {
	c := s.Cookie
	if err := errors.Join(typednil.Check(s.Store), typednil.Check(s.Codec)); err != nil {
		return fmt.Errorf("login: Sessions: %w", err)
	}
	switch {
	case !isMade(s):
		return errors.New("login: Sessions: no store, codec or lifetime: call scs.New")
	case secure && !c.Secure:
		return errors.New("login: Sessions: the audience is https, but Cookie.Secure is not set")
	case !c.HttpOnly:
		return errors.New("login: Sessions: Cookie.HttpOnly is not set")
	case c.SameSite != http.SameSiteLaxMode && c.SameSite != http.SameSiteStrictMode:
		return errors.New("login: Sessions: Cookie.SameSite is neither Lax nor Strict")
	}
	cookie := &http.Cookie{Name: c.Name, Domain: c.Domain, Path: c.Path, Secure: c.Secure}
	if err := cookie.Valid(); err != nil {
		return fmt.Errorf("login: Sessions: Cookie: %w", err)
	}
	if err := cookiename.Check(cookie); err != nil {
		return fmt.Errorf("login: Sessions: Cookie.Name: %w", err)
	}
	return nil
}

// checkCookie returns an error if browsers would not keep the session cookie, or not send
// it to the routes. Then a user would be signed out after each login, without a cause
// that anyone can see.
func (c Config[U]) checkCookie(audiences []origin.Origin) error {
	cookie := c.Sessions.Cookie
	parent := strings.TrimPrefix(strings.ToLower(cookie.Domain), ".")
	for _, audience := range audiences {
		host := audience.Host()
		switch {
		case cookie.Secure && audience.Scheme() == "http" && !origin.IsLocal(host):
			return fmt.Errorf("login: Sessions: Cookie.Secure is set, but browsers do not keep such a cookie at %s, which is http", audience)
		case parent != "" && host != parent && !strings.HasSuffix(host, "."+parent):
			return fmt.Errorf("login: Sessions: Cookie.Domain is %q: browsers do not keep such a cookie at %s", cookie.Domain, audience)
		}
	}
	for _, path := range []string{c.LoginPath, c.LogoutPath} {
		if path = c.Prefix + path; !strings.HasPrefix(path, strings.TrimSuffix(cookie.Path, "/")+"/") || cookie.Path == "" {
			return fmt.Errorf("login: Sessions: Cookie.Path is %q: browsers do not send such a cookie to %s", cookie.Path, path)
		}
	}
	return nil
}

// startSession makes the request's session that of the user.
func (l *Login[U]) startSession(w http.ResponseWriter, r *http.Request, o owner) error {
	s, err := l.sessions.open(r)
	if err != nil {
		return err
	}
	before := s.user()
	s.ctx = context.WithValue(s.ctx, ownerKey{}, o)
	if err := s.begin(o.user); err != nil {
		return &fault{"renewing the session", err}
	}
	if before != o.user {
		l.callOnLogout(s, before)
	}
	return s.save(w)
}

// endSession destroys the request's session.
func (l *Login[U]) endSession(w http.ResponseWriter, r *http.Request) error {
	s, err := l.sessions.open(r)
	if err != nil {
		return err
	}
	before := s.user()
	if err := s.end(); err != nil {
		return &fault{"ending the session", err}
	}
	l.callOnLogout(s, before)
	return s.save(w)
}

// callOnLogout calls Config.OnLogout for a user who was signed in. That may put values into
// the session.
func (l *Login[U]) callOnLogout(s session, id string) {
	if id != "" && l.config.OnLogout != nil {
		l.config.OnLogout(s.ctx, id)
	}
}

// session is the session of one request. This package does not use scs's
// LoadAndSave. So it can answer with 503 if the store fails, and handlers get the server's
// own ResponseWriter.
type session struct {
	sessions
	ctx context.Context
	// ended means that the request has a session cookie, but the store has no such session.
	ended bool
	// shared means that the application has wrapped this package in LoadAndSave,
	// which sends the cookie.
	shared bool
}

// maxCookie is the length of the longest value of a session cookie, in bytes. Browsers keep no
// longer ones (RFC 6265bis, section 5.6).
const maxCookie = 4096

// open loads the session of a request.
func (s sessions) open(r *http.Request) (session, error) {
	token := ""
	if cookie, err := r.Cookie(s.manager.Cookie.Name); err == nil && len(cookie.Value) <= maxCookie {
		token = cookie.Value
	}
	// Load returns the same context if that already has a session.
	type unique struct{}
	before := context.WithValue(r.Context(), unique{}, nil)
	ctx, err := s.manager.Load(before, token)
	if err != nil {
		return session{}, &fault{"loading the session", err}
	}
	return session{sessions: s, ctx: ctx, ended: token != "" && s.manager.Token(ctx) == "", shared: ctx == before}, nil
}

// user returns the ID of the user who is signed in, or "".
func (s session) user() string { return s.manager.GetString(s.ctx, s.key) }

// begin makes the session that of a user. The token is new, so that an attacker who knows
// the old one cannot use it. What the application stored for another user is removed. What
// it stored for a visitor stays.
func (s session) begin(id string) error {
	if before := s.user(); before != "" && before != id {
		if err := s.manager.Clear(s.ctx); err != nil {
			return err
		}
	}
	if err := s.manager.RenewToken(s.ctx); err != nil {
		return err
	}
	s.manager.Put(s.ctx, s.key, id)
	return nil
}

// end destroys the session. Values that are put into it later have a new token.
func (s session) end() error { return s.manager.Destroy(s.ctx) }

// save stores the session if it has changed, and sends its cookie.
func (s session) save(w http.ResponseWriter) error {
	switch s.manager.Status(s.ctx) {
	case scs.Modified:
		token, expires, err := s.manager.Commit(s.ctx)
		if err != nil {
			s.manager.Remove(s.ctx, s.key) // LoadAndSave may still store the session; then without the user
			return &fault{"storing the session", err}
		}
		if !s.shared {
			s.manager.WriteSessionCookie(s.ctx, w, token, expires)
		}
	case scs.Destroyed:
		if !s.shared {
			s.manager.WriteSessionCookie(s.ctx, w, "", time.Time{})
		}
	}
	return nil
}
