package vepauth

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
)

// The placeholders that name an application.
const (
	applicationName    = "application"
	applicationVersion = "version"
)

// prepareURL reads the path of the token endpoint.
func (a *Authenticator) prepareURL(c *Config) (err error) {
	path := c.TokenURL
	if path == "" {
		if c.DisableTokenEndpoint {
			return nil
		}
		path = DefaultTokenURL
	}
	a.tokenURL, err = parsePattern(path)
	return err
}

// prepareApplications refuses what a slip of the pen leads to, and whatever
// would let a token through where no one meant it to.
func (a *Authenticator) prepareApplications(c *Config) error {
	inURL, versioned := a.tokenURL.has(applicationName), a.tokenURL.has(applicationVersion)
	switch {
	case len(c.Applications) == 0 && (inURL || c.ApplicationOf != nil):
		return fmt.Errorf("no Applications, although the TokenURL or ApplicationOf tells them apart")
	case len(c.Applications) > 0 && !inURL && (a.tokenURL != nil || c.ApplicationOf == nil):
		return fmt.Errorf("no {%s} in the TokenURL, although there are Applications", applicationName)
	case versioned && !inURL:
		return fmt.Errorf("{%s} without {%s} in the TokenURL", applicationVersion, applicationName)
	}
	a.applications = make(map[string][]string, len(c.Applications))
	for name, versions := range c.Applications {
		if err := checkApplication(name, versions, versioned || a.tokenURL == nil && len(versions) > 0); err != nil {
			return err
		}
		a.applications[name] = slices.Clone(versions)
	}
	return a.prepareDirectory(c)
}

func checkApplication(name string, versions []string, versioned bool) error {
	if !isSegment(name) {
		return fmt.Errorf("the application %q: a name is one segment of a path", name)
	}
	if versioned != (len(versions) > 0) {
		return fmt.Errorf("the application %q has %d versions: there must be some exactly if the TokenURL has {%s}",
			name, len(versions), applicationVersion)
	}
	for _, version := range versions {
		if !isSegment(version) {
			return fmt.Errorf("the application %q: the version %q is not one segment of a path", name, version)
		}
	}
	return nil
}

// prepareDirectory finds out below which paths the applications are.
func (a *Authenticator) prepareDirectory(c *Config) error {
	if len(a.applications) == 0 || c.ApplicationOf != nil {
		return nil
	}
	end := max(a.tokenURL.index(applicationName), a.tokenURL.index(applicationVersion)) + 1
	if end == len(a.tokenURL) {
		return fmt.Errorf("the TokenURL ends with the application, so that no request's path is below: set ApplicationOf")
	}
	a.directory = a.tokenURL[:end]
	return nil
}

func (a *Authenticator) isApplication(name, version string) bool {
	versions, known := a.applications[name]
	return known && (slices.Contains(versions, version) || len(versions) == 0 && version == "")
}

// applicationAt returns the application that a request is for; false when there
// are applications and it is for none of them. values are what the path has at
// the TokenURL's placeholders.
func (a *Authenticator) applicationAt(r *http.Request, t target) (name, version string, values map[string]string, ok bool) {
	if len(a.applications) == 0 {
		return "", "", nil, true
	}
	if a.applicationOf != nil {
		name, version = a.applicationOf(r)
		values = map[string]string{applicationName: name, applicationVersion: version}
		return name, version, values, a.isApplication(name, version)
	}
	path := t.path()
	if values, ok = a.directory.matchBeginning(path); !ok || leavesDirectory(path) {
		return "", "", nil, false
	}
	name, version = values[applicationName], values[applicationVersion]
	return name, version, values, a.isApplication(name, version)
}

// leavesDirectory reports whether a path has steps that some handlers take and
// others do not: /sync/1.5/../../other is below neither application. A backslash
// is a slash on some systems.
func leavesDirectory(path string) bool {
	decoded, err := unescape(path)
	if err != nil {
		return true
	}
	for step := range strings.FieldsFuncSeq(decoded, func(r rune) bool { return r == '/' || r == '\\' }) {
		if step == "." || step == ".." {
			return true
		}
	}
	return false
}
