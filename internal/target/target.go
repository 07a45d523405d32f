// Package target parses the request target of an HTTP request (RFC 9112, section
// 3.2).
//
// net/http accepts targets that no browser sends to an origin server, and most of
// them reach a handler: "x:/members" has the path /members, "x:@host/" has no path
// and is opaque, "*" is itself a path, and ServeMux does not clean the path of a
// CONNECT. A server that redirects to such a text, or appends it to its own origin,
// sends browsers to other hosts.
//
// [Parse] reads the text as the client sent it. [Local] reads what net/http has
// parsed, so it also serves handlers below http.StripPrefix and requests that were
// made in this process. They differ in two points:
//
//   - Parse requires "http" and "https" in lower case. Local cannot tell, because
//     net/http has changed the scheme to lower case.
//   - Local refuses the absolute form in HTTP/2 (RFC 9113, section 8.3.1). Parse
//     does not know the version.
//
// [Check], [CheckHost] and [CheckURL] are for clients. net/http sends a query as it is
// written; they find the characters with which that is not a request line.
package target

import (
	"net/http"
	"net/url"
	"strings"
)

// Target is a parsed request target.
type Target struct {
	Text   string // path and query as sent; begins with a slash
	Scheme string // "http" or "https" in the absolute form, else ""
	Host   string // host and port in the absolute form, else ""
}

// Path returns the path as sent, with its escapes.
func (t Target) Path() string {
	path, _, _ := strings.Cut(t.Text, "?")
	return path
}

// Query returns the query as sent, without the question mark.
func (t Target) Query() string {
	_, query, _ := strings.Cut(t.Text, "?")
	return query
}

// Parse parses the text of a request target. It reports whether the text is in a
// form that an origin server serves:
//
//   - origin-form, which begins with a slash, as in /path?query;
//   - absolute-form, which begins with http:// or https:// in lower case and a
//     host without user information. An absent path becomes "/".
//
// The asterisk of OPTIONS and the host of a CONNECT are refused. Parse does not
// check the characters of the host, the path and the query.
func Parse(text string) (Target, bool) {
	if strings.HasPrefix(text, "/") {
		return Target{Text: text}, true
	}
	scheme, rest, found := strings.Cut(text, "://")
	if !found || scheme != "http" && scheme != "https" {
		return Target{}, false
	}
	t := Target{Scheme: scheme, Host: rest, Text: "/"}
	if end := strings.IndexAny(rest, "/?"); end >= 0 {
		t.Host, t.Text = rest[:end], rest[end:]
	}
	if !strings.HasPrefix(t.Text, "/") {
		t.Text = "/" + t.Text
	}
	if t.Host == "" || strings.Contains(t.Host, "@") {
		return Target{}, false
	}
	return t, true
}

// Local returns the path and the query that r asks for, as net/http parsed them.
// It reports whether the target is in one of the forms that Parse accepts, the
// method is not CONNECT, and the version allows the form. The text begins with a
// slash. It may begin with two, so it is a path only after an origin.
func Local(r *http.Request) (text string, ok bool) {
	u := r.URL
	if r.Method == http.MethodConnect || u == nil || u.Opaque != "" || u.User != nil || u.Path == "*" {
		return "", false
	}
	if originForm := u.Scheme == "" && u.Host == ""; !originForm && !isAbsolute(r) {
		return "", false
	}
	text = (&url.URL{Path: u.Path, RawPath: u.RawPath, RawQuery: u.RawQuery}).RequestURI()
	if !strings.HasPrefix(text, "/") { // http.StripPrefix removed the slash
		text = "/" + text
	}
	return text, true
}

// isAbsolute reports whether the target is in absolute-form.
func isAbsolute(r *http.Request) bool {
	return r.ProtoMajor < 2 && (r.URL.Scheme == "http" || r.URL.Scheme == "https") && r.URL.Host != ""
}
