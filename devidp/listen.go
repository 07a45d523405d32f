package devidp

import (
	"fmt"
	"net"
	"net/netip"

	"github.com/vepverify/vepverify/internal/origin"
)

// Listen listens on the loopback interface, on TCP, and nowhere else. The
// address is a host and a port, such as localhost:8400, 127.0.0.1:0 or
// [::1]:8400; port 0 takes a free one. The host is a loopback address, or
// localhost or a name under it, which mean 127.0.0.1: no name is looked up, so
// that none can point elsewhere. Every other host is an error, and so is none,
// which would be all interfaces.
func Listen(address string) (net.Listener, error) {
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return nil, fmt.Errorf("devidp: %.100q is no address such as localhost:8400", address)
	}
	if !origin.IsLocal(host) {
		return nil, fmt.Errorf("devidp: %.100q is not on the loopback interface, as localhost and 127.0.0.1 are", host)
	}
	if _, err := netip.ParseAddr(host); err != nil { // a name
		host = "127.0.0.1"
	}
	listener, err := net.Listen("tcp", net.JoinHostPort(host, port))
	if err != nil {
		return nil, fmt.Errorf("devidp: %w", err)
	}
	return listener, nil
}
