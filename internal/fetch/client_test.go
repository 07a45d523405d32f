package fetch_test

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/vepverify/vepverify/internal/domain"
	"github.com/vepverify/vepverify/internal/fetch"
)

// roundTripper is a function that is a [http.RoundTripper].
type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(q *http.Request) (*http.Response, error) { return f(q) }

// reply returns a transport that answers each request in the same way.
func reply(status int, contentType, body string) roundTripper {
	return func(*http.Request) (*http.Response, error) {
		header := make(http.Header)
		if contentType != "" {
			header.Set("Content-Type", contentType)
		}
		return &http.Response{StatusCode: status, Header: header, Body: io.NopCloser(strings.NewReader(body))}, nil
	}
}

// strict are rules that differ from BrowserID's: what is not a document is a failure, and a
// host that cannot be reached is not known now.
var strict = fetch.Rules{Absent: fetch.Unavailable, Other: fetch.Refused, JSONSuffix: true, Advice: "serve it", RedirectAdvice: "serve it here"}

// get makes a request with a second's time.
func get(t testing.TB, c fetch.Config, target *url.URL) (fetch.Answer, *fetch.Fault) {
	t.Helper()
	client, err := fetch.NewClient(c)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	return client.Get(ctx, target)
}

var exampleURL = &url.URL{Scheme: "https", Host: "idp.example", Path: "/jwks"}

// TestRules checks what rules make of an answer of the host itself.
func TestRules(t *testing.T) {
	const json = "application/json"
	const okay = fetch.Outcome(-1)
	for name, c := range map[string]struct {
		status            int
		contentType, body string
		strict, browserID fetch.Outcome
	}{
		"json":             {200, json, "{}", okay, okay},
		"json, charset":    {200, "Application/JSON; charset=utf-8", "{}", okay, okay},
		"json, spaces":     {200, " \tapplication/json\t ;x", "{}", okay, okay},
		"json, no-break":   {200, "application/json\u00a0", "{}", fetch.Refused, fetch.Unsupported},
		"json, next line":  {200, "\u0085application/json", "{}", fetch.Refused, fetch.Unsupported},
		"Kelvin sign":      {200, "application/jw\u212a-set+json", "{}", fetch.Refused, fetch.Unsupported},
		"dotted capital I": {200, "appl\u0130cation/x+json", "{}", fetch.Refused, fetch.Unsupported},
		"long s":           {200, "application/j\u017fon", "{}", fetch.Refused, fetch.Unsupported},
		"suffix":           {200, "application/jwk-set+json", "{}", okay, fetch.Unsupported},
		"suffix, charset":  {200, "application/jwk-set+JSON;charset=utf-8", "{}", okay, fetch.Unsupported},
		"suffix alone":     {200, "application/+json", "{}", fetch.Refused, fetch.Unsupported},
		"suffix, no slash": {200, "x+json", "{}", fetch.Refused, fetch.Unsupported},
		"suffix of a list": {200, "text/html, application/x+json", "{}", fetch.Refused, fetch.Unsupported},
		"two slashes":      {200, "text/html/x+json", "{}", fetch.Refused, fetch.Unsupported},
		"longer":           {200, "application/x+jsonp", "{}", fetch.Refused, fetch.Unsupported},
		"no type":          {200, "", "{}", fetch.Refused, fetch.Unsupported},
		"empty type":       {200, " ", "{}", fetch.Refused, fetch.Unsupported},
		"text":             {200, "text/plain", "{}", fetch.Refused, fetch.Unsupported},
		"201":              {201, json, "{}", fetch.Refused, fetch.Unsupported},
		"204":              {204, json, "", fetch.Refused, fetch.Unsupported},
		"302":              {302, json, "{}", fetch.Refused, fetch.Unsupported},
		"304":              {304, json, "", fetch.Refused, fetch.Unsupported},
		"401":              {401, json, "{}", fetch.Refused, fetch.Unsupported},
		"404":              {404, json, "{}", fetch.Refused, fetch.Unsupported},
		"408":              {408, json, "{}", fetch.Unavailable, fetch.Unavailable},
		"425":              {425, json, "{}", fetch.Unavailable, fetch.Unavailable},
		"429":              {429, json, "{}", fetch.Unavailable, fetch.Unavailable},
		"500":              {500, json, "{}", fetch.Unavailable, fetch.Unavailable},
		"999":              {999, json, "{}", fetch.Unavailable, fetch.Unavailable},
		"long":             {200, json, strings.Repeat(" ", 1<<16), okay, okay},
		"too long":         {200, json, strings.Repeat(" ", 1<<16+1), fetch.Refused, fetch.Refused},
	} {
		for rules, want := range map[*fetch.Rules]fetch.Outcome{
			&strict: c.strict, {Absent: fetch.Unsupported, Other: fetch.Unsupported}: c.browserID,
		} {
			answer, f := get(t, fetch.Config{Rules: *rules, InsecureTransport: reply(c.status, c.contentType, c.body)}, exampleURL)
			switch {
			case f == nil:
				if text, f := answer.Text(); want != okay || f != nil || string(text) != c.body {
					t.Errorf("%s, %+v: answered, want %d", name, *rules, want)
				}
			case f.Outcome != want || f.ByHost != (want != fetch.Unavailable):
				t.Errorf("%s, %+v: %+v, want %d", name, *rules, f, want)
			}
		}
	}
}

// TestAbsent checks what rules make of a host that cannot be reached, which is not an answer
// of the host.
func TestAbsent(t *testing.T) {
	for name, c := range map[string]struct {
		err    error
		absent bool
	}{
		"no such host":       {&net.DNSError{IsNotFound: true}, true},
		"connection refused": {syscall.ECONNREFUSED, true},
		"name server fails":  {&net.DNSError{IsTemporary: true}, false},
		"reset":              {syscall.ECONNRESET, false},
		"time-out":           {context.DeadlineExceeded, false},
	} {
		for _, absent := range []fetch.Outcome{fetch.Unavailable, fetch.Unsupported, fetch.Refused} {
			dial := func(context.Context, string, string) (net.Conn, error) { return nil, c.err }
			_, f := get(t, fetch.Config{Rules: fetch.Rules{Absent: absent}, InsecureDialContext: dial}, exampleURL)
			want := fetch.Unavailable
			if c.absent {
				want = absent
			}
			if f == nil || f.Outcome != want || f.ByHost {
				t.Errorf("%s: %+v, want %d", name, f, want)
			}
		}
	}
}

// TestTarget checks which URLs are requested, and that those are sent as they are.
func TestTarget(t *testing.T) {
	long := "https://idp.example/" + strings.Repeat("x", 8<<10)
	for text, want := range map[string]bool{
		"https://idp.example":                    true,
		"https://idp.example/":                   true,
		"https://IDP.Example/jwks":               true,
		"https://idp.example:443/jwks":           true,
		"https://idp.example/a%2fb/./c?v=1&x=a@": true,
		long[:8<<10]:                             true,
		long:                                     false,
		"http://idp.example/":                    false,
		"//idp.example/":                         false,
		"/jwks":                                  false,
		"https:idp.example":                      false,
		"https:///jwks":                          false,
		"https://u:p@idp.example/":               false,
		"https://@idp.example/":                  false,
		"https://idp.example/#x":                 false,
		"https://idp.example:8443/":              false,
		"https://idp.example:0443/":              false,
		"https://idp.example:/":                  false,
		"https://idp.example./":                  false,
		"https://b%C3%BCcher.example/":           false,
		"https://bücher.example/":                false,
		"https://127.0.0.1/":                     false,
		"https://0X7f.1/":                        false,
		"https://2130706433/":                    false,
		"https://[::1]/":                         false,
		"https://idp.example/?a b":               false,
		"https://idp.example/?é":                 false,
	} {
		var sent string
		transport := roundTripper(func(q *http.Request) (*http.Response, error) {
			sent = q.URL.String()
			return reply(200, "application/json", "{}")(q)
		})
		target, err := url.Parse(text)
		if err != nil {
			t.Fatal(err)
		}
		_, f := get(t, fetch.Config{Rules: strict, InsecureTransport: transport}, target)
		switch {
		case want && (f != nil || sent != text):
			t.Errorf("%s: sent %q, %+v", text, sent, f)
		case !want && (f == nil || f.Outcome != fetch.Refused || f.ByHost || sent != ""):
			t.Errorf("%s: sent %q, %+v", text, sent, f)
		}
	}
}

// FuzzTarget checks that no URL is requested but an https URL of a domain on port 443 without
// user information, whatever a document names.
func FuzzTarget(f *testing.F) {
	for _, text := range []string{
		"https://idp.example/jwks?v=1", "https://u@idp.example:443/#f", "https://0x7f.1/", "https://[::ffff:127.0.0.1]:443/",
		"https://idp.example:8443", "https:idp.example", "http://idp.example", "https://idp.example\\@other.example/",
	} {
		f.Add(text)
	}
	var sent *url.URL
	client, err := fetch.NewClient(fetch.Config{InsecureTransport: roundTripper(func(q *http.Request) (*http.Response, error) {
		sent = q.URL
		return nil, errors.ErrUnsupported
	})})
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, text string) {
		target, err := url.Parse(text)
		if err != nil {
			return
		}
		sent = nil
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if _, f := client.Get(ctx, target); f == nil {
			t.Fatal("an answer")
		}
		if sent == nil {
			return
		}
		name, port, _ := strings.Cut(sent.Host, ":")
		_, isDomain := domain.Parse(name)
		_, notIP := netip.ParseAddr(name)
		switch {
		case sent.Scheme != "https", sent.User != nil, sent.Fragment != "", !isDomain, notIP == nil, port != "" && port != "443":
			t.Errorf("%q: sent %s", text, sent)
		case sent.String() != target.String():
			t.Errorf("%q: sent %s", text, sent)
		}
	})
}

// TestGuard checks that a host with a private address is refused when it is dialled.
func TestGuard(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	var reached atomic.Bool
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			reached.Store(true)
			conn.Close()
		}
	}()
	target := &url.URL{Scheme: "https", Host: strings.Replace(l.Addr().String(), "127.0.0.1", "localhost", 1)}
	port := uint16(l.Addr().(*net.TCPAddr).Port)
	for name, c := range map[string]fetch.Config{
		"address": {Rules: strict, Ports: []uint16{port}},
		"port":    {Rules: strict},
	} {
		if _, f := get(t, c, target); f == nil || f.Outcome != fetch.Refused || f.Setting != "InsecureAllowPrivate" {
			t.Errorf("%s: %+v", name, f)
		}
	}
	if reached.Load() {
		t.Error("connected")
	}
	if _, f := get(t, fetch.Config{InsecureAllowPrivate: true}, target); f == nil || !reached.Load() {
		t.Errorf("not reached although private addresses are allowed: %+v", f)
	}
}

// TestConfig checks that settings that contradict each other are errors that begin with a
// field.
func TestConfig(t *testing.T) {
	dial := func(context.Context, string, string) (net.Conn, error) { return nil, errors.ErrUnsupported }
	for want, c := range map[string]fetch.Config{
		"CAFile":              {CAFile: t.TempDir()},
		"Proxy":               {Proxy: "ftp://proxy.example"},
		"InsecureTransport":   {InsecureTransport: reply(200, "", ""), Proxy: "http://proxy.example"},
		"InsecureDialContext": {InsecureDialContext: dial, DNS: new(net.Resolver)},
	} {
		if _, err := fetch.NewClient(c); err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("%s: %v", want, err)
		}
	}
	for want, l := range map[string]fetch.Limits{
		"Timeout": {Timeout: time.Hour}, "MaxFetches": {MaxFetches: -1}, "MaxEntries": {MaxEntries: -1}, "MaxBytes": {MaxBytes: 1},
	} {
		if err := l.Validate(); err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("%s: %v", want, err)
		}
	}
	if err := errors.Join((fetch.Limits{}).Validate(), (fetch.Config{}).Validate()); err != nil {
		t.Error(err)
	}
}

// TestWork checks that a Work admits its number of pieces at once, and no more until one ends.
func TestWork(t *testing.T) {
	work := fetch.NewWork()
	var ends []func()
	for range cap(work) {
		release, err := work.Acquire(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		ends = append(ends, release)
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
	defer cancel()
	if _, err := work.Acquire(ctx); !errors.Is(err, context.DeadlineExceeded) {
		t.Error(err)
	}
	for _, release := range ends {
		release()
	}
	release, err := work.Acquire(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	release()
}
