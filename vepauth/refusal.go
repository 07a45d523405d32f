package vepauth

import (
	"errors"
	"net/http"
	"time"

	"github.com/vepverify/vepverify/assertion"
	"github.com/vepverify/vepverify/internal/refusal"
	"github.com/vepverify/vepverify/vepauth/internal/signature"
)

// retryAfter is the value of Retry-After. A failed lookup is cached for the same time.
const retryAfter = 5 * time.Second

var errNoAssertion = unauthorized("no assertion: post it in the form field assertion")

// Reasons that are logged with a cause.
const (
	reasonNonces        = "nonces cannot be checked now"
	reasonOrigin        = "origin mismatch: the assertion is not for this server's origin"
	reasonUnknownOrigin = "the origin of the request is not known"
	reasonScope         = "the token is not valid for this origin or application"
	reasonToken         = "unknown or expired token"
	reasonOutOfRange    = "timestamp out of range"
)

// unauthorized returns a refusal with the status 401. refuse adds the challenge.
func unauthorized(reason string) *refusal.Refusal {
	return &refusal.Refusal{Status: http.StatusUnauthorized, Reason: reason}
}

// badRequest returns a refusal with the status 400.
func badRequest(reason string) *refusal.Refusal {
	return &refusal.Refusal{Status: http.StatusBadRequest, Reason: reason}
}

// unavailable returns a refusal with the status 503, for a request that cannot be checked
// now.
func unavailable(reason string, cause error) *refusal.Refusal {
	return &refusal.Refusal{
		Status: http.StatusServiceUnavailable, Reason: reason, Undecided: true, Cause: cause, RetryAfter: retryAfter,
	}
}

// newRefusal returns the answer to an error. An error that is not listed here is a fault of
// this package or of a TokenManager: 500.
func newRefusal(err error) refusal.Refusal {
	var refused *refusal.Refusal
	var invalid signature.Error
	switch {
	case errors.As(err, &refused):
		return *refused
	case errors.As(err, &invalid):
		return *unauthorized(invalid.Error())
	case errors.Is(err, errURLMismatch), errors.Is(err, errParsedForm):
		return refusal.Refusal{Status: http.StatusUnauthorized, Reason: err.Error(), Cause: &fault{
			text:   "a handler outside vepauth may have changed the request",
			advice: "such a handler may strip a prefix, and must leave the rest of the URL and the form as they are",
		}}
	case errors.Is(err, errMethod), errors.Is(err, errTarget), errors.Is(err, errEncodedForm):
		return *unauthorized(err.Error())
	case errors.Is(err, errLongTarget):
		return refusal.Refusal{Status: http.StatusRequestURITooLong, Reason: errLongTarget.Error()}
	case errors.Is(err, errTooLarge):
		return refusal.Refusal{Status: http.StatusRequestEntityTooLarge, Reason: "the body is too large"}
	case errors.Is(err, errTooMany):
		return *badRequest(errTooMany.Error())
	case errors.Is(err, errBody):
		return *badRequest(errBody.Error())
	}
	return refusal.Refusal{Status: http.StatusInternalServerError, Reason: "internal error", Cause: err}
}

// refuseAssertion returns the answer to an assertion that was not accepted. The answer
// contains only the public reason. The cause is for the log, because it can reveal which
// names the network of this server resolves.
func refuseAssertion(err error) *refusal.Refusal {
	failed := assertion.Failure(err)
	switch {
	case failed == nil: // misuse, or an error that no verifier should return
		return unavailable("assertions cannot be verified now", errors.Join(errors.New("no verdict"), err))
	case failed.Undecided:
		return unavailable(failed.Reason, err)
	}
	return &refusal.Refusal{Status: http.StatusBadRequest, Reason: failed.Reason, Cause: err}
}

// refuse answers a request with an error.
func (a *Authenticator) refuse(w http.ResponseWriter, r *http.Request, t requestTarget, err error) {
	e := newRefusal(err)
	if e.Status == http.StatusUnauthorized {
		e.Challenge = a.challenge(r, t)
	}
	a.logRefusal(r, t, e)
	setCommonHeaders(w.Header())
	e.Write(w, "application/json", append(e.JSON(), '\n'))
}

// setCommonHeaders sets the header fields that every answer of this package has.
func setCommonHeaders(h http.Header) {
	h.Set("Cache-Control", "no-store")
	h.Set("X-Content-Type-Options", "nosniff")
}

// challenge returns the value of WWW-Authenticate. It names the token endpoint of the
// application that the request is for.
func (a *Authenticator) challenge(r *http.Request, t requestTarget) string {
	if url, ok := a.routes.tokenURLFor(r, t); ok {
		return a.scheme.Challenge() + " url=" + signature.Quote(url)
	}
	return a.scheme.Challenge()
}
