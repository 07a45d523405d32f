// Package targettest sends requests to handlers, for tests, with targets and hosts
// that clients do not send: as text in HTTP/1.1, and frame by frame in HTTP/2.
package targettest

import (
	"bufio"
	"bytes"
	"crypto/tls"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strconv"
	"strings"
	"testing"

	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"
)

// Evil is the host that hostile targets name.
const Evil = "evil.example"

// Hostile are targets that are not paths of the server that gets them, or that a
// proxy or a router could read as something else.
var Hostile = []string{
	"x:@evil.example/", "x:.evil.example/", "x:evil.example", "x:1/", "x:/", "x:/members", "x:/members?q=://h/", "x:/client.json",
	"x://evil.example/", "http:/members", "http:members", "http:", "http://", "http:///members", "https:/members", "javascript:alert(1)",
	"http:@evil.example/", "http:\\\\evil.example/", "http://evil.example", "http://evil.example/", "http://evil.example/members",
	"https://evil.example/members?a=b", "HTTP://evil.example/members", "http://a@evil.example/members", "http://evil.example?members", "http://evil.example#/members",
	"http://evil.example\\@localhost/members", "ftp://evil.example/members",
	"*", "**", "*/members", "evil.example:80", "evil.example:80/members", "members", "./members", "../members", "?members", "#/members",
	"//evil.example", "//evil.example/", "//evil.example/members", "///evil.example/members", "//evil.example/../members", "/.//evil.example/members",
	"/\\evil.example", "/\\evil.example/members", "\\\\evil.example/members", "/members/..//evil.example", "/members/../../evil.example",
	"/%2f/evil.example", "/%2Fevil.example/members", "/%5cevil.example", "/%09/evil.example", "/%0d%0aLocation:%20http://evil.example/", "/%2e%2e//evil.example",
	"/./%2Fevil.example", "//%2Fevil.example", "/@evil.example", "/members@evil.example", "/:80", "/members;@evil.example", "/members?next=//evil.example", "/members?//evil.example",
	"/members?\\\\evil.example", "/?next=//evil.example", "/members#@evil.example", "/members/", "/members//", "/members/.", "/%6dembers", "/MEMBERS", "/\xe9vil", "/members?\xff\"<>",
	"/app/members", "/app//members", "/app/../members", "/app/%2e%2e/members", "/%61pp/members", "/app%2fmembers", "/app//evil.example", "/app/\\evil.example", "/appevil.example",
}

// parts are the parts of a random target.
var parts = []string{
	"/", "/", "//", "\\", ":", "@", "?", "#", ".", "..", "*", "x", "http", "https", "http://", "members", "app", "evil.example", "localhost", "%2f", "%2F", "%5c", "%2e", "%09",
	"%0d%0a", "%25", "%", ";", "&", "=", "next=", "[::1]", "80", "\xe9", "\"", "<", "\t", "\x7f",
}

// Random returns a target of one to seven random parts.
func Random(r *rand.Rand) string {
	var text strings.Builder
	for range 1 + r.IntN(7) {
		text.WriteString(parts[r.IntN(len(parts))])
	}
	return text.String()
}

// Methods are those with which net/http or a router treats a target differently.
var Methods = []string{"GET", "HEAD", "POST", "CONNECT", "OPTIONS"}

// Server serves a handler in HTTP/1.1 and in HTTP/2.
type Server struct{ one, two *httptest.Server }

// NewServer starts a server for each protocol. They stop at the end of the test.
func NewServer(t testing.TB, h http.Handler) *Server {
	t.Helper()
	s := &Server{httptest.NewUnstartedServer(h), httptest.NewUnstartedServer(h)}
	s.two.EnableHTTP2 = true
	s.one.Start()
	s.two.StartTLS()
	t.Cleanup(func() { s.one.Close(); s.two.Close() })
	return s
}

// Answer is what a server sent.
type Answer struct {
	Status int // 0 if the server reset the stream
	Header http.Header
	Body   string
}

// HTTP1 sends a request line, a Host, a form if it is not empty, and header fields,
// names and values in turn. It fails the test if there is no answer.
func (s *Server) HTTP1(t testing.TB, method, target, host, form string, header ...string) Answer {
	t.Helper()
	conn, err := net.Dial("tcp", s.one.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	var b bytes.Buffer
	fmt.Fprintf(&b, "%s %s HTTP/1.1\r\nHost: %s\r\nConnection: close\r\n", method, target, host)
	if form != "" {
		fmt.Fprintf(&b, "Content-Type: application/x-www-form-urlencoded\r\nContent-Length: %d\r\n", len(form))
	}
	for i := 0; i < len(header); i += 2 {
		fmt.Fprintf(&b, "%s: %s\r\n", header[i], header[i+1])
	}
	fmt.Fprintf(&b, "\r\n%s", form)
	if _, err := conn.Write(b.Bytes()); err != nil {
		t.Fatal(err)
	}
	answer, err := http.ReadResponse(bufio.NewReader(conn), &http.Request{Method: method})
	if err != nil {
		t.Fatalf("%s %q to %q: %v", method, target, host, err)
	}
	defer answer.Body.Close()
	a := Answer{Status: answer.StatusCode, Header: answer.Header}
	if method != http.MethodConnect {
		body, err := io.ReadAll(answer.Body)
		if err != nil {
			t.Fatal(err)
		}
		a.Body = string(body)
	}
	return a
}

// HTTP2 sends the same as HTTP1, in frames of HTTP/2. An empty authority is left out. In a
// CONNECT, path is the authority if that is empty.
func (s *Server) HTTP2(t testing.TB, method, path, authority, form string, header ...string) Answer {
	t.Helper()
	config := s.two.Client().Transport.(*http.Transport).TLSClientConfig.Clone()
	config.NextProtos = []string{"h2"}
	conn, err := tls.Dial("tcp", s.two.Listener.Addr().String(), config)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	fields := []string{":method", method}
	if method != http.MethodConnect {
		fields = append(fields, ":scheme", "https", ":path", path)
	} else if authority == "" {
		authority = path
	}
	if authority != "" {
		fields = append(fields, ":authority", authority)
	}
	if form != "" {
		fields = append(fields, "content-type", "application/x-www-form-urlencoded", "content-length", strconv.Itoa(len(form)))
	}
	for i, text := range header {
		if i%2 == 0 {
			text = strings.ToLower(text)
		}
		fields = append(fields, text)
	}
	return SendHTTP2(t, conn, form, fields...)
}

// SendHTTP2 sends one request on a new connection, in HTTP/2: the header fields,
// names and values in turn, as they are, and the body if it is not empty.
func SendHTTP2(t testing.TB, conn io.ReadWriter, body string, fields ...string) Answer {
	t.Helper()
	if _, err := io.WriteString(conn, http2.ClientPreface); err != nil {
		t.Fatal(err)
	}
	f := http2.NewFramer(conn, conn)
	var block bytes.Buffer
	e := hpack.NewEncoder(&block)
	for i := 0; i < len(fields); i += 2 {
		if err := e.WriteField(hpack.HeaderField{Name: fields[i], Value: fields[i+1]}); err != nil {
			t.Fatal(err)
		}
	}
	for _, err := range []error{
		f.WriteSettings(),
		f.WriteHeaders(http2.HeadersFrameParam{StreamID: 1, BlockFragment: block.Bytes(), EndStream: body == "", EndHeaders: true}),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	if body != "" {
		if err := f.WriteData(1, true, []byte(body)); err != nil {
			t.Fatal(err)
		}
	}
	return readAnswer(t, f)
}

// readAnswer reads the frames of stream 1 to its end.
func readAnswer(t testing.TB, f *http2.Framer) Answer {
	t.Helper()
	f.ReadMetaHeaders = hpack.NewDecoder(4096, nil)
	a := Answer{Header: http.Header{}}
	for {
		frame, err := f.ReadFrame()
		if err != nil {
			t.Fatal(err)
		}
		ended := false
		switch frame := frame.(type) {
		case *http2.MetaHeadersFrame:
			for _, field := range frame.Fields {
				if field.Name == ":status" {
					if a.Status, err = strconv.Atoi(field.Value); err != nil {
						t.Fatal(err)
					}
				}
				a.Header.Add(field.Name, field.Value)
			}
			ended = frame.StreamEnded()
		case *http2.DataFrame:
			a.Body += string(frame.Data())
			ended = frame.StreamEnded()
		case *http2.RSTStreamFrame, *http2.GoAwayFrame:
			return Answer{}
		}
		if ended {
			return a
		}
	}
}

// Stays reports whether a browser that follows a redirect of origin to location stays
// at origin, or at another one of the origins. Browsers are more tolerant than
// net/url: they treat a backslash as a slash and drop tabs and line breaks.
func Stays(location, origin string, origins ...string) bool {
	base, err := url.Parse(origin + "/a/b")
	if err != nil {
		return false
	}
	dropped := strings.NewReplacer("\t", "", "\n", "", "\r", "").Replace(strings.TrimSpace(location))
	path, query, _ := strings.Cut(dropped, "?")
	for _, reading := range []string{location, dropped, strings.ReplaceAll(path, "\\", "/") + "?" + query} {
		to, err := base.Parse(reading)
		if err != nil {
			return false
		}
		found := false
		for _, own := range append(origins, origin) {
			found = found || to.User == nil && to.Scheme+"://"+to.Host == own
		}
		if !found {
			return false
		}
	}
	return true
}
