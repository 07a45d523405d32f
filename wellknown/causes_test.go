package wellknown_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/net/dns/dnsmessage"
	"golang.org/x/net/http2"

	"github.com/vepverify/vepverify/internal/hosttest"
	"github.com/vepverify/vepverify/wellknown"
)

// shortTimeout is so long that the result of a fetch that timed out arrives on a busy machine too
// in the 32nd part of it that a lookup has more.
const shortTimeout = 16 * time.Second

// cause is what a lookup must say about a fault.
type cause struct {
	row     error
	reason  string // a part of it
	setting string
}

// checkCause checks the outcome of a lookup of host, and that its reason and its advice tell
// the cause. It returns the error.
func checkCause(t *testing.T, r *wellknown.Resolver, want cause) *wellknown.LookupError {
	t.Helper()
	a, err := r.Authority(t.Context(), host, host)
	got := row(t, a, err)
	var lookup *wellknown.LookupError
	if got != want.row || !errors.As(err, &lookup) {
		t.Fatalf("%v, want %v", err, want.row)
	}
	if !strings.Contains(lookup.Reason, want.reason) || lookup.Setting != want.setting || lookup.Advice == "" {
		t.Errorf("reason %q, advice %q, setting %q; want %q, %q", lookup.Reason, lookup.Advice, lookup.Setting, want.reason, want.setting)
	}
	if strings.Contains(err.Error()+lookup.Advice, "remote") {
		t.Errorf("remote text in %q, %q", err, lookup.Advice)
	}
	return lookup
}

// TestCauseOfAnswer checks what is said about answers over valid TLS that bring no document,
// and which of them the domain gave: those of rows 3 and 5. All others say nothing about it.
func TestCauseOfAnswer(t *testing.T) {
	good := document(1)
	head := "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
	coded := func(codings ...string) string {
		text := head
		for _, c := range codings {
			text += "Content-Encoding: " + c + "\r\n"
		}
		return text + fmt.Sprintf("Content-Length: %d\r\n\r\n%s", len(good), good)
	}
	later, serve := "HTTP status", "a redirect"
	for name, c := range map[string]struct {
		text string
		want cause
	}{
		// The domain's own answers.
		"redirect":                 {"HTTP/1.1 301 remote\r\nLocation: https://remote.example/\r\n\r\n", cause{row3, "HTTP status 301, " + serve, ""}},
		"not found":                {"HTTP/1.1 404 remote\r\n\r\n", cause{row3, "HTTP status 404", ""}},
		"not found, coded":         {"HTTP/1.1 404 remote\r\nContent-Encoding: br\r\n\r\nremote", cause{row3, "HTTP status 404", ""}},
		"redirect, coded":          {"HTTP/1.1 302 remote\r\nContent-Encoding: zstd\r\n\r\nremote", cause{row3, "HTTP status 302", ""}},
		"no content":               {"HTTP/1.1 204 remote\r\n\r\n", cause{row3, "HTTP status 204", ""}},
		"proxy authentication":     {"HTTP/1.1 407 remote\r\n\r\n", cause{row3, "HTTP status 407", ""}}, // no proxy is configured
		"type":                     {"HTTP/1.1 200 OK\r\nContent-Type: text/remote\r\n\r\n" + good, cause{row3, "content type", ""}},
		"type, coded":              {"HTTP/1.1 200 OK\r\nContent-Type: text/remote\r\nContent-Encoding: br\r\n\r\nremote", cause{row3, "content type", ""}},
		"malformed":                {head + "Content-Length: 6\r\n\r\nremote", cause{row3, "malformed support document", ""}},
		"incomplete":               {head + "Content-Length: 11\r\n\r\n{\"keys\":[]}", cause{row3, "without authentication", ""}},
		"circle":                   {head + fmt.Sprintf("Content-Length: %d\r\n\r\n%s", len(delegation(host)), delegation(host)), cause{row5, "circle", ""}},
		"too large":                {head + fmt.Sprintf("Content-Length: %d\r\n\r\n%s", bodyLimit+1, strings.Repeat(" ", bodyLimit+1)), cause{row5, "body of more than", ""}},
		"too large, without end":   {head + "\r\n" + strings.Repeat(" ", bodyLimit+1), cause{row5, "body of more than", ""}},
		"chunks, too large":        {head + "Transfer-Encoding: chunked\r\n\r\n20000\r\n" + strings.Repeat(" ", 0x20000) + "\r\n0\r\n\r\n", cause{row5, "body of more than", ""}},
		"identity is no coding":    {strings.Replace(coded("", "Identity , identity", ","), good, strings.Repeat("x", len(good)), 1), cause{row3, "malformed", ""}},
		"server error":             {"HTTP/1.1 503 remote\r\n\r\n", cause{row4, later + " 503", ""}},
		"server error, coded":      {"HTTP/1.1 500 remote\r\nContent-Encoding: br\r\n\r\nremote", cause{row4, later + " 500", ""}},
		"too many requests":        {"HTTP/1.1 429 remote\r\n\r\n", cause{row4, later + " 429", ""}},
		"status of three digits":   {"HTTP/1.1 999 remote\r\n\r\n", cause{row4, later + " 999", ""}},
		"switching protocols":      {"HTTP/1.1 101 remote\r\nUpgrade: remote\r\nConnection: upgrade\r\n\r\n", cause{row4, later + " 101", ""}},
		"brotli":                   {coded("br"), cause{row4, "content coding br", ""}},
		"deflate":                  {coded("Deflate"), cause{row4, "content coding deflate", ""}},
		"compress":                 {coded(" x-compress "), cause{row4, "content coding x-compress", ""}},
		"unknown coding":           {coded("remote"), cause{row4, "unknown content coding", ""}},
		"coding with a parameter":  {coded("gzip;q=1"), cause{row4, "unknown content coding", ""}},
		"codings in a list":        {coded("gzip, br"), cause{row4, "content coding br", ""}},
		"codings in two lines":     {coded("gzip", "BR"), cause{row4, "content coding br", ""}},
		"gzip twice":               {coded("gzip, gzip"), cause{row4, "more than one content coding", ""}},
		"gzip twice, in two lines": {coded("gzip", "x-gzip"), cause{row4, "more than one content coding", ""}},
		"identity and brotli":      {coded("identity, br"), cause{row4, "content coding br", ""}},
		"no gzip":                  {coded("gzip"), cause{row4, "gzip that cannot be decoded", ""}},
		"gzip of nothing":          {head + "Content-Encoding: gzip\r\nContent-Length: 0\r\n\r\n", cause{row4, "gzip that cannot be decoded", ""}},
		"transfer coding":          {head + "Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n", cause{row4, "no valid HTTP/1 answer", ""}},
		"length too long":          {head + fmt.Sprintf("Content-Length: %d\r\n\r\n%s", len(good)+1, good), cause{row4, "answer cut off", ""}},
		"chunk cut":                {head + "Transfer-Encoding: chunked\r\n\r\nff\r\nremote", cause{row4, "answer cut off", ""}},
		"last chunk is missing":    {head + fmt.Sprintf("Transfer-Encoding: chunked\r\n\r\n%x\r\n%s\r\n", len(good), good), cause{row4, "answer cut off", ""}},
		"no chunk":                 {head + "Transfer-Encoding: chunked\r\n\r\nremote\r\n", cause{row4, "answer cut off", ""}},
		"cut, until close":         {head + "\r\n{", cause{row4, "answer cut off, or malformed", ""}},
		"bad length":               {head + "Content-Length: remote\r\n\r\n" + good, cause{row4, "no valid HTTP/1 answer", ""}},
		"two lengths":              {head + "Content-Length: 1\r\nContent-Length: 2\r\n\r\n{}", cause{row4, "no valid HTTP/1 answer", ""}},
		"bad header":               {"HTTP/1.1 404 Not Found\r\nremote\r\n\r\n", cause{row4, "no valid HTTP/1 answer", ""}},
		"bad status":               {"HTTP/1.1 remote\r\n\r\n", cause{row4, "no valid HTTP/1 answer", ""}},
		"no HTTP":                  {"SSH-2.0-remote\r\n\r\n", cause{row4, "no valid HTTP/1 answer", ""}},
		"version 2.0 in text":      {"HTTP/2.0 404 remote\r\n\r\n", cause{row4, "no valid HTTP/1 answer", ""}},
		"version 0.9":              {strings.Replace(head, "HTTP/1.1", "HTTP/0.9", 1) + "\r\n" + good, cause{row4, "no valid HTTP/1 answer", ""}},
		"HTTP/2":                   {http2Text(t, (*http2.Framer).WriteSettingsAck), cause{row4, "no valid HTTP/1 answer", ""}},
		"HTTP/2, GOAWAY": {http2Text(t, func(f *http2.Framer) error {
			return f.WriteGoAway(0, http2.ErrCodeEnhanceYourCalm, []byte("remote"))
		}), cause{row4, "no valid HTTP/1 answer", ""}},
		"nothing":               {"", cause{row4, "connection closed early", ""}},
		"cut in the header":     {"HTTP/1.1 404 Not Fo", cause{row4, "connection closed early", ""}},
		"cut after a header":    {"HTTP/1.1 404 Not Found\r\nX: remote\r\n", cause{row4, "connection closed early", ""}},
		"long header":           {"HTTP/1.1 404 Not Found\r\nX: " + strings.Repeat("remote", 4<<10) + "\r\n\r\n", cause{row4, "response header of more than 16384 bytes", ""}},
		"long header of good":   {strings.Replace(head, "Content", "X: "+strings.Repeat("y", 17<<10)+"\r\nContent", 1) + "\r\n" + good, cause{row4, "response header of more than 16384 bytes", ""}},
		"many headers":          {"HTTP/1.1 200 OK\r\n" + strings.Repeat("X: remote\r\n", 4<<10) + "\r\n", cause{row4, "response header of more than 16384 bytes", ""}},
		"line without end":      {strings.Repeat("remote", 4<<10), cause{row4, "response header of more than 16384 bytes", ""}},
		"interim answers only":  {strings.Repeat("HTTP/1.1 103 Early Hints\r\n\r\n", 3), cause{row4, "connection closed early", ""}},
		"endless interim":       {strings.Repeat("HTTP/1.1 103 Early Hints\r\nX: remote\r\n\r\n", 1000), cause{row4, "response header of more than 16384 bytes", ""}},
		"interim, then too big": {"HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 200 OK\r\nX: " + strings.Repeat("y", 17<<10), cause{row4, "response header of more than 16384 bytes", ""}},
	} {
		t.Run(name, func(t *testing.T) {
			n := newNetwork(t)
			n.answer(host, c.text)
			checkCause(t, resolver(t, n.config()), c.want)
		})
	}
}

// http2Text returns the bytes of a frame.
func http2Text(t *testing.T, write func(*http2.Framer) error) string {
	var b strings.Builder
	if err := write(http2.NewFramer(&b, nil)); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// TestCauseOfConnection checks what is said about faults before an answer.
func TestCauseOfConnection(t *testing.T) {
	mute := func(c net.Conn) { hosttest.ReadHeader(c) } // until the client has had enough
	for name, c := range map[string]struct {
		prepare func(*network)
		want    cause
	}{
		"no such host": {func(*network) {}, cause{row3, "no such host", ""}},
		"refused":      {func(n *network) { n.Refuse(host) }, cause{row3, "connection refused", ""}},
		"plain HTTP": {func(n *network) {
			n.raw(host, false, func(c net.Conn) { fmt.Fprint(c, "HTTP/1.1 200 OK\r\n\r\n"); mute(c) })
		}, cause{row3, "no TLS spoken", ""}},
		"closed at once": {func(n *network) { n.raw(host, false, func(net.Conn) {}) }, cause{row4, "connection closed early", ""}},
		"reset":          {func(n *network) { n.raw(host, false, reset) }, cause{row4, "connection closed early", ""}},
		"alert": {func(n *network) {
			n.raw(host, false, func(c net.Conn) { readSome(c); fmt.Fprint(c, "\x15\x03\x03\x00\x02\x02\x28") })
		}, cause{row4, "TLS handshake failed", ""}},
		"broken TLS after it began": {func(n *network) {
			n.raw(host, true, func(c net.Conn) { mute(c); fmt.Fprint(c.(*tls.Conn).NetConn(), "HTTP/1.1 404 remote\r\n\r\n") })
		}, cause{row4, "broken TLS", ""}},
		"mute before TLS": {func(n *network) { n.raw(host, false, mute) }, cause{row4, "timed out in the TLS handshake", "Timeout"}},
		"mute after TLS":  {func(n *network) { n.raw(host, true, func(c net.Conn) { mute(c); mute(c) }) }, cause{row4, "timed out while waiting for the answer", "Timeout"}},
		"mute in the header": {func(n *network) {
			n.raw(host, true, func(c net.Conn) { mute(c); fmt.Fprint(c, "HTTP/1.1 404 remote\r\n"); mute(c) })
		}, cause{row4, "timed out while waiting for the answer", "Timeout"}},
		"mute in the body": {func(n *network) {
			n.raw(host, true, func(c net.Conn) {
				mute(c)
				fmt.Fprint(c, "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 9\r\n\r\n{")
				mute(c)
			})
		}, cause{row4, "timed out while reading the body", "Timeout"}},
	} {
		t.Run(name, func(t *testing.T) {
			n := newNetwork(t)
			c.prepare(n)
			config := n.config()
			if c.want.setting == "Timeout" {
				t.Parallel()
				config.Timeout = shortTimeout
			}
			checkCause(t, resolver(t, config), c.want)
		})
	}
}

// TestCauseOfTLS checks what is said about TLS certificates and versions.
func TestCauseOfTLS(t *testing.T) {
	now := time.Now().Add(-time.Minute)
	good := certificate(t, now, host)
	private := hosttest.NewCA(t)
	withChain := private.Issue(t, now, host)
	withChain.Certificate = append(withChain.Certificate, private.Certificate.Raw)
	sentTwice := private.Issue(t, now, host)
	sentTwice.Certificate = append(sentTwice.Certificate, sentTwice.Certificate[0])
	config := func(c ...tls.Certificate) *tls.Config { return &tls.Config{Certificates: c} }
	for name, c := range map[string]struct {
		config *tls.Config
		want   cause
	}{
		"1.1":                           {&tls.Config{Certificates: []tls.Certificate{good}, MinVersion: tls.VersionTLS10, MaxVersion: tls.VersionTLS11}, cause{row4, "TLS before 1.2", ""}},
		"1.0":                           {&tls.Config{Certificates: []tls.Certificate{good}, MinVersion: tls.VersionTLS10, MaxVersion: tls.VersionTLS10}, cause{row4, "TLS before 1.2", ""}},
		"expired":                       {config(certificate(t, now.Add(-48*time.Hour), host)), cause{row4, "expired or not yet valid", ""}},
		"not yet valid":                 {config(certificate(t, now.Add(48*time.Hour), host)), cause{row4, "expired or not yet valid", ""}},
		"other name":                    {config(certificate(t, now, "remote.example")), cause{row4, "another name", ""}},
		"self-signed":                   {config(selfSigned(t)), cause{row4, "self-signed TLS certificate", "CAFile"}},
		"without intermediates":         {config(private.Issue(t, now, host)), cause{row4, "unknown authority, sent without intermediate certificates", "CAFile"}},
		"another than the intermediate": {config(sentTwice), cause{row4, "unknown authority, sent without intermediate certificates", "CAFile"}},
		"private authority":             {config(withChain), cause{row4, "unknown authority", "CAFile"}},
		"too many":                      {config(withExtra(good, 10)), cause{row4, "over a limit", ""}},
		"wants client certificate":      {&tls.Config{Certificates: []tls.Certificate{good}, ClientAuth: tls.RequireAnyClientCert, MaxVersion: tls.VersionTLS12}, cause{row4, "TLS handshake failed", ""}},
		"no application protocol":       {&tls.Config{Certificates: []tls.Certificate{good}, NextProtos: []string{"h2"}, GetConfigForClient: refuseClient}, cause{row4, "TLS handshake failed", ""}},
		"no common cipher, TLS 1.2":     {&tls.Config{Certificates: []tls.Certificate{good}, MaxVersion: tls.VersionTLS12, CipherSuites: []uint16{tls.TLS_RSA_WITH_RC4_128_SHA}}, cause{row4, "TLS handshake failed", ""}},
	} {
		t.Run(name, func(t *testing.T) {
			n := newNetwork(t)
			n.ServeTLS(host, c.config, jsonHandler(document(1)))
			l := checkCause(t, resolver(t, n.config()), c.want)
			if missing := strings.Contains(l.Advice, "intermediate"); missing != strings.Contains(c.want.reason, "intermediate") {
				t.Errorf("advice %q", l.Advice)
			}
		})
	}
}

// refuseClient ends the handshake with an alert.
func refuseClient(*tls.ClientHelloInfo) (*tls.Config, error) { return nil, errors.New("refused") }

// TestCauseOfDNS checks what is said about each kind of answer of name servers.
func TestCauseOfDNS(t *testing.T) {
	code := func(c dnsmessage.RCode) records { return records{four: c, six: c} }
	for name, c := range map[string]struct {
		records map[string]records
		want    cause
	}{
		"NXDOMAIN":         {nil, cause{row3, "no such host", ""}},
		"NODATA":           {map[string]records{host + ".": {}}, cause{row3, "no such host", ""}},
		"SERVFAIL":         {map[string]records{host + ".": code(dnsmessage.RCodeServerFailure)}, cause{row4, "name resolution failed: the name server answered SERVFAIL", ""}},
		"REFUSED":          {map[string]records{host + ".": code(dnsmessage.RCodeRefused)}, cause{row4, "name resolution failed: the name server refused the question", ""}},
		"NOTIMP":           {map[string]records{host + ".": code(dnsmessage.RCodeNotImplemented)}, cause{row4, "name resolution failed: the name server refused the question", ""}},
		"FORMERR":          {map[string]records{host + ".": code(dnsmessage.RCodeFormatError)}, cause{row4, "name resolution failed: the name server refused the question", ""}},
		"SERVFAIL of four": {map[string]records{host + ".": {four: dnsmessage.RCodeServerFailure}}, cause{row4, "name resolution failed: the name server answered SERVFAIL", ""}},
		"SERVFAIL of six":  {map[string]records{host + ".": {six: dnsmessage.RCodeServerFailure}}, cause{row4, "name resolution failed: the name server answered SERVFAIL", ""}},
		"private address":  {map[string]records{host + ".": {addresses: []string{"10.0.0.1"}}}, cause{row5, "not public", "InsecureAllowPrivate"}},
	} {
		t.Run(name, func(t *testing.T) {
			s := newNameServer(t, c.records)
			checkCause(t, resolver(t, wellknown.Config{DNS: s.resolver(), Timeout: 20 * time.Second}), c.want)
		})
	}
	t.Run("no answer", func(t *testing.T) {
		t.Parallel()
		s := newNameServer(t, map[string]records{host + ".": {silentFour: true}})
		checkCause(t, resolver(t, wellknown.Config{DNS: s.resolver(), Timeout: shortTimeout}),
			cause{row4, "timed out while resolving the name", "Timeout"})
	})
	for _, c := range []struct {
		errno syscall.Errno
		want  string
	}{
		{syscall.EMFILE, "name resolution failed: too many open files"},
		{syscall.ENFILE, "name resolution failed: too many open files in system"},
		{syscall.EPERM, "name resolution failed: operation not permitted"},
		{syscall.ECONNREFUSED, "name resolution failed: the name server: connection refused"},
		{syscall.ENETUNREACH, "name resolution failed: the name server: network is unreachable"},
	} {
		t.Run(c.errno.Error(), func(t *testing.T) {
			dns := &net.Resolver{PreferGo: true, Dial: func(context.Context, string, string) (net.Conn, error) {
				return nil, &net.OpError{Op: "dial", Net: "udp", Err: os.NewSyscallError("socket", c.errno)}
			}}
			l := checkCause(t, resolver(t, wellknown.Config{DNS: dns, Timeout: 20 * time.Second}), cause{row4, c.want, ""})
			if !strings.HasSuffix(l.Reason, c.want) {
				t.Errorf("reason %q", l.Reason)
			}
		})
	}
	t.Run("no name server", func(t *testing.T) {
		s := newNameServer(t, nil)
		s.hangUp()
		checkCause(t, resolver(t, wellknown.Config{DNS: s.resolver(), Timeout: 20 * time.Second}), cause{row4, "name resolution failed", ""})
	})
}

// TestCauseOfSystem checks what is said about errors of the operating system, and that those
// of this machine are not cached as the host's.
func TestCauseOfSystem(t *testing.T) {
	for _, c := range []struct {
		err   error
		local bool
		want  cause
	}{
		{syscall.ECONNREFUSED, false, cause{row3, "connection refused", ""}},
		{syscall.EHOSTUNREACH, false, cause{row4, "no connection: no route to host", ""}},
		{syscall.ENETUNREACH, false, cause{row4, "no connection: network is unreachable", ""}},
		{syscall.ENETDOWN, false, cause{row4, "no connection: network is down", ""}},
		{syscall.ETIMEDOUT, false, cause{row4, "timed out", "Timeout"}},
		{syscall.ECONNRESET, false, cause{row4, "closed early: connection reset by peer", ""}},
		{syscall.ECONNABORTED, false, cause{row4, "no connection: ", ""}},
		{syscall.EMFILE, true, cause{row4, "no connection: too many open files", ""}},
		{syscall.ENFILE, true, cause{row4, "no connection: too many open files in system", ""}},
		{syscall.EADDRNOTAVAIL, true, cause{row4, "no connection: cannot assign requested address", ""}},
		{syscall.ENOBUFS, true, cause{row4, "no connection: ", ""}},
		{syscall.EACCES, true, cause{row4, "no connection: permission denied", ""}},
		{syscall.EPERM, true, cause{row4, "no connection: operation not permitted", ""}},
		{errors.New("remote"), false, cause{row4, "no connection", ""}},
	} {
		asked := 0
		r := resolver(t, wellknown.Config{InsecureTransport: roundTripper(func(*http.Request) (*http.Response, error) {
			asked++
			return nil, &net.OpError{Op: "dial", Net: "tcp", Err: os.NewSyscallError("connect", c.err)}
		})})
		for range 2 {
			l := checkCause(t, r, c.want)
			if errno, ok := c.err.(syscall.Errno); ok && errno != syscall.ETIMEDOUT && !errors.Is(l, errno) {
				t.Errorf("%v is not wrapped", errno)
			}
		}
		if local := asked == 2; local != c.local {
			t.Errorf("%v: %d requests", c.err, asked)
		}
	}
}

// TestCauseOfTransport checks what is said about errors of a transport that replaces the
// network, such as one for HTTP/2.
func TestCauseOfTransport(t *testing.T) {
	for name, err := range map[string]error{
		"stream reset":   http2.StreamError{StreamID: 1, Code: http2.ErrCodeProtocol, Cause: errors.New("remote")},
		"connection":     http2.ConnectionError(http2.ErrCodeProtocol),
		"proxy's answer": errors.New("Forbidden by remote"),
		"end":            io.ErrUnexpectedEOF,
		"roots":          x509.SystemRootsError{Err: errors.New("remote")},
	} {
		t.Run(name, func(t *testing.T) {
			r := resolver(t, wellknown.Config{InsecureTransport: roundTripper(func(*http.Request) (*http.Response, error) { return nil, err })})
			checkCause(t, r, cause{row: row4})
		})
	}
}
