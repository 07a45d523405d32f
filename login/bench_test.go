package login_test

import (
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/vepverify/vepverify/assertion"
	"github.com/vepverify/vepverify/login"
)

// BenchmarkRequest measures honest requests, and hostile ones that are made to cost as
// much as possible.
func BenchmarkRequest(b *testing.B) {
	a := newApp(b, func(_ *app, c *login.Config[*user]) {
		c.Logger = slog.New(slog.NewTextHandler(io.Discard, nil))
	})
	used := assertionFor("alice@idp.example")
	newBrowser(b, a).signIn("alice@idp.example")
	newBrowser(b, a).post("/api/login", script, "assertion", used)
	fields, empty := &strings.Builder{}, strings.Repeat("&", 64<<10-1)
	for i := range 9_990 { // net/url refuses 10 000
		fmt.Fprintf(fields, "&%x", i)
	}
	params := strings.Repeat(";a=b", 200_000)
	for _, c := range []struct {
		name, method, path, body string
		header                   http.Header
	}{
		{"page", "GET", "/", "", form},
		{"logout", "POST", "/api/logout", "", script},
		{"replay", "POST", "/api/login", "assertion=" + used, script},
		{"fields", "POST", "/api/login", fields.String(), script},
		{"separators", "POST", "/api/login", empty, script},
		{"escapes", "POST", "/api/login", "assertion=" + strings.Repeat("%7e", 21<<10), script},
		{"dots", "POST", "/api/login", "assertion=" + strings.Repeat(".", 32<<10), script},
		{"accept", "POST", "/api/logout", "", http.Header{"Accept": {"text/html" + params}}},
		{"content type", "POST", "/api/logout", "", http.Header{"Content-Type": {"a/b" + params}}},
		{"next", "POST", "/api/logout", "next=/" + strings.Repeat("%2525", 9<<10), script},
		{"ranges", "GET", "/api/login.js", "", http.Header{"Range": {"bytes=0-0" + strings.Repeat(",0-0", 8000)}}},
	} {
		b.Run(c.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				r := httptest.NewRequest(c.method, c.path, strings.NewReader(c.body))
				if c.body != "" {
					r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
				}
				for name, values := range c.header {
					r.Header[name] = values
				}
				a.ServeHTTP(httptest.NewRecorder(), r)
			}
		})
	}
}

// BenchmarkSignIn measures an honest login, with a new session each time.
func BenchmarkSignIn(b *testing.B) {
	a := newApp(b, func(_ *app, c *login.Config[*user]) { c.Verifier = verifier(b, assertion.Config{}) })
	for b.Loop() {
		b.StopTimer()
		posted := assertionFor("alice@idp.example")
		r := postRequest("/api/login", "assertion", posted)
		b.StartTimer()
		w := httptest.NewRecorder()
		a.ServeHTTP(w, r)
		if w.Code != http.StatusOK {
			b.Fatal(w.Code, w.Body)
		}
	}
}
