// Package registrable finds the registrable domain of a host, by which limits on
// what one party may use count. It is apart from package domain because the Public
// Suffix List of golang.org/x/net imports net/http, which the parts of the engine
// that check tokens and keys must not reach.
package registrable

import (
	"net/netip"
	"strings"

	"golang.org/x/net/publicsuffix"
)

// Domain returns the registrable domain of host: its public suffix and one
// label more, by the Public Suffix List (golang.org/x/net/publicsuffix). One
// registrant controls all names below it, so limits on what one party may use
// count by it. A port is ignored. An IP address, a public suffix and a name of
// one label are returned as they are. The host is one that
// domain.Parse returned.
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
