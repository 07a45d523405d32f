package devidp

import (
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"strings"

	"github.com/vepverify/vepverify/internal/origin"
)

// Listen listens with TCP on the loopback interface only. The address is a host and a
// port, such as localhost:8400, 127.0.0.1:0 or [::1]:8400; port 0 means any free
// port. The host is a loopback address, localhost, or a name under localhost. Both
// kinds of names mean 127.0.0.1: they are not looked up, so they cannot point
// elsewhere. Listen returns an error for every other host, and for an empty one, which
// would mean all interfaces.
func Listen(address string) (net.Listener, error) {
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return nil, fmt.Errorf("%.100q: not an address such as localhost:8400", address)
	}
	if !origin.IsLocal(host) {
		return nil, fmt.Errorf("%.100q: not on the loopback interface, as localhost and 127.0.0.1 are", host)
	}
	if _, err := netip.ParseAddr(host); err != nil { // a name
		host = "127.0.0.1"
	}
	listener, err := net.Listen("tcp", net.JoinHostPort(host, port))
	if err != nil {
		return nil, fmt.Errorf("cannot listen: %w", err)
	}
	return listener, nil
}

// isOwnHost reports whether a request's Host is a name that only this machine can
// have. The owner of any other name can point it to this machine, so that the
// owner's pages would be same-origin with the provider (DNS rebinding). The port does
// not matter: browsers connect to the port that they name.
func (p *Provider) isOwnHost(host string) bool {
	o, ok := origin.FromHost("http", host)
	return ok && (origin.IsLoopback(o.Host()) || o.Host() == p.config.Domain && origin.IsLocal(o.Host()))
}

// isLoopbackPeer reports whether an address and port are of the loopback interface.
func isLoopbackPeer(address string) bool {
	parsed, err := netip.ParseAddrPort(address)
	return err == nil && origin.IsLoopbackIP(parsed.Addr())
}

// originOf returns the origin at which the client reaches the provider.
func originOf(r *http.Request) string {
	if r.TLS != nil {
		return "https://" + strings.ToLower(r.Host)
	}
	return "http://" + strings.ToLower(r.Host)
}
