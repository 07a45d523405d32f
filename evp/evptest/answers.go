package evptest

import (
	"io"
	"net"
	"net/http"
	"os"
	"slices"
	"strings"
)

// TXT is an answer of DNS: TXT records, or an error.
type TXT struct {
	Records []string
	// Err is returned in place of the records. The name is filled in if Err is a
	// [net.DNSError].
	Err error
}

// Records returns an answer with those TXT records.
func Records(records ...string) TXT { return TXT{Records: records} }

// NXDomain returns the answer for a name that does not exist, as Go's resolver reports it.
func NXDomain() TXT { return TXT{Err: &net.DNSError{Err: "no such host", IsNotFound: true}} }

// ServFail returns the answer of name servers that fail.
func ServFail() TXT { return TXT{Err: &net.DNSError{Err: "server misbehaving", IsTemporary: true}} }

// LookupTimeout returns the answer of name servers that do not answer. The lookup times
// out at once.
func LookupTimeout() TXT {
	return TXT{Err: &net.DNSError{Err: "i/o timeout", IsTimeout: true, IsTemporary: true}}
}

func (t TXT) result(name string) ([]string, error) {
	if e, ok := t.Err.(*net.DNSError); ok {
		copied := *e
		copied.Name = name
		return nil, &copied
	}
	if t.Err != nil {
		return nil, t.Err
	}
	return slices.Clone(t.Records), nil
}

// Response is the response to a request of an issuer's URL.
type Response struct {
	Status int
	Header http.Header
	Body   string
	// Err is the error of the request, in place of a response.
	Err error
}

// JSON returns a response with status 200 and a document, as application/json. The
// document is a value to encode, or a [Raw].
func JSON(document any) Response {
	text, err := encode(document)
	if err != nil {
		panic("evptest: " + err.Error())
	}
	return Body("application/json", string(text))
}

// Body returns a response with status 200, that body, and that Content-Type unless it is
// empty.
func Body(contentType, body string) Response {
	header := http.Header{}
	if contentType != "" {
		header.Set("Content-Type", contentType)
	}
	return Response{Status: http.StatusOK, Header: header, Body: body}
}

// Status returns a response with that status and a short text.
func Status(code int) Response {
	return Response{Status: code, Header: http.Header{"Content-Type": {"text/plain"}}, Body: "evptest\n"}
}

// Redirect returns a response with status 302 to that URL.
func Redirect(url string) Response { return Status(http.StatusFound).With("Location", url) }

// Timeout returns the response of a host that does not answer. The request times out at
// once.
func Timeout() Response { return Response{Err: os.ErrDeadlineExceeded} }

// With returns the response with a header set.
func (r Response) With(name, value string) Response {
	r.Header = r.Header.Clone()
	if r.Header == nil {
		r.Header = http.Header{}
	}
	r.Header.Set(name, value)
	return r
}

// WithStatus returns the response with another status.
func (r Response) WithStatus(code int) Response {
	r.Status = code
	return r
}

// Padded returns the response with spaces at the end of the body, up to size bytes.
func (r Response) Padded(size int) Response {
	r.Body += strings.Repeat(" ", max(0, size-len(r.Body)))
	return r
}

func (r Response) result(request *http.Request) (*http.Response, error) {
	if r.Err != nil {
		return nil, r.Err
	}
	header := r.Header.Clone()
	if header == nil {
		header = http.Header{}
	}
	return &http.Response{
		StatusCode: r.Status, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, Header: header,
		ContentLength: int64(len(r.Body)), Body: io.NopCloser(strings.NewReader(r.Body)), Request: request,
	}, nil
}
