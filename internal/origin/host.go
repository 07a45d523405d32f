package origin

import (
	"net/netip"
	"strings"
	"unicode/utf8"

	"golang.org/x/net/idna"

	"github.com/vepverify/vepverify/internal/domain"
)

// canonicalHost returns the form in which hosts are compared: lower case, and the
// shortest form of an IPv6 address in brackets. It reports whether host is a host in
// ASCII.
func canonicalHost(host string) (string, bool) {
	if strings.HasPrefix(host, "[") {
		addr, ok := parseIPv6(host)
		if !ok {
			return "", false
		}
		return "[" + addr.String() + "]", true
	}
	if !isName(host) {
		return "", false
	}
	return strings.ToLower(host), true
}

// isHost reports whether host is a name, an IPv4 address, or an IPv6 address in
// brackets.
func isHost(host string) bool {
	if strings.HasPrefix(host, "[") {
		_, ok := parseIPv6(host)
		return ok
	}
	return isName(host)
}

// parseIPv6 parses an IPv6 address in brackets. An address with a zone is refused:
// other machines may have the same address.
func parseIPv6(host string) (addr netip.Addr, ok bool) {
	inner, opened := strings.CutPrefix(host, "[")
	inner, closed := strings.CutSuffix(inner, "]")
	if !opened || !closed {
		return addr, false
	}
	addr, err := netip.ParseAddr(inner)
	return addr, err == nil && addr.Is6() && addr.Zone() == ""
}

// isName reports whether host consists of the characters of names and of IPv4
// addresses.
func isName(host string) bool {
	return host != "" && !strings.ContainsFunc(host, notInName)
}

func notInName(r rune) bool {
	switch {
	case 'a' <= r && r <= 'z', 'A' <= r && r <= 'Z', '0' <= r && r <= '9':
		return false
	}
	return r != '-' && r != '_' && r != '.'
}

// Limits of a host written in Unicode. Each character becomes one byte or more in
// ASCII, where a label has at most 63 bytes and a host 253 (RFC 1035, section
// 2.3.4). The time of a conversion grows with the square of a label's length.
const (
	maxLabelRunes = 63
	maxHostRunes  = 253
)

// ASCII converts a host written in Unicode to the name that clients send. A port may
// follow the host. ASCII returns what it cannot convert as it is; the functions of
// this package refuse it.
func ASCII(hostPort string) string {
	if strings.IndexFunc(hostPort, func(r rune) bool { return r > '~' }) < 0 {
		return hostPort
	}
	host, port, hasPort := strings.Cut(hostPort, ":")
	if len(host) > maxHostRunes*utf8.UTFMax || tooLong(host) {
		return hostPort
	}
	ascii, err := idna.Lookup.ToASCII(host)
	if err != nil {
		return hostPort
	}
	if hasPort {
		ascii += ":" + port
	}
	return ascii
}

// tooLong reports whether a host in Unicode, or one of its labels, is over the
// limits. It splits labels at the four characters that IDNA treats as dots.
func tooLong(host string) bool {
	inHost, inLabel := 0, 0
	for _, c := range host {
		inHost, inLabel = inHost+1, inLabel+1
		if strings.ContainsRune(".\u3002\uff0e\uff61", c) {
			inLabel = 0
		}
		if inLabel > maxLabelRunes || inHost > maxHostRunes {
			return true
		}
	}
	return false
}

// IsLoopbackIP reports whether ip is an address of the loopback interface, also if
// it is an IPv4 address mapped to IPv6. An address with a zone is not: a zone may
// contain any text.
func IsLoopbackIP(ip netip.Addr) bool {
	return ip.Zone() == "" && ip.Unmap().IsLoopback()
}

// IsLoopback reports whether host is localhost or an address of the loopback
// interface, with or without brackets.
func IsLoopback(host string) bool {
	if strings.ToLower(host) == "localhost" {
		return true
	}
	if addr, ok := parseIPv6(host); ok {
		return IsLoopbackIP(addr)
	}
	ip, err := netip.ParseAddr(host)
	return err == nil && IsLoopbackIP(ip)
}

// IsLocal reports whether host is localhost, a name below localhost, or an address
// of the loopback interface. Such names have no owner elsewhere (RFC 6761, section
// 6.3).
func IsLocal(host string) bool {
	if IsLoopback(host) {
		return true
	}
	name, ok := domain.Parse(host)
	return ok && strings.HasSuffix(name, ".localhost")
}
