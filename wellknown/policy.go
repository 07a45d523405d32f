package wellknown

import (
	"slices"
	"strings"
)

// policy says which hosts may be contacted, as far as their names tell; the
// addresses behind the names are the dialer's matter.
type policy struct {
	anything bool
	ports    []string
}

func (p policy) check(host string) *fault {
	if p.anything {
		return nil
	}
	name, port, hasPort := strings.Cut(host, ":")
	if hasPort && !slices.Contains(p.ports, port) {
		return refused("a port that is not allowed", nil)
	}
	if numeric(name[strings.LastIndexByte(name, '.')+1:]) {
		return refused("an IP address in place of a name", nil)
	}
	return nil
}

// numeric says whether a host with this last label is an IPv4 address to some
// resolver: 127.0.0.1, but also 127.1, 2130706433 and 0x7f.1. No top-level
// domain is a number.
func numeric(label string) bool {
	digits := "0123456789"
	if hex, ok := strings.CutPrefix(label, "0x"); ok {
		label, digits = hex, "0123456789abcdef"
	}
	return strings.Trim(label, digits) == ""
}
