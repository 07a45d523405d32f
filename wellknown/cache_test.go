package wellknown_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/vepverify/vepverify/wellknown"
)

// testResolver is a resolver whose clock and network a test controls.
type testResolver struct {
	*wellknown.Resolver
	now     time.Time
	fetches int
	answer  func() (*http.Response, error)
}

var start = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

func newTestResolver(t testing.TB) *testResolver {
	s := &testResolver{now: start}
	s.Resolver = resolver(t, wellknown.Config{
		Now: func() time.Time { return s.now },
		InsecureTransport: roundTripper(func(*http.Request) (*http.Response, error) {
			s.fetches++
			return s.answer()
		}),
	})
	return s
}

func answers(status int, body string, headers ...string) func() (*http.Response, error) {
	return func() (*http.Response, error) { return reply(status, body, headers...) }
}

func fails(err error) func() (*http.Response, error) {
	return func() (*http.Response, error) { return nil, err }
}

// cutOff answers with a body that is cut off.
func cutOff() (*http.Response, error) {
	r, err := reply(200, "")
	r.Body = io.NopCloser(io.MultiReader(strings.NewReader("{"), errReader{io.ErrUnexpectedEOF}))
	return r, err
}

type errReader struct{ error }

func (r errReader) Read([]byte) (int, error) { return 0, r.error }

var (
	down     = fails(&net.OpError{Op: "dial", Err: syscall.ETIMEDOUT})
	notFound = answers(404, "")
)

func TestLifetime(t *testing.T) {
	good := document(1)
	control := func(v string) []string { return []string{"Cache-Control", v} }
	for name, c := range map[string]struct {
		answer func() (*http.Response, error)
		want   time.Duration
	}{
		"silent":            {answers(200, good), time.Hour},
		"max-age":           {answers(200, good, control("max-age=7200")...), 2 * time.Hour},
		"among others":      {answers(200, good, control("public , Max-Age=7200,must-revalidate")...), 2 * time.Hour},
		"quoted":            {answers(200, good, control(`max-age="7200"`)...), 2 * time.Hour},
		"irrelevant":        {answers(200, good, control("public")...), time.Hour},
		"short":             {answers(200, good, control("max-age=1")...), time.Minute},
		"zero":              {answers(200, good, control("max-age=0")...), time.Minute},
		"long":              {answers(200, good, control("max-age=31536000")...), 24 * time.Hour},
		"overflow":          {answers(200, good, control("max-age=99999999999999999999999999999999")...), 24 * time.Hour},
		"overflow by 2^64":  {answers(200, good, control("max-age=18446744073709551617")...), 24 * time.Hour},
		"negative":          {answers(200, good, control("max-age=-1")...), time.Minute},
		"no number":         {answers(200, good, control("max-age=soon")...), time.Minute},
		"no value":          {answers(200, good, control("max-age")...), time.Minute},
		"twice":             {answers(200, good, control("max-age=7200, max-age=600")...), 10 * time.Minute},
		"twice, other way":  {answers(200, good, control("max-age=600, max-age=7200")...), 10 * time.Minute},
		"no-store":          {answers(200, good, control("no-store")...), time.Minute},
		"no-cache and age":  {answers(200, good, control("max-age=7200, no-cache")...), time.Minute},
		"no support":        {answers(404, ""), time.Minute},
		"no support, 3 min": {answers(404, "", control("max-age=180")...), 3 * time.Minute},
		"no support, long":  {answers(404, "", control("max-age=31536000")...), 5 * time.Minute},
		"no support, short": {answers(404, "", control("no-store")...), time.Minute},
		"disabled, long":    {answers(200, `{"disabled":true}`, control("max-age=31536000")...), 5 * time.Minute},
		"no such host":      {fails(&net.DNSError{IsNotFound: true}), time.Minute},
		"too large, long":   {answers(200, strings.Repeat(" ", 1<<17), control("max-age=31536000")...), 5 * time.Minute},
		"undecided":         {down, 5 * time.Second},
		"undecided, long":   {answers(503, "", control("max-age=31536000")...), 5 * time.Second},
	} {
		s := newTestResolver(t)
		s.answer = c.answer
		last := c.want // there is no fetch until then
		if _, err := lookUp(t, s.Resolver, host); err == nil {
			last -= c.want / 4 // afterwards it is renewed in the background: see TestRenewal
		}
		for _, step := range []struct {
			at      time.Duration
			fetches int
		}{{0, 1}, {last - time.Nanosecond, 1}, {c.want, 2}} {
			s.now = start.Add(step.at)
			a, _ := lookUp(t, s.Resolver, host)
			if s.fetches != step.fetches {
				t.Errorf("%s: %d fetches by %v, want %d", name, s.fetches, step.at, step.fetches)
			}
			if a != nil && !a.Expires.Equal(a.Fetched.Add(c.want)) {
				t.Errorf("%s: fetched %v, expires %v", name, a.Fetched, a.Expires)
			}
		}
	}
}

// TestStale checks which results of a fetch replace a document that expired.
func TestStale(t *testing.T) {
	for name, c := range map[string]struct {
		answer func() (*http.Response, error)
		want   error
	}{
		// Another answer over valid TLS.
		"document":   {answers(200, document(2)), nil},
		"404":        {notFound, row3},
		"redirect":   {answers(302, ""), row3},
		"204":        {answers(204, ""), row3},
		"wrong type": {answers(200, document(2), "Content-Type", "text/html"), row3},
		"malformed":  {answers(200, "{"), row3},
		"disabled":   {answers(200, `{"disabled":true}`), row3},
		"over limit": {answers(200, strings.Repeat(" ", 1<<17)), row5},
		// No answer over valid TLS.
		"500":          {answers(500, ""), errStale},
		"503":          {answers(503, ""), errStale},
		"408":          {answers(408, ""), errStale},
		"425":          {answers(425, ""), errStale},
		"429":          {answers(429, ""), errStale},
		"101":          {answers(101, ""), errStale},
		"cut off":      {cutOff, errStale},
		"no such host": {fails(&net.DNSError{IsNotFound: true}), errStale},
		"DNS fails":    {fails(&net.DNSError{}), errStale},
		"refused":      {fails(syscall.ECONNREFUSED), errStale},
		"no TLS":       {fails(http.ErrSchemeMismatch), errStale},
		"address":      {fails(prohibitedIP()), errStale},
		"timeout":      {fails(context.DeadlineExceeded), errStale},
		"anything":     {fails(errors.New("anything")), errStale},
	} {
		t.Run(name, func(t *testing.T) {
			s := newTestResolver(t)
			s.answer = answers(200, document(1))
			first, _ := lookUp(t, s.Resolver, host)
			s.answer = c.answer
			s.now = start.Add(time.Hour + 24*time.Hour - time.Second) // it expired almost 24 h ago
			a, got := lookUp(t, s.Resolver, host)
			if c.want != errStale {
				if got != c.want || a != nil && a.Keys[0] == first.Keys[0] {
					t.Fatalf("%v, want %v", got, c.want)
				}
				s.answer = down // the earlier document does not come back
				s.now = s.now.Add(5 * time.Minute)
				if a, _ := lookUp(t, s.Resolver, host); a != nil && a.Keys[0] == first.Keys[0] {
					t.Error("the document came back")
				}
				return
			}
			if got != nil || a.Keys[0] != first.Keys[0] || a.Fetched != first.Fetched || a.Expires != first.Expires {
				t.Fatalf("%v %+v, want the cached document", got, a)
			}
			s.expectRetry(t)
		})
	}
}

// errStale stands for the earlier document.
var errStale = errors.New("stale")

// expectRetry checks that the next fetch is 5 s later, and that the document does not count
// 24 h after it expired.
func (s *testResolver) expectRetry(t *testing.T) {
	t.Helper()
	begin := s.now
	before := s.fetches
	s.now = begin.Add(500 * time.Millisecond)
	if _, got := lookUp(t, s.Resolver, host); got != nil || s.fetches != before {
		t.Errorf("%v after %d more fetches", got, s.fetches-before)
	}
	s.now = start.Add(25 * time.Hour)
	if _, got := lookUp(t, s.Resolver, host); got == nil {
		t.Error("stale for more than 24 h")
	}
	s.now = begin.Add(5 * time.Second)
	s.answer = answers(200, document(3))
	if a, got := lookUp(t, s.Resolver, host); got != nil || !a.Fetched.Equal(s.now) {
		t.Errorf("%v, after the host came back", got)
	}
}

// TestOutage checks that there are five seconds between fetches as long as an outage lasts.
func TestOutage(t *testing.T) {
	s := newTestResolver(t)
	s.answer = answers(200, document(1))
	lookUp(t, s.Resolver, host)
	s.answer = down
	for at := time.Hour; at < 2*time.Hour; at += time.Second {
		s.now = start.Add(at)
		if _, got := lookUp(t, s.Resolver, host); got != nil {
			t.Fatalf("%v: %v", at, got)
		}
	}
	if s.fetches != 1+3600/5 {
		t.Errorf("%d fetches", s.fetches)
	}
}

// TestStaleIncomplete checks that an incomplete document means ErrUnsupported only until it
// expires: afterwards the host may have completed it.
func TestStaleIncomplete(t *testing.T) {
	s := newTestResolver(t)
	s.answer = answers(200, `{"public-key":`+rsaKey(2048, 1)+`}`)
	for _, want := range []error{row3, row4} {
		a, err := s.Authority(t.Context(), host, host)
		var incomplete *wellknown.IncompleteError
		if got := row(t, a, err); got != want || !errors.As(err, &incomplete) || len(incomplete.Authority.Keys) != 1 {
			t.Errorf("%v, want %v", err, want)
		}
		s.answer, s.now = down, start.Add(2*time.Hour)
	}
}

func TestRefresh(t *testing.T) {
	refresh := func(s *testResolver) (*wellknown.Authority, error) {
		a, err := s.Refresh(t.Context(), host, host)
		return a, row(t, a, err)
	}
	s := newTestResolver(t)
	s.answer = answers(200, document(1))
	first, _ := refresh(s)
	s.answer = answers(200, document(2))
	s.now = start.Add(time.Minute)
	if a, err := refresh(s); err != nil || a.Keys[0] != first.Keys[0] || s.fetches != 1 {
		t.Errorf("fetched again within a minute: %v", err)
	}
	s.now = start.Add(time.Minute + 1)
	a, err := refresh(s)
	if err != nil || a.Keys[0] == first.Keys[0] || s.fetches != 2 {
		t.Errorf("not fetched again after a minute: %v", err)
	}
	// A failure leaves the cached document, and delays the next fetch.
	s.answer = down
	s.now = s.now.Add(2 * time.Minute)
	for range 3 {
		if b, err := refresh(s); err != nil || b.Keys[0] != a.Keys[0] || s.fetches != 3 {
			t.Errorf("%v after %d fetches", err, s.fetches)
		}
	}
	s.now = s.now.Add(5 * time.Second)
	if refresh(s); s.fetches != 4 {
		t.Errorf("%d fetches", s.fetches)
	}
	// An answer replaces it.
	s.answer = answers(404, "", "Cache-Control", "max-age=300")
	s.now = s.now.Add(5 * time.Second)
	if _, err := refresh(s); err != row3 {
		t.Errorf("%v, want %v", err, row3)
	}
	// ErrUnsupported is refreshed too.
	s.answer = answers(200, document(3))
	s.now = s.now.Add(2 * time.Minute)
	if _, err := lookUp(t, s.Resolver, host); err != row3 {
		t.Errorf("%v, want %v", err, row3)
	}
	s.answer = answers(200, document(3), "Cache-Control", "max-age=60")
	if _, err := refresh(s); err != nil {
		t.Error(err)
	}
	// The document replaced it, and expires.
	before := s.fetches
	s.now = s.now.Add(time.Minute)
	if lookUp(t, s.Resolver, host); s.fetches != before+1 {
		t.Error("a document expired and was not fetched again")
	}
}

// TestRefreshOfDelegation checks that Refresh fetches every document of a delegation.
func TestRefreshOfDelegation(t *testing.T) {
	now, asked := start, make(map[string]int)
	r := resolver(t, wellknown.Config{
		Now: func() time.Time { return now },
		InsecureTransport: roundTripper(func(q *http.Request) (*http.Response, error) {
			asked[q.URL.Host]++
			if q.URL.Host == host {
				return reply(200, delegation("a.example"), "Cache-Control", "max-age=7200")
			}
			return reply(200, document(int64(asked[q.URL.Host])), "Cache-Control", "max-age=300")
		}),
	})
	first, _ := lookUp(t, r, host)
	if !first.Expires.Equal(start.Add(5*time.Minute)) || !first.Fetched.Equal(start) {
		t.Errorf("fetched %v, expires %v", first.Fetched, first.Expires)
	}
	now = start.Add(6 * time.Minute)
	second, _ := lookUp(t, r, host)
	if !second.Fetched.Equal(start) || !second.Expires.Equal(start.Add(11*time.Minute)) || asked["a.example"] != 2 {
		t.Errorf("fetched %v, expires %v", second.Fetched, second.Expires)
	}
	now = start.Add(8 * time.Minute)
	if _, err := r.Refresh(t.Context(), host, host); err != nil || asked[host] != 2 || asked["a.example"] != 3 {
		t.Errorf("%v, asked %v", err, asked)
	}
}

// TestOldestDocument checks Fetched if the delegate's document is older than the
// delegation.
func TestOldestDocument(t *testing.T) {
	now := start
	r := resolver(t, wellknown.Config{
		Now: func() time.Time { return now },
		InsecureTransport: roundTripper(func(q *http.Request) (*http.Response, error) {
			if q.URL.Host == host {
				return reply(200, delegation("a.example"), "Cache-Control", "max-age=300")
			}
			return reply(200, document(1), "Cache-Control", "max-age=7200")
		}),
	})
	lookUp(t, r, host)
	now = start.Add(6 * time.Minute)
	if a, _ := lookUp(t, r, host); !a.Fetched.Equal(start) || !a.Expires.Equal(start.Add(11*time.Minute)) {
		t.Errorf("fetched %v, expires %v", a.Fetched, a.Expires)
	}
}

// TestCacheKey checks that each pair of host and email domain has its own cache entry.
func TestCacheKey(t *testing.T) {
	var fetches atomic.Int64
	r := resolver(t, wellknown.Config{InsecureTransport: roundTripper(func(q *http.Request) (*http.Response, error) {
		if got := q.URL.String(); !strings.HasPrefix(got, "https://"+q.URL.Host+"/.well-known/browserid?domain=") {
			t.Errorf("URL %s", got)
		}
		fetches.Add(1)
		return reply(200, fmt.Sprintf(`{"keys":[],"authentication":"/%s","provisioning":"/%s"}`, q.URL.Host, q.URL.Query().Get("domain")))
	})})
	pairs := [][2]string{{"a.example", "b.example"}, {"b.example", "a.example"}, {"a.example", "a.example"}, {"a.example", "b.example:80"}, {"a", "b.c"}, {"a.b", "c"}}
	for range 2 {
		for _, p := range pairs {
			a, err := r.Authority(t.Context(), strings.ToUpper(p[0]), p[1])
			if err != nil || a.Domain != p[0] || a.Authentication != "/"+p[0] || a.Provisioning != "/"+p[1] {
				t.Errorf("%v: %+v, %v", p, a, err)
			}
		}
	}
	if fetches.Load() != int64(len(pairs)) {
		t.Errorf("%d fetches", fetches.Load())
	}
}

// TestSameKey checks that a key that a host still publishes stays the same value, also for
// its other email domains, and that two hosts do not share a key.
func TestSameKey(t *testing.T) {
	s := newTestResolver(t)
	s.answer = answers(200, several(rsaKey(2048, 1), rsaKey(2048, 2)))
	first, _ := lookUp(t, s.Resolver, host)
	elsewhere, _ := lookUp(t, s.Resolver, "other.example")
	s.answer = answers(200, several(rsaKey(2048, 3), rsaKey(2048, 1)))
	emailDomain, _ := s.Authority(t.Context(), host, "user.example")
	s.now = s.now.Add(2 * time.Hour)
	later, _ := lookUp(t, s.Resolver, host)
	for _, a := range []*wellknown.Authority{emailDomain, later} {
		if len(a.Keys) != 2 || a.Keys[1] != first.Keys[0] || a.Keys[0] == first.Keys[1] {
			t.Errorf("%d keys, the one published before is another", len(a.Keys))
		}
	}
	if elsewhere.Keys[0] == first.Keys[0] {
		t.Error("two hosts share a key")
	}
}

// TestAuthorityIsCopied checks that modifying an answer does not modify the next one.
func TestAuthorityIsCopied(t *testing.T) {
	s := newTestResolver(t)
	s.answer = answers(200, document(1))
	a, _ := lookUp(t, s.Resolver, host)
	a.Keys[0] = nil
	if b, _ := lookUp(t, s.Resolver, host); b.Keys[0] == nil {
		t.Error("an answer shares its keys with the cache")
	}
}
