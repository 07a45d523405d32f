package wellknown_test

import (
	"context"
	"crypto/tls"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/vepverify/vepverify/internal/hosttest"
	"github.com/vepverify/vepverify/wellknown"
)

// testProxy is a proxy on a port of this machine.
type testProxy struct {
	targets *hosttest.Hosts
	asked   atomic.Int64

	mu     sync.Mutex
	header string // of the last CONNECT
}

// connect answers a CONNECT.
func (p *testProxy) connect(conn net.Conn) {
	p.asked.Add(1)
	header := hosttest.ReadHeader(conn)
	p.mu.Lock()
	p.header = header
	p.mu.Unlock()
	var target string
	fmt.Sscanf(header, "CONNECT %s HTTP/1.1\r\n", &target)
	where, known := p.targets.Addr(target)
	if !known {
		fmt.Fprint(conn, "HTTP/1.1 404 Not Found\r\n\r\n")
		return
	}
	p.relay(conn, where, "HTTP/1.1 200 OK\r\n\r\n")
}

// relay sends hello, and connects conn to the listener at where.
func (p *testProxy) relay(conn net.Conn, where, hello string) {
	to, err := net.Dial("tcp", where)
	if err != nil {
		return
	}
	fmt.Fprint(conn, hello)
	var both sync.WaitGroup
	both.Go(func() { io.Copy(to, conn); to.Close() })
	io.Copy(conn, to)
	conn.Close()
	both.Wait()
}

// socks implements SOCKS5 (RFC 1928) for names, without authentication.
func (p *testProxy) socks(conn net.Conn) {
	p.asked.Add(1)
	buf := make([]byte, 300)
	io.ReadFull(conn, buf[:2])
	io.ReadFull(conn, buf[:buf[1]])
	conn.Write([]byte{5, 0})
	io.ReadFull(conn, buf[:5])
	name := make([]byte, buf[4])
	io.ReadFull(conn, name)
	io.ReadFull(conn, buf[:2])
	where, known := p.targets.Addr(fmt.Sprintf("%s:%d", name, binary.BigEndian.Uint16(buf)))
	if !known {
		conn.Write([]byte{5, 4, 0, 1, 0, 0, 0, 0, 0, 0})
		return
	}
	p.relay(conn, where, "\x05\x00\x00\x01\x00\x00\x00\x00\x00\x00")
}

// behindProxy returns a proxy for hosts that cannot be reached without it.
func behindProxy(t *testing.T) *testProxy {
	n := newNetwork(t)
	n.Serve(host, jsonHandler(document(1)))
	n.answer("gone.example", "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n")
	n.raw("plain.example", false, func(c net.Conn) { fmt.Fprint(c, "HTTP/1.1 404 Not Found\r\n\r\n"); hosttest.ReadHeader(c) })
	n.Put("dead.example", deadAddr(t))
	return &testProxy{targets: n.Hosts}
}

// deadAddr returns an address of this machine at which nothing listens.
func deadAddr(t testing.TB) string {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

func TestProxy(t *testing.T) {
	cert := certificate(t, time.Now().Add(-time.Minute), "localhost")
	p := behindProxy(t)
	overTLS := func(conn net.Conn) {
		if s := tls.Server(conn, &tls.Config{Certificates: []tls.Certificate{cert}}); s.Handshake() == nil {
			p.connect(s)
		}
	}
	_, httpsPort, _ := net.SplitHostPort(hosttest.Listen(t, overTLS))
	for name, url := range map[string]string{
		"http":   "http://user:secret@" + hosttest.Listen(t, p.connect),
		"https":  "https://localhost:" + httpsPort,
		"socks5": "socks5://" + hosttest.Listen(t, p.socks),
	} {
		t.Run(name, func(t *testing.T) {
			r := resolver(t, wellknown.Config{Proxy: url, RootCAs: hosttest.TrustedCA().Pool()})
			for target, want := range map[string]error{
				host:              nil,
				"gone.example":    row3, // its own answer, over TLS
				"plain.example":   row4,
				"dead.example":    row4,
				"unknown.example": row4, // the proxy's answer, not the host's
			} {
				before := p.asked.Load()
				if _, got := lookUp(t, r, target); got != want {
					t.Errorf("%s: %v, want %v", target, got, want)
				}
				if p.asked.Load() != before+1 {
					t.Errorf("%s: asked %d times", target, p.asked.Load()-before)
				}
			}
			// Only the proxy's own address may be private.
			before := p.asked.Load()
			for _, target := range []string{"127.0.0.1", "127.1", host + ":8443"} {
				if _, got := lookUp(t, r, target); got != row5 {
					t.Errorf("%s: %v, want %v", target, got, row5)
				}
			}
			if p.asked.Load() != before {
				t.Error("asked for a private address")
			}
		})
	}
}

func TestProxyUser(t *testing.T) {
	p := behindProxy(t)
	r := resolver(t, wellknown.Config{Proxy: "http://user:p%40ss@" + hosttest.Listen(t, p.connect), RootCAs: hosttest.TrustedCA().Pool()})
	if _, got := lookUp(t, r, host); got != nil {
		t.Fatal(got)
	}
	want := "Proxy-Authorization: Basic " + base64.StdEncoding.EncodeToString([]byte("user:p@ss")) + "\r\n"
	if !strings.Contains(p.header, want) {
		t.Errorf("header %q", p.header)
	}
}

// TestBadProxy checks that an error of the proxy says nothing about the host.
func TestBadProxy(t *testing.T) {
	answering := func(text string) string {
		return hosttest.Listen(t, func(c net.Conn) { hosttest.ReadHeader(c); fmt.Fprint(c, text) })
	}
	silentThenText := func(text string) string {
		return hosttest.Listen(t, func(c net.Conn) {
			hosttest.ReadHeader(c)
			fmt.Fprint(c, "HTTP/1.1 200 OK\r\n\r\n")
			readSome(c)
			fmt.Fprint(c, text)
		})
	}
	for name, url := range map[string]string{
		"dead http":          "http://" + deadAddr(t),
		"dead https":         "https://" + deadAddr(t),
		"dead socks5":        "socks5://" + deadAddr(t),
		"unknown":            "http://proxy.invalid:8080",
		"https without TLS":  "https://" + hosttest.Listen(t, func(c net.Conn) { fmt.Fprint(c, "HTTP/1.1 400 Bad Request\r\n\r\n"); readSome(c) }),
		"redirect":           "http://" + answering("HTTP/1.1 302 Found\r\nLocation: /\r\n\r\n"),
		"forbidden":          "http://" + answering("HTTP/1.1 403 Forbidden\r\n\r\n"),
		"wants a password":   "http://" + answering("HTTP/1.1 407 Proxy Authentication Required\r\n\r\n"),
		"bad gateway":        "http://" + answering("HTTP/1.1 502 Bad Gateway\r\n\r\n"),
		"endless header":     "http://" + hosttest.Listen(t, func(c net.Conn) { hosttest.ReadHeader(c); endless(c, "HTTP/1.1 200 OK\r\nX: y\r\n") }),
		"hangs up":           "http://" + answering(""),
		"no proxy":           "http://" + answering("hello"),
		"login page inside":  "http://" + silentThenText("HTTP/1.1 404 Not Found\r\n\r\n"),
		"socks: no SOCKS":    "socks5://" + hosttest.Listen(t, func(c net.Conn) { fmt.Fprint(c, "HTTP/1.1 400 Bad Request\r\n\r\n"); readSome(c) }),
		"socks: wants login": "socks5://" + hosttest.Listen(t, func(c net.Conn) { readSome(c); c.Write([]byte{5, 255}) }),
	} {
		t.Run(name, func(t *testing.T) {
			s := newNameServer(t, nil)
			r := resolver(t, wellknown.Config{Proxy: url, DNS: s.resolver(), Timeout: 20 * time.Second})
			a, err := r.Authority(t.Context(), host, host)
			if got := row(t, a, err); got != row4 || errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("%v, want %v", err, row4)
			}
		})
	}
}

// TestHostSpeaksFirst checks that a host without TLS behind a proxy is detected at once,
// although its bytes arrive together with the proxy's answer.
func TestHostSpeaksFirst(t *testing.T) {
	addr := hosttest.Listen(t, func(c net.Conn) {
		hosttest.ReadHeader(c)
		fmt.Fprint(c, "HTTP/1.1 200 OK\r\n\r\n220 mail.example\r\n")
		writeSlowly(c, "")
	})
	a, err := resolver(t, wellknown.Config{Proxy: "http://" + addr, Timeout: 20 * time.Second}).Authority(t.Context(), host, host)
	if got := row(t, a, err); got != row4 || errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("%v", err)
	}
}

func TestSlowProxy(t *testing.T) {
	for _, scheme := range []string{"http", "https", "socks5"} {
		gone := make(chan struct{})
		addr := hosttest.Listen(t, func(c net.Conn) { defer close(gone); writeSlowly(c, "") })
		r := resolver(t, wellknown.Config{Proxy: scheme + "://" + addr, Timeout: 100 * time.Millisecond})
		if _, got := lookUp(t, r, host); got != row4 {
			t.Errorf("%s: %v, want %v", scheme, got, row4)
		}
		<-gone
	}
}

// TestProxyFromEnvironment checks that the proxy variables of the environment are ignored.
func TestProxyFromEnvironment(t *testing.T) {
	var asked atomic.Int64
	addr := hosttest.Listen(t, func(c net.Conn) { asked.Add(1) })
	for _, name := range []string{"HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"} {
		t.Setenv(name, "http://"+addr)
	}
	n := newNetwork(t)
	n.Serve(host, jsonHandler(document(1)))
	c := n.config()
	if _, got := lookUp(t, resolver(t, c), host); got != nil {
		t.Errorf("own dial function: %v", got)
	}
	s := newNameServer(t, map[string]records{host + ".": {addresses: []string{"127.0.0.1"}}})
	c = wellknown.Config{RootCAs: c.RootCAs, DNS: s.resolver(), InsecureAllowPrivate: true}
	listener, _ := n.Addr(host + ":443")
	if _, got := lookUp(t, resolver(t, c), host+":"+portOf(t, listener)); got != nil {
		t.Errorf("own DNS: %v", got)
	}
	if asked.Load() != 0 {
		t.Errorf("%d connections to a proxy", asked.Load())
	}
}

// TestCauseOfProxy checks that everything that a proxy says in place of the host is
// undecided, and that the reason names the proxy and what it said, but neither its text nor
// its password.
func TestCauseOfProxy(t *testing.T) {
	const okay = "HTTP/1.1 200 remote\r\n\r\n"
	answering := func(text string) func(net.Conn) {
		return func(c net.Conn) { hosttest.ReadHeader(c); fmt.Fprint(c, text) }
	}
	status := func(line string) func(net.Conn) {
		return answering("HTTP/1.1 " + line + " remote\r\nX-Remote: remote\r\nContent-Length: 6\r\n\r\nremote")
	}
	sends := func(answers ...string) func(net.Conn) {
		return func(c net.Conn) {
			for _, text := range answers {
				readSome(c)
				fmt.Fprint(c, text)
			}
			readSome(c)
		}
	}
	good, expired := certificate(t, time.Now().Add(-time.Minute), host), certificate(t, time.Now().Add(-48*time.Hour), host)
	tunnelTo := func(cert tls.Certificate, text string) func(net.Conn) {
		return func(c net.Conn) {
			hosttest.ReadHeader(c)
			fmt.Fprint(c, "HTTP/1.1 200 OK\r\n\r\n")
			if s := tls.Server(c, &tls.Config{Certificates: []tls.Certificate{cert}}); s.Handshake() == nil {
				hosttest.ReadHeader(s)
				fmt.Fprint(s, text)
			}
		}
	}
	reply := func(code string) string { return "\x05" + code + "\x00\x01\x00\x00\x00\x00\x00\x00" }
	for name, c := range map[string]struct {
		scheme string // with a user if it ends in "@"
		serve  func(net.Conn)
		want   string // of the reason, after the proxy's address
		advice string
	}{
		"407":                    {"http://", status("407"), "answered CONNECT with 407 Proxy Authentication Required: set its user and password in the proxy URL", "set its user"},
		"407, with a user":       {"http://user:secret@", status("407"), "answered CONNECT with 407 Proxy Authentication Required: check its user and password in the proxy URL", "check its user"},
		"403":                    {"http://", status("403"), "answered CONNECT with 403 Forbidden: ", "allow CONNECT"},
		"400":                    {"http://", status("400"), "answered CONNECT with 400 Bad Request: ", "HTTP proxy"},
		"404":                    {"http://", status("404"), "answered CONNECT with 404 Not Found: ", "HTTP proxy"},
		"405":                    {"http://", status("405"), "answered CONNECT with 405 Method Not Allowed: ", "HTTP proxy"},
		"429":                    {"http://", status("429"), "answered CONNECT with 429 Too Many Requests: ", "HTTP proxy"},
		"500":                    {"http://", status("500"), "answered CONNECT with 500 Internal Server Error: ", "HTTP proxy"},
		"502":                    {"http://", status("502"), "answered CONNECT with 502 Bad Gateway: ", "proxy's log"},
		"503":                    {"http://", status("503"), "answered CONNECT with 503 Service Unavailable: ", "proxy's log"},
		"504":                    {"http://", status("504"), "answered CONNECT with 504 Gateway Timeout: ", "proxy's log"},
		"302":                    {"http://", status("302"), "answered CONNECT with 302 Found: ", "HTTP proxy"},
		"204":                    {"http://", status("204"), "answered CONNECT with 204 No Content: ", "HTTP proxy"},
		"100":                    {"http://", status("100"), "answered CONNECT with 100 Continue: ", "HTTP proxy"},
		"no name":                {"http://", status("599"), "answered CONNECT with 599: ", "HTTP proxy"},
		"long header":            {"http://", answering(okay[:20] + "\r\nX: " + strings.Repeat("remote", 4<<10)), "answered CONNECT with a header of more than 16384 bytes", "address"},
		"more than a header":     {"http://", answering(okay + "remote"), "answered CONNECT with more than a header", "address"},
		"no HTTP":                {"http://", answering("remote\r\n\r\n"), "did not answer CONNECT: no usable answer", "address"},
		"closed":                 {"http://", answering(""), "did not answer CONNECT: connection closed early", "address"},
		"cut":                    {"http://", answering("HTTP/1.1 200 remote\r\nX: remote"), "did not answer CONNECT: connection closed early", "address"},
		"reset":                  {"http://", reset, "connection closed early: connection reset by peer", "address"},
		"https without TLS":      {"https://", sends("HTTP/1.1 400 remote\r\n\r\n"), "does not speak TLS as expected: no TLS spoken", "scheme"},
		"https, closed":          {"https://", func(net.Conn) {}, "does not speak TLS as expected: connection closed early", "address"},
		"407 after CONNECT":      {"http://", tunnelTo(good, "HTTP/1.1 407 remote\r\n\r\n"), "answered with 407 Proxy Authentication Required", "user"},
		"certificate":            {"http://", tunnelTo(expired, ""), ": TLS certificate expired", "renew"},
		"no TLS in the tunnel":   {"http://", sends(okay, "HTTP/1.1 404 remote\r\n\r\n"), ": no TLS spoken", "TLS"},
		"tunnel closed":          {"http://", answering(okay), ": connection closed early", "later"},
		"socks: general":         {"socks5://", sends("\x05\x00", reply("\x01")), "answered with a SOCKS5 error: general SOCKS server failure", "proxy's log"},
		"socks: forbidden":       {"socks5://", sends("\x05\x00", reply("\x02")), "answered with a SOCKS5 error: connection not allowed by ruleset", "proxy's log"},
		"socks: no network":      {"socks5://", sends("\x05\x00", reply("\x03")), "answered with a SOCKS5 error: network unreachable", "proxy's log"},
		"socks: no host":         {"socks5://", sends("\x05\x00", reply("\x04")), "answered with a SOCKS5 error: host unreachable", "proxy's log"},
		"socks: refused":         {"socks5://", sends("\x05\x00", reply("\x05")), "answered with a SOCKS5 error: connection refused", "proxy's log"},
		"socks: TTL":             {"socks5://", sends("\x05\x00", reply("\x06")), "answered with a SOCKS5 error: TTL expired", "proxy's log"},
		"socks: command":         {"socks5://", sends("\x05\x00", reply("\x07")), "answered with a SOCKS5 error: command not supported", "proxy's log"},
		"socks: unknown code":    {"socks5://", sends("\x05\x00", reply("\x63")), "answered with a SOCKS5 error: unknown code: 99", "proxy's log"},
		"socks: no method":       {"socks5://", sends("\x05\xff"), "answered with a SOCKS5 error: no acceptable authentication methods", "user"},
		"socks: wrong password":  {"socks5://user:secret@", sends("\x05\x02", "\x01\x01"), "answered with a SOCKS5 error: username/password authentication failed", "user"},
		"socks: another version": {"socks5://", sends("\x04\x5b"), "answered with a SOCKS5 error: unexpected protocol version 4", "proxy's log"},
		"socks: HTTP":            {"socks5://", sends("HTTP/1.1 400 remote\r\n\r\n"), "answered with a SOCKS5 error: unexpected protocol version 72", "proxy's log"},
		"socks: closed":          {"socks5://", func(net.Conn) {}, "did not answer as a SOCKS5 proxy: connection closed early", "address"},
		"socks: closed after it": {"socks5://", func(c net.Conn) { readSome(c); fmt.Fprint(c, "\x05\x00"); readSome(c) }, "did not answer as a SOCKS5 proxy: connection closed early", "address"},
		"dead":                   {"http://", nil, "cannot be reached: connection refused", "address"},
		"dead https":             {"https://", nil, "cannot be reached: connection refused", "address"},
		"dead socks":             {"socks5://", nil, "cannot be reached: connection refused", "address"},
	} {
		t.Run(name, func(t *testing.T) {
			addr := deadAddr(t)
			if c.serve != nil {
				addr = hosttest.Listen(t, c.serve)
			}
			r := resolver(t, wellknown.Config{Proxy: c.scheme + addr, RootCAs: hosttest.TrustedCA().Pool(), Timeout: 20 * time.Second})
			a, err := r.Authority(t.Context(), host, host)
			var lookup *wellknown.LookupError
			if row(t, a, err) != row4 || !errors.As(err, &lookup) || errors.Is(err, context.DeadlineExceeded) {
				t.Fatalf("%v, want %v", err, row4)
			}
			if !strings.Contains(lookup.Reason, "the proxy "+addr) || !strings.Contains(lookup.Reason, c.want) || !strings.Contains(lookup.Advice, c.advice) {
				t.Errorf("reason %q, advice %q; want %q, %q", lookup.Reason, lookup.Advice, c.want, c.advice)
			}
			if text := err.Error() + lookup.Advice; strings.Contains(text, "remote") || strings.Contains(text, "secret") {
				t.Errorf("secret or remote text in %q", text)
			}
		})
	}
}

// TestCauseOfSlowProxy checks that a time-out names the proxy and what it did not answer.
func TestCauseOfSlowProxy(t *testing.T) {
	silent := hosttest.Listen(t, func(c net.Conn) { hosttest.ReadHeader(c); readSome(c) })
	for _, scheme := range []string{"http", "https", "socks5"} {
		t.Run(scheme, func(t *testing.T) {
			t.Parallel()
			r := resolver(t, wellknown.Config{Proxy: scheme + "://" + silent, Timeout: shortTimeout})
			l := checkCause(t, r, cause{row4, "the proxy " + silent + " timed out while setting up the tunnel", "Proxy"})
			if !errors.Is(l, context.DeadlineExceeded) {
				t.Error(l)
			}
		})
	}
	stalls := hosttest.Listen(t, func(c net.Conn) {
		hosttest.ReadHeader(c)
		fmt.Fprint(c, "HTTP/1.1 200 OK\r\n\r\n")
		readSome(c)
		readSome(c)
	})
	t.Run("in the tunnel", func(t *testing.T) {
		t.Parallel()
		checkCause(t, resolver(t, wellknown.Config{Proxy: "http://" + stalls, Timeout: shortTimeout}),
			cause{row4, "through the proxy " + stalls + ": timed out in the TLS handshake", "Timeout"})
	})
	s := newNameServer(t, nil)
	r := resolver(t, wellknown.Config{Proxy: "http://proxy.invalid:3128", DNS: s.resolver(), Timeout: 20 * time.Second})
	checkCause(t, r, cause{row4, "the proxy proxy.invalid:3128 cannot be reached: no such host", "Proxy"})
}
