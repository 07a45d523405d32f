package target_test

import (
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/vepverify/vepverify/internal/target"
	"github.com/vepverify/vepverify/internal/target/targettest"
)

func TestLocal(t *testing.T) {
	for _, c := range []struct{ method, target, want string }{
		{"GET", "/", "/"},
		{"GET", "/a?b=c", "/a?b=c"},
		{"GET", "/a%2fb/../c", "/a%2fb/../c"},
		{"GET", "//evil.example/a", "//evil.example/a"},
		{"POST", "http://rp.example/a?b", "/a?b"},
		{"GET", "HTTPS://rp.example", "/"},
		{"GET", "http://rp.example?b", "/?b"},
		{"GET", "/a?q=://h/b", "/a?q=://h/b"},
		{"GET", "/x://h/b", "/x://h/b"},
		{"GET", "x:/a?q=://h/b", ""},
		{"GET", "x:@evil/", ""},
		{"GET", "http:/a", ""},
		{"GET", "http:///a", ""},
		{"GET", "http:a://h/b", ""},
		{"GET", "http://user@rp.example/a", ""},
		{"GET", "ftp://rp.example/a", ""},
		{"GET", "*", ""},
		{"CONNECT", "rp.example:80", ""},
		{"CONNECT", "rp.example:80/a/x://h/b", ""},
		{"CONNECT", "/a", ""},
	} {
		r := httptest.NewRequest(c.method, c.target, nil)
		if got, ok := target.Local(r); got != c.want || ok != (c.want != "") {
			t.Errorf("%s %s: %q, %v; want %q", c.method, c.target, got, ok, c.want)
		}
	}
}

// A request that a client made has no RequestURI.
func TestLocalOfClientRequest(t *testing.T) {
	for in, want := range map[string]string{"https://rp.example/a?b": "/a?b", "/a": "/a", "": "/", "x:@evil/": "", "x://evil/": ""} {
		r, err := http.NewRequest("GET", in, nil)
		if err != nil {
			t.Fatal(err)
		}
		if got, ok := target.Local(r); got != want || ok != (want != "") {
			t.Errorf("%s: %q, %v; want %q", in, got, ok, want)
		}
	}
}

// TestServed: what Local returns is what net/http passes to handlers, for whatever
// comes over the wire.
func TestServed(t *testing.T) {
	s := targettest.NewServer(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		text, ok := target.Local(r)
		if !ok {
			http.Error(w, "refused", http.StatusBadRequest)
			return
		}
		u, err := url.ParseRequestURI(text)
		path := r.URL.Path
		if path == "" { // http://host
			path = "/"
		}
		written := r.RequestURI
		if !strings.HasPrefix(written, "/") {
			_, written, _ = strings.Cut(written, "://")
			written = strings.TrimLeft(written, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.:[]-_~@%;&=*") // the host
		}
		asked, _, _ := strings.Cut(written, "?")
		if decoded, unescaped := url.PathUnescape(asked); err != nil || !strings.HasPrefix(text, "/") || u.Path != path || u.RawQuery != r.URL.RawQuery ||
			r.Method == "CONNECT" || unescaped != nil || decoded != path && asked != "" {
			t.Errorf("%s %q: Local returns %q, the handler sees %q, %q; %v", r.Method, r.RequestURI, text, r.URL.EscapedPath(), r.URL.RawQuery, err)
		}
	}))
	random := rand.New(rand.NewPCG(1, 2))
	targets := targettest.Hostile
	for range 300 {
		targets = append(targets, targettest.Random(random))
	}
	for i, text := range targets {
		method := targettest.Methods[i%len(targettest.Methods)]
		s.HTTP1(t, method, text, "localhost", "")
		s.HTTP2(t, method, text, "localhost", "")
		if i < len(targettest.Hostile) {
			s.HTTP1(t, "GET", text, "localhost", "")
			s.HTTP2(t, "GET", text, "localhost", "")
		}
	}
}
