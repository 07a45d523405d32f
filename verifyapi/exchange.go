package verifyapi

import (
	"bytes"
	"errors"
	"net/http"
	"slices"
	"time"

	"github.com/vepverify/vepverify/assertion"
	"github.com/vepverify/vepverify/internal/domain"
	"github.com/vepverify/vepverify/wellknown"
)

// exchange is one request and what becomes of it.
type exchange struct {
	handler *Handler
	writer  http.ResponseWriter
	request *http.Request
	id      string
	began   time.Time
	sent    bool // the answer, or its beginning

	limited bool // in the time to send the body

	// The rest is for requests for a verification alone.
	api     string // "v1", "v2"
	params  params
	email   string // of an assertion that holds
	err     error  // why one does not
	outcome outcome
	counted bool
}

func newExchange(h *Handler, w http.ResponseWriter, r *http.Request) *exchange {
	x := &exchange{handler: h, writer: w, request: r, id: requestID(r), began: time.Now()}
	x.limitReading()
	return x
}

func (x *exchange) send(a response) {
	x.sent = true
	a.send(x.writer, x.id)
}

// post answers a request for a verification.
func (x *exchange) post(api string, choose chooser) response {
	if x.request.Method != http.MethodPost {
		return methods(x.request, http.MethodPost)
	}
	x.api = api
	res, err := x.verify(choose)
	a := x.answer(res, err)
	took := time.Since(x.began)
	x.count(took)
	x.log(a.status, took)
	return a
}

// errTest is what Config.Unavailable gives.
var errTest = errors.New("made unavailable, for a test")

// verify reads what is asked before it waits for its turn: a slow client holds
// up nobody but itself, and reading costs little beside verifying.
func (x *exchange) verify(choose chooser) (*assertion.Result, error) {
	h, ctx := x.handler, x.request.Context()
	if err := x.read(choose); err != nil {
		return nil, err
	}
	if h.config.Unavailable {
		return nil, errTest
	}
	t := h.turns.Get().(*turn)
	t.ctx, t.asks = ctx, &x.params
	defer func() {
		t.end()
		h.turns.Put(t)
	}()
	if err := t.begin(); err != nil {
		return nil, err
	}
	verifier := h.config.Verifier
	if len(x.params.trusted) > 0 {
		var err error
		// A name that is not a domain's has no effect.
		trusted := slices.DeleteFunc(slices.Clone(x.params.trusted), isNotDomain)
		if verifier, err = verifier.WithTrustedIssuers(trusted...); err != nil {
			return nil, err
		}
	}
	return verifier.Verify(wellknown.WithHooks(ctx, t.trace), x.params.assertion, x.params.audience)
}

// isNotDomain reports whether s is not a domain name.
func isNotDomain(s string) bool {
	_, ok := domain.Parse(s)
	return !ok
}

// read finds out what the request asks for.
func (x *exchange) read(choose chooser) error {
	parse, err := choose(x.request, x.handler.config.MaxBody)
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
	x.params, err = parse(buf.Bytes())
	return err
}

// answer gives the answer to what a verification came to, and notes it.
func (x *exchange) answer(res *assertion.Result, err error) response {
	if err == nil {
		x.outcome, x.email = okay, res.Email
		return okayAnswer(&x.params, res)
	}
	var refused *refusal
	if errors.As(err, &refused) {
		x.outcome = refused.outcome // and not its text, some of which the client chose
		return refused.answer()
	}
	x.err, x.outcome = err, outcomeOf(x.request.Context(), err)
	failed := assertion.Failure(err)
	switch {
	case x.outcome.result == "shed":
		return tooBusy
	case x.outcome.result == "fault" || failed == nil:
		return notAvailable
	}
	a := response{status: http.StatusOK, body: mustMarshal(failed)}
	if failed.Undecided && x.handler.config.UndecidedStatus != http.StatusOK {
		a.status = x.handler.config.UndecidedStatus
		return a.retry(undecidedRetry)
	}
	return a
}

func (x *exchange) count(took time.Duration) {
	x.counted = true
	x.handler.config.Metrics.count(x.outcome, took)
}

// rescue turns a panic into an answer.
func (x *exchange) rescue() {
	thrown := recover()
	if thrown == nil {
		return
	}
	if thrown == http.ErrAbortHandler {
		panic(thrown) // net/http's own way of ending a request without a word
	}
	if x.outcome = faultPanic; x.api != "" && !x.counted {
		x.count(time.Since(x.began))
	}
	x.logPanic(thrown)
	if x.sent {
		panic(http.ErrAbortHandler) // too late for another answer
	}
	x.send(notAvailable)
}
