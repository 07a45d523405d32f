package verifyapi

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"sync"
	"time"

	"github.com/vepverify/vepverify/assertion"
	"github.com/vepverify/vepverify/evp"
	"github.com/vepverify/vepverify/internal/answer"
	"github.com/vepverify/vepverify/internal/refusal"
	"github.com/vepverify/vepverify/wellknown"
)

// exchange is one request and its response.
type exchange struct {
	handler *Handler
	writer  http.ResponseWriter
	request *http.Request
	id      string
	began   time.Time // by Config.Now
	sent    bool      // the response, or part of it

	hasDeadline bool // the connection has a deadline for the body

	// The rest is for verifications.
	version version
	params  params
	email   string // of an assertion or a token that was accepted
	err     error  // of one that was not
	outcome outcome
	counted bool
}

// version is a version of the interface.
type version string

const (
	v1     version = "v1"
	v2     version = "v2"
	evpAPI version = "evp" // for tokens of the Email Verification Protocol
)

// newExchange begins an exchange: from now on, the deadline for the body runs.
func newExchange(h *Handler, w http.ResponseWriter, r *http.Request) *exchange {
	x := &exchange{handler: h, writer: w, request: r, id: requestID(r), began: h.config.Now()}
	x.setBodyDeadline()
	return x
}

// send sends the response.
func (x *exchange) send(resp response) {
	x.sent = true
	resp.send(x.writer, x.id)
}

// post answers a request for a verification.
func (x *exchange) post(v version) response {
	if x.request.Method != http.MethodPost {
		return otherMethod(x.request, http.MethodPost)
	}
	x.version = v
	body, err := x.verify()
	resp := x.respond(body, err)
	took := x.elapsed()
	x.count(took)
	x.log(resp.status, took)
	return resp
}

// elapsed returns the time since the request's header was read.
func (x *exchange) elapsed() time.Duration { return x.handler.config.Now().Sub(x.began) }

// errUnavailable is the error of a handler with Config.Unavailable.
var errUnavailable = errors.New("unavailable by configuration")

// verify reads the request, waits for a place and verifies the assertion or the token. It reads
// first, so that a slow client delays no other request; reading costs little
// compared with verifying. It returns the body of the response if the answer is okay.
func (x *exchange) verify() ([]byte, error) {
	h, ctx := x.handler, x.request.Context()
	if err := x.read(); err != nil {
		return nil, err
	}
	if h.config.Unavailable {
		return nil, errUnavailable
	}
	s := h.slots.Get().(*slot)
	s.ctx, s.params = ctx, &x.params
	defer func() {
		s.release()
		h.slots.Put(s)
	}()
	if err := s.acquire(); err != nil {
		return nil, err
	}
	if x.version == evpAPI {
		return x.verifyToken(evp.WithHooks(ctx, s.tokenHooks))
	}
	return x.verifyAssertion(wellknown.WithHooks(ctx, s.hooks))
}

// verifyAssertion verifies the assertion of the request.
func (x *exchange) verifyAssertion(ctx context.Context) ([]byte, error) {
	verifier, err := x.verifier()
	if err != nil {
		return nil, err
	}
	res, err := verifier.Verify(ctx, x.params.assertion, x.params.audience)
	if err != nil {
		return nil, err
	}
	x.email = res.Email
	return okayBody(&x.params, res)
}

// verifier returns the verifier with the trusted issuers of the request, if it
// names any.
func (x *exchange) verifier() (*assertion.Verifier, error) {
	v := x.handler.config.Verifier
	if len(x.params.trusted) == 0 {
		return v, nil
	}
	return v.WithTrustedIssuers(x.params.trusted...)
}

// respond returns the response to the outcome of verify, and notes the outcome.
func (x *exchange) respond(body []byte, err error) response {
	if err == nil {
		x.outcome = okay
		return response{status: http.StatusOK, body: body}
	}
	x.email = ""
	var rejected *rejection
	if errors.As(err, &rejected) {
		x.outcome = rejected.outcome // x.err stays nil: some reasons repeat what the client sent
		return refused(rejected.Refusal)
	}
	x.err, x.outcome = err, outcomeOf(x.request.Context(), err)
	failed := x.failure(err)
	switch {
	case x.outcome.result == resultShed:
		return tooBusy
	case x.outcome.result == resultFault || failed == nil:
		return serviceUnavailable
	case failed.Undecided && x.handler.config.UndecidedStatus != http.StatusOK:
		return refused(&refusal.Refusal{
			Status: x.handler.config.UndecidedStatus, Reason: failed.Reason, Undecided: true, RetryAfter: undecidedRetry,
		})
	}
	return response{status: http.StatusOK, body: answer.Failure(*failed).JSON()}
}

// count counts the request in the metrics.
func (x *exchange) count(took time.Duration) {
	x.counted = true
	x.handler.config.Metrics.count(x.version, x.outcome, took)
}

// recoverPanic answers a request whose handler panicked.
func (x *exchange) recoverPanic() {
	value := recover()
	if value == nil {
		return
	}
	if value == http.ErrAbortHandler {
		panic(value) // how a handler asks net/http to drop the connection
	}
	x.outcome, x.err = faultPanic, nil
	x.logPanic(value)
	if x.version != "" && !x.counted {
		took := x.elapsed()
		x.count(took)
		x.log(http.StatusServiceUnavailable, took)
	}
	if x.sent {
		panic(http.ErrAbortHandler) // too late for another response
	}
	x.send(serviceUnavailable)
}

// rejection is a refusal of a request that asks for a verification, with its
// outcome for logs and metrics.
type rejection struct {
	*refusal.Refusal
	outcome outcome
}

// reject returns a rejection.
func reject(status int, o outcome, reason string) error {
	return &rejection{&refusal.Refusal{Status: status, Reason: reason}, o}
}

// rejectBody is reject for a body of which the rest is not read: it closes
// connections of HTTP/1. HTTP/2 can abort a single request.
func rejectBody(r *http.Request, status int, o outcome, reason string) error {
	return &rejection{&refusal.Refusal{Status: status, Reason: reason, Close: r.ProtoMajor < 2}, o}
}

// tooLarge returns the rejection of a body of more bytes than the limit.
func tooLarge(r *http.Request, limit int64) error {
	return rejectBody(r, http.StatusRequestEntityTooLarge, refusedSize, fmt.Sprintf("the request is too large: more than %d bytes", limit))
}

// bodies has buffers for reuse.
var bodies = sync.Pool{New: func() any { return bytes.NewBuffer(make([]byte, 0, 4<<10)) }}

// maxKeptBody is the largest capacity of a buffer that is kept.
const maxKeptBody = 64 << 10

// read reads the parameters into x.params. It returns a rejection if it cannot.
func (x *exchange) read() error {
	s, err := sourceOf(x.request, x.version, x.handler.config.MaxBody)
	if err != nil {
		return err
	}
	buf := bodies.Get().(*bytes.Buffer)
	defer func() {
		if buf.Reset(); buf.Cap() <= maxKeptBody {
			bodies.Put(buf)
		}
	}()
	if err := x.readBody(buf); err != nil {
		return err
	}
	x.params, err = s.parse(buf.Bytes())
	return err
}

// readBody reads the whole body into buf, within the limits of size and time.
func (x *exchange) readBody(buf *bytes.Buffer) error {
	r, limit := x.request, x.handler.config.MaxBody
	if r.ContentLength > limit {
		return tooLarge(r, limit)
	}
	_, err := buf.ReadFrom(io.LimitReader(r.Body, limit+1))
	if err == nil && int64(buf.Len()) > limit {
		return tooLarge(r, limit)
	}
	if err == nil {
		err = x.clearBodyDeadline()
	}
	if err != nil {
		return unreadable(r, err)
	}
	return nil
}

// unreadable returns the rejection for an error of reading the body.
func unreadable(r *http.Request, err error) error {
	var outer *http.MaxBytesError // a limit that was set before this handler
	switch {
	case errors.As(err, &outer):
		return tooLarge(r, outer.Limit)
	case errors.Is(err, os.ErrDeadlineExceeded):
		return rejectBody(r, http.StatusRequestTimeout, refusedSlow, "the request's body did not come in time: send it at once, with its Content-Length")
	}
	return rejectBody(r, http.StatusBadRequest, refusedBody, "the request's body is cut off or wrongly framed")
}

// setBodyDeadline limits how long the client may take to send the body. The limit
// applies to a body that is not read too, because net/http waits for its rest.
//
// After the body was read to its end, clearBodyDeadline must be called. Otherwise, at
// the deadline, the server would treat the client as disconnected and cancel the
// request.
//
// A ResponseWriter that cannot set deadlines, because it is wrapped or recorded,
// leaves the limit to its server.
func (x *exchange) setBodyDeadline() {
	if x.request.ContentLength != 0 {
		x.hasDeadline = x.setReadDeadline(time.Now().Add(x.handler.config.ReadTimeout)) == nil
	}
}

// clearBodyDeadline removes the deadline.
func (x *exchange) clearBodyDeadline() error {
	if !x.hasDeadline {
		return nil
	}
	x.hasDeadline = false
	return x.setReadDeadline(time.Time{})
}

// setReadDeadline does the same as that of http.ResponseController, without the
// allocation (BenchmarkHandler).
func (x *exchange) setReadDeadline(t time.Time) error {
	if w, ok := x.writer.(interface{ SetReadDeadline(time.Time) error }); ok {
		return w.SetReadDeadline(t)
	}
	return http.NewResponseController(x.writer).SetReadDeadline(t)
}
