package main

import (
	"encoding/pem"
	"errors"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/vepverify/vepverify/assertion"
	"github.com/vepverify/vepverify/cmd/vepverify/internal/cli"
	"github.com/vepverify/vepverify/verifyapi"
	"github.com/vepverify/vepverify/wellknown"
)

// newAPI returns the handler of the service.
func newAPI(t *testing.T, components ...verifyapi.Component) http.Handler {
	t.Helper()
	keys, err := wellknown.NewStatic(nil)
	if err != nil {
		t.Fatal(err)
	}
	v, err := assertion.NewVerifier(assertion.Config{Keys: keys})
	if err != nil {
		t.Fatal(err)
	}
	h, err := verifyapi.New(verifyapi.Config{Verifier: v, Components: func() []verifyapi.Component { return components }})
	if err != nil {
		t.Fatal(err)
	}
	return h
}

// answers returns a handler that answers every request in the same way.
func answers(status int, body string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Location", "https://elsewhere.example/healthz")
		w.WriteHeader(status)
		w.Write([]byte(body))
	})
}

func TestHealth(t *testing.T) {
	store := verifyapi.Component{Name: "replay_store", Err: errors.New("timed out")}
	stopping := verifyapi.Component{Name: "service", Err: errors.New("stopping"), Required: true}
	for name, test := range map[string]struct {
		service http.Handler
		path    string
		text    string // of standard output if healthy
		cause   string // in the line on standard error if not
	}{
		"no path":                       {newAPI(t, stopping), "", "ok", ""},
		"a slash":                       {newAPI(t, stopping), "/", "ok", ""},
		"ready":                         {newAPI(t), "/readyz", "ok", ""},
		"degraded":                      {newAPI(t, store), "/readyz", "degraded; replay_store: timed out", ""},
		"not ready":                     {newAPI(t, store, stopping), "/readyz", "", "503 Service Unavailable: not ready; replay_store: timed out; service: stopping"},
		"a path of the original":        {newAPI(t), "/__lbheartbeat__", "ok", ""},
		"a text":                        {newAPI(t), "/status", "ok", ""},
		"no path of the service":        {newAPI(t), "/health", "", "404 Not Found: not found"},
		"a verification":                {newAPI(t), "/v2", "", "405 Method Not Allowed: method not allowed: use POST"},
		"another program":               {answers(200, "<h1>It works</h1>"), "", "", "another program has this port"},
		"another program, JSON":         {answers(200, `{"up":true}`), "/readyz", "", "another program has this port"},
		"another program, 500":          {answers(500, "eyJhbGciOi\x1b[31m"), "", "", "500 Internal Server Error, not with the answer"},
		"a redirect":                    {answers(302, ""), "", "", "302 Found: redirects are not followed"},
		"hostile JSON":                  {answers(503, `{"status":"\u001b[31m`+strings.Repeat("x", 5000)+`"}`), "", "", `503 Service Unavailable: \u001b[31mxxx`},
		"a body without end is cut off": {answers(503, strings.Repeat("x", 1<<20)), "", "", "503 Service Unavailable, not"},
	} {
		s := httptest.NewServer(test.service)
		checkHealth(t, name, s.URL+test.path, test.text, test.cause)
		s.Close()
	}
}

// checkHealth runs the command health.
func checkHealth(t *testing.T, name, url, text, cause string, args ...string) {
	t.Helper()
	code, out, stderr := runApp(t, cli.Process{}, append([]string{"health", url}, args...)...)
	want := int(cli.ExitOkay)
	if cause != "" {
		want = int(cli.ExitFailure)
	}
	if code != want || strings.TrimSpace(out) != text {
		t.Errorf("%s: status %d, %q, want %d, %q: %s", name, code, out, want, text, stderr)
	}
	if (stderr == "") != (cause == "") || !strings.Contains(stderr, cause) || strings.Count(stderr, "\n") > 1 || len(stderr) > 1000 || strings.Contains(stderr, "eyJ") {
		t.Errorf("%s: standard error is %q, want one line with %q", name, stderr, cause)
	}
}

// TestHealthTLS: the certificate is verified, for the name in the URL or that of --server-name.
func TestHealthTLS(t *testing.T) {
	s := httptest.NewUnstartedServer(newAPI(t))
	s.Config.ErrorLog = log.New(io.Discard, "", 0) // some clients do not trust it
	s.StartTLS()
	defer s.Close()
	ca := filepath.Join(t.TempDir(), "tls.crt")
	if err := os.WriteFile(ca, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: s.Certificate().Raw}), 0o600); err != nil {
		t.Fatal(err)
	}
	_, port, _ := strings.Cut(strings.TrimPrefix(s.URL, "https://"), ":")
	for name, test := range map[string]struct {
		url, cause string
		args       []string
	}{
		"its own certificate":    {s.URL, "", []string{"--ca-file", ca}},
		"the name given":         {s.URL, "", []string{"--ca-file", ca, "--server-name", "example.com"}},
		"another name":           {s.URL, "TLS certificate of another name", []string{"--ca-file", ca, "--server-name", "other.example"}},
		"another host":           {"https://localhost:" + port, "--server-name", []string{"--ca-file", ca}},
		"an unknown authority":   {s.URL, "--ca-file", nil},
		"any certificate":        {s.URL, "", []string{"--insecure-certificate"}},
		"plain HTTP to TLS":      {"http://127.0.0.1:" + port, "400 Bad Request: the service speaks TLS; use https://", nil},
		"--ca-file without need": {"http://127.0.0.1:" + port, "use https://", []string{"--ca-file", "/missing.pem"}},
	} {
		text := "ok"
		if test.cause != "" {
			text = ""
		}
		checkHealth(t, name, test.url, text, test.cause, test.args...)
	}
	plain := httptest.NewServer(newAPI(t))
	defer plain.Close()
	checkHealth(t, "TLS to plain HTTP", strings.Replace(plain.URL, "http:", "https:", 1), "", "no TLS spoken: use http://")
}
