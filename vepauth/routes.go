package vepauth

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/vepverify/vepverify/vepauth/internal/signature"
)

// The placeholders that name an application.
const (
	applicationName    = "application"
	applicationVersion = "version"
)

// routes determines whether a request is for the token endpoint, and for which application.
type routes struct {
	tokenURL      pattern // nil if challenges name no token endpoint
	applications  map[string][]string
	applicationOf func(r *http.Request) (name, version string)
	directory     pattern // the part of tokenURL that names the application
}

// newRoutes returns the routes of a Config. It returns an error for every Config with which
// a token could be valid for a request that the Config does not mean.
func newRoutes(c Config) (routes, error) {
	rs := routes{applicationOf: c.ApplicationOf, applications: make(map[string][]string, len(c.Applications))}
	if c.TokenURL != "" {
		var err error
		if rs.tokenURL, err = parsePattern(c.TokenURL); err != nil {
			return rs, fmt.Errorf("vepauth: TokenURL: %q: %w", c.TokenURL, err)
		}
	}
	inURL, versioned := rs.tokenURL.has(applicationName), rs.tokenURL.has(applicationVersion)
	switch {
	case len(c.Applications) == 0 && (inURL || c.ApplicationOf != nil):
		return rs, errors.New("vepauth: Applications: empty, but TokenURL or ApplicationOf distinguishes applications")
	case len(c.Applications) > 0 && !inURL && (rs.tokenURL != nil || c.ApplicationOf == nil):
		return rs, fmt.Errorf("vepauth: TokenURL: no {%s}, but there are Applications", applicationName)
	case versioned && !inURL:
		return rs, fmt.Errorf("vepauth: TokenURL: {%s} without {%s}", applicationVersion, applicationName)
	}
	for name, versions := range c.Applications {
		if err := checkApplication(name, versions, versioned || rs.tokenURL == nil && len(versions) > 0); err != nil {
			return rs, fmt.Errorf("vepauth: Applications: %q: %w", name, err)
		}
		rs.applications[name] = slices.Clone(versions)
	}
	if len(rs.applications) == 0 || c.ApplicationOf != nil {
		return rs, nil
	}
	end := max(rs.tokenURL.index(applicationName), rs.tokenURL.index(applicationVersion)) + 1
	if end == len(rs.tokenURL) {
		return rs, errors.New("vepauth: TokenURL: ends with the application, so no path is below it: set ApplicationOf")
	}
	rs.directory = rs.tokenURL[:end]
	return rs, nil
}

// checkApplication returns an error if the name or a version is not a segment of a path, or
// if the application has versions and should not, or the other way round.
func checkApplication(name string, versions []string, versioned bool) error {
	if !isSegment(name) {
		return errors.New("not one segment of a path")
	}
	if versioned != (len(versions) > 0) {
		return fmt.Errorf("%d versions: there must be some exactly if TokenURL has {%s}", len(versions), applicationVersion)
	}
	for _, version := range versions {
		if !isSegment(version) {
			return fmt.Errorf("version %q: not one segment of a path", version)
		}
	}
	return nil
}

// isApplication reports whether the Config has the application, in that version.
func (rs *routes) isApplication(name, version string) bool {
	versions, found := rs.applications[name]
	return found && (slices.Contains(versions, version) || len(versions) == 0 && version == "")
}

// tokenEndpoint reports whether a request is for the token endpoint, and returns the
// values of the placeholders of its URL.
func (rs *routes) tokenEndpoint(r *http.Request, t requestTarget) (values map[string]string, ok bool) {
	if rs.tokenURL == nil {
		return nil, false
	}
	values, ok = rs.tokenURL.match(t.Path())
	return values, ok && t.matchesURL(r.URL)
}

// application returns the values of TokenURL's placeholders in the path of a request. Two
// of them are the application that the request is for, and its version. ok is false if the
// Config has applications and the request is for none of them.
func (rs *routes) application(r *http.Request, t requestTarget) (values map[string]string, ok bool) {
	switch {
	case len(rs.applications) == 0:
		return nil, true
	case rs.applicationOf != nil:
		name, version := rs.applicationOf(r)
		values = map[string]string{applicationName: name, applicationVersion: version}
	default:
		if values, ok = rs.directory.matchPrefix(t.Path()); !ok || hasDotSegment(t.Path()) {
			return nil, false
		}
	}
	return values, rs.isApplication(values[applicationName], values[applicationVersion])
}

// hasDotSegment reports whether a path has a segment "." or "..", encoded or not, or cannot
// be decoded. A backslash counts as a slash, as on some systems. Some handlers resolve such
// segments and others do not, so /sync/1.5/../../other is below no application.
func hasDotSegment(path string) bool {
	decoded, err := signature.Unescape(path)
	if err != nil {
		return true
	}
	for segment := range strings.FieldsFuncSeq(decoded, func(r rune) bool { return r == '/' || r == '\\' }) {
		if segment == "." || segment == ".." {
			return true
		}
	}
	return false
}

// tokenURLFor returns the path of the token endpoint for a request. ok is false if there is
// none, or if the path of the request does not determine it.
func (rs *routes) tokenURLFor(r *http.Request, t requestTarget) (url string, ok bool) {
	if rs.tokenURL == nil {
		return "", false
	}
	values, found := rs.tokenEndpoint(r, t)
	switch {
	case found && len(rs.applications) > 0:
		found = rs.isApplication(values[applicationName], values[applicationVersion])
	case !found && len(rs.applications) > 0:
		values, found = rs.application(r, t)
	case !found:
		values, found = rs.tokenURL[:rs.tokenURL.lastPlaceholder()+1].matchPrefix(t.Path())
	}
	url, filled := rs.tokenURL.fill(values)
	return url, found && filled
}

// pattern is a path in which some segments are placeholders, {name}. A placeholder
// matches one segment that is not empty.
type pattern []segment

type segment struct {
	text        string // decoded; the name of a placeholder
	placeholder bool
}

// parsePattern parses a path such as /{application}/{version}/token.
func parsePattern(s string) (pattern, error) {
	rest, found := strings.CutPrefix(s, "/")
	if !found {
		return nil, errors.New("does not begin with a slash")
	}
	if strings.ContainsFunc(rest, isForbiddenInPattern) {
		return nil, errors.New("not a path")
	}
	texts := strings.Split(rest, "/")
	p := make(pattern, len(texts))
	for i, text := range texts {
		var err error
		if p[i], err = parseSegment(text); err != nil {
			return nil, err
		}
		if text == "" && i < len(texts)-1 {
			return nil, errors.New("empty segment")
		}
		if p[i].placeholder && p[:i].has(p[i].text) {
			return nil, fmt.Errorf("{%s} occurs twice", p[i].text)
		}
	}
	return p, nil
}

// isForbiddenInPattern reports whether a character cannot be in a pattern.
func isForbiddenInPattern(r rune) bool {
	return r <= ' ' || r >= 0x7f || strings.ContainsRune(`?#"\<>^|`+"`", r)
}

// parseSegment parses a segment or a {placeholder}.
func parseSegment(text string) (segment, error) {
	if name, found := strings.CutPrefix(text, "{"); found {
		if name, found = strings.CutSuffix(name, "}"); found && isPlaceholderName(name) {
			return segment{name, true}, nil
		}
	}
	decoded, ok := decodeSegment(text)
	if strings.ContainsAny(text, "{}") || !ok && text != "" {
		return segment{}, fmt.Errorf("%q is neither a segment nor a {placeholder}", text)
	}
	return segment{decoded, false}, nil
}

// isPlaceholderName reports whether s has only letters, digits and underscores, and begins
// with no digit.
func isPlaceholderName(s string) bool {
	for i, c := range []byte(s) {
		letter := 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || c == '_'
		if !letter && (i == 0 || c < '0' || c > '9') {
			return false
		}
	}
	return s != ""
}

// decodeSegment decodes a segment of a path. It reports whether the result is one segment.
func decodeSegment(s string) (string, bool) {
	decoded, err := signature.Unescape(s)
	return decoded, err == nil && isSegment(decoded)
}

// isSegment reports whether a decoded text is one segment of a path: not empty, without a
// slash, and not "." or "..".
func isSegment(s string) bool {
	return s != "" && s != "." && s != ".." && !strings.Contains(s, "/")
}

// has reports whether the pattern has a placeholder of that name.
func (p pattern) has(name string) bool { return p.index(name) >= 0 }

// index returns the index of the placeholder of that name, -1 if there is none.
func (p pattern) index(name string) int {
	for i, s := range p {
		if s.placeholder && s.text == name {
			return i
		}
	}
	return -1
}

// lastPlaceholder returns the index of the last placeholder, -1 if there is none.
func (p pattern) lastPlaceholder() int {
	last := -1
	for i, s := range p {
		if s.placeholder {
			last = i
		}
	}
	return last
}

// match reports whether a whole path, as on the wire, matches the pattern. It returns
// the decoded values of the placeholders, nil if there are no placeholders.
func (p pattern) match(path string) (values map[string]string, ok bool) {
	if strings.Count(path, "/") != len(p) {
		return nil, false
	}
	return p.matchPrefix(path)
}

// matchPrefix is match for a path that may have more segments than the pattern.
func (p pattern) matchPrefix(path string) (values map[string]string, ok bool) {
	if len(p) == 0 {
		return nil, true
	}
	rest, ok := strings.CutPrefix(path, "/")
	for i, s := range p {
		if !ok {
			return nil, false
		}
		var text string
		more := false
		text, rest, more = strings.Cut(rest, "/")
		decoded, valid := decodeSegment(text)
		if !valid && (text != "" || s.placeholder) || !s.placeholder && decoded != s.text {
			return nil, false
		}
		if s.placeholder {
			if values == nil {
				values = make(map[string]string, len(p))
			}
			values[s.text] = decoded
		}
		ok = more || i == len(p)-1
	}
	return values, ok
}

// fill returns the path with these values in place of the placeholders. ok is false if a
// value is missing.
func (p pattern) fill(values map[string]string) (path string, ok bool) {
	var b strings.Builder
	for _, s := range p {
		text := s.text
		if s.placeholder {
			if text, ok = values[s.text]; !ok {
				return "", false
			}
		}
		b.WriteString("/" + signature.Escape(text))
	}
	return b.String(), true
}
