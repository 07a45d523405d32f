package verifyapi

import (
	"cmp"
	"encoding/json"
	"net/http"
	"strconv"
	"time"

	"github.com/vepverify/vepverify/assertion"
	"github.com/vepverify/vepverify/internal/answer"
	"github.com/vepverify/vepverify/internal/refusal"
)

// response is the response to a request. All of it is known before the first byte is
// sent, so that no error can occur in between.
type response struct {
	status      int
	contentType string           // empty means jsonType
	body        []byte           // nil means none
	refusal     *refusal.Refusal // nil unless the request is refused
	allow       string           // the header Allow for OPTIONS; empty means none
	own         bool             // the path is not one of the original verifier
}

// jsonType is the Content-Type of all responses with JSON.
const jsonType = "application/json; charset=utf-8"

// The headers of every response. They matter only if a browser is directed to the
// service.
//
// The test suite of the original verifier wants X-Xss-Protection, which no browser reads
// any more, and the report-uri, where nothing is served, at each path of the original.
// Other responses have neither.
var (
	securityNames = [...]string{
		"Cache-Control", "X-Content-Type-Options", "X-Frame-Options", "Strict-Transport-Security",
		"Content-Security-Policy", "X-Xss-Protection",
	}
	securityValues = [len(securityNames)]string{
		"private, no-cache, no-store, must-revalidate, max-age=0", "nosniff", "DENY", "max-age=15552000",
		ownPolicy + "; report-uri /__cspreport__", "1; mode=block",
	}
)

// ownPolicy is the Content-Security-Policy of responses that the original does not have.
const ownPolicy = "default-src 'none'; frame-ancestors 'none'"

// send sends the response. An error of the write is ignored: it means that the
// client has gone.
func (resp response) send(w http.ResponseWriter, requestID string) {
	h := w.Header()
	// All values share one allocation (BenchmarkHandler). A ResponseWriter that
	// wraps w may modify them.
	values := new([len(securityNames) + 5]string)
	n := 0
	set := func(name, value string) { // name in canonical form
		values[n] = value
		h[name] = values[n : n+1 : n+1]
		n++
	}
	for i, name := range securityNames {
		set(name, securityValues[i])
	}
	if resp.own {
		delete(h, "X-Xss-Protection")
		set("Content-Security-Policy", ownPolicy)
	}
	set(requestIDHeader, requestID)
	if resp.body != nil {
		set("Content-Type", cmp.Or(resp.contentType, jsonType))
		set("Content-Length", strconv.Itoa(len(resp.body)))
	}
	if resp.allow != "" {
		set("Allow", resp.allow)
	}
	if resp.refusal != nil {
		resp.refusal.SetHeader(h)
	}
	w.WriteHeader(resp.status)
	_, _ = w.Write(resp.body)
}

// okayBody returns the body for an assertion that was accepted, with the audience as
// the caller wrote it: clients compare it with what they sent.
func okayBody(p *params, res *assertion.Result) ([]byte, error) {
	okay := answer.Okay{
		Email: res.Email, Audience: p.audience, Expires: res.Expires, Issuer: res.Issuer,
		IDPClaims: res.IDPClaims, UserClaims: res.UserClaims,
	}
	if p.allowUnverified {
		okay.UnverifiedEmail = unverifiedEmail(res)
	}
	return okay.MarshalJSON() // an error only if a claim is not JSON
}

// unverifiedEmail returns the address that the issuer did not verify, or "". A claim
// that is not a string is not an address.
func unverifiedEmail(res *assertion.Result) (email string) {
	_ = json.Unmarshal(res.IDPClaims["unverified-email"], &email)
	return email
}

// refused returns the response for a refusal.
func refused(r *refusal.Refusal) response {
	return response{status: r.Status, body: r.JSON(), refusal: r}
}

// When to try again. A queue is empty again at once; an issuer that did not answer
// is asked again after as long as package wellknown remembers that.
const (
	busyRetry      = time.Second
	undecidedRetry = 5 * time.Second
)

// Responses that are always the same.
var (
	tooBusy            = refused(&refusal.Refusal{Status: http.StatusServiceUnavailable, Reason: "too busy", RetryAfter: busyRetry})
	serviceUnavailable = refused(&refusal.Refusal{Status: http.StatusServiceUnavailable, Reason: "service unavailable"})
	notFound           = noPath(http.StatusNotFound, "not found: want /v2, /verify or /")
	notFoundWithEVP    = noPath(http.StatusNotFound, "not found: want /v2, /verify, / or /evp")
	unsupportedTarget  = noPath(http.StatusBadRequest, "unsupported form of request target: want a path without escapes, such as /v2")
	statusOK           = response{status: http.StatusOK, contentType: "text/plain", body: []byte("OK")}
	heartbeatOK        = response{status: http.StatusOK, body: []byte("{}")}
)

// noPath returns the response to a request for something that is not a path of the original.
func noPath(status int, reason string) response {
	resp := refused(&refusal.Refusal{Status: status, Reason: reason})
	resp.own = true
	return resp
}

// optionsOf returns the response for OPTIONS where these methods are allowed.
func optionsOf(allowed string) response {
	return response{status: http.StatusNoContent, allow: allowed}
}

// methodNotAllowed returns the response for a method other than those allowed.
func methodNotAllowed(allowed string) response {
	return refused(&refusal.Refusal{Status: http.StatusMethodNotAllowed, Reason: "method not allowed: use " + allowed, Allow: allowed})
}
