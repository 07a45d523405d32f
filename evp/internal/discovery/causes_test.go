package discovery_test

import (
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/vepverify/vepverify/evp/internal/discovery"
	"github.com/vepverify/vepverify/internal/hosttest"
)

const bodyLimit = 64 << 10

// raw returns the text of an HTTP answer of JSON.
func raw(body string, headers ...string) string {
	head := "HTTP/1.1 200 marker\r\n"
	if !strings.Contains(strings.Join(headers, ""), "Content-Type") {
		headers = append(headers, "Content-Type: application/json")
	}
	for _, h := range headers {
		head += h + "\r\n"
	}
	return head + fmt.Sprintf("Content-Length: %d\r\n\r\n%s", len(body), body)
}

// cause is what is said about a fault.
type cause struct {
	outcome discovery.Outcome
	rule    string
	reason  string // a part of it
	advice  string // a part of it
	setting string
}

// answerCauses are answers over valid TLS that bring no document.
func answerCauses() map[string]struct {
	text string
	want cause
} {
	const refused, unavailable = discovery.Refused, discovery.Unavailable
	const serve, later, coding = "should serve its metadata and its key set", "try again later", "without a content coding"
	type row = struct {
		text string
		want cause
	}
	status := func(code int) string {
		return strings.Replace(raw(metadata(jwksURL)), "200", fmt.Sprint(code), 1)
	}
	rows := map[string]row{
		"status 301":           {strings.Replace(status(301), "\r\n", "\r\nLocation: https://marker.example/\r\n", 1), cause{refused, "9.refused", "HTTP status 301, a redirect", "no redirects are followed", ""}},
		"status 204":           {"HTTP/1.1 204 marker\r\n\r\n", cause{refused, "9.refused", "HTTP status 204", serve, ""}},
		"HTML":                 {raw("<p>marker", "Content-Type: text/html"), cause{refused, "9.refused", "content type", serve, ""}},
		"no type":              {"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}", cause{refused, "9.refused", "content type", serve, ""}},
		"empty type":           {raw("{}", "Content-Type: "), cause{refused, "9.refused", "content type", serve, ""}},
		"two types":            {raw("{}", "Content-Type: application/json", "Content-Type: text/html"), cause{refused, "9.refused", "content type", serve, ""}},
		"malformed":            {raw("marker"), cause{refused, "9.refused", "malformed", "should correct", ""}},
		"too large":            {raw(strings.Repeat(" ", bodyLimit+1)), cause{refused, "9.refused", "more than", "smaller document", ""}},
		"too large, no length": {"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n" + strings.Repeat(" ", bodyLimit+1), cause{refused, "9.refused", "more than", "smaller document", ""}},
		"cut off":              {strings.Replace(raw("{}marker"), "Content-Length: 8", "Content-Length: 9", 1), cause{unavailable, "9.unavailable", "answer cut off", later, ""}},
		"cut off, no length":   {"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n{\"marker\":", cause{unavailable, "9.unavailable", "cut off, or malformed", "should correct", ""}},
		"coding br":            {raw("marker", "Content-Encoding: br"), cause{unavailable, "9.unavailable", "content coding br", coding, ""}},
		"unknown coding":       {raw("marker", "Content-Encoding: marker"), cause{unavailable, "9.unavailable", "unknown content coding", coding, ""}},
		"not gzip":             {raw("marker", "Content-Encoding: gzip"), cause{unavailable, "9.unavailable", "gzip that cannot be decoded", later, ""}},
		"not HTTP":             {"marker\r\n\r\n", cause{unavailable, "9.unavailable", "no valid HTTP/1 answer", later, ""}},
		"header too large":     {raw("{}", "X: "+strings.Repeat("marker", 4000)), cause{unavailable, "9.unavailable", "response header of more than", "fewer or shorter header", ""}},
		"nothing":              {"", cause{unavailable, "9.unavailable", "closed", later, ""}},
	}
	for _, code := range []int{201, 206, 300, 302, 303, 304, 307, 308, 400, 401, 403, 404, 406, 407, 410, 418, 421, 426, 451, 499} {
		advice := serve
		if code/100 == 3 {
			advice = "no redirects"
		}
		rows[fmt.Sprint("status ", code)] = row{status(code), cause{refused, "9.refused", fmt.Sprint("HTTP status ", code), advice, ""}}
	}
	for _, code := range []int{408, 425, 429, 500, 501, 502, 503, 504, 599, 600, 999} {
		rows[fmt.Sprint("status ", code)] = row{status(code), cause{unavailable, "9.unavailable", fmt.Sprint("HTTP status ", code), later, ""}}
	}
	return rows
}

// check checks what is said about a lookup of the issuer's keys.
func (c cause) check(t *testing.T, name string, source discovery.Source) {
	t.Helper()
	_, err := source.Keys(t.Context(), issuer, mail, false)
	e := checkError(t, name, err, c.outcome, c.rule)
	if e != nil && (!strings.Contains(e.Reason, c.reason) || !strings.Contains(e.Advice, c.advice) || e.Setting != c.setting || e.Domain != issuer) {
		t.Errorf("%s: reason %q, advice %q, setting %q; want %q, %q, %q", name, e.Reason, e.Advice, e.Setting, c.reason, c.advice, c.setting)
	}
}

// TestCauseOfAnswer checks what is said about each answer, in place of metadata and in
// place of a key set.
func TestCauseOfAnswer(t *testing.T) {
	for name, c := range answerCauses() {
		n := newInternet(t)
		n.raw(issuer, func(conn net.Conn) { io.WriteString(conn, c.text) })
		c.want.check(t, "metadata: "+name, open(t, n.config()))

		s := newSite()
		s.set(metadataPath, answer{body: metadata("https://keys.example.net/x")})
		n = newInternet(t)
		n.Serve(issuer, s.ServeHTTP)
		n.raw("keys.example.net", func(conn net.Conn) { io.WriteString(conn, c.text) })
		c.want.check(t, "key set: "+name, open(t, n.config()))
	}
}

// TestCauseOfDocument checks what is said about documents that break a rule.
func TestCauseOfDocument(t *testing.T) {
	const refused = discovery.Refused
	for name, c := range map[string]struct {
		path, body string
		want       cause
	}{
		"another issuer":      {metadataPath, `{"issuer":"https://marker.example"}`, cause{refused, "9.issuer", "metadata of another issuer", "https:// and the host", ""}},
		"no jwks_uri":         {metadataPath, `{}`, cause{refused, "9.jwks-uri", "without jwks_uri", "should correct its metadata", ""}},
		"jwks_uri of http":    {metadataPath, metadata("http://marker.example/"), cause{refused, "9.jwks-uri", "not an absolute https URL", "should correct its metadata", ""}},
		"jwks_uri with port":  {metadataPath, metadata("https://marker.example:8443/"), cause{refused, "9.jwks-uri", "another port", "should correct its metadata", ""}},
		"jwks_uri local":      {metadataPath, metadata("https://localhost/"), cause{refused, "9.jwks-uri", "a host that is not a name", "should correct its metadata", ""}},
		"no keys":             {"/jwks", `{}`, cause{refused, "9.key-set", "without the array keys", "should correct the key set", ""}},
		"65 entries":          {"/jwks", keySet(repeat("1", 65)), cause{refused, "9.key-set", "more than 64 entries", "should correct the key set", ""}},
		"duplicate in a key":  {"/jwks", keySet(`{"marker":1,"marker":2}`), cause{refused, "9.refused", "malformed key set", "should correct the key set", ""}},
		"metadata for keys":   {"/jwks", metadata(jwksURL), cause{refused, "9.key-set", "without the array keys", "should correct the key set", ""}},
		"key set of metadata": {metadataPath, keySet(ed25519Key), cause{refused, "9.jwks-uri", "without jwks_uri", "should correct its metadata", ""}},
	} {
		n, s := newInternet(t), newSite()
		n.Serve(issuer, s.ServeHTTP)
		s.set(c.path, answer{body: c.body})
		c.want.check(t, name, open(t, n.config()))
	}
}

// TestCauseOfConnection checks what is said if there is no answer over valid TLS.
func TestCauseOfConnection(t *testing.T) {
	const unavailable, later = discovery.Unavailable, "try again later"
	now := time.Now().Add(-time.Minute)
	certified := func(name string, from time.Time) func(*internet, *discovery.Config) {
		return func(n *internet, _ *discovery.Config) {
			n.ServeTLS(issuer, hosttest.TrustedCA().Config(t, from, name), newSite().ServeHTTP)
		}
	}
	slow := func(serve func(net.Conn)) func(*internet, *discovery.Config) {
		return func(n *internet, c *discovery.Config) {
			c.Timeout = 4 * time.Second // so that a busy machine reaches the body
			n.raw(issuer, serve)
		}
	}
	for name, c := range map[string]struct {
		prepare func(*internet, *discovery.Config)
		want    cause
	}{
		"no such host": {func(*internet, *discovery.Config) {}, cause{unavailable, "9.unavailable", "no such host", "DNS records", ""}},
		"refused":      {func(n *internet, _ *discovery.Config) { n.Refuse(issuer) }, cause{unavailable, "9.unavailable", "connection refused", "port 443", ""}},
		"no TLS": {func(n *internet, _ *discovery.Config) {
			n.Put(issuer, hosttest.Listen(t, func(c net.Conn) { io.WriteString(c, "HTTP/1.1 200 marker\r\n\r\n"); hosttest.WaitForClose(c) }))
		}, cause{unavailable, "9.unavailable", "no TLS", "port 443", ""}},
		"old TLS": {func(n *internet, _ *discovery.Config) {
			c := hosttest.TrustedCA().Config(t, now, issuer)
			c.MinVersion, c.MaxVersion = tls.VersionTLS10, tls.VersionTLS11
			n.ServeTLS(issuer, c, newSite().ServeHTTP)
		}, cause{unavailable, "9.unavailable", "TLS before 1.2", "TLS 1.2", ""}},
		"certificate of another name": {certified("marker.example", now), cause{unavailable, "9.unavailable", "another name", "for its own name", ""}},
		"certificate expired":         {certified(issuer, now.Add(-48*time.Hour)), cause{unavailable, "9.unavailable", "expired", "renew", ""}},
		"unknown authority": {func(n *internet, c *discovery.Config) {
			c.RootCAs = nil
			n.Serve(issuer, newSite().ServeHTTP)
		}, cause{unavailable, "9.unavailable", "", "authorit", "CAFile"}},
		"slow, nothing": {slow(hosttest.WaitForClose), cause{unavailable, "9.unavailable", "timed out", "allow more time", "Timeout"}},
		"slow, header":  {slow(func(c net.Conn) { writeSlowly(c, raw(metadata(jwksURL))) }), cause{unavailable, "9.unavailable", "timed out", "allow more time", "Timeout"}},
		"slow, body": {slow(func(c net.Conn) {
			text := raw(metadata(jwksURL))
			io.WriteString(c, text[:len(text)-20])
			writeSlowly(c, text[len(text)-20:])
		}), cause{unavailable, "9.unavailable", "timed out while reading the body", "allow more time", "Timeout"}},
		"dead proxy": {func(_ *internet, c *discovery.Config) {
			c.InsecureDialContext = nil
			l := mustListen(t)
			l.Close()
			c.Proxy = "http://" + l.Addr().String()
		}, cause{unavailable, "9.unavailable", "proxy", "proxy's address", "Proxy"}},
		"no files left": {func(_ *internet, c *discovery.Config) {
			c.InsecureDialContext = failingDial(&net.OpError{Op: "dial", Err: errFiles})
		}, cause{unavailable, "9.unavailable", "too many open files", "limit of open files", ""}},
		"another error": {func(_ *internet, c *discovery.Config) {
			c.InsecureDialContext = failingDial(errors.New("marker"))
		}, cause{unavailable, "9.unavailable", "no usable answer", later, ""}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			n := newInternet(t)
			config := n.config()
			c.prepare(n, &config)
			c.want.check(t, name, open(t, config))
		})
	}
}
