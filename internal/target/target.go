// Package target reads the request target of an HTTP request (RFC 9112, section
// 3.2): what was asked for, as its sender wrote it.
//
// net/http accepts targets that no browser sends to an origin server, and most of
// them reach a handler: "x:/members" has the path /members, "x:@host/" has no path
// and is opaque, "*" is itself a path, and ServeMux does not clean the path of a
// CONNECT. A server that redirects by such a text, or appends it to its own origin,
// sends browsers to other hosts.
package target

import (
	"net/http"
	"strings"
)

// Local returns the path and the query that r asks for, as the client wrote them,
// and reports whether the target has a form that an origin server serves:
//
//   - origin-form, which begins with a slash, as in /path?query;
//   - absolute-form in HTTP/1, which begins with http:// or https:// and a host.
//
// Everything else is refused: CONNECT, user information, other schemes, opaque
// and relative texts, "*", and in HTTP/2 a :path that does not begin with a slash
// (RFC 9113, section 8.3.1). The text begins with a slash if ok. It may begin with
// two, so it is a path only behind an origin. For a request that no server read,
// whose RequestURI is empty, r.URL counts.
func Local(r *http.Request) (text string, ok bool) {
	if r.Method == http.MethodConnect || r.URL == nil || r.URL.Opaque != "" || r.URL.User != nil {
		return "", false
	}
	text = r.RequestURI
	if text == "" {
		text = r.URL.RequestURI()
	}
	if strings.HasPrefix(text, "/") {
		return text, true
	}
	scheme, rest, absolute := strings.Cut(text, "://")
	host := strings.IndexAny(rest+"/", "/?#") // where it ends
	if !absolute || !isHTTP(scheme) || host == 0 || r.ProtoMajor >= 2 {
		return "", false
	}
	if text = rest[host:]; !strings.HasPrefix(text, "/") {
		text = "/" + text
	}
	return text, true
}

func isHTTP(scheme string) bool {
	return strings.EqualFold(scheme, "http") || strings.EqualFold(scheme, "https")
}
