package wellknown

import (
	"container/list"
	"sync"
)

// queuePerTurn says how many fetches may wait for each that is under way:
// more than that would hardly get their turn before their callers leave.
const queuePerTurn = 8

// flights are the fetches under way, of which there are at most so many, and
// those that wait for their turn. Callers who want the same share one. Only a
// fetch under way has a goroutine; one that waits is an element of a list, gone
// when nobody wants it any more.
//
// golang.org/x/sync/singleflight would have a goroutine for each that waits, and
// could neither refuse one nor give another precedence.
type flights struct {
	most int

	mu       sync.Mutex // guards all of it, and callers and place of each flight
	underway int
	byKey    map[string]*flight
	waiting  list.List // of *flight; the next one is in front
}

// flight is one fetch.
type flight struct {
	key     string
	fetch   func() *entry
	callers int
	place   *list.Element // among those that wait, nil once it has its turn
	landed  chan struct{} // closed when entry is there
	entry   *entry
}

func newFlights(most int) *flights {
	return &flights{most: most, byKey: make(map[string]*flight)}
}

// board gives the flight of key, which it makes if there is none, to a caller
// who will leave it. When held gives what makes a fetch needless, such as that of
// a flight that has just landed, it is one that has landed. It is nil
// when too many wait. One of a known host goes first and is never refused: there are
// no more of them than documents kept, and a flood of hosts that nobody knows must
// not keep those out of date.
func (f *flights) board(key string, known bool, held, fetch func() *entry) *flight {
	f.mu.Lock()
	defer f.mu.Unlock()
	if shared, ok := f.byKey[key]; ok {
		shared.callers++
		return shared
	}
	own := &flight{key: key, fetch: fetch, callers: 1, landed: make(chan struct{})}
	if own.entry = held(); own.entry != nil {
		close(own.landed)
		return own
	}
	switch {
	case f.underway < f.most:
		f.start(own)
	case known:
		own.place = f.waiting.PushFront(own)
	case f.waiting.Len() < f.most*queuePerTurn:
		own.place = f.waiting.PushBack(own)
	default:
		return nil
	}
	f.byKey[key] = own
	return own
}

// leave is for a caller who got what the flight brings, or waits no longer.
// Nobody fetches what nobody waits for; what is under way goes on.
func (f *flights) leave(one *flight) {
	f.mu.Lock()
	defer f.mu.Unlock()
	one.callers--
	if one.callers == 0 && one.place != nil {
		f.waiting.Remove(one.place)
		delete(f.byKey, one.key)
	}
}

// start gives a flight its turn. The caller has the lock.
func (f *flights) start(one *flight) {
	f.underway++
	one.place = nil
	go func() {
		defer f.land(one)
		one.entry = one.fetch()
	}()
}

// land hands over what a flight brought, and its turn to the next one.
func (f *flights) land(one *flight) {
	f.mu.Lock()
	defer f.mu.Unlock()
	delete(f.byKey, one.key)
	close(one.landed)
	f.underway--
	if next := f.waiting.Front(); next != nil {
		f.start(f.waiting.Remove(next).(*flight))
	}
}
