package vepauth

import (
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"strconv"

	"github.com/vepverify/vepverify/assertion"
)

// retryAfter is how soon, in seconds, a client should try again when something
// could not be found out: an issuer that cannot be reached is remembered as long.
const retryAfter = 5

// refusal is an error that says how it is answered. Its reason is for the
// client, and says nothing that it did not send or may not know; its cause is
// for the log.
type refusal struct {
	status int
	reason string
	cause  error
}

func (e *refusal) Error() string { return e.reason }
func (e *refusal) Unwrap() error { return e.cause }

// unauthorized is answered by 401 and the challenge.
func unauthorized(reason string) *refusal {
	return &refusal{status: http.StatusUnauthorized, reason: reason}
}

func badRequest(reason string) *refusal {
	return &refusal{status: http.StatusBadRequest, reason: reason}
}

// unavailable: it cannot be told now, so nobody gets through.
func unavailable(reason string, cause error) *refusal {
	return &refusal{status: http.StatusServiceUnavailable, reason: reason, cause: cause}
}

// refuse answers an error. Those that are no refusal are faults in here.
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
	answerJSON(w, e.status, body)
}

// logCause logs what the answer does not tell, unless the client has gone.
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
	a.log.LogAttrs(r.Context(), level, "vepauth: "+e.reason, slog.String("error", text))
}

// detail returns the text of err for the log. That of an assertion's error tells
// more there than in the answer: how the look-up of a domain failed.
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

func answerJSON(w http.ResponseWriter, status int, body []byte) {
	h := w.Header()
	h.Set("Content-Type", "application/json")
	h.Set("Cache-Control", "no-store")
	h.Set("X-Content-Type-Options", "nosniff")
	w.WriteHeader(status)
	w.Write(append(body, '\n')) // a client that has gone needs no answer
}
