// Package registrable finds the registrable domain of a host. The limits of this module
// for one party are counted by registrable domain.
//
// It is separate from package domain because the Public Suffix List of golang.org/x/net
// imports net/http, which packages that check tokens and keys must not import.
package registrable

import (
	"net/netip"
	"strings"

	"golang.org/x/net/publicsuffix"
)

// Domain returns the registrable domain of a host that domain.Parse returned: its public
// suffix and one more label, according to the Public Suffix List
// (golang.org/x/net/publicsuffix). One registrant controls all names below it.
//
// Domain ignores a port. It returns an IP address, a public suffix and a name of one
// label as they are.
func Domain(host string) string {
	host, _, _ = strings.Cut(host, ":")
	if _, err := netip.ParseAddr(host); err == nil {
		return host
	}
	if registrable, err := publicsuffix.EffectiveTLDPlusOne(host); err == nil {
		return registrable
	}
	return host
}
