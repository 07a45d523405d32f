package wellknown_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"os"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/vepverify/vepverify/internal/hosttest"
	"github.com/vepverify/vepverify/wellknown"
)

// testHost is a host on real sockets. Its documents are valid and have the marker in them,
// so that a client without checks would accept them.
type testHost struct {
	*network
	name      string // in lookups
	config    wellknown.Config
	port      uint16       // in place of 443, for a resolver with its guard; else 0
	forbidden atomic.Int64 // connections to an address that must not be contacted
	listens   bool
	accepted  atomic.Int64
	closed    chan struct{} // receives when the client has closed a connection
}

func newTestHost(t *testing.T) *testHost {
	n := newNetwork(t)
	return &testHost{network: n, name: host, config: n.config(), closed: make(chan struct{}, 10)}
}

var markedDocument = strings.Replace(document(1), "{", `{"`+marker+`":"`+marker+`",`, 1)

// answer returns the text of an HTTP answer. Each header ends in CRLF.
func answer(status int, headers, body string) string {
	return fmt.Sprintf("HTTP/1.1 %d %s\r\nX-Marker: %s\r\n%s\r\n%s", status, marker, marker, headers, body)
}

// jsonAnswer returns an answer of application/json with its length.
func jsonAnswer(status int, body string) string {
	return answer(status, fmt.Sprintf("Content-Type: application/json\r\nContent-Length: %d\r\n", len(body)), body)
}

// unboundedAnswer returns the beginning of an answer that ends with the connection.
func unboundedAnswer(headers string) string {
	return answer(200, "Content-Type: application/json\r\n"+headers, "")
}

// accept calls serve for each connection, and waits for the client to close it.
func (h *testHost) accept(serve func(net.Conn)) {
	h.listens = true
	h.Put(host, hosttest.Listen(h.t, func(conn net.Conn) {
		h.accepted.Add(1)
		serve(conn)
		io.Copy(io.Discard, conn)
		h.closed <- struct{}{}
	}))
}

// acceptTLS calls serve for each TLS connection, after the header of a request.
func (h *testHost) acceptTLS(c *tls.Config, serve func(net.Conn)) {
	h.accept(func(conn net.Conn) {
		s := tls.Server(conn, c)
		if s.Handshake() != nil {
			return
		}
		hosttest.ReadHeader(s)
		serve(s)
		s.CloseWrite()
	})
}

// beforeTLS returns a host that calls serve in place of TLS.
func beforeTLS(serve func(net.Conn)) func(*testHost) {
	return func(h *testHost) { h.accept(serve) }
}

// afterRequest returns a host that calls serve after a request over valid TLS.
func afterRequest(serve func(net.Conn)) func(*testHost) {
	return func(h *testHost) {
		now := time.Now().Add(-time.Minute)
		h.acceptTLS(&tls.Config{Certificates: []tls.Certificate{certificate(h.t, now, host)}}, serve)
	}
}

// answersWith returns a host that sends that answer.
func answersWith(text string) func(*testHost) {
	return afterRequest(func(c net.Conn) { io.WriteString(c, text) })
}

// withCertificate returns a host with the certificate that make returns, and a valid
// document.
func withCertificate(make func(testing.TB) tls.Certificate) func(*testHost) {
	return func(h *testHost) {
		h.acceptTLS(&tls.Config{Certificates: []tls.Certificate{make(h.t)}}, func(c net.Conn) {
			io.WriteString(c, jsonAnswer(200, markedDocument))
		})
	}
}

func wrongName(t testing.TB) tls.Certificate {
	return certificate(t, time.Now().Add(-time.Minute), marker+".example")
}

func expired(t testing.TB) tls.Certificate {
	return certificate(t, time.Now().Add(-48*time.Hour), host)
}

func refusesConnections(h *testHost) { h.Refuse(host) }

func oldTLS(h *testHost) {
	h.acceptTLS(&tls.Config{
		Certificates: []tls.Certificate{certificate(h.t, time.Now().Add(-time.Minute), host)},
		MinVersion:   tls.VersionTLS10, MaxVersion: tls.VersionTLS10,
	}, func(c net.Conn) { io.WriteString(c, jsonAnswer(200, markedDocument)) })
}

// redirects redirects to an address that can be reached.
func redirects(h *testHost) {
	h.config.InsecureAllowPrivate = true
	target := hosttest.Listen(h.t, func(net.Conn) { h.forbidden.Add(1) })
	h.PutPort(target, target)
	answersWith(answer(302, "Location: https://"+target+"/.well-known/browserid\r\nContent-Length: 0\r\n", ""))(h)
}

// resolvesTo returns a host with these addresses.
func resolvesTo(addresses ...string) func(*testHost) {
	return func(h *testHost) {
		l, err := net.Listen("tcp", ":0")
		if err != nil {
			h.t.Fatal(err)
		}
		hosttest.Accept(h.t, l, func(net.Conn) { h.forbidden.Add(1) })
		h.port = uint16(l.Addr().(*net.TCPAddr).Port)
		h.name = fmt.Sprintf("%s:%d", host, h.port)
		s := newNameServer(h.t, map[string]records{host + ".": {addresses: addresses}})
		h.config.DNS, h.config.InsecureDialContext = s.resolver(), nil
	}
}

// waitForClose waits until the client closes the connection.
func waitForClose(c net.Conn) { io.Copy(io.Discard, underlying(c)) }

// gzipBomb answers with a document in gzip that is followed by endless spaces.
func gzipBomb(c net.Conn) {
	io.WriteString(c, unboundedAnswer("Content-Encoding: gzip\r\n"))
	w := gzip.NewWriter(c)
	io.WriteString(w, markedDocument)
	for spaces := bytes.Repeat([]byte(" "), 1<<16); ; {
		if _, err := w.Write(spaces); err != nil {
			return
		}
	}
}

// TestHostileHost checks the outcome of each fault. It also checks that the lookup ends by
// the deadline, that no goroutine and no connection is left, and that no error and no log
// has text of the host.
func TestHostileHost(t *testing.T) {
	good, half := jsonAnswer(200, markedDocument), len(markedDocument)/2
	var logged bytes.Buffer
	log.SetOutput(&logged)
	defer log.SetOutput(os.Stderr)
	for _, c := range []struct {
		name    string
		prepare func(*testHost)
		want    error
		late    bool // the lookup ends at the deadline
	}{
		{"refuses", refusesConnections, row3, false},
		{"accepts and says nothing", beforeTLS(waitForClose), row4, true},
		{"is asked and says nothing", afterRequest(waitForClose), row4, true},
		{"byte by byte, TLS", beforeTLS(func(c net.Conn) { writeSlowly(c, "\x16\x03\x03\x40\x00"+good) }), row4, true},
		{"byte by byte, header", afterRequest(func(c net.Conn) { writeSlowly(c, good) }), row4, true},
		{"byte by byte, body", afterRequest(func(c net.Conn) {
			io.WriteString(c, good[:len(good)-half])
			writeSlowly(c, good[len(good)-half:])
		}), row4, true},
		{"endless header", afterRequest(func(c net.Conn) {
			io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n")
			endless(c, "X-Marker: "+marker+"\r\n")
		}), row4, false},
		{"endless body", afterRequest(func(c net.Conn) {
			io.WriteString(c, unboundedAnswer("")+markedDocument)
			endless(c, " ")
		}), row5, false},
		{"endless chunks", afterRequest(func(c net.Conn) {
			io.WriteString(c, unboundedAnswer("Transfer-Encoding: chunked\r\n")+fmt.Sprintf("%x\r\n%s\r\n", len(markedDocument), markedDocument))
			endless(c, "4\r\n    \r\n")
		}), row5, false},
		{"compressed bomb", afterRequest(gzipBomb), row5, false},
		{"half a document, then reset", afterRequest(func(c net.Conn) {
			io.WriteString(c, good[:len(good)-half])
			reset(underlying(c))
		}), row4, false},
		{"half a document, then closed", answersWith(good[:len(good)-half]), row4, false},
		{"half a document, without a length", afterRequest(func(c net.Conn) {
			io.WriteString(c, unboundedAnswer("")+markedDocument[:half])
		}), row4, false},
		{"certificate of another name", withCertificate(wrongName), row4, false},
		{"certificate expired", withCertificate(expired), row4, false},
		{"certificate self-signed", withCertificate(selfSigned), row4, false},
		{"TLS 1.0", oldTLS, row4, false},
		{"redirects to a private address", redirects, row3, false},
		{"DNS: private addresses", resolvesTo("127.0.0.1", "10.0.0.1", "::1"), row5, false},
		{"DNS: the cloud's metadata", resolvesTo("169.254.169.254"), row5, false},
		{"429", answersWith(jsonAnswer(429, markedDocument)), row4, false},
		{"500", answersWith(jsonAnswer(500, markedDocument)), row4, false},
		{"503", answersWith(jsonAnswer(503, markedDocument)), row4, false},
		{"404", answersWith(jsonAnswer(404, markedDocument)), row3, false},
		{"HTML", answersWith(answer(200, "Content-Type: text/html\r\n", "<p>"+markedDocument)), row3, false},
		{"HTML that says it is JSON", answersWith(jsonAnswer(200, "<p>"+markedDocument)), row3, false},
		{"good after all", answersWith(good), nil, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			others := goleak.IgnoreCurrent()
			t.Cleanup(func() { goleak.VerifyNone(t, others) }) // runs last, because it was registered first
			h := newTestHost(t)
			c.prepare(h)
			if c.late {
				h.config.Timeout = 250 * time.Millisecond
			}
			h.expect(t, c.want, c.late)
		})
	}
	if logged.Len() > 0 {
		t.Errorf("logged %s", &logged)
	}
}

// expect looks the host up and checks the outcome. late means that the lookup ends at the
// deadline.
func (h *testHost) expect(t *testing.T, want error, late bool) {
	r, err := wellknown.NewResolver(h.config)
	if h.port != 0 {
		r, err = wellknown.NewResolverWithPort(h.config, h.port)
	}
	if err != nil {
		t.Fatal(err)
	}
	begin := time.Now()
	a, err := r.Authority(t.Context(), h.name, h.name)
	if got := row(t, a, err); got != want {
		t.Errorf("%v, want %v", err, want)
	}
	if errors.Is(err, context.DeadlineExceeded) != late || time.Since(begin) > 20*time.Second {
		t.Errorf("%v after %v", err, time.Since(begin))
	}
	expectNoMarker(t, h.name, err)
	h.expectClosed(t)
	if h.forbidden.Load() != 0 {
		t.Error("contacted an address that must not be contacted")
	}
}

// expectClosed checks that the client made one connection and closed it.
func (h *testHost) expectClosed(t *testing.T) {
	if !h.listens {
		return
	}
	select {
	case <-h.closed:
	case <-time.After(20 * time.Second):
		t.Error("the connection is still there")
	}
	if n := h.accepted.Load(); n != 1 {
		t.Errorf("%d connections", n)
	}
}
