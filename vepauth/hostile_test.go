package vepauth_test

import (
	"cmp"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/vepverify/vepverify/vepauth"
)

// hostileRequest is a request that costs as much as possible. Its token is valid, because
// every user can get one, and its signature is wrong, which is found last.
type hostileRequest struct {
	name          string
	target        string // path and query
	form          string
	method        string // of the signature
	authorization string // empty means one with a token
	typ           string // of the body; empty means a form
	status        int
}

// fill returns n bytes of a repeated text.
func fill(text string, n int) string { return strings.Repeat(text, n/len(text)+1)[:n] }

// longNames returns parameters of n bytes together that differ only at the end, in reverse
// order.
func longNames(n int) string {
	const many = vepauth.MaxParameters
	names := make([]string, many)
	for i := range names {
		names[i] = fill("a", max(n/many-4, 0)) + fmt.Sprintf("%03d", many-i)
	}
	return strings.Join(names, "&")
}

// headerParams returns as many parameters as an Authorization header of n bytes may have,
// with long values.
func headerParams(n int, value string) string {
	var b strings.Builder
	for i := range 24 {
		fmt.Fprintf(&b, `, oauth_%058d="%s"`, i, fill(value, max(n/24-80, 0)))
	}
	return b.String()
}

// hostileRequests returns the most expensive requests of at most n bytes that are known.
func hostileRequests(n int) []hostileRequest {
	m := min(n, 60<<10) // of targets
	return []hostileRequest{
		{name: "names", form: strings.Repeat("&a", n/2), status: 400},
		{name: "separators", form: fill("&", n), status: 400},
		{name: "long-names", form: longNames(n), status: 401},
		{name: "long-values", form: "a=" + strings.ReplaceAll(longNames(max(n-600, 0)), "&", "&a="), status: 401},
		{name: "plain", form: fill("a", n), status: 401},
		{name: "plus", form: fill("+", n), status: 401},
		{name: "reserved", form: fill("!", n), status: 401},
		{name: "reserved-sha256", form: fill("!", n), method: vepauth.HMACSHA256, status: 401},
		{name: "escapes", form: fill("%41", n/3*3), status: 401},
		{name: "escaped-reserved", form: fill("%21", n/3*3), status: 401},
		{name: "path", target: "/data/" + fill("!", m), status: 401},
		{name: "query", target: "/data?" + fill("!", m), status: 401},
		{name: "query-names", target: "/data?" + fill("a&", m), status: 400},
		{name: "target", target: "/" + fill("a", n), status: 414},
		{name: "steps", target: "/" + fill("%41/", m), authorization: "none", status: 401},
		{name: "header", authorization: "OAuth " + fill("a=b,", n), status: 401},
		{name: "header-names", authorization: "OAuth " + strings.TrimPrefix(headerParams(min(n, 16<<10), "a"), ", "), status: 401},
		{name: "header-escapes", authorization: headerParams(min(n, 14<<10), "%21"), status: 401},
		{name: "other-scheme", authorization: fill("a", n), status: 401},
		{name: "token-names", target: "/request_token", authorization: "none", form: fill("a&", min(n, vepauth.MaxAssertionBody)), status: 400},
		{name: "token-escapes", target: "/request_token", authorization: "none", form: fill("%41", min(n, vepauth.MaxAssertionBody)/3*3), status: 401},
		{name: "token-type", target: "/request_token", authorization: "none", typ: "text/plain" + fill("; a=b", n), form: "a", status: 415},
		{name: "token-header", target: "/request_token", authorization: "Browser-ID " + fill("a", n), status: 400},
		{name: "token-tildes", target: "/request_token", authorization: "Browser-ID " + fill("~", n), status: 400},
		{name: "token-assertion", target: "/request_token", authorization: "Browser-ID " + backed(), status: 200},
	}
}

// BenchmarkHostile measures the most expensive single requests of a size, without the time
// of net/http.
func BenchmarkHostile(b *testing.B) {
	for _, size := range []int{32 << 10, 1 << 20} {
		for _, h := range hostileRequests(size) {
			b.Run(fmt.Sprintf("%dKiB/%s", size>>10, h.name), func(b *testing.B) { benchmarkHostile(b, h) })
		}
	}
}

func benchmarkHostile(b *testing.B, h hostileRequest) {
	if len(h.target) <= vepauth.MaxTarget && h.status == 414 {
		b.Skip("not too long")
	}
	s := newSite(b, nil)
	handler := s.auth.Require(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	r := h.request(s, s.login(endpoint))
	body := strings.NewReader(h.form)
	r.Body = io.NopCloser(body)
	size := len(h.form) + len(h.target) + len(r.Header.Get("Authorization")) + len(h.typ)
	b.ReportAllocs()
	b.SetBytes(int64(size))
	for b.Loop() {
		body.Reset(h.form)
		w := &discardWriter{header: http.Header{}}
		handler.ServeHTTP(w, r)
		if status := cmp.Or(w.status, http.StatusOK); status != h.status {
			b.Fatalf("answered %d", status)
		}
	}
}

// request returns the request for a handler.
func (h hostileRequest) request(s *site, c vepauth.Credentials) *http.Request {
	r := form(request("POST", data, h.form))
	if h.target != "" {
		r = form(request("POST", rp+"/", h.form))
		if u, err := r.URL.Parse(h.target); err == nil {
			r.URL, r.RequestURI = u, h.target
		}
	}
	if h.typ != "" {
		r.Header.Set("Content-Type", h.typ)
	}
	switch {
	case h.authorization == "none":
		return r
	case h.authorization != "" && !strings.HasPrefix(h.authorization, ", "):
		r.Header.Set("Authorization", h.authorization)
		return r
	}
	if h.method == "" {
		h.method = vepauth.HMACSHA1
	}
	r.Header.Set("Authorization", fmt.Sprintf(`OAuth oauth_consumer_key="%s", oauth_signature_method="%s", oauth_timestamp="%d", oauth_nonce="n", oauth_signature="AAAA"%s`,
		c.ID, h.method, start.Unix(), h.authorization))
	return r
}

// TestHostileRequests checks that BenchmarkHostile measures the checks that it is meant to
// measure: each request has the status in the table.
func TestHostileRequests(t *testing.T) {
	for _, size := range []int{1 << 10, 32 << 10} {
		for _, h := range hostileRequests(size) {
			s := newSite(t, nil)
			got := do(s.auth.Require(http.HandlerFunc(echo)), h.request(s, s.login(endpoint)))
			if h.name == "target" && size < vepauth.MaxTarget {
				h.status = 401
			}
			check(t, h.name, got, h.status)
		}
	}
}
