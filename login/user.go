package login

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strings"

	"github.com/vepverify/vepverify/internal/target"
)

// userKey is where a Login keeps its user in a request's context.
type userKey struct{ login any }

// visitor is whoever sent a request.
type visitor[U any] struct {
	user   U
	signed bool // in
}

// WithUser looks up who is signed in, for User in the handlers behind it. It
// asks Config.FindByID on every request that comes with a session, and signs out
// whom that does not give. The answer says Vary: Cookie.
func (l *Login[U]) WithUser(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		key := userKey{l}
		if r.Context().Value(key) == nil {
			if _, ok := target.Local(r); !ok {
				w.Header().Set("Cache-Control", "no-store")
				l.fail(w, r, &failure{status: http.StatusBadRequest, reason: reasonTarget})
				return
			}
			who, f := l.lookUp(w, r)
			if f != nil {
				w.Header().Set("Cache-Control", "no-store")
				l.fail(w, r, f)
				return
			}
			r = r.WithContext(context.WithValue(r.Context(), key, who))
		}
		next.ServeHTTP(w, r)
	})
}

// User gives who is signed in, false when nobody is. The context is that of a
// request behind WithUser or Require.
func (l *Login[U]) User(ctx context.Context) (U, bool) {
	who, _ := ctx.Value(userKey{l}).(visitor[U])
	return who.user, who.signed
}

func (l *Login[U]) lookUp(w http.ResponseWriter, r *http.Request) (who visitor[U], f *failure) {
	w.Header().Add("Vary", "Cookie")
	s, err := l.sessions.open(r)
	if err != nil {
		return who, l.trouble(r.Context(), "loading the session", err)
	}
	if id := s.user(); id != "" {
		user, err := l.find(r.Context(), id)
		switch {
		case err == nil:
			who = visitor[U]{user, true}
		case errors.Is(err, ErrNoUser):
			l.drop(s)
		default:
			return who, l.trouble(r.Context(), "finding the user of a session", err)
		}
	}
	if err := s.save(w); err != nil { // dropped, or its idle time begins anew
		return visitor[U]{}, l.trouble(r.Context(), "storing the session", err)
	}
	return who, nil
}

// drop ends the session of a user who is no more. Should that fail, the next
// request finds as little of the user as this one.
func (l *Login[U]) drop(s session) {
	if err := s.end(); err != nil {
		l.log.ErrorContext(s.ctx, "login: ending the session of a user who is no more", "error", err)
	}
}

// Require lets through who is signed in, WithUser included. Others are sent to
// Config.SignInPage with the page they wanted as next, when they asked for a
// page, and else answered 401. What is behind it is answered with
// Cache-Control: no-store unless it says otherwise, so that nothing of it is to
// be seen by going back after the logout.
func (l *Login[U]) Require(next http.Handler) http.Handler {
	return l.WithUser(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Cache-Control", "no-store")
		if _, signed := l.User(r.Context()); !signed {
			l.turnAway(w, r)
			return
		}
		next.ServeHTTP(w, r)
	}))
}

// turnAway does not send to the sign-in page what cannot be repeated from
// there: a form would be lost without a word.
func (l *Login[U]) turnAway(w http.ResponseWriter, r *http.Request) {
	w.Header().Add("Vary", "Accept")
	if wantsPage(r) && (r.Method == http.MethodGet || r.Method == http.MethodHead) {
		w.Header().Set("Location", l.signInURL(l.pageOf(r)))
		w.WriteHeader(http.StatusSeeOther)
		return
	}
	w.Header().Set("WWW-Authenticate", "Cookie") // RFC 9110, section 15.5.2, wants a challenge
	l.fail(w, r, &failure{status: http.StatusUnauthorized, reason: reasonAnonymous})
}

// pageOf returns the page that a browser asked for, as it wrote it, or "" if that
// is not a page of this origin. A prefix that a router of this process removes is
// still there; one that a proxy removes is not.
func (s *site) pageOf(r *http.Request) string {
	page := r.RequestURI
	if rest, found := strings.CutPrefix(page, s.prefix); !found || rest != "" && !strings.ContainsAny(rest[:1], "/?") {
		page = s.prefix + page
	}
	if !isLocal(page) {
		return ""
	}
	return page
}

// signInURL is the sign-in page, told where to go from there.
func (s *site) signInURL(next string) string {
	if next == "" {
		return s.at(s.signInPage)
	}
	u, err := url.Parse(s.at(s.signInPage))
	if err != nil { // not after New
		return s.at(s.signInPage)
	}
	query := u.Query()
	query.Set("next", next)
	u.RawQuery = query.Encode()
	return u.String()
}
