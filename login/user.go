package login

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/url"
	"strings"

	"github.com/vepverify/vepverify/internal/page"
	"github.com/vepverify/vepverify/internal/refusal"
	"github.com/vepverify/vepverify/internal/target"
)

// contextKey is the key of a Login's visitor in the context of a request.
type contextKey struct{ login any }

// visitor is the sender of a request. Its user is valid if signedIn is set. Ended is set if
// the visitor was signed in before.
type visitor[U any] struct {
	user            U
	signedIn, ended bool
}

// WithUser returns a handler that finds the user of each request before it calls
// next, which then gets the user from User. It calls Config.FindByID for each request
// with a session, and signs the user out if FindByID returns ErrNoUser. The response has
// Vary: Cookie. A request whose target is not a path is refused.
func (l *Login[U]) WithUser(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		key := contextKey{l}
		if r.Context().Value(key) == nil {
			found, err := l.findVisitor(w, r)
			if err != nil {
				w.Header().Set("Cache-Control", "no-store")
				l.fail(w, r, err)
				return
			}
			r = r.WithContext(context.WithValue(r.Context(), key, found))
		}
		next.ServeHTTP(w, r)
	})
}

// User returns the user who is signed in. It reports whether there is one. The
// context is that of a request in a handler of WithUser or Require.
func (l *Login[U]) User(ctx context.Context) (U, bool) {
	found, _ := ctx.Value(contextKey{l}).(visitor[U])
	return found.user, found.signedIn
}

// findVisitor finds the user of the request's session. It stores the session if it
// has changed.
func (l *Login[U]) findVisitor(w http.ResponseWriter, r *http.Request) (found visitor[U], err error) {
	if _, ok := target.Local(r); !ok {
		return found, &refusal.Refusal{Status: http.StatusBadRequest, Reason: reasonTarget}
	}
	w.Header().Add("Vary", "Cookie")
	s, err := l.sessions.open(r)
	if err != nil {
		return found, err
	}
	found.ended = s.ended
	if id := s.user(); id != "" {
		user, err := l.findByID(r.Context(), id)
		switch {
		case err == nil:
			found = visitor[U]{user: user, signedIn: true}
		case errors.Is(err, ErrNoUser):
			l.drop(s)
			found.ended = true
		default:
			return found, &fault{"finding the user of a session", err}
		}
	}
	if err := s.save(w); err != nil { // drop has destroyed it, or its idle time begins again
		return visitor[U]{}, err
	}
	return found, nil
}

// drop destroys the session of a user that FindByID did not find. If that fails, the
// next request finds no user either.
func (l *Login[U]) drop(s session) {
	if err := s.end(); err != nil {
		l.log.LogCause(s.ctx, slog.LevelError, "login: a user was not found, and the session remains", err)
		return
	}
	l.log.Log(s.ctx, slog.LevelInfo, "no user", "login: a user was signed out, because Config.FindByID did not find the user")
}

// Require returns a handler that calls next if a user is signed in. It includes
// WithUser. Other requests for a page are redirected to Config.SignInPage, with the
// page as next; all others are answered with 401. The response has Cache-Control:
// no-store unless next sets another one, so that the browser's Back button shows
// nothing after a logout.
func (l *Login[U]) Require(next http.Handler) http.Handler {
	return l.WithUser(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Cache-Control", "no-store")
		if _, signedIn := l.User(r.Context()); !signedIn {
			l.requireLogin(w, r)
			return
		}
		next.ServeHTTP(w, r)
	}))
}

// requireLogin answers a request without a user. It redirects only GET and HEAD: the sign-in
// page could not repeat a POST, and its form would be lost.
func (l *Login[U]) requireLogin(w http.ResponseWriter, r *http.Request) {
	w.Header().Add("Vary", "Accept")
	// RFC 9110, section 15.5.2, requires a challenge with the status 401.
	refused := &refusal.Refusal{Status: http.StatusUnauthorized, Reason: reasonAnonymous, Challenge: "Cookie"}
	if found, _ := r.Context().Value(contextKey{l}).(visitor[U]); found.ended {
		refused.Cause = errEnded
	}
	if page.Preferred(r) && (r.Method == http.MethodGet || r.Method == http.MethodHead) {
		l.logRefusal(r.Context(), refused)
		w.Header().Set("Location", l.signInURL(l.requestedPage(r)))
		w.WriteHeader(http.StatusSeeOther)
		return
	}
	l.fail(w, r, refused)
}

// errEnded is why a visitor with a session cookie is not signed in.
var errEnded = &cause{
	text:    "its session has ended: it has expired, was replaced by a newer one, or was lost with the session store",
	message: "Your session has ended. Please sign in again.",
}

// requestedPage returns the page that a browser requested, as it was sent, or "" if that is
// not a page of this origin. The request target still has a prefix that a
// router of this process removed, but not one that a proxy removed.
func (l *Login[U]) requestedPage(r *http.Request) string {
	page := r.RequestURI
	if rest, found := strings.CutPrefix(page, l.config.Prefix); !found || rest != "" && !strings.ContainsAny(rest[:1], "/?") {
		page = l.config.Prefix + page
	}
	if !isLocal(page) {
		return ""
	}
	return page
}

// signInURL returns the URL of the sign-in page, with next in its query unless that
// is empty.
func (l *Login[U]) signInURL(next string) string {
	page := l.browserPath(l.config.SignInPage)
	u, err := url.Parse(page)
	if err != nil || next == "" { // New has parsed the page
		return page
	}
	query := u.Query()
	query.Set("next", next)
	u.RawQuery = query.Encode()
	return u.String()
}
