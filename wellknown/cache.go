package wellknown

import "time"

// entry is what one fetch came to, and when. Entries are not changed once made.
type entry struct {
	outcome
	fetched, expires time.Time

	// authority is what a look-up of the host itself comes to, nil when the
	// document does not say so by itself.
	authority *Authority
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

// learn takes in what a fetch came to and gives what to answer. Only another
// answer of the host itself unseats a document (PROTOCOL §4); after any
// other failure it goes on counting, and the next try waits.
func (c *cache) learn(host, key string, o outcome, now time.Time) *entry {
	e := &entry{outcome: o, fetched: now, expires: now.Add(o.lifetime())}
	if o.fault == nil {
		e.authority = o.document.soleAuthority(host, e.fetched, e.expires)
		c.good.set(key, e)
		c.bad.delete(key)
		return e
	}
	good := c.document(key, now)
	if o.fault.own {
		return e
	}
	if good != nil && !o.fault.answered {
		e.expires = now.Add(undecided)
		c.bad.set(key, e)
		return good
	}
	c.bad.set(key, e)
	c.good.delete(key)
	return e
}
