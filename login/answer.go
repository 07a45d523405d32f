package login

import (
	"context"
	"encoding/json"
	"log/slog"
	"net/http"

	"github.com/vepverify/vepverify/internal/answer"
)

// site is what answers are made of.
type site struct {
	prefix                  string
	signInPage              string
	afterLogin, afterLogout string
	errorPage               func(w http.ResponseWriter, r *http.Request, status int, message string)
	log                     *slog.Logger
}

// at is a path as a browser sees it.
func (s *site) at(path string) string { return s.prefix + path }

// failure is an answer other than success.
type failure struct {
	status    int
	reason    string
	undecided bool
}

// The reasons of this package's own; the others are the verifier's and the
// application's.
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
	reasonTrouble     = "service unavailable"
	reasonAnonymous   = "not signed in"
)

// words says a reason to people. The script has the same.
var words = map[string]string{
	reasonCrossOrigin: "The request came from another site, so it was refused.",
	reasonMissing:     "Your browser did not prove an address. Signing in needs JavaScript.",
	reasonNoUser:      "There is no account for this address here.",
	reasonUndecided:   "Your address could not be checked just now. Please try again in a moment.",
	reasonTrouble:     "The site has a problem just now. Please try again in a moment.",
	reasonAnonymous:   "Please sign in first.",

	"expired":                             "Signing in took too long, or the clock of your device is wrong. Please try again.",
	"issued later than verification date": "The clock of your device seems to be wrong. Please set it and try again.",
	"the assertion was used before":       "This attempt to sign in was used before. Please try again.",
}

// message says the failure to people.
func (f *failure) message() string {
	if text, ok := words[f.reason]; ok {
		return text
	}
	if f.status == http.StatusForbidden {
		return "You could not be signed in: " + f.reason + "."
	}
	return "The request was refused: " + f.reason + "."
}

// retryAfter is longer, in seconds, than an unreachable issuer is remembered.
const retryAfter = "10"

// trouble is a failure of the application or of something it needs, which is
// the log's business and not the visitor's.
func (s *site) trouble(ctx context.Context, doing string, err error) *failure {
	s.log.ErrorContext(ctx, "login: "+doing, "error", err)
	return &failure{status: http.StatusServiceUnavailable, reason: reasonTrouble}
}

func (s *site) fail(w http.ResponseWriter, r *http.Request, f *failure) {
	if f.status == http.StatusServiceUnavailable {
		w.Header().Set("Retry-After", retryAfter)
	}
	if wantsPage(r) {
		s.errorPage(w, r, f.status, f.message())
		return
	}
	s.json(w, f.status, answer.Failure{Reason: f.reason, Undecided: f.undecided})
}

type success struct {
	Status string `json:"status"` // "okay"
	Email  string `json:"email,omitempty"`
	Next   string `json:"next,omitempty"` // where to go; nowhere when empty
}

// succeed sends a form on to next, and tells a script of it. It writes Location
// itself, for http.Redirect would rewrite the path.
func (s *site) succeed(w http.ResponseWriter, r *http.Request, email, next string) {
	if !wantsPage(r) {
		s.json(w, http.StatusOK, success{answer.StatusOkay, email, next})
		return
	}
	if next == "" {
		next = s.at("/")
	}
	w.Header().Set("Location", next)
	w.WriteHeader(http.StatusSeeOther)
}

func (s *site) json(w http.ResponseWriter, status int, value any) {
	text, err := json.Marshal(value)
	if err != nil { // strings marshal
		s.log.Error("login: encoding an answer", "error", err)
		status, text = http.StatusInternalServerError, []byte("{}")
	}
	h := w.Header()
	h.Set("Content-Type", "application/json")
	neverFramed(h, "default-src 'none'")
	w.WriteHeader(status)
	w.Write(text)
}

// neverFramed keeps what this package answers out of other sites' frames, and
// browsers from taking it for something else.
func neverFramed(h http.Header, policy string) {
	h.Set("Content-Security-Policy", policy+"; base-uri 'none'; form-action 'none'; frame-ancestors 'none'")
	h.Set("X-Frame-Options", "DENY")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", "same-origin")
}
