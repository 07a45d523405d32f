package vepauth

import (
	"net/http"
	"net/netip"
	"strings"

	"golang.org/x/net/idna"

	"github.com/vepverify/vepverify/internal/domain"
)

// origin is scheme, host and port in the form in which they are signed: lower
// case, and the scheme's default port left out (RFC 5849, section 3.4.1.2).
type origin struct {
	scheme, host, port string
	text               string // all of it
}

// effectivePort gives the port also where it is the default.
func (o origin) effectivePort() string {
	if o.port == "" {
		return defaultPort(o.scheme)
	}
	return o.port
}

func defaultPort(scheme string) string {
	if scheme == "https" {
		return "443"
	}
	return "80"
}

// hostOrigin makes an origin of a header Host; false when that names no host.
func hostOrigin(scheme, hostPort string) (o origin, ok bool) {
	o.scheme = scheme
	host, port := hostPort, ""
	if colon := strings.LastIndexByte(hostPort, ':'); colon > strings.LastIndexByte(hostPort, ']') {
		host, port = hostPort[:colon], hostPort[colon+1:]
		if port != "" && !domain.IsPort(port) {
			return o, false
		}
	}
	o.host = strings.ToLower(host)
	o.text = scheme + "://" + o.host
	if port != "" && port != defaultPort(scheme) {
		o.port = port
		o.text += ":" + port
	}
	return o, isHost(o.host)
}

// isHost: a name or IPv4 address by its characters, or an IPv6 address in
// brackets, which keeps the form it was written in.
func isHost(host string) bool {
	if inner, found := strings.CutPrefix(host, "["); found {
		inner, found = strings.CutSuffix(inner, "]")
		addr, err := netip.ParseAddr(inner)
		return found && err == nil && addr.Is6() && addr.Zone() == ""
	}
	return host != "" && !strings.ContainsFunc(host, neverInHost)
}

func ownScheme(r *http.Request) string {
	if r.TLS != nil {
		return "https"
	}
	return "http"
}

// forwardedOrigin is where a request came to by the account of the proxy in
// front. Of several values the last is the nearest proxy's; those before it may
// be the client's own.
func forwardedOrigin(r *http.Request) (origin, bool) {
	scheme, host := ownScheme(r), r.Host
	if proto := lastValue(r, "X-Forwarded-Proto"); proto != "" {
		scheme = strings.ToLower(proto)
	}
	if forwarded := lastValue(r, "X-Forwarded-Host"); forwarded != "" {
		host = forwarded
	}
	if scheme != "http" && scheme != "https" {
		return origin{}, false
	}
	return hostOrigin(scheme, host)
}

func lastValue(r *http.Request, header string) string {
	values := r.Header.Values(header)
	if len(values) == 0 {
		return ""
	}
	last := values[len(values)-1]
	return strings.TrimSpace(last[strings.LastIndexByte(last, ',')+1:])
}

// parseOrigin reads a configured origin: scheme, host and perhaps port. A host
// in Unicode is taken as the ASCII name that clients send.
func parseOrigin(s string) (origin, bool) {
	scheme, hostPort, found := strings.Cut(s, "://")
	scheme = strings.ToLower(scheme)
	if !found || scheme != "http" && scheme != "https" {
		return origin{}, false
	}
	o, ok := hostOrigin(scheme, asciiHost(strings.TrimSuffix(hostPort, "/")))
	if _, named := domain.Parse(o.host); !named && !strings.HasPrefix(o.host, "[") {
		return origin{}, false
	}
	return o, ok
}

// asciiHost gives a host, perhaps with its port, as clients send it; what
// cannot be converted stays, and is no host.
func asciiHost(hostPort string) string {
	if strings.IndexFunc(hostPort, func(r rune) bool { return r > '~' }) < 0 {
		return hostPort
	}
	host, port, _ := strings.Cut(hostPort, ":")
	ascii, err := idna.Lookup.ToASCII(host)
	if err != nil {
		return hostPort
	}
	if port != "" {
		ascii += ":" + port
	}
	return ascii
}

// isAudience says whether s is an origin, or a pattern of origins, that can
// match an assertion's audience (PROTOCOL §5). What cannot would refuse
// everybody, so it is found out when an Authenticator is made.
func isAudience(s string) bool {
	scheme, host, found := strings.Cut(s, "://")
	base, wildcard := strings.CutPrefix(host, "*.")
	o, ok := parseOrigin(scheme + "://" + base)
	if !found || !ok || !wildcard {
		return ok
	}
	last := o.host[strings.LastIndexByte(o.host, '.')+1:]
	return !strings.HasPrefix(o.host, "[") && last != o.host && strings.Trim(last, "0123456789") != ""
}

// origin returns the origin to which a request was sent. It reports false if the request
// does not name one.
func (a *Authenticator) origin(r *http.Request) (origin, bool) {
	switch {
	case a.config.PublicOrigin != "":
		return a.public, true
	case a.config.TrustForwarded:
		return forwardedOrigin(r)
	}
	return hostOrigin(ownScheme(r), r.Host)
}

func neverInHost(r rune) bool {
	letter := 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' || '0' <= r && r <= '9'
	return !letter && r != '-' && r != '.' && r != '_'
}
