package verifyapi

import (
	"container/list"
	"context"
	"errors"
	"runtime"
	"sync"
	"time"

	"github.com/vepverify/vepverify/evp"
	"github.com/vepverify/vepverify/internal/registrable"
	"github.com/vepverify/vepverify/wellknown"
)

// The errors of requests that are refused under overload.
var (
	errQueueFull = errors.New("too busy: the queue is full " +
		"(more requests at once than Config.InFlight and Config.Queue allow: add processors or instances)")
	errQueueSlow = errors.New("too busy: the wait in the queue is too long " +
		"(the processors, or the one-use store, are too slow for the load: add processors or instances)")
	errLookupsFull = errors.New("too busy: too many requests wait for lookups " +
		"(issuers are slow or many: see the warnings about them, and Config.Lookups)")
	errDomainLookups = errors.New("too busy: too many requests wait for lookups of one domain " +
		"(its hosts are slow; other domains are not affected)")
)

// queue is one of the queues of a gate.
type queue int

const (
	queueLoads   queue = iota // fetched documents that are to be loaded
	queueResumed              // verifications whose lookup has ended
	queueNew                  // new requests
	queues
)

// gate limits the work at one time: the verifications and the loads of fetched
// documents that run, the requests that wait to begin, and the requests that
// wait for lookups.
//
// A place is held only by work for a processor or by a request to the one-use
// store. A verification releases its place while it waits for a lookup, so no
// holder of a place ever waits for another place, and every queue advances. A free
// place goes to the queues in turn: none of them can delay another one by more
// than two units of work. Each queue is first in, first out.
//
// Only new requests are refused. Work that follows a lookup is bounded by the
// number of lookups, and refusing it would waste them.
type gate struct {
	mu      sync.Mutex
	free    int               // places
	loads   int               // places that loads may still take
	waiting [queues]list.List // of chan struct{}, closed when its owner has a place
	last    queue             // that was served
	maxNew  int               // the most that wait in queueNew

	timeout time.Duration // of queueNew
	lookups lookupLimit
	reserve chan struct{} // has room for one verification whose client has gone
	metrics *Metrics
}

// newGate returns a gate with the limits of a complete configuration.
func newGate(c Config) *gate {
	return &gate{
		free: c.InFlight, loads: max(1, min(c.InFlight, runtime.GOMAXPROCS(0))/2),
		maxNew: c.Queue, timeout: c.QueueTimeout, metrics: c.Metrics,
		lookups: lookupLimit{free: c.Lookups, taken: make(map[string]int)},
		reserve: make(chan struct{}, 1),
	}
}

// waiter is a position in a queue.
type waiter struct {
	queue   queue
	element *list.Element
	ready   chan struct{} // closed when the owner has a place
}

// take takes a place, or returns a position in the queue. It returns
// errQueueFull if the queue is full, as only queueNew can be.
func (g *gate) take(q queue) (*waiter, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	switch {
	case g.free > 0 && g.admit(q): // then q is empty
		g.free--
		g.last = q
		return nil, nil
	case q == queueNew && g.waiting[q].Len() >= g.maxNew:
		return nil, errQueueFull
	}
	w := &waiter{queue: q, ready: make(chan struct{})}
	w.element = g.waiting[q].PushBack(w.ready)
	return w, nil
}

// admit reports whether a queue may take one more place, and counts it if so.
func (g *gate) admit(q queue) bool {
	if q != queueLoads {
		return true
	}
	if g.loads == 0 {
		return false
	}
	g.loads--
	return true
}

// leave removes a position from its queue. It reports whether the owner already has a
// place, which it must then release.
func (g *gate) leave(w *waiter) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	select {
	case <-w.ready:
		return true
	default:
		g.waiting[w.queue].Remove(w.element)
		return false
	}
}

// release releases a place that was taken by a queue, and hands it to the next
// waiter.
func (g *gate) release(by queue) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if by == queueLoads {
		g.loads++
	}
	for i := range queues {
		q := (g.last + 1 + i) % queues
		if next := g.waiting[q].Front(); next != nil && g.admit(q) {
			g.last = q
			close(g.waiting[q].Remove(next).(chan struct{}))
			return
		}
	}
	g.free++
}

// enter takes a place for a new request. It returns errQueueFull, errQueueSlow or
// the context's error if it takes none.
func (g *gate) enter(ctx context.Context) error {
	w, err := g.take(queueNew)
	if w == nil {
		return err
	}
	g.metrics.addQueued(+1)
	defer g.metrics.addQueued(-1)
	timer := time.NewTimer(g.timeout)
	defer timer.Stop()
	select {
	case <-w.ready:
		return nil
	case <-timer.C:
		err = errQueueSlow
	case <-ctx.Done():
		err = ctx.Err()
	}
	if g.leave(w) {
		g.release(queueNew)
	}
	return err
}

// load takes a place in which a fetched document is loaded, and returns the
// function that releases it. It returns the context's error if no place is free in
// time. It is for wellknown.Hooks: it runs in the goroutine of the fetch. The
// requests that wait for the fetch hold no place.
func (g *gate) load(ctx context.Context) (release func(), err error) {
	release = func() { g.release(queueLoads) }
	w, _ := g.take(queueLoads)
	if w == nil {
		return release, nil
	}
	select {
	case <-w.ready:
		return release, nil
	case <-ctx.Done():
	}
	if g.leave(w) {
		release()
	}
	return nil, ctx.Err()
}

// resume takes a place for a verification whose lookup has ended. It reports
// whether it did before ctx ended.
func (g *gate) resume(ctx context.Context) bool {
	w, _ := g.take(queueResumed)
	if w == nil {
		return true
	}
	select {
	case <-w.ready:
		return true
	case <-ctx.Done():
	}
	return g.leave(w)
}

// shareOfLookups is the part of the free lookups that requests for one registrable
// domain may take, so that the owner of a stalled host leaves lookups to
// all others.
const shareOfLookups = 4

// lookupLimit limits the requests that wait for lookups.
type lookupLimit struct {
	mu    sync.Mutex
	free  int
	taken map[string]int // by registrable domain
}

// take counts a lookup, or returns errLookupsFull or errDomainLookups.
func (l *lookupLimit) take(registrable string) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	own := l.taken[registrable]
	switch {
	case l.free == 0:
		return errLookupsFull
	case own > 0 && own >= (own+l.free)/shareOfLookups:
		return errDomainLookups
	}
	l.free--
	l.taken[registrable]++
	return nil
}

// release counts a lookup that has ended.
func (l *lookupLimit) release(registrable string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.free++
	if l.taken[registrable]--; l.taken[registrable] == 0 {
		delete(l.taken, registrable)
	}
}

// slot is what one request holds of the gate. It is used by one goroutine. Handlers
// reuse slots, each with its hooks, to save allocations (BenchmarkHandler).
type slot struct {
	gate *gate
	// The hooks of this slot are never modified: a fetch may outlive the request that started it.
	hooks      *wellknown.Hooks
	tokenHooks *evp.Hooks

	ctx    context.Context
	params *params // of the request
	domain string  // the registrable domain that the lookup counts for

	hasPlace   bool // a place of the gate
	hasReserve bool // the reserve, for a client that has gone
	hasLookup  bool // one of the lookups
}

// newSlot returns a slot without a request.
func newSlot(g *gate, m *Metrics) *slot {
	s := &slot{gate: g}
	s.hooks = &wellknown.Hooks{Wait: s.beginLookup, Waited: s.endLookup, Load: g.load, Done: m.countLookup}
	s.tokenHooks = &evp.Hooks{Wait: s.beginLookup, Waited: s.endLookup, Load: g.load, Done: m.countTokenLookup}
	return s
}

// acquire waits for a place. It returns the errors of gate.enter.
func (s *slot) acquire() error {
	if err := s.gate.enter(s.ctx); err != nil {
		return err
	}
	s.placeTaken()
	return nil
}

// release releases everything that the slot holds, and leaves it without a request.
func (s *slot) release() {
	s.releasePlace()
	s.releaseLookup()
	s.ctx, s.params, s.domain = nil, nil, ""
}

// beginLookup releases the place while a lookup waits for the network. It returns
// an error if too many wait already. It and endLookup are for wellknown.Hooks.
func (s *slot) beginLookup(context.Context) error {
	domain := registrable.Domain(s.params.host())
	if err := s.gate.lookups.take(domain); err != nil {
		return err
	}
	s.hasLookup, s.domain = true, domain
	s.gate.metrics.addWaiting(+1)
	s.releasePlace()
	return nil
}

// endLookup takes a place again. A request whose client has gone does not wait for
// one of the places: it runs to its end in the reserve, one such request at a time.
func (s *slot) endLookup() {
	if s.gate.resume(s.ctx) {
		s.placeTaken()
	} else {
		s.gate.reserve <- struct{}{}
		s.hasReserve = true
	}
	s.releaseLookup()
}

// placeTaken records that the slot has a place.
func (s *slot) placeTaken() {
	s.hasPlace = true
	s.gate.metrics.addInFlight(+1)
}

// releasePlace releases the place or the reserve, if the slot has one.
func (s *slot) releasePlace() {
	if s.hasPlace {
		s.hasPlace = false
		s.gate.metrics.addInFlight(-1)
		s.gate.release(queueNew)
	}
	if s.hasReserve {
		s.hasReserve = false
		<-s.gate.reserve
	}
}

// releaseLookup releases the lookup, if the slot has one.
func (s *slot) releaseLookup() {
	if s.hasLookup {
		s.hasLookup = false
		s.gate.metrics.addWaiting(-1)
		s.gate.lookups.release(s.domain)
	}
}
