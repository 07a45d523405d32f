package wellknown

import (
	"container/heap"
	"time"
)

// rate is a token bucket: so many at once, then one every so often.
type rate struct {
	burst int
	every time.Duration
}

// How many fetches are started, by Config.Now.
var (
	// hostRate is of one host, for email domains other than its own and
	// certificates that no key held of it verifies.
	hostRate = rate{64, time.Second}
	// vouchedRate is of one host, for its own emails, for certificates that a key
	// held of it verifies, and for renewals of documents that verified one.
	vouchedRate = rate{1024, time.Second / 32}
	// domainRate is of the hosts below one registrable domain of which no
	// document is held, together.
	domainRate = rate{512, time.Second / 4}
)

// maxBuckets bounds the buckets that are kept. If there are more, the one
// closest to full is dropped: dropping one that is empty takes as many fetches
// as empty all others.
const maxBuckets = 8192

// limiter keeps the buckets that are not full. It is not safe for concurrent use.
type limiter struct {
	buckets map[bucketKey]*bucket
	byTime  bucketHeap
}

type bucketKey struct {
	name string
	rate *rate
}

// bucket is known by the time at which it is full again.
type bucket struct {
	key   bucketKey
	full  time.Time
	index int // in byTime
}

func newLimiter() *limiter { return &limiter{buckets: make(map[bucketKey]*bucket)} }

// take takes a token out of each of the buckets and reports whether all had one;
// if not, it takes none.
func (l *limiter) take(now time.Time, keys ...bucketKey) bool {
	for _, k := range keys {
		if l.wait(k, now)+k.rate.every > time.Duration(k.rate.burst)*k.rate.every {
			return false
		}
	}
	for _, k := range keys {
		l.fill(k, now.Add(l.wait(k, now)+k.rate.every), now)
	}
	return true
}

// wait returns how long after now the bucket is full. If the clock was set back,
// that is as long as for an empty one, from now on.
func (l *limiter) wait(k bucketKey, now time.Time) time.Duration {
	b := l.buckets[k]
	if b == nil {
		return 0
	}
	if empty := now.Add(time.Duration(k.rate.burst) * k.rate.every); b.full.After(empty) {
		l.fill(k, empty, now)
	}
	return max(0, b.full.Sub(now))
}

// fill notes when the bucket is full again.
func (l *limiter) fill(k bucketKey, full, now time.Time) {
	if b := l.buckets[k]; b != nil {
		b.full = full
		heap.Fix(&l.byTime, b.index)
		return
	}
	for len(l.byTime) > 0 && (len(l.byTime) >= maxBuckets || !l.byTime[0].full.After(now)) {
		delete(l.buckets, heap.Pop(&l.byTime).(*bucket).key)
	}
	b := &bucket{key: k, full: full}
	l.buckets[k] = b
	heap.Push(&l.byTime, b)
}

// bucketHeap has the bucket that is full first in front.
type bucketHeap []*bucket

func (h bucketHeap) Len() int           { return len(h) }
func (h bucketHeap) Less(i, j int) bool { return h[i].full.Before(h[j].full) }
func (h bucketHeap) Swap(i, j int) {
	h[i], h[j] = h[j], h[i]
	h[i].index, h[j].index = i, j
}

func (h *bucketHeap) Push(b any) {
	b.(*bucket).index = len(*h)
	*h = append(*h, b.(*bucket))
}

func (h *bucketHeap) Pop() any {
	last := len(*h) - 1
	b := (*h)[last]
	(*h)[last] = nil
	*h = (*h)[:last]
	return b
}
