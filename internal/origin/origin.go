// Package origin parses and compares web origins: a scheme, a host and a port.
//
// Each function parses what another party writes, and has its own rules:
//
//	              Compare: signed    Compare: accepted   Parse             FromHost
//	written by    the assertion      relying party       configuration     header Host, URL
//	scheme        http, https, app   the same; none      http, https       http, https: an
//	                                 means http                            argument
//	host          letters, digits,   the same            a domain of       as in Compare
//	              "-", "_", "."                          PROTOCOL §4
//	empty labels  compared as they   the same            refused           kept
//	              are
//	in Unicode    malformed          converted           converted         refused: see ASCII
//	IPv6          shortest form      shortest form       shortest form     as written
//	port          1 to 65535 without leading zeros, in all four; an empty one is refused
//	"/" after it  ignored            ignored             refused           refused
//	user info     malformed          malformed           refused           refused
//	"*."          never matches      any subdomain       [ErrWildcard]     refused
//
// The reasons for the differences are these. PROTOCOL §5 fixes the rules of
// [Compare]. A configuration names one origin, which is written as browsers write
// it, so [Parse] is the strictest. A request is signed with the host as the client
// wrote it, so [FromHost] must not rewrite an address or drop the dot at the end of
// a name. [CheckAudience] accepts what [Parse] accepts, a "/" at the end, and a
// wildcard that [Compare] can match.
//
// Three predicates report whether a host is the client's own machine. Each accepts
// more hosts than the one before:
//
//	IsLoopbackIP  an address of the loopback interface, without a zone
//	IsLoopback    the same, or localhost: for clients in Go
//	IsLocal       the same, or a name below localhost: for browsers and servers
//
// Browsers connect to their own machine for names below localhost (RFC 6761,
// section 6.3), but Go's resolver asks DNS for them.
//
// [WrittenDomain] and [WrittenEmail] parse what a person writes on a command line.
//
// The package decides by syntax alone. It does not resolve names, and does not tell
// public addresses from private ones.
package origin

import (
	"errors"
	"strings"
	"unicode/utf8"

	"github.com/vepverify/vepverify/internal/domain"
)

// Errors of Parse and CheckAudience.
var (
	ErrSyntax   = errors.New("not an origin: want scheme, host and port only, such as https://rp.example")
	ErrWildcard = errors.New("a wildcard that is not allowed here")
)

// Origin is a scheme, a host and a port, in lower case, without the scheme's
// default port. Origins can be compared with ==. The zero value is not an origin.
type Origin struct {
	scheme, host, port string
	text               string
}

// Parse parses an origin of a configuration. It returns ErrSyntax, or
// ErrWildcard if the host contains an asterisk.
func Parse(s string) (Origin, error) {
	p, ok := split(s)
	if !ok || p.tail != "" {
		return Origin{}, ErrSyntax
	}
	return p.origin()
}

// FromHost returns the origin that a header Host names, or the Host of a URL. It
// reports whether the scheme is http or https and hostPort is a host, perhaps with a
// port. For a URL that may be written in Unicode, call FromHost(scheme, ASCII(host)).
func FromHost(scheme, hostPort string) (Origin, bool) {
	host, port, hasPort := splitPort(hostPort)
	if scheme != "http" && scheme != "https" || hasPort && !domain.IsPort(port) || !isHost(host) {
		return Origin{}, false
	}
	return newOrigin(scheme, strings.ToLower(host), port), true
}

// newOrigin returns the origin of valid parts, in lower case.
func newOrigin(scheme, host, port string) Origin {
	if port == "" || port == defaultPort(scheme) {
		return Origin{scheme, host, "", scheme + "://" + host}
	}
	return Origin{scheme, host, port, scheme + "://" + host + ":" + port}
}

func defaultPort(scheme string) string {
	if scheme == "https" {
		return "443"
	}
	return "80"
}

// Scheme returns "http" or "https".
func (o Origin) Scheme() string { return o.scheme }

// Host returns the host. An IPv6 address is in brackets.
func (o Origin) Host() string { return o.host }

// Port returns the port, or "" for the scheme's default.
func (o Origin) Port() string { return o.port }

// EffectivePort returns the port, also if it is the scheme's default.
func (o Origin) EffectivePort() string {
	if o.port == "" {
		return defaultPort(o.scheme)
	}
	return o.port
}

// String returns the origin as browsers write it in the header Origin, such as
// https://rp.example or http://localhost:8080.
func (o Origin) String() string { return o.text }

// parts are the parts of an origin as they are written. net/url cannot find them: it
// hides an empty port, an empty fragment and user information, and parses
// "example.com:8080" as a scheme.
type parts struct {
	scheme  string // lower case, "" if absent
	host    string
	port    string // without the colon
	hasPort bool   // tells an empty port from none
	tail    string // path, query and fragment
}

// split splits an origin into its parts. It reports whether the text is valid
// UTF-8 without user information and without characters that no origin contains.
func split(s string) (p parts, ok bool) {
	if !utf8.ValidString(s) || strings.ContainsFunc(s, neverInOrigin) {
		return p, false
	}
	rest := s
	if scheme, after, found := strings.Cut(s, "://"); found && isScheme(scheme) {
		p.scheme, rest = strings.ToLower(scheme), after
	}
	end := strings.IndexAny(rest, "/?#")
	if end < 0 {
		end = len(rest)
	}
	authority := rest[:end]
	if strings.Contains(authority, "@") {
		return p, false
	}
	p.tail = rest[end:]
	p.host, p.port, p.hasPort = splitPort(authority)
	return p, true
}

func neverInOrigin(r rune) bool {
	return r <= ' ' || r == 0x7f || r == '\\' || r == '%'
}

func isScheme(s string) bool {
	for i, c := range []byte(s) {
		switch {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z':
		case i > 0 && ('0' <= c && c <= '9' || c == '+' || c == '-' || c == '.'):
		default:
			return false
		}
	}
	return s != ""
}

// splitPort splits host and port at the first colon, or at the one after the
// brackets of an IPv6 address.
func splitPort(authority string) (host, port string, hasPort bool) {
	if end := strings.IndexByte(authority, ']'); strings.HasPrefix(authority, "[") && end > 0 {
		port, hasPort = strings.CutPrefix(authority[end+1:], ":")
		if !hasPort && port != "" {
			return authority, "", false
		}
		return authority[:end+1], port, hasPort
	}
	return strings.Cut(authority, ":")
}

// effectivePort returns the port, or the scheme's default for an absent one. It
// reports whether the port is valid.
func (p parts) effectivePort() (string, bool) {
	if p.hasPort {
		return p.port, domain.IsPort(p.port)
	}
	return defaultPort(p.scheme), true
}

// origin applies the rules of Parse to all parts but the tail.
func (p parts) origin() (Origin, error) {
	switch {
	case p.scheme != "http" && p.scheme != "https", p.hasPort && !domain.IsPort(p.port):
		return Origin{}, ErrSyntax
	case strings.Contains(p.host, "*"):
		return Origin{}, ErrWildcard
	}
	host, ok := canonicalHost(ASCII(p.host))
	if !ok || !strings.HasPrefix(host, "[") && !isDomain(host) {
		return Origin{}, ErrSyntax
	}
	return newOrigin(p.scheme, host, p.port), nil
}

func isDomain(host string) bool {
	_, ok := domain.Parse(host)
	return ok
}
