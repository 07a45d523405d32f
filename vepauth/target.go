package vepauth

import (
	"errors"
	"net/http"
	"net/url"
	"strings"
)

var (
	errMethod     = errors.New("unsupported method")
	errTarget     = errors.New("unsupported request target")
	errLongTarget = errors.New("the request target is too long")
)

// target is what a request asks for, as the client wrote it. It is read once for
// each request; patterns, applications and signatures all use it.
type target struct {
	text   string // path and query; begins with a slash, empty if err is set
	scheme string // of the absolute form, else empty
	host   string // of the absolute form, with its port, else empty
	err    error  // errMethod, errTarget or errLongTarget
}

func (t target) path() string {
	path, _, _ := strings.Cut(t.text, "?")
	return path
}

func (t target) query() string {
	_, query, _ := strings.Cut(t.text, "?")
	return query
}

// parseTarget reads a request target (RFC 9112, section 3.2): the origin form,
// such as /data?a=b, or the absolute form of a URL that begins with http:// or
// https://, in small letters. Every other form is an error, for net/http finds
// a path in some of them, but not the one that stands at their end. So are
// bytes that no target has, and userinfo.
func parseTarget(s string) target {
	if len(s) > MaxTarget {
		return target{err: errLongTarget}
	}
	if prefix(&targetBytes, s) < len(s) {
		return target{err: errTarget}
	}
	if strings.HasPrefix(s, "/") {
		return target{text: s}
	}
	scheme, rest, _ := strings.Cut(s, ":")
	rest, found := strings.CutPrefix(rest, "//")
	if !found || scheme != "http" && scheme != "https" {
		return target{err: errTarget}
	}
	t := target{scheme: scheme, host: rest}
	if end := strings.IndexAny(rest, "/?"); end >= 0 {
		t.host, t.text = rest[:end], rest[end:]
	}
	if !strings.HasPrefix(t.text, "/") {
		t.text = "/" + t.text
	}
	if t.host == "" || strings.Contains(t.host, "@") {
		return target{err: errTarget}
	}
	return t
}

// checkMethod returns errMethod for CONNECT, which has no path on the wire, and
// for methods with small letters: both schemes sign a method in capitals, and
// handlers tell "get" from "GET".
func checkMethod(method string) error {
	if method == http.MethodConnect || method != strings.ToUpper(method) {
		return errMethod
	}
	return nil
}

// serverTarget returns the target of a request that a server got. One that was
// made in this process has no RequestURI: its URL counts.
func serverTarget(r *http.Request) target {
	if err := checkMethod(r.Method); err != nil {
		return target{err: err}
	}
	if r.URL == nil {
		return target{err: errTarget}
	}
	text := r.RequestURI
	if text == "" {
		text = r.URL.RequestURI()
	}
	t := parseTarget(text)
	if t.host != "" && r.ProtoMajor >= 2 { // RFC 9113, section 8.3.1
		return target{err: errTarget}
	}
	return t
}

// isServed reports whether the URL that routers and handlers look at is what
// net/http parses from the target. http.StripPrefix may have removed a prefix:
// then the URL's path is the end of the target's path, in both of its forms.
func (t target) isServed(u *url.URL) bool {
	path, raw, ok := parsePath(t.path())
	if t.err != nil || !ok || t.query() != u.RawQuery || u.Opaque != "" || u.User != nil {
		return false
	}
	if t.host != "" && (t.host != u.Host || t.scheme != u.Scheme) {
		return false
	}
	removed, found := strings.CutSuffix(path, u.Path)
	if raw == "" {
		return found && u.RawPath == ""
	}
	return found && raw == removed+u.RawPath
}

// parsePath returns what net/http makes of the path of a target: URL.Path and
// URL.RawPath. It is quick if all bytes stand for themselves (BenchmarkSigned).
func parsePath(s string) (path, raw string, ok bool) {
	if prefix(&plainPath, s) == len(s) {
		return s, "", true
	}
	u, err := url.ParseRequestURI(s)
	if err != nil {
		return "", "", false
	}
	return u.Path, u.RawPath, true
}

// isFor reports whether everything in a request that names a host names the
// same one, or the origin that was verified: the header Host beside HTTP/2's
// :authority, and the host of the absolute form. Handlers may look at any.
func isFor(r *http.Request, o origin) bool {
	for _, host := range r.Header["Host"] {
		if host != r.Host {
			return false
		}
	}
	u := r.URL
	if u.Scheme != "" && u.Scheme != o.scheme && u.Scheme != ownScheme(r) {
		return false
	}
	if u.Host == "" || strings.EqualFold(u.Host, r.Host) {
		return true
	}
	named, ok := hostOrigin(o.scheme, u.Host)
	return ok && named.text == o.text
}
