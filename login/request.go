package login

import (
	"bytes"
	"encoding/hex"
	"errors"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"github.com/vepverify/vepverify/internal/mediatype"
	"github.com/vepverify/vepverify/internal/origin"
	"github.com/vepverify/vepverify/internal/refusal"
	"github.com/vepverify/vepverify/internal/target"
)

// Limits of a request. Browsers send much less.
const (
	// maxBody is the size of the largest form, in bytes. An assertion has at most
	// assertion.MaxSize, half of it.
	maxBody = 64 << 10
	// maxFields is the largest number of fields of a form. This package reads two, and a
	// page may have others. They are counted before they are parsed, because a map of as
	// many as fit into maxBody takes a hundred times the memory.
	maxFields = 32
	// maxOrigin is the length of the longest Origin that is parsed, in bytes. A host has
	// at most 253.
	maxOrigin = 300
	// maxNext is the length of the longest next page, in bytes.
	maxNext = 2 << 10
	// maxDecodings is how often the path of a next page may be percent-encoded. A path of
	// maxNext bytes can be encoded a thousand times, and decoding it takes 10 ms.
	maxDecodings = 8
)

// readPost checks that a request is a POST to a path from a page of an audience, and
// returns its form.
func (l *Login[U]) readPost(w http.ResponseWriter, r *http.Request) (url.Values, error) {
	if r.Method != http.MethodPost {
		return nil, &refusal.Refusal{Status: http.StatusMethodNotAllowed, Reason: reasonMethod, Allow: http.MethodPost}
	}
	if _, ok := target.Local(r); !ok {
		return nil, &refusal.Refusal{Status: http.StatusBadRequest, Reason: reasonTarget}
	}
	if refused := l.checkSource(r); refused != nil {
		return nil, refused
	}
	return readForm(w, r)
}

// checkSource returns a refusal unless a POST may have been sent by a page of one of the
// audiences, or by a client that is not a browser. It ignores Host, which a proxy may
// change, and Referer, which a page that forges a request can omit.
//
//   - An Origin must be one of the audiences, with scheme and port.
//   - The Origin null needs Sec-Fetch-Site: same-origin. It is sent by pages with
//     Referrer-Policy: no-referrer, by sandboxed frames and after redirects.
//   - Without an Origin, Sec-Fetch-Site must be same-origin, none or missing. Browsers older
//     than 2020 and programs send neither. Programs can forge both.
func (l *Login[U]) checkSource(r *http.Request) error {
	origins, sites := r.Header["Origin"], r.Header["Sec-Fetch-Site"]
	if len(origins) > 1 || len(sites) > 1 {
		return crossOrigin(reasonCrossOrigin, errSeveralOrigins)
	}
	site, sent := "", len(sites) == 1
	if sent {
		site = sites[0]
	}
	switch {
	case len(origins) == 0 && (!sent || site == "same-origin" || site == "none"):
		return nil
	case len(origins) == 0:
		return crossOrigin(reasonCrossOrigin, errNoOrigin)
	case origins[0] == "null" && site == "same-origin", slices.Contains(l.audiences, origins[0]):
		return nil
	case origins[0] == "null" && !sent:
		return crossOrigin(reasonNullOrigin, errHiddenOrigin)
	case origins[0] == "null":
		return crossOrigin(reasonCrossOrigin, errNullOrigin)
	case site == "same-origin":
		return crossOrigin(reasonCrossOrigin, errOwnOrigin)
	case !sent && l.hasHostOf(origins[0]):
		return crossOrigin(reasonCrossOrigin, errSameHost)
	}
	return crossOrigin(reasonCrossOrigin, errOtherOrigin)
}

// crossOrigin returns the refusal of a request that may come from another site.
func crossOrigin(reason string, why *cause) error {
	return &refusal.Refusal{Status: http.StatusForbidden, Reason: reason, Cause: why}
}

// hasHostOf reports whether an audience has the host of an Origin.
func (l *Login[U]) hasHostOf(text string) bool {
	if len(text) > maxOrigin {
		return false
	}
	o, err := origin.Parse(text)
	return err == nil && slices.ContainsFunc(l.audiences, func(audience string) bool {
		own, err := origin.Parse(audience)
		return err == nil && own.Host() == o.Host()
	})
}

// messageUnknownOrigin is for visitors of an origin that may be the application's own.
const messageUnknownOrigin = "The site does not accept requests from the address at which you opened it. Please open it at its usual address. If this is it, tell the site's operator."

// Why a request may come from another site.
var (
	errSeveralOrigins = &cause{text: "it has several headers Origin or Sec-Fetch-Site: a proxy or a program has added one"}
	errNoOrigin       = &cause{text: "it has no Origin, and its Sec-Fetch-Site is neither same-origin nor none: another site has sent it, or a proxy removes the Origin"}
	errHiddenOrigin   = &cause{text: "its Origin is null, and it has no Sec-Fetch-Site. Either the page has Referrer-Policy: no-referrer: use same-origin. " +
		"Or the page is a file or in a sandboxed frame, or another site has redirected the form. Browsers send Sec-Fetch-Site over https and to this machine, unless a proxy removes it"}
	errNullOrigin = &cause{
		text: "its Origin is null, and its Sec-Fetch-Site is not same-origin: the page is a file or in a sandboxed frame, or another site has redirected the form",
		message: "The request came from a page without an origin, such as a file, a sandboxed frame or a redirect by another site, so it was refused. " +
			"Please open the site itself, in a window of its own, and try again.",
	}
	errOwnOrigin = &cause{
		text:    "its Origin is not an audience, but its Sec-Fetch-Site is same-origin: browsers reach this site at an origin that Config.Audiences lacks",
		message: messageUnknownOrigin,
	}
	errSameHost = &cause{
		text:    "its Origin has the host of an audience, but another scheme or port: redirect browsers to the audience, or add the origin to Config.Audiences",
		message: messageUnknownOrigin,
	}
	errOtherOrigin = &cause{text: "its Origin is not an audience: another site has sent it, or browsers reach this site at an origin that Config.Audiences lacks"}
)

// readForm returns the form in the body. It ignores the query, which servers log. An
// empty body is an empty form.
func readForm(w http.ResponseWriter, r *http.Request) (url.Values, error) {
	contentType := r.Header.Get("Content-Type")
	if contentType != "" && !mediatype.Is(contentType, "application/x-www-form-urlencoded") {
		return nil, &refusal.Refusal{Status: http.StatusUnsupportedMediaType, Reason: reasonType}
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	var tooLarge *http.MaxBytesError
	if errors.As(err, &tooLarge) {
		return nil, &refusal.Refusal{Status: http.StatusRequestEntityTooLarge, Reason: reasonTooLarge}
	}
	switch {
	case err != nil:
		return nil, badRequest(reasonForm)
	case contentType == "" && len(body) > 0:
		return nil, &refusal.Refusal{Status: http.StatusUnsupportedMediaType, Reason: reasonType}
	case bytes.Count(body, []byte("&")) >= maxFields:
		return nil, badRequest(reasonFields)
	}
	form, err := url.ParseQuery(string(body))
	if err != nil {
		return nil, badRequest(reasonForm)
	}
	return form, nil
}

// badRequest returns a refusal with the status 400.
func badRequest(reason string) error {
	return &refusal.Refusal{Status: http.StatusBadRequest, Reason: reason}
}

// assertionField returns the field assertion of a form.
func assertionField(form url.Values) (string, error) {
	switch values := form["assertion"]; {
	case len(values) > 1:
		return "", badRequest(reasonForm)
	case len(values) == 0 || values[0] == "":
		return "", badRequest(reasonMissing)
	default:
		return values[0], nil
	}
}

// destination returns the page to go to: the form's next if it is a page of this origin,
// or else the fallback, which may be empty.
func (l *Login[U]) destination(form url.Values, fallback string) string {
	if next := form["next"]; len(next) == 1 && isLocal(next[0]) {
		return next[0]
	}
	if fallback == "" {
		return ""
	}
	return l.browserPath(fallback)
}

// isLocal reports whether next is a page of this origin for every parser: a path
// that begins with one slash, as URLs are written (ASCII, the rest percent-encoded).
// It must not contain what browsers remove (tabs, line breaks, spaces), take for a
// slash (the backslash) or resolve (".", "..", "//"). The same is true of the path
// percent-decoded any number of times, because proxies and routers may decode it. A path
// that is encoded more than maxDecodings times is refused. The query and the fragment may
// have any text.
func isLocal(next string) bool {
	if len(next) > maxNext || strings.ContainsFunc(next, isForbiddenInURL) {
		return false
	}
	if _, err := url.Parse(next); err != nil {
		return false
	}
	path := next
	if end := strings.IndexAny(next, "?#"); end >= 0 {
		path = next[:end]
	}
	for range maxDecodings + 1 {
		if !isClean(path) {
			return false
		}
		decoded := unescape(path)
		if decoded == path {
			return true
		}
		path = decoded
	}
	return false
}

// unescape percent-decodes text as the most lenient parsers do: what is not an escape, as the
// end of "/100%", means itself.
func unescape(text string) string {
	return escapes.ReplaceAllStringFunc(text, func(escape string) string {
		c, _ := hex.DecodeString(escape[1:])
		return string(c)
	})
}

var escapes = regexp.MustCompile("%[0-9A-Fa-f]{2}")

// isForbiddenInURL reports whether a character cannot be in a next page.
func isForbiddenInURL(r rune) bool { return r <= ' ' || r >= 0x7f || r == '\\' }

// isClean reports whether path begins with one slash and has a form that browsers and
// routers do not change.
func isClean(path string) bool {
	path, found := strings.CutPrefix(path, "/")
	if !found || strings.ContainsFunc(path, func(r rune) bool { return r < ' ' || r == 0x7f || r == '\\' }) {
		return false
	}
	for path != "" { // what follows the last slash may be empty
		segment, rest, _ := strings.Cut(path, "/")
		if segment == "" || segment == "." || segment == ".." {
			return false
		}
		path = rest
	}
	return true
}

// isRoute reports whether path can be a pattern of any router, and a prefix: letters,
// digits, '-', '.' and '_' between slashes, without a slash at the end.
func isRoute(path string) bool {
	return isClean(path) && !strings.HasSuffix(path, "/") && !strings.ContainsFunc(path, isForbiddenInRoute)
}

// isForbiddenInRoute reports whether a character cannot be in a route.
func isForbiddenInRoute(r rune) bool {
	switch {
	case 'a' <= r && r <= 'z', 'A' <= r && r <= 'Z', '0' <= r && r <= '9':
		return false
	}
	return !strings.ContainsRune("-._/", r) // cookieName uses '~'
}
