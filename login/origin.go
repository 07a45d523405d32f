package login

import (
	"errors"
	"net/http"
	"net/netip"
	"slices"
	"strings"

	"github.com/vepverify/vepverify/internal/domain"
	"golang.org/x/net/idna"
)

var errOrigin = errors.New("not an origin: scheme, host and port, nothing behind, such as https://rp.example")

// origin is an audience, written as browsers write origins.
type origin struct {
	scheme, host, port string // port is empty when it is the scheme's own
}

func (o origin) String() string {
	if o.port == "" {
		return o.scheme + "://" + o.host
	}
	return o.scheme + "://" + o.host + ":" + o.port
}

// parseOrigin is stricter than the verifier, which lets a relying party leave
// out the scheme, meaning http, and stand for all its subdomains, any of which
// could then sign in at the others. Here such a thing is a mistake.
func parseOrigin(s string) (o origin, err error) {
	scheme, authority, found := strings.Cut(s, "://")
	o.scheme = strings.ToLower(scheme)
	if !found || o.scheme != "https" && o.scheme != "http" {
		return o, errOrigin
	}
	host, port, hasPort := cutPort(authority)
	if hasPort && !domain.IsPort(port) {
		return o, errOrigin
	}
	if port != map[string]string{"https": "443", "http": "80"}[o.scheme] {
		o.port = port
	}
	o.host, err = parseHost(host)
	return o, err
}

// fromAudience reports whether a post may have been sent by a page of one of the
// audiences, or by no page at all. Neither Host nor Referer counts: a proxy may
// change the first, and a page that forges a request can leave out the second.
//
//   - With an Origin, it is one of the audiences: the whole origin, scheme and
//     port included.
//   - The Origin null, which a page with Referrer-Policy: no-referrer has and so
//     do a sandboxed frame and a redirected form, needs Sec-Fetch-Site: same-origin.
//   - Without an Origin, Sec-Fetch-Site is same-origin, none or missing. Both are
//     missing in browsers older than 2020 and in programs, which can forge either.
func (l *Login[U]) fromAudience(r *http.Request) bool {
	origin, site := r.Header["Origin"], r.Header["Sec-Fetch-Site"]
	switch {
	case len(origin) > 1 || len(site) > 1:
		return false
	case len(origin) == 0:
		return len(site) == 0 || site[0] == "same-origin" || site[0] == "none"
	case origin[0] == "null":
		return len(site) == 1 && site[0] == "same-origin"
	}
	return slices.Contains(l.audiences, origin[0])
}

// cutPort cuts at the colon behind the host, which in brackets may have more.
func cutPort(authority string) (host, port string, hasPort bool) {
	bracket := strings.LastIndexByte(authority, ']') + 1
	port, hasPort = strings.CutPrefix(authority[bracket:], ":")
	if bracket > 0 && (hasPort || port == "") {
		return authority[:bracket], port, hasPort
	}
	return strings.Cut(authority, ":")
}

func parseHost(s string) (string, error) {
	if inner, found := strings.CutPrefix(s, "["); found {
		ip, err := netip.ParseAddr(strings.TrimSuffix(inner, "]"))
		if err != nil || !ip.Is6() || ip.Zone() != "" {
			return "", errOrigin
		}
		return "[" + ip.String() + "]", nil
	}
	if strings.HasPrefix(s, "*.") {
		return "", errors.New("a pattern: each origin must be named, because with a pattern every subdomain could sign in at the others")
	}
	if strings.IndexFunc(s, func(r rune) bool { return r > '~' }) >= 0 {
		ascii, err := idna.Lookup.ToASCII(s)
		if err != nil {
			return "", errOrigin
		}
		s = ascii
	}
	host, ok := domain.Parse(s)
	if !ok {
		return "", errOrigin
	}
	return host, nil
}

// loopback: the origin is on the machine of whoever uses the browser, so that
// plain http is as good as https, and browsers take it for that.
func (o origin) loopback() bool {
	ip, err := netip.ParseAddr(strings.Trim(o.host, "[]"))
	return o.host == "localhost" || strings.HasSuffix(o.host, ".localhost") || err == nil && ip.IsLoopback()
}
