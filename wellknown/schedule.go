package wellknown

import (
	"container/list"
	"context"
	"sync"
	"time"
)

// Limits of a scheduler, by its number of turns (Config.MaxFetches).
const (
	waitingPerTurn = 8  // fetches that may wait for each turn, and callers for the first fetch of one registrable domain's hosts
	parkedShare    = 4  // four times as many callers may wait for the first fetches of all hosts
	domainShare    = 16 // one registrable domain has at most a 16th of the turns, at least 1
	slowShare      = 4  // hosts that did not answer last time have at most a quarter, at least 1
	keptShare      = 8  // an eighth, rounded up, is kept for known hosts, and as much for others; none of a single turn
)

// scheduler runs fetches: a bounded number at once, of which one registrable
// domain, and the hosts that did not answer last time, have a bounded part.
// Others wait for their turn. Known hosts go first, then those whose certificate
// a held key verifies, then the rest; each of these queues is first in, first
// out. Callers who want the same fetch share it. Only a running fetch has a
// goroutine.
//
// golang.org/x/sync/singleflight has a goroutine for each fetch that waits, and
// neither priorities nor limits.
type scheduler struct {
	turns   int
	timeout time.Duration    // of a fetch; one without callers waits no longer for its turn
	now     func() time.Time // of the rates
	known   func() bool      // reports whether any document is held

	mu      sync.Mutex
	calls   map[string]*call // running and waiting, by key
	hosts   map[string]*call // the last started of each host: what the others wait for while the host has no keys held
	domains map[string]*domainCalls
	rates   *limiter
	running [priorities]int // by priority
	slow    int             // running, of hosts that did not answer last time
	queues  [priorities]list.List
	parked  int // callers who wait for another fetch of the same host
}

// priority is the place of a fetch among those that wait.
type priority int

const (
	priorityKnown    priority = iota // a document is held
	priorityVerified                 // a held key verifies the certificate
	priorityOther
	priorities
)

// request is what a caller wants fetched, and what is known about it.
type request struct {
	host, domain, key string // domain is the host's registrable domain
	priority          priority
	vouched           bool // by vouchedRate
	slow              bool // the host did not answer last time
	renews            bool // in the background, for no caller
	follows           bool // no key of the host is held, and the request is about another email domain than its own
	buckets           []bucketKey

	held  func() *entry // returns what makes the fetch needless, such as the result of one that has just ended
	keys  func() bool   // reports whether keys of the host are held by now
	fetch func() *entry
}

// call is a fetch that runs or waits for its turn.
type call struct {
	*request               // the one with the best priority so far
	key      string        // of all of its requests
	callers  int           // who wait for it
	since    time.Time     // by the system's clock
	place    *list.Element // in its queue, nil once it runs
	done     chan struct{} // closed when entry is there, or when the call was dropped
	entry    *entry
}

// domainCalls are the calls of one registrable domain.
type domainCalls struct{ running, waiting, parked int }

func newScheduler(c Config, known func() bool) *scheduler {
	return &scheduler{
		turns: c.MaxFetches, timeout: c.Timeout, now: c.Now, known: known, rates: newLimiter(),
		calls: make(map[string]*call), hosts: make(map[string]*call), domains: make(map[string]*domainCalls),
	}
}

// join returns the call that r waits for, which it starts or queues if there is
// none; the caller leaves it afterwards. A call for another key than r's is one
// after which r must be made anew, and so is one without an entry.
func (s *scheduler) join(r *request) (*call, *fault) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if shared := s.calls[r.key]; shared != nil {
		shared.callers++
		s.promote(shared, r)
		return shared, nil
	}
	if e := r.held(); e != nil {
		return ended(r, e), nil
	}
	if r.follows && r.keys() {
		return ended(r, nil), nil // those keys may verify the certificate
	}
	if first := s.hosts[r.host]; first != nil && r.follows {
		return s.park(r, first)
	}
	c, f := s.add(r)
	if f == nil {
		c.callers++
	}
	return c, f
}

// queuePatience is how long a caller waits for a turn while a document is held.
const queuePatience = 50 * time.Millisecond

// wait waits until c has ended. If a document is held, it waits at most until
// patience after c was made, and only until queuePatience if c has no turn by then.
func (s *scheduler) wait(ctx context.Context, c *call, held bool) *fault {
	var turn, answer <-chan time.Time // nil: the caller has the whole time
	if held {
		turnTimer, answerTimer := time.NewTimer(time.Until(c.since.Add(queuePatience))), time.NewTimer(time.Until(c.since.Add(patience)))
		defer turnTimer.Stop()
		defer answerTimer.Stop()
		turn, answer = turnTimer.C, answerTimer.C
	}
	for {
		select {
		case <-c.done:
			return nil
		case <-turn:
			if s.queued(c) {
				return unavailable("no turn in time", nil)
			}
		case <-answer:
			return unavailable("no answer in time", nil)
		case <-ctx.Done():
			return unavailable("no answer in time", ctx.Err())
		}
	}
}

// queued reports whether c waits for its turn.
func (s *scheduler) queued(c *call) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return c.place != nil
}

// promote moves a waiting call to the queue of a caller with a better priority.
// The caller has the lock.
func (s *scheduler) promote(c *call, r *request) {
	if c.place == nil || r.priority >= c.priority {
		return
	}
	s.unqueue(c)
	c.request = r
	s.place(c)
}

// place starts a call, or queues it if there is no turn. The caller has the lock.
func (s *scheduler) place(c *call) {
	if s.mayStart(c) {
		s.start(c)
		return
	}
	c.place = s.queues[c.priority].PushBack(c)
	s.domain(c.domain).waiting++
}

// ended returns a call that has ended with e.
func ended(r *request, e *entry) *call {
	c := &call{request: r, key: r.key, entry: e, callers: 1, done: make(chan struct{})}
	close(c.done)
	return c
}

// renew starts or queues a fetch without a caller, if the limits allow it.
func (s *scheduler) renew(r *request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.calls[r.key] == nil && r.held() == nil {
		s.add(r)
	}
}

// park has a caller wait for first, a call of the same host. The caller has the lock.
func (s *scheduler) park(r *request, first *call) (*call, *fault) {
	most := waitingPerTurn * s.turns
	d := s.domain(r.domain)
	if s.parked >= parkedShare*most || d.parked >= most {
		s.forget(r.domain)
		return nil, unavailable("too many look-ups wait for this host", nil)
	}
	s.parked++
	d.parked++
	first.callers++
	return first, nil
}

// add makes a call of r, and starts or queues it. The caller has the lock.
func (s *scheduler) add(r *request) (*call, *fault) {
	c := &call{request: r, key: r.key, since: time.Now(), done: make(chan struct{})}
	if !s.mayStart(c) && s.full(r) {
		return nil, unavailable("too many fetches wait for their turn", nil)
	}
	if !s.rates.take(s.now(), r.buckets...) {
		return nil, unavailable("too many look-ups of this host", nil)
	}
	s.calls[r.key] = c
	if s.hosts[r.host] == nil {
		s.hosts[r.host] = c
	}
	s.place(c)
	return c, nil
}

// full reports whether no more calls like r may wait. Known hosts are always
// let in: there are no more of them than documents held.
func (s *scheduler) full(r *request) bool {
	most := waitingPerTurn * s.turns
	waiting, d := s.queues[r.priority].Len(), s.domains[r.domain]
	switch {
	case r.priority == priorityKnown:
		return false
	case waiting >= most:
		return true
	case (r.slow || r.renews) && waiting >= max(1, most/slowShare):
		return true
	case d == nil:
		return false
	case r.priority == priorityVerified:
		return d.waiting >= max(1, most/2)
	}
	return d.waiting >= max(waitingPerTurn, most/4)
}

// mayStart reports whether there is a turn for c.
func (s *scheduler) mayStart(c *call) bool {
	known := s.running[priorityKnown]
	others := s.underway() - known
	kept := min(s.turns-1, (s.turns+keptShare-1)/keptShare)
	d := s.domains[c.domain]
	switch {
	case s.underway() >= s.turns,
		c.slow && s.slow >= max(1, s.turns/slowShare),
		d != nil && d.running >= max(1, s.turns/domainShare),
		c.priority == priorityKnown && known >= s.turns-kept:
		return false
	}
	return c.priority == priorityKnown || others < s.turns-kept || !s.known()
}

// underway returns how many calls run.
func (s *scheduler) underway() int {
	return s.running[priorityKnown] + s.running[priorityVerified] + s.running[priorityOther]
}

// start gives c its turn. The caller has the lock.
func (s *scheduler) start(c *call) {
	s.count(c, 1)
	go func() {
		defer s.end(c)
		c.entry = c.fetch()
	}()
}

func (s *scheduler) count(c *call, n int) {
	s.running[c.priority] += n
	s.domain(c.domain).running += n
	if c.slow {
		s.slow += n
	}
}

// end hands over what a call brought, and its turn to others.
func (s *scheduler) end(c *call) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.count(c, -1)
	s.drop(c)
	for q := range s.queues {
		for e := s.queues[q].Front(); e != nil && s.underway() < s.turns; {
			waits := e.Value.(*call)
			e = e.Next()
			switch {
			case waits.callers == 0 && time.Since(waits.since) >= s.timeout:
				s.unqueue(waits)
				s.drop(waits)
			case s.mayStart(waits):
				s.unqueue(waits)
				s.start(waits)
			}
		}
	}
}

// leave is for a caller who waits no longer for c, as r. A waiting call that no
// caller wants is dropped; one that renews a document that is held only after the
// time of a fetch.
func (s *scheduler) leave(r *request, c *call) {
	s.mu.Lock()
	defer s.mu.Unlock()
	c.callers--
	if r.key != c.key {
		s.parked--
		s.domain(r.domain).parked--
		s.forget(r.domain)
	}
	if c.callers == 0 && c.place != nil && c.priority != priorityKnown {
		s.unqueue(c)
		s.drop(c)
	}
}

func (s *scheduler) unqueue(c *call) {
	s.queues[c.priority].Remove(c.place)
	c.place = nil
	s.domain(c.domain).waiting--
}

// drop takes a call out that has ended, or has no callers left. The caller has the lock.
func (s *scheduler) drop(c *call) {
	delete(s.calls, c.key)
	if s.hosts[c.host] == c {
		delete(s.hosts, c.host)
	}
	s.forget(c.domain)
	close(c.done)
}

func (s *scheduler) domain(name string) *domainCalls {
	d := s.domains[name]
	if d == nil {
		d = new(domainCalls)
		s.domains[name] = d
	}
	return d
}

// forget drops the record of a domain that has no calls.
func (s *scheduler) forget(name string) {
	if d := s.domains[name]; d != nil && *d == (domainCalls{}) {
		delete(s.domains, name)
	}
}
