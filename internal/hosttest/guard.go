package hosttest

import (
	"net"
	"sync/atomic"
	"testing"
)

// PrivateAddresses are addresses of every kind that is not public, as in DNS records.
var PrivateAddresses = []string{
	"127.0.0.1", "127.255.255.254", "0.0.0.0", "10.0.0.1", "172.16.0.1", "192.168.0.1", "169.254.169.254", "100.64.0.1",
	"224.0.0.1", "255.255.255.255", "192.0.2.1", "198.18.0.1",
	"::1", "::", "::ffff:127.0.0.1", "::ffff:10.0.0.1", "::127.0.0.1", "64:ff9b::7f00:1", "64:ff9b:1::7f00:1", "2002:7f00:1::",
	"fe80::1", "fc00::1", "fd12:3456::1", "ff02::1", "2001:db8::1", "2001::1",
}

// CountConnections listens on all addresses of this machine and counts connections.
func CountConnections(t testing.TB) (port uint16, count *atomic.Int64) {
	count = new(atomic.Int64)
	l, err := net.Listen("tcp", ":0")
	if err != nil {
		t.Fatal(err)
	}
	Accept(t, l, func(net.Conn) { count.Add(1) })
	return uint16(l.Addr().(*net.TCPAddr).Port), count
}
