package fetch

import (
	"container/list"
	"math/bits"
	"sync"

	"github.com/vepverify/vepverify/internal/registrable"
)

// Limits of the entries of one party, so that it evicts its own entries and not those of
// others.
const (
	maxHostEntries   = 512  // of one host, on behalf of different domains
	maxDomainEntries = 1024 // of one registrable domain
	storeShare       = 4    // one registrable domain has at most a quarter of the entries and bytes
	smallEntryBits   = 13   // the size of a single entry up to 8 KiB does not matter
	entryOverhead    = 1024 // bytes of an entry's maps, lists and structs
)

// store is a cache with limits on its entries and bytes. Entries do not expire here. It
// evicts
//
//   - of a host with too many entries, one of the host's own;
//   - of a registrable domain with too many entries or bytes, one of the domain's own;
//   - if the store is full, one of the registrable domain that has most. Sizes are compared by
//     powers of two, and a domain with one small entry is the smallest; one whose keys verified
//     a signature counts as smaller still. Of domains of equal size, the least recently used
//     one loses an entry.
//
// Of a host or a domain, entries whose keys verified a signature are evicted last, and a
// host's entry about its own before them; of equal entries, the least recently used one is
// evicted.
//
// internal/bounded and golang-lru evict the least recently used entry, so that one party
// could evict the entries of all others.
type store[D any] struct {
	maxEntries int
	maxBytes   int64

	mu      sync.Mutex // guards everything below
	entries map[Question]*Entry[D]
	hosts   map[string]*hostEntries[D]
	domains map[string]*domainEntries[D]
	classes [48]list.List // of *domainEntries, by size class; the most recently used first
	bytes   int64
}

// domainEntries are the entries of one registrable domain.
type domainEntries[D any] struct {
	name    string
	entries list.List // of *Entry, the most recently used first
	bytes   int64
	class   int
	element *list.Element // in store.classes
}

// hostEntries are the entries of one host.
type hostEntries[D any] struct {
	domain *domainEntries[D]
	count  int
	keys   *Entry[D] // the newest with usable keys, or nil
}

func newStore[D any](maxEntries int, maxBytes int64) *store[D] {
	return &store[D]{
		maxEntries: maxEntries, maxBytes: maxBytes,
		entries: make(map[Question]*Entry[D]), hosts: make(map[string]*hostEntries[D]), domains: make(map[string]*domainEntries[D]),
	}
}

// get returns nil if there is no entry.
func (s *store[D]) get(q Question) *Entry[D] {
	s.mu.Lock()
	defer s.mu.Unlock()
	e := s.entries[q]
	if e == nil {
		return nil
	}
	d := e.owner.domain
	d.entries.MoveToFront(e.element)
	s.classes[d.class].MoveToFront(d.element)
	return e
}

// keysOf returns the newest entry of host with usable keys, or nil.
func (s *store[D]) keysOf(host string) *Entry[D] {
	s.mu.Lock()
	defer s.mu.Unlock()
	if h := s.hosts[host]; h != nil {
		return h.keys
	}
	return nil
}

// empty reports whether there is no entry.
func (s *store[D]) empty() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.entries) == 0
}

// size returns the number of entries, and the estimate of their bytes.
func (s *store[D]) size() (entries int, bytes int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.entries), s.bytes
}

// set adds e in place of an earlier entry for the same question.
func (s *store[D]) set(e *Entry[D]) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.remove(s.entries[e.Question])
	h := s.host(e.Host)
	e.store, e.owner, e.element = s, h, h.domain.entries.PushFront(e)
	s.entries[e.Question] = e
	s.count(e, 1)
	if e.HasKeys() {
		h.keys = e
	}
	s.evict(e)
}

// delete removes the entry for q, if there is one.
func (s *store[D]) delete(q Question) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.remove(s.entries[q])
}

// host returns the entries of a host, which it adds if there are none.
func (s *store[D]) host(host string) *hostEntries[D] {
	if h := s.hosts[host]; h != nil {
		return h
	}
	name := registrable.Domain(host)
	d := s.domains[name]
	if d == nil {
		d = &domainEntries[D]{name: name, class: smallVerified}
		d.element = s.classes[d.class].PushFront(d)
		s.domains[name] = d
	}
	h := &hostEntries[D]{domain: d}
	s.hosts[host] = h
	return h
}

// remove removes e, which may be nil.
func (s *store[D]) remove(e *Entry[D]) {
	if e == nil {
		return
	}
	h := e.owner
	d := h.domain
	delete(s.entries, e.Question)
	d.entries.Remove(e.element)
	s.count(e, -1)
	if h.keys == e {
		h.keys = d.keysOf(e.Host)
	}
	if h.count == 0 {
		delete(s.hosts, e.Host)
	}
	if d.entries.Len() == 0 {
		s.classes[d.class].Remove(d.element)
		delete(s.domains, d.name)
	}
}

// count adds e to the sums if n is 1, and subtracts it if n is -1. It moves e's domain to
// its size class.
func (s *store[D]) count(e *Entry[D], n int) {
	h := e.owner
	d := h.domain
	cost := int64(n) * e.cost()
	h.count += n
	d.bytes += cost
	s.bytes += cost
	if n > 0 || s.class(d) != d.class {
		s.classify(d)
	}
}

// classify moves a domain to its size class, as the most recently used one there.
func (s *store[D]) classify(d *domainEntries[D]) {
	s.classes[d.class].Remove(d.element)
	d.class = s.class(d)
	d.element = s.classes[d.class].PushFront(d)
}

// markVerified records that keys of e verified a signature. If it leaves the store full of
// small verified entries, it evicts the least recently used of them: a new entry would have
// no room, because an entry that is not verified evicts none that is.
func (s *store[D]) markVerified(e *Entry[D]) {
	s.mu.Lock()
	defer s.mu.Unlock()
	e.verified.Store(true)
	if s.entries[e.Question] != e { // it was evicted or replaced
		return
	}
	s.classify(e.owner.domain)
	verified := &s.classes[smallVerified]
	for s.isFull() && verified.Len() == len(s.domains) && verified.Len() > 1 {
		s.remove(verified.Back().Value.(*domainEntries[D]).victim(nil, ""))
	}
}

// isFull reports whether the store has no room for another small entry.
func (s *store[D]) isFull() bool {
	return len(s.entries) >= s.maxEntries || s.bytes+1<<smallEntryBits > s.maxBytes
}

// The size classes of domains with one small entry. Those of all others are larger.
const (
	smallVerified = iota
	smallOther
)

// class returns the size class of a domain, which grows with the size as a power of two. An
// entry counts as its share of the bytes at least.
func (s *store[D]) class(d *domainEntries[D]) int {
	n := d.entries.Len()
	if n > 1 {
		size := max(d.bytes, int64(n)*(s.maxBytes/int64(s.maxEntries)))
		return min(smallOther+1+bits.Len64(uint64(size>>smallEntryBits)), len(s.classes)-1)
	}
	if n == 1 && d.bytes>>smallEntryBits == 0 && d.entries.Front().Value.(*Entry[D]).verified.Load() {
		return smallVerified
	}
	return smallOther + bits.Len64(uint64(d.bytes>>smallEntryBits))
}

// evict evicts entries until added fits.
func (s *store[D]) evict(added *Entry[D]) {
	h := added.owner
	d := h.domain
	for h.count > max(1, min(maxHostEntries, s.maxEntries/storeShare)) {
		s.remove(d.victim(added, added.Host))
	}
	for d.entries.Len() > 1 &&
		(d.entries.Len() > min(maxDomainEntries, s.maxEntries/storeShare) || d.bytes > s.maxBytes/storeShare) {
		s.remove(d.victim(added, ""))
	}
	for len(s.entries) > s.maxEntries || s.bytes > s.maxBytes {
		s.remove(s.largest().victim(added, ""))
	}
}

// largest returns the domain to evict from.
func (s *store[D]) largest() *domainEntries[D] {
	class := len(s.classes) - 1
	for s.classes[class].Len() == 0 {
		class--
	}
	return s.classes[class].Back().Value.(*domainEntries[D])
}

// victim returns the entry to evict, of host unless that is empty. It returns added only if
// it is the only one.
func (d *domainEntries[D]) victim(added *Entry[D], host string) *Entry[D] {
	victim, least := added, rankVerified+1
	for element := d.entries.Back(); element != nil && least > rankOther; element = element.Prev() {
		e := element.Value.(*Entry[D])
		if e == added || host != "" && e.Host != host {
			continue
		}
		if rank := e.rank(); rank < least {
			victim, least = e, rank
		}
	}
	return victim
}

// Ranks of the entries of one domain: the lowest is evicted first.
const (
	rankOther = iota
	rankOwn   // about the host's own
	rankVerified
)

func (e *Entry[D]) rank() int {
	switch {
	case e.verified.Load():
		return rankVerified
	case e.Own():
		return rankOwn
	}
	return rankOther
}

// keysOf returns the most recently used entry of host with usable keys, nil if there is
// none.
func (d *domainEntries[D]) keysOf(host string) *Entry[D] {
	for element := d.entries.Front(); element != nil; element = element.Next() {
		if e := element.Value.(*Entry[D]); e.Host == host && e.HasKeys() {
			return e
		}
	}
	return nil
}

// cost returns an estimate of the memory of an entry in bytes: a parsed document takes
// about as much as its text.
func (e *Entry[D]) cost() int64 {
	names := len(e.Host)
	if !e.Own() {
		names += len(e.For)
	}
	return int64(names) + 2*int64(e.size) + entryOverhead
}
