package verifyapi_test

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/vepverify/vepverify/verifyapi"
)

// raw is a request as it is sent, and the status of its response. A bare one is
// answered by net/http, without the headers of the handler.
type raw struct {
	name, text string
	status     int
	bare       bool
	cut        bool // the client closes its side
}

// message returns a request with a correct Content-Length. Header lines end with
// "\r\n".
func message(line, header, body string) string {
	return fmt.Sprintf("%s HTTP/1.1\r\nHost: verifier.example\r\n%sContent-Length: %d\r\n\r\n%s", line, header, len(body), body)
}

const (
	asJSON = "Content-Type: application/json\r\n"
	asForm = "Content-Type: application/x-www-form-urlencoded\r\n"
)

// unframed returns a request whose header is responsible for the length.
func unframed(header, body string) string {
	return "POST /v2 HTTP/1.1\r\nHost: verifier.example\r\n" + asJSON + header + "\r\n" + body
}

// chunked returns the body in chunks of a size.
func chunked(body string, size int) string {
	var b strings.Builder
	for len(body) > 0 {
		n := min(size, len(body))
		fmt.Fprintf(&b, "%x\r\n%s\r\n", n, body[:n])
		body = body[n:]
	}
	return b.String() + "0\r\n\r\n"
}

func gzipped(s string) string {
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	io.WriteString(w, s)
	w.Close()
	return b.String()
}

func utf16(s string, bigEndian bool) string {
	var b strings.Builder
	for _, c := range []byte(s) {
		if bigEndian {
			b.Write([]byte{0, c})
		} else {
			b.Write([]byte{c, 0})
		}
	}
	return b.String()
}

const chunkedTE = "Transfer-Encoding: chunked\r\n"

func pad(s string, n int) string { return s + strings.Repeat(" ", n-len(s)) }

// lines returns requests with unusual first lines.
func lines() []raw {
	line := func(name, line string, status int, bare bool) raw {
		return raw{name: name, text: line + "\r\nHost: verifier.example\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}", status: status, bare: bare}
	}
	return []raw{
		{name: "HTTP/1.0 without Host", text: "GET /status HTTP/1.0\r\n\r\n", status: 200},
		{name: "HTTP/0.9", text: "GET /status\r\n\r\n", status: 400, bare: true},
		line("HTTP/3.0", "POST /v2 HTTP/3.0", 505, true),
		line("HTTP/1.15", "POST /v2 HTTP/1.15", 400, true),
		line("http in lower case", "POST /v2 http/1.1", 400, true),
		line("no version", "POST /v2 ", 400, true),
		line("two spaces", "POST  /v2 HTTP/1.1", 400, true),
		line("no method", " /v2 HTTP/1.1", 400, true),
		line("a method with an odd character", "P@ST /v2 HTTP/1.1", 400, true),
		line("a method with a NUL", "PO\x00ST /v2 HTTP/1.1", 400, true),
		line("an unknown method", "POSTT /v2 HTTP/1.1", 405, false),
		line("a method of 30 KB", strings.Repeat("P", 30<<10)+" /v2 HTTP/1.1", 431, true),
		line("absolute form", "POST http://elsewhere.example/v2 HTTP/1.1", 400, false),
		line("absolute form, other path", "POST http://elsewhere.example/x HTTP/1.1", 404, false),
		line("absolute form, other scheme", "POST gopher://elsewhere.example/v2 HTTP/1.1", 400, false),
		line("authority form", "POST verifier.example:80 HTTP/1.1", 400, false),
		line("asterisk form", "POST * HTTP/1.1", 405, false),
		line("CONNECT", "CONNECT idp.example:443 HTTP/1.1", 405, false),
		line("no slash", "POST v2 HTTP/1.1", 400, true),
		line("a NUL in the target", "POST /v2\x00 HTTP/1.1", 400, true),
		line("a space in the target", "POST /v 2 HTTP/1.1", 400, true),
		line("a bad escape in the target", "POST /%zz HTTP/1.1", 400, true),
		line("an escaped NUL", "POST /v2%00 HTTP/1.1", 404, false),
		line("escaped letters", "POST /%76%32 HTTP/1.1", 400, false),
		line("an escaped slash", "POST %2fv2 HTTP/1.1", 400, true),
		line("dots", "POST /x/../v2 HTTP/1.1", 404, false),
		line("two slashes", "POST //v2 HTTP/1.1", 404, false),
		line("a parameter in the path", "POST /v2;a=b HTTP/1.1", 404, false),
		line("a fragment", "POST /v2#x HTTP/1.1", 404, false),
		line("eight bits", "POST /v2\xff HTTP/1.1", 404, false),
		line("a target of 30 KB", "POST /v2?"+strings.Repeat("x", 30<<10)+" HTTP/1.1", 431, true),
		line("a query of 11 KB", "POST /verify?"+strings.Repeat("x", 11<<10)+" HTTP/1.1", 414, false),
		line("an ignored query of 11 KB", "POST /v2?"+strings.Repeat("x", 11<<10)+" HTTP/1.1", 400, false),
		line("a semicolon in the query", "POST /?assertion=x;audience=y HTTP/1.1", 400, false),
	}
}

// headers returns requests with unusual headers.
func headers() []raw {
	with := func(name, header string, status int, bare bool) raw {
		return raw{name: name, text: message("POST /v2", asJSON+header, ask(good)), status: status, bare: bare}
	}
	return []raw{
		{name: "no Host", text: "GET /status HTTP/1.1\r\n\r\n", status: 400, bare: true},
		{name: "line feeds alone", text: strings.ReplaceAll(message("POST /v2", asJSON, ask(good)), "\r\n", "\n"), status: 200},
		{name: "OPTIONS *", text: "OPTIONS * HTTP/1.1\r\nHost: x\r\n\r\n", status: 204},
		with("two Hosts", "Host: other.example\r\n", 400, true),
		with("no colon", "Nonsense\r\n", 400, true),
		with("a space before the colon", "X-Odd : 1\r\n", 400, true),
		with("a name with a NUL", "X-\x00dd: 1\r\n", 400, true),
		with("a value with a NUL", "X-Odd: \x00\r\n", 400, true),
		with("a carriage return in a value", "X-Odd: a\rb\r\n", 400, true),
		with("a folded value", "X-Odd: a\r\n b\r\n", 200, false),
		with("an empty name", ": 1\r\n", 400, true),
		with("eight bits", "X-Odd: \xff\xfe\r\n", 200, false),
		with("a header of 30 KB", "X-Odd: "+strings.Repeat("x", 30<<10)+"\r\n", 431, true),
		with("2000 headers", strings.Repeat("X-Odd: 1234\r\n", 2000), 431, true),
		with("Content-Type twice", "Content-Type: text/plain\r\n", 200, false),
		with("gzip", "Content-Encoding: gzip\r\n", 415, false),
		with("identity", "Content-Encoding: identity\r\n", 200, false),
		with("an unknown encoding", "Content-Encoding: x, y\r\n", 415, false),
		with("a request id that is a mail address", "X-Request-Id: "+email+"\r\n", 200, false),
		with("a request id that is a token", "X-Request-Id: "+good+"\r\n", 200, false),
		with("credentials", "Authorization: BrowserID "+good+"\r\nCookie: a="+email+"\r\n", 200, false),
		with("Expect", "Expect: 100-continue\r\n", 200, false),
		with("Expect something else", "Expect: the-unexpected\r\n", 417, true),
		with("Upgrade", "Connection: Upgrade\r\nUpgrade: websocket\r\n", 200, false),
		with("Upgrade to HTTP/2", "Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: \r\n", 200, false),
		with("Connection: close", "Connection: close\r\n", 200, false),
		with("Range", "Range: bytes=0-1\r\n", 200, false),
		with("Origin", "Origin: https://evil.example\r\n", 200, false),
		with("method override", "X-HTTP-Method-Override: GET\r\n", 200, false),
		{name: "an empty type", text: message("POST /v2", "Content-Type:\r\n", ask(good)), status: 415},
		{name: "a type that is a mail address", text: message("POST /v2", "Content-Type: "+email+"\r\n", ask(good)), status: 415},
		{name: "a type of 5 KB", text: message("POST /verify", "Content-Type: "+strings.Repeat("x", 5<<10)+"\r\n", ask(good)), status: 415},
		{name: "a type of eight bits", text: message("POST /v2", "Content-Type: \xff\"\xfe\r\n", ask(good)), status: 415},
		{name: "multipart", text: message("POST /", "Content-Type: multipart/form-data; boundary=x\r\n", "--x--\r\n"), status: 415},
	}
}

// framings returns requests with unusual or wrong framing of the body.
func framings() []raw {
	body := ask(good)
	return []raw{
		{name: "chunks", text: unframed(chunkedTE, chunked(body, 7)), status: 200},
		{name: "chunks, capitals", text: unframed("Transfer-Encoding: CHUNKED\r\n", chunked(body, 999)), status: 200},
		{name: "chunk extensions", text: unframed(chunkedTE, fmt.Sprintf("%x;a=b\r\n%s\r\n0\r\n\r\n", len(body), body)), status: 200},
		{name: "trailers", text: unframed(chunkedTE+"Trailer: X-Odd\r\n", fmt.Sprintf("%x\r\n%s\r\n0\r\nX-Odd: 1\r\n\r\n", len(body), body)), status: 200},
		{name: "chunks and a length", text: unframed(chunkedTE+"Content-Length: 3\r\n", chunked(body, 999)), status: 200},
		{name: "a chunk's size is not a number", text: unframed(chunkedTE, "zz\r\n{}\r\n0\r\n\r\n"), status: 400},
		{name: "a chunk's size is negative", text: unframed(chunkedTE, "-2\r\n{}\r\n0\r\n\r\n"), status: 400},
		{name: "a chunk's size is huge", text: unframed(chunkedTE, "fffffffffffffffff\r\n{}\r\n0\r\n\r\n"), status: 400},
		{name: "a chunk is longer than its size", text: unframed(chunkedTE, "1\r\n{}\r\n0\r\n\r\n"), status: 400},
		{name: "no last chunk", text: unframed(chunkedTE, "2\r\n{}\r\n"), status: 400, cut: true},
		{name: "a chunk cut off", text: unframed(chunkedTE, "ff\r\n{}"), status: 400, cut: true},
		{name: "no chunk at all", text: unframed(chunkedTE, "0\r\n\r\n"), status: 400},
		{name: "chunks of 10 241 bytes", text: unframed(chunkedTE, chunked(pad(body, 10241), 100)), status: 413},
		{name: "chunks of 10 240 bytes", text: unframed(chunkedTE, chunked(pad(body, 10240), 100)), status: 200},
		{name: "chunks of a megabyte", text: unframed(chunkedTE, chunked(pad(body, 1<<20), 1000)), status: 413},
		{name: "another transfer encoding", text: unframed("Transfer-Encoding: gzip, chunked\r\n", chunked(body, 99)), status: 501, bare: true},
		{name: "transfer encoding identity", text: unframed("Transfer-Encoding: identity\r\nContent-Length: 2\r\n", "{}"), status: 501, bare: true},
		{name: "two transfer encodings", text: unframed(chunkedTE+chunkedTE, chunked(body, 99)), status: 501, bare: true},
		{name: "10 241 bytes", text: unframed("Content-Length: 10241\r\n", pad(body, 10241)), status: 413},
		{name: "10 240 bytes", text: unframed("Content-Length: 10240\r\n", pad(body, 10240)), status: 200},
		{name: "a gigabyte announced", text: unframed("Content-Length: 1073741824\r\n", body), status: 413},
		{name: "a negative length", text: unframed("Content-Length: -1\r\n", body), status: 400, bare: true},
		{name: "a length with a sign", text: unframed("Content-Length: +2\r\n", "{}"), status: 400, bare: true},
		{name: "a length in hex", text: unframed("Content-Length: 0x2\r\n", "{}"), status: 400, bare: true},
		{name: "a length beyond 64 bits", text: unframed("Content-Length: 99999999999999999999\r\n", "{}"), status: 400, bare: true},
		{name: "two lengths", text: unframed("Content-Length: 2\r\nContent-Length: 3\r\n", "{} "), status: 400, bare: true},
		{name: "two lengths in one", text: unframed("Content-Length: 2, 2\r\n", "{}"), status: 400, bare: true},
		{name: "the same length twice", text: unframed("Content-Length: 2\r\nContent-Length: 2\r\n", "{}"), status: 400},
		{name: "an empty length", text: unframed("Content-Length: \r\n", ""), status: 400, bare: true},
		{name: "a body shorter than announced", text: unframed("Content-Length: 5000\r\n", body), status: 400, cut: true},
		{name: "a body longer than announced", text: unframed("Content-Length: 10\r\n", body), status: 400},
		{name: "no length, no body", text: unframed("", ""), status: 400},
		{name: "HTTP/1.0, no length", text: "POST /v2 HTTP/1.0\r\n" + asJSON + "\r\n" + body, status: 400},
	}
}

// contents returns requests whose body is not what its type says.
func contents() []raw {
	body := func(name, body string, status int) raw {
		return raw{name: name, text: message("POST /v2", asJSON, body), status: status}
	}
	form := func(name, body string, status int) raw {
		return raw{name: name, text: message("POST /verify", asForm, body), status: status}
	}
	nested := func(n int) string { return `"x":` + strings.Repeat("[", n) + strings.Repeat("]", n) }
	return []raw{
		body("white space", " \r\n\t ", 400),
		body("a BOM", "\ufeff"+ask(good), 400),
		body("UTF-16, little endian", utf16(ask(good), false), 400),
		body("UTF-16, big endian, with a BOM", "\xfe\xff"+utf16(ask(good), true), 400),
		body("latin-1", ask(good, "\"x\":\"\xe9\""), 400),
		body("overlong UTF-8", ask(good, "\"x\":\"\xc0\xaf\""), 400),
		body("a NUL", ask(good)+"\x00", 400),
		body("a NUL in a string", ask(good, "\"x\":\"\x00\""), 400),
		body("gzip without Content-Encoding", gzipped(ask(good)), 400),
		body("cut off", ask(good)[:100], 400),
		body("cut off in an escape", `{"assertion":"\u00`, 400),
		body("text after the object", ask(good)+"x", 400),
		body("two objects", ask(good)+ask(good), 400),
		body("an array", "["+ask(good)+"]", 400),
		body("a string", `"assertion"`, 400),
		body("a number", `1`, 400),
		body("null", `null`, 400),
		body("true", `true`, 400),
		body("900 deep", ask(good, nested(900)), 200),
		body("2000 deep", ask(good, nested(2000)), 400),
		body("objects 1500 deep", strings.Repeat(`{"a":`, 1500), 400),
		body("an unterminated string", `{"assertion":"`, 400),
		body("a line feed in a string", "{\"assertion\":\"\n\"}", 400),
		body("an unknown escape", `{"assertion":"\x41"}`, 400),
		body("half a surrogate pair", `{"assertion":"\ud800","audience":"x"}`, 400),
		body("a duplicate", ask(good, `"audience":"https://evil.example"`), 400),
		body("an escaped duplicate", ask(good, `"\u0061udience":"https://evil.example"`), 400),
		body("a nested duplicate", ask(good, `"x":{"y":[{"z":1,"z":2}]}`), 400),
		body("single quotes", `{'assertion':'x'}`, 400),
		body("a trailing comma", `{"assertion":"x",}`, 400),
		body("a comment", `{/**/"assertion":"x"}`, 400),
		body("NaN", ask(good, `"x":NaN`), 400),
		body("a leading zero", ask(good, `"x":01`), 400),
		body("a huge number", ask(good, `"x":1e999999`), 200),
		body("no name", `{:1}`, 400),
		body("names of objects in JavaScript", ask(good, `"__proto__":{"trustedIssuers":["other.example"]}`, `"constructor":1`), 200),
		body("an object for the assertion", `{"assertion":{"a":1},"audience":"x"}`, 400),
		body("false for the assertion", `{"assertion":false,"audience":"x"}`, 400),
		body("1000 trusted issuers", ask("x", `"trustedIssuers":[`+strings.Repeat(`"a.b",`, 1000)+`"a.b"]`), 200),
		body("an assertion of 9 KB", ask(strings.Repeat("A", 9000)), 200),
		body("an assertion of tildes", ask(strings.Repeat("~", 5000)), 200),
		body("an assertion with a line feed", strings.Replace(ask(good), "~", `\n~`, 1), 200),
		body("an assertion with a NUL", strings.Replace(ask(good), "~", `\u0000~`, 1), 200),
		body("an audience of 5 KB", strings.Replace(ask(good), audience, "https://"+strings.Repeat("x", 5000), 1), 200),
		body("an odd audience", strings.Replace(ask(good), audience, `javascript:\"\u202e😀`, 1), 200),
		body("a form", "assertion=x&audience=y", 400),
		form("JSON", ask(good), 400),
		form("a percent sign", "%", 400),
		form("half an escape", "assertion=%4", 400),
		form("an escape of no digits", "assertion=%zz", 400),
		form("ampersands", "&&&=&=", 400),
		form("no values", "assertion&audience", 400),
		form("semicolons", "assertion=x;audience=y", 400),
		form("no UTF-8", "assertion=%ff&audience=x", 400),
		form("escaped NULs", "assertion=%00&audience=%00", 200),
		form("1000 names", "audience=x"+strings.Repeat("&a=b", 1000), 400),
		form("the same name a thousand times", strings.Repeat("audience=x&", 900), 400),
		form("binary", "\x00\x01\x02\xff", 400),
		form("a multipart body", "--x\r\nContent-Disposition: form-data; name=\"assertion\"\r\n\r\nx\r\n--x--\r\n", 400),
		form("10 241 bytes", "assertion="+strings.Repeat("x", 10231), 413),
	}
}

// protocols returns messages of other protocols than HTTP.
func protocols() []raw {
	return []raw{
		{name: "a TLS client", text: "\x16\x03\x01\x00\xa5\x01\x00\x00\xa1\x03\x03" + strings.Repeat("\x42", 40) + "\r\n\r\n", status: 400, bare: true},
		{name: "SSH", text: "SSH-2.0-OpenSSH_9.2\r\n\r\n", status: 400, bare: true},
		{name: "SMTP", text: "EHLO mail.example\r\n\r\n", status: 400, bare: true},
		{name: "a PROXY header", text: "PROXY TCP4 192.0.2.1 192.0.2.2 1 2\r\nGET /status HTTP/1.1\r\nHost: x\r\n\r\n", status: 400, bare: true},
		{name: "Redis", text: "*1\r\n$4\r\nPING\r\n\r\n", status: 400, bare: true},
		{name: "only line ends", text: strings.Repeat("\r\n", 20), status: 400, bare: true},
		{name: "zeros", text: strings.Repeat("\x00", 100) + "\r\n\r\n", status: 400, bare: true},
	}
}

// TestWire sends requests that no client should send. Each must have its response,
// and the service must still serve others.
func TestWire(t *testing.T) {
	s := serve(t, verifyapi.Config{})
	n := 0
	for group, requests := range map[string][]raw{
		"line": lines(), "header": headers(), "framing": framings(), "content": contents(), "protocol": protocols(),
	} {
		for _, r := range requests {
			n++
			t.Run(group+"/"+r.name, func(t *testing.T) {
				s.checkRaw(t, r)
				s.checkServes(t)
			})
		}
	}
	if n < 100 {
		t.Errorf("only %d requests", n)
	}
	t.Logf("%d requests", n)
}

func (s *service) checkRaw(t *testing.T, r raw) {
	conn := s.dial(t)
	sent := make(chan struct{})
	go func() { // the response may come before everything is sent
		defer close(sent)
		io.WriteString(conn, r.text)
		if r.cut {
			conn.CloseWrite()
		}
	}()
	method, _, _ := strings.Cut(r.text, " ")
	got, err := readRaw(conn, method)
	conn.Close()
	<-sent
	if r.bare && errors.Is(err, syscall.ECONNRESET) {
		return // net/http does not wait until a client that sends no HTTP has read the response
	}
	if err != nil {
		t.Fatal(err)
	}
	if got.StatusCode != r.status {
		t.Errorf("status %d, not %d: %s", got.StatusCode, r.status, got.body)
	}
	if bare := got.Header.Get("X-Frame-Options") == ""; bare != r.bare {
		t.Errorf("answered by net/http: %v", bare)
	}
	if r.bare {
		return
	}
	checkHeaders(t, got.Response)
	if id := got.Header.Get("X-Request-Id"); len(id) != 16 {
		t.Errorf("X-Request-Id %q", id)
	}
	if got.StatusCode >= 400 {
		reason(t, got.body)
	}
}

// dial returns a connection with a deadline of one minute.
func (s *service) dial(t testing.TB) *net.TCPConn {
	t.Helper()
	conn, err := net.Dial("tcp", s.addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	if err := conn.SetDeadline(time.Now().Add(time.Minute)); err != nil {
		t.Fatal(err)
	}
	return conn.(*net.TCPConn)
}

// readRaw reads a response, without the "100 Continue" before it.
func readRaw(conn net.Conn, method string) (reply, error) {
	in := bufio.NewReader(conn)
	for {
		resp, err := http.ReadResponse(in, &http.Request{Method: method})
		if err != nil {
			return reply{}, err
		}
		if resp.StatusCode == http.StatusContinue {
			continue
		}
		body, err := io.ReadAll(resp.Body)
		resp.Body.Close()
		return reply{resp, string(body)}, err
	}
}
