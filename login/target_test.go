package login_test

import (
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/vepverify/vepverify/internal/target/targettest"
	"github.com/vepverify/vepverify/login"
)

// TestLocations checks that no request target and no next page redirects a browser to
// another origin, however the application is mounted.
func TestLocations(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	targets := targettest.Hostile
	for range 40 {
		targets = append(targets, targettest.Random(random))
	}
	for _, m := range mounts {
		t.Run(m.name, func(t *testing.T) {
			a := newApp(t, func(_ *app, c *login.Config[*user]) { c.Prefix = m.prefix })
			s := targettest.NewServer(t, m.mount(a))
			for i, text := range targets {
				wanted := url.Values{"next": {targets[(i*7+1)%len(targets)]}}.Encode()
				for _, r := range []struct{ method, target, form string }{
					{"GET", text, ""},
					{targettest.Methods[i%len(targettest.Methods)], text, ""},
					{"POST", m.prefix + "/api/logout", wanted},
				} {
					answers := map[string]targettest.Answer{"HTTP/1.1": s.HTTP1(t, r.method, r.target, "rp.example", r.form, "Accept", "text/html")}
					if m.prefix == "" { // TLS is slow
						answers["HTTP/2"] = s.HTTP2(t, r.method, r.target, "rp.example", r.form, "Accept", "text/html")
					}
					for protocol, answer := range answers {
						if to := answer.Header["Location"]; len(to) > 1 || len(to) == 1 && !(strings.HasPrefix(to[0], "/") && targettest.Stays(to[0], rp)) {
							t.Errorf("%s %s %q %s: %d, Location %q", protocol, r.method, r.target, r.form, answer.Status, to)
						}
					}
				}
			}
		})
	}
}

// TestTargets checks that a request target which is not a path is refused, although
// net/http finds the path of a route or of a guarded page in it.
func TestTargets(t *testing.T) {
	a := newApp(t)
	s := targettest.NewServer(t, a)
	posted := url.Values{"assertion": {assertionFor("alice@idp.example")}}.Encode()
	for _, text := range []string{"x:/api/login", "http:/api/login", "http:///api/login", "x://rp.example/api/login", "http://a@rp.example/api/login", "x:/members", "http:/", "x:/?q=://rp.example/"} {
		for protocol, answer := range map[string]targettest.Answer{
			"HTTP/1.1": s.HTTP1(t, "POST", text, "rp.example", posted, "Accept", "application/json"),
			"HTTP/2":   s.HTTP2(t, "POST", text, "rp.example", posted, "Accept", "application/json"),
		} {
			if answer.Status != http.StatusBadRequest || answer.Body != failure("the request target is not a path") || answer.Header["Set-Cookie"] != nil {
				t.Errorf("%s %q: %d %s", protocol, text, answer.Status, answer.Body)
			}
		}
	}
	for _, text := range []string{"/members", "rp.example:443", "rp.example:443/members"} {
		if answer := s.HTTP1(t, "CONNECT", text, "rp.example", ""); answer.Status != http.StatusBadRequest && answer.Status != http.StatusNotFound {
			t.Errorf("CONNECT %q: %d", text, answer.Status)
		}
	}
	if answer := s.HTTP2(t, "POST", "http://rp.example/api/login", "rp.example", posted); answer.Status != http.StatusBadRequest {
		t.Errorf("HTTP/2, absolute form: %d", answer.Status)
	}
	if answer := s.HTTP1(t, "POST", "https://other.example/api/login", "rp.example", posted); answer.Status != http.StatusOK {
		t.Errorf("absolute form: %d %s", answer.Status, answer.Body)
	}
	if a.loads != 1 {
		t.Errorf("%d loads", a.loads)
	}
}

// TestTargetsBehindRouters checks that WithUser accepts a path of which a router has
// removed a part, and a request without a RequestURI.
func TestTargetsBehindRouters(t *testing.T) {
	a := newApp(t)
	page := a.WithUser(http.HandlerFunc(a.greet))
	for prefix, path := range map[string]string{"/app": "/app", "/app/": "/app/x", "": "//x"} {
		w := httptest.NewRecorder()
		http.StripPrefix(prefix, page).ServeHTTP(w, httptest.NewRequest("GET", path, nil))
		if w.Code != http.StatusOK {
			t.Errorf("%s without %s: %d", path, prefix, w.Code)
		}
	}
	r, err := http.NewRequest("GET", "https://rp.example/", nil) // as in an application's own tests
	if err != nil {
		t.Fatal(err)
	}
	w := httptest.NewRecorder()
	page.ServeHTTP(w, r)
	if w.Code != http.StatusOK {
		t.Errorf("%d", w.Code)
	}
}
