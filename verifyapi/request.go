package verifyapi

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"sync"
	"time"
)

// refusal says why a request is not verified. It is an error so that it can
// come from anywhere below; its text is the answer's reason.
type refusal struct {
	status  int
	reason  string
	outcome outcome
	hangUp  bool
}

func (r *refusal) Error() string { return r.reason }

func (r *refusal) answer() response {
	a := failure(r.status, r.reason)
	a.hangUp = r.hangUp
	return a
}

const (
	formType    = "application/x-www-form-urlencoded"
	jsonOnly    = "application/json"
	maxEchoType = 100 // bytes of an unknown type that are told back
)

// mediaType is the header's value up to the first semicolon, in lower case. What
// is behind it does not matter: there is one charset for JSON, and clients write
// "application/json; charset: utf-8", which is no parameter.
func mediaType(r *http.Request) string {
	t, _, _ := strings.Cut(r.Header.Get("Content-Type"), ";")
	return strings.ToLower(strings.TrimSpace(t))
}

func unsupportedType(r *http.Request, expected string) error {
	got, _, _ := strings.Cut(r.Header.Get("Content-Type"), ";")
	if got = strings.TrimSpace(got); got == "" {
		got = "none"
	}
	got = strings.ToValidUTF8(got[:min(len(got), maxEchoType)], "?")
	return &refusal{
		status: http.StatusUnsupportedMediaType, outcome: refusedType,
		reason: fmt.Sprintf("Unsupported Content-Type: %s (expected %s)", got, expected),
	}
}

func checkEncoding(r *http.Request) error {
	if e := r.Header.Get("Content-Encoding"); e != "" && !strings.EqualFold(e, "identity") {
		return &refusal{
			status: http.StatusUnsupportedMediaType, outcome: refusedType,
			reason: "Unsupported Content-Encoding: send the body as it is",
		}
	}
	return nil
}

// bodies are kept for their room.
var bodies = sync.Pool{New: func() any { return bytes.NewBuffer(make([]byte, 0, 4<<10)) }}

// maxKeptBody is the room of a buffer that is kept.
const maxKeptBody = 64 << 10

// limitReading gives the client so long to send the body, whether or not it is
// read: net/http waits for the rest of one that is not. liftLimit has to be called
// once the body was read to its end: a deadline that passes later would end the
// server's watch for the client's leaving, and the request with it.
//
// A ResponseWriter that cannot set deadlines, because it is wrapped or recorded,
// leaves the limit to its server.
func (x *exchange) limitReading() {
	if x.request.ContentLength != 0 {
		x.limited = x.setReadDeadline(x.began.Add(x.handler.config.ReadTimeout)) == nil
	}
}

func (x *exchange) liftLimit() error {
	if !x.limited {
		return nil
	}
	x.limited = false
	return x.setReadDeadline(time.Time{})
}

// setReadDeadline is that of http.ResponseController, which takes memory.
func (x *exchange) setReadDeadline(t time.Time) error {
	if w, ok := x.writer.(interface{ SetReadDeadline(time.Time) error }); ok {
		return w.SetReadDeadline(t)
	}
	return http.NewResponseController(x.writer).SetReadDeadline(t)
}

// readBody reads the whole body into buf, within the limits of size and time.
func (x *exchange) readBody(buf *bytes.Buffer) error {
	r, limit := x.request, x.handler.config.MaxBody
	if r.ContentLength > limit {
		return tooLarge(r)
	}
	_, err := buf.ReadFrom(io.LimitReader(r.Body, limit+1))
	if err == nil && int64(buf.Len()) > limit {
		return tooLarge(r)
	}
	if err == nil {
		err = x.liftLimit()
	}
	if err != nil {
		return bodyRefused(r, err)
	}
	return nil
}

// bodyRefused returns the refusal for an error of reading the body.
func bodyRefused(r *http.Request, err error) error {
	var others *http.MaxBytesError // a limit that was set before this handler
	switch {
	case errors.As(err, &others):
		return tooLarge(r)
	case errors.Is(err, os.ErrDeadlineExceeded):
		return &refusal{http.StatusRequestTimeout, "the request's body did not come in time", refusedSlow, hangsUp(r)}
	}
	return &refusal{http.StatusBadRequest, "the request's body is cut off or wrongly framed", refusedBody, hangsUp(r)}
}

func tooLarge(r *http.Request) error {
	return &refusal{http.StatusRequestEntityTooLarge, "the request is too large", refusedSize, hangsUp(r)}
}

// hangsUp: in HTTP/1 the rest of an unwanted body is avoided by closing the
// connection. HTTP/2 has a better way, and would close it for all its streams.
func hangsUp(r *http.Request) bool { return r.ProtoMajor < 2 }
