package wellknown_test

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"code.dny.dev/ssrf"

	"github.com/vepverify/vepverify/wellknown"
)

// The tests in this file look up hosts on real sockets, with a clock that they set.

type clock struct{ passed atomic.Int64 }

func (c *clock) now() time.Time { return start.Add(time.Duration(c.passed.Load())) }

func (c *clock) advance(d time.Duration) { c.passed.Add(int64(d)) }

// minuteDocument serves a variant of document that is fresh for a minute.
func minuteDocument(variant int64) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Cache-Control", "max-age=60")
		jsonHandler(document(variant))(w, r)
	}
}

// codedAnswer returns an answer that is called a document in that content coding.
func codedAnswer(coding string) string {
	return strings.Replace(jsonAnswer(200, document(2)), "\r\n", "\r\nContent-Encoding: "+coding+"\r\n", 1)
}

// hasKeyOf reports whether a has the key of that variant of document.
func hasKeyOf(t *testing.T, a *wellknown.Authority, variant int64) bool {
	t.Helper()
	d, err := wellknown.ParseDocument([]byte(document(variant)))
	if err != nil {
		t.Fatal(err)
	}
	return a != nil && len(a.Keys) == 1 && a.Keys[0].Equal(d.PublicKey)
}

// TestHostOutage checks that a known document counts during an outage of an hour, and
// that the host's next answer replaces it.
func TestHostOutage(t *testing.T) {
	for name, leave := range map[string]func(*network){
		"refuses":           func(n *network) { n.Refuse(host) },
		"says nothing":      func(n *network) { n.raw(host, false, waitForClose) },
		"stalls when asked": func(n *network) { n.raw(host, true, waitForClose) },
		"resets":            func(n *network) { n.raw(host, false, reset) },
		"is gone from DNS":  func(n *network) { n.Remove(host) },
		"speaks no TLS": func(n *network) {
			n.raw(host, false, func(c net.Conn) { io.WriteString(c, jsonAnswer(404, "")); waitForClose(c) })
		},
		"is overloaded":         func(n *network) { n.answer(host, jsonAnswer(503, "")) },
		"is cut off":            func(n *network) { n.answer(host, jsonAnswer(200, document(2))[:100]) },
		"sends another coding":  func(n *network) { n.answer(host, codedAnswer("br")) },
		"sends several codings": func(n *network) { n.answer(host, codedAnswer("identity, gzip, gzip")) },
		"sends broken gzip":     func(n *network) { n.answer(host, codedAnswer("gzip")) },
		"sends a long header":   func(n *network) { n.answer(host, codedAnswer(strings.Repeat("x", 17<<10))) },
		"sends no HTTP":         func(n *network) { n.answer(host, "220 mail.example\r\n\r\n") },
		"lost its certificate": func(n *network) {
			n.ServeTLS(host, &tls.Config{Certificates: []tls.Certificate{expired(n.t)}}, minuteDocument(2))
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			n, c := newNetwork(t), new(clock)
			config := n.config()
			config.Now, config.Timeout = c.now, 300*time.Millisecond
			r := resolver(t, config)
			n.Serve(host, minuteDocument(1))
			c.until(t, r, 1)
			leave(n)
			for range 3 {
				c.advance(20*time.Minute + 10*time.Second)
				if a, got := lookUp(t, r, host); !hasKeyOf(t, a, 1) {
					t.Errorf("%v at %v", got, c.now())
				}
			}
			n.Serve(host, minuteDocument(3))
			c.until(t, r, 3)
		})
	}
}

// until looks the host up every five seconds until the answer has the key of that variant:
// on a slow machine, a fetch may time out.
func (c *clock) until(t *testing.T, r *wellknown.Resolver, variant int64) {
	t.Helper()
	for range 20 {
		c.advance(5 * time.Second)
		if a, _ := lookUp(t, r, host); hasKeyOf(t, a, variant) {
			return
		}
	}
	t.Fatalf("no keys of variant %d", variant)
}

// TestHostChangesKeys checks that Refresh returns new keys after a minute, and Authority
// when the document has expired.
func TestHostChangesKeys(t *testing.T) {
	n, c := newNetwork(t), new(clock)
	var variant atomic.Int64
	n.Serve(host, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Cache-Control", "max-age=300")
		jsonHandler(document(variant.Load()))(w, r)
	})
	config := n.config()
	config.Now = c.now
	r := resolver(t, config)
	for _, step := range []struct {
		later   time.Duration
		variant int64
		ask     func(context.Context, string, string) (*wellknown.Authority, error)
		want    int64
	}{
		{0, 1, r.Authority, 1},
		{time.Minute, 2, r.Authority, 1},
		{0, 2, r.Refresh, 1}, // not older than a minute
		{time.Second, 2, r.Refresh, 2},
		{0, 2, r.Authority, 2},
		{5*time.Minute - time.Second, 3, r.Authority, 2},
		{time.Second, 3, r.Authority, 3},
	} {
		c.advance(step.later)
		variant.Store(step.variant)
		a, err := step.ask(t.Context(), host, host)
		if row(t, a, err) != nil || !hasKeyOf(t, a, step.want) {
			t.Errorf("after %v: not the keys of variant %d, %v", time.Duration(c.passed.Load()), step.want, err)
		}
	}
}

// TestRebindingLater checks a host whose address becomes private.
func TestRebindingLater(t *testing.T) {
	c := new(clock)
	port, trapped := serveWithTrap(t, minuteDocument(1))
	s := newNameServer(t, map[string]records{host + ".": {addresses: []string{"127.0.0.1"}}})
	r := trapResolver(t, wellknown.Config{DNS: s.resolver(), Now: c.now}, port)
	name := fmt.Sprintf("%s:%d", host, port)
	first, got := lookUp(t, r, name)
	if got != nil {
		t.Fatal(got)
	}
	s.set(host+".", records{addresses: []string{"127.0.0.2"}})
	c.advance(time.Hour)
	if a, got := lookUp(t, r, name); got != nil || a.Fetched != first.Fetched {
		t.Errorf("known: %v", got)
	}
	a, err := r.Authority(t.Context(), name, "unknown.example")
	if row(t, a, err) != row5 || !errors.Is(err, ssrf.ErrProhibitedIP) {
		t.Errorf("not known: %v", err)
	}
	s.set(host+".", records{addresses: []string{"127.0.0.2", "127.0.0.1", "10.0.0.1"}})
	if a, err := r.Authority(t.Context(), name, "other.example"); row(t, a, err) != nil {
		t.Errorf("one of them public: %v", err)
	}
	if trapped.Load() != 0 {
		t.Error("the private address was dialled")
	}
}
