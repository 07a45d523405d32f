package vepauth

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/vepverify/vepverify/internal/origin"
	"github.com/vepverify/vepverify/internal/target"
)

// This file reads requests: the target, the hosts and the form. The server must
// verify exactly what the next handler gets, and the client must sign exactly what
// net/http sends.

// Limits of a request that is signed or verified.
const (
	// maxTarget is the length of the longest request target, in bytes. A server
	// answers longer ones with 414.
	maxTarget = 64 << 10
	// maxParameters is the number of parameters that the query and the form may
	// have together with OAuthVEP, and that the form of a token request may have.
	// They are counted before they are parsed. More are answered with 400.
	maxParameters = 256
	// maxNonce is the length of the longest nonce, in bytes.
	maxNonce = 256
)

var (
	errMethod      = errors.New("unsupported method")
	errTarget      = errors.New("unsupported request target")
	errLongTarget  = errors.New("the request target is too long")
	errURLMismatch = errors.New("the request target is not the URL that would be served")
)

// targetBytes are the bytes that a request target may contain. The lookup in a table is
// faster than comparisons (BenchmarkHostile/32KiB/steps).
var targetBytes = newTargetBytes()

// newTargetBytes returns all bytes except controls, the space and '#'.
func newTargetBytes() (s [256]bool) {
	for c := range s {
		s[c] = c > ' ' && c != 0x7f && c != '#'
	}
	return s
}

// requestTarget is a request target as the client wrote it. It is parsed once for each
// request; patterns, applications and signatures all use it.
type requestTarget struct {
	target.Target       // empty if err is set
	err           error // errMethod, errTarget or errLongTarget
}

// parseTarget parses a request target: see [target.Parse] for the forms that are
// accepted. net/http finds a path in some of the other forms that is not the one at their
// end. A byte that no target may contain is an error, too.
func parseTarget(s string) requestTarget {
	if len(s) > maxTarget {
		return requestTarget{err: errLongTarget}
	}
	for i := range len(s) {
		if !targetBytes[s[i]] {
			return requestTarget{err: errTarget}
		}
	}
	t, ok := target.Parse(s)
	if !ok {
		return requestTarget{err: errTarget}
	}
	return requestTarget{Target: t}
}

// checkMethod returns errMethod for CONNECT, which has no path on the wire, and
// for methods with lower-case letters: both schemes sign the method in upper case,
// but handlers distinguish "get" from "GET".
func checkMethod(method string) error {
	if method == http.MethodConnect || method != strings.ToUpper(method) {
		return errMethod
	}
	return nil
}

// checkURL returns an error if a client's request has a URL or a Host with a character that
// no request line or header can have, such as a space in the query. net/http would send it.
// It encodes such characters of the path.
func checkURL(r *http.Request) error {
	for _, part := range []struct {
		name string
		err  error
	}{
		{"query", target.Check(r.URL.RawQuery)}, {"opaque part", target.Check(r.URL.Opaque)},
		{"host", target.CheckHost(withoutZone(r.URL.Host))}, {"Host header", target.CheckHost(withoutZone(r.Host))},
	} {
		if part.err != nil {
			return fmt.Errorf("the URL cannot be sent: the %s has %w", part.name, part.err)
		}
	}
	return nil
}

// incomingTarget returns the target of a request that a server received. A request
// that was made in this process has no RequestURI: its URL is used.
func incomingTarget(r *http.Request) requestTarget {
	if err := checkMethod(r.Method); err != nil {
		return requestTarget{err: err}
	}
	if r.URL == nil {
		return requestTarget{err: errTarget}
	}
	text := r.RequestURI
	if text == "" {
		text = r.URL.RequestURI()
	}
	t := parseTarget(text)
	if t.Host != "" && r.ProtoMajor >= 2 { // RFC 9113, section 8.3.1
		return requestTarget{err: errTarget}
	}
	return t
}

// matchesURL reports whether u, which routers and handlers use, is the URL that net/http
// parses from the target. http.StripPrefix may have removed a prefix: then
// the path of the URL is the end of the path of the target, in both of its forms.
func (t requestTarget) matchesURL(u *url.URL) bool {
	path, raw, ok := parsePath(t.Path())
	if t.err != nil || !ok || t.Query() != u.RawQuery || u.Opaque != "" || u.User != nil {
		return false
	}
	if t.Host != "" && (t.Host != u.Host || t.Scheme != u.Scheme) {
		return false
	}
	removed, found := strings.CutSuffix(path, u.Path)
	if raw == "" {
		return found && u.RawPath == ""
	}
	return found && raw == removed+u.RawPath
}

// parsePath returns the URL.Path and URL.RawPath that net/http parses from a path.
// A path without encoded bytes needs no allocation (BenchmarkSigned).
func parsePath(s string) (path, raw string, ok bool) {
	if isPlainPath(s) {
		return s, "", true
	}
	u, err := url.ParseRequestURI(s)
	if err != nil {
		return "", "", false
	}
	return u.Path, u.RawPath, true
}

// isPlainPath reports whether net/url neither decodes nor encodes any byte of s.
func isPlainPath(s string) bool {
	for i := range len(s) {
		switch c := s[i]; {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9':
		case c == '/', c == '-', c == '.', c == '_', c == '~':
		default:
			return false
		}
	}
	return true
}

// hostsAgree reports whether everything in a request that names a host names the
// same one, or the origin that was verified: the Host header beside the :authority
// of HTTP/2, and the host of the absolute form. Handlers may use any of them.
func hostsAgree(r *http.Request, o origin.Origin) bool {
	for _, host := range r.Header["Host"] {
		if host != r.Host {
			return false
		}
	}
	u := r.URL
	if u.Scheme != "" && u.Scheme != o.Scheme() && u.Scheme != ownScheme(r) {
		return false
	}
	if u.Host == "" || strings.EqualFold(u.Host, r.Host) {
		return true
	}
	named, ok := origin.FromHost(o.Scheme(), u.Host)
	return ok && named == o
}

const formType = "application/x-www-form-urlencoded"

var (
	errBody           = errors.New("the body cannot be read")
	errTooLarge       = errors.New("the form is too large")
	errTooMany        = errors.New("too many parameters")
	errEncodedForm    = errors.New("form with a Content-Encoding")
	errParsedForm     = errors.New("form parsed before its signature was verified")
	errChangedGetBody = errors.New("GetBody returns another form than Body")
)

// hasForm reports whether the body is a form. Parameters of the media type do not matter:
// otherwise a form could be unsigned that a handler parses.
func hasForm(r *http.Request) bool {
	return r.Body != nil && r.Body != http.NoBody && hasFormType(r)
}

// hasFormType reports whether any Content-Type of a request is that of a form.
func hasFormType(r *http.Request) bool {
	return slices.ContainsFunc(r.Header["Content-Type"], isFormType)
}

// isFormType reports whether a Content-Type is that of a form.
func isFormType(contentType string) bool {
	mediaType, _, _ := strings.Cut(contentType, ";")
	return strings.EqualFold(strings.TrimSpace(mediaType), formType)
}

// checkEncoding returns errEncodedForm for a form with a Content-Encoding: a handler
// could decode it and read other bytes than those that were signed.
func checkEncoding(h http.Header) error {
	for _, coding := range h["Content-Encoding"] {
		if coding != "" && !strings.EqualFold(coding, "identity") {
			return errEncodedForm
		}
	}
	return nil
}

// outgoingForm reads the form of a client's request and puts it back. GetBody, which
// net/http uses when it must repeat the request, must return the same form.
func outgoingForm(r *http.Request) (string, error) {
	if err := checkEncoding(r.Header); err != nil {
		return "", err
	}
	var again []byte
	getBody := r.GetBody
	if getBody != nil {
		body, err := getBody()
		if err != nil {
			return "", err
		}
		if again, err = readAndClose(body); err != nil {
			return "", err
		}
	}
	form, err := readAndClose(r.Body)
	if err != nil {
		return "", err
	}
	r.GetBody = func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(form)), nil }
	r.Body, _ = r.GetBody() // never fails
	r.ContentLength = int64(len(form))
	if getBody != nil && !bytes.Equal(form, again) {
		return "", errChangedGetBody
	}
	return string(form), nil
}

// readAndClose reads a body to its end and closes it.
func readAndClose(body io.ReadCloser) ([]byte, error) {
	data, err := io.ReadAll(body)
	return data, errors.Join(err, body.Close())
}

// incomingForm reads the form of a request that a server received, if it has one,
// of at most max bytes. It counts the parameters of the query first, and those of
// the form while it reads. The request that it returns has a body of the same bytes.
// Errors match errBody, errTooLarge, errTooMany or errEncodedForm.
func incomingForm(r *http.Request, query string, max int64) (form string, restored *http.Request, err error) {
	parameters := maxParameters - countParameters(query)
	switch {
	case parameters < 0:
		return "", r, errTooMany
	case !hasForm(r):
		return "", r, nil
	}
	if err := checkEncoding(r.Header); err != nil {
		return "", r, err
	}
	if r.ContentLength > max {
		return "", r, errTooLarge
	}
	data, err := readAtMost(&parameterLimit{r.Body, parameters}, max)
	if errors.Is(err, errTooMany) {
		// A client that is still sending would not see the answer.
		io.Copy(io.Discard, io.LimitReader(r.Body, max))
	}
	if err != nil {
		return "", r, err
	}
	restored = r.WithContext(r.Context()) // a shallow copy
	restored.Body = &bufferedBody{bytes.NewReader(data), r.Body}
	restored.ContentLength = int64(len(data))
	restored.GetBody = nil
	return string(data), restored, nil
}

// countParameters returns the number of parameters of a query, empty ones included.
func countParameters(query string) int {
	if query == "" {
		return 0
	}
	return strings.Count(query, "&") + 1
}

// parameterLimit reads a form. Read returns errTooMany if the form has more parameters than
// the limit, empty ones included.
type parameterLimit struct {
	form       io.Reader
	parameters int // that may follow
}

// Read implements [io.Reader].
func (l *parameterLimit) Read(p []byte) (int, error) {
	n, err := l.form.Read(p)
	l.parameters -= bytes.Count(p[:n], []byte("&"))
	if n > 0 && l.parameters <= 0 { // the last parameter has no separator
		return n, errTooMany
	}
	return n, err
}

// readAtMost reads a body of at most max bytes. Errors match errTooLarge for a longer body,
// errTooMany if the reader is a parameterLimit, or errBody.
func readAtMost(body io.Reader, max int64) ([]byte, error) {
	data, err := io.ReadAll(io.LimitReader(body, max+1))
	var limited *http.MaxBytesError
	if int64(len(data)) > max || errors.As(err, &limited) {
		return nil, errTooLarge
	}
	if err != nil && !errors.Is(err, errTooMany) {
		return nil, fmt.Errorf("%w: %w", errBody, err)
	}
	return data, err
}

// bufferedBody is a body that was read into memory. It reads the same bytes and closes the
// original.
type bufferedBody struct {
	io.Reader
	io.Closer
}

// formsAgree reports whether the values that an outer handler parsed from the request, and
// that the next handler would use, are those of the signed query and form. They may include
// values of a body that is not signed: a multipart form, or any form if the scheme does not
// cover forms.
func formsAgree(r *http.Request, query, form string, coversForm bool) bool {
	if r.Form == nil && r.PostForm == nil && r.MultipartForm == nil {
		return true
	}
	signed := &http.Request{Method: r.Method, URL: &url.URL{RawQuery: query}, Header: r.Header, Body: http.NoBody}
	if coversForm {
		signed.Body = io.NopCloser(strings.NewReader(form))
	}
	_ = signed.ParseForm() // the outer handler had the same error
	if coversForm && (r.MultipartForm == nil || hasFormType(r)) {
		return r.MultipartForm == nil && sameValues(r.PostForm, signed.PostForm) && sameValues(r.Form, signed.Form)
	}
	return isMerged(r.Form, signed.Form, r.PostForm)
}

// sameValues reports whether two forms are equal. A nil form equals an empty one.
func sameValues(a, b url.Values) bool { return maps.EqualFunc(a, b, slices.Equal[[]string]) }

// isMerged reports whether all has exactly the values of the query and of an unsigned body.
// The values of a form come before those of the query, those of a multipart form after them.
func isMerged(all, query, body url.Values) bool {
	for name, values := range all {
		q, b := query[name], body[name]
		if !slices.Equal(values, slices.Concat(b, q)) && !slices.Equal(values, slices.Concat(q, b)) {
			return false
		}
	}
	for name := range query {
		if len(all[name]) == 0 {
			return false
		}
	}
	return true
}
