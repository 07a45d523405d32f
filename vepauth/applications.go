package vepauth

import (
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
			return s, fmt.Errorf("TokenURL: %q: %w", c.TokenURL, err)
		}
	}
	inURL, versioned := s.tokenURL.has(applicationName), s.tokenURL.has(applicationVersion)
	switch {
	case len(c.Applications) == 0 && (inURL || c.ApplicationOf != nil):
		return s, fmt.Errorf("Applications: empty, but TokenURL or ApplicationOf distinguishes applications")
	case len(c.Applications) > 0 && !inURL && (s.tokenURL != nil || c.ApplicationOf == nil):
		return s, fmt.Errorf("TokenURL: no {%s}, but there are Applications", applicationName)
	case versioned && !inURL:
		return s, fmt.Errorf("TokenURL: {%s} without {%s}", applicationVersion, applicationName)
	}
	for name, versions := range c.Applications {
		if err := checkApplication(name, versions, versioned || s.tokenURL == nil && len(versions) > 0); err != nil {
			return s, fmt.Errorf("Applications: %q: %w", name, err)
		}
		s.applications[name] = slices.Clone(versions)
	}
	if len(s.applications) == 0 || c.ApplicationOf != nil {
		return s, nil
	}
	end := max(s.tokenURL.index(applicationName), s.tokenURL.index(applicationVersion)) + 1
	if end == len(s.tokenURL) {
		return s, fmt.Errorf("TokenURL: ends with the application, so no path is below it: set ApplicationOf")
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

// application returns the application that a request is for, and the values of the
// placeholders of TokenURL in its path. It reports false if there are applications
// and the request is for none of them.
func (s *routes) application(r *http.Request, t requestTarget) (name, version string, values map[string]string, ok bool) {
	if len(s.applications) == 0 {
		return "", "", nil, true
	}
	if s.applicationOf != nil {
		name, version = s.applicationOf(r)
		values = map[string]string{applicationName: name, applicationVersion: version}
		return name, version, values, s.isApplication(name, version)
	}
	if values, ok = s.directory.matchPrefix(t.Path()); !ok || hasDotSegment(t.Path()) {
		return "", "", nil, false
	}
	name, version = values[applicationName], values[applicationVersion]
	return name, version, values, s.isApplication(name, version)
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
// if there is none, or if the path of the request does not tell which.
func (s *routes) tokenURLFor(r *http.Request, t requestTarget) (url string, ok bool) {
	if s.tokenURL == nil {
		return "", false
	}
	values, found := s.tokenEndpoint(r, t)
	switch {
	case found && len(s.applications) > 0:
		found = s.isApplication(values[applicationName], values[applicationVersion])
	case !found && len(s.applications) > 0:
		_, _, values, found = s.application(r, t)
	case !found:
		values, found = s.tokenURL[:s.tokenURL.lastPlaceholder()+1].matchPrefix(t.Path())
	}
	url, filled := s.tokenURL.fill(values)
	return url, found && filled
}
