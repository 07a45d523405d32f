// Package refusal defines how the HTTP handlers of this module refuse a request:
// verifyapi, login, vepauth, devidp and the demo.
//
// A [Refusal] is an error, so that it can be returned from anywhere below a handler.
// It holds what the response says (Status, Reason and the headers that go with the
// status) and what only the log says (Cause). The handler finds it with errors.As
// and writes it:
//
//	func check(r *http.Request) error {
//		if r.Method != http.MethodPost {
//			return &refusal.Refusal{
//				Status: http.StatusMethodNotAllowed, Reason: "method not allowed", Allow: "POST",
//			}
//		}
//		return nil
//	}
//
//	var refused *refusal.Refusal
//	if err := check(r); errors.As(err, &refused) {
//		refused.Write(w, "application/json", refused.JSON())
//	}
//
// The body and the headers that a handler sends on all of its responses, such as a
// Content-Security-Policy, are the handler's:
//
//   - the failure of docs/PROTOCOL.md §6: Write with [Refusal.JSON], and a newline
//     where the handler sends one;
//   - a page, or JSON of another form: Write with that body;
//   - plain text: [Refusal.WriteText].
//
// A handler that writes the body itself calls [Refusal.SetHeader] before
// WriteHeader.
package refusal

import (
	"net/http"
	"strconv"
	"time"

	"github.com/vepverify/vepverify/internal/answer"
)

// Refusal is the error of a request that is refused. It defines the response.
type Refusal struct {
	// Status is the status of the response, 400 to 599.
	Status int
	// Reason is for the client. It must not contain anything that the client may
	// not know, such as the text of an unexpected error.
	Reason string
	// Field is the form field or JSON member that is at fault, for handlers that
	// report it. Empty means none in particular.
	Field string
	// Undecided reports whether the same request may be accepted later.
	Undecided bool
	// Cause is for the log and is never sent. Nil means that Reason says
	// everything.
	Cause error

	// Allow is the header Allow, such as "GET, HEAD". Empty means none.
	Allow string
	// Challenge is added to the header WWW-Authenticate. Empty means none.
	Challenge string
	// RetryAfter is the header Retry-After, rounded up to whole seconds. Zero means
	// none.
	RetryAfter time.Duration
	// Close means that the connection is closed after the response, because the
	// rest of the request is not read. It must not be set in HTTP/2, where it would close
	// the connection for all its requests.
	Close bool
}

// Error returns Reason.
func (r *Refusal) Error() string { return r.Reason }

// Unwrap returns Cause.
func (r *Refusal) Unwrap() error { return r.Cause }

// SetHeader sets the headers Allow, WWW-Authenticate, Retry-After and Connection,
// as far as the refusal has them.
func (r *Refusal) SetHeader(h http.Header) {
	if r.Allow != "" {
		h.Set("Allow", r.Allow)
	}
	if r.Challenge != "" {
		h.Add("WWW-Authenticate", r.Challenge)
	}
	if r.RetryAfter > 0 {
		seconds := (r.RetryAfter + time.Second - 1) / time.Second
		h.Set("Retry-After", strconv.FormatInt(int64(seconds), 10))
	}
	if r.Close {
		h.Set("Connection", "close")
	}
}

// JSON returns the failure of docs/PROTOCOL.md §6, without a newline.
func (r *Refusal) JSON() []byte {
	return answer.Failure{Reason: r.Reason, Undecided: r.Undecided}.JSON()
}

// Write sends the refusal with a body. An error of the write means that the client
// has disconnected, and is ignored.
func (r *Refusal) Write(w http.ResponseWriter, contentType string, body []byte) {
	r.SetHeader(w.Header())
	w.Header().Set("Content-Type", contentType)
	w.WriteHeader(r.Status)
	_, _ = w.Write(body)
}

// WriteText sends the refusal with Reason as plain text, as http.Error does.
func (r *Refusal) WriteText(w http.ResponseWriter) {
	r.SetHeader(w.Header())
	http.Error(w, r.Reason, r.Status)
}
