package verifyapi_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/vepverify/vepverify/assertion"
	"github.com/vepverify/vepverify/devidp/idptest"
	"github.com/vepverify/vepverify/evp"
	"github.com/vepverify/vepverify/verifyapi"
)

// TestPanic checks that, whatever the value of a panic, the client has a response, the
// log has the request ID and the stack, and the place is released.
func TestPanic(t *testing.T) {
	var null *int
	panics := map[string]func(){
		"text.example":    func() { panic("of " + email + " " + good) },
		"error.example":   func() { panic(errors.New("of " + email + " " + good)) },
		"slice.example":   func() { panic([]string{email, good}) },
		"runtime.example": func() { *null = 1 },
	}
	v := newVerifier(t, assertion.Config{Keys: source(func(_ context.Context, host string) error {
		if f, ok := panics[host]; ok {
			f()
		}
		return nil
	})})
	s := serve(t, verifyapi.Config{Verifier: v, InFlight: 1, Queue: -1})
	for host := range panics {
		got := s.post(t, "/v2", jsonType, ask(from(host)))
		checkHeaders(t, got.Response)
		if got.StatusCode != 503 || got.body != failed("service unavailable") {
			t.Errorf("%s: %s %s", host, got.Status, got.body)
		}
		log := s.log.String()
		line := log[max(0, strings.Index(log, "request="+got.Header.Get("X-Request-Id"))):]
		if !strings.Contains(line, "log_test.go") || !strings.Contains(log, "level=ERROR") {
			t.Errorf("%s: the log has no stack: %s", host, line)
		}
		s.checkServes(t)
	}
	if n := s.metric(t, `vepverify_verifications_total{class="panic",result="fault"}`); n != "4" {
		t.Errorf("%s panics counted", n)
	}
}

// tokenVerifierFunc is a TokenVerifier of an application.
type tokenVerifierFunc func() (*evp.Verifier, error)

func (f tokenVerifierFunc) WithOrigins(...string) (*evp.Verifier, error) { return f() }

// TestInternalFault checks that an error that is not about the token is a fault of the
// service.
func TestInternalFault(t *testing.T) {
	for name, test := range map[string]struct {
		tokens tokenVerifierFunc
		logged string
	}{
		"a zero verifier": {func() (*evp.Verifier, error) { return new(evp.Verifier), nil }, "Verifier not made by NewVerifier"},
		"no verifier":     {func() (*evp.Verifier, error) { return nil, nil }, "Verifier not made by NewVerifier"},
		"an outage":       {func() (*evp.Verifier, error) { return nil, errors.New("the vault is sealed") }, "the vault is sealed"},
		"misuse":          {func() (*evp.Verifier, error) { return new(evp.Verifier).WithOrigins(audience) }, "Verifier not made by NewVerifier"},
	} {
		s := serve(t, verifyapi.Config{Tokens: test.tokens})
		got := s.post(t, "/evp", jsonType, goodToken().json())
		checkHeaders(t, got.Response)
		if got.StatusCode != 503 || got.body != failed("service unavailable") {
			t.Errorf("%s: %s %s", name, got.Status, got.body)
		}
		log := s.log.String()
		for _, want := range []string{"level=ERROR msg=fault", test.logged, "request=" + got.Header.Get("X-Request-Id"), "result=fault", "class=internal"} {
			if !strings.Contains(log, want) {
				t.Errorf("%s: %q is not in the log:\n%s", name, want, log)
			}
		}
	}
}

// TestUndecidedTokenVerifier checks that an application can answer that it is undecided.
func TestUndecidedTokenVerifier(t *testing.T) {
	s := serve(t, verifyapi.Config{UndecidedStatus: 503, Tokens: tokenVerifierFunc(func() (*evp.Verifier, error) {
		return nil, &evp.Error{Kind: assertion.ErrUndecided, Reason: "undecided, keys are being loaded", Domain: "mail.example"}
	})})
	got := s.post(t, "/evp", jsonType, goodToken().json())
	if want := `{"status":"failure","reason":"undecided, keys are being loaded","undecided":true}`; got.StatusCode != 503 || got.body != want {
		t.Errorf("%s %s", got.Status, got.body)
	}
}

// TestAbort checks that http.ErrAbortHandler reaches net/http.
func TestAbort(t *testing.T) {
	v := newVerifier(t, assertion.Config{Keys: source(func(context.Context, string) error { panic(http.ErrAbortHandler) })})
	s := serve(t, verifyapi.Config{Verifier: v})
	resp, err := client(t).Post(s.url+"/v2", jsonType, strings.NewReader(ask(good)))
	if err == nil {
		resp.Body.Close()
		t.Fatalf("an answer: %s", resp.Status)
	}
	if log := s.log.String(); log != "" {
		t.Errorf("logged: %s", log)
	}
}

// brokenWriter panics when it is written to.
type brokenWriter struct{ *httptest.ResponseRecorder }

func (brokenWriter) Write([]byte) (int, error) { panic("broken") }

// TestPanicInResponse checks that the connection is dropped if the response has
// begun, so that it does not look complete.
func TestPanicInResponse(t *testing.T) {
	h := watch(t, verifyapi.Config{})
	defer func() {
		if value := recover(); value != http.ErrAbortHandler {
			t.Errorf("the panic is %v", value)
		}
		if !strings.Contains(h.log.String(), "level=ERROR msg=panic") {
			t.Error("the panic is not logged")
		}
	}()
	h.ServeHTTP(brokenWriter{httptest.NewRecorder()}, httptest.NewRequest("GET", "/status", nil))
}

// line is the log of a verification.
type line struct {
	Level, Msg, Request, API, Result, Class, Assertion, Reason, Email, Time string
	Status                                                                  int
	TookMS                                                                  float64 `json:"took_ms"`
}

// onlyInfo is a handler that drops other levels: TestCauses has the lines at level Warn.
type onlyInfo struct{ slog.Handler }

func (onlyInfo) Enabled(_ context.Context, l slog.Level) bool { return l == slog.LevelInfo }

func logTo(t *testing.T, c verifyapi.Config) (http.Handler, func() line) {
	var out bytes.Buffer
	c.Logger = slog.New(onlyInfo{slog.NewJSONHandler(&out, nil)})
	c.Verifier = newVerifier(t, assertion.Config{})
	h, err := verifyapi.New(c)
	if err != nil {
		t.Fatal(err)
	}
	return h, func() (l line) {
		defer out.Reset()
		decoder := json.NewDecoder(&out)
		decoder.DisallowUnknownFields()
		if err := decoder.Decode(&l); err != nil {
			t.Fatalf("%v: %s", err, &out)
		}
		if decoder.More() {
			t.Errorf("more than a line: %s", &out)
		}
		if l.TookMS <= 0 || l.TookMS > 60_000 || l.Time == "" {
			t.Errorf("took %v ms, at %s", l.TookMS, l.Time)
		}
		l.TookMS, l.Time = 0, ""
		return l
	}
}

func hash(s string) string {
	sum := sha256.Sum256([]byte(s))
	return hex.EncodeToString(sum[:8])
}

func TestLog(t *testing.T) {
	for _, emails := range []bool{false, true} {
		h, logged := logTo(t, verifyapi.Config{LogEmails: emails})
		address := map[bool]string{true: email}[emails]
		for _, tt := range []struct {
			path, contentType, body string
			want                    line
		}{
			{"/v2", jsonType, ask(good), line{Level: "INFO", API: "v2", Status: 200, Result: "okay", Class: "none", Assertion: hash(good), Email: address}},
			{"/", jsonType, ask(good), line{Level: "INFO", API: "v1", Status: 200, Result: "okay", Class: "none", Assertion: hash(good), Email: address}},
			{"/v2", jsonType, ask(foreign), line{Level: "INFO", API: "v2", Status: 200, Result: "failure", Class: "issuer", Assertion: hash(foreign),
				Reason: "untrusted issuer, expected 'idp.example', got 'other.example'"}},
			{"/v2", jsonType, ask(unreachable), line{Level: "INFO", API: "v2", Status: 200, Result: "undecided", Class: "unavailable", Assertion: hash(unreachable),
				Reason: "undecided, no keys of dark.example: dark.example: domain is unavailable: no document of this host is known"}},
			{"/v2", email, ask(good), line{Level: "INFO", API: "v2", Status: 415, Result: "refused", Class: "content_type"}},
			{"/v2", jsonType, "{}", line{Level: "INFO", API: "v2", Status: 400, Result: "refused", Class: "parameter"}},
			{"/v2", jsonType, "{", line{Level: "INFO", API: "v2", Status: 400, Result: "refused", Class: "body"}},
			{"/v2", jsonType, pad("{}", 10241), line{Level: "INFO", API: "v2", Status: 413, Result: "refused", Class: "size"}},
		} {
			r := httptest.NewRequest("POST", tt.path, strings.NewReader(tt.body))
			r.Header.Set("Content-Type", tt.contentType)
			rec := httptest.NewRecorder()
			h.ServeHTTP(rec, r)
			tt.want.Msg, tt.want.Request = "verification", rec.Header().Get("X-Request-Id")
			if diff := cmp.Diff(tt.want, logged()); diff != "" {
				t.Error(diff)
			}
		}
	}
}

// failingStore is a one-use store that always returns an error.
type failingStore struct{ error }

func (f failingStore) FirstUse(context.Context, string, time.Time) (bool, error) {
	return false, f.error
}

// causes serves requests with a logger of level Warn, and returns what is logged.
func causes(t *testing.T, c verifyapi.Config, bodies ...string) []string {
	t.Helper()
	var out bytes.Buffer
	c.Logger = slog.New(slog.NewTextHandler(&out, &slog.HandlerOptions{Level: slog.LevelWarn}))
	h, err := verifyapi.New(c)
	if err != nil {
		t.Fatal(err)
	}
	for _, body := range bodies {
		r := httptest.NewRequest("POST", "/v2", strings.NewReader(body))
		r.Header.Set("Content-Type", jsonType)
		h.ServeHTTP(httptest.NewRecorder(), r)
	}
	for _, secret := range []string{"eyJ", "alice"} {
		if strings.Contains(out.String(), secret) {
			t.Errorf("the log contains %q: %s", secret, &out)
		}
	}
	return strings.FieldsFunc(out.String(), func(r rune) bool { return r == '\n' })
}

// TestCauses checks that the cause of every outcome that does not answer the question is
// logged at level Warn or Error, once for repeated requests.
func TestCauses(t *testing.T) {
	server := idptest.NewServer(idp)
	t.Cleanup(server.Close)
	server.Set("down.example", idptest.Status(500))
	fetching := newVerifier(t, assertion.Config{Keys: server.Resolver()})
	store := func(err error) *assertion.Verifier {
		return newVerifier(t, assertion.Config{OneUse: failingStore{err}})
	}
	full := errors.New("the store is full")
	for name, c := range map[string]struct {
		config verifyapi.Config
		body   string
		want   []string
	}{
		"okay":            {verifyapi.Config{}, ask(good), nil},
		"refused":         {verifyapi.Config{}, "{", nil},
		"failure":         {verifyapi.Config{}, ask(foreign), nil},
		"no document":     {verifyapi.Config{}, ask(unreachable), []string{"level=WARN msg=undecided", "dark.example: domain is unavailable: no document of this host is known", "advice="}},
		"lookup":          {verifyapi.Config{Verifier: fetching}, ask(from("down.example")), []string{"level=WARN msg=undecided", "class=unavailable", "down.example", "HTTP status 500", "advice="}},
		"store":           {verifyapi.Config{Verifier: store(full)}, ask(good), []string{"level=WARN msg=undecided", "class=one_use_store", "the record of used assertions is not available", "the store is full", "setting=OneUse"}},
		"wrapped":         {verifyapi.Config{Verifier: store(fmt.Errorf("asking: %w", full))}, ask(good), []string{"asking: the store is full"}},
		"memory":          {verifyapi.Config{Verifier: newVerifier(t, assertion.Config{OneUse: assertion.NewMemoryOneUse(0, nil), MaxLife: -1})}, ask(good), []string{"level=WARN", "one-use store: "}},
		"by the operator": {verifyapi.Config{Unavailable: true}, ask(good), []string{"level=ERROR msg=fault", "class=test", "unavailable by configuration"}},
		"panic":           {verifyapi.Config{Verifier: newVerifier(t, assertion.Config{Keys: source(func(context.Context, string) error { panic("x") })})}, ask(good), []string{"level=ERROR msg=panic", "stack="}},
	} {
		t.Run(name, func(t *testing.T) {
			if c.config.Verifier == nil {
				c.config.Verifier = newVerifier(t, assertion.Config{})
			}
			lines := causes(t, c.config, c.body, c.body, c.body)
			if len(lines) != min(len(c.want), 1) {
				t.Fatalf("logged %d lines: %q", len(lines), lines)
			}
			for _, want := range c.want {
				if !strings.Contains(lines[0], want) || !strings.Contains(lines[0], "request=") {
					t.Errorf("no %q in %s", want, lines[0])
				}
			}
		})
	}
}

// TestManyCauses checks that a client that has many domains looked up does not fill the
// log, and does not hide the trouble of the store.
func TestManyCauses(t *testing.T) {
	var bodies []string
	for i := range 300 {
		bodies = append(bodies, ask(from(fmt.Sprintf("h%d.example", i))))
	}
	v := newVerifier(t, assertion.Config{OneUse: failingStore{errors.New("the store is full")}})
	lines := causes(t, verifyapi.Config{Verifier: v}, append(bodies, ask(good))...)
	if len(lines) > 10 || !strings.Contains(lines[len(lines)-1], "the store is full") {
		t.Errorf("%d lines, the last is %s", len(lines), lines[len(lines)-1])
	}
}

// TestNotLogged checks that health checks and wrong paths are not logged.
func TestNotLogged(t *testing.T) {
	h := watch(t, verifyapi.Config{})
	for _, path := range []string{"/status", "/__heartbeat__", "/__lbheartbeat__", "/__version__", "/healthz", "/readyz", "/nothing", "/v2"} {
		h.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest("GET", path, nil))
	}
	if log := h.log.String(); log != "" {
		t.Errorf("logged: %s", log)
	}
}

func TestRequestID(t *testing.T) {
	h := watch(t, verifyapi.Config{})
	ask := func(id string) string {
		r := httptest.NewRequest("GET", "/status", nil)
		if id != "" {
			r.Header.Set("X-Request-Id", id)
		}
		rec := httptest.NewRecorder()
		h.ServeHTTP(rec, r)
		return rec.Header().Get("X-Request-Id")
	}
	for _, id := range []string{"1", "6ba7b810-9dad-11d1-80b4-00c04fd430c8", "Root_1.2", strings.Repeat("x", 64)} {
		if got := ask(id); got != id {
			t.Errorf("%q became %q", id, got)
		}
	}
	seen := make(map[string]bool)
	for _, id := range []string{"", email, "a b", "a\tb", "a\"b", "<a>", "é", good, strings.Repeat("x", 65), "a=b", "a~b"} {
		got := ask(id)
		if !regexp.MustCompile(`^[0-9a-f]{16}$`).MatchString(got) || seen[got] {
			t.Errorf("%.50q became %q", id, got)
		}
		seen[got] = true
	}
}

// TestOneReason checks that the response is the same for a name with an address that
// is not public as for a domain that does not support BrowserID. The log tells them
// apart.
func TestOneReason(t *testing.T) {
	n, resolver := slowNetwork(t)
	n.status = map[string]int{"web.example": 404}
	reasons := make(map[string]string)
	for host, logged := range map[string]string{"web.example": "404", "10.0.0.1": "address"} {
		w := watch(t, verifyapi.Config{Verifier: newVerifier(t, assertion.Config{Keys: resolver})})
		rec := httptest.NewRecorder()
		r := httptest.NewRequestWithContext(context.Background(), "POST", "/v2", strings.NewReader(ask(from(host))))
		r.Header.Set("Content-Type", jsonType)
		w.ServeHTTP(rec, r)
		if rec.Code != http.StatusOK {
			t.Errorf("%s: %d %s", host, rec.Code, rec.Body)
		}
		reasons[host] = strings.ReplaceAll(reason(t, rec.Body.String()), host, "HOST")
		if log := w.log.String(); !strings.Contains(log, logged) || strings.Contains(rec.Body.String(), logged+" ") {
			t.Errorf("%s: the answer is %s, the log is %s", host, rec.Body, log)
		}
	}
	if reasons["web.example"] != reasons["10.0.0.1"] {
		t.Errorf("the answers differ: %q", reasons)
	}
}

// TestMetrics checks that each outcome has its own counter.
func TestMetrics(t *testing.T) {
	s := serve(t, verifyapi.Config{})
	for _, body := range []string{ask(good), ask(good), ask(claims), ask("x"), ask(unreachable), ask(foreign), "{", "{}"} {
		s.post(t, "/v2", jsonType, body)
	}
	s.post(t, "/", "text/plain", "")
	for name, want := range map[string]string{
		`vepverify_verifications_total{class="none",result="okay"}`:             "3",
		`vepverify_verifications_total{class="chain",result="failure"}`:         "1",
		`vepverify_verifications_total{class="issuer",result="failure"}`:        "1",
		`vepverify_verifications_total{class="expired",result="failure"}`:       "0",
		`vepverify_verifications_total{class="unavailable",result="undecided"}`: "1",
		`vepverify_verifications_total{class="body",result="refused"}`:          "1",
		`vepverify_verifications_total{class="parameter",result="refused"}`:     "1",
		`vepverify_verifications_total{class="content_type",result="refused"}`:  "1",
		`vepverify_verifications_total{class="internal",result="fault"}`:        "0",
		`vepverify_verification_duration_seconds_count`:                         "6",
		`vepverify_lookup_cache_hits_total`:                                     "5",
		`vepverify_lookups_total{result="supported"}`:                           "0",
	} {
		if got := s.metric(t, name); got != want {
			t.Errorf("%s %s, not %s", name, got, want)
		}
	}
	if _, err := verifyapi.NewMetrics(s.registry); err == nil {
		t.Error("the same metrics twice in a registry")
	}
}

// TestLookupMetrics checks that lookups over the network are counted by result.
func TestLookupMetrics(t *testing.T) {
	server := idptest.NewServer(idp)
	t.Cleanup(server.Close)
	server.Set("no.example", idptest.Status(404))
	server.Set("down.example", idptest.Status(500))
	server.Set("inside.example", idptest.PrivateAddress())
	s := serve(t, verifyapi.Config{Verifier: newVerifier(t, assertion.Config{Keys: server.Resolver()})})
	for range 2 {
		for _, host := range []string{"idp.example", "no.example", "down.example", "inside.example"} {
			s.post(t, "/v2", jsonType, ask(from(host)))
		}
	}
	for name, want := range map[string]string{
		`vepverify_lookups_total{result="supported"}`:   "1",
		`vepverify_lookups_total{result="unsupported"}`: "1",
		`vepverify_lookups_total{result="unavailable"}`: "1",
		`vepverify_lookups_total{result="refused"}`:     "1",
		`vepverify_lookup_cache_hits_total`:             "4",
	} {
		if got := s.metric(t, name); got != want {
			t.Errorf("%s %s, not %s", name, got, want)
		}
	}
}

// TestWithoutLoggerAndMetrics checks that responses are the same without metrics, and
// that a nil Logger means slog.Default().
func TestWithoutLoggerAndMetrics(t *testing.T) {
	v := newVerifier(t, assertion.Config{Keys: source(func(_ context.Context, host string) error {
		if host != "idp.example" {
			panic(host)
		}
		return nil
	})})
	logged := setDefaultLogger(t)
	h, err := verifyapi.New(verifyapi.Config{Verifier: v})
	if err != nil {
		t.Fatal(err)
	}
	for body, want := range map[string]string{ask(good): goodAnswer, ask(from("x.example")): failed("service unavailable")} {
		r := httptest.NewRequest("POST", "/v2", io.MultiReader(strings.NewReader(body)))
		r.Header.Set("Content-Type", jsonType)
		rec := httptest.NewRecorder()
		h.ServeHTTP(rec, r)
		if got := rec.Body.String(); got != want {
			t.Error(got)
		}
	}
	if got := logged.String(); strings.Count(got, "msg=verification") != 2 || strings.Count(got, "msg=panic") != 1 {
		t.Errorf("the default logger has %s", got)
	}
}

// setDefaultLogger returns what slog.Default() logs until the test ends.
func setDefaultLogger(t *testing.T) *logs {
	before, writer, flags := slog.Default(), log.Writer(), log.Flags()
	t.Cleanup(func() {
		slog.SetDefault(before)
		log.SetOutput(writer) // the first SetDefault replaced it
		log.SetFlags(flags)
	})
	logged := new(logs)
	slog.SetDefault(slog.New(slog.NewTextHandler(logged, nil)))
	return logged
}
