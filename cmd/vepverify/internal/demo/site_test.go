package demo_test

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/vepverify/vepverify/cmd/vepverify/internal/demo"
	"github.com/vepverify/vepverify/internal/pagetest"
	"github.com/vepverify/vepverify/internal/target/targettest"
)

func TestNewRefuses(t *testing.T) {
	for name, c := range map[string]demo.Config{
		"nothing":     {},
		"no provider": {ProviderOrigin: "http://localhost:8400", Origin: origin},
		"no origins":  {Provider: idp()},
		"a path":      {Provider: idp(), ProviderOrigin: "http://localhost:8400", Origin: origin + "/"},
		"elsewhere":   {Provider: idp(), ProviderOrigin: "http://localhost:8400", Origin: "http://rp.example"},
	} {
		if _, err := demo.New(c); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

// TestVisit signs in, visits the pages, and signs out.
func TestVisit(t *testing.T) {
	v := &visitor{t: t, site: newSite(t)}
	answer, body := v.send("GET", "/", nil)
	if answer.StatusCode != 200 || !strings.Contains(body, `<button id="browserid-login"`) || strings.Contains(body, "Sign in first") {
		t.Errorf("%d: %s", answer.StatusCode, body)
	}
	if answer, _ = v.send("GET", "/members", nil); answer.StatusCode != 303 || answer.Header.Get("Location") != "/?next=%2Fmembers" {
		t.Errorf("members' page: %d to %s", answer.StatusCode, answer.Header.Get("Location"))
	}
	if _, body = v.send("GET", "/?next=%2Fmembers", nil); !strings.Contains(body, "Sign in first") {
		t.Error("the page does not say that a sign-in is needed")
	}
	v.signIn("ada@idp.localhost")
	if _, body = v.send("GET", "/", nil); !strings.Contains(body, `Signed in as <span class="email">ada@idp.localhost</span>`) || !strings.Contains(body, `id="browserid-logout"`) {
		t.Errorf("signed in: %s", body)
	}
	(&visitor{t: t, site: v.site}).signIn("bob@idp.localhost")
	if _, body = v.send("GET", "/members", nil); !strings.Contains(body, "ada@idp.localhost") || !strings.Contains(body, "bob@idp.localhost") {
		t.Errorf("members: %s", body)
	}
	v.send("POST", "/api/logout", url.Values{})
	if _, body = v.send("GET", "/", nil); !strings.Contains(body, "browserid-login") {
		t.Error("still signed in")
	}
}

// TestWalkthrough checks that the page shows what Explain reports about the assertion.
func TestWalkthrough(t *testing.T) {
	v := &visitor{t: t, site: newSite(t)}
	v.signIn("ada@idp.localhost")
	_, body := v.send("GET", "/", nil)
	checked, others, _ := strings.Cut(body, `id="attempts"`)
	outcome := regexp.MustCompile(`<b>([^<]*)</b> <span class="outcome">([a-z]*)</span>`)
	var got []string
	for _, m := range outcome.FindAllStringSubmatch(checked, -1) {
		got = append(got, m[1]+" "+m[2])
	}
	want := []string{
		"size and number of certificates passed", "form passed", "algorithms and certified keys passed", "audience passed", "times passed",
		"principal passed", "assertion signature passed", "authority of the issuer passed", "certificate signatures passed", "one use skipped",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	got = nil
	for _, m := range regexp.MustCompile(`<b>Refused:</b> ([^<]*)<`).FindAllStringSubmatch(others, -1) {
		got = append(got, m[1])
	}
	want = []string{"audience mismatch: domain mismatch", "expired", "invalid signature", "the assertion was used before"}
	if diff := cmp.Diff(want, got); diff != "" || strings.Contains(others, "Accepted") {
		t.Error(diff)
	}
	var names []string
	for _, m := range regexp.MustCompile(`<summary>([^<]*)<`).FindAllStringSubmatch(body, -1) {
		if slices.Contains(names, m[1]) {
			t.Errorf("two summaries %q", m[1])
		}
		names = append(names, m[1])
	}
	if len(names) != 4 {
		t.Errorf("summaries: %q", names)
	}
	for _, claim := range []string{"&#34;http://localhost:8401&#34;", "until 12:02:00", "until 12:10:00", "<code>2026-01-01 12:02:00 UTC</code>", "<code>2026-01-01 12:10:00 UTC</code>", "milliseconds since 1970: 1767268800000", "{&#34;email&#34;:&#34;ada@idp.localhost&#34;}"} {
		if !strings.Contains(checked, claim) {
			t.Errorf("no %s", claim)
		}
	}
}

// TestUsedOnce checks that an assertion signs in once.
func TestUsedOnce(t *testing.T) {
	v := &visitor{t: t, site: newSite(t)}
	form := url.Values{"assertion": {proof(t, "ada@idp.localhost")}}
	v.send("POST", "/api/login", form)
	answer, body := (&visitor{t: t, site: v.site}).send("POST", "/api/login", form)
	if answer.StatusCode != 403 || !strings.Contains(body, "was used before") || !strings.Contains(body, `href="/style.css"`) {
		t.Errorf("%d: %s", answer.StatusCode, body)
	}
}

// TestHosts sends requests to the site's own origin, to other names of this machine, and
// to other names.
func TestHosts(t *testing.T) {
	site := newSite(t)
	for host, status := range map[string]int{
		"localhost:8401": 200, "LOCALHOST:8401": 200,
		"127.0.0.1:8401": 307, "[::1]:8401": 307, "localhost": 307, "localhost:8402": 307, "rp.localhost:8401": 307, "127.0.0.1": 307, "[::1]": 307,
		"evil.example:8401": 421, "evil.example": 421, "localhost.evil.example:8401": 421, "notlocalhost:8401": 421, "": 421,
		"192.0.2.1:8401": 421, "localhost:8401:8401": 421, "localhost.:8401": 421, "127.0.0.1.evil.example": 421,
	} {
		for _, path := range []string{"/", "/client.json", "/api/login.js"} {
			r := httptest.NewRequest("GET", origin+path+"?a=b", nil)
			r.Host = host
			answer, body := do(t, site, r)
			if answer.StatusCode != status {
				t.Errorf("%q %s: %d", host, path, answer.StatusCode)
			}
			if to := answer.Header.Get("Location"); status == 307 && to != origin+path+"?a=b" {
				t.Errorf("%q %s: to %s", host, path, to)
			}
			if status != 200 && len(body) > 100 {
				t.Errorf("%q %s: %s", host, path, body)
			}
		}
	}
}

// TestHeaders checks the headers that all responses have, whichever package made them.
func TestHeaders(t *testing.T) {
	site := newSite(t)
	ada, anonymous := &visitor{t: t, site: site}, &visitor{t: t, site: site}
	ada.signIn("ada@idp.localhost")
	for _, path := range []string{"/", "/members", "/absent", "/style.css", "/icon.svg", "/client.json", "/api/whoami", "/request_token", "/api/login", "/api/logout", "/api/login.js"} {
		for _, v := range []*visitor{ada, anonymous} {
			answer, _ := v.send("GET", path, nil)
			h := answer.Header
			policy := strings.Join(h.Values("Content-Security-Policy"), ",")
			if !strings.Contains(policy, "default-src 'none'") || !strings.Contains(policy, "frame-ancestors 'none'") || strings.Contains(policy, "unsafe") || h.Get("X-Frame-Options") != "DENY" {
				t.Errorf("%s: %v", path, h)
			}
			if h.Get("X-Content-Type-Options") != "nosniff" || h.Get("Cross-Origin-Opener-Policy") != "same-origin-allow-popups" || h.Get("Access-Control-Allow-Origin") != "" {
				t.Errorf("%s: %v", path, h)
			}
			if path != "/api/login.js" && h.Get("Cache-Control") != "no-store" {
				t.Errorf("%s: Cache-Control %s", path, h.Get("Cache-Control"))
			}
		}
	}
}

func TestStatus(t *testing.T) {
	v := &visitor{t: t, site: newSite(t)}
	for _, c := range []struct {
		method, path string
		status       int
		contentType  string
	}{
		{"GET", "/", 200, "text/html; charset=utf-8"},
		{"HEAD", "/", 200, "text/html; charset=utf-8"},
		{"GET", "/style.css", 200, "text/css; charset=utf-8"},
		{"GET", "/icon.svg", 200, "image/svg+xml"},
		{"GET", "/absent", 404, "text/html; charset=utf-8"},
		{"GET", "/web/front.html", 404, "text/html; charset=utf-8"},
		{"POST", "/absent", 404, "text/html; charset=utf-8"},
		{"POST", "/", 405, "text/html; charset=utf-8"},
		{"DELETE", "/members", 405, "text/html; charset=utf-8"},
		{"OPTIONS", "/client.json", 405, "text/html; charset=utf-8"},
		{"PUT", "/style.css", 405, "text/html; charset=utf-8"},
		{"GET", "/demo.js", 200, "text/javascript; charset=utf-8"},
		{"GET", "/web/demo.js", 404, "text/html; charset=utf-8"},
		{"GET", "/api/login", 405, "text/html; charset=utf-8"},
		{"GET", "/client.json", 200, "application/json"},
		{"GET", "/api/whoami", 401, "application/json"},
	} {
		if answer, body := v.send(c.method, c.path, nil); answer.StatusCode != c.status || answer.Header.Get("Content-Type") != c.contentType {
			t.Errorf("%s %s: %d, %s: %s", c.method, c.path, answer.StatusCode, answer.Header.Get("Content-Type"), body)
		} else if c.status == 405 && answer.Header.Get("Allow") == "" {
			t.Errorf("%s %s: no Allow", c.method, c.path)
		}
	}
}

// TestRefused checks that browsers get a page and other clients a text, both with what to do.
func TestRefused(t *testing.T) {
	site := newSite(t)
	for _, c := range []struct {
		method, host, path string
		status             int
		want               string
	}{
		{"GET", "localhost:8401", "/absent", 404, "This page does not exist"},
		{"POST", "localhost:8401", "/members", 405, "GET or HEAD"},
		{"GET", "demo.example:8401", "/", 421, "Open http://localhost:8401/"},
	} {
		for accept, contentType := range map[string]string{"text/html": "text/html; charset=utf-8", "*/*": "text/plain; charset=utf-8", "": "text/plain; charset=utf-8"} {
			r := httptest.NewRequest(c.method, "/", nil)
			r.URL.Path, r.Host = c.path, c.host
			r.Header.Set("Accept", accept)
			answer, body := do(t, site, r)
			if answer.StatusCode != c.status || answer.Header.Get("Content-Type") != contentType || !strings.Contains(body, c.want) {
				t.Errorf("%s %s%s as %q: %d, %s", c.method, c.host, c.path, accept, answer.StatusCode, body)
			}
			if html := strings.HasPrefix(contentType, "text/html"); html != strings.Contains(body, `href="http://localhost:8401/"`) {
				t.Errorf("%s%s as %q: %s", c.host, c.path, accept, body)
			}
		}
	}
}

// TestMaxMembers checks that the number of members is bounded, and that the last ones are
// kept.
func TestMaxMembers(t *testing.T) {
	var emails []string
	for i := range demo.MaxMembers + 10 {
		emails = append(emails, fmt.Sprint(i))
	}
	known := demo.ListMembers(now, emails...)
	if len(known) != demo.MaxMembers || known[0] != emails[len(emails)-1] {
		t.Errorf("%d known, first %s", len(known), known[0])
	}
}

var _ http.Handler = (*demo.Site)(nil)

// TestMarkup checks that the pages follow their own policy, and that references to
// elements have a target.
func TestMarkup(t *testing.T) {
	site := newSite(t)
	ada, anonymous := &visitor{t: t, site: site}, &visitor{t: t, site: site}
	ada.signIn("ada@idp.localhost")
	for _, v := range []*visitor{ada, anonymous} {
		for _, path := range []string{"/", "/?next=/members", "/members", "/absent"} {
			answer, body := v.send("GET", path, nil)
			if answer.StatusCode == 303 {
				continue
			}
			pagetest.Markup(t, path, body, ownLinks)
			if !strings.Contains(body, `<html lang="en">`) || !strings.Contains(body, idp().Warning()) || strings.Count(body, "<h1") != 1 {
				t.Errorf("%s: no language, no warning, or not one heading", path)
			}
			if strings.Contains(body, "ZgotmplZ") {
				t.Errorf("%s: html/template refused a value", path)
			}
		}
	}
}

// ownLinks matches links to the site itself, and to the provider's script.
var ownLinks = regexp.MustCompile(`^/([a-z]|$)|^http://localhost:8400/include\.js$|^http://localhost:8401/$`)

// TestLocations sends hostile request targets under several Hosts. Redirects must lead
// to the site's own origin or to a path of the same origin.
func TestLocations(t *testing.T) {
	s := targettest.NewServer(t, newSite(t))
	random := rand.New(rand.NewPCG(1, 2))
	targets := targettest.Hostile
	for range 200 {
		targets = append(targets, targettest.Random(random))
	}
	hosts := []string{"localhost:8401", "127.0.0.1:8401", "rp.localhost:8401", "[::1]", "evil.example", "localhost:8401@evil.example", "evil.example.localhost"}
	for i, text := range targets {
		for _, method := range []string{"GET", targettest.Methods[i%len(targettest.Methods)]} {
			host := hosts[i%len(hosts)]
			for protocol, a := range map[string]targettest.Answer{
				"HTTP/1.1": s.HTTP1(t, method, text, host, "", "Accept", "text/html"),
				"HTTP/2":   s.HTTP2(t, method, text, host, "", "Accept", "text/html"),
			} {
				if to := a.Header["Location"]; len(to) > 1 || len(to) == 1 && !targettest.Stays(to[0], origin) {
					t.Errorf("%s %s %q to %q: %d, Location %q", protocol, method, text, host, a.Status, to)
				}
				if strings.Contains(a.Body, targettest.Evil) && !strings.Contains(a.Body, "Temporary Redirect") {
					t.Errorf("%s %s %q to %q: the page repeats it: %s", protocol, method, text, host, a.Body)
				}
			}
		}
	}
}

// TestTargets checks that only paths, and absolute forms of them, are served.
func TestTargets(t *testing.T) {
	s := targettest.NewServer(t, newSite(t))
	for _, host := range []string{"localhost:8401", "127.0.0.1:8401"} {
		for _, text := range []string{"x:@evil/", "x:/", "x:.evil.example/", "http:/", "http:///", "*"} {
			if a := s.HTTP1(t, "GET", text, host, ""); a.Status != 400 || a.Header["Location"] != nil || !strings.Contains(a.Body, "request target") {
				t.Errorf("%q to %s: %d, %v", text, host, a.Status, a.Header)
			}
			if a := s.HTTP2(t, "GET", text, host, ""); a.Status != 400 || a.Header["Location"] != nil {
				t.Errorf("HTTP/2: %q to %s: %d, %v", text, host, a.Status, a.Header)
			}
		}
		for _, text := range []string{"evil.example:80", "/members", "/"} {
			if a := s.HTTP1(t, "CONNECT", text, host, ""); a.Status != 400 || a.Header["Location"] != nil {
				t.Errorf("CONNECT %q to %s: %d, %v", text, host, a.Status, a.Header)
			}
		}
	}
	if a := s.HTTP1(t, "GET", "http://localhost:8401/style.css", "evil.example", ""); a.Status != 200 {
		t.Errorf("absolute form: %d", a.Status)
	}
	if a := s.HTTP1(t, "GET", "http://evil.example/style.css", "localhost:8401", ""); a.Status != 421 {
		t.Errorf("absolute form of another host: %d", a.Status)
	}
}

// TestZone checks that a Host with a zone is refused: the zone may be any text.
func TestZone(t *testing.T) {
	site := newSite(t)
	for _, host := range []string{"[::1%evil]:8401", "[::1%25lo]", "::1%evil"} {
		r := httptest.NewRequest("GET", "/", nil)
		r.Host = host
		if answer, _ := do(t, site, r); answer.StatusCode != 421 {
			t.Errorf("%s: %d", host, answer.StatusCode)
		}
	}
}
