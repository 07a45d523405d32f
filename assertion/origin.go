package assertion

import (
	"net/netip"
	"strings"
	"unicode/utf8"

	"github.com/vepverify/vepverify/internal/domain"
)

// origin is an audience taken apart by PROTOCOL §5. Go's net/url is of no use
// here: it hides an empty port, an empty fragment and user info, and reads
// "example.com:8080" as a scheme.
type origin struct {
	scheme string // lower case, empty when absent
	host   string // as written
	port   string // as written, without the colon
	// hasPort tells an empty port from none.
	hasPort bool
	// hasPath: anything but "/" follows the port, a query or a fragment too,
	// even an empty one.
	hasPath bool
}

// splitOrigin cuts an audience at its delimiters; false when it has characters
// that no origin has, or user info.
func splitOrigin(s string) (o origin, ok bool) {
	if !utf8.ValidString(s) || strings.ContainsFunc(s, neverInOrigin) {
		return o, false
	}
	rest := s
	if scheme, after, found := strings.Cut(s, "://"); found && isScheme(scheme) {
		o.scheme, rest = strings.ToLower(scheme), after
	}
	end := strings.IndexAny(rest, "/?#")
	if end < 0 {
		end = len(rest)
	}
	tail := rest[end:]
	o.hasPath = tail != "" && tail != "/"
	authority := rest[:end]
	if strings.Contains(authority, "@") {
		return o, false
	}
	o.host, o.port, o.hasPort = splitPort(authority)
	return o, true
}

func neverInOrigin(r rune) bool {
	return r <= ' ' || r == 0x7f || r == '\\' || r == '%'
}

func isScheme(s string) bool {
	for i, c := range []byte(strings.ToLower(s)) {
		switch {
		case 'a' <= c && c <= 'z':
		case i > 0 && ('0' <= c && c <= '9' || c == '+' || c == '-' || c == '.'):
		default:
			return false
		}
	}
	return s != ""
}

// splitPort cuts host and port apart at the first colon, or at the one behind
// the bracket of an IPv6 address.
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

// effectivePort gives the port as a number without leading zeros, the scheme's
// default when there is none; false when what is written is no port.
func (o origin) effectivePort() (string, bool) {
	if o.hasPort {
		return o.port, domain.IsPort(o.port)
	}
	if o.scheme == "https" {
		return "443", true
	}
	return "80", true
}

// asciiHost gives the form in which hosts compare: lower case, and for an IPv6
// address in brackets its shortest form; false when it is no host in ASCII.
func asciiHost(host string) (string, bool) {
	if inner, found := strings.CutPrefix(host, "["); found {
		addr, err := netip.ParseAddr(strings.TrimSuffix(inner, "]"))
		if err != nil || !addr.Is6() || addr.Zone() != "" || !strings.HasSuffix(host, "]") {
			return "", false
		}
		return "[" + addr.String() + "]", true
	}
	if host == "" || strings.ContainsFunc(host, notInHost) {
		return "", false
	}
	return strings.ToLower(host), true
}

func notInHost(r rune) bool {
	switch {
	case 'a' <= r && r <= 'z', 'A' <= r && r <= 'Z', '0' <= r && r <= '9':
		return false
	}
	return r != '-' && r != '_' && r != '.'
}
