package verifyapi

import (
	"cmp"
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

// send sends the answer. An error of the write is ignored: it means that the
// client is gone.
func (a answer) send(w http.ResponseWriter, requestID string) {
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
func okayAnswer(p *params, res *assertion.Result) answer {
	return answer{status: http.StatusOK, body: okayText(p, res)}
}

// okayText returns the JSON of an okayBody. Encoding it with json.Marshal takes
// longer than all else that this package does for a request (BenchmarkHandler),
// so the usual answer is put together: one without claims, whose strings stand in
// JSON as they are.
func okayText(p *params, res *assertion.Result) []byte {
	if p.allowUnverified || len(res.IDPClaims)+len(res.UserClaims) > 0 || !plain(res.Email) || !plain(p.audience) || !plain(res.Issuer) {
		return marshalOkay(p, res)
	}
	text := make([]byte, 0, 128+len(res.Email)+len(p.audience)+len(res.Issuer))
	text = append(text, `{"status":"okay"`...)
	if res.Email != "" {
		text = append(append(append(text, `,"email":"`...), res.Email...), '"')
	}
	text = append(append(text, `,"audience":"`...), p.audience...)
	text = strconv.AppendInt(append(text, `","expires":`...), res.Expires.UnixMilli(), 10)
	text = append(append(text, `,"issuer":"`...), res.Issuer...)
	return append(text, `"}`...)
}

func marshalOkay(p *params, res *assertion.Result) []byte {
	body := okayBody{
		Status: "okay", Email: res.Email, Audience: p.audience, Expires: res.Expires.UnixMilli(), Issuer: res.Issuer,
		IDPClaims: res.IDPClaims, UserClaims: res.UserClaims,
	}
	if p.allowUnverified {
		// Anything but a string is no address, and stays among the claims.
		_ = json.Unmarshal(res.IDPClaims["unverified-email"], &body.Unverified)
	}
	return mustMarshal(body)
}

// plain reports whether json.Marshal leaves s as it is.
func plain(s string) bool {
	for _, c := range []byte(s) {
		switch {
		case c < ' ' || c > '~', c == '"', c == '\\', c == '<', c == '>', c == '&':
			return false
		}
	}
	return true
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
