package wellknown_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"net/http"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/vepverify/vepverify/internal/hosttest"
	"github.com/vepverify/vepverify/wellknown"
)

const host = "idp.example"

// The errors of the rows of PROTOCOL §4.
var (
	row3 = wellknown.ErrUnsupported
	row4 = wellknown.ErrUnavailable
	row5 = wellknown.ErrRefused
)

func TestStatus(t *testing.T) {
	for status, want := range map[int]error{
		200: nil, 201: row3, 203: row3, 204: row3, 206: row3, 300: row3, 301: row3, 302: row3, 304: row3, 307: row3, 308: row3,
		400: row3, 401: row3, 403: row3, 404: row3, 410: row3, 418: row3, 451: row3, 499: row3,
		408: row4, 425: row4, 429: row4, 500: row4, 501: row4, 502: row4, 503: row4, 504: row4, 599: row4, 600: row4, 999: row4,
	} {
		r := resolver(t, wellknown.Config{InsecureTransport: roundTripper(func(*http.Request) (*http.Response, error) {
			return reply(status, document(1))
		})})
		if _, got := lookUp(t, r, host); got != want {
			t.Errorf("status %d: %v, want %v", status, got, want)
		}
	}
}

func TestContentType(t *testing.T) {
	for name, c := range map[string]struct {
		types []string
		want  error
	}{
		"plain":          {[]string{"application/json"}, nil},
		"parameter":      {[]string{"application/json; charset=utf-8"}, nil},
		"no space":       {[]string{"application/json;charset=utf-8"}, nil},
		"capitals":       {[]string{"Application/JSON"}, nil},
		"spaces":         {[]string{" application/json ; x"}, nil},
		"twice the same": {[]string{"application/json", "application/json"}, nil},
		"none":           {nil, row3},
		"empty":          {[]string{""}, row3},
		"html":           {[]string{"text/html"}, row3},
		"longer":         {[]string{"application/jsonx"}, row3},
		"other json":     {[]string{"application/ld+json"}, row3},
		"text json":      {[]string{"text/json"}, row3},
		"a list":         {[]string{"application/json, text/html"}, row3},
		"two":            {[]string{"application/json", "text/html"}, row3},
		"two, other way": {[]string{"text/html", "application/json"}, row3},
	} {
		r := resolver(t, wellknown.Config{InsecureTransport: roundTripper(func(*http.Request) (*http.Response, error) {
			answer, err := reply(200, document(1))
			answer.Header["Content-Type"] = c.types
			return answer, err
		})})
		if _, got := lookUp(t, r, host); got != c.want {
			t.Errorf("%s: %v, want %v", name, got, c.want)
		}
	}
}

// TestAnswers checks the outcomes of answers over valid TLS, given byte by byte.
func TestAnswers(t *testing.T) {
	good := document(1)
	head := "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
	var packed bytes.Buffer
	w := gzip.NewWriter(&packed)
	fmt.Fprint(w, good)
	w.Close()
	var large bytes.Buffer
	w = gzip.NewWriter(&large)
	fmt.Fprint(w, good, strings.Repeat(" ", bodyLimit))
	w.Close()
	blocks := bytes.Repeat(packed.Bytes(), 2<<10/packed.Len()+1) // one member after another
	broken := bytes.Clone(packed.Bytes())
	broken[len(broken)-5] ^= 1 // the checksum

	for name, c := range map[string]struct {
		text string
		want error
	}{
		"length":                   {head + fmt.Sprintf("Content-Length: %d\r\n\r\n%s", len(good), good), nil},
		"chunked":                  {head + fmt.Sprintf("Transfer-Encoding: chunked\r\n\r\n%x\r\n%s\r\n0\r\n\r\n", len(good), good), nil},
		"until close":              {head + "\r\n" + good, nil},
		"HTTP/1.0":                 {"HTTP/1.0 200 OK\r\nContent-Type: application/json\r\n\r\n" + good, nil},
		"gzip":                     {head + fmt.Sprintf("Content-Encoding: gzip\r\nContent-Length: %d\r\n\r\n%s", packed.Len(), &packed), nil},
		"gzip, no HTTP length":     {head + fmt.Sprintf("Content-Encoding: GZIP\r\n\r\n%s", packed.Bytes()), nil},
		"gzip and identity":        {head + fmt.Sprintf("Content-Encoding: identity\r\nContent-Encoding: gzip\r\n\r\n%s", packed.Bytes()), nil},
		"identity":                 {head + fmt.Sprintf("Content-Encoding: Identity\r\nContent-Length: %d\r\n\r\n%s", len(good), good), nil},
		"x-gzip":                   {head + fmt.Sprintf("Content-Encoding: X-Gzip\r\nContent-Length: %d\r\n\r\n%s", packed.Len(), &packed), nil},
		"gzip twice":               {head + fmt.Sprintf("Content-Encoding: gzip, gzip\r\nContent-Length: %d\r\n\r\n%s", packed.Len(), &packed), row4},
		"gzip, packed too large":   {head + fmt.Sprintf("Content-Encoding: gzip\r\nContent-Length: %d\r\n\r\n%s", len(blocks), blocks), row5},
		"gzip, unpacked too large": {head + fmt.Sprintf("Content-Encoding: gzip\r\nContent-Length: %d\r\n\r\n%s", large.Len(), &large), row5},
		"malformed":                {head + "Content-Length: 1\r\n\r\n{", row3},
		"malformed, chunked":       {head + "Transfer-Encoding: chunked\r\n\r\n1\r\n{\r\n0\r\n\r\n", row3},
		"empty":                    {head + "Content-Length: 0\r\n\r\n", row3},
		"disabled":                 {head + "Content-Length: 17\r\n\r\n" + `{"disabled":true}`, row3},
		"incomplete":               {head + "Content-Length: 11\r\n\r\n" + `{"keys":[]}`, row3},
		"unknown encoding":         {head + "Content-Encoding: br\r\nContent-Length: 4\r\n\r\nabcd", row4},
		"length too long":          {head + fmt.Sprintf("Content-Length: %d\r\n\r\n%s", len(good)+1, good), row4},
		"chunks end early":         {head + fmt.Sprintf("Transfer-Encoding: chunked\r\n\r\n%x\r\n%s\r\n", len(good), good), row4},
		"chunk cut":                {head + fmt.Sprintf("Transfer-Encoding: chunked\r\n\r\n%x\r\n%s", len(good)+1, good), row4},
		"bad chunk":                {head + "Transfer-Encoding: chunked\r\n\r\nzz\r\n", row4},
		"cut, until close":         {head + "\r\n" + good[:len(good)-1], row4},
		"gzip cut":                 {head + fmt.Sprintf("Content-Encoding: gzip\r\n\r\n%s", packed.Bytes()[:packed.Len()-9]), row4},
		"gzip, length too long":    {head + fmt.Sprintf("Content-Encoding: gzip\r\nContent-Length: %d\r\n\r\n%s", packed.Len()+1, &packed), row4},
		"gzip broken":              {head + fmt.Sprintf("Content-Encoding: gzip\r\nContent-Length: %d\r\n\r\n%s", len(broken), broken), row4},
		"no gzip":                  {head + fmt.Sprintf("Content-Encoding: gzip\r\nContent-Length: %d\r\n\r\n%s", len(good), good), row4},
		"nothing":                  {"", row4},
		"cut in the header":        {"HTTP/1.1 404 Not Fo", row4},
		"cut after a header":       {"HTTP/1.1 404 Not Found\r\nX: y\r\n", row4},
		"no HTTP":                  {"hello\r\n\r\n", row4},
		"two lengths":              {head + "Content-Length: 1\r\nContent-Length: 2\r\n\r\n{}", row4},
		"switching protocols":      {"HTTP/1.1 101 Switching Protocols\r\n\r\n", row4},
		"404":                      {"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n", row3},
		"early hints, then good":   {"HTTP/1.1 103 Early Hints\r\n\r\n" + head + fmt.Sprintf("Content-Length: %d\r\n\r\n%s", len(good), good), nil},
	} {
		t.Run(name, func(t *testing.T) {
			n := newNetwork(t)
			n.answer(host, c.text)
			if _, got := lookUp(t, resolver(t, n.config()), host); got != c.want {
				t.Errorf("%v, want %v", got, c.want)
			}
		})
	}
}

// TestConnections checks the outcomes of what can happen before an answer.
func TestConnections(t *testing.T) {
	plain := "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}"
	for name, c := range map[string]struct {
		prepare func(*network)
		want    error
	}{
		"no such host": {func(*network) {}, row3},
		"refused":      {func(n *network) { n.Refuse(host) }, row3},
		"plain HTTP": {func(n *network) {
			n.raw(host, false, func(c net.Conn) { fmt.Fprint(c, plain); hosttest.ReadHeader(c) })
		}, row3},
		"another protocol": {func(n *network) {
			n.raw(host, false, func(c net.Conn) { fmt.Fprint(c, "SSH-2.0-x\r\n"); hosttest.ReadHeader(c) })
		}, row3},
		"closed at once":    {func(n *network) { n.raw(host, false, func(net.Conn) {}) }, row4},
		"reset":             {func(n *network) { n.raw(host, false, reset) }, row4},
		"reset after TLS":   {func(n *network) { n.raw(host, true, func(c net.Conn) { reset(c.(*tls.Conn).NetConn()) }) }, row4},
		"half a TLS record": {func(n *network) { n.raw(host, false, func(c net.Conn) { fmt.Fprint(c, "\x16\x03\x03"); readSome(c) }) }, row4},
		"TLS alert": {func(n *network) {
			n.raw(host, false, func(c net.Conn) { readSome(c); fmt.Fprint(c, "\x15\x03\x03\x00\x02\x02\x28") })
		}, row4},
		"broken TLS after it began": {func(n *network) {
			n.raw(host, true, func(c net.Conn) { hosttest.ReadHeader(c); fmt.Fprint(c.(*tls.Conn).NetConn(), plain) })
		}, row4},
	} {
		t.Run(name, func(t *testing.T) {
			n := newNetwork(t)
			c.prepare(n)
			if _, got := lookUp(t, resolver(t, n.config()), host); got != c.want {
				t.Errorf("%v, want %v", got, c.want)
			}
		})
	}
}

// TestConnectionClosed checks that no connection is kept open.
func TestConnectionClosed(t *testing.T) {
	n := newNetwork(t)
	gone := make(chan struct{})
	n.raw(host, true, func(c net.Conn) {
		hosttest.ReadHeader(c)
		fmt.Fprintf(c, "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s", len(document(1)), document(1))
		hosttest.ReadHeader(c) // until the client closes the connection
		close(gone)
	})
	if _, got := lookUp(t, resolver(t, n.config()), host); got != nil {
		t.Fatal(got)
	}
	select {
	case <-gone:
	case <-time.After(20 * time.Second):
		t.Error("the connection is still there")
	}
}

func readSome(c net.Conn) { c.Read(make([]byte, 1<<14)) }

func reset(c net.Conn) {
	c.(*net.TCPConn).SetLinger(0)
	c.Close()
}

// TestTransportErrors checks the outcomes of errors that a listener of this machine cannot
// cause.
func TestTransportErrors(t *testing.T) {
	for name, c := range map[string]struct {
		err  error
		want error
	}{
		"not found":                {&net.DNSError{IsNotFound: true}, row3},
		"not found, temporary":     {&net.DNSError{IsNotFound: true, IsTemporary: true}, row4},
		"not found, timed out":     {&net.DNSError{IsNotFound: true, IsTimeout: true}, row4},
		"name server fails":        {&net.DNSError{IsTemporary: true}, row4},
		"other fault of DNS":       {&net.DNSError{}, row4},
		"refused":                  {&net.OpError{Op: "dial", Err: syscall.ECONNREFUSED}, row3},
		"DNS refused":              {&dnsRefused{}, row4},
		"no route":                 {&net.OpError{Op: "dial", Err: syscall.EHOSTUNREACH}, row4},
		"no network":               {&net.OpError{Op: "dial", Err: syscall.ENETUNREACH}, row4},
		"system timeout":           {&net.OpError{Op: "dial", Err: syscall.ETIMEDOUT}, row4},
		"scheme mismatch":          {http.ErrSchemeMismatch, row3},
		"proxy refused":            {&net.OpError{Op: "proxyconnect", Err: &net.OpError{Op: "dial", Err: syscall.ECONNREFUSED}}, row4},
		"proxy not found":          {&net.OpError{Op: "proxyconnect", Err: &net.DNSError{IsNotFound: true}}, row4},
		"deadline":                 {context.DeadlineExceeded, row4},
		"canceled":                 {context.Canceled, row4},
		"anything":                 {fmt.Errorf("anything"), row4},
		"TLS record, later":        {tls.RecordHeaderError{Msg: "x"}, row4},
		"TLS record, at the start": {tls.RecordHeaderError{Msg: "x", Conn: &net.TCPConn{}}, row3},
	} {
		r := resolver(t, wellknown.Config{InsecureTransport: roundTripper(func(*http.Request) (*http.Response, error) {
			return nil, c.err
		})})
		if _, got := lookUp(t, r, host); got != c.want {
			t.Errorf("%s: %v, want %v", name, got, c.want)
		}
	}
}

// dnsRefused is the error of a DNS server that refuses connections.
type dnsRefused struct{}

func (*dnsRefused) Error() string { return "x" }
func (*dnsRefused) Unwrap() []error {
	return []error{&net.DNSError{}, syscall.ECONNREFUSED}
}

func TestTLS(t *testing.T) {
	ca := hosttest.TrustedCA()
	now := time.Now().Add(-time.Minute)
	good := []tls.Certificate{certificate(t, now, host)}
	for name, c := range map[string]struct {
		config *tls.Config
		want   error
	}{
		"1.2":               {&tls.Config{Certificates: good, MaxVersion: tls.VersionTLS12}, nil},
		"1.3":               {&tls.Config{Certificates: good, MinVersion: tls.VersionTLS13}, nil},
		"1.1":               {&tls.Config{Certificates: good, MinVersion: tls.VersionTLS10, MaxVersion: tls.VersionTLS11}, row4},
		"1.0":               {&tls.Config{Certificates: good, MinVersion: tls.VersionTLS10, MaxVersion: tls.VersionTLS10}, row4},
		"wildcard":          {&tls.Config{Certificates: []tls.Certificate{certificate(t, now, "*.example")}}, nil},
		"expired":           {&tls.Config{Certificates: []tls.Certificate{certificate(t, now.Add(-48*time.Hour), host)}}, row4},
		"not yet valid":     {&tls.Config{Certificates: []tls.Certificate{certificate(t, now.Add(48*time.Hour), host)}}, row4},
		"other name":        {&tls.Config{Certificates: []tls.Certificate{certificate(t, now, "other.example")}}, row4},
		"unknown CA":        {&tls.Config{}, row4}, // httptest's own certificate
		"10 certificates":   {&tls.Config{Certificates: []tls.Certificate{withExtra(good[0], 9)}}, nil},
		"11 certificates":   {&tls.Config{Certificates: []tls.Certificate{withExtra(good[0], 10)}}, row4},
		"RSA-4096":          {&tls.Config{Certificates: []tls.Certificate{ca.Certify(t, rsaKeyFile(t, "rsa-4096.pem"), now, host)}}, nil},
		"RSA-4160":          {&tls.Config{Certificates: []tls.Certificate{ca.Certify(t, rsaKeyFile(t, "rsa-4160.pem"), now, host)}}, row4},
		"RSA-2048, e 65539": {&tls.Config{Certificates: []tls.Certificate{ca.Certify(t, rsaKeyFile(t, "rsa-2048-exponent-65539.pem"), now, host)}}, row4},
		"wants client certificate": {&tls.Config{Certificates: good, ClientAuth: tls.RequireAnyClientCert,
			MaxVersion: tls.VersionTLS12}, row4},
	} {
		t.Run(name, func(t *testing.T) {
			n := newNetwork(t)
			n.ServeTLS(host, c.config, jsonHandler(document(1)))
			if _, got := lookUp(t, resolver(t, n.config()), host); got != c.want {
				t.Errorf("%v, want %v", got, c.want)
			}
		})
	}
}

func TestCAFile(t *testing.T) {
	n := newNetwork(t)
	n.Serve(host, jsonHandler(document(1)))
	c := n.config()
	c.RootCAs = nil
	if _, got := lookUp(t, resolver(t, c), host); got != row4 {
		t.Errorf("system roots: %v", got)
	}
	c.CAFile = caFile(t)
	if _, got := lookUp(t, resolver(t, c), host); got != nil {
		t.Errorf("CA file: %v", got)
	}
}

// TestPackedDelegation checks that a delegation in gzip is refused, so that a lookup
// decompresses at most one body.
func TestPackedDelegation(t *testing.T) {
	var packed bytes.Buffer
	w := gzip.NewWriter(&packed)
	fmt.Fprint(w, delegation("a.example"))
	w.Close()
	for coding, c := range map[string]struct {
		body string
		want error
	}{
		"identity": {delegation("a.example"), nil},
		"gzip":     {packed.String(), row5},
	} {
		r := resolver(t, wellknown.Config{InsecureTransport: roundTripper(func(q *http.Request) (*http.Response, error) {
			if q.URL.Host != host {
				return reply(200, document(1))
			}
			return reply(200, c.body, "Content-Encoding", coding)
		})})
		if _, got := lookUp(t, r, host); got != c.want {
			t.Errorf("%s: %v, want %v", coding, got, c.want)
		}
	}
}
