package devidp_test

import (
	"context"
	"encoding/json"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"

	"github.com/vepverify/vepverify/devidp"
	"github.com/vepverify/vepverify/devidp/idptest"
	"github.com/vepverify/vepverify/internal/pagetest"
	"github.com/vepverify/vepverify/internal/target/targettest"
)

func newProvider(t testing.TB, domain string) *devidp.Provider {
	t.Helper()
	p, err := devidp.New(devidp.Config{Domain: domain})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func statusOf(h http.Handler, r *http.Request) int {
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w.Code
}

func TestEndpoints(t *testing.T) {
	for _, c := range []struct {
		method, path string
		status       int
		contentType  string
		allow        string
	}{
		{"GET", "/", 200, "text/html; charset=utf-8", ""},
		{"HEAD", "/", 200, "text/html; charset=utf-8", ""},
		{"GET", "/sign_in", 200, "text/html; charset=utf-8", ""},
		{"GET", "/sign_in?audience=http://evil.example", 200, "text/html; charset=utf-8", ""},
		{"GET", "/.well-known/browserid", 200, "application/json", ""},
		{"GET", "/.well-known/browserid?domain=idp.localhost", 200, "application/json", ""},
		{"GET", "/keys.json", 200, "application/json", ""},
		{"GET", "/include.js", 200, "text/javascript; charset=utf-8", ""},
		{"GET", "/dialog.js", 200, "text/javascript; charset=utf-8", ""},
		{"GET", "/assertion.js", 200, "text/javascript; charset=utf-8", ""},
		{"GET", "/identities.js", 200, "text/javascript; charset=utf-8", ""},
		{"GET", "/style.css", 200, "text/css; charset=utf-8", ""},
		{"GET", "/icon.svg", 200, "image/svg+xml", ""},
		{"POST", "/sign_in", 405, "text/plain; charset=utf-8", "GET, HEAD"},
		{"GET", "/certify", 405, "application/json", "POST"},
		{"OPTIONS", "/certify", 405, "application/json", "POST"},
		{"PUT", "/certify", 405, "application/json", "POST"},
		{"GET", "/dialog.html", 404, "text/plain; charset=utf-8", ""},
		{"GET", "/web/dialog.html", 404, "text/plain; charset=utf-8", ""},
		{"GET", "/certify/", 404, "text/plain; charset=utf-8", ""},
	} {
		response, _ := answer(t, newRequest(c.method, c.path, ""))
		h := response.Header
		if response.StatusCode != c.status || h.Get("Content-Type") != c.contentType || h.Get("Allow") != c.allow {
			t.Errorf("%s %s: %d, %s, Allow %q", c.method, c.path, response.StatusCode, h.Get("Content-Type"), h.Get("Allow"))
		}
		if cookies := response.Cookies(); len(cookies) > 0 {
			t.Errorf("%s %s sets %v", c.method, c.path, cookies)
		}
	}
}

// TestHeaders checks the headers of all responses, refusals and errors too, and the
// exceptions of a few.
func TestHeaders(t *testing.T) {
	foreign := newRequest("GET", "/sign_in", "")
	foreign.Host = "evil.example"
	requests := []*http.Request{foreign, newRequest("GET", "/absent", ""), certifyRequest("{}")}
	for _, path := range paths {
		requests = append(requests, newRequest("GET", path, ""))
	}
	for _, r := range requests {
		response, _ := answer(t, r)
		want := map[string]string{
			"X-Frame-Options": "DENY", "X-Content-Type-Options": "nosniff", "Cache-Control": "no-store",
			"Referrer-Policy": "same-origin", "Cross-Origin-Resource-Policy": "same-origin", "Access-Control-Allow-Origin": "",
			"Cross-Origin-Opener-Policy": "",
		}
		switch {
		case r == foreign:
		case r.URL.Path == "/include.js":
			want["Cross-Origin-Resource-Policy"], want["Access-Control-Allow-Origin"] = "cross-origin", "*"
		case r.URL.Path == "/sign_in":
			want["Cross-Origin-Opener-Policy"] = "unsafe-none"
		}
		for name, value := range want {
			if got := response.Header.Get(name); got != value {
				t.Errorf("%s %s: %s: %q, want %q", r.Host, r.URL.Path, name, got, value)
			}
		}
		checkPolicy(t, response.Header.Values("Content-Security-Policy"))
	}
}

func checkPolicy(t *testing.T, policies []string) {
	t.Helper()
	if len(policies) != 1 {
		t.Fatalf("policies: %q", policies)
	}
	got := map[string]string{}
	for directive := range strings.SplitSeq(policies[0], ";") {
		name, value, _ := strings.Cut(strings.TrimSpace(directive), " ")
		got[name] = value
	}
	for name, want := range map[string]string{
		"default-src": "'none'", "script-src": "'self'", "style-src": "'self'", "connect-src": "'self'", "img-src": "'self'",
		"frame-ancestors": "'none'", "base-uri": "'none'", "form-action": "'none'", "require-trusted-types-for": "'script'", "trusted-types": "'none'",
	} {
		if got[name] != want {
			t.Errorf("%s: %q, want %q", name, got[name], want)
		}
	}
	if strings.Contains(policies[0], "unsafe") {
		t.Errorf("policy: %s", policies[0])
	}
}

// TestMarkup checks that the pages follow their own policy, and that references to
// elements have a target.
func TestMarkup(t *testing.T) {
	for _, path := range []string{"/", "/sign_in"} {
		_, body := answer(t, newRequest("GET", path, ""))
		pagetest.Markup(t, path, body, regexp.MustCompile(`^/[a-z.]`))
		if !strings.Contains(body, `<html lang="en">`) || !strings.Contains(body, idp().Warning()) {
			t.Errorf("%s: no language, or no warning", path)
		}
	}
}

// TestRefusalPages checks that browsers get a page if a request is refused: in the style of
// the others, with a link to the start page, and without what the request said.
func TestRefusalPages(t *testing.T) {
	for name, c := range map[string]struct {
		method, path, host, remote string
		status                     int
		says, start, allow         string
	}{
		"absent":          {"GET", "/absent-page", "", "", 404, "no such page", "/", ""},
		"absent, HEAD":    {"HEAD", "/absent-page", "", "", 404, "", "", ""},
		"absent folder":   {"GET", "/certify/", "", "", 404, "no such page", "/", ""},
		"method":          {"POST", "/sign_in", "", "", 405, "method", "/", "GET, HEAD"},
		"certify":         {"GET", "/certify", "", "", 405, "method is not POST", "/", "POST"},
		"target":          {"GET", "x:/absent-page", "", "", 400, "not a path", "/", ""},
		"host":            {"GET", "/absent-page", "evil.example", "", 421, "http://localhost", "http://localhost:8400/", ""},
		"another machine": {"GET", "/absent-page", "", "192.0.2.1:1", 403, "its own machine only", "", ""},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRequest(c.method, strings.TrimPrefix(c.path, "x:"), "")
			if c.path != r.URL.Path {
				r.RequestURI, r.URL.Scheme = c.path, "x"
			}
			r.Header.Set("Accept", "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8")
			r = r.WithContext(context.WithValue(r.Context(), http.LocalAddrContextKey, &net.TCPAddr{Port: 8400}))
			if c.host != "" {
				r.Host = c.host
			}
			if c.remote != "" {
				r.RemoteAddr = c.remote
			}
			response, body := answer(t, r)
			if h := response.Header; response.StatusCode != c.status || h.Get("Content-Type") != "text/html; charset=utf-8" || h.Get("Allow") != c.allow || h.Get("Cache-Control") != "no-store" {
				t.Errorf("%d %v", response.StatusCode, h)
			}
			checkPolicy(t, response.Header.Values("Content-Security-Policy"))
			pagetest.Markup(t, c.path, body, regexp.MustCompile(`^(/|/[a-z.]+|http://localhost:8400/)$`))
			if !strings.Contains(body, c.says) || strings.Contains(body, "absent-page") || strings.Contains(body, "evil.example") {
				t.Error(body)
			}
			if linked := strings.Contains(body, `href="`+c.start+`">To the start page`); linked != (c.start != "") {
				t.Error(body)
			}
		})
	}
}

// TestFrontPage checks that the page names the script and the document at the origin at which
// it was opened.
func TestFrontPage(t *testing.T) {
	r := newRequest("GET", "/", "")
	r.Host = "IDP.localhost:99"
	if _, body := answer(t, r); !strings.Contains(body, "http://idp.localhost:99/include.js") || !strings.Contains(body, "http://idp.localhost:99/.well-known/browserid") {
		t.Error(body)
	}
}

// TestElements checks that the ids that the scripts look for are on the page.
func TestElements(t *testing.T) {
	_, page := answer(t, newRequest("GET", "/sign_in", ""))
	_, script := answer(t, newRequest("GET", "/dialog.js", ""))
	found := regexp.MustCompile(`find\('([a-z-]+)'\)`).FindAllStringSubmatch(script, -1)
	if len(found) < 10 {
		t.Fatalf("%d lookups in the script", len(found))
	}
	for _, m := range found {
		if !strings.Contains(page, `id="`+m[1]+`"`) {
			t.Errorf("no element is %q", m[1])
		}
	}
}

// TestLocations sends hostile request targets under several Hosts. Redirects must lead
// to a path of the same origin, and no answer may repeat a foreign host.
func TestLocations(t *testing.T) {
	s := targettest.NewServer(t, idp())
	random := rand.New(rand.NewPCG(1, 2))
	targets := targettest.Hostile
	for range 200 {
		targets = append(targets, targettest.Random(random))
	}
	hosts := []string{"localhost:8400", "127.0.0.1:8400", "idp.localhost", "[::1]", "evil.example", "[::1%evil.example]", "localhost:8400@evil.example", "evil.example.localhost"}
	for i, text := range targets {
		for _, method := range []string{"GET", targettest.Methods[i%len(targettest.Methods)]} {
			host := hosts[i%len(hosts)]
			for protocol, a := range map[string]targettest.Answer{
				"HTTP/1.1": s.HTTP1(t, method, text, host, ""),
				"HTTP/2":   s.HTTP2(t, method, text, host, ""),
			} {
				if to := a.Header["Location"]; len(to) > 1 || len(to) == 1 && !(strings.HasPrefix(to[0], "/") && targettest.Stays(to[0], own)) {
					t.Errorf("%s %s %q to %q: %d, Location %q", protocol, method, text, host, a.Status, to)
				}
				if strings.Contains(a.Body, targettest.Evil) && !strings.Contains(a.Body, "Temporary Redirect") {
					t.Errorf("%s %s %q to %q: the answer repeats it: %s", protocol, method, text, host, a.Body)
				}
			}
		}
	}
}

// TestTargets checks that certificates are issued at /certify only, and not at other
// targets in which net/http parses the same path.
func TestTargets(t *testing.T) {
	s := targettest.NewServer(t, idp())
	good := body(t, "ada@idp.localhost", idptest.Key("DS128").Public(), 600)
	send := func(method, text, host string) targettest.Answer {
		return s.HTTP2(t, method, text, host, "", "Origin", "https://"+host, "Content-Type", "application/json")
	}
	for _, text := range []string{"x:/certify", "http:/certify", "http:///certify", "http://localhost:8400/certify", "x:certify", "*"} {
		if a := send("POST", text, "localhost:8400"); a.Status != http.StatusBadRequest || !strings.Contains(a.Body, "request target") {
			t.Errorf("HTTP/2: %q: %d %s", text, a.Status, a.Body)
		}
	}
	for _, text := range []string{"x:/certify", "http:/certify", "http:///certify", "x:certify", "*"} {
		if a := s.HTTP1(t, "POST", text, "localhost:8400", "", "Origin", own, "Content-Type", "application/json"); a.Status != http.StatusBadRequest || !strings.Contains(a.Body, "request target") {
			t.Errorf("%q: %d %s", text, a.Status, a.Body)
		}
	}
	for _, text := range []string{"/certify", "localhost:8400", "localhost:8400/certify"} {
		if a := s.HTTP1(t, "CONNECT", text, "localhost:8400", ""); a.Status != http.StatusBadRequest && a.Status != http.StatusMisdirectedRequest {
			t.Errorf("CONNECT %q: %d", text, a.Status)
		}
	}
	if response, c := certify(t, certifyRequest(good)); response.StatusCode != 200 { // absolute form
		t.Errorf("%d %v", response.StatusCode, c)
	}
}

// TestZone checks that a Host with a zone is refused: the zone may be any text, which a
// page would repeat.
func TestZone(t *testing.T) {
	for _, host := range []string{"[::1%evil]:8400", "[::1%25lo]", "[::1%\"><b>]:80", "[::ffff:127.0.0.1%x]:80"} {
		r := newRequest("GET", "/", "")
		r.Host = host
		response, text := answer(t, r)
		var refused struct{ Error string }
		if err := json.Unmarshal([]byte(text), &refused); err != nil || response.StatusCode != http.StatusMisdirectedRequest {
			t.Errorf("%s: %d %s", host, response.StatusCode, text)
		}
	}
}
