package vepauth_test

import (
	"bufio"
	"bytes"
	"crypto/hmac"
	"crypto/sha1"
	"crypto/tls"
	"encoding/base64"
	"encoding/gob"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"testing"

	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"

	"github.com/vepverify/vepverify/vepauth"
)

// wireRequest is a request as it is written to a connection. It need not be valid.
type wireRequest struct {
	method, target, host string
	fields               [][2]string // name in lower case, value
	body                 string
	scheme               string // HTTP/2 only; empty means https
}

func (r wireRequest) with(name, value string) wireRequest {
	r.fields = append(r.fields[:len(r.fields):len(r.fields)], [2]string{name, value})
	return r
}

func (r wireRequest) form(body string) wireRequest {
	r = r.with("content-type", "application/x-www-form-urlencoded")
	r.body = body
	return r
}

// servedRequest is a request as a handler inside vepauth got it.
type servedRequest struct {
	Handler                           string // the name of the handler
	Email                             string
	Method, Host                      string
	Path, RawPath, EscapedPath        string
	RawQuery, URLHost, Header, Opaque string
	Body                              string
	Form                              url.Values
}

// record returns a handler that answers with the request that it got.
func record(name string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			http.Error(w, "body", http.StatusTeapot)
			return
		}
		r.Body = io.NopCloser(bytes.NewReader(body))
		r.ParseForm()
		signer, _ := vepauth.FromContext(r.Context())
		w.Header().Set("X-Seen", name)
		gob.NewEncoder(w).Encode(servedRequest{
			Handler: name, Email: signer.Email, Method: r.Method, Host: r.Host,
			Path: r.URL.Path, RawPath: r.URL.RawPath, EscapedPath: r.URL.EscapedPath(), RawQuery: r.URL.RawQuery,
			URLHost: r.URL.Host, Header: r.Header.Get("Host"), Opaque: r.URL.Opaque, Body: string(body), Form: r.Form,
		})
	})
}

// rawClient sends requests without checking them. targettest.SendHTTP2 would need
// a TLS connection for each request, which makes TestWhatIsVerifiedIsServed ten times slower.
type rawClient interface {
	// send returns the status, 0 if the server did not answer, and the request that a
	// handler got, nil if none did.
	send(r wireRequest) (int, *servedRequest)
	origin() string // of the server, for the host rp.example
}

// listen serves h over a socket: HTTP/1.1, or HTTP/2 over TLS.
func listen(t testing.TB, h http.Handler, version int) rawClient {
	t.Helper()
	server := httptest.NewUnstartedServer(h)
	server.Config.ErrorLog = nil
	if version == 1 {
		server.Start()
		t.Cleanup(server.Close)
		return rawHTTP1{t, server.Listener.Addr().String()}
	}
	server.EnableHTTP2 = true
	server.StartTLS()
	t.Cleanup(server.Close)
	return &rawHTTP2{TB: t, addr: server.Listener.Addr().String()}
}

// rawHTTP1 uses one connection for each request.
type rawHTTP1 struct {
	testing.TB
	addr string
}

func (w rawHTTP1) origin() string { return "http://rp.example" }

func (w rawHTTP1) send(r wireRequest) (int, *servedRequest) {
	conn, err := net.Dial("tcp", w.addr)
	if err != nil {
		w.Fatal(err)
	}
	defer conn.Close()
	var b bytes.Buffer
	fmt.Fprintf(&b, "%s %s HTTP/1.1\r\nhost: %s\r\nconnection: close\r\n", r.method, r.target, r.host)
	for _, field := range r.fields {
		fmt.Fprintf(&b, "%s: %s\r\n", field[0], field[1])
	}
	if r.body != "" {
		fmt.Fprintf(&b, "content-length: %d\r\n", len(r.body))
	}
	b.WriteString("\r\n" + r.body)
	if _, err := conn.Write(b.Bytes()); err != nil {
		return 0, nil
	}
	res, err := http.ReadResponse(bufio.NewReader(conn), &http.Request{Method: r.method})
	if err != nil {
		return 0, nil
	}
	defer res.Body.Close()
	body, _ := io.ReadAll(res.Body)
	return res.StatusCode, decodeServed(w.TB, res.Header.Get("X-Seen"), body)
}

// decodeServed decodes the answer of a record handler. It returns nil if no handler answered.
func decodeServed(t testing.TB, name string, body []byte) *servedRequest {
	if name == "" {
		return nil
	}
	s := new(servedRequest)
	if err := gob.NewDecoder(bytes.NewReader(body)).Decode(s); err != nil {
		t.Errorf("%v in %q", err, body)
	}
	return s
}

// rawHTTP2 uses one connection for all requests, and a new one after an error.
type rawHTTP2 struct {
	testing.TB
	addr   string
	conn   net.Conn
	framer *http2.Framer
	block  bytes.Buffer
	fields *hpack.Encoder
	stream uint32
}

func (w *rawHTTP2) origin() string { return "https://rp.example" }

func (w *rawHTTP2) dial() {
	conn, err := tls.Dial("tcp", w.addr, &tls.Config{InsecureSkipVerify: true, NextProtos: []string{"h2"}})
	if err != nil {
		w.Fatal(err)
	}
	w.Cleanup(func() { conn.Close() })
	if _, err := io.WriteString(conn, http2.ClientPreface); err != nil {
		w.Fatal(err)
	}
	w.conn, w.framer, w.stream = conn, http2.NewFramer(conn, conn), 1
	w.framer.ReadMetaHeaders = hpack.NewDecoder(4096, nil)
	w.block.Reset()
	w.fields = hpack.NewEncoder(&w.block)
	if err := w.framer.WriteSettings(); err != nil {
		w.Fatal(err)
	}
}

func (w *rawHTTP2) send(r wireRequest) (int, *servedRequest) {
	if w.conn == nil {
		w.dial()
	}
	w.block.Reset()
	if r.scheme == "" {
		r.scheme = "https"
	}
	fields := [][2]string{{":method", r.method}, {":path", r.target}, {":scheme", r.scheme}, {":authority", r.host}}
	for _, field := range append(fields, r.fields...) {
		w.fields.WriteField(hpack.HeaderField{Name: field[0], Value: field[1]})
	}
	id := w.stream
	w.stream += 2
	err := w.framer.WriteHeaders(http2.HeadersFrameParam{
		StreamID: id, BlockFragment: w.block.Bytes(), EndStream: r.body == "", EndHeaders: true,
	})
	if err == nil && r.body != "" {
		err = w.framer.WriteData(id, true, []byte(r.body))
	}
	if err != nil {
		w.conn = nil
		return 0, nil
	}
	return w.receive(id)
}

// receive reads the answer on a stream.
func (w *rawHTTP2) receive(id uint32) (status int, s *servedRequest) {
	var name string
	var body []byte
	for {
		frame, err := w.framer.ReadFrame()
		if err != nil {
			w.conn = nil
			return 0, nil
		}
		switch f := frame.(type) {
		case *http2.SettingsFrame:
			if !f.IsAck() {
				w.framer.WriteSettingsAck()
			}
		case *http2.GoAwayFrame:
			w.conn = nil
			return 0, nil
		}
		if frame.Header().StreamID != id {
			continue
		}
		switch f := frame.(type) {
		case *http2.RSTStreamFrame:
			return status, decodeServed(w.TB, name, body) // of a request whose body was not read, after the answer
		case *http2.MetaHeadersFrame:
			fmt.Sscan(f.PseudoValue("status"), &status)
			for _, field := range f.RegularFields() {
				if field.Name == "x-seen" {
					name = field.Value
				}
			}
		case *http2.DataFrame:
			body = append(body, f.Data()...)
			w.framer.WriteWindowUpdate(0, uint32(max(len(f.Data()), 1)))
		}
		if frame.Header().Flags.Has(http2.FlagDataEndStream) {
			return status, decodeServed(w.TB, name, body)
		}
	}
}

// authorize returns an Authorization header for parts of a request, which need not be those
// that are sent. Each call needs another nonce.
func authorize(t testing.TB, c vepauth.Credentials, nonce int, method, origin, target, form string) string {
	t.Helper()
	scheme, host, _ := cutOrigin(origin)
	if c.Scheme == vepauth.MACBrowserID {
		port := map[string]string{"http": "80", "https": "443"}[scheme]
		mac := hmacSHA1(c.Secret, fmt.Sprintf("%d\n%d\n%s\n%s\n%s\n%s\n\n", start.Unix(), nonce, method, target, host, port))
		return fmt.Sprintf(`MAC id="%s", ts="%d", nonce="%d", mac="%s"`, c.ID, start.Unix(), nonce, base64.StdEncoding.EncodeToString(mac))
	}
	params := fmt.Sprintf(`oauth_consumer_key="%s", oauth_signature_method="HMAC-SHA1", oauth_timestamp="%d", oauth_nonce="%d"`, c.ID, start.Unix(), nonce)
	base, err := vepauth.BaseString(method, scheme, host, target, form, params)
	if err != nil {
		return ""
	}
	return "OAuth " + params + `, oauth_signature="` + signature(c, base) + `"`
}

// signature returns the HMAC-SHA1 of a base string, encoded for the header.
func signature(c vepauth.Credentials, base string) string {
	mac := hmac.New(sha1.New, []byte(url.QueryEscape(c.Secret)+"&"))
	io.WriteString(mac, base)
	return url.QueryEscape(base64.StdEncoding.EncodeToString(mac.Sum(nil)))
}

// cutOrigin returns the scheme and the host of an origin, with its port.
func cutOrigin(origin string) (scheme, host string, ok bool) {
	u, err := url.Parse(origin)
	if err != nil {
		return "", "", false
	}
	return u.Scheme, u.Host, true
}

// hmacSHA1 returns the HMAC with which MACBrowserID signs.
func hmacSHA1(key, text string) []byte {
	h := hmac.New(sha1.New, []byte(key))
	h.Write([]byte(text))
	return h.Sum(nil)
}
