package wellknown

import (
	"sync/atomic"
	"time"
)

// entry is what one fetch came to, and when. Entries are not changed once made,
// but for the three marks.
type entry struct {
	outcome
	fetched, expires time.Time
	renewal          time.Time // when the last quarter of its life begins

	verified atomic.Bool  // one of its keys, or of those it delegates to, verified a certificate
	renewed  atomic.Int64 // when its renewal in the background was tried last, in Unix nanoseconds
	silent   atomic.Bool  // its last renewal in the background was ErrUnavailable

	// authority is what a look-up of the host itself comes to, nil when the
	// document does not say so by itself.
	authority *Authority
}

// hasKeys reports whether the entry holds a document with usable keys.
func (e *entry) hasKeys() bool { return e.document != nil && len(e.document.usable) > 0 }

// renewable reports whether a look-up at now may renew the entry in the background:
// in the last quarter of its life, and not so soon after the last try.
func (e *entry) renewable(now time.Time) bool {
	return !now.Before(e.renewal) && now.Before(e.expires) && now.UnixNano()-e.renewed.Load() >= int64(undecided) &&
		(e.document != nil || e.fault.kind == ErrUnsupported)
}

// startRenewal notes a renewal at now. It reports false if another look-up was first.
func (e *entry) startRenewal(now time.Time) bool {
	last := e.renewed.Load()
	return now.UnixNano()-last >= int64(undecided) && e.renewed.CompareAndSwap(last, now.UnixNano())
}

// cache keeps documents and outcomes without one apart, so that naming hosts
// that do not exist never drops a known provider.
type cache struct {
	good, bad *store
}

func newCache(maxEntries int, maxBytes int64) *cache {
	return &cache{good: newStore(maxEntries, maxBytes), bad: newStore(maxEntries, maxBytes)}
}

// held gives what may be answered without a fetch, nil when one is due. Whoever
// wants a refresh does not take what is older than a minute, unless
// there was just a try in vain.
func (c *cache) held(key string, now time.Time, refresh bool) *entry {
	good, bad := c.document(key, now), c.bad.get(key)
	old := func(e *entry) bool { return refresh && now.Sub(e.fetched) > refreshAfter }
	switch {
	case bad != nil && now.Before(bad.expires):
		if good != nil {
			return good
		}
		if !old(bad) {
			return bad
		}
	case good != nil && now.Before(good.expires) && !old(good):
		return good
	}
	return nil
}

// document gives the document that still counts when its host does not answer.
func (c *cache) document(key string, now time.Time) *entry {
	good := c.good.get(key)
	if good == nil || !now.Before(good.expires.Add(staleFor)) {
		return nil
	}
	return good
}

// silent reports whether the last fetch of key, not long ago, brought no answer
// that decides.
func (c *cache) silent(key string, now time.Time) bool {
	bad := c.bad.get(key)
	return bad != nil && (bad.fault.kind == ErrUnavailable || bad.silent.Load()) && now.Sub(bad.fetched) < slowFor
}

// relearn is learn for a renewal. If that finds nothing out, an ErrUnsupported
// goes on counting until it expires.
func (c *cache) relearn(host, key string, o outcome, now time.Time) *entry {
	bad := c.bad.get(key)
	if bad == nil || bad.fault.kind != ErrUnsupported || !now.Before(bad.expires) || c.document(key, now) != nil ||
		o.fault == nil || o.fault.own || o.fault.kind != ErrUnavailable {
		return c.learn(host, key, o, now)
	}
	bad.silent.Store(true)
	return &entry{outcome: o, fetched: now, expires: now}
}

// learn takes in what a fetch came to and gives what to answer. Only another
// answer of the host itself unseats a document (PROTOCOL §4); after any
// other failure it goes on counting, and the next try waits.
func (c *cache) learn(host, key string, o outcome, now time.Time) *entry {
	life := o.lifetime()
	e := &entry{outcome: o, fetched: now, expires: now.Add(life), renewal: now.Add(life - life/renewalShare)}
	good := c.document(key, now)
	if o.fault == nil {
		if held := c.good.keysOf(host); held != nil {
			o.document.share(held.document)
		}
		e.authority = o.document.soleAuthority(host, e.fetched, e.expires)
		if e.authority != nil {
			e.authority.sources = &sources{[]*entry{e}}
		}
		e.verified.Store(good != nil && good.verified.Load())
		c.good.set(host, key, e)
		c.bad.delete(key)
		return e
	}
	if o.fault.own {
		return e
	}
	if good != nil && !o.fault.answered {
		e.expires = now.Add(undecided)
		c.bad.set(host, key, e)
		return good
	}
	c.bad.set(host, key, e)
	c.good.delete(key)
	return e
}
