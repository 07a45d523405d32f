package vepauth_test

import (
	"bufio"
	"context"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/vepverify/vepverify/vepauth"
)

// remote is a site with a socket, and a client that signs in to it.
type remote struct {
	*site
	*requestLog
	origin    string
	transport *vepauth.Transport
	client    *http.Client
}

// newRemote starts a site for its own origin, over TLS or plain http.
func newRemote(t testing.TB, secure bool, c vepauth.Config) *remote {
	t.Helper()
	r := &remote{requestLog: new(requestLog)}
	server := httptest.NewUnstartedServer(nil)
	r.origin = "http://" + server.Listener.Addr().String()
	if secure {
		r.origin = "https://" + server.Listener.Addr().String()
	}
	c.Audiences = []string{r.origin}
	r.site = newSite(t, &c)
	r.requestLog.next = r.site.auth.Handler(http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
		if strings.HasPrefix(q.URL.Path, "/public") {
			echo(w, q)
			return
		}
		r.site.auth.Require(http.HandlerFunc(echo)).ServeHTTP(w, q)
	}))
	server.Config.Handler = r.requestLog
	if secure {
		server.StartTLS()
	} else {
		server.Start()
	}
	t.Cleanup(server.Close)
	r.transport = &vepauth.Transport{Assertion: r.assertion, Base: server.Client().Transport, Now: r.site.now}
	r.client = &http.Client{Transport: r.transport}
	return r
}

func (r *remote) assertion(_ context.Context, audience string) (string, error) {
	return idp.At(r.site.now()).Backed(alice, userKey, audience), nil
}

// requestLog records each request, and the status of the answer before it is sent.
type requestLog struct {
	next  http.Handler
	mu    sync.Mutex
	lines []string
}

func (l *requestLog) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	signed := ""
	if r.Header.Get("Authorization") != "" {
		signed = " signed"
	}
	reporting := &statusWriter{ResponseWriter: w, report: func(status int) {
		l.mu.Lock()
		defer l.mu.Unlock()
		l.lines = append(l.lines, r.Method+signed+" "+r.RequestURI+" "+http.StatusText(status))
	}}
	l.next.ServeHTTP(reporting, r)
	reporting.WriteHeader(200)
}

// take returns the lines since the last call.
func (l *requestLog) take() []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	lines := l.lines
	l.lines = nil
	return lines
}

// count returns the number of lines since the last call of take that are equal to line.
func (l *requestLog) count(line string) (n int) {
	for _, logged := range l.take() {
		if logged == line {
			n++
		}
	}
	return n
}

// want compares the lines since the last call of take.
func (l *requestLog) want(t testing.TB, what string, lines ...string) {
	t.Helper()
	if d := cmp.Diff(lines, l.take()); d != "" {
		t.Errorf("%s: %s", what, d)
	}
}

// statusWriter reports the status as soon as there is one.
type statusWriter struct {
	http.ResponseWriter
	report func(status int) // nil after the call
}

func (w *statusWriter) WriteHeader(status int) {
	if w.report != nil {
		w.report(status)
		w.report = nil
		w.ResponseWriter.WriteHeader(status)
	}
}

func (w *statusWriter) Write(b []byte) (int, error) {
	w.WriteHeader(200)
	return w.ResponseWriter.Write(b)
}

func (w *statusWriter) FlushError() error {
	w.WriteHeader(200)
	return http.NewResponseController(w.ResponseWriter).Flush()
}

func (w *statusWriter) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	w.report(0)
	w.report = nil
	return http.NewResponseController(w.ResponseWriter).Hijack()
}

// wantAnswer reads an answer and compares it.
func wantAnswer(t testing.TB, what string, res *http.Response, err error, status int, body string) {
	t.Helper()
	if err != nil {
		t.Errorf("%s: %v", what, err)
		return
	}
	defer res.Body.Close()
	got, err := io.ReadAll(res.Body)
	if err != nil || res.StatusCode != status || status == 200 && string(got) != body {
		t.Errorf("%s: %d %q, %v; want %d %q", what, res.StatusCode, got, err, status, body)
	}
}

// streamed hides the type of a reader, so that a request with it has no GetBody.
func streamed(s string) io.Reader { return io.MultiReader(strings.NewReader(s)) }

// bodies counts open bodies.
type bodies struct {
	base http.RoundTripper
	mu   sync.Mutex
	open int
}

func (b *bodies) RoundTrip(r *http.Request) (*http.Response, error) {
	res, err := b.base.RoundTrip(r)
	if err == nil {
		b.opened()
		res.Body = &body{Reader: res.Body, close: res.Body.Close, count: b}
	}
	return res, err
}

func (b *bodies) opened() { b.add(1) }

func (b *bodies) add(n int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.open += n
}

func (b *bodies) left() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.open
}

type body struct {
	io.Reader
	close func() error
	once  sync.Once
	count *bodies
}

func (b *body) Close() error {
	b.once.Do(func() { b.count.add(-1) })
	if b.close != nil {
		return b.close()
	}
	return nil
}
