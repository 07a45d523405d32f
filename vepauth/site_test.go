package vepauth_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/vepverify/vepverify/assertion"
	"github.com/vepverify/vepverify/devidp/idptest"
	"github.com/vepverify/vepverify/vepauth"
	"github.com/vepverify/vepverify/wellknown"
)

const (
	rp    = "https://rp.example"
	alice = "alice@idp.example"
)

// start is the time at which all tests begin.
var start = time.Unix(1700000000, 0)

var (
	idp        = idptest.New("idp.example").At(start)
	userKey    = idptest.Key("DS128")
	discardLog = slog.New(slog.DiscardHandler)
)

// clock is a clock that tests advance.
type clock struct {
	mu sync.Mutex
	t  time.Time
}

func newClock() *clock { return &clock{t: start} }

func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.t
}

func (c *clock) advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.t = c.t.Add(d)
}

// setToNow sets the clock to the real time, for clients with a clock of their own.
func (c *clock) setToNow() { c.advance(time.Since(c.now())) }

// verifier returns a Verifier with the keys of idp.
func verifier(t testing.TB, now func() time.Time) *assertion.Verifier {
	t.Helper()
	known, err := wellknown.NewStatic(map[string]json.RawMessage{"idp.example": idp.Document().JSON()})
	if err != nil {
		t.Fatal(err)
	}
	v, err := assertion.NewVerifier(assertion.Config{Keys: known, Now: now})
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// site is a server under test: an Authenticator with a handler that answers with the signer
// and the body.
type site struct {
	testing.TB
	*clock
	auth    *vepauth.Authenticator
	handler http.Handler
	scheme  vepauth.Scheme
	logger  *slog.Logger
}

// newSite returns a site. A nil Config, and zero fields, mean defaults for tests.
func newSite(t testing.TB, c *vepauth.Config) *site {
	t.Helper()
	s := &site{TB: t, clock: newClock()}
	if c == nil {
		c = new(vepauth.Config)
	}
	config := *c
	if config.Audiences == nil {
		config.Audiences = []string{rp, "http://rp.example"} // with TLS and without
	}
	if config.Now == nil {
		config.Now = s.now
	}
	if config.Verifier == nil {
		config.Verifier = verifier(t, s.now)
	}
	if config.Logger == nil {
		config.Logger = discardLog
	}
	var err error
	if s.auth, err = vepauth.New(config); err != nil {
		t.Fatal(err)
	}
	s.handler, s.scheme, s.logger = s.auth.Handler(http.HandlerFunc(echo)), config.Scheme, config.Logger
	return s
}

// echo answers with the signer and the body.
func echo(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	signer := "anonymous"
	if id, ok := vepauth.FromContext(r.Context()); ok {
		signer = id.Email
	}
	fmt.Fprintf(w, "%s %s", signer, body)
}

// answer is an HTTP answer.
type answer struct {
	status int
	header http.Header
	body   string
}

// member returns a member of the JSON object in the body.
func (a answer) member(name string) string {
	var members map[string]any
	if json.Unmarshal([]byte(a.body), &members) != nil {
		return "not JSON"
	}
	text, _ := members[name].(string)
	return text
}

func (s *site) do(r *http.Request) answer { return do(s.handler, r) }

func do(h http.Handler, r *http.Request) answer {
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return answer{w.Code, w.Header(), w.Body.String()}
}

func request(method, url string, body ...string) *http.Request {
	if len(body) == 0 {
		return httptest.NewRequest(method, url, nil)
	}
	return httptest.NewRequest(method, url, strings.NewReader(body[0]))
}

func form(r *http.Request) *http.Request {
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	return r
}

func header(r *http.Request, name, value string) *http.Request {
	r.Header.Add(name, value)
	return r
}

// backed returns an assertion of alice for the relying party.
func backed() string { return idp.Backed(alice, userKey, rp) }

// tokenRequest returns a token request.
func tokenRequest(url_, assertion string) *http.Request {
	return form(request("POST", url_, url.Values{"assertion": {assertion}}.Encode()))
}

// login returns credentials of the token endpoint at the URL.
func (s *site) login(url string) vepauth.Credentials {
	s.Helper()
	a := s.do(tokenRequest(url, backed()))
	if a.status != 200 {
		s.Fatalf("no token at %s: %d %s", url, a.status, a.body)
	}
	c := vepauth.Credentials{Scheme: s.scheme, ID: a.member("oauth_consumer_key"), Secret: a.member("oauth_consumer_secret")}
	if s.scheme == vepauth.MACBrowserID {
		c.ID, c.Secret = a.member("id"), a.member("key")
	}
	return c
}

// signed signs a request with the clock of the site.
func (s *site) signed(r *http.Request, c vepauth.Credentials) *http.Request {
	s.Helper()
	if err := (vepauth.Signer{Credentials: c, Now: s.now}).Sign(r); err != nil {
		s.Fatal(err)
	}
	return r
}

// resend returns the request as it is sent a second time.
func resend(r *http.Request, body ...string) *http.Request {
	copied := request(r.Method, r.RequestURI, body...)
	copied.Header = r.Header.Clone()
	return copied
}

func check(t testing.TB, what string, got answer, status int) {
	t.Helper()
	if got.status != status {
		t.Errorf("%s: %d %s; want %d", what, got.status, got.body, status)
	}
}

// checkRefused checks that an answer is a 401 with the challenge.
func checkRefused(t testing.TB, what string, got answer, challenge string) {
	t.Helper()
	check(t, what, got, 401)
	if c := got.header.Get("WWW-Authenticate"); c != challenge {
		t.Errorf("%s: challenge %q; want %q", what, c, challenge)
	}
	checkFailure(t, what, got)
}

// checkFailure checks the format of all errors.
func checkFailure(t testing.TB, what string, got answer) {
	t.Helper()
	if got.member("status") != "failure" || got.member("reason") == "" || got.header.Get("Content-Type") != "application/json" ||
		got.header.Get("Cache-Control") != "no-store" {
		t.Errorf("%s: not the format of a failure: %v %q", what, got.header, got.body)
	}
}

const oauthChallenge = `OAuth+VEP url="/request_token"`

// oneUse is a store that calls the function.
type oneUse func(key string, until time.Time) (bool, error)

func (f oneUse) FirstUse(_ context.Context, key string, until time.Time) (bool, error) {
	return f(key, until)
}

// anyNonce is a store that accepts every nonce, for tests of other features.
func anyNonce(string, time.Time) (bool, error) { return true, nil }
