package vepauth

import (
	"log/slog"
	"net/http"
	"time"
)

// Authenticator identifies whoever signs requests, and hands out the tokens to
// sign them with. It is made once by New, never changes, and serves any number
// of goroutines.
type Authenticator struct {
	dialect   dialect
	audiences []string
	verifier  Verifier
	tokens    TokenManager
	nonces    OneUse

	disabled      bool
	tokenURL      pattern // nil when challenges name none
	applications  map[string][]string
	applicationOf func(r *http.Request) (name, version string)
	directory     pattern // the beginning of tokenURL below which applications are

	originOf func(r *http.Request) (origin, bool)
	leeway   time.Duration
	maxForm  int64
	now      func() time.Time
	log      *slog.Logger
}

// Handler serves the token endpoint, and everything else by next: signed
// requests with an identity in their context, see FromContext, and those that
// bear no credentials of this scheme without one. Requests with bad credentials
// do not get to next: they are answered by 401 and the challenge.
func (a *Authenticator) Handler(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		a.serve(w, r, next, next)
	})
}

// Require is Handler that answers requests without credentials as well by 401
// and the challenge. It may stand inside of a Handler of the same
// Authenticator; another one's identities do not count.
func (a *Authenticator) Require(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		a.serve(w, r, next, http.HandlerFunc(a.Challenge))
	})
}

// Challenge answers 401 with the challenge, as a handler inside of Handler may
// that finds out by itself who must sign.
func (a *Authenticator) Challenge(w http.ResponseWriter, r *http.Request) {
	a.refuse(w, r, serverTarget(r), unauthorized("authentication required"))
}

func (a *Authenticator) serve(w http.ResponseWriter, r *http.Request, known, anonymous http.Handler) {
	if a.foundIn(r.Context()) {
		known.ServeHTTP(w, r)
		return
	}
	t := serverTarget(r)
	if values, ok := a.atTokenURL(r, t); ok && !a.disabled {
		a.serveToken(w, r, t, values)
		return
	}
	who, r, err := a.identify(r, t)
	switch {
	case err != nil:
		a.refuse(w, r, t, err)
	case who == nil:
		anonymous.ServeHTTP(w, r)
	default:
		known.ServeHTTP(w, r.WithContext(who))
	}
}

// atTokenURL reports whether a request is for the token endpoint, and returns
// what stands at the placeholders of its URL.
func (a *Authenticator) atTokenURL(r *http.Request, t target) (values map[string]string, ok bool) {
	if a.tokenURL == nil {
		return nil, false
	}
	values, ok = a.tokenURL.match(t.path())
	return values, ok && t.isServed(r.URL)
}

// challenge is the value of WWW-Authenticate. It names the token endpoint of the
// application that the request is for.
func (a *Authenticator) challenge(r *http.Request, t target) string {
	scheme := string(a.dialect.scheme())
	if url, ok := a.tokenURLFor(r, t); ok {
		return scheme + " url=" + quote(url)
	}
	return scheme
}

// tokenURLFor returns the path of the token endpoint for a request; false when
// there is none, or none that the request's own path tells.
func (a *Authenticator) tokenURLFor(r *http.Request, t target) (string, bool) {
	if a.tokenURL == nil {
		return "", false
	}
	values, there := a.atTokenURL(r, t)
	switch {
	case there && len(a.applications) > 0:
		there = a.isApplication(values[applicationName], values[applicationVersion])
	case !there && len(a.applications) > 0:
		_, _, values, there = a.applicationAt(r, t)
	case !there:
		beginning := a.tokenURL[:a.tokenURL.lastPlaceholder()+1]
		values, there = beginning.matchBeginning(t.path())
	}
	url, filled := a.tokenURL.fill(values)
	return url, there && filled
}
