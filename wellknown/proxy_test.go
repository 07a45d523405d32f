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

	"github.com/vepverify/vepverify/wellknown"
)

// testProxy is a proxy on a port of this machine.
type testProxy struct {
	targets map[string]string // addresses of listeners, by "idp.example:443"
	asked   atomic.Int64

	mu     sync.Mutex
	header string // of the last CONNECT
}

// connect answers a CONNECT.
func (p *testProxy) connect(conn net.Conn) {
	p.asked.Add(1)
	header := readHeader(conn)
	p.mu.Lock()
	p.header = header
	p.mu.Unlock()
	var target string
	fmt.Sscanf(header, "CONNECT %s HTTP/1.1\r\n", &target)
	where, known := p.targets[target]
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
	where, known := p.targets[fmt.Sprintf("%s:%d", name, binary.BigEndian.Uint16(buf))]
	if !known {
		conn.Write([]byte{5, 4, 0, 1, 0, 0, 0, 0, 0, 0})
		return
	}
	p.relay(conn, where, "\x05\x00\x00\x01\x00\x00\x00\x00\x00\x00")
}

// behindProxy returns a proxy for hosts that cannot be reached without it.
func behindProxy(t *testing.T) *testProxy {
	n := newNetwork(t)
	n.serve(host, jsonHandler(document(1)))
	n.answer("gone.example", "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n")
	n.raw("plain.example", false, func(c net.Conn) { fmt.Fprint(c, "HTTP/1.1 404 Not Found\r\n\r\n"); readHeader(c) })
	n.put("dead.example", deadAddr(t))
	return &testProxy{targets: n.hosts}
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
	cert := testCA().certificate(t, time.Now().Add(-time.Minute), "localhost")
	p := behindProxy(t)
	overTLS := func(conn net.Conn) {
		if s := tls.Server(conn, &tls.Config{Certificates: []tls.Certificate{cert}}); s.Handshake() == nil {
			p.connect(s)
		}
	}
	_, httpsPort, _ := net.SplitHostPort(listen(t, overTLS))
	for name, url := range map[string]string{
		"http":   "http://user:secret@" + listen(t, p.connect),
		"https":  "https://localhost:" + httpsPort,
		"socks5": "socks5://" + listen(t, p.socks),
	} {
		t.Run(name, func(t *testing.T) {
			r := resolver(t, wellknown.Config{Proxy: url, RootCAs: testCA().pool()})
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
	r := resolver(t, wellknown.Config{Proxy: "http://user:p%40ss@" + listen(t, p.connect), RootCAs: testCA().pool()})
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
		return listen(t, func(c net.Conn) { readHeader(c); fmt.Fprint(c, text) })
	}
	silentThenText := func(text string) string {
		return listen(t, func(c net.Conn) {
			readHeader(c)
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
		"https without TLS":  "https://" + listen(t, func(c net.Conn) { fmt.Fprint(c, "HTTP/1.1 400 Bad Request\r\n\r\n"); readSome(c) }),
		"redirect":           "http://" + answering("HTTP/1.1 302 Found\r\nLocation: /\r\n\r\n"),
		"forbidden":          "http://" + answering("HTTP/1.1 403 Forbidden\r\n\r\n"),
		"wants a password":   "http://" + answering("HTTP/1.1 407 Proxy Authentication Required\r\n\r\n"),
		"bad gateway":        "http://" + answering("HTTP/1.1 502 Bad Gateway\r\n\r\n"),
		"endless header":     "http://" + listen(t, func(c net.Conn) { readHeader(c); endless(c, "HTTP/1.1 200 OK\r\nX: y\r\n") }),
		"hangs up":           "http://" + answering(""),
		"no proxy":           "http://" + answering("hello"),
		"login page inside":  "http://" + silentThenText("HTTP/1.1 404 Not Found\r\n\r\n"),
		"socks: no SOCKS":    "socks5://" + listen(t, func(c net.Conn) { fmt.Fprint(c, "HTTP/1.1 400 Bad Request\r\n\r\n"); readSome(c) }),
		"socks: wants login": "socks5://" + listen(t, func(c net.Conn) { readSome(c); c.Write([]byte{5, 255}) }),
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
	addr := listen(t, func(c net.Conn) {
		readHeader(c)
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
		addr := listen(t, func(c net.Conn) { defer close(gone); writeSlowly(c, "") })
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
	addr := listen(t, func(c net.Conn) { asked.Add(1) })
	for _, name := range []string{"HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"} {
		t.Setenv(name, "http://"+addr)
	}
	n := newNetwork(t)
	n.serve(host, jsonHandler(document(1)))
	c := n.config()
	if _, got := lookUp(t, resolver(t, c), host); got != nil {
		t.Errorf("own dial function: %v", got)
	}
	s := newNameServer(t, map[string]records{host + ".": {addresses: []string{"127.0.0.1"}}})
	c = wellknown.Config{RootCAs: c.RootCAs, DNS: s.resolver(), InsecureAllowPrivate: true}
	if _, got := lookUp(t, resolver(t, c), host+":"+portOf(t, n.hosts[host+":443"])); got != nil {
		t.Errorf("own DNS: %v", got)
	}
	if asked.Load() != 0 {
		t.Errorf("%d connections to a proxy", asked.Load())
	}
}
