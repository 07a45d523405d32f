package login

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"reflect"

	"github.com/vepverify/vepverify/assertion"
	"github.com/vepverify/vepverify/internal/target"
)

// ErrNoUser is what Config.FindOrCreate and Config.FindByID return if no user may
// sign in. A *Refusal matches it too, and says why.
var ErrNoUser = errors.New("no such user")

// Refusal is an error for Config.FindOrCreate and Config.FindByID that matches
// ErrNoUser. The visitor is told the reason: "You could not be signed in: <reason>."
type Refusal struct {
	Reason string // a clause, such as "accounts are by invitation"
}

// Error returns the reason.
func (r *Refusal) Error() string { return r.Reason }

// Is reports whether target is ErrNoUser.
func (r *Refusal) Is(target error) bool { return target == ErrNoUser }

// Login signs people in and out and knows who they are. It is made once by New,
// never changes, and serves any number of goroutines.
type Login[U any] struct {
	site
	config    Config[U]
	audiences []string
	secure    bool // the audiences are https
	sessions  sessions
	script    *script
}

// Mux is what routers have, http.ServeMux and chi's among them.
type Mux interface {
	Handle(pattern string, handler http.Handler)
}

// Routes adds the three routes to a router: login, logout and the script. Their
// patterns are plain paths, which match every method: what is no POST is
// answered 405. The handlers do not look at the request's path.
func (l *Login[U]) Routes(mux Mux) {
	mux.Handle(l.config.LoginPath, l.post(l.login))
	mux.Handle(l.config.LogoutPath, l.post(l.logout))
	mux.Handle(l.config.ScriptPath, l.script)
}

// post makes a route of do, which is given the form that was posted from a page
// of this origin.
func (l *Login[U]) post(do func(http.ResponseWriter, *http.Request, url.Values) *failure) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Cache-Control", "no-store")
		form, f := l.receive(w, r)
		if f == nil {
			f = do(w, r, form)
		}
		if f != nil {
			l.fail(w, r, f)
		}
	})
}

func (l *Login[U]) receive(w http.ResponseWriter, r *http.Request) (url.Values, *failure) {
	if r.Method != http.MethodPost {
		w.Header().Set("Allow", http.MethodPost)
		return nil, &failure{status: http.StatusMethodNotAllowed, reason: reasonMethod}
	}
	if _, ok := target.Local(r); !ok {
		return nil, &failure{status: http.StatusBadRequest, reason: reasonTarget}
	}
	if !l.fromAudience(r) {
		return nil, &failure{status: http.StatusForbidden, reason: reasonCrossOrigin}
	}
	return readForm(w, r)
}

// login signs in whoever the assertion proves to be, if they may.
func (l *Login[U]) login(w http.ResponseWriter, r *http.Request, form url.Values) *failure {
	text, f := oneAssertion(form)
	if f != nil {
		return f
	}
	res, f := l.verify(r.Context(), text)
	if f != nil {
		return f
	}
	id, f := l.admit(r.Context(), res)
	if f != nil {
		return f
	}
	if f := l.startSession(w, r, ownerOf(id, res.Email)); f != nil {
		return f
	}
	l.succeed(w, r, res.Email, destination(form, l.afterLogin, l.prefix))
	return nil
}

// verify turns what the verifier says into an answer. Without an address nobody
// signs in: a loader that goes by it would take all such users for one.
func (l *Login[U]) verify(ctx context.Context, text string) (*assertion.Result, *failure) {
	res, err := l.config.Verifier.Verify(ctx, text, l.audiences...)
	failed := assertion.Failure(err)
	switch {
	case err == nil && res.Email == "":
		return nil, &failure{status: http.StatusForbidden, reason: reasonNoAddress}
	case err == nil:
		return res, nil
	case failed == nil:
		return nil, l.trouble(ctx, "verifying", err)
	case failed.Undecided:
		l.log.WarnContext(ctx, "login: an assertion is undecided", "error", detail(err))
		return nil, &failure{status: http.StatusServiceUnavailable, reason: reasonUndecided, undecided: true}
	}
	if cause := detail(err); cause != failed.Reason {
		l.log.InfoContext(ctx, "login: an assertion is refused", "error", cause)
	}
	return nil, &failure{status: http.StatusForbidden, reason: failed.Reason}
}

// detail returns what the log tells of a failed verification. It includes how a
// look-up failed, which visitors are not told: they could map our network by it.
func detail(err error) string {
	var e *assertion.Error
	if errors.As(err, &e) {
		return e.Detail()
	}
	return err.Error()
}

// admit asks the application for the user and gives the ID for the session.
// ByID is asked at once, so that somebody whom it will not give is not told to
// be signed in, only to find on the next page that they are not.
func (l *Login[U]) admit(ctx context.Context, res *assertion.Result) (string, *failure) {
	user, err := l.config.FindOrCreate(ctx, res)
	if err == nil && isNil(user) {
		err = ErrNoUser
	}
	var id string
	if err == nil {
		id = l.config.UserID(user)
		_, err = l.find(ctx, id)
	}
	var because *Refusal
	switch {
	case err == nil && id == "":
		return "", l.trouble(ctx, "finding the user", errors.New("the user has no ID"))
	case err == nil:
		return id, nil
	case errors.As(err, &because) && because != nil:
		return "", &failure{status: http.StatusForbidden, reason: because.Reason}
	case errors.Is(err, ErrNoUser):
		return "", &failure{status: http.StatusForbidden, reason: reasonNoUser}
	}
	return "", l.trouble(ctx, "finding the user", err)
}

// find is ByID that errs with ErrNoUser for a nil user too.
func (l *Login[U]) find(ctx context.Context, id string) (user U, err error) {
	user, err = l.config.FindByID(ctx, id)
	if err == nil && isNil(user) {
		err = ErrNoUser
	}
	return user, err
}

// isNil: "return nil, nil" is how loaders of old said that there is nobody.
func isNil[U any](user U) bool {
	switch v := reflect.ValueOf(&user).Elem(); v.Kind() {
	case reflect.Pointer, reflect.Interface, reflect.Map:
		return v.IsNil()
	}
	return false
}

// logout ends the session, whoever's it is.
func (l *Login[U]) logout(w http.ResponseWriter, r *http.Request, form url.Values) *failure {
	if f := l.endSession(w, r); f != nil {
		return f
	}
	l.succeed(w, r, "", destination(form, l.afterLogout, l.prefix))
	return nil
}

func (l *Login[U]) startSession(w http.ResponseWriter, r *http.Request, who owner) *failure {
	s, err := l.sessions.open(r)
	if err != nil {
		return l.trouble(r.Context(), "loading the session", err)
	}
	before := s.user()
	s.ctx = context.WithValue(s.ctx, ownerKey{}, who)
	if err := s.begin(who.user); err != nil {
		return l.trouble(r.Context(), "renewing the session", err)
	}
	if before != who.user {
		l.signedOut(s, before)
	}
	if err := s.save(w); err != nil {
		return l.trouble(r.Context(), "storing the session", err)
	}
	return nil
}

func (l *Login[U]) endSession(w http.ResponseWriter, r *http.Request) *failure {
	s, err := l.sessions.open(r)
	if err != nil {
		return l.trouble(r.Context(), "loading the session", err)
	}
	before := s.user()
	if err := s.end(); err != nil {
		return l.trouble(r.Context(), "ending the session", err)
	}
	l.signedOut(s, before)
	if err := s.save(w); err != nil {
		return l.trouble(r.Context(), "storing the session", err)
	}
	return nil
}

// signedOut calls the hook, which may put things into the session.
func (l *Login[U]) signedOut(s session, id string) {
	if id != "" && l.config.OnLogout != nil {
		l.config.OnLogout(s.ctx, id)
	}
}
