package verifyapi

import (
	"encoding/json"
	"net/http"
	"strconv"

	"github.com/vepverify/vepverify/assertion"
)

// answer is what goes back to the client. All of it is known before the first
// byte is sent, so that nothing can go wrong half-way.
type answer struct {
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

// send sends the answer. That the client may be gone by now is not looked at:
// there is nobody left to tell.
func (a answer) send(w http.ResponseWriter, requestID string) {
	h := w.Header()
	values := securityValues // a copy in one piece, which whoever wraps w may change
	for i, name := range securityNames {
		h[name] = values[i : i+1 : i+1]
	}
	h.Set(requestIDHeader, requestID)
	if a.allow != "" {
		h.Set("Allow", a.allow)
	}
	if a.retryAfter != "" {
		h.Set("Retry-After", a.retryAfter)
	}
	if a.hangUp {
		h.Set("Connection", "close")
	}
	if a.body != nil {
		h.Set("Content-Type", a.contentType)
		if a.contentType == "" {
			h.Set("Content-Type", jsonType)
		}
		h.Set("Content-Length", strconv.Itoa(len(a.body)))
	}
	w.WriteHeader(a.status)
	w.Write(a.body)
}

// okayBody is the answer of PROTOCOL §6 with what this API adds.
type okayBody struct {
	Status     string                     `json:"status"`
	Email      string                     `json:"email,omitempty"`
	Unverified string                     `json:"unverified-email,omitempty"`
	Audience   string                     `json:"audience"`
	Expires    int64                      `json:"expires"`
	Issuer     string                     `json:"issuer"`
	IDPClaims  map[string]json.RawMessage `json:"idpClaims,omitempty"`
	UserClaims map[string]json.RawMessage `json:"userClaims,omitempty"`
}

// okayAnswer tells what holds, with the audience as the caller wrote it: clients
// compare it with what they sent.
func okayAnswer(p params, res *assertion.Result) answer {
	body := okayBody{
		Status: "okay", Email: res.Email, Audience: p.audience, Expires: res.Expires.UnixMilli(), Issuer: res.Issuer,
		IDPClaims: res.IDPClaims, UserClaims: res.UserClaims,
	}
	if p.allowUnverified {
		// Anything but a string is no address, and stays among the claims.
		_ = json.Unmarshal(res.IDPClaims["unverified-email"], &body.Unverified)
	}
	return answer{status: http.StatusOK, body: mustMarshal(body)}
}

// failure is the answer for a request that was not verified.
func failure(status int, reason string) answer {
	return answer{status: status, body: mustMarshal(assertion.Failed{Status: "failure", Reason: reason})}
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
	statusOK     = answer{status: http.StatusOK, contentType: "text/plain", body: []byte("OK")}
	heartbeatOK  = answer{status: http.StatusOK, body: []byte("{}")}
)

func (a answer) retry(seconds string) answer {
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
