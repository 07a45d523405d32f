package verifyapi_test

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/vepverify/vepverify/internal/target/targettest"
	"github.com/vepverify/vepverify/verifyapi"
)

// statusHTTP1 sends a request for a verification with a method and target over HTTP/1.1, and
// returns the status.
func (s *service) statusHTTP1(t *testing.T, method, target string) int {
	t.Helper()
	conn := s.dial(t)
	defer conn.Close()
	body := ask(good)
	fmt.Fprintf(conn, "%s %s HTTP/1.1\r\nHost: verifier.example\r\n%sContent-Length: %d\r\nConnection: close\r\n\r\n%s", method, target, asJSON, len(body), body)
	got, err := readRaw(conn, method)
	if err != nil {
		t.Fatalf("%s %q: %v", method, target, err)
	}
	if got.StatusCode == 200 && got.body != goodAnswer {
		t.Errorf("%s %q: %s", method, target, got.body)
	}
	return got.StatusCode
}

// statusHTTP2 is statusHTTP1 over HTTP/2. It returns 0 if the stream is reset.
func (s *service) statusHTTP2(t *testing.T, method, target string) int {
	t.Helper()
	conn := s.dial(t)
	defer conn.Close()
	return targettest.SendHTTP2(t, conn, ask(good), ":method", method, ":scheme", "http", ":authority", "verifier.example", ":path", target,
		"content-type", "application/json").Status
}

// TestTargets has the status of each form of request target.
func TestTargets(t *testing.T) {
	s := serve(t, verifyapi.Config{})
	for _, tt := range []struct {
		method, target string
		one, two       int // the status over HTTP/1.1 and HTTP/2; 0 means that the stream is reset
	}{
		{"POST", "/v2", 200, 200},
		{"POST", "/v2/", 200, 200},
		{"POST", "/", 200, 200},
		{"POST", "/verify?x=://y", 200, 200},
		{"POST", "http://verifier.example/v2", 200, 200}, // RFC 9112 requires it
		{"POST", "https://verifier.example/v2", 200, 200},
		{"POST", "http://other.example/v2", 200, 200}, // this service has no name of its own

		{"POST", "x:/v2", 400, 400},
		{"POST", "x://h/v2", 400, 400},
		{"POST", "x:v2", 400, 400},
		{"POST", "http:/v2", 400, 400},
		{"POST", "http:v2", 400, 400},
		{"POST", "http:///v2", 400, 400},
		{"POST", "https:/v2", 400, 400},
		{"POST", "HTTP://verifier.example/v2", 400, 400},
		{"POST", "http://user@verifier.example/v2", 400, 400},
		{"CONNECT", "verifier.example:80", 405, 0},
		{"CONNECT", "verifier.example:80/v2", 400, 0},
		{"CONNECT", "/v2", 400, 0},
		{"POST", "*", 405, 405},
		{"POST", "v2", 400, 0}, // by net/http
		{"POST", "verifier.example/v2", 400, 0},

		{"POST", "//v2", 404, 404},
		{"POST", "/%76%32", 400, 400},
		{"POST", "/v2%2F", 400, 400},
		{"POST", "/%2Fv2", 400, 400},
		{"POST", "/%76erify", 400, 400},
		{"POST", "/./v2", 404, 404},
		{"POST", "/x/../v2", 404, 404},
		{"POST", "/../v2", 404, 404},
		{"POST", "/v2/.", 404, 404},
		{"POST", "/v2//", 404, 404},
		{"POST", "/v2;x", 404, 404},
		{"POST", "/V2", 404, 404},
		{"POST", "http://verifier.example//v2", 404, 404},
	} {
		if got := s.statusHTTP1(t, tt.method, tt.target); got != tt.one {
			t.Errorf("HTTP/1.1 %s %q: %d, not %d", tt.method, tt.target, got, tt.one)
		}
		if got := s.statusHTTP2(t, tt.method, tt.target); got != tt.two {
			t.Errorf("HTTP/2 %s %q: %d, not %d", tt.method, tt.target, got, tt.two)
		}
	}
}

// served reports whether a target is one of those for verifications, by its text
// alone.
func served(target string) bool {
	target, _, _ = strings.Cut(target, "?")
	for _, scheme := range []string{"http://", "https://"} {
		if rest, ok := strings.CutPrefix(target, scheme); ok {
			host, path, _ := strings.Cut(rest, "/")
			if host == "" || strings.ContainsAny(host, "@%") {
				return false
			}
			target = "/" + path
		}
	}
	switch target {
	case "/", "/v2", "/v2/", "/verify", "/verify/":
		return true
	}
	return false
}

// TestRandomTargets checks that a verification is served only if the target is one
// of those for verifications as it was sent.
func TestRandomTargets(t *testing.T) {
	pieces := []string{
		"/", "/", "/v2", "/v2", "/verify", "v2", "x:", "http:", "https:", "http://h", "https://h", "//", "//h", ".", "..", "%2F", "%76", "%32", "2", "?", "?q=",
		"h", ":80", "@", "*", ";", "#", "\\", "%", "://", "/status", "%00", "&",
	}
	s := serve(t, verifyapi.Config{})
	random := rand.New(rand.NewPCG(1, 2))
	for range 1500 {
		var target string
		for range 1 + random.IntN(5) {
			target += pieces[random.IntN(len(pieces))]
		}
		for version, send := range map[int]func(*testing.T, string, string) int{1: s.statusHTTP1, 2: s.statusHTTP2} {
			if got := send(t, "POST", target); got == 200 && !served(target) {
				t.Errorf("HTTP/%d: %q is served", version, target)
			} else if got != 200 && served(target) && !strings.ContainsAny(target, "\\%#@*") && !strings.Contains(target, ":") {
				t.Errorf("HTTP/%d: %q has status %d", version, target, got)
			}
		}
	}
}

// TestTargetUnderPrefix checks targets of which http.StripPrefix removed a prefix.
func TestTargetUnderPrefix(t *testing.T) {
	h := http.StripPrefix("/verifier", watch(t, verifyapi.Config{}))
	for target, want := range map[string]int{
		"/verifier/v2": 200, "http://h.example/verifier/v2": 200, "/verifier/%76%32": 400, "/verifier//v2": 404, "x:/verifier/v2": 400, "/%76erifier/v2": 404,
	} {
		r := httptest.NewRequest("POST", "/", strings.NewReader(ask(good)))
		u, err := r.URL.Parse(target)
		if err != nil {
			t.Fatal(err)
		}
		r.URL, r.RequestURI = u, target
		r.Header.Set("Content-Type", jsonType)
		rec := httptest.NewRecorder()
		h.ServeHTTP(rec, r)
		if rec.Code != want {
			t.Errorf("%s: %d, not %d", target, rec.Code, want)
		}
	}
}
