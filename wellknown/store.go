package wellknown

import (
	"container/list"
	"math/bits"
	"sync"

	gocache "github.com/patrickmn/go-cache"

	"github.com/vepverify/vepverify/internal/registrable"
)

// Limits of what one party may hold in a store, so that it evicts its own
// entries and not those of others.
const (
	maxHostEntries   = 512  // of one host, which differ in the email domain
	maxDomainEntries = 1024 // of one registrable domain
	storeShare       = 4    // one registrable domain holds at most a quarter of the store, in entries and in bytes
	maxScan          = 1024 // groups that are looked at to find one to evict from
	smallEntry       = 13   // bits of the size below which the size of a single entry does not matter: 8 KiB
)

// store is a go-cache with bounds on entries and bytes. It expires nothing by
// itself, so it needs no clock and no janitor. It evicts
//
//   - of a host with too many entries, one of its own;
//   - of a registrable domain with too many entries or bytes, one of its own;
//   - if the store is full, one of the registrable domain that holds most.
//     Sizes are compared by powers of two, and a domain with one small entry
//     holds least; of those, one whose keys verified nothing is evicted first.
//     Among domains of equal size the least recently used loses.
//
// Within a host or a domain, entries whose keys verified a certificate are
// evicted last, and before them a host's entry for its own emails; then the
// least recently used is evicted.
type store struct {
	maxEntries int
	maxBytes   int64

	mu      sync.Mutex     // guards all below, and keeps it in step with items
	items   *gocache.Cache // *item by key
	hosts   map[string]*holder
	groups  map[string]*group // by registrable domain
	classes [48]list.List     // of *group, by size; the last used first
	entries int
	bytes   int64
}

// group is what a store has of one registrable domain.
type group struct {
	name  string
	items list.List // of *item, the last used first
	bytes int64
	class int
	place *list.Element // in classes
}

// holder is a host that has entries in a store.
type holder struct {
	group   *group
	entries int
	latest  *item // the newest with usable keys, nil if there is none
}

type item struct {
	key, host string
	value     *entry
	cost      int64
	holder    *holder
	place     *list.Element // in the group's items
}

func newStore(maxEntries int, maxBytes int64) *store {
	return &store{
		maxEntries: maxEntries, maxBytes: maxBytes, items: gocache.New(gocache.NoExpiration, 0),
		hosts: make(map[string]*holder), groups: make(map[string]*group),
	}
}

// get returns nil if there is no entry.
func (s *store) get(key string) *entry {
	s.mu.Lock()
	defer s.mu.Unlock()
	i := s.item(key)
	if i == nil {
		return nil
	}
	g := i.holder.group
	g.items.MoveToFront(i.place)
	s.classes[g.class].MoveToFront(g.place)
	return i.value
}

func (s *store) item(key string) *item {
	found, ok := s.items.Get(key)
	if !ok {
		return nil
	}
	return found.(*item)
}

// keysOf returns usable keys of host: those of its newest entry that has any.
func (s *store) keysOf(host string) *entry {
	s.mu.Lock()
	defer s.mu.Unlock()
	if h := s.hosts[host]; h != nil && h.latest != nil {
		return h.latest.value
	}
	return nil
}

// empty reports whether there is no entry at all.
func (s *store) empty() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.entries == 0
}

func (s *store) set(host, key string, e *entry) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.remove(s.item(key))
	h := s.holderOf(host)
	i := &item{key: key, host: host, value: e, cost: cost(key, e), holder: h}
	i.place = h.group.items.PushFront(i)
	s.items.Set(key, i, gocache.NoExpiration)
	s.count(i, 1)
	if e.hasKeys() {
		h.latest = i
	}
	s.evict(i)
}

func (s *store) delete(key string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.remove(s.item(key))
}

// holderOf returns the holder of host, which it makes if there is none.
func (s *store) holderOf(host string) *holder {
	if h := s.hosts[host]; h != nil {
		return h
	}
	name := registrable.Domain(host)
	g := s.groups[name]
	if g == nil {
		g = &group{name: name}
		g.place = s.classes[0].PushFront(g)
		s.groups[name] = g
	}
	h := &holder{group: g}
	s.hosts[host] = h
	return h
}

// remove takes i out; nil is nothing.
func (s *store) remove(i *item) {
	if i == nil {
		return
	}
	h := i.holder
	g := h.group
	s.items.Delete(i.key)
	g.items.Remove(i.place)
	s.count(i, -1)
	if h.latest == i {
		h.latest = g.latest(i.host)
	}
	if h.entries == 0 {
		delete(s.hosts, i.host)
	}
	if g.items.Len() == 0 {
		s.classes[g.class].Remove(g.place)
		delete(s.groups, g.name)
	}
}

// count adds i to the sums, or takes it from them, and puts its group in the
// class of its size.
func (s *store) count(i *item, n int) {
	h := i.holder
	g := h.group
	h.entries += n
	s.entries += n
	g.bytes += int64(n) * i.cost
	s.bytes += int64(n) * i.cost
	if class := s.class(g); class != g.class || n > 0 {
		s.classes[g.class].Remove(g.place)
		g.class = class
		g.place = s.classes[class].PushFront(g)
	}
}

// class returns the size of a group as a power of two, where an entry counts at
// least its share of the bytes.
func (s *store) class(g *group) int {
	n := g.items.Len()
	if n <= 1 {
		return bits.Len64(uint64(g.bytes >> smallEntry))
	}
	size := max(g.bytes, int64(n)*(s.maxBytes/int64(s.maxEntries)))
	return min(1+bits.Len64(uint64(size>>smallEntry)), len(s.classes)-1)
}

// evict makes room after added.
func (s *store) evict(added *item) {
	h := added.holder
	g := h.group
	for h.entries > max(1, min(maxHostEntries, s.maxEntries/storeShare)) {
		s.remove(g.victim(added, added.host))
	}
	for g.items.Len() > 1 && (g.items.Len() > min(maxDomainEntries, s.maxEntries/storeShare) || g.bytes > s.maxBytes/storeShare) {
		s.remove(g.victim(added, ""))
	}
	for s.entries > s.maxEntries || s.bytes > s.maxBytes {
		s.remove(s.largest().victim(added, ""))
	}
}

// largest returns the group to evict from: among those with one small entry, one
// whose keys verified nothing, if there is one among the maxScan least recently used.
func (s *store) largest() *group {
	class := len(s.classes) - 1
	for s.classes[class].Len() == 0 {
		class--
	}
	last := s.classes[class].Back()
	if class > 0 {
		return last.Value.(*group)
	}
	for e, n := last, 0; e != nil && n < maxScan; e, n = e.Prev(), n+1 {
		if g := e.Value.(*group); !g.items.Front().Value.(*item).value.verified.Load() {
			return g
		}
	}
	return last.Value.(*group)
}

// victim returns the entry to evict, of host if that is not empty: added only if
// there is no other.
func (g *group) victim(added *item, host string) *item {
	victim, least := added, 3
	for e := g.items.Back(); e != nil && least > 0; e = e.Prev() {
		i := e.Value.(*item)
		if i == added || host != "" && i.host != host {
			continue
		}
		if rank := i.rank(); rank < least {
			victim, least = i, rank
		}
	}
	return victim
}

// rank orders the entries of a group: the lower is evicted first.
func (i *item) rank() int {
	switch {
	case i.value.verified.Load():
		return 2
	case i.key == i.host:
		return 1
	}
	return 0
}

// latest returns the last used entry of host that has usable keys.
func (g *group) latest(host string) *item {
	for e := g.items.Front(); e != nil; e = e.Next() {
		if i := e.Value.(*item); i.host == host && i.value.hasKeys() {
			return i
		}
	}
	return nil
}

// cost estimates the memory of an entry in bytes: the parsed document is about
// as large as its text, the rest is maps, lists and structs.
func cost(key string, e *entry) int64 {
	const overhead = 1024
	return int64(len(key)) + 2*int64(e.size) + overhead
}
