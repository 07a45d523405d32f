package verifyapi

import (
	"context"
	"errors"
	"sync/atomic"
	"time"
)

// Why a request is sent away when there is too much to do.
var (
	errQueueFull   = errors.New("too busy: the queue is full")
	errQueueSlow   = errors.New("too busy: the wait in the queue is too long")
	errLookupsFull = errors.New("too busy: too many requests wait for look-ups")
)

// gate lets so many verifications run, so many more wait for their turn, and so
// many wait for look-ups, who take no turn from the others meanwhile.
//
// The queue is first come, first served, and short: what is in it is served
// before its client loses patience, and what does not fit is sent away before it
// has cost more than being read.
type gate struct {
	running chan struct{} // holds something for each verification under way
	lookups chan struct{} // the same for each that waits for a look-up
	queue   int64
	queued  atomic.Int64
	longest time.Duration
	metrics *Metrics
}

func newGate(c Config) *gate {
	return &gate{
		running: make(chan struct{}, c.InFlight), lookups: make(chan struct{}, c.Lookups),
		queue: int64(c.Queue), longest: c.QueueTimeout, metrics: c.Metrics,
	}
}

// enter takes a place among the running. It errs with errQueueFull,
// errQueueSlow or the context's error.
func (g *gate) enter(ctx context.Context) error {
	select {
	case g.running <- struct{}{}: // never past somebody who waits: they fill the channel first
		return nil
	default:
	}
	if g.queued.Add(1) > g.queue {
		g.queued.Add(-1)
		return errQueueFull
	}
	defer g.queued.Add(-1)
	g.metrics.queue(+1)
	defer g.metrics.queue(-1)
	patience := time.NewTimer(g.longest)
	defer patience.Stop()
	select {
	case g.running <- struct{}{}:
		return nil
	case <-patience.C:
		return errQueueSlow
	case <-ctx.Done():
		return ctx.Err()
	}
}

// turn is one request's place at the gate. It is used by one goroutine.
type turn struct {
	gate    *gate
	ctx     context.Context
	runs    bool // among the running
	waiting bool // among those who wait for a look-up
}

// begin waits for the turn, and errs as gate.enter does.
func (t *turn) begin() error {
	if err := t.gate.enter(t.ctx); err != nil {
		return err
	}
	t.ran()
	return nil
}

// end gives back whatever is held, in every case.
func (t *turn) end() {
	t.yield()
	t.looked()
}

// wait lets others run while a look-up waits for the network. It errs when too
// many wait already. It and waited are for wellknown.Trace.
func (t *turn) wait(context.Context) error {
	select {
	case t.gate.lookups <- struct{}{}:
	default:
		return errLookupsFull
	}
	t.waiting = true
	t.gate.metrics.lookupsWaiting(+1)
	t.yield()
	return nil
}

// waited takes a turn again. Those who waited for a look-up are as many as
// there may be already, and do not queue once more; only who is gone goes on
// without a turn, to its end.
func (t *turn) waited() {
	select {
	case t.gate.running <- struct{}{}:
		t.ran()
	case <-t.ctx.Done():
	}
	t.looked()
}

func (t *turn) ran() {
	t.runs = true
	t.gate.metrics.running(+1)
}

func (t *turn) yield() {
	if t.runs {
		t.runs = false
		t.gate.metrics.running(-1)
		<-t.gate.running
	}
}

func (t *turn) looked() {
	if t.waiting {
		t.waiting = false
		t.gate.metrics.lookupsWaiting(-1)
		<-t.gate.lookups
	}
}
