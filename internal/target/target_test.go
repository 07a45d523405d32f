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

func TestParse(t *testing.T) {
	for _, c := range []struct {
		text string
		want target.Target
	}{
		{"/", target.Target{Text: "/"}},
		{"/a?b=c", target.Target{Text: "/a?b=c"}},
		{"/a%2fb/../c", target.Target{Text: "/a%2fb/../c"}},
		{"//evil.example/a", target.Target{Text: "//evil.example/a"}},
		{"/x://h/b", target.Target{Text: "/x://h/b"}},
		{"/@evil.example", target.Target{Text: "/@evil.example"}},
		{"http://rp.example/a?b", target.Target{Text: "/a?b", Scheme: "http", Host: "rp.example"}},
		{"https://rp.example:8443", target.Target{Text: "/", Scheme: "https", Host: "rp.example:8443"}},
		{"http://rp.example?b/c", target.Target{Text: "/?b/c", Scheme: "http", Host: "rp.example"}},
		{"http://rp.example/a@b", target.Target{Text: "/a@b", Scheme: "http", Host: "rp.example"}},
		{"http://[::1]:80//a", target.Target{Text: "//a", Scheme: "http", Host: "[::1]:80"}},
	} {
		got, ok := target.Parse(c.text)
		if got != c.want || !ok {
			t.Errorf("%q: %+v, %t; want %+v", c.text, got, ok, c.want)
		}
		path, query, _ := strings.Cut(got.Text, "?")
		if got.Path() != path || got.Query() != query {
			t.Errorf("%q: path %q, query %q", c.text, got.Path(), got.Query())
		}
	}
	for _, text := range []string{
		"", "*", "a", "?a", "#/a", "./a", "rp.example", "rp.example:80", "rp.example:80/a", "x:/a", "x://h/a", "x:@evil.example/", "ftp://rp.example/a",
		"http:", "http:a", "http:/a", "http://", "http:///a", "http://?a", "http:a://h/b", "HTTP://rp.example/a", "Https://rp.example/a",
		"http://user@rp.example/a", "http://@rp.example/a", "http://rp.example@evil.example?a",
	} {
		if got, ok := target.Parse(text); got != (target.Target{}) || ok {
			t.Errorf("%q: %+v, %t", text, got, ok)
		}
	}
}

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

// TestLocalOfClientRequest checks requests that were made for a client, which have no
// RequestURI.
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

// TestLocalServed checks that Local returns what net/http passes to handlers, for any target
// that a client sends.
func TestLocalServed(t *testing.T) {
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

// FuzzParse checks that Local accepts each target that Parse accepts and net/http
// parses, with the same path and query.
func FuzzParse(f *testing.F) {
	for _, text := range targettest.Hostile {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		u, err := url.ParseRequestURI(text)
		got, ok := target.Parse(text)
		if err != nil || !ok {
			return
		}
		local, ok := target.Local(&http.Request{Method: "GET", URL: u, RequestURI: text, ProtoMajor: 1})
		want, err := url.ParseRequestURI(got.Path())
		if err != nil || !ok || u.Scheme != got.Scheme || u.Host != "" && !strings.EqualFold(u.Host, hostOf(t, got)) || u.RawQuery != got.Query() {
			t.Fatalf("%q: %+v, net/http has %+v, Local %t", text, got, u, ok)
		}
		if path, _, _ := strings.Cut(local, "?"); path != want.EscapedPath() {
			t.Fatalf("%q: Local has the path %q, Parse %q", text, path, got.Path())
		}
	})
}

// hostOf returns the host of an absolute form, without its escapes.
func hostOf(t *testing.T, of target.Target) string {
	t.Helper()
	u, err := url.Parse(of.Scheme + "://" + of.Host)
	if err != nil {
		t.Fatal(err)
	}
	return u.Host
}
