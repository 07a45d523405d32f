package verifyapi

import (
	"container/list"
	"context"
	"errors"
	"runtime"
	"sync"
	"time"

	"github.com/vepverify/vepverify/internal/registrable"
	"github.com/vepverify/vepverify/wellknown"
)

// Why a request is refused when there is too much to do.
var (
	errQueueFull   = errors.New("too busy: the queue is full")
	errQueueSlow   = errors.New("too busy: the wait in the queue is too long")
	errLookupsFull = errors.New("too busy: too many requests wait for look-ups")
	errLookupsOf   = errors.New("too busy: too many requests wait for look-ups of one domain")
)

// lane is one of the queues of a gate.
type lane int

const (
	laneLoad   lane = iota // documents that were fetched, to be loaded
	laneLooked             // verifications whose look-up has ended
	laneNew                // requests that have not begun
	lanes
)

// gate limits the work at one time: the verifications and the loads of fetched
// documents that run, the requests that wait to begin, and the requests that
// wait for look-ups.
//
// A place is held only by work for a processor or by a question to the one-use
// store. A verification gives its place back while it waits for a look-up, so no
// holder of a place ever waits for another one, and every queue moves on. A free
// place goes to the queues in turn: none of them can keep another one waiting
// for longer than two units of work. Each queue is first in, first out.
//
// Only requests that have not begun are refused. What follows a look-up is
// bounded by the number of look-ups, and was paid for already.
type gate struct {
	mu     sync.Mutex
	free   int              // places
	loads  int              // places that loads may still take
	queues [lanes]list.List // of chan struct{}, closed when its owner has a place
	last   lane             // that was served
	queue  int              // the most that wait in laneNew

	longest time.Duration // in laneNew
	lookups lookups
	gone    chan struct{} // the place of verifications whose client is gone
	metrics *Metrics
}

func newGate(c Config) *gate {
	return &gate{
		free: c.InFlight, loads: max(1, min(c.InFlight, runtime.GOMAXPROCS(0))/2),
		queue: c.Queue, longest: c.QueueTimeout, metrics: c.Metrics,
		lookups: lookups{free: c.Lookups, of: make(map[string]int)},
		gone:    make(chan struct{}, 1),
	}
}

// ticket is a position in a queue.
type ticket struct {
	lane    lane
	element *list.Element
	ready   chan struct{} // closed when the owner has a place
}

// take takes a place, or returns a position in the queue. It returns
// errQueueFull if the queue is full, as only laneNew can be.
func (g *gate) take(l lane) (*ticket, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	switch {
	case g.free > 0 && g.admits(l): // then the queue of l is empty
		g.free--
		g.last = l
		return nil, nil
	case l == laneNew && g.queues[l].Len() >= g.queue:
		return nil, errQueueFull
	}
	t := &ticket{lane: l, ready: make(chan struct{})}
	t.element = g.queues[l].PushBack(t.ready)
	return t, nil
}

// admits reports whether a lane may take one more place, and counts it if so.
func (g *gate) admits(l lane) bool {
	if l != laneLoad {
		return true
	}
	if g.loads == 0 {
		return false
	}
	g.loads--
	return true
}

// leave gives up a position. It reports whether the owner had a place by then,
// which it has to release.
func (g *gate) leave(t *ticket) (had bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	select {
	case <-t.ready:
		return true
	default:
		g.queues[t.lane].Remove(t.element)
		return false
	}
}

// release gives back a place that was taken for a lane, and hands it to the next
// in the queues.
func (g *gate) release(of lane) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if of == laneLoad {
		g.loads++
	}
	for i := range lanes {
		l := (g.last + 1 + i) % lanes
		if next := g.queues[l].Front(); next != nil && g.admits(l) {
			g.last = l
			close(g.queues[l].Remove(next).(chan struct{}))
			return
		}
	}
	g.free++
}

// enter takes a place for a request that begins. It returns errQueueFull,
// errQueueSlow or the context's error if there is none.
func (g *gate) enter(ctx context.Context) error {
	t, err := g.take(laneNew)
	if t == nil {
		return err
	}
	g.metrics.queue(+1)
	defer g.metrics.queue(-1)
	patience := time.NewTimer(g.longest)
	defer patience.Stop()
	select {
	case <-t.ready:
		return nil
	case <-patience.C:
		err = errQueueSlow
	case <-ctx.Done():
		err = ctx.Err()
	}
	if g.leave(t) {
		g.release(laneNew)
	}
	return err
}

// load takes a place in which a fetched document is loaded, and returns the
// function that gives it back. It returns the context's error if there is no
// place in time. It is for wellknown.Hooks: it runs in the goroutine of the
// fetch. The requests that wait for the fetch hold no place.
func (g *gate) load(ctx context.Context) (release func(), err error) {
	release = func() { g.release(laneLoad) }
	t, _ := g.take(laneLoad)
	if t == nil {
		return release, nil
	}
	select {
	case <-t.ready:
		return release, nil
	case <-ctx.Done():
	}
	if g.leave(t) {
		release()
	}
	return nil, ctx.Err()
}

// again takes a place for a verification whose look-up has ended. It reports
// false if ctx ends first.
func (g *gate) again(ctx context.Context) bool {
	t, _ := g.take(laneLooked)
	if t == nil {
		return true
	}
	select {
	case <-t.ready:
		return true
	case <-ctx.Done():
	}
	return g.leave(t)
}

// shareOfLookups is the part of the free places for look-ups that requests for
// one registrable domain may take, so that one party with a stalled host leaves
// places to all others.
const shareOfLookups = 4

// lookups are the places of requests that wait for look-ups.
type lookups struct {
	mu   sync.Mutex
	free int
	of   map[string]int // taken, by registrable domain
}

// take takes a place, or returns errLookupsFull or errLookupsOf.
func (l *lookups) take(registrable string) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	own := l.of[registrable]
	switch {
	case l.free == 0:
		return errLookupsFull
	case own > 0 && own >= (own+l.free)/shareOfLookups:
		return errLookupsOf
	}
	l.free--
	l.of[registrable]++
	return nil
}

func (l *lookups) release(registrable string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.free++
	if l.of[registrable]--; l.of[registrable] == 0 {
		delete(l.of, registrable)
	}
}

// turn is one request's place at the gate. It is used by one goroutine. Handlers
// keep turns, each with its trace, for the room that they take.
type turn struct {
	gate    *gate
	trace   *wellknown.Hooks // of this turn, never changed: a fetch may outlive the request that started it
	ctx     context.Context
	asks    *params // what the request asks for
	runs    bool    // in a place of the gate
	alone   bool    // in the place of those whose client is gone
	waits   bool    // for a look-up
	counted string  // the registrable domain by which it waits
}

// newTurn returns a turn without a request.
func newTurn(g *gate, m *Metrics) *turn {
	t := &turn{gate: g}
	t.trace = &wellknown.Hooks{Wait: t.wait, Waited: t.waited, Load: g.load, Done: m.looked}
	return t
}

// begin waits for the turn. It returns the errors of gate.enter.
func (t *turn) begin() error {
	if err := t.gate.enter(t.ctx); err != nil {
		return err
	}
	t.ran()
	return nil
}

// end gives back whatever is held, in every case, and leaves the turn without a
// request.
func (t *turn) end() {
	t.yield()
	t.looked()
	t.ctx, t.asks, t.counted = nil, nil, ""
}

// wait gives the place to others while a look-up waits for the network. It
// returns an error if too many wait already. It and waited are for
// wellknown.Hooks.
func (t *turn) wait(context.Context) error {
	party := registrable.Domain(t.asks.host())
	if err := t.gate.lookups.take(party); err != nil {
		return err
	}
	t.waits, t.counted = true, party
	t.gate.metrics.lookupsWaiting(+1)
	t.yield()
	return nil
}

// waited takes a turn again. A request whose client is gone does not wait for
// one: it comes to its end in the one place that is kept for that.
func (t *turn) waited() {
	if t.gate.again(t.ctx) {
		t.ran()
	} else {
		t.gate.gone <- struct{}{}
		t.alone = true
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
		t.gate.release(laneNew)
	}
	if t.alone {
		t.alone = false
		<-t.gate.gone
	}
}

func (t *turn) looked() {
	if t.waits {
		t.waits = false
		t.gate.metrics.lookupsWaiting(-1)
		t.gate.lookups.release(t.counted)
	}
}
