package wellknown_test

import (
	"compress/gzip"
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/vepverify/vepverify/internal/hosttest"
	"github.com/vepverify/vepverify/wellknown"
)

// meter counts the bytes read from connections.
type meter struct {
	net.Conn
	n *atomic.Int64
}

func (m meter) Read(p []byte) (int, error) {
	n, err := m.Conn.Read(p)
	m.n.Add(int64(n))
	return n, err
}

// metered returns the configuration of n with a meter for all connections.
func metered(n *network) (wellknown.Config, *atomic.Int64) {
	read := new(atomic.Int64)
	c := n.config()
	c.InsecureDialContext = func(ctx context.Context, network, addr string) (net.Conn, error) {
		conn, err := n.Dial(ctx, network, addr)
		if err != nil {
			return nil, err
		}
		return meter{conn, read}, nil
	}
	return c, read
}

const (
	bodyLimit = 64 << 10
	wireLimit = 192 << 10 // of all bytes of an exchange
	// slack is for the bytes that are read besides the body: the TLS handshake, the framing
	// of records and chunks, and what is read ahead.
	slack = 48 << 10
)

// endless writes until the client closes the connection.
func endless(conn net.Conn, text string) {
	for block := strings.Repeat(text, 1+1000/len(text)); ; {
		if _, err := fmt.Fprint(conn, block); err != nil {
			return
		}
	}
}

func TestEndless(t *testing.T) {
	head := "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
	for name, c := range map[string]struct {
		serve func(net.Conn)
		want  error
	}{
		"body until close": {func(c net.Conn) { fmt.Fprint(c, head+"\r\n"); endless(c, " ") }, row5},
		"body with length": {func(c net.Conn) { fmt.Fprint(c, head+"Content-Length: 99999999\r\n\r\n"); endless(c, " ") }, row5},
		"body of chunks": {func(c net.Conn) {
			fmt.Fprint(c, head+"Transfer-Encoding: chunked\r\n\r\n")
			endless(c, "4\r\n    \r\n")
		}, row5},
		"chunks of 1 byte": {func(c net.Conn) {
			fmt.Fprint(c, head+"Transfer-Encoding: chunked\r\n\r\n")
			endless(c, "1;xxxxx\r\n \r\n")
		}, row5},
		"chunk extensions": {func(c net.Conn) { fmt.Fprint(c, head+"Transfer-Encoding: chunked\r\n\r\n1;"); endless(c, "x") }, row4},
		"tiny chunks": {func(c net.Conn) {
			fmt.Fprint(c, head+"Transfer-Encoding: chunked\r\n\r\n")
			endless(c, "1;xxxxxxxxxxxxxxxxxxxxxxxxxxxxx\r\n \r\n")
		}, row4},
		"trailer":           {func(c net.Conn) { fmt.Fprint(c, head+"Transfer-Encoding: chunked\r\n\r\n0\r\nX: "); endless(c, "x") }, row4},
		"header lines":      {func(c net.Conn) { fmt.Fprint(c, head); endless(c, "X: y\r\n") }, row4},
		"header line":       {func(c net.Conn) { fmt.Fprint(c, head+"X: "); endless(c, "x") }, row4},
		"status line":       {func(c net.Conn) { fmt.Fprint(c, "HTTP/1.1 200 "); endless(c, "O") }, row4},
		"informational":     {func(c net.Conn) { endless(c, "HTTP/1.1 103 Early Hints\r\nX: y\r\n\r\n") }, row4},
		"gzip bomb":         {func(c net.Conn) { fmt.Fprint(c, head+"Content-Encoding: gzip\r\n\r\n"); writeBomb(c) }, row5},
		"empty gzips":       {func(c net.Conn) { fmt.Fprint(c, head+"Content-Encoding: gzip\r\n\r\n"); endless(c, emptyGzip()) }, row5},
		"body behind a 404": {func(c net.Conn) { fmt.Fprint(c, "HTTP/1.1 404 Not Found\r\n\r\n"); endless(c, " ") }, row3},
		"body of HTML":      {func(c net.Conn) { fmt.Fprint(c, "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n"); endless(c, " ") }, row3},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			n := newNetwork(t)
			n.raw(host, true, func(conn net.Conn) { hosttest.ReadHeader(conn); c.serve(conn) })
			config, read := metered(n)
			if _, got := lookUp(t, resolver(t, config), host); got != c.want {
				t.Errorf("%v, want %v", got, c.want)
			}
			most := int64(bodyLimit + slack)
			if strings.Contains(name, "chunk") {
				most = wireLimit
			}
			if read.Load() > most {
				t.Errorf("%d bytes read", read.Load())
			}
		})
	}
}

// writeBomb writes zeros in gzip until the client closes the connection.
func writeBomb(conn net.Conn) {
	w := gzip.NewWriter(conn)
	for block := make([]byte, 1<<16); ; {
		if _, err := w.Write(block); err != nil {
			return
		}
	}
}

func emptyGzip() string {
	var b strings.Builder
	gzip.NewWriter(&b).Close()
	return b.String()
}

// TestLimit checks a body of the maximum size, and one of one byte more.
func TestLimit(t *testing.T) {
	good := document(1)
	for spaces, want := range map[int]error{bodyLimit - len(good): nil, bodyLimit - len(good) + 1: row5} {
		r := resolver(t, wellknown.Config{InsecureTransport: roundTripper(func(*http.Request) (*http.Response, error) {
			return reply(200, good+strings.Repeat(" ", spaces))
		})})
		if _, got := lookUp(t, r, host); got != want {
			t.Errorf("%d bytes: %v, want %v", len(good)+spaces, got, want)
		}
	}
}

// TestSlow checks that the deadline ends a slow exchange, and that no connection is left.
// TestMain checks that no goroutine is.
func TestSlow(t *testing.T) {
	good := document(1)
	text := fmt.Sprintf("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s", len(good), good)
	for name, prepare := range map[string]func(*network, func(net.Conn, string)){
		"header": func(n *network, slowly func(net.Conn, string)) {
			n.raw(host, true, func(c net.Conn) { slowly(c, text) })
		},
		"body": func(n *network, slowly func(net.Conn, string)) {
			n.raw(host, true, func(c net.Conn) { fmt.Fprint(c, text[:90]); slowly(c, text[90:]) })
		},
		"TLS": func(n *network, slowly func(net.Conn, string)) {
			n.raw(host, false, func(c net.Conn) { slowly(c, "\x16\x03\x03\x40\x00"+text) })
		},
		"silent TCP": func(n *network, slowly func(net.Conn, string)) {
			n.raw(host, false, func(c net.Conn) { slowly(c, "") })
		},
		"silent TLS": func(n *network, slowly func(net.Conn, string)) {
			n.raw(host, true, func(c net.Conn) { slowly(c, "") })
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			n := newNetwork(t)
			gone := make(chan struct{})
			once := func(c net.Conn, text string) {
				defer close(gone)
				writeSlowly(c, text)
			}
			prepare(n, once)
			config := n.config()
			config.Timeout = 250 * time.Millisecond
			start := time.Now()
			a, err := resolver(t, config).Authority(t.Context(), host, host)
			if got := row(t, a, err); got != row4 {
				t.Errorf("%v, want %v", got, row4)
			}
			if took := time.Since(start); took > 10*time.Second {
				t.Errorf("took %v", took)
			}
			<-gone // the client has closed the connection
		})
	}
}

// writeSlowly writes one byte after the other, with pauses, and then waits for the client
// to close the connection.
func writeSlowly(c net.Conn, text string) {
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for i := range len(text) {
		if _, err := c.Write([]byte{text[i]}); err != nil {
			return
		}
		<-tick.C
	}
	for {
		if _, err := underlying(c).Read(make([]byte, 1)); err != nil {
			return
		}
	}
}

func underlying(c net.Conn) net.Conn {
	if t, ok := c.(*tls.Conn); ok {
		return t.NetConn()
	}
	return c
}
