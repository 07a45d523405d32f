package evpvector

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"strings"
)

// Network is what DNS and the hosts of a case answer. It is the TXT resolver and the transport
// of a verifier.
type Network struct {
	TXT  map[string]Records  `json:"txt,omitempty"`  // by name
	HTTP map[string]Response `json:"http,omitempty"` // by URL
}

// Records are the answer of DNS for a name: records, or an error.
type Records struct {
	Records []string `json:"records,omitempty"`
	Error   string   `json:"error,omitempty"` // nxdomain, servfail or timeout
}

// Response is the response to a request for a URL.
type Response struct {
	Status      int    `json:"status,omitempty"`
	ContentType string `json:"contentType,omitempty"` // empty means no such field
	Location    string `json:"location,omitempty"`
	Body        string `json:"body,omitempty"`
	Timeout     bool   `json:"timeout,omitempty"` // no response until the deadline
}

func (n *Network) validate() error {
	for name, answer := range n.TXT {
		switch answer.Error {
		case "", "nxdomain", "servfail", "timeout":
		default:
			return fmt.Errorf("txt %.80q: error %.20q: want nxdomain, servfail or timeout", name, answer.Error)
		}
	}
	return nil
}

// LookupTXT implements evp.TXTResolver.
func (n *Network) LookupTXT(ctx context.Context, name string) ([]string, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	answer, found := n.TXT[strings.TrimSuffix(name, ".")]
	switch {
	case !found, answer.Error == "nxdomain":
		return nil, &net.DNSError{Err: "no such host", Name: name, IsNotFound: true}
	case answer.Error == "timeout":
		return nil, &net.DNSError{Err: "timed out", Name: name, IsTimeout: true, IsTemporary: true}
	case answer.Error != "":
		return nil, &net.DNSError{Err: "server misbehaving", Name: name, IsTemporary: true}
	}
	return answer.Records, nil
}

// RoundTrip implements [http.RoundTripper].
func (n *Network) RoundTrip(req *http.Request) (*http.Response, error) {
	if req.Body != nil {
		_ = req.Body.Close() // the answer does not depend on it
	}
	if err := req.Context().Err(); err != nil {
		return nil, err
	}
	r, found := n.response(req.URL.String())
	switch {
	case !found:
		r = Response{Status: http.StatusNotFound, ContentType: "text/plain"}
	case r.Timeout:
		return nil, os.ErrDeadlineExceeded
	}
	header := make(http.Header)
	for name, value := range map[string]string{"Content-Type": r.ContentType, "Location": r.Location} {
		if value != "" {
			header.Set(name, value)
		}
	}
	return &http.Response{
		StatusCode: r.Status, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, Header: header,
		ContentLength: int64(len(r.Body)), Body: io.NopCloser(strings.NewReader(r.Body)), Request: req,
	}, nil
}

// response returns the response for a URL. URLs with and without the port 443 are the same,
// those with and without an empty path, and those in another case before the path.
func (n *Network) response(location string) (Response, bool) {
	if r, found := n.HTTP[location]; found {
		return r, true
	}
	for written, r := range n.HTTP {
		if canonicalURL(written) == canonicalURL(location) {
			return r, true
		}
	}
	return Response{}, false
}

// canonicalURL returns the form of an https URL that requests have.
func canonicalURL(location string) string {
	u, err := url.Parse(location)
	if err != nil || u.Scheme != "https" {
		return location
	}
	u.Host = strings.TrimSuffix(strings.ToLower(u.Host), ":443")
	if u.Path == "" {
		u.Path = "/"
	}
	return u.String()
}
