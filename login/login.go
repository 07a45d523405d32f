// Package login signs people in to a web application with BrowserID assertions, and with
// tokens of the Email Verification Protocol. It has two routes, a script for two buttons,
// sessions, and the user for handlers.
//
//	auth, err := login.New(login.Config[*User]{
//		Audiences:    []string{"https://rp.example"},
//		FindOrCreate: users.FindOrCreate, // at each login
//		UserID:       (*User).ID,
//		FindByID:     users.FindByID, // on each request; login.ErrNoUser signs out
//	})
//	…
//	auth.Routes(mux)
//	mux.Handle("/", auth.WithUser(home)) // auth.User(r.Context()) returns the user
//	mux.Handle("/members", auth.Require(members))
//
// A page loads the script from [Login.ScriptURL], or contains the text that
// [Login.AuthScript] returns. It also loads a script that defines navigator.id, and
// has one of
//
//	<button id="browserid-login" disabled>Sign in</button>
//	<button id="browserid-logout" disabled>Sign out</button>
//
// The script enables them. It removes the text of the element browserid-state, which is for
// browsers that do not run the script. While the dialog is open, the script shows there that
// the page waits. If the dialog cannot open or answer, it shows why.
//
// docs/LOGIN.md is the manual for applications: headers, proxies, prefixes, stores,
// and the script in detail.
//
// # Tokens of browsers
//
// With [Config].EVP, visitors also sign in with a token of the Email Verification Protocol,
// see package evp and docs/EVP.md. This is experimental. A page beside the button, or without
// the button, has a form that posts to the login route:
//
//	<form method="post" action="/api/login">
//	<label for="email">Email address</label> {{.Fields}} <button>Sign in</button>
//	</form>
//
// Fields are those of [Login.FormFields], the address and a hidden field. The browser fills
// the latter with a token, or leaves it empty. A form without a token, or with one that is not
// accepted for any reason, is answered by EVP.Fallback, in the application's own way. The
// verified address is passed to Config.FindOrCreate, as that of an assertion is. After the
// fallback, [Login.SignIn] does the same.
//
// # Routes
//
// POST /api/login takes a form with the field assertion or, with Config.EVP, with the fields
// email and token. POST /api/logout takes a form that may be empty. The response is JSON, or
// a page if the request prefers text/html to application/json, as browsers do for forms:
//
//	                       JSON                                    page
//	signed in, signed out  200 {"status":"okay","email","next"}    303 to next
//	refused                403 {"status":"failure","reason"}       403 and a text for visitors
//	undecided, failed      503, Retry-After                        the same
//
// The reason of a refused login is the verifier's (PROTOCOL §6), the one of a
// [Refusal], or "no user with this address". Other refusals are:
//
//   - 400 if the field assertion is missing, the field email is not an address, or the form
//     is malformed or has more than 32 fields;
//   - 400 if the request target is not a path, as in x:/api/login or a CONNECT;
//   - 403 if the request may come from another site: its Origin is not an audience,
//     or it has no Origin and a Sec-Fetch-Site other than same-origin and none, or
//     its Origin is null without Sec-Fetch-Site: same-origin. The last is sent by files,
//     by sandboxed frames, after redirects by other sites, and by forms of pages with
//     Referrer-Policy: no-referrer in browsers that send no Sec-Fetch-Site;
//   - 405 if the method is not POST;
//   - 413 if the form has more than 64 KiB;
//   - 415 if the type is not application/x-www-form-urlencoded.
//
// # Next
//
// The form's field next names the page to go to. It must be a page of the same
// origin: one slash and a path in ASCII, without "//", "." and "..", backslashes and
// control characters, plain or percent-encoded. Any other value is ignored, and
// Config.AfterLogin or AfterLogout applies. The path is as the browser sees it, with
// Config.Prefix.
//
// # Sessions
//
// Sessions are managed by github.com/alexedwards/scs/v2. They are in memory and
// bounded (see Config.Sessions) unless the application configures others. Visitors
// who do not sign in have no session, unless it has the nonces of EVP. This package stores
// nothing in it but the user's ID and those. A login renews the session's token, and a
// logout destroys the session. When another user signs in, the data that the application
// stored for the previous user is removed.
//
// # What is not checked
//
//   - How often someone tries to sign in, and how often EVP.Fallback is called.
//   - That the address still belongs to the user after the login. A session lasts
//     until scs expires it or Config.FindByID refuses the user.
//   - That an assertion was not used before, if Config.InsecureReplay is set.
//   - The application's own forms: protect them with http.CrossOriginProtection.
//   - The headers of the application's own pages: see docs/LOGIN.md.
package login

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"reflect"
	"time"

	"github.com/vepverify/vepverify/assertion"
	"github.com/vepverify/vepverify/internal/loglimit"
	"github.com/vepverify/vepverify/internal/refusal"
)

// ErrNoUser is what Config.FindOrCreate and Config.FindByID return if no user may
// sign in. Errors that Refusal returns match it.
var ErrNoUser = errors.New("no such user")

// Refusal returns an error for Config.FindOrCreate and Config.FindByID that matches
// ErrNoUser. The answer contains the reason: "You could not be signed in: <reason>." The
// reason is a clause, such as "accounts are by invitation".
func Refusal(reason string) error { return noUser(reason) }

// noUser is an error that matches ErrNoUser, with a reason for the visitor.
type noUser string

func (r noUser) Error() string        { return string(r) }
func (r noUser) Is(target error) bool { return target == ErrNoUser }

// Login signs people in and out, and finds the user of each request. Use New to
// create one. It is safe for concurrent use.
type Login[U any] struct {
	config    Config[U] // with all defaults
	audiences []string  // as browsers write origins
	sessions  sessions
	script    *script
	tokens    *tokens // nil without Config.EVP
	log       *loglimit.Logger
}

// Routes adds three routes to a router such as http.ServeMux or chi's: login, logout
// and the script. The patterns are plain paths, which match all methods. The handlers
// ignore the path of the request.
func (l *Login[U]) Routes(mux interface {
	Handle(pattern string, handler http.Handler)
}) {
	mux.Handle(l.config.LoginPath, http.HandlerFunc(l.serveLogin))
	mux.Handle(l.config.LogoutPath, http.HandlerFunc(l.serveLogout))
	mux.Handle(l.config.ScriptPath, l.script)
}

// serveLogin handles LoginPath.
func (l *Login[U]) serveLogin(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Cache-Control", "no-store")
	form, err := l.readPost(w, r)
	if err != nil {
		l.fail(w, r, err)
		return
	}
	if l.tokens.posted(form) {
		l.serveToken(w, r, form)
		return
	}
	res, err := l.signInByAssertion(w, r, form)
	if err != nil {
		l.fail(w, r, err)
		return
	}
	l.succeed(w, r, res.Email, l.destination(form, l.config.AfterLogin))
}

// signInByAssertion signs in the user of the posted assertion.
func (l *Login[U]) signInByAssertion(w http.ResponseWriter, r *http.Request, form url.Values) (*assertion.Result, error) {
	text, err := assertionField(form)
	if err != nil {
		return nil, err
	}
	res, err := l.verify(r.Context(), text)
	if err != nil {
		return nil, err
	}
	return res, l.signIn(w, r, res)
}

// signIn signs in the user with a verified address.
func (l *Login[U]) signIn(w http.ResponseWriter, r *http.Request, res *assertion.Result) error {
	id, err := l.userID(r.Context(), res)
	if err != nil {
		return err
	}
	return l.startSession(w, r, ownerOf(id, res.Email))
}

// serveLogout handles LogoutPath. It ends the session, whether or not a user is signed in.
func (l *Login[U]) serveLogout(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Cache-Control", "no-store")
	form, err := l.readPost(w, r)
	if err == nil {
		err = l.endSession(w, r)
	}
	if err != nil {
		l.fail(w, r, err)
		return
	}
	l.succeed(w, r, "", l.destination(form, l.config.AfterLogout))
}

// retryAfter is the value of Retry-After. It is longer than wellknown caches a failed fetch.
const retryAfter = 10 * time.Second

// verify verifies an assertion. An assertion without an address is refused: a
// FindOrCreate that finds users by address would find one user for all of them. The cause of
// a refusal is for the log: it includes how a lookup failed, by which visitors could explore
// the server's network.
func (l *Login[U]) verify(ctx context.Context, text string) (*assertion.Result, error) {
	res, err := l.config.Verifier.Verify(ctx, text, l.audiences...)
	failed := assertion.Failure(err)
	switch {
	case err == nil && res.Email == "":
		return nil, &refusal.Refusal{Status: http.StatusForbidden, Reason: reasonNoAddress}
	case err == nil:
		return res, nil
	case failed == nil:
		return nil, &fault{"verifying an assertion", err}
	case failed.Undecided:
		return nil, &refusal.Refusal{
			Status: http.StatusServiceUnavailable, Reason: reasonUndecided, Undecided: true,
			RetryAfter: retryAfter, Cause: err,
		}
	}
	return nil, &refusal.Refusal{Status: http.StatusForbidden, Reason: failed.Reason, Cause: err}
}

// userID returns the ID of the user of a verified assertion. It also calls FindByID,
// so that a login fails if the next request would find no user.
func (l *Login[U]) userID(ctx context.Context, res *assertion.Result) (id string, err error) {
	user, err := l.config.FindOrCreate(ctx, res)
	if err == nil && isNil(user) {
		err = ErrNoUser
	}
	if err == nil {
		id = l.config.UserID(user)
		_, err = l.findByID(ctx, id)
	}
	var why noUser
	switch {
	case err == nil && id == "":
		return "", &fault{"finding the user", errors.New("UserID returned an empty ID")}
	case err == nil:
		return id, nil
	case errors.As(err, &why):
		return "", &refusal.Refusal{Status: http.StatusForbidden, Reason: string(why)}
	case errors.Is(err, ErrNoUser):
		return "", &refusal.Refusal{Status: http.StatusForbidden, Reason: reasonNoUser}
	}
	return "", &fault{"finding the user", err}
}

// findByID calls Config.FindByID. It returns ErrNoUser for a nil user too.
func (l *Login[U]) findByID(ctx context.Context, id string) (user U, err error) {
	user, err = l.config.FindByID(ctx, id)
	if err == nil && isNil(user) {
		err = ErrNoUser
	}
	return user, err
}

// isNil reports whether user is nil. Functions often return nil, nil if they find no user.
func isNil[U any](user U) bool {
	switch v := reflect.ValueOf(&user).Elem(); v.Kind() {
	case reflect.Pointer, reflect.Interface, reflect.Map:
		return v.IsNil()
	}
	return false
}
