// Package bounded implements a cache that limits the number of its entries and the
// memory that they take. If either limit is exceeded, the cache evicts the least
// recently used entries. It adds the sizes to hashicorp/golang-lru.
package bounded

import (
	"sync"

	"github.com/hashicorp/golang-lru/v2/simplelru"
)

// Cache is a bounded cache. It is safe for concurrent use. A nil *Cache is an empty
// cache that ignores Set.
type Cache[K comparable, V any] struct {
	mu       sync.Mutex
	entries  *simplelru.LRU[K, entry[V]]
	bytes    int64 // sum of the sizes of entries
	maxBytes int64
}

type entry[V any] struct {
	value V
	bytes int64
}

// New returns a cache of at most maxEntries entries, which is positive, and at most
// maxBytes bytes.
func New[K comparable, V any](maxEntries int, maxBytes int64) *Cache[K, V] {
	c := &Cache[K, V]{maxBytes: maxBytes}
	entries, err := simplelru.NewLRU(maxEntries, func(_ K, e entry[V]) { c.bytes -= e.bytes })
	if err != nil {
		panic(err) // maxEntries is not positive: a mistake of the caller
	}
	c.entries = entries
	return c
}

// Get returns the value of key and marks it as used.
func (c *Cache[K, V]) Get(key K) (value V, ok bool) {
	if c == nil {
		return value, false
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	e, ok := c.entries.Get(key)
	return e.value, ok
}

// Set stores value, replacing an earlier value of key. The size in bytes is that of key
// and value together. Set ignores an entry that is larger than the cache.
func (c *Cache[K, V]) Set(key K, value V, bytes int64) {
	if c == nil || bytes > c.maxBytes {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.entries.Remove(key)
	c.bytes += bytes
	c.entries.Add(key, entry[V]{value, bytes})
	for c.bytes > c.maxBytes {
		c.entries.RemoveOldest()
	}
}

// Values returns all values, the least recently used first.
func (c *Cache[K, V]) Values() []V {
	if c == nil {
		return nil
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	values := make([]V, 0, c.entries.Len())
	for _, e := range c.entries.Values() {
		values = append(values, e.value)
	}
	return values
}

// Size returns the number of entries and the sum of their sizes in bytes.
func (c *Cache[K, V]) Size() (entries int, bytes int64) {
	if c == nil {
		return 0, 0
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.entries.Len(), c.bytes
}
