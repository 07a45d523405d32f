package verifyapi

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/vepverify/vepverify/internal/loglimit"
	"github.com/vepverify/vepverify/internal/target"
)

// Handler serves the API. It is safe for concurrent use.
type Handler struct {
	config  Config
	gate    *gate
	causes  *loglimit.Logger
	version response
	slots   sync.Pool // of *slot
}

var _ http.Handler = (*Handler)(nil)

// New returns a Handler. It returns an error if a field of the configuration is
// out of range or missing.
func New(c Config) (*Handler, error) {
	if err := c.validate(); err != nil {
		return nil, err
	}
	c = c.withDefaults()
	version, err := json.Marshal(c.Version)
	if err != nil {
		return nil, fmt.Errorf("verifyapi: Version: %w", err)
	}
	h := &Handler{config: c, gate: newGate(c), causes: loglimit.NewLogger(c.Logger), version: response{status: http.StatusOK, body: version}}
	h.slots.New = func() any { return newSlot(h.gate, c.Metrics) }
	return h, nil
}

// ServeHTTP answers every request, whatever its path. To serve the API below a
// path other than the root, wrap the handler in [http.StripPrefix].
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	x := newExchange(h, w, r)
	defer x.recoverPanic()
	x.send(h.route(x))
}

// route returns the response to a request. A trailing slash of a path is ignored,
// as in the service that this one replaces. Otherwise a path is compared as it was
// sent, and refused if it has escapes, which no path here needs: a proxy that lets
// only some paths pass may decode it differently or not at all.
func (h *Handler) route(x *exchange) response {
	r := x.request
	if !validTarget(r) {
		return unsupportedTarget
	}
	switch strings.TrimSuffix(r.URL.Path, "/") {
	case "/v2":
		return x.post(v2)
	case "", "/verify":
		return x.post(v1)
	case "/evp":
		if h.config.Tokens == nil {
			return notFound
		}
		resp := x.post(evpAPI)
		resp.own = true
		return resp
	case "/status":
		return get(r, statusOK)
	case "/__heartbeat__", "/__lbheartbeat__":
		return get(r, heartbeatOK)
	case "/healthz":
		return get(r, alive)
	case "/readyz":
		return get(r, h.ready())
	case "/__version__":
		return get(r, h.version)
	case "*":
		return otherMethod(r, http.MethodOptions)
	}
	if h.config.Tokens != nil {
		return notFoundWithEVP
	}
	return notFound
}

// validTarget reports whether the request target has one of the forms that name
// something here: those of package target, without escapes in the path, or "*". The
// net/http package also accepts "x:/v2", "http:/v2" and the like, and parses the path
// /v2 from them. Other programs parse another path, or none. A request that did not
// come over the network may have no target.
func validTarget(r *http.Request) bool {
	switch {
	case r.URL.Opaque != "" || r.URL.User != nil || strings.Contains(r.URL.RawPath, "%"):
		return false
	case r.Method == http.MethodConnect: // its target is a host
		return r.URL.Path == ""
	case r.RequestURI == "" || r.RequestURI == "*":
		return true
	}
	_, ok := target.Parse(r.RequestURI)
	return ok
}

// get returns resp, or the response for another method than GET and HEAD.
func get(r *http.Request, resp response) response {
	if r.Method == http.MethodGet || r.Method == http.MethodHead {
		return resp
	}
	other := otherMethod(r, "GET, HEAD")
	other.own = resp.own
	return other
}

// otherMethod returns the response for a method that is not among those allowed.
func otherMethod(r *http.Request, allowed string) response {
	if r.Method == http.MethodOptions {
		return optionsOf(allowed)
	}
	return methodNotAllowed(allowed)
}

// Limits of Server.
const (
	maxHeader     = 16 << 10 // bytes; net/http adds 4 KiB
	headerTimeout = 10 * time.Second
	idleTimeout   = 2 * time.Minute
	writeTimeout  = 2 * time.Minute

	// maxStreams and maxUnreadBodies are limits of each connection over HTTP/2. The
	// defaults of net/http are 250 and 1 MiB.
	maxStreams      = 100
	maxUnreadBodies = 256 << 10 // bytes
)

// Server returns a server for the handler, with the limits that only a server can
// set:
//
//   - the header has at most 16 KiB, and arrives within 10 s;
//   - a connection without requests is closed after two minutes;
//   - a request with its response takes at most two minutes (raise WriteTimeout if
//     lookups may take longer).
//
// It speaks HTTP/1.1 and, with TLS and without, HTTP/2, with at most 100 requests
// at once and 256 KiB of unread bodies for each connection. What net/http logs goes
// to Config.Logger at level Debug.
//
// The address, TLS and shutdown are the caller's; see [http.Server].
func (h *Handler) Server() *http.Server {
	protocols := new(http.Protocols)
	protocols.SetHTTP1(true)
	protocols.SetHTTP2(true)
	protocols.SetUnencryptedHTTP2(true)
	return &http.Server{
		Handler: h, MaxHeaderBytes: maxHeader, ReadHeaderTimeout: headerTimeout, IdleTimeout: idleTimeout,
		WriteTimeout: writeTimeout, HTTP2: &http.HTTP2Config{MaxConcurrentStreams: maxStreams, MaxReceiveBufferPerConnection: maxUnreadBodies},
		Protocols: protocols, DisableGeneralOptionsHandler: true,
		ErrorLog: slog.NewLogLogger(h.config.Logger.Handler(), slog.LevelDebug),
	}
}
