package vepauth

import (
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"strconv"

	"github.com/vepverify/vepverify/assertion"
	"github.com/vepverify/vepverify/vepauth/internal/signature"
)

// retryAfter is the value of Retry-After, in seconds. The failure of a look-up is
// cached as long.
const retryAfter = 5

// refusal is an error with its HTTP answer. The reason is for the client and contains
// nothing that the client may not know; the cause is for the log.
type refusal struct {
	status int
	reason string
	cause  error
}

func (e *refusal) Error() string { return e.reason }
func (e *refusal) Unwrap() error { return e.cause }

var (
	errHeaders     = unauthorized("more than one Authorization header")
	errOutOfRange  = unauthorized("timestamp out of range")
	errNoAssertion = unauthorized("no assertion")
)

// unauthorized is answered with 401 and a challenge.
func unauthorized(reason string) *refusal {
	return &refusal{status: http.StatusUnauthorized, reason: reason}
}

func badRequest(reason string) *refusal {
	return &refusal{status: http.StatusBadRequest, reason: reason}
}

// unavailable is answered with 503: the request cannot be checked now.
func unavailable(reason string, cause error) *refusal {
	return &refusal{status: http.StatusServiceUnavailable, reason: reason, cause: cause}
}

// refuseTarget returns the answer to a target that is malformed, or is not the one that
// the next handler would serve.
func refuseTarget(t target) *refusal {
	switch t.err {
	case nil:
		return unauthorized("the request target is not the URL that would be served")
	case errLongTarget:
		return &refusal{status: http.StatusRequestURITooLong, reason: t.err.Error()}
	}
	return unauthorized(t.err.Error())
}

// refuseBody returns the answer to an error of receivedForm or readAtMost.
func refuseBody(err error) *refusal {
	switch {
	case errors.Is(err, errTooLarge):
		return &refusal{status: http.StatusRequestEntityTooLarge, reason: "the body is too large"}
	case errors.Is(err, errTooMany):
		return badRequest(err.Error())
	case errors.Is(err, errEncodedForm):
		return unauthorized(err.Error())
	}
	return badRequest("the body cannot be read")
}

// refuseAssertion returns the answer to an assertion that was not accepted. It has the
// public reason of the error and nothing else: the cause can tell which names the
// network of this server resolves, and is for the log.
func refuseAssertion(err error) *refusal {
	failed := assertion.Failure(err)
	switch {
	case failed == nil: // misuse, or an error that no verifier should return
		return unavailable("assertions cannot be verified now", errors.Join(errors.New("no verdict"), err))
	case failed.Undecided:
		return unavailable(failed.Reason, err)
	}
	return &refusal{status: http.StatusBadRequest, reason: failed.Reason, cause: err}
}

// refuse answers a request with an error. An error that is not a refusal is a fault of
// this package or of a TokenManager.
func (a *Authenticator) refuse(w http.ResponseWriter, r *http.Request, t target, err error) {
	var e *refusal
	if !errors.As(err, &e) {
		e = &refusal{status: http.StatusInternalServerError, reason: "internal error", cause: err}
	}
	switch e.status {
	case http.StatusUnauthorized:
		w.Header().Add("WWW-Authenticate", a.challenge(r, t))
	case http.StatusServiceUnavailable:
		w.Header().Set("Retry-After", strconv.Itoa(retryAfter))
	}
	a.logCause(r, e)
	body, _ := json.Marshal(failure{"failure", e.reason}) // two strings always have a text
	writeJSON(w, e.status, body)
}

// challenge returns the value of WWW-Authenticate. It names the token endpoint of the
// application that the request is for.
func (a *Authenticator) challenge(r *http.Request, t target) string {
	if url, ok := a.routes.tokenURLFor(r, t); ok {
		return a.scheme.Challenge() + " url=" + signature.Quote(url)
	}
	return a.scheme.Challenge()
}

// logCause logs what the answer does not tell, unless the client has left.
func (a *Authenticator) logCause(r *http.Request, e *refusal) {
	if e.cause == nil || r.Context().Err() != nil {
		return
	}
	text, level := detail(e.cause), slog.LevelError
	if e.status < 500 {
		level = slog.LevelInfo
		if text == e.reason {
			return
		}
	}
	a.config.Logger.LogAttrs(r.Context(), level, "vepauth: "+e.reason, slog.String("error", text))
}

// detail returns the text of err for the log. An error of an assertion tells the log
// more than the client: how the look-up of a domain failed.
func detail(err error) string {
	var e *assertion.Error
	switch text := err.Error(); {
	case !errors.As(err, &e):
		return text
	case text == e.Reason:
		return e.Detail()
	default:
		return text + ": " + e.Detail()
	}
}

// failure is the body of every answer that is an error.
type failure struct {
	Status string `json:"status"`
	Reason string `json:"reason"`
}

func writeJSON(w http.ResponseWriter, status int, body []byte) {
	h := w.Header()
	h.Set("Content-Type", "application/json")
	h.Set("Cache-Control", "no-store")
	h.Set("X-Content-Type-Options", "nosniff")
	w.WriteHeader(status)
	w.Write(append(body, '\n')) // an error means that the client has left
}
