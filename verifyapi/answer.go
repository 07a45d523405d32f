package verifyapi

import (
	"cmp"
	"encoding/json"
	"net/http"
	"strconv"

	"github.com/vepverify/vepverify/assertion"
	"github.com/vepverify/vepverify/internal/answer"
)

// answer is what goes back to the client. All of it is known before the first
// byte is sent, so that nothing can go wrong half-way.
type response struct {
	status      int
	contentType string // "": jsonType
	body        []byte // nil: none
	allow       string // the header Allow
	retryAfter  string // the header Retry-After, in seconds
	hangUp      bool   // the rest of the request is not worth waiting for
}

const jsonType = "application/json; charset=utf-8"

// The headers on every answer. A service that speaks JSON to programs needs
// none of them, until a browser is led to it.
var (
	securityNames = [...]string{
		"Cache-Control", "X-Xss-Protection", "X-Content-Type-Options", "X-Frame-Options",
		"Strict-Transport-Security", "Content-Security-Policy",
	}
	securityValues = [len(securityNames)]string{
		"private, no-cache, no-store, must-revalidate, max-age=0", "1; mode=block", "nosniff", "DENY",
		"max-age=15552000", "default-src 'none'; frame-ancestors 'none'; report-uri /__cspreport__",
	}
)

// send sends the answer. An error of the write is ignored: it means that the
// client is gone.
func (a response) send(w http.ResponseWriter, requestID string) {
	h := w.Header()
	// All values are in one piece of memory, which a ResponseWriter that wraps w
	// may change.
	values := new([len(securityNames) + 6]string)
	n := 0
	set := func(name, value string) { // name in canonical form
		values[n] = value
		h[name] = values[n : n+1 : n+1]
		n++
	}
	for i, name := range securityNames {
		set(name, securityValues[i])
	}
	set(requestIDHeader, requestID)
	if a.allow != "" {
		set("Allow", a.allow)
	}
	if a.retryAfter != "" {
		set("Retry-After", a.retryAfter)
	}
	if a.hangUp {
		set("Connection", "close")
	}
	if a.body != nil {
		set("Content-Type", cmp.Or(a.contentType, jsonType))
		set("Content-Length", strconv.Itoa(len(a.body)))
	}
	w.WriteHeader(a.status)
	_, _ = w.Write(a.body)
}

// okayAnswer is the response to an assertion that was accepted, with the audience
// as the caller wrote it: clients compare it with what they sent.
func okayAnswer(p *params, res *assertion.Result) response {
	okay := answer.Okay{
		Email: res.Email, Audience: p.audience, Expires: res.Expires, Issuer: res.Issuer,
		IDPClaims: res.IDPClaims, UserClaims: res.UserClaims,
	}
	if p.allowUnverified {
		// Anything but a string is not an address, and stays among the claims.
		_ = json.Unmarshal(res.IDPClaims["unverified-email"], &okay.UnverifiedEmail)
	}
	body, err := okay.MarshalJSON()
	if err != nil {
		panic(err) // claims are JSON that was parsed
	}
	return response{status: http.StatusOK, body: body}
}

// failure is the answer for a request that was not verified.
func failure(status int, reason string) response {
	return response{status: status, body: answer.Failure{Reason: reason}.JSON()}
}

// When to come back, in seconds. A queue is empty again at once; an issuer that did
// not answer is asked again after as long as package wellknown remembers that.
const (
	busyRetry      = "1"
	undecidedRetry = "5"
)

// Answers that are always the same.
var (
	tooBusy      = failure(http.StatusServiceUnavailable, "too busy").retry(busyRetry)
	notAvailable = failure(http.StatusServiceUnavailable, "service unavailable")
	notFound     = failure(http.StatusNotFound, "not found")
	wrongTarget  = failure(http.StatusBadRequest, "unsupported form of request target")
	statusOK     = response{status: http.StatusOK, contentType: "text/plain", body: []byte("OK")}
	heartbeatOK  = response{status: http.StatusOK, body: []byte("{}")}
)

func (a response) retry(seconds string) response {
	a.retryAfter = seconds
	return a
}

// mustMarshal encodes what cannot fail: strings, numbers and JSON that was read
// as such.
func mustMarshal(v any) []byte {
	body, err := json.Marshal(v)
	if err != nil {
		panic(err) // answered and logged as any other
	}
	return body
}
