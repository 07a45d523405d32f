package demo

import (
	"net/http"
	"strings"

	"github.com/vepverify/vepverify/internal/origin"
	"github.com/vepverify/vepverify/internal/target"
)

// policy lets the site's pages use its own files and the provider's script, and
// no page frame them. There is no inline script or style to allow.
func policy(provider string) string {
	return "default-src 'none'; script-src 'self' " + provider + "/include.js; style-src 'self'; img-src 'self'; connect-src 'self'; " +
		"base-uri 'none'; form-action 'self'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'"
}

// ServeHTTP serves requests that were sent to the site's own origin. It redirects
// requests for another name of this machine to that origin, because a session and
// an assertion are valid at one origin only. It refuses all other names: their
// owner can point them to this machine, so that the owner's pages would be
// same-origin with this site (DNS rebinding). It refuses request targets that
// package target refuses, whatever the Host.
func (s *Site) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.commonHeaders(w.Header())
	asked, ok := target.Local(r)
	switch host := strings.ToLower(r.Host); {
	case !ok:
		http.Error(w, "the request target is not a path", http.StatusBadRequest)
	case "http://"+host == s.config.Origin:
		s.handler.ServeHTTP(w, r)
	case isLocal(r.Host):
		w.Header().Set("Location", s.config.Origin+asked)
		w.WriteHeader(http.StatusTemporaryRedirect)
	default:
		http.Error(w, "this demo answers at "+s.config.Origin+" only", http.StatusMisdirectedRequest)
	}
}

// isLocal reports whether a Host is a name or address that only the machine itself
// can have (RFC 6761, section 6.3), with or without a port.
func isLocal(host string) bool {
	o, ok := origin.FromHost("http", host)
	return ok && origin.IsLocal(o.Host())
}

func (s *Site) commonHeaders(h http.Header) {
	h.Set("Content-Security-Policy", s.policy)
	h.Set("Cross-Origin-Opener-Policy", "same-origin-allow-popups") // the dialog must find its opener
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
	h.Set("X-Frame-Options", "DENY") // frame-ancestors, for browsers that do not know it
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", "same-origin")
	h.Set("Cache-Control", "no-store")
}
