package login

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"html/template"
	"log/slog"
	"net/http"
	"net/url"
	"strings"

	"github.com/alexedwards/scs/v2"

	"github.com/vepverify/vepverify/assertion"
	"github.com/vepverify/vepverify/evp"
	"github.com/vepverify/vepverify/internal/domain"
)

// EVP configures sign-in with tokens of the Email Verification Protocol, see package evp. It
// is experimental: it may change with the protocol.
//
// A token is as trustworthy as the DNS resolver of the Verifier. An attacker who can forge its
// answers can sign in with any address, also that of a user who has only used assertions.
type EVP struct {
	// Verifier verifies tokens. Nil means a verifier with the default configuration, which
	// asks the resolver of the system and fetches the keys of issuers from the network. It
	// accepts tokens for Config.Audiences, whatever its own origins are. It gets a one-use
	// guard as Config.Verifier does, see Config.OneUse.
	Verifier *evp.Verifier

	// Nonces issues and uses up the nonces of forms. Nil means nonces in Config.Sessions or,
	// if that is nil, in the memory of this process. Several processes need nonces that they
	// share.
	Nonces *evp.Nonces

	// Form has the names and the attributes of the fields. The zero Form has the names email
	// and token.
	Form evp.Form

	// Fallback answers a form without a token, or with one that is not accepted, in the
	// application's own way: it may mail a code to the address, and show a page that asks for
	// it. Required. Later, [Login.SignIn] signs in the user of the address.
	//
	// The address is well formed: see docs/LOGIN.md for the characters before the "@", such
	// as a "-" at its beginning. Its domain has two labels or more, and is not an IP address.
	// Nothing else is known about it, and any visitor can post any number of forms: limit how
	// often mail is sent. r.PostForm is the form. r.Context tells [TokenError] why a token
	// was not accepted.
	Fallback func(w http.ResponseWriter, r *http.Request, email string)
}

// reasonBadEmail is the reason for a form whose address is not an address.
const reasonBadEmail = "malformed email address"

// tokens verifies tokens for a Login. Its parts are those of EVP, with all defaults.
type tokens struct {
	verifier   tokenVerifier
	nonces     *evp.Nonces
	form       evp.Form
	fallback   func(w http.ResponseWriter, r *http.Request, email string)
	email, evt string // the names of the fields
}

// tokenVerifier is what this package needs of an evp.Verifier.
type tokenVerifier interface {
	Verify(ctx context.Context, token string, expected evp.Expected) (*evp.Result, error)
}

// newTokens returns the tokens of a configuration that is valid otherwise, or nil if it has no
// EVP.
func newTokens[U any](c Config[U]) (t *tokens, err error) {
	if c.EVP == nil {
		return nil, nil
	}
	t = &tokens{nonces: c.EVP.Nonces, form: c.EVP.Form, fallback: c.EVP.Fallback, email: "email", evt: "token"}
	if t.form.EmailName != "" {
		t.email = t.form.EmailName
	}
	if t.form.TokenName != "" {
		t.evt = t.form.TokenName
	}
	if err := t.validate(); err != nil {
		return nil, err
	}
	if t.nonces == nil {
		config := evp.NoncesConfig{Origins: c.Audiences, CookieName: "login-evp" + cookieSuffix(c.Prefix), Now: c.Now}
		if c.Sessions != nil {
			config.Store = SessionNonces(c.Sessions)
		}
		if t.nonces, err = evp.NewNonces(config); err != nil {
			return nil, fmt.Errorf("EVP.Nonces: %w", err)
		}
	}
	if t.verifier, err = c.tokenVerifier(); err != nil {
		return nil, fmt.Errorf("EVP.Verifier: %w", err)
	}
	return t, nil
}

// validate checks the parts that the application has set.
func (t *tokens) validate() error {
	if t.fallback == nil {
		return errors.New("EVP.Fallback: required: visitors whose browser sends no token sign in by it")
	}
	if _, err := t.form.Fields(""); err != nil {
		return fmt.Errorf("EVP.Form: %w", err)
	}
	if t.nonces != nil {
		if _, err := t.nonces.Take(nil, nil, ""); !errors.Is(err, evp.ErrNoToken) { // zero Nonces
			return fmt.Errorf("EVP.Nonces: %w", err)
		}
	}
	for _, name := range []string{t.email, t.evt} {
		if name == "assertion" || name == "next" {
			return fmt.Errorf("EVP.Form: the field %q has the name of another field", name)
		}
	}
	return nil
}

// tokenVerifier returns the verifier of tokens with a one-use guard, unless InsecureReplay is
// set.
func (c Config[U]) tokenVerifier() (v *evp.Verifier, err error) {
	if v = c.EVP.Verifier; v == nil {
		v, err = evp.NewVerifier(evp.Config{Origins: c.Audiences, Now: c.Now})
	} else {
		v, err = v.WithOrigins(c.Audiences...)
	}
	if err != nil {
		return nil, err
	}
	return v.WithOneUse(c.guard(v))
}

// posted reports whether a form is for this protocol: it has one of the fields, and no
// assertion.
func (t *tokens) posted(form url.Values) bool {
	return t != nil && form.Get("assertion") == "" && (form.Has(t.email) || form.Has(t.evt))
}

// serveToken handles LoginPath for a form with an address and perhaps a token. A token that is
// not accepted is like none: the visitor cannot do anything about a clock, a form that was
// open too long, or an issuer that is down.
func (l *Login[U]) serveToken(w http.ResponseWriter, r *http.Request, form url.Values) {
	email, token, err := l.tokens.fields(form)
	if err != nil {
		l.fail(w, r, err)
		return
	}
	res, err := l.tokens.verify(w, r, email, token)
	if err != nil {
		l.logToken(r.Context(), err)
		r = r.WithContext(context.WithValue(r.Context(), tokenErrorKey{}, err))
		r.Form, r.PostForm = form, form
		l.tokens.fallback(w, r, canonicalEmail(email))
		return
	}
	if err := l.signIn(w, r, res); err != nil {
		l.fail(w, r, err)
		return
	}
	l.succeed(w, r, res.Email, l.destination(form, l.config.AfterLogin))
}

// fields returns the address and the token of a form. The token may be empty. The domain of
// the address is a host name of the public Internet: BrowserID has ports, IP addresses and
// localhost for development, but a form of any visitor must not cause mail to them.
func (t *tokens) fields(form url.Values) (email, token string, err error) {
	if len(form[t.email]) > 1 || len(form[t.evt]) > 1 {
		return "", "", badRequest(reasonForm)
	}
	email = strings.Trim(form.Get(t.email), " \t\r\n\f") // as browsers do for a field of the type email
	if _, host, ok := domain.Email(email); !ok || !domain.IsHost(host) {
		return "", "", badRequest(reasonBadEmail)
	}
	return email, form.Get(t.evt), nil
}

// canonicalEmail returns an address with its domain in lower case, or "".
func canonicalEmail(text string) string {
	email, _, _ := domain.Email(text)
	return email
}

// verify uses up the nonce of a token, and verifies the token. The answer is as for an
// assertion. Its IDPClaims has is_private_email if the issuer says so.
func (t *tokens) verify(w http.ResponseWriter, r *http.Request, email, token string) (*assertion.Result, error) {
	nonce, err := t.nonces.Take(w, r, token)
	if err != nil {
		return nil, err
	}
	res, err := t.verifier.Verify(r.Context(), token, evp.Expected{Nonce: nonce, Email: email})
	if err != nil {
		return nil, err
	}
	signed := &assertion.Result{Email: res.Email, Audience: res.Audience, Issuer: res.Issuer, Expires: res.Expires}
	if res.Private {
		signed.IDPClaims = map[string]json.RawMessage{"is_private_email": json.RawMessage("true")}
	}
	return signed, nil
}

// tokenErrorKey is the key of the error of a token in the context of a request.
type tokenErrorKey struct{}

// TokenError returns why a posted token was not accepted, if the context is that of a request
// in EVP.Fallback. The error is one of evp.Nonces.Take or of evp.Verifier.Verify. It is
// evp.ErrNoToken if the form had no token, and nil for any other context. It is for
// decisions and logs, and not for visitors.
func TokenError(ctx context.Context) error {
	err, _ := ctx.Value(tokenErrorKey{}).(error)
	return err
}

// logToken logs why a token was not accepted. No token is nothing to log.
func (l *Login[U]) logToken(ctx context.Context, err error) {
	audiences := slog.Any("audiences", l.audiences)
	var e *evp.Error
	switch {
	case errors.Is(err, evp.ErrNoToken):
	case errors.Is(err, assertion.ErrUndecided):
		l.log.LogCause(ctx, level(ctx, slog.LevelWarn), "login: a token is undecided", err)
	case errors.Is(err, assertion.ErrAudience):
		l.log.LogCause(ctx, slog.LevelWarn, "login: a token for another audience is refused", err, audiences)
	case assertion.Failure(err) == nil:
		l.log.LogCause(ctx, level(ctx, slog.LevelError), "login: verifying a token failed", err)
	case errors.Is(err, assertion.ErrMalformed): // its text names an assertion
		l.log.LogCause(ctx, slog.LevelInfo, "login: a token is refused, malformed", err)
	case errors.As(err, &e) && e.Kind != nil:
		l.log.LogCause(ctx, slog.LevelInfo, "login: a token is refused, "+e.Kind.Error(), err)
	default:
		l.log.LogCause(ctx, slog.LevelInfo, "login: a token is refused", err)
	}
}

// FormFields issues a nonce for the visitor who sent r, and returns the two fields of a form
// that posts an address, and perhaps a token, to LoginPath. It is called once for each response,
// before the first byte is written, and sets Cache-Control: no-store. If the nonce
// cannot be stored, that is logged, and the form works without tokens. The result is empty
// without Config.EVP.
//
// The page needs the script of this package, which restores the nonce under a
// Content-Security-Policy.
func (l *Login[U]) FormFields(w http.ResponseWriter, r *http.Request) template.HTML {
	if l.tokens == nil {
		return ""
	}
	nonce, err := l.tokens.nonces.Issue(w, r)
	if err != nil {
		l.log.LogCause(r.Context(), level(r.Context(), slog.LevelError), "login: a form has no nonce", err)
	}
	fields, err := l.tokens.form.Fields(nonce)
	if err != nil { // New has checked the attributes
		l.log.LogCause(r.Context(), slog.LevelError, "login: a form has no fields", err)
	}
	return fields
}

// SignIn signs in the user of an address that the application has verified itself, as
// EVP.Fallback may: the visitor has entered a code that was mailed to the address, for example.
// It calls Config.FindOrCreate with a Result that has only Email, and answers as the login
// route does: with a redirect to the form's next page or AfterLogin, or with an error. The form
// is r.PostForm, if that was parsed.
//
// SignIn does not check where the request comes from. The application must do so for
// its own forms, for example with http.CrossOriginProtection.
func (l *Login[U]) SignIn(w http.ResponseWriter, r *http.Request, email string) {
	w.Header().Set("Cache-Control", "no-store")
	address := canonicalEmail(email)
	if address == "" {
		l.fail(w, r, badRequest(reasonBadEmail))
		return
	}
	if err := l.signIn(w, r, &assertion.Result{Email: address}); err != nil {
		l.fail(w, r, err)
		return
	}
	l.succeed(w, r, address, l.destination(r.PostForm, l.config.AfterLogin))
}

// sessionNonces is an evp.NonceStore in the sessions of an application.
type sessionNonces struct{ sessions }

// SessionNonces returns a store for evp.Nonces in the sessions of an application. A visitor who
// requests a form gets a session. A login keeps the open nonces, and a logout removes them.
//
// Most stores of sessions load and store in two steps. So two POSTs of one token at the
// same time can both use up its nonce. If two forms are rendered at the same time, the nonce
// of one of them may not be accepted. The one-use guard refuses the second POST: see
// Config.OneUse. A store that keeps the session in the cookie itself lets a
// nonce be used again at any time, so that the guard is required.
func SessionNonces(manager *scs.SessionManager) evp.NonceStore {
	return sessionNonces{sessions{manager, "vepverify/login nonces"}}
}

// UpdateNonces implements evp.NonceStore. It sends no cookie if the browser has it already: a
// login in the same response sends another.
func (s sessionNonces) UpdateNonces(w http.ResponseWriter, r *http.Request, change func(stored string) string) error {
	if !isMade(s.manager) {
		return errors.New("SessionNonces of a session manager that scs.New has not made")
	}
	session, err := s.open(r)
	if err != nil {
		return err
	}
	stored := s.manager.GetString(session.ctx, s.key)
	changed := change(stored)
	if changed == stored {
		return nil
	}
	s.manager.Put(session.ctx, s.key, changed)
	if cookie, err := r.Cookie(s.manager.Cookie.Name); err == nil && cookie.Value == s.manager.Token(session.ctx) {
		session.shared = true
	}
	return session.save(w)
}
