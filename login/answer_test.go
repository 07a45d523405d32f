package login_test

import (
	"crypto/sha256"
	"encoding/base64"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/vepverify/vepverify/login"
)

// TestFailures checks the status and the reason of each failure. The original,
// Flask-BrowserID, answered all of them with 500 and text/html.
func TestFailures(t *testing.T) {
	const formType = "application/x-www-form-urlencoded"
	expired := idp.At(now.Add(-1e12)).Backed("alice@idp.example", userKey, rp)
	for _, c := range []struct {
		name, method, path, contentType, body string
		status                                int
		reason                                string
	}{
		{"expired", "POST", "/api/login", formType, "assertion=" + expired, 403, "expired"},
		{"wrong audience", "POST", "/api/login", formType, "assertion=" + idp.Backed("alice@idp.example", userKey, "https://other.example"), 403, "audience mismatch: domain mismatch"},
		{"no assertion at all", "POST", "/api/login", formType, "assertion=x", 403, "no certificates provided"},
		{"no such user", "POST", "/api/login", formType, "assertion=" + assertionFor("nobody@idp.example"), 403, "no user with this address"},
		{"no field", "POST", "/api/login", formType, "x=y", 400, "missing assertion parameter"},
		{"empty field", "POST", "/api/login", formType, "assertion=", 400, "missing assertion parameter"},
		{"no body", "POST", "/api/login", "", "", 400, "missing assertion parameter"},
		{"in the query", "POST", "/api/login?assertion=" + assertionFor("alice@idp.example"), formType, "", 400, "missing assertion parameter"},
		{"twice", "POST", "/api/login", formType, "assertion=x&assertion=y", 400, "malformed form"},
		{"broken escape", "POST", "/api/login", formType, "assertion=%zz", 400, "malformed form"},
		{"get", "GET", "/api/login", "", "", 405, "method not allowed"},
		{"put", "PUT", "/api/login", "", "", 405, "method not allowed"},
		{"get logout", "GET", "/api/logout", "", "", 405, "method not allowed"},
		{"too large", "POST", "/api/login", formType, "assertion=" + strings.Repeat("x", 64<<10), 413, "form too large"},
		{"too large logout", "POST", "/api/logout", formType, "next=" + strings.Repeat("x", 64<<10), 413, "form too large"},
		{"json", "POST", "/api/login", "application/json", `{"assertion":"x"}`, 415, "unsupported content type"},
		{"text", "POST", "/api/login", "text/plain", "assertion=x", 415, "unsupported content type"},
		{"multipart", "POST", "/api/login", "multipart/form-data; boundary=x", "--x--", 415, "unsupported content type"},
		{"no type", "POST", "/api/login", "", "assertion=x", 415, "unsupported content type"},
		{"json logout", "POST", "/api/logout", "application/json", `{}`, 415, "unsupported content type"},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := httptest.NewRequest(c.method, c.path, strings.NewReader(c.body))
			if c.contentType != "" {
				r.Header.Set("Content-Type", c.contentType)
			}
			w := newBrowser(t, newApp(t)).do(r, script)
			wantAnswer(t, w, c.status, failure(c.reason))
			if allow := w.Header().Get("Allow"); (c.status == 405) != (allow == "POST") {
				t.Errorf("Allow: %q", allow)
			}
		})
	}
}

// TestAccept checks which values of Accept get JSON, and which a page.
func TestAccept(t *testing.T) {
	b := newBrowser(t, newApp(t))
	for accept, want := range map[string]int{
		"": 200, "*/*": 200, "application/json": 200, "application/*": 200, "nonsense": 200, "text/plain": 200,
		"application/json, text/html": 200, "text/html;q=0.5, application/json": 200, "text/html;q=0": 200,
		"text/*;q=0.2, */*": 200, "text/html;q=2, */*": 200, "text/html;q=x": 200,
		strings.Repeat("text/x,", 40) + "text/html": 200,
		"text/html": 303, "text/*": 303, "TEXT/HTML": 303, "text/html, application/json;q=0.9": 303,
		form.Get("Accept"): 303, "text/html;q=0.001": 303, "*/*;q=0.1, text/html": 303,
	} {
		header := http.Header{}
		if accept != "" {
			header.Set("Accept", accept)
		}
		if w := b.post("/api/logout", header); w.Code != want {
			t.Errorf("Accept %.60q: %d, want %d", accept, w.Code, want)
		}
	}
}

func TestErrorPage(t *testing.T) {
	b := newBrowser(t, newApp(t, func(_ *app, c *login.Config[*user]) {
		c.ErrorPage = func(w http.ResponseWriter, _ *http.Request, status int, message string) {
			w.WriteHeader(status)
			w.Write([]byte("own page: " + message))
		}
	}))
	w := b.post("/api/login", form, "assertion", assertionFor("nobody@idp.example"))
	if w.Code != 403 || w.Body.String() != "own page: There is no account for this address here." {
		t.Errorf("%d %s", w.Code, w.Body)
	}
	if h := w.Header(); h.Get("Cache-Control") != "no-store" || h.Get("Content-Security-Policy") != "" {
		t.Errorf("headers %v", h)
	}
	wantAnswer(t, b.post("/api/login", script, "assertion", "x"), 403, failure("no certificates provided"))
}

// TestErrorPageStyle checks that the policy of the error page allows its style.
func TestErrorPageStyle(t *testing.T) {
	w := newBrowser(t, newApp(t)).post("/api/login", form)
	_, rest, _ := strings.Cut(w.Body.String(), "<style>")
	style, _, found := strings.Cut(rest, "</style>")
	sum := sha256.Sum256([]byte(style))
	want := "style-src 'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'"
	if policy := w.Header().Get("Content-Security-Policy"); !found || !strings.Contains(policy, want) {
		t.Errorf("the policy is %q, want %s", policy, want)
	}
	if h := w.Header(); h.Get("Content-Type") != "text/html; charset=utf-8" {
		t.Errorf("headers %v", h)
	}
}

// TestResponseHeaders checks that responses are not framed and that nothing in them is
// executed.
func TestResponseHeaders(t *testing.T) {
	b := newBrowser(t, newApp(t))
	for name, w := range map[string]*httptest.ResponseRecorder{
		"page":    b.post("/api/login", form, "assertion", "<script>alert(1)</script>"),
		"refused": b.post("/api/login", form, "assertion", assertionFor("guest@idp.example")),
		"JSON":    b.post("/api/login", script, "assertion", "x"),
		"okay":    b.post("/api/login", script, "assertion", assertionFor("alice@idp.example")),
	} {
		policy := w.Header().Get("Content-Security-Policy")
		for _, want := range []string{"default-src 'none'", "frame-ancestors 'none'", "base-uri 'none'", "form-action 'none'"} {
			if !strings.Contains(policy, want) {
				t.Errorf("%s: the policy %q lacks %s", name, policy, want)
			}
		}
		if h := w.Header(); h.Get("X-Frame-Options") != "DENY" || h.Get("X-Content-Type-Options") != "nosniff" {
			t.Errorf("%s: %v", name, h)
		}
		if strings.Contains(w.Body.String(), "<script") {
			t.Errorf("%s: %s", name, w.Body)
		}
	}
}
