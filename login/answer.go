package login

import (
	"bytes"
	"context"
	"crypto/sha256"
	_ "embed"
	"encoding/base64"
	"encoding/json"
	"errors"
	"html/template"
	"log/slog"
	"net/http"
	"strings"

	"github.com/vepverify/vepverify/assertion"
	"github.com/vepverify/vepverify/internal/answer"
	"github.com/vepverify/vepverify/internal/page"
	"github.com/vepverify/vepverify/internal/refusal"
)

// The reasons of this package. Others are the verifier's and the application's.
const (
	reasonMethod      = "method not allowed"
	reasonCrossOrigin = "cross-origin request refused"
	reasonType        = "unsupported content type"
	reasonTooLarge    = "form too large"
	reasonForm        = "malformed form"
	reasonFields      = "too many form fields"
	reasonTarget      = "the request target is not a path"
	reasonMissing     = "missing assertion parameter"
	reasonNoAddress   = "no email address"
	reasonNoUser      = "no user with this address"
	reasonUndecided   = "undecided, try again later"
	reasonFailed      = "service unavailable"
	reasonAnonymous   = "not signed in"
)

// reasonNullOrigin is reasonCrossOrigin for a browser that may have hidden the origin.
const reasonNullOrigin = reasonCrossOrigin + ": the Origin is null (Referrer-Policy: no-referrer, a sandboxed frame, a redirect or a file)"

// messages are the texts for visitors, by reason. The script contains them too.
var messages = map[string]string{
	reasonMethod:      "This address only receives forms. Please go to the sign-in page.",
	reasonCrossOrigin: "The request came from another site, so it was refused. Please open this site itself and try again.",
	reasonNullOrigin: "Your browser did not tell which page sent the request, so it was refused. The page may have Referrer-Policy: no-referrer, or be a file or in a frame. " +
		"Please open the site itself, in a window of its own, and try again. If that does not help, tell the site's operator.",
	reasonMissing:   "Your browser did not prove an address. Signing in needs JavaScript: allow it for this site, and press the button again.",
	reasonBadEmail:  "This is not an email address. Please go back and correct it.",
	reasonNoAddress: "The proof contains no email address. Please sign in with another address.",
	reasonNoUser:    "There is no account for this address here.",
	reasonUndecided: "Your address could not be checked just now. Please try again in a moment.",
	reasonFailed:    "The site has a problem just now. Please try again in a moment.",
	reasonAnonymous: "Please sign in first.",

	"expired":                             "Signing in took too long, or the clock of your device is wrong. Please try again.",
	"issued later than verification date": "The clock of your device seems to be wrong. Please set it and try again.",
	"the assertion was used before":       "This attempt to sign in was used before. Please try again.",
	"invalid signature":                   "The proof of your address does not match the keys of its domain, which may be new. Please try again. If that does not help, tell the site's operator.",
}

// messagesOfKinds are texts for visitors by the beginning of a reason.
var messagesOfKinds = map[string]string{
	"audience mismatch": "The proof that your browser sent is for another site. Please open this site at its usual address and try again. If that does not help, tell the site's operator.",
	"untrusted issuer":  "This site does not trust the identity provider that certified your address. Please sign in with another address, or tell the site's operator.",
}

// message returns the text of a refusal for visitors.
func message(refused *refusal.Refusal) string {
	var why *cause
	if errors.As(refused.Cause, &why) && why.message != "" {
		return why.message
	}
	if text, ok := messages[refused.Reason]; ok {
		return text
	}
	for kind, text := range messagesOfKinds {
		if strings.HasPrefix(refused.Reason, kind) {
			return text
		}
	}
	if refused.Status == http.StatusForbidden {
		return "You could not be signed in: " + refused.Reason + "."
	}
	return "The request was refused: " + refused.Reason + "."
}

// cause is why a request is refused: a text for the log, and one for visitors that is more
// precise than that of the reason. An empty message means that of the reason.
type cause struct{ text, message string }

func (c *cause) Error() string { return c.text }

// LogClass implements loglimit.Classified.
func (c *cause) LogClass() (class, name string) { return c.text, "" }

// fault is an error of the application or of the session store.
type fault struct {
	doing string // what this package was doing
	err   error
}

func (f *fault) Error() string { return f.doing + ": " + f.err.Error() }
func (f *fault) Unwrap() error { return f.err }

// LogClass implements loglimit.Classified: an error while doing one thing does not hide those
// while doing others.
func (f *fault) LogClass() (class, name string) { return f.doing, f.err.Error() }

// fail answers a request with an error. An error that is not a refusal comes from the
// application or from the session store. It is logged, and the answer does not contain it.
func (l *Login[U]) fail(w http.ResponseWriter, r *http.Request, err error) {
	refused, ok := err.(*refusal.Refusal) // an error that wraps one comes from the application
	if !ok {
		l.log.LogCause(r.Context(), level(r.Context(), slog.LevelError), "login: the request failed", err)
		refused = &refusal.Refusal{Status: http.StatusServiceUnavailable, Reason: reasonFailed, RetryAfter: retryAfter}
	} else {
		l.logRefusal(r.Context(), refused)
	}
	if page.Preferred(r) {
		refused.SetHeader(w.Header())
		show := l.config.ErrorPage
		if show == nil {
			show = l.errorPage
		}
		show(w, r, refused.Status, message(refused))
		return
	}
	setSecurityHeaders(w.Header(), "default-src 'none'")
	refused.Write(w, "application/json", refused.JSON())
}

// level returns the level at which a failure is logged: that of debugging if it may have failed
// because the client has disconnected, which happens all the time.
func level(ctx context.Context, failed slog.Level) slog.Level {
	if ctx.Err() != nil {
		return slog.LevelDebug
	}
	return failed
}

// logRefusal logs the cause of a refusal, if there is one.
func (l *Login[U]) logRefusal(ctx context.Context, refused *refusal.Refusal) {
	audiences := slog.Any("audiences", l.audiences)
	var why *cause
	switch {
	case refused.Cause == nil:
	case refused.Undecided:
		l.log.LogCause(ctx, level(ctx, slog.LevelWarn), "login: an assertion is undecided", refused.Cause)
	case errors.Is(refused.Cause, assertion.ErrAudience):
		l.log.LogCause(ctx, slog.LevelWarn, "login: an assertion for another audience is refused", refused.Cause, audiences)
	case !errors.As(refused.Cause, &why):
		l.log.LogCause(ctx, slog.LevelInfo, "login: an assertion is refused"+kindOf(refused.Cause), refused.Cause)
	case refused.Status == http.StatusForbidden:
		l.log.LogCause(ctx, slog.LevelWarn, "login: a request is refused", refused.Cause, audiences)
	default:
		l.log.LogCause(ctx, slog.LevelInfo, "login: a request is refused", refused.Cause)
	}
}

// kindOf returns the kind of a refused assertion for the message of a log: one kind does not
// hide another.
func kindOf(err error) string {
	var e *assertion.Error
	if errors.As(err, &e) && e.Kind != nil {
		return ", " + e.Kind.Error()
	}
	return ""
}

// success is the JSON answer to a login or logout. Next is the page to go to. Empty means
// that the browser stays on its page.
type success struct {
	Status string `json:"status"`
	Email  string `json:"email,omitempty"`
	Next   string `json:"next,omitempty"`
}

// succeed answers a form with a redirect to next, and a script with JSON. It does not call
// http.Redirect, which would rewrite the path.
func (l *Login[U]) succeed(w http.ResponseWriter, r *http.Request, email, next string) {
	if page.Preferred(r) {
		if next == "" {
			next = l.browserPath("/")
		}
		w.Header().Set("Location", next)
		w.WriteHeader(http.StatusSeeOther)
		return
	}
	text, err := json.Marshal(success{answer.StatusOkay, email, next})
	if err != nil { // marshaling strings never fails
		l.fail(w, r, err)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	setSecurityHeaders(w.Header(), "default-src 'none'")
	w.WriteHeader(http.StatusOK)
	w.Write(text)
}

// browserPath returns a path of the application as browsers see it.
func (l *Login[U]) browserPath(path string) string { return l.config.Prefix + path }

// setSecurityHeaders sets the headers that forbid browsers to show a response in a frame,
// to guess its type, and to load anything that the policy does not allow.
func setSecurityHeaders(h http.Header, policy string) {
	h.Set("Content-Security-Policy", policy+"; base-uri 'none'; form-action 'none'; frame-ancestors 'none'")
	h.Set("X-Frame-Options", "DENY")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", "same-origin")
}

var (
	//go:embed page.html
	pageText string
	//go:embed page.css
	pageStyle string

	pageTemplate = template.Must(template.New("page").Parse(pageText))
	// pagePolicy allows the style of the page and nothing else.
	pagePolicy = "default-src 'none'; style-src '" + hashSource(pageStyle) + "'"
)

// hashSource returns the source expression of an inline style or script for a
// Content-Security-Policy.
func hashSource(text string) string {
	sum := sha256.Sum256([]byte(text))
	return "sha256-" + base64.StdEncoding.EncodeToString(sum[:])
}

// errorPage is the default of Config.ErrorPage: a page with the message and a link to the
// sign-in page.
func (l *Login[U]) errorPage(w http.ResponseWriter, r *http.Request, status int, message string) {
	var body bytes.Buffer
	err := pageTemplate.Execute(&body, struct {
		Style           template.CSS
		Message, SignIn string
	}{template.CSS(pageStyle), message, l.browserPath(l.config.SignInPage)})
	if err != nil {
		l.config.Logger.ErrorContext(r.Context(), "login: executing the template of a page", "error", err)
		body.Reset()
		body.WriteString(template.HTMLEscapeString(message))
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	setSecurityHeaders(w.Header(), pagePolicy)
	w.WriteHeader(status)
	w.Write(body.Bytes())
}
