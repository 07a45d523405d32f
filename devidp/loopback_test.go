package devidp_test

import (
	"encoding/json"
	"net"
	"net/http"
	"strings"
	"testing"

	"github.com/vepverify/vepverify/devidp"
)

// paths are all paths that the provider serves.
var paths = []string{"/", "/.well-known/browserid", "/keys.json", "/include.js", "/sign_in", "/dialog.js", "/assertion.js", "/identities.js", "/style.css", "/icon.svg", "/certify"}

// TestHost checks that names which are not this machine's own are refused on all paths
// (DNS rebinding).
func TestHost(t *testing.T) {
	for host, served := range map[string]bool{
		"localhost:8400": true, "localhost": true, "LocalHost:8400": true, "127.0.0.1:8400": true, "127.0.0.1": true,
		"127.8.9.1:80": true, "[::1]:8400": true, "[::1]": true, "[::ffff:127.0.0.1]:80": true,
		"idp.localhost:8400": true, "IDP.localhost": true,
		"rp.localhost:8400": false, "evil.idp.localhost": false, "localhost.": false, "localhost.evil.example": false,
		"evil.example:8400": false, "evil.example": false, "127.0.0.1.evil.example": false, "idp.localhost.evil.example": false,
		"0.0.0.0:8400": false, "[::]:8400": false, "192.0.2.1:8400": false, "169.254.169.254": false, "[fe80::1]:80": false,
		"localhost:8400:8400": false, "localhost:": false, "localhost:x": false, "localhost@evil.example": false, "::1": false,
		"2130706433": false, "0x7f.1": false, "127.1": false, "localhost/": false, "": false, " localhost": false,
	} {
		for _, path := range paths {
			r := newRequest("GET", path, "")
			r.Host = host
			response, body := answer(t, r)
			if refused := response.StatusCode == http.StatusMisdirectedRequest; refused == served {
				t.Errorf("Host %q: %s: %d", host, path, response.StatusCode)
			}
			var refused struct{ Error string }
			if !served && (json.Unmarshal([]byte(body), &refused) != nil || refused.Error == "") {
				t.Errorf("Host %q: %s: %s", host, path, body)
			}
		}
	}
}

// TestForeignDomain checks that the provider does not answer under a domain that is not
// below localhost, although it certifies addresses at it.
func TestForeignDomain(t *testing.T) {
	p := newProvider(t, "evil.example")
	r := newRequest("GET", "/", "")
	r.Host = "evil.example"
	if status := statusOf(p, r); status != http.StatusMisdirectedRequest {
		t.Errorf("status %d", status)
	}
}

// TestRemote checks that other machines are refused, even if the provider listens on
// other interfaces.
func TestRemote(t *testing.T) {
	for remote, served := range map[string]bool{
		"127.0.0.1:1": true, "127.1.2.3:1": true, "[::1]:1": true, "[::ffff:127.0.0.1]:1": true,
		"192.0.2.1:1": false, "10.0.0.1:1": false, "[2001:db8::1]:1": false, "[fe80::1%eth0]:1": false, "0.0.0.0:1": false,
		"localhost:1": false, "@": false, "": false,
	} {
		for _, path := range paths {
			r := newRequest("GET", path, "")
			r.RemoteAddr = remote
			if response, _ := answer(t, r); (response.StatusCode == http.StatusForbidden) == served {
				t.Errorf("from %q: %s: %d", remote, path, response.StatusCode)
			}
		}
	}
}

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
