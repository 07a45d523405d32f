package verifyapi_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	"go.uber.org/goleak"

	"github.com/vepverify/vepverify/assertion"
	"github.com/vepverify/vepverify/devidp/idptest"
	"github.com/vepverify/vepverify/internal/answer/answertest"
	"github.com/vepverify/vepverify/verifyapi"
	"github.com/vepverify/vepverify/wellknown"
)

func TestMain(m *testing.M) {
	if addr := os.Getenv(idleClients); addr != "" {
		os.Exit(holdConnections(addr))
	}
	// After it closes a connection for writing, net/http waits for half a second.
	goleak.VerifyTestMain(m, goleak.IgnoreAnyFunction("net/http.(*conn).closeWriteAndWait"))
}

// now is the time at which the assertions below are valid.
var now = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

const (
	audience = "https://rp.example"
	email    = "alice@idp.example"
)

var (
	idp   = idptest.New("idp.example", idptest.Key("RS256")).At(now)
	other = idptest.New("other.example", idptest.Key("RS256-2")).At(now)
	user  = idptest.Key("DS128")
	good  = idp.Backed(email, user, audience)

	// goodAnswer is the whole answer to good.
	goodAnswer = fmt.Sprintf(`{"status":"okay","email":"alice@idp.example","audience":"https://rp.example","expires":%d,"issuer":"idp.example"}`,
		now.Add(idptest.AssertionLife).UnixMilli())
)

// foreign is by an issuer that has no authority for the address, and is accepted
// only where that issuer is trusted.
var foreign = idptest.Backed(other.Certificate(email, user.Public()), other.Assertion(audience, user))

// static has documents of idp.example and other.example. none.example does not
// support BrowserID, and all other domains are unavailable.
var static = sync.OnceValue(func() *wellknown.Static {
	s, err := wellknown.NewStatic(map[string]json.RawMessage{
		"idp.example": idp.Document().JSON(), "other.example": other.Document().JSON(), "none.example": nil,
	})
	if err != nil {
		panic(err)
	}
	return s
})

func newVerifier(t testing.TB, c assertion.Config) *assertion.Verifier {
	t.Helper()
	if c.Keys == nil {
		c.Keys = static()
	}
	c.Now = func() time.Time { return now }
	v, err := assertion.NewVerifier(c)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// watched is a handler with its logs and metrics, which are searched for secrets at
// the end of the test.
type watched struct {
	*verifyapi.Handler
	log      *logs
	registry *prometheus.Registry
}

func watch(t testing.TB, c verifyapi.Config) *watched {
	t.Helper()
	w := &watched{log: new(logs), registry: prometheus.NewRegistry()}
	if c.Verifier == nil {
		c.Verifier = newVerifier(t, assertion.Config{})
	}
	var err error
	if c.Metrics, err = verifyapi.NewMetrics(w.registry); err != nil {
		t.Fatal(err)
	}
	c.Logger = slog.New(slog.NewTextHandler(w.log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	if w.Handler, err = verifyapi.New(c); err != nil {
		t.Fatal(err)
	}
	if !c.LogEmails {
		t.Cleanup(func() { w.checkSecrecy(t) })
	}
	return w
}

// checkSecrecy checks that logs and metrics have no token, which begins with the
// base64url of `{"`, and no address: every address in these tests is Alice's.
func (w *watched) checkSecrecy(t testing.TB) {
	for what, text := range map[string]string{"log": w.log.String(), "metrics": w.metricsText()} {
		for _, secret := range []string{"eyJ", "alice", "Alice"} {
			if i := strings.Index(text, secret); i >= 0 {
				t.Errorf("the %s contains a secret: …%.200s", what, text[max(0, i-80):])
			}
		}
	}
}

func (w *watched) metricsText() string {
	rec := httptest.NewRecorder()
	promhttp.HandlerFor(w.registry, promhttp.HandlerOpts{}).ServeHTTP(rec, httptest.NewRequest("GET", "/metrics", nil))
	return rec.Body.String()
}

// metric returns the value of a metric as text.
func (w *watched) metric(t testing.TB, name string) string {
	t.Helper()
	for line := range strings.Lines(w.metricsText()) {
		if value, ok := strings.CutPrefix(line, name+" "); ok {
			return strings.TrimSpace(value)
		}
	}
	t.Errorf("no metric %s in\n%s", name, w.metricsText())
	return ""
}

// service is a watched handler with a real socket.
type service struct {
	*watched
	addr, url string
}

func serve(t testing.TB, c verifyapi.Config) *service {
	t.Helper()
	w := watch(t, c)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := w.Server()
	done := make(chan error)
	go func() { done <- s.Serve(l) }()
	t.Cleanup(func() {
		s.Close()
		if err := <-done; err != http.ErrServerClosed {
			t.Error(err)
		}
	})
	return &service{w, l.Addr().String(), "http://" + l.Addr().String()}
}

// client returns a client with connections of its own, which are closed when the test
// ends.
func client(t testing.TB) *http.Client {
	transport := new(http.Transport)
	t.Cleanup(transport.CloseIdleConnections)
	return &http.Client{Transport: transport, Timeout: time.Minute}
}

// reply is a response and its body.
type reply struct {
	*http.Response
	body string
}

func read(t testing.TB, resp *http.Response, err error) reply {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return reply{resp, string(body)}
}

func (s *service) post(t testing.TB, path, contentType, body string) reply {
	t.Helper()
	resp, err := client(t).Post(s.url+path, contentType, strings.NewReader(body))
	return read(t, resp, err)
}

// checkServes checks that a good request is answered.
func (s *service) checkServes(t testing.TB) {
	t.Helper()
	if got := s.post(t, "/v2", "application/json", ask(good)); got.StatusCode != 200 || got.body != goodAnswer {
		t.Fatalf("a good request gets %s %s", got.Status, got.body)
	}
}

// ask returns the body of a request for a verification, with more members if given.
func ask(a string, more ...string) string {
	return fmt.Sprintf(`{"assertion":%q,"audience":%q%s}`, a, audience, strings.Join(append([]string{""}, more...), ","))
}

// reason returns the reason of a failure.
func reason(t testing.TB, body string) string {
	t.Helper()
	a, err := answertest.Parse([]byte(body))
	if err != nil || a.Failure == nil || a.Failure.Reason == "" {
		t.Fatalf("not a failure with a reason: %s", body)
	}
	return a.Failure.Reason
}

// logs is a buffer that is safe for concurrent use.
type logs struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (l *logs) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.Write(p)
}

func (l *logs) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.String()
}

// source is a KeySource that calls a function before static.
type source func(ctx context.Context, host string) error

func (s source) Authority(ctx context.Context, host, emailDomain string) (*wellknown.Authority, error) {
	if err := s(ctx, host); err != nil {
		return nil, err
	}
	return static().Authority(ctx, host, emailDomain)
}

var securityHeaders = map[string]string{
	"Cache-Control":             "private, no-cache, no-store, must-revalidate, max-age=0",
	"X-Content-Type-Options":    "nosniff",
	"X-Frame-Options":           "DENY",
	"Strict-Transport-Security": "max-age=15552000",
}

// The Content-Security-Policy of the original's paths, which have X-XSS-Protection too, and
// of all others.
const (
	originalPolicy = "default-src 'none'; frame-ancestors 'none'; report-uri /__cspreport__"
	ownPolicy      = "default-src 'none'; frame-ancestors 'none'"
)

// checkHeaders checks the headers that every response has. TestPolicies checks which
// policy a path has.
func checkHeaders(t testing.TB, r *http.Response) {
	t.Helper()
	for name, want := range securityHeaders {
		if got := r.Header.Values(name); len(got) != 1 || got[0] != want {
			t.Errorf("%s: %q, not %q", name, got, want)
		}
	}
	policy, xss := r.Header.Values("Content-Security-Policy"), r.Header.Values("X-XSS-Protection")
	original := len(policy) == 1 && policy[0] == originalPolicy && len(xss) == 1 && xss[0] == "1; mode=block"
	own := len(policy) == 1 && policy[0] == ownPolicy && len(xss) == 0
	if !original && !own || original && r.StatusCode == http.StatusNotFound {
		t.Errorf("%s: policy %q, X-XSS-Protection %q", r.Status, policy, xss)
	}
	if len(r.Header.Values("X-Request-Id")) != 1 || r.Header.Get("X-Request-Id") == "" {
		t.Errorf("X-Request-Id: %q", r.Header.Values("X-Request-Id"))
	}
	if r.ContentLength < 0 {
		t.Error("no Content-Length")
	}
	if r.StatusCode != http.StatusNoContent && r.Header.Get("Content-Type") == "" {
		t.Error("no Content-Type")
	}
}
