package wellknown

import (
	"container/list"
	"sync"

	gocache "github.com/patrickmn/go-cache"
)

// store is a go-cache with a bound on entries and bytes: when one of them is
// passed, the entries not asked for longest go. It forgets nothing by itself, so
// it needs no clock and no janitor.
type store struct {
	maxEntries int
	maxBytes   int64

	mu    sync.Mutex // guards order and bytes, and keeps items in step with them
	items *gocache.Cache
	order *list.List // of *item, the one asked for last in front
	bytes int64
}

type item struct {
	key   string
	value *entry
	cost  int64
}

func newStore(maxEntries int, maxBytes int64) *store {
	return &store{
		maxEntries: maxEntries, maxBytes: maxBytes,
		items: gocache.New(gocache.NoExpiration, 0), order: list.New(),
	}
}

// get gives nil when there is none.
func (s *store) get(key string) *entry {
	s.mu.Lock()
	defer s.mu.Unlock()
	found, ok := s.items.Get(key)
	if !ok {
		return nil
	}
	element := found.(*list.Element)
	s.order.MoveToFront(element)
	return element.Value.(*item).value
}

func (s *store) set(key string, e *entry) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.remove(key)
	i := &item{key, e, cost(key, e)}
	s.items.Set(key, s.order.PushFront(i), gocache.NoExpiration)
	s.bytes += i.cost
	for s.order.Len() > s.maxEntries || s.bytes > s.maxBytes {
		s.remove(s.order.Back().Value.(*item).key)
	}
}

func (s *store) delete(key string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.remove(key)
}

func (s *store) remove(key string) {
	found, ok := s.items.Get(key)
	if !ok {
		return
	}
	element := found.(*list.Element)
	s.items.Delete(key)
	s.order.Remove(element)
	s.bytes -= element.Value.(*item).cost
}

// cost estimates the memory of an entry in bytes: the parsed document is about
// as large as its text, the rest is maps, lists and structs.
func cost(key string, e *entry) int64 {
	const overhead = 1024
	return int64(len(key)) + 2*int64(e.size) + overhead
}
