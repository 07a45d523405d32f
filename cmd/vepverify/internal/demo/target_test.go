package demo_test

import (
	"math/rand/v2"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/vepverify/vepverify/internal/target/targettest"
)

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
