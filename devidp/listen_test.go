package devidp_test

import (
	"net"
	"strings"
	"testing"

	"github.com/vepverify/vepverify/devidp"
)

func TestListen(t *testing.T) {
	for _, address := range []string{"localhost:0", "LOCALHOST:0", "idp.localhost:0", "127.0.0.1:0", "127.0.0.2:0", "[::1]:0"} {
		listener, err := devidp.Listen(address)
		if err != nil && strings.HasPrefix(address, "[::1]") && !hasIPv6() {
			continue
		}
		if err != nil {
			t.Errorf("%s: %v", address, err)
			continue
		}
		if bound := listener.Addr().(*net.TCPAddr); !bound.IP.IsLoopback() {
			t.Errorf("%s: listens on %v", address, bound)
		}
		if err := listener.Close(); err != nil {
			t.Error(err)
		}
	}
}

func hasIPv6() bool {
	listener, err := net.Listen("tcp", "[::1]:0")
	if err != nil {
		return false
	}
	_ = listener.Close() // only tested
	return true
}

func TestListenRefuses(t *testing.T) {
	for _, address := range []string{
		"", ":0", ":8400", "0.0.0.0:0", "[::]:0", "*:0", "192.0.2.1:0", "[2001:db8::1]:0", "example.com:0", "localhost", "127.0.0.1",
		"localhost.example.com:0", "notlocalhost:0", "localhost.:0", "localhost:99999", "localhost:0:0", "2130706433:0",
	} {
		if listener, err := devidp.Listen(address); err == nil {
			t.Errorf("%q: listens on %v", address, listener.Addr())
			_ = listener.Close()
		}
	}
}
