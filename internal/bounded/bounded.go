// Package bounded is a cache with a bound on its entries and on the memory that
// they take: when either is passed, the entries not asked for longest go. It is
// hashicorp/golang-lru with a scale.
package bounded

import (
	"sync"

	"github.com/hashicorp/golang-lru/v2/simplelru"
)

// Cache is safe for concurrent use. A nil Cache holds nothing.
type Cache[K comparable, V any] struct {
	mu       sync.Mutex
	entries  *simplelru.LRU[K, weighed[V]]
	bytes    int64
	maxBytes int64
}

type weighed[V any] struct {
	value V
	bytes int64
}

// New makes a cache of at most so many entries, which is positive, and bytes.
func New[K comparable, V any](maxEntries int, maxBytes int64) *Cache[K, V] {
	c := &Cache[K, V]{maxBytes: maxBytes}
	entries, err := simplelru.NewLRU(maxEntries, func(_ K, w weighed[V]) { c.bytes -= w.bytes })
	if err != nil {
		panic(err) // maxEntries is the caller's constant, or checked by it
	}
	c.entries = entries
	return c
}

// Get gives the value of key and whether there is one.
func (c *Cache[K, V]) Get(key K) (value V, ok bool) {
	if c == nil {
		return value, false
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	w, ok := c.entries.Get(key)
	return w.value, ok
}

// Set keeps value, which takes so many bytes with its key, in place of any
// earlier one; unless it is larger than all of the cache may be.
func (c *Cache[K, V]) Set(key K, value V, bytes int64) {
	if c == nil || bytes > c.maxBytes {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.entries.Remove(key)
	c.bytes += bytes
	c.entries.Add(key, weighed[V]{value, bytes})
	for c.bytes > c.maxBytes {
		c.entries.RemoveOldest()
	}
}

// Size gives the number of entries and the bytes that they take.
func (c *Cache[K, V]) Size() (entries int, bytes int64) {
	if c == nil {
		return 0, 0
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.entries.Len(), c.bytes
}
