// Package cookiename checks the names of cookies.
package cookiename

import (
	"errors"
	"net/http"
	"strings"
)

// Errors of Check.
var (
	errNotSecure = errors.New("browsers refuse a cookie with this prefix of its name without Secure")
	errNotHost   = errors.New(`browsers refuse a cookie whose name begins with __Host- with a domain, or with a path other than "/"`)
)

// Check returns an error if browsers refuse a cookie because of how its name begins
// (RFC 6265bis, section 4.1.3). They compare that without regard to case.
func Check(c *http.Cookie) error {
	name := strings.ToLower(c.Name)
	host := strings.HasPrefix(name, "__host-")
	switch {
	case !host && !strings.HasPrefix(name, "__secure-") && !strings.HasPrefix(name, "__http-"):
		return nil
	case !c.Secure:
		return errNotSecure
	case host && (c.Path != "/" || c.Domain != ""):
		return errNotHost
	}
	return nil
}
