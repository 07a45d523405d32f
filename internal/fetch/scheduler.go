package fetch

import (
	"container/list"
	"context"
	"strings"
	"sync"
	"time"

	"github.com/vepverify/vepverify/internal/registrable"
)

// Limits of a scheduler, by its number of slots (Limits.MaxFetches).
const (
	// queuePerSlot is the number of fetches that may be queued for each slot, and of callers
	// that may wait for the first fetch of one registrable domain's hosts.
	queuePerSlot = 8

	// waitingShare: four times as many callers may wait for the first fetches of all hosts.
	waitingShare = 4

	// domainShare: one registrable domain has at most a 16th of the slots, at least 1.
	domainShare = 16

	// slowShare: hosts that did not answer last time have at most a quarter, at least 1.
	slowShare = 4

	// reservedShare: an eighth, rounded up, is reserved for known hosts, and as much for
	// others. A single slot is not reserved.
	reservedShare = 8
)

// How long a caller waits for a fetch if an older document still counts.
const (
	staleSlotWait   = 50 * time.Millisecond // for its slot
	staleAnswerWait = time.Second           // for its end
)

const adviceLimit = "try again later, or raise the limit"

// faultRate is the fault of a fetch over one of its rates. It must not be modified.
var faultRate = Unavailable.Fault("too many lookups of this host", nil).Advise("try again later", "")

// scheduler runs fetches. It limits how many run at once, and how many of these are of one
// registrable domain or of slow hosts. The others are queued, in three queues: known hosts
// go first, then verified senders, then all others. Each queue is first
// in, first out. Callers with the same question share a fetch. Only a running fetch has a
// goroutine.
//
// golang.org/x/sync/singleflight has a goroutine for each fetch that waits, and neither
// priorities nor limits.
type scheduler[D any] struct {
	slots   int
	timeout time.Duration    // of a fetch, and of a queued one without callers
	now     func() time.Time // for the rates
	cache   *cache[D]
	fetch   func(*request) *Entry[D] // adds the result to the cache

	mu      sync.Mutex
	calls   map[Question]*call[D] // running and queued
	hosts   map[string]*call[D]   // the oldest of each host
	domains map[string]*domainCalls
	rates   *limiter
	running [priorities]int
	slow    int // running, of slow hosts
	queues  [priorities]list.List
	waiting int // callers that wait for the first fetch of a host
}

// priority is the queue of a fetch.
type priority int

const (
	priorityKnown    priority = iota // a document is cached
	priorityVerified                 // Sender.Verified
	priorityOther
	priorities
)

// request asks for a fetch.
type request struct {
	Question
	ctx       context.Context // its values are for the fetch
	domain    string          // the host's registrable domain
	priority  priority
	rates     []rateKey // limits of the fetch
	slow      bool      // the host did not answer last time
	needsKeys bool      // no key of the host is cached, and the question is not about its own
	counts    bool      // a document counts while the fetch is in progress
	refresh   bool      // Options.Refresh
	renewal   bool      // in the background, without a caller
	begun     time.Time // of a renewal
}

func newRequest(ctx context.Context, q Question) *request {
	return &request{Question: q, ctx: ctx, domain: registrable.Domain(q.Host), priority: priorityOther}
}

// limitRates sets the rates that limit the fetch. verified means that it is about the host's
// own, or that cached keys verify what was sent, and configured means Sender.Configured.
func (r *request) limitRates(verified, configured bool) {
	byHost := &hostRate
	if verified {
		byHost = &verifiedRate
	}
	r.rates = append(r.rates, rateKey{r.Host, byHost})
	if name, _, _ := strings.Cut(r.Host, ":"); name != r.domain && r.priority == priorityOther && !configured {
		r.rates = append(r.rates, rateKey{r.domain, &domainRate})
	}
}

// limitIssuer sets the rates that limit the fetch for a sender with an issuer.
func (r *request) limitIssuer(issuer string) {
	r.rates = []rateKey{{registrable.Domain(issuer), &issuerRate}, {r.Host, &issuersRate}}
}

// call is a fetch that runs or is queued.
type call[D any] struct {
	*request               // the one with the best priority so far
	callers  int           // that wait for it
	since    time.Time     // by the system's clock
	element  *list.Element // in its queue, nil once the call runs
	done     chan struct{} // closed when the call has ended or was dropped
	entry    *Entry[D]     // the result, nil if the call was dropped
}

// domainCalls counts the calls of one registrable domain.
type domainCalls struct {
	running, queued int
	waiting         int // callers that wait for the first fetch of a host
}

func newScheduler[D any](l Limits, cache *cache[D], fetch func(*request) *Entry[D]) *scheduler[D] {
	return &scheduler[D]{
		slots: l.MaxFetches, timeout: l.Timeout, now: l.Now, cache: cache, fetch: fetch, rates: newLimiter(),
		calls: make(map[Question]*call[D]), hosts: make(map[string]*call[D]), domains: make(map[string]*domainCalls),
	}
}

// join returns the call that r waits for, and starts or queues a new one if necessary. The
// caller leaves it afterwards. If the call is for another question than r's, or ends
// without an entry, the caller makes r again.
func (s *scheduler[D]) join(r *request) (*call[D], *Fault) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if shared := s.calls[r.Question]; shared != nil {
		shared.callers++
		s.promote(shared, r)
		return shared, nil
	}
	if e := s.cached(r); e != nil {
		return endedCall(r, e), nil
	}
	if r.needsKeys && s.cache.keysOf(r.Host) != nil {
		return endedCall[D](r, nil), nil // these keys may verify what the sender sent
	}
	if first := s.hosts[r.Host]; first != nil && r.needsKeys {
		return s.waitForKeys(r, first)
	}
	c, f := s.add(r)
	if f == nil {
		c.callers++
	}
	return c, f
}

// cached returns an entry that makes the fetch unnecessary, such as the result of a call
// that has just ended, or nil.
func (s *scheduler[D]) cached(r *request) *Entry[D] {
	e := s.cache.get(r.Question, s.now(), r.refresh)
	if e != nil && r.renewal && !e.Fetched.After(r.begun) {
		return nil
	}
	return e
}

// endedCall returns a call of r that has ended with e.
func endedCall[D any](r *request, e *Entry[D]) *call[D] {
	c := &call[D]{request: r, entry: e, callers: 1, done: make(chan struct{})}
	close(c.done)
	return c
}

// wait waits until c has ended. If an older document still counts (stale), it waits at most
// until staleAnswerWait after c was made, and only until staleSlotWait if c is queued then.
func (s *scheduler[D]) wait(ctx context.Context, c *call[D], stale bool) *Fault {
	var slot, answer <-chan time.Time // nil means no limit
	if stale {
		slotTimer := time.NewTimer(time.Until(c.since.Add(staleSlotWait)))
		defer slotTimer.Stop()
		answerTimer := time.NewTimer(time.Until(c.since.Add(staleAnswerWait)))
		defer answerTimer.Stop()
		slot, answer = slotTimer.C, answerTimer.C
	}
	for {
		select {
		case <-c.done:
			return nil
		case <-slot:
			if s.isQueued(c) {
				return Unavailable.Fault("no slot for a fetch in time", nil).Advise(adviceLimit, "MaxFetches")
			}
		case <-answer:
			return Unavailable.Fault("no answer in time", nil).Advise(adviceLimit, "Timeout")
		case <-ctx.Done():
			return Unavailable.Fault("no answer in time", ctx.Err()).Advise(adviceLimit, "Timeout")
		}
	}
}

// buckets returns the number of buckets of rates that are kept.
func (s *scheduler[D]) buckets() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.rates.buckets)
}

// isQueued reports whether c waits for its slot.
func (s *scheduler[D]) isQueued(c *call[D]) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return c.element != nil
}

// leave ends a caller's interest in c, which it joined as r. A queued call without callers
// is dropped; if it renews a document, only after the time of a fetch.
func (s *scheduler[D]) leave(r *request, c *call[D]) {
	s.mu.Lock()
	defer s.mu.Unlock()
	c.callers--
	if r.Question != c.Question {
		s.waiting--
		s.domain(r.domain).waiting--
		s.forget(r.domain)
	}
	if c.callers == 0 && c.element != nil && c.priority != priorityKnown {
		s.dequeue(c)
		s.remove(c)
	}
}

// renew starts or queues a fetch without a caller. If a limit forbids it, there is no fetch.
func (s *scheduler[D]) renew(r *request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.calls[r.Question] == nil && s.cached(r) == nil {
		_, _ = s.add(r)
	}
}

// finish ends a call that ran, and starts queued calls in its slot. It drops those without
// callers that have been queued for the time of a fetch.
func (s *scheduler[D]) finish(c *call[D]) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.count(c, -1)
	s.remove(c)
	for q := range s.queues {
		for element := s.queues[q].Front(); element != nil && s.inProgress() < s.slots; {
			next := element.Value.(*call[D])
			element = element.Next()
			switch {
			case next.callers == 0 && time.Since(next.since) >= s.timeout:
				s.dequeue(next)
				s.remove(next)
			case s.mayStart(next):
				s.dequeue(next)
				s.start(next)
			}
		}
	}
}

// The caller of each method below holds the lock.

// promote moves a queued call to the queue of a caller with a better priority.
func (s *scheduler[D]) promote(c *call[D], r *request) {
	if c.element == nil || r.priority >= c.priority {
		return
	}
	s.dequeue(c)
	c.request = r
	s.startOrQueue(c)
}

// waitForKeys adds a caller to first, a call of the same host on behalf of another domain.
func (s *scheduler[D]) waitForKeys(r *request, first *call[D]) (*call[D], *Fault) {
	most := queuePerSlot * s.slots
	d := s.domain(r.domain)
	if s.waiting >= waitingShare*most || d.waiting >= most {
		s.forget(r.domain)
		return nil, Unavailable.Fault("too many lookups wait for this host", nil).Advise(adviceLimit, "MaxFetches")
	}
	s.waiting++
	d.waiting++
	first.callers++
	return first, nil
}

// add makes a call of r, and starts or queues it.
func (s *scheduler[D]) add(r *request) (*call[D], *Fault) {
	c := &call[D]{request: r, since: time.Now(), done: make(chan struct{})}
	if !s.mayStart(c) && s.isFull(r) {
		return nil, Unavailable.Fault("too many fetches are queued", nil).Advise(adviceLimit, "MaxFetches")
	}
	if !s.rates.take(s.now(), r.rates...) {
		return nil, faultRate
	}
	s.calls[r.Question] = c
	if s.hosts[r.Host] == nil {
		s.hosts[r.Host] = c
	}
	s.startOrQueue(c)
	return c, nil
}

// isFull reports whether the queue of r is full. That of known hosts is never full: it has
// at most one call for each cached document.
func (s *scheduler[D]) isFull(r *request) bool {
	most := queuePerSlot * s.slots
	queued, d := s.queues[r.priority].Len(), s.domains[r.domain]
	switch {
	case r.priority == priorityKnown:
		return false
	case queued >= most:
		return true
	case (r.slow || r.renewal) && queued >= max(1, most/slowShare):
		return true
	case d == nil:
		return false
	case r.priority == priorityVerified:
		return d.queued >= max(1, most/2)
	}
	return d.queued >= max(queuePerSlot, most/4)
}

// mayStart reports whether there is a slot for c.
func (s *scheduler[D]) mayStart(c *call[D]) bool {
	known := s.running[priorityKnown]
	others := s.inProgress() - known
	reserved := min(s.slots-1, (s.slots+reservedShare-1)/reservedShare)
	d := s.domains[c.domain]
	switch {
	case s.inProgress() >= s.slots,
		c.slow && s.slow >= max(1, s.slots/slowShare),
		d != nil && d.running >= max(1, s.slots/domainShare),
		c.priority == priorityKnown && known >= s.slots-reserved:
		return false
	}
	return c.priority == priorityKnown || others < s.slots-reserved || s.cache.documents.empty()
}

// inProgress returns how many calls run.
func (s *scheduler[D]) inProgress() int {
	return s.running[priorityKnown] + s.running[priorityVerified] + s.running[priorityOther]
}

func (s *scheduler[D]) startOrQueue(c *call[D]) {
	if s.mayStart(c) {
		s.start(c)
		return
	}
	c.element = s.queues[c.priority].PushBack(c)
	s.domain(c.domain).queued++
}

func (s *scheduler[D]) dequeue(c *call[D]) {
	s.queues[c.priority].Remove(c.element)
	c.element = nil
	s.domain(c.domain).queued--
}

func (s *scheduler[D]) start(c *call[D]) {
	s.count(c, 1)
	go func() {
		defer s.finish(c)
		c.entry = s.fetch(c.request)
	}()
}

// count adds a call to those that run if n is 1, and subtracts it if n is -1.
func (s *scheduler[D]) count(c *call[D], n int) {
	s.running[c.priority] += n
	s.domain(c.domain).running += n
	if c.slow {
		s.slow += n
	}
}

// remove removes a call that has ended or was dropped, and wakes its callers.
func (s *scheduler[D]) remove(c *call[D]) {
	delete(s.calls, c.Question)
	if s.hosts[c.Host] == c {
		delete(s.hosts, c.Host)
	}
	s.forget(c.domain)
	close(c.done)
}

// domain returns the counts of a registrable domain, which it adds if there are none.
func (s *scheduler[D]) domain(name string) *domainCalls {
	d := s.domains[name]
	if d == nil {
		d = new(domainCalls)
		s.domains[name] = d
	}
	return d
}

// forget removes the counts of a registrable domain that has no calls.
func (s *scheduler[D]) forget(name string) {
	if d := s.domains[name]; d != nil && *d == (domainCalls{}) {
		delete(s.domains, name)
	}
}
