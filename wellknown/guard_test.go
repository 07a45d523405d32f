package wellknown_test

import (
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"code.dny.dev/ssrf"

	"github.com/vepverify/vepverify/internal/hosttest"
	"github.com/vepverify/vepverify/wellknown"
)

// TestCountingListener checks that the listener of the tests below can be reached.
func TestCountingListener(t *testing.T) {
	port, count := hosttest.CountConnections(t)
	s := newNameServer(t, map[string]records{"evil.example.": {addresses: []string{"127.0.0.1"}}})
	r := resolver(t, wellknown.Config{DNS: s.resolver(), InsecureAllowPrivate: true})
	for _, host := range []string{"evil.example", "127.0.0.1"} {
		before := count.Load()
		if _, got := lookUp(t, r, fmt.Sprintf("%s:%d", host, port)); got != row4 {
			t.Errorf("%s: %v", host, got)
		}
		if count.Load() == before {
			t.Errorf("%s: not reached", host)
		}
	}
}

// guardedResolver returns a resolver that allows one port and uses that DNS server.
func guardedResolver(t *testing.T, port uint16, s *nameServer) *wellknown.Resolver {
	r, err := wellknown.NewResolverWithPort(wellknown.Config{DNS: s.resolver()}, port)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestPrivateByDNS(t *testing.T) {
	port, count := hosttest.CountConnections(t)
	names := make(map[string]records)
	for i, address := range hosttest.PrivateAddresses {
		names[fmt.Sprintf("h%d.example.", i)] = records{addresses: []string{address}}
	}
	names["all.example."] = records{addresses: []string{"127.0.0.1", "127.0.0.2", "::1", "::ffff:127.0.0.1"}}
	s := newNameServer(t, names)
	r := guardedResolver(t, port, s)
	for name := range names {
		host := fmt.Sprintf("%s:%d", strings.TrimSuffix(name, "."), port)
		a, err := r.Authority(t.Context(), host, host)
		if got := row(t, a, err); got != row5 {
			t.Errorf("%v: %v", names[name].addresses, err)
		}
	}
	if count.Load() != 0 {
		t.Errorf("%d connections", count.Load())
	}
}

func TestPrivateByName(t *testing.T) {
	port, count := hosttest.CountConnections(t)
	s := newNameServer(t, nil)
	r := guardedResolver(t, port, s)
	for _, name := range []string{
		"127.0.0.1", "127.1", "127.0.1", "2130706433", "0x7f000001", "0x7f.1", "0x7F.0.0.0x1", "017700000001", "0177.0.0.1", "0",
		"10.0.0.1", "169.254.169.254", "0x", "host.0x7f", "a.1", "255.255.255.255", "8.8.8.8",
	} {
		for _, host := range []string{name, name + ":" + strconv.Itoa(int(port))} {
			if _, got := lookUp(t, r, host); got != row5 {
				t.Errorf("%s: %v", host, got)
			}
		}
	}
	for _, name := range []string{"[::1]", "::1", "[::ffff:127.0.0.1]", "127.0.0.1.", "", "a b", "user@127.0.0.1", "127.0.0.1/x", "127.0.0.1?", "example.com#"} {
		if _, got := lookUp(t, r, name); got != row5 {
			t.Errorf("%s: %v", name, got)
		}
	}
	if len(s.asked) != 0 || count.Load() != 0 {
		t.Errorf("%v asked of DNS, %d connections", s.asked, count.Load())
	}
}

// TestLocalhost checks a name that the system's hosts file or resolver knows.
func TestLocalhost(t *testing.T) {
	port, count := hosttest.CountConnections(t)
	r, err := wellknown.NewResolverWithPort(wellknown.Config{Timeout: 5 * time.Second}, port)
	if err != nil {
		t.Fatal(err)
	}
	a, err := r.Authority(t.Context(), fmt.Sprintf("localhost:%d", port), host)
	if got := row(t, a, err); got == nil || count.Load() != 0 {
		t.Errorf("%v, %d connections", got, count.Load())
	}
}

func TestPorts(t *testing.T) {
	var fetched atomic.Int64
	r := resolver(t, wellknown.Config{InsecureTransport: roundTripper(func(*http.Request) (*http.Response, error) {
		fetched.Add(1)
		return reply(200, document(1))
	})})
	for port, want := range map[string]error{"443": nil, "80": row5, "8443": row5, "22": row5, "1": row5, "65535": row5, "0443": row5, "": row5} {
		if _, got := lookUp(t, r, host+":"+port); got != want {
			t.Errorf("port %q: %v, want %v", port, got, want)
		}
	}
	if fetched.Load() != 1 {
		t.Errorf("%d fetches", fetched.Load())
	}
}

// serveWithTrap serves host at 127.0.0.1, and counts connections to the same port of 127.0.0.2.
func serveWithTrap(t *testing.T, h http.HandlerFunc) (port uint16, trapped *atomic.Int64) {
	n := newNetwork(t)
	n.Serve(host, h)
	addr, _ := n.Addr(host + ":443")
	port = netip.MustParseAddrPort(addr).Port()
	l, err := net.Listen("tcp", fmt.Sprintf("127.0.0.2:%d", port))
	if err != nil {
		t.Skip("127.0.0.2 is not an address of this machine, or its port is in use:", err)
	}
	trapped = new(atomic.Int64)
	hosttest.Accept(t, l, func(net.Conn) { trapped.Add(1) })
	return port, trapped
}

// trapResolver returns a resolver for the port of serveWithTrap. 127.0.0.1 counts as public.
func trapResolver(t *testing.T, c wellknown.Config, port uint16) *wellknown.Resolver {
	c.RootCAs, c.Timeout = hosttest.TrustedCA().Pool(), 20*time.Second
	r, err := wellknown.NewResolverWithPublic(c, port, netip.MustParseAddr("127.0.0.1"))
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// TestPrivateByAuthority checks that a delegation does not lead to a private address. The host
// delegates to the domain of the email.
func TestPrivateByAuthority(t *testing.T) {
	port, trapped := serveWithTrap(t, func(w http.ResponseWriter, r *http.Request) {
		jsonHandler(delegation(r.URL.Query().Get("domain")))(w, r)
	})
	s := newNameServer(t, map[string]records{
		host + ".":      {addresses: []string{"127.0.0.1"}},
		"evil.example.": {addresses: []string{"127.0.0.2", "::1"}},
	})
	r := trapResolver(t, wellknown.Config{DNS: s.resolver()}, port)
	for _, target := range []string{"127.0.0.2", "127.2", "0x7f.2", "2130706434", "evil.example", "169.254.169.254"} {
		for _, target := range []string{target, fmt.Sprintf("%s:%d", target, port), target + ":22"} {
			a, err := r.Authority(t.Context(), fmt.Sprintf("%s:%d", host, port), target)
			var lookup *wellknown.LookupError
			if got := row(t, a, err); got != row5 || !errors.As(err, &lookup) || lookup.At != target {
				t.Errorf("%s: %v", target, err)
			}
		}
	}
	if trapped.Load() != 0 {
		t.Errorf("%d connections", trapped.Load())
	}
}

// TestRebinding checks that the guard checks each address that is dialled, not another
// answer of DNS.
func TestRebinding(t *testing.T) {
	port, count := hosttest.CountConnections(t)
	s := newNameServer(t, map[string]records{host + ".": {addresses: []string{"192.0.2.1", "127.0.0.1"}}})
	name := fmt.Sprintf("%s:%d", host, port)
	a, err := guardedResolver(t, port, s).Authority(t.Context(), name, name)
	if got := row(t, a, err); got != row5 || !errors.Is(err, ssrf.ErrProhibitedIP) {
		t.Errorf("%v, want %v", err, row5)
	}
	if count.Load() != 0 {
		t.Errorf("%d connections", count.Load())
	}
}

// TestRedirect checks that no redirect is followed, to another host or to the same.
func TestRedirect(t *testing.T) {
	for _, status := range []int{301, 302, 303, 307, 308} {
		n := newNetwork(t)
		var here, there atomic.Int64
		n.Serve(host, func(w http.ResponseWriter, r *http.Request) {
			if here.Add(1) > 1 {
				jsonHandler(document(1))(w, r)
				return
			}
			w.Header().Set("Location", []string{"https://other.example/", "/elsewhere"}[status%2])
			w.WriteHeader(status)
		})
		n.Serve("other.example", func(w http.ResponseWriter, r *http.Request) {
			there.Add(1)
			jsonHandler(document(1))(w, r)
		})
		if _, got := lookUp(t, resolver(t, n.config()), host); got != row3 {
			t.Errorf("%d: %v, want %v", status, got, row3)
		}
		if here.Load() != 1 || there.Load() != 0 {
			t.Errorf("%d: %d requests, and %d to the other host", status, here.Load(), there.Load())
		}
	}
}

// prohibitedIP returns the guard's error, wrapped as http.Transport wraps it.
func prohibitedIP() error {
	return &net.OpError{Op: "dial", Err: fmt.Errorf("%w: x", ssrf.ErrProhibitedIP)}
}
