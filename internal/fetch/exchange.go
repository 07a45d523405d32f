package fetch

import (
	"cmp"
	"context"
	"errors"
	"strings"
	"sync/atomic"
	"time"
)

// exchange is the state of one request. The request's context has it, because
// http.Transport dials with a context that keeps the values of the request's, but neither
// its deadline nor its cancellation. The dialer and the connection record in it how far the
// request came.
type exchange struct {
	port     string // of the host
	deadline time.Time
	phase    atomic.Int32
	received atomic.Int64 // bytes of the answer, without TLS
}

type exchangeKey struct{}

func newExchange(ctx context.Context, host string) *exchange {
	deadline, _ := ctx.Deadline()
	_, port, _ := strings.Cut(host, ":")
	return &exchange{port: cmp.Or(port, "443"), deadline: deadline}
}

// exchangeOf returns the exchange to which ctx belongs, and a context with its deadline.
func exchangeOf(ctx context.Context) (*exchange, context.Context, context.CancelFunc, error) {
	x, ok := ctx.Value(exchangeKey{}).(*exchange)
	if !ok {
		return nil, nil, nil, errors.New("a request without a deadline")
	}
	ctx, cancel := context.WithDeadline(ctx, x.deadline)
	return x, ctx, cancel, nil
}

// enter records the phase that begins. A context without an exchange is ignored.
func enter(ctx context.Context, p phase) {
	if x, ok := ctx.Value(exchangeKey{}).(*exchange); ok {
		x.phase.Store(int32(p))
	}
}

// phase is a part of an exchange, for the reason of a time-out.
type phase int32

const (
	unknownPhase phase = iota // such as that of Config.InsecureTransport
	resolving
	connecting
	tunnelling
	handshaking
	waiting
)

var phaseTexts = map[phase]string{
	resolving:   " while resolving the name",
	connecting:  " while connecting",
	tunnelling:  " while setting up the tunnel",
	handshaking: " in the TLS handshake",
	waiting:     " while waiting for the answer",
}

// timedOut returns the reason of a time-out in the current phase.
func (x *exchange) timedOut() string { return "timed out" + phaseTexts[phase(x.phase.Load())] }

// isPast reports whether the exchange came further than p.
func (x *exchange) isPast(p phase) bool { return phase(x.phase.Load()) > p }
