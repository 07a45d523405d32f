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

// routes finds the token endpoint and the application that a request is for.
type routes struct {
	tokenURL      pattern // nil if challenges name no token endpoint
	applications  map[string][]string
	applicationOf func(r *http.Request) (name, version string)
	directory     pattern // the part of tokenURL that names the application
}

// newRoutes returns the routes of a Config. It refuses every Config with which a token
// could be valid where the Config does not say so.
func newRoutes(c Config) (routes, error) {
	s := routes{applicationOf: c.ApplicationOf, applications: make(map[string][]string, len(c.Applications))}
	if c.TokenURL != "" {
		var err error
		if s.tokenURL, err = parsePattern(c.TokenURL); err != nil {
			return s, fmt.Errorf("vepauth: TokenURL: %q: %w", c.TokenURL, err)
		}
	}
	inURL, versioned := s.tokenURL.has(applicationName), s.tokenURL.has(applicationVersion)
	switch {
	case len(c.Applications) == 0 && (inURL || c.ApplicationOf != nil):
		return s, fmt.Errorf("vepauth: Applications: empty, but TokenURL or ApplicationOf distinguishes applications")
	case len(c.Applications) > 0 && !inURL && (s.tokenURL != nil || c.ApplicationOf == nil):
		return s, fmt.Errorf("vepauth: TokenURL: no {%s}, but there are Applications", applicationName)
	case versioned && !inURL:
		return s, fmt.Errorf("vepauth: TokenURL: {%s} without {%s}", applicationVersion, applicationName)
	}
	for name, versions := range c.Applications {
		if err := checkApplication(name, versions, versioned || s.tokenURL == nil && len(versions) > 0); err != nil {
			return s, fmt.Errorf("vepauth: Applications: %q: %w", name, err)
		}
		s.applications[name] = slices.Clone(versions)
	}
	if len(s.applications) == 0 || c.ApplicationOf != nil {
		return s, nil
	}
	end := max(s.tokenURL.index(applicationName), s.tokenURL.index(applicationVersion)) + 1
	if end == len(s.tokenURL) {
		return s, fmt.Errorf("vepauth: TokenURL: ends with the application, so no path is below it: set ApplicationOf")
	}
	s.directory = s.tokenURL[:end]
	return s, nil
}

func checkApplication(name string, versions []string, versioned bool) error {
	if !isSegment(name) {
		return fmt.Errorf("not one segment of a path")
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

// isApplication reports whether there is such an application in such a version.
func (s *routes) isApplication(name, version string) bool {
	versions, found := s.applications[name]
	return found && (slices.Contains(versions, version) || len(versions) == 0 && version == "")
}

// tokenEndpoint reports whether a request is for the token endpoint, and returns the
// values of the placeholders of its URL.
func (s *routes) tokenEndpoint(r *http.Request, t requestTarget) (values map[string]string, ok bool) {
	if s.tokenURL == nil {
		return nil, false
	}
	values, ok = s.tokenURL.match(t.Path())
	return values, ok && t.isServed(r.URL)
}

// application returns the values of TokenURL's placeholders in the path of a request; two
// of them are the application that the request is for, and its version. It reports false
// if there are applications and the request is for none of them.
func (s *routes) application(r *http.Request, t requestTarget) (values map[string]string, ok bool) {
	switch {
	case len(s.applications) == 0:
		return nil, true
	case s.applicationOf != nil:
		name, version := s.applicationOf(r)
		values = map[string]string{applicationName: name, applicationVersion: version}
	default:
		if values, ok = s.directory.matchPrefix(t.Path()); !ok || hasDotSegment(t.Path()) {
			return nil, false
		}
	}
	return values, s.isApplication(values[applicationName], values[applicationVersion])
}

// hasDotSegment reports whether a path has a segment "." or "..", encoded or not:
// some handlers resolve them and others do not, so /sync/1.5/../../other is below
// neither application. A backslash counts as a slash, as on some systems. A path that
// cannot be decoded counts, too.
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

// tokenURLFor returns the path of the token endpoint for a request. It reports false
// if there is none, or if the path of the request does not determine which.
func (s *routes) tokenURLFor(r *http.Request, t requestTarget) (url string, ok bool) {
	if s.tokenURL == nil {
		return "", false
	}
	values, found := s.tokenEndpoint(r, t)
	switch {
	case found && len(s.applications) > 0:
		found = s.isApplication(values[applicationName], values[applicationVersion])
	case !found && len(s.applications) > 0:
		values, found = s.application(r, t)
	case !found:
		values, found = s.tokenURL[:s.tokenURL.lastPlaceholder()+1].matchPrefix(t.Path())
	}
	url, filled := s.tokenURL.fill(values)
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
	if strings.ContainsFunc(rest, neverInPattern) {
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

// neverInPattern reports whether a character cannot be in a pattern.
func neverInPattern(r rune) bool {
	return r <= ' ' || r >= 0x7f || strings.ContainsRune(`?#"\<>^|`+"`", r)
}

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

// isPlaceholderName reports whether s is a letter or underscore, and perhaps more of
// them and digits.
func isPlaceholderName(s string) bool {
	for i, c := range []byte(s) {
		letter := 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || c == '_'
		if !letter && (i == 0 || c < '0' || c > '9') {
			return false
		}
	}
	return s != ""
}

// decodeSegment decodes a segment of a path. It reports whether the result is one.
func decodeSegment(s string) (string, bool) {
	decoded, err := signature.Unescape(s)
	return decoded, err == nil && isSegment(decoded)
}

// isSegment reports whether a decoded text is one segment of a path: not empty, not
// two segments, and not "." or "..".
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

// fill returns the path with these values in place of the placeholders. It reports
// false if a value is missing.
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
