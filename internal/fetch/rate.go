package fetch

import (
	"container/heap"
	"time"
)

// rate is the size of a token bucket: it has at most burst tokens, and gains one in each
// interval.
type rate struct {
	burst    int
	interval time.Duration
}

// The rates at which fetches start, by Limits.Now.
var (
	// hostRate is for the fetches of one host on behalf of other domains than its own.
	hostRate = rate{64, time.Second}
	// verifiedRate is for the fetches of one host about its own, for verified senders, and
	// for renewals of documents whose keys verified a signature.
	verifiedRate = rate{1024, time.Second / 32}
	// domainRate is for the fetches of all hosts below one registrable domain that are not
	// known.
	domainRate = rate{512, time.Second / 4}
	// issuerRate is for the fetches for senders with an issuer, by that issuer's registrable
	// domain; issuersRate is for those of all issuers, by the host that is asked.
	issuerRate  = rate{64, time.Second}
	issuersRate = rate{1024, time.Second / 32}
)

// maxBuckets limits the buckets that are kept. If there are more, the fullest is dropped,
// so an empty bucket is dropped only after all others were emptied by fetches.
const maxBuckets = 8192

// limiter keeps the buckets that are not full. It is not safe for concurrent use.
//
// golang.org/x/time/rate has a limiter for one key, which does not tell when it is full
// again, so that the fullest could not be dropped.
type limiter struct {
	buckets map[rateKey]*bucket
	byTime  bucketHeap
}

// rateKey names a bucket: a host or a registrable domain, and its rate.
type rateKey struct {
	name string
	rate *rate
}

// bucket is represented by the time at which it is full again.
type bucket struct {
	key   rateKey
	full  time.Time
	index int // in limiter.byTime
}

func newLimiter() *limiter { return &limiter{buckets: make(map[rateKey]*bucket)} }

// take takes a token from each of the buckets and reports whether all had one. If not, it
// takes none.
func (l *limiter) take(now time.Time, keys ...rateKey) bool {
	for _, k := range keys {
		if l.untilFull(k, now)+k.rate.interval > time.Duration(k.rate.burst)*k.rate.interval {
			return false
		}
	}
	for _, k := range keys {
		l.set(k, now.Add(l.untilFull(k, now)+k.rate.interval), now)
	}
	return true
}

// untilFull returns the time until the bucket is full. If the clock was set back, the
// bucket counts as empty at now.
func (l *limiter) untilFull(k rateKey, now time.Time) time.Duration {
	b := l.buckets[k]
	if b == nil {
		return 0
	}
	if empty := now.Add(time.Duration(k.rate.burst) * k.rate.interval); b.full.After(empty) {
		l.set(k, empty, now)
	}
	return max(0, b.full.Sub(now))
}

// set sets the time at which the bucket is full.
func (l *limiter) set(k rateKey, full, now time.Time) {
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

// bucketHeap implements [heap.Interface]. The first bucket is the one that is full first.
type bucketHeap []*bucket

func (h bucketHeap) Len() int           { return len(h) }
func (h bucketHeap) Less(i, j int) bool { return h[i].full.Before(h[j].full) }
func (h bucketHeap) Swap(i, j int) {
	h[i], h[j] = h[j], h[i]
	h[i].index, h[j].index = i, j
}

// Push implements [heap.Interface].
func (h *bucketHeap) Push(b any) {
	b.(*bucket).index = len(*h)
	*h = append(*h, b.(*bucket))
}

// Pop implements [heap.Interface].
func (h *bucketHeap) Pop() any {
	last := len(*h) - 1
	b := (*h)[last]
	(*h)[last] = nil
	*h = (*h)[:last]
	return b
}
