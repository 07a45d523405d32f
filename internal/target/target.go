// Package target checks the request target of an HTTP request (RFC 9112, section
// 3.2).
//
// net/http accepts targets that no browser sends to an origin server, and most of
// them reach a handler: "x:/members" has the path /members, "x:@host/" has no path
// and is opaque, "*" is itself a path, and ServeMux does not clean the path of a
// CONNECT. A server that redirects by such a text, or appends it to its own origin,
// sends browsers to other hosts.
package target

import (
	"net/http"
	"net/url"
	"strings"
)

// Local returns the path and the query that r asks for, as net/http parsed them,
// and reports whether the target has a form that an origin server serves:
//
//   - origin-form, which begins with a slash, as in /path?query;
//   - absolute-form in HTTP/1, which begins with http:// or https:// and a host.
//
// Everything else is refused: CONNECT, user information, other schemes, opaque
// texts, "*", and in HTTP/2 a :path that does not begin with a slash (RFC 9113,
// section 8.3.1). The text begins with a slash. It may begin with two, so it is a
// path only behind an origin.
func Local(r *http.Request) (text string, ok bool) {
	u := r.URL
	if r.Method == http.MethodConnect || u == nil || u.Opaque != "" || u.User != nil || u.Path == "*" {
		return "", false
	}
	if origin := u.Scheme == "" && u.Host == ""; !origin && !isAbsolute(r) {
		return "", false
	}
	text = (&url.URL{Path: u.Path, RawPath: u.RawPath, RawQuery: u.RawQuery}).RequestURI()
	if !strings.HasPrefix(text, "/") { // http.StripPrefix removed the slash
		text = "/" + text
	}
	return text, true
}

// isAbsolute reports whether the target is in absolute-form. net/http has written
// its scheme in lower case.
func isAbsolute(r *http.Request) bool {
	return r.ProtoMajor < 2 && (r.URL.Scheme == "http" || r.URL.Scheme == "https") && r.URL.Host != ""
}
