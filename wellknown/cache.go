package wellknown

import (
	"container/list"
	"strings"
	"sync/atomic"
	"time"

	"github.com/vepverify/vepverify/wellknown/internal/fetch"
)

// How long entries are used.
const (
	minLife     = time.Minute    // of documents, and of outcomes that the host decided
	maxLife     = 24 * time.Hour // of documents
	defaultLife = time.Hour      // of documents without Cache-Control

	maxNegativeLife = 5 * time.Minute // of ErrUnsupported and ErrRefused; the default is minLife
	unavailableLife = 5 * time.Second

	staleLife    = 24 * time.Hour // of a document after it expired, if its host does not answer
	refreshAge   = time.Minute    // the oldest entry that answers Refresh
	slowTime     = 10 * time.Minute
	renewalShare = 4 // an entry is renewed in the last quarter of its life
)

// entry is the answer to a question: a document, or the fault in place of one. Entries of a
// [Resolver] are cached and expire; those of a [Static] do not expire.
//
// Only the atomic fields change once the entry is complete.
type entry struct {
	question
	document *Document
	fault    *fetch.Fault
	size     int // bytes of the document's text

	life             time.Duration
	fetched, expires time.Time
	renew            time.Time // when the last quarter of its life begins

	// authority is the answer to a lookup if the document alone determines it, else nil.
	authority *Authority

	verified      atomic.Bool  // one of its keys, or of those it delegates to, verified a certificate
	renewalBegun  atomic.Int64 // the last renewal in the background, in Unix nanoseconds
	renewalFailed atomic.Bool  // that renewal was ErrUnavailable

	// The places in a store, which its lock guards.
	owner   *hostEntries
	element *list.Element // in owner.domain.entries
}

// hasKeys reports whether the entry has a document with usable keys.
func (e *entry) hasKeys() bool { return e.document != nil && len(e.document.usable) > 0 }

// isFault reports whether the entry has a fault with that outcome.
func (e *entry) isFault(o fetch.Outcome) bool { return e.fault != nil && e.fault.Outcome == o }

// expired reports whether the entry has expired. Entries of a Static never do.
func (e *entry) expired(now time.Time) bool { return !e.expires.IsZero() && !now.Before(e.expires) }

// renewable reports whether the entry may be renewed in the background at now: it is in the
// last quarter of its life, and the last renewal was not just before.
func (e *entry) renewable(now time.Time) bool {
	return !now.Before(e.renew) && now.Before(e.expires) &&
		now.UnixNano()-e.renewalBegun.Load() >= int64(unavailableLife) &&
		(e.document != nil || e.isFault(fetch.Unsupported))
}

// startRenewal records a renewal at now. It reports whether the caller must make it, and
// not another lookup.
func (e *entry) startRenewal(now time.Time) bool {
	last := e.renewalBegun.Load()
	return now.UnixNano()-last >= int64(unavailableLife) && e.renewalBegun.CompareAndSwap(last, now.UnixNano())
}

// setTimes sets the times of an entry that is fetched at now.
func (e *entry) setTimes(now time.Time) {
	e.fetched, e.expires, e.renew = now, now.Add(e.life), now.Add(e.life-e.life/renewalShare)
}

// cache keeps documents and outcomes without a document in separate stores, so that
// questions about hosts that do not exist never evict a document.
type cache struct {
	documents, faults *store
}

func newCache(maxEntries int, maxBytes int64) *cache {
	return &cache{documents: newStore(maxEntries, maxBytes), faults: newStore(maxEntries, maxBytes)}
}

// keysOf returns the newest entry of host with usable keys, or nil.
func (c *cache) keysOf(host string) *entry { return c.documents.keysOf(host) }

// get returns the entry that answers q without a fetch, nil if a fetch is necessary. A
// refresh needs an entry that is at most a minute old, unless a fetch has just failed.
func (c *cache) get(q question, now time.Time, refresh bool) *entry {
	tooOld := func(e *entry) bool { return refresh && now.Sub(e.fetched) > refreshAge }
	document := c.document(q, now)
	if document != nil && !document.expired(now) && !tooOld(document) {
		return document
	}
	fault := c.faults.get(q)
	switch {
	case fault == nil || fault.expired(now):
		return nil
	case document != nil:
		return document
	case tooOld(fault):
		return nil
	}
	return fault
}

// document returns the document that counts, also if it is stale, or nil.
func (c *cache) document(q question, now time.Time) *entry {
	e := c.documents.get(q)
	if e == nil || !now.Before(e.expires.Add(staleLife)) {
		return nil
	}
	return e
}

// authority returns the host to which the cached documents for q delegate, in the end. It
// is q's own host if none is cached.
func (c *cache) authority(q question, now time.Time) string {
	for range maxDelegations {
		e := c.document(q, now)
		if e == nil || e.document.Authority == "" {
			break
		}
		q = q.to(e.document.Authority)
	}
	return q.host
}

// isSlow reports whether the last fetch for q, in the last 10 minutes, was ErrUnavailable.
func (c *cache) isSlow(q question, now time.Time) bool {
	e := c.faults.get(q)
	return e != nil && (e.isFault(fetch.Unavailable) || e.renewalFailed.Load()) && now.Sub(e.fetched) < slowTime
}

// add adds the result of a fetch and returns the entry that answers its question now.
//
// Only an answer of the host itself replaces a document (PROTOCOL 4.stale). After another
// fault the document still counts, and the fault delays the next fetch. A local fault is
// not added. A renewal that is ErrUnavailable does not replace an ErrUnsupported (PROTOCOL
// 4.renewal).
func (c *cache) add(e *entry, now time.Time, renewal bool) *entry {
	e.setTimes(now)
	document, unsupported := c.document(e.question, now), c.unsupported(e.question, now)
	switch {
	case e.fault == nil:
		c.addDocument(e, document)
	case e.fault.Local:
		// not cached
	case document != nil && !e.fault.ByHost:
		e.expires = now.Add(unavailableLife)
		c.faults.set(e)
		return document
	case renewal && unsupported != nil && e.isFault(fetch.Unavailable):
		unsupported.renewalFailed.Store(true)
	default:
		c.faults.set(e)
		c.documents.delete(e.question)
	}
	return e
}

// addDocument adds a document in place of an earlier one, which may be nil.
func (c *cache) addDocument(e, earlier *entry) {
	if keys := c.keysOf(e.host); keys != nil {
		e.document.reuseKeys(keys.document)
	}
	if e.authority = e.document.soleAuthority(e.host, e.fetched, e.expires); e.authority != nil {
		e.authority.sources = &sources{[]*entry{e}}
	}
	e.verified.Store(earlier != nil && earlier.verified.Load())
	c.documents.set(e)
	c.faults.delete(e.question)
}

// unsupported returns an ErrUnsupported that has not expired, or nil.
func (c *cache) unsupported(q question, now time.Time) *entry {
	e := c.faults.get(q)
	if e == nil || !e.isFault(fetch.Unsupported) || e.expired(now) {
		return nil
	}
	return e
}

// lifetime returns how long the result of a fetch is used: a document, or a fault if that
// is not nil. cacheControl are the header fields of that name (RFC 9111 §5.2).
func lifetime(f *fetch.Fault, cacheControl []string) time.Duration {
	age, found := maxAge(cacheControl)
	switch {
	case f != nil && f.Outcome == fetch.Unavailable:
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
