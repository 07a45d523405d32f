package wellknown

import (
	"container/list"
	"math/bits"
	"sync"

	"github.com/vepverify/vepverify/internal/registrable"
)

// Limits of the entries of one party, so that it evicts its own entries and not those of
// others.
const (
	maxHostEntries   = 512  // of one host, for different email domains
	maxDomainEntries = 1024 // of one registrable domain
	storeShare       = 4    // one registrable domain has at most a quarter of the entries and bytes
	maxScan          = 1024 // domains that are examined to find one to evict from
	smallEntryBits   = 13   // the size of a single entry up to 8 KiB does not matter
	entryOverhead    = 1024 // bytes of an entry's maps, lists and structs
)

// store is a cache with limits on its entries and bytes. Entries do not expire here. It
// evicts
//
//   - of a host with too many entries, one of the host's own;
//   - of a registrable domain with too many entries or bytes, one of the domain's own;
//   - if the store is full, one of the registrable domain that has most. Sizes are compared by
//     powers of two, and a domain with one small entry is the smallest; of those, one whose keys
//     verified nothing is evicted first. Of domains of equal size, the least recently used one
//     loses an entry.
//
// Of a host or a domain, entries whose keys verified a certificate are evicted last, and a
// host's entry for its own emails before them; of equal entries, the least recently used
// one is evicted.
//
// internal/bounded and golang-lru evict the least recently used entry, so that one party
// could evict the entries of all others.
type store struct {
	maxEntries int
	maxBytes   int64

	mu      sync.Mutex // guards everything below
	entries map[question]*entry
	hosts   map[string]*hostEntries
	domains map[string]*domainEntries
	classes [48]list.List // of *domainEntries, by size class; the most recently used first
	bytes   int64
}

// domainEntries are the entries of one registrable domain.
type domainEntries struct {
	name    string
	entries list.List // of *entry, the most recently used first
	bytes   int64
	class   int
	element *list.Element // in store.classes
}

// hostEntries are the entries of one host.
type hostEntries struct {
	domain *domainEntries
	count  int
	keys   *entry // the newest with usable keys, or nil
}

func newStore(maxEntries int, maxBytes int64) *store {
	return &store{
		maxEntries: maxEntries, maxBytes: maxBytes,
		entries: make(map[question]*entry), hosts: make(map[string]*hostEntries), domains: make(map[string]*domainEntries),
	}
}

// get returns nil if there is no entry.
func (s *store) get(q question) *entry {
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
func (s *store) keysOf(host string) *entry {
	s.mu.Lock()
	defer s.mu.Unlock()
	if h := s.hosts[host]; h != nil {
		return h.keys
	}
	return nil
}

// empty reports whether there is no entry.
func (s *store) empty() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.entries) == 0
}

// set adds e in place of an earlier entry for the same question.
func (s *store) set(e *entry) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.remove(s.entries[e.question])
	h := s.host(e.host)
	e.owner, e.element = h, h.domain.entries.PushFront(e)
	s.entries[e.question] = e
	s.count(e, 1)
	if e.hasKeys() {
		h.keys = e
	}
	s.evict(e)
}

// delete removes the entry for q, if there is one.
func (s *store) delete(q question) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.remove(s.entries[q])
}

// host returns the entries of a host, which it adds if there are none.
func (s *store) host(host string) *hostEntries {
	if h := s.hosts[host]; h != nil {
		return h
	}
	name := registrable.Domain(host)
	d := s.domains[name]
	if d == nil {
		d = &domainEntries{name: name}
		d.element = s.classes[0].PushFront(d)
		s.domains[name] = d
	}
	h := &hostEntries{domain: d}
	s.hosts[host] = h
	return h
}

// remove removes e, which may be nil.
func (s *store) remove(e *entry) {
	if e == nil {
		return
	}
	h := e.owner
	d := h.domain
	delete(s.entries, e.question)
	d.entries.Remove(e.element)
	s.count(e, -1)
	if h.keys == e {
		h.keys = d.keysOf(e.host)
	}
	if h.count == 0 {
		delete(s.hosts, e.host)
	}
	if d.entries.Len() == 0 {
		s.classes[d.class].Remove(d.element)
		delete(s.domains, d.name)
	}
}

// count adds e to the sums if n is 1, and subtracts it if n is -1. It moves e's domain to
// its size class.
func (s *store) count(e *entry, n int) {
	h := e.owner
	d := h.domain
	cost := int64(n) * e.cost()
	h.count += n
	d.bytes += cost
	s.bytes += cost
	if class := s.class(d); class != d.class || n > 0 {
		s.classes[d.class].Remove(d.element)
		d.class = class
		d.element = s.classes[class].PushFront(d)
	}
}

// class returns the size of a domain as a power of two. An entry counts as its share of the
// bytes at least.
func (s *store) class(d *domainEntries) int {
	n := d.entries.Len()
	if n <= 1 {
		return bits.Len64(uint64(d.bytes >> smallEntryBits))
	}
	size := max(d.bytes, int64(n)*(s.maxBytes/int64(s.maxEntries)))
	return min(1+bits.Len64(uint64(size>>smallEntryBits)), len(s.classes)-1)
}

// evict evicts entries until added fits.
func (s *store) evict(added *entry) {
	h := added.owner
	d := h.domain
	for h.count > max(1, min(maxHostEntries, s.maxEntries/storeShare)) {
		s.remove(d.victim(added, added.host))
	}
	for d.entries.Len() > 1 &&
		(d.entries.Len() > min(maxDomainEntries, s.maxEntries/storeShare) || d.bytes > s.maxBytes/storeShare) {
		s.remove(d.victim(added, ""))
	}
	for len(s.entries) > s.maxEntries || s.bytes > s.maxBytes {
		s.remove(s.largest().victim(added, ""))
	}
}

// largest returns the domain to evict from. If all have one small entry, it prefers one
// whose keys verified nothing, among the maxScan least recently used.
func (s *store) largest() *domainEntries {
	class := len(s.classes) - 1
	for s.classes[class].Len() == 0 {
		class--
	}
	last := s.classes[class].Back()
	if class > 0 {
		return last.Value.(*domainEntries)
	}
	for e, n := last, 0; e != nil && n < maxScan; e, n = e.Prev(), n+1 {
		if d := e.Value.(*domainEntries); !d.entries.Front().Value.(*entry).verified.Load() {
			return d
		}
	}
	return last.Value.(*domainEntries)
}

// victim returns the entry to evict, of host unless that is empty. It returns added only if
// it is the only one.
func (d *domainEntries) victim(added *entry, host string) *entry {
	victim, least := added, rankVerified+1
	for element := d.entries.Back(); element != nil && least > rankOther; element = element.Prev() {
		e := element.Value.(*entry)
		if e == added || host != "" && e.host != host {
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
	rankOwn   // for the host's own emails
	rankVerified
)

func (e *entry) rank() int {
	switch {
	case e.verified.Load():
		return rankVerified
	case e.own():
		return rankOwn
	}
	return rankOther
}

// keysOf returns the most recently used entry of host with usable keys, nil if there is
// none.
func (d *domainEntries) keysOf(host string) *entry {
	for element := d.entries.Front(); element != nil; element = element.Next() {
		if e := element.Value.(*entry); e.host == host && e.hasKeys() {
			return e
		}
	}
	return nil
}

// cost returns an estimate of the memory of an entry in bytes: a parsed document takes
// about as much as its text.
func (e *entry) cost() int64 {
	names := len(e.host)
	if !e.own() {
		names += len(e.emailDomain)
	}
	return int64(names) + 2*int64(e.size) + entryOverhead
}
