package vectors

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"os"
	"strings"
)

// transport answers for every host what the case says.
type transport struct{ c *Case }

// RoundTrip implements http.RoundTripper.
func (t transport) RoundTrip(req *http.Request) (*http.Response, error) {
	r, err := t.response(strings.ToLower(req.URL.Host))
	if err != nil {
		return nil, err
	}
	header := make(http.Header)
	if r.ContentType != "" {
		header.Set("Content-Type", r.ContentType)
	}
	return &http.Response{
		StatusCode: r.Status, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, Header: header,
		ContentLength: int64(len(r.Body)), Body: io.NopCloser(strings.NewReader(r.Body)), Request: req,
	}, nil
}

func (t transport) response(host string) (Response, error) {
	if r, ok := t.c.Responses[host]; ok {
		if r.Timeout {
			return r, os.ErrDeadlineExceeded
		}
		return r, nil
	}
	if document, ok := t.c.Documents[host]; ok {
		var body bytes.Buffer
		if err := json.Compact(&body, document); err != nil {
			return Response{}, err
		}
		return Response{Status: http.StatusOK, ContentType: "application/json", Body: body.String()}, nil
	}
	return Response{Status: http.StatusNotFound, ContentType: "text/plain"}, nil
}
