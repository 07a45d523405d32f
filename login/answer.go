package login

import (
	"bytes"
	"crypto/sha256"
	_ "embed"
	"encoding/base64"
	"encoding/json"
	"html/template"
	"net/http"

	"github.com/vepverify/vepverify/internal/answer"
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

// messages are the texts for visitors, by reason. The script contains them too.
var messages = map[string]string{
	reasonCrossOrigin: "The request came from another site, so it was refused.",
	reasonMissing:     "Your browser did not prove an address. Signing in needs JavaScript.",
	reasonNoUser:      "There is no account for this address here.",
	reasonUndecided:   "Your address could not be checked just now. Please try again in a moment.",
	reasonFailed:      "The site has a problem just now. Please try again in a moment.",
	reasonAnonymous:   "Please sign in first.",

	"expired":                             "Signing in took too long, or the clock of your device is wrong. Please try again.",
	"issued later than verification date": "The clock of your device seems to be wrong. Please set it and try again.",
	"the assertion was used before":       "This attempt to sign in was used before. Please try again.",
}

// message returns the text of a refusal for visitors.
func message(refused *refusal.Refusal) string {
	if text, ok := messages[refused.Reason]; ok {
		return text
	}
	if refused.Status == http.StatusForbidden {
		return "You could not be signed in: " + refused.Reason + "."
	}
	return "The request was refused: " + refused.Reason + "."
}

// fail answers a request with an error. An error that is not a refusal comes from the
// application or from the session store. It is logged, and the answer does not contain it.
func (l *Login[U]) fail(w http.ResponseWriter, r *http.Request, err error) {
	refused, ok := err.(*refusal.Refusal) // an error that wraps one comes from the application
	switch {
	case !ok:
		l.config.Logger.ErrorContext(r.Context(), "login: the request failed", "error", err)
		refused = &refusal.Refusal{Status: http.StatusServiceUnavailable, Reason: reasonFailed, RetryAfter: retryAfter}
	case refused.Undecided:
		l.config.Logger.WarnContext(r.Context(), "login: an assertion is undecided", "error", refused.Cause)
	case refused.Cause != nil:
		l.config.Logger.InfoContext(r.Context(), "login: an assertion is refused", "error", refused.Cause)
	}
	if wantsPage(r) {
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
	if wantsPage(r) {
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

	page = template.Must(template.New("page").Parse(pageText))
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
	err := page.Execute(&body, struct {
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
