package fetch

import (
	"container/list"
	"strings"
	"sync/atomic"
	"time"
)

// How long entries are used.
const (
	minLife     = time.Minute    // of documents, and of outcomes that the host decided
	maxLife     = 24 * time.Hour // of documents
	defaultLife = time.Hour      // of documents without Cache-Control

	maxNegativeLife = 5 * time.Minute // of Unsupported and Refused; the default is minLife
	unavailableLife = 5 * time.Second

	staleLife    = 24 * time.Hour // of a document after it expired, if its host does not answer
	refreshAge   = time.Minute    // the oldest entry that answers a refresh
	slowTime     = 10 * time.Minute
	renewalShare = 4 // an entry is renewed in the last quarter of its life
)

// Entry is the answer to a question: a document, or the fault in place of one. Entries of a
// [Fetcher] are cached and expire. Its fields must not be modified.
type Entry[D any] struct {
	Question

	Document D      // the zero value if there is a fault
	Fault    *Fault // nil if there is a document

	// Fetched is the time at which the fetch ended, and Expires the time at which the entry
	// expires. Expires is in the past if the host does not answer and its last document
	// still counts. If Expires is zero, the entry does not expire.
	Fetched, Expires time.Time

	size    int       // bytes of the document's text
	keys    bool      // the document has keys
	renewal time.Time // when the last quarter of its life begins

	verified      atomic.Bool  // see MarkVerified
	renewalBegun  atomic.Int64 // the last renewal in the background, in Unix nanoseconds
	renewalFailed atomic.Bool  // that renewal was Unavailable

	store *store[D] // nil if the entry was never in one

	// The places in the store, which its lock guards.
	owner   *hostEntries[D]
	element *list.Element // in owner.domain.entries
}

// MarkVerified records that one of the document's keys verified a signature. The entry is
// then evicted last among those of its registrable domain, and its renewals have a larger
// allowance.
func (e *Entry[D]) MarkVerified() {
	if e.store != nil && !e.verified.Load() {
		e.store.markVerified(e)
	}
}

// Expired reports whether the entry has expired.
func (e *Entry[D]) Expired(now time.Time) bool { return !e.Expires.IsZero() && !now.Before(e.Expires) }

// OverRate reports whether the entry is the fault of a fetch over one of its rates.
func (e *Entry[D]) OverRate() bool { return e.Fault == faultRate }

// Renewable reports whether the entry may be renewed in the background at now: it is in the
// last quarter of its life, and the last renewal was not just before.
func (e *Entry[D]) Renewable(now time.Time) bool {
	return !now.Before(e.renewal) && now.Before(e.Expires) &&
		now.UnixNano()-e.renewalBegun.Load() >= int64(unavailableLife) &&
		(e.Fault == nil || e.isFault(Unsupported))
}

// startRenewal records a renewal at now. It reports whether the caller must make it, and
// not another lookup.
func (e *Entry[D]) startRenewal(now time.Time) bool {
	last := e.renewalBegun.Load()
	return now.UnixNano()-last >= int64(unavailableLife) && e.renewalBegun.CompareAndSwap(last, now.UnixNano())
}

// HasKeys reports whether the entry has a document with keys (Result.HasKeys).
func (e *Entry[D]) HasKeys() bool { return e.Fault == nil && e.keys }

// isFault reports whether the entry has a fault with that outcome.
func (e *Entry[D]) isFault(o Outcome) bool { return e.Fault != nil && e.Fault.Outcome == o }

// cache keeps documents and outcomes without a document in separate stores, so that
// questions about hosts that do not exist never evict a document.
type cache[D any] struct {
	documents, faults *store[D]
	stale             bool // Limits.Stale
}

func newCache[D any](l Limits) *cache[D] {
	return &cache[D]{newStore[D](l.MaxEntries, l.MaxBytes), newStore[D](l.MaxEntries, l.MaxBytes), l.Stale}
}

// keysOf returns the newest entry of host with keys, or nil.
func (c *cache[D]) keysOf(host string) *Entry[D] { return c.documents.keysOf(host) }

// get returns the entry that answers q without a fetch, nil if a fetch is necessary. A
// refresh needs an entry that is at most a minute old, unless a fetch has just failed.
func (c *cache[D]) get(q Question, now time.Time, refresh bool) *Entry[D] {
	document := c.document(q, now)
	if document != nil && !document.Expired(now) && !(refresh && document.tooOld(now)) {
		return document
	}
	fault := c.faults.get(q)
	switch {
	case fault == nil || fault.Expired(now):
		return nil
	case document != nil:
		return document
	case refresh && fault.tooOld(now):
		return nil
	}
	return fault
}

// tooOld reports whether the entry is too old for a refresh.
func (e *Entry[D]) tooOld(now time.Time) bool { return now.Sub(e.Fetched) > refreshAge }

// document returns the document that counts, or nil. It counts after it has expired if
// Limits.Stale is set.
func (c *cache[D]) document(q Question, now time.Time) *Entry[D] {
	e := c.known(q, now)
	if e != nil && !c.stale && e.Expired(now) {
		return nil
	}
	return e
}

// known returns the document that is cached, nil if there is none or if it expired 24 h ago.
// A document that does not count any more still makes its host a known one.
func (c *cache[D]) known(q Question, now time.Time) *Entry[D] {
	e := c.documents.get(q)
	if e == nil || !now.Before(e.Expires.Add(staleLife)) {
		return nil
	}
	return e
}

// isSlow reports whether the last fetch for q, in the last 10 minutes, was Unavailable.
func (c *cache[D]) isSlow(q Question, now time.Time) bool {
	e := c.faults.get(q)
	return e != nil && (e.isFault(Unavailable) || e.renewalFailed.Load()) && now.Sub(e.Fetched) < slowTime
}

// add adds the result of a fetch that ended at now, and returns the entry that answers its
// question now.
//
// Only an answer of the host itself replaces a document. After another fault the document
// still counts, and the fault delays the next fetch. A local fault is not added. A renewal
// that is Unavailable does not replace an Unsupported.
func (c *cache[D]) add(q Question, r Result[D], now time.Time, renewal bool) *Entry[D] {
	e := r.entry(q, now)
	document, unsupported := c.document(q, now), c.unsupported(q, now)
	switch {
	case e.Fault == nil:
		c.addDocument(e, r.Complete)
	case e.Fault.Local:
		// not cached
	case document != nil && !e.Fault.ByHost:
		e.Expires = now.Add(unavailableLife)
		c.faults.set(e)
		return document
	case renewal && unsupported != nil && e.isFault(Unavailable):
		unsupported.renewalFailed.Store(true)
	default:
		c.faults.set(e)
		if e.Fault.ByHost || c.known(q, now) == nil {
			c.documents.delete(q)
		}
	}
	return e
}

// entry returns an entry of a result of a fetch that ended at now.
func (r Result[D]) entry(q Question, now time.Time) *Entry[D] {
	life := r.Life
	if life <= 0 {
		life = Lifetime(r.Fault, nil)
	}
	e := &Entry[D]{
		Question: q, Fault: r.Fault, size: r.Size, keys: r.HasKeys,
		Fetched: now, Expires: now.Add(life), renewal: now.Add(life - life/renewalShare),
	}
	if r.Fault == nil {
		e.Document = r.Document
	}
	return e
}

// addDocument adds a document in place of an earlier one.
func (c *cache[D]) addDocument(e *Entry[D], complete func(e, known *Entry[D])) {
	if complete != nil {
		complete(e, c.keysOf(e.Host))
	}
	if earlier := c.known(e.Question, e.Fetched); earlier != nil {
		e.verified.Store(earlier.verified.Load())
	}
	c.documents.set(e)
	c.faults.delete(e.Question)
}

// unsupported returns an Unsupported that has not expired, or nil.
func (c *cache[D]) unsupported(q Question, now time.Time) *Entry[D] {
	e := c.faults.get(q)
	if e == nil || !e.isFault(Unsupported) || e.Expired(now) {
		return nil
	}
	return e
}

// Lifetime returns how long the result of a fetch is used: a document, or a fault if that
// is not nil. cacheControl are the header fields of that name (RFC 9111 §5.2).
func Lifetime(f *Fault, cacheControl []string) time.Duration {
	age, found := maxAge(cacheControl)
	switch {
	case f != nil && f.Outcome == Unavailable:
		return unavailableLife
	case f != nil && !found:
		return minLife
	case f != nil:
		return min(max(age, minLife), maxNegativeLife)
	case !found:
		return defaultLife
	}
	return min(max(age, minLife), maxLife)
}

// maxAge returns the smallest age in Cache-Control. An age that is not a number is 0, like
// no-store and no-cache.
func maxAge(cacheControl []string) (age time.Duration, found bool) {
	for directive := range strings.SplitSeq(strings.Join(cacheControl, ","), ",") {
		name, value, _ := strings.Cut(directive, "=")
		next := time.Duration(0)
		switch strings.ToLower(strings.TrimSpace(name)) {
		case "no-store", "no-cache":
		case "max-age":
			next = seconds(strings.Trim(value, " \t\""))
		default:
			continue
		}
		if !found || next < age {
			age, found = next, true
		}
	}
	return age, found
}

// seconds parses decimal digits. It returns at most maxLife: more makes no difference.
func seconds(digits string) time.Duration {
	n := time.Duration(0)
	for _, c := range []byte(digits) {
		if c < '0' || c > '9' {
			return 0
		}
		n = min(n*10+time.Duration(c-'0'), maxLife/time.Second)
	}
	return n * time.Second
}
