package verifyapi

import (
	"net/http"
	"strings"
	"sync"
)

// Handler is the API. It is made once and serves any number of requests at once.
type Handler struct {
	config  Config
	gate    *gate
	version response
	turns   sync.Pool // of *turn
}

// New makes a handler. It errs when the configuration contradicts itself.
func New(c Config) (*Handler, error) {
	c, err := c.complete()
	if err != nil {
		return nil, err
	}
	h := &Handler{
		config: c, gate: newGate(c),
		version: response{status: http.StatusOK, body: mustMarshal(c.Version)},
	}
	h.turns.New = func() any { return newTurn(h.gate, c.Metrics) }
	return h, nil
}

// ServeHTTP answers every request, whatever its path. Under another path than
// the root, put it into http.StripPrefix.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	x := newExchange(h, w, r)
	defer x.rescue()
	x.send(h.route(x))
}

var _ http.Handler = (*Handler)(nil)

// route returns the answer to a request. A slash at the end of a path makes no
// difference, as in the service that this one replaces. Otherwise a path is
// compared as it was sent, and refused if it has escapes, which no path here needs:
// what stands before this handler, such as a proxy that lets only some paths
// pass, may not decode it or may decode it otherwise.
func (h *Handler) route(x *exchange) response {
	r := x.request
	if !validTarget(r) {
		return wrongTarget
	}
	switch strings.TrimSuffix(r.URL.Path, "/") {
	case "/v2":
		return x.post("v2", v2)
	case "", "/verify":
		return x.post("v1", v1)
	case "/status":
		return get(r, statusOK)
	case "/__heartbeat__", "/__lbheartbeat__":
		return get(r, heartbeatOK)
	case "/__version__":
		return get(r, h.version)
	case "*":
		return methods(r, "OPTIONS")
	}
	return notFound
}

// validTarget reports whether the request target has one of the forms that name
// something here (RFC 9112 §3.2): a path without escapes, a URL of http or https
// with a host, or "*". The net/http package also takes "x:/v2", "http:/v2" and the like, and
// finds the path /v2 in them, where others find none or another one. A request
// that did not come over the network may lack a target.
func validTarget(r *http.Request) bool {
	switch target := r.RequestURI; {
	case r.URL.Opaque != "" || r.URL.User != nil || strings.Contains(r.URL.RawPath, "%"):
		return false
	case r.Method == http.MethodConnect: // whose target is a host
		return r.URL.Path == ""
	case target == "" || target == "*" || target[0] == '/':
		return true
	default:
		return r.URL.Host != "" && (strings.HasPrefix(target, "http://") || strings.HasPrefix(target, "https://"))
	}
}

func get(r *http.Request, a response) response {
	if r.Method == http.MethodGet || r.Method == http.MethodHead {
		return a
	}
	return methods(r, "GET, HEAD")
}

// methods answers a request whose method is none of those allowed, or OPTIONS.
func methods(r *http.Request, allowed string) response {
	if r.Method == http.MethodOptions {
		return response{status: http.StatusNoContent, allow: allowed}
	}
	a := failure(http.StatusMethodNotAllowed, "method not allowed")
	a.allow = allowed
	return a
}
