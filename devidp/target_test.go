package devidp_test

import (
	"encoding/json"
	"math/rand/v2"
	"net/http"
	"strings"
	"testing"

	"github.com/vepverify/vepverify/devidp/idptest"
	"github.com/vepverify/vepverify/internal/target/targettest"
)

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
	ask := func(method, text, host string) targettest.Answer {
		return s.HTTP2(t, method, text, host, "", "Origin", "https://"+host, "Content-Type", "application/json")
	}
	for _, text := range []string{"x:/certify", "http:/certify", "http:///certify", "http://localhost:8400/certify", "x:certify", "*"} {
		if a := ask("POST", text, "localhost:8400"); a.Status != http.StatusBadRequest || !strings.Contains(a.Body, "request target") {
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
	if response, c := certify(t, asDialog(good)); response.StatusCode != 200 { // absolute form
		t.Errorf("%d %v", response.StatusCode, c)
	}
}

// TestZone checks that a Host with a zone is refused: the zone may be any text, which a
// page would repeat.
func TestZone(t *testing.T) {
	for _, host := range []string{"[::1%evil]:8400", "[::1%25lo]", "[::1%\"><b>]:80", "[::ffff:127.0.0.1%x]:80"} {
		r := ask("GET", "/", "")
		r.Host = host
		response, text := answer(t, r)
		var said struct{ Error string }
		if err := json.Unmarshal([]byte(text), &said); err != nil || response.StatusCode != http.StatusMisdirectedRequest {
			t.Errorf("%s: %d %s", host, response.StatusCode, text)
		}
	}
}
