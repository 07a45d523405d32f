package fetch

import (
	"context"
	"fmt"
	"time"
)

// Bounds and defaults of [Limits].
const (
	defaultTimeout    = 8 * time.Second
	maxTimeout        = 5 * time.Minute
	defaultMaxEntries = 10_000
	defaultMaxBytes   = 4 << 20
	minMaxBytes       = 256 << 10 // room for one document of any size
	defaultMaxFetches = 128
)

// Limits configures a [Fetcher]. Zero means the default.
type Limits struct {
	// Timeout limits one fetch. Zero means 8 s; the maximum is 5 min.
	Timeout time.Duration

	// MaxFetches limits the fetches in progress at once, including renewals in the
	// background. Zero means 128.
	MaxFetches int

	// MaxEntries and MaxBytes limit the cached documents, and separately, with the same
	// numbers, the cached faults. MaxBytes is an estimate of memory. Zero means 10 000
	// entries and 4 MiB; the minimum of MaxBytes is 256 KiB.
	MaxEntries int
	MaxBytes   int64

	// Stale means that a document that expired less than 24 h ago still counts until its
	// host itself answers otherwise.
	Stale bool

	// Now returns the time, for the age of entries and for the rates of fetches. Nil means
	// time.Now.
	Now func() time.Time
}

// Validate returns an error for the first field that is out of bounds. It begins with the
// name of the field.
func (l Limits) Validate() error {
	switch {
	case l.Timeout < 0 || l.Timeout > maxTimeout:
		return fmt.Errorf("%s: %v is not between 0 and %v", settingTimeout, l.Timeout, maxTimeout)
	case l.MaxEntries < 0:
		return fmt.Errorf("MaxEntries: %d is negative", l.MaxEntries)
	case l.MaxBytes != 0 && l.MaxBytes < minMaxBytes:
		return fmt.Errorf("MaxBytes: %d is less than %d", l.MaxBytes, minMaxBytes)
	case l.MaxFetches < 0:
		return fmt.Errorf("MaxFetches: %d is negative", l.MaxFetches)
	}
	return nil
}

// withDefaults returns l with the defaults in place of zero values.
func (l Limits) withDefaults() Limits {
	if l.Timeout == 0 {
		l.Timeout = defaultTimeout
	}
	if l.MaxFetches == 0 {
		l.MaxFetches = defaultMaxFetches
	}
	if l.MaxEntries == 0 {
		l.MaxEntries = defaultMaxEntries
	}
	if l.MaxBytes == 0 {
		l.MaxBytes = defaultMaxBytes
	}
	if l.Now == nil {
		l.Now = time.Now
	}
	return l
}

// Question is what is asked. It is the key of the cache and of fetches in progress.
type Question struct {
	// Host is the party that is asked, a domain in lower case as domain.Parse returns it.
	// All limits are by Host and its registrable domain.
	Host string

	// For is the domain on whose behalf Host is asked, because the answer may depend on it.
	// It is Host itself for a question about Host's own.
	For string
}

// Own returns the question to host about its own.
func Own(host string) Question { return Question{host, host} }

// To returns the same question to another host.
func (q Question) To(host string) Question { return Question{host, q.For} }

// Own reports whether the question is about the host's own.
func (q Question) Own() bool { return q.Host == q.For }

// Result is the result of a fetch: a document, or a fault if that is not nil.
type Result[D any] struct {
	Document D
	Fault    *Fault

	// Size is the number of bytes of the document's text, from which its memory is
	// estimated.
	Size int

	// Life is how long the result is used. If it is not positive, it is that of
	// [Lifetime] without a header.
	Life time.Duration

	// HasKeys reports whether the document has keys, with which signatures may be verified
	// before a question about another domain is asked: see [Fetcher.KeysOf].
	HasKeys bool

	// Complete completes a document, whose times are known then, before it is cached. Its
	// second argument is the entry of the same host that [Fetcher.KeysOf] returns, or nil.
	// Complete may be nil.
	Complete func(e, known *Entry[D])
}

// Options are what the caller of a lookup wants and knows. The zero value is a usual lookup.
type Options struct {
	// Refresh wants an entry that is at most a minute old. If a fetch fails, the result is
	// that of a usual lookup. If there was no time for a fetch, or it could not start, it is
	// a fault, because it is not known whether there is a newer document.
	Refresh bool

	// Sender returns what is known about the sender of the question. It is called in the
	// caller's goroutine, before a fetch for a question about which no document is cached,
	// and never between Wait and Waited. Nil means that nothing is known.
	Sender func() Sender

	// Wait is called before the lookup waits for a fetch, possibly more than once. If it
	// returns an error, the lookup does not wait. Waited is called at the end of each wait
	// for which Wait returned nil. Either may be nil.
	Wait   func(ctx context.Context) error
	Waited func()
}

// Sender is what is known about the sender of a question, which decides the priority and the
// rate of the fetch.
type Sender struct {
	// Verified reports that cached keys that the sender could not choose verify what it
	// sent. The fetch has a higher priority and a larger allowance.
	Verified bool

	// Issuer is a host whose cached keys verify what the sender sent, but which does not
	// change the priority. The fetch is limited by the issuer's allowance instead of the host's.
	Issuer string

	// Configured reports that the configuration chose the host, and not the sender. Then
	// fetches of other hosts below the same registrable domain do not count.
	Configured bool
}

// Fetcher answers questions by fetches, which it shares, limits and caches. It is safe for
// concurrent use.
type Fetcher[D any] struct {
	limits    Limits
	get       func(context.Context, Question) Result[D]
	cache     *cache[D]
	scheduler *scheduler[D]
}

// NewFetcher returns a fetcher that calls get for each fetch. The limits must be valid.
//
// The context of get has a deadline. It has the values of the context of the lookup that
// started the fetch, but it does not end with it, because a fetch serves all lookups that
// wait for it.
func NewFetcher[D any](l Limits, get func(ctx context.Context, q Question) Result[D]) *Fetcher[D] {
	l = l.withDefaults()
	f := &Fetcher[D]{limits: l, get: get, cache: newCache[D](l)}
	f.scheduler = newScheduler(l, f.cache, f.fetch)
	return f
}

// Lookup returns the answer to q, from the cache or by a fetch. It waits for at most
// [Fetcher.WithTimeout]. If an older document still counts, it waits for a newer one for at
// most a second, and for at most 50 ms while the fetch is queued.
//
// The entry has the fault Unavailable if the fetch was not started or did not end in time.
// If ctx ended, its error is the cause.
func (f *Fetcher[D]) Lookup(ctx context.Context, q Question, o Options) *Entry[D] {
	now := f.limits.Now()
	if e := f.Cached(q, now, o.Refresh); e != nil {
		if e.Fault == nil {
			f.Renew(ctx, e, now, o)
		}
		return e
	}
	ctx, cancel := f.WithTimeout(ctx)
	defer cancel()
	return f.Fetch(ctx, q, now, o)
}

// WithTimeout returns a context with the time of a lookup, which is a 32nd more than that of
// a fetch, so that the caller that started a fetch gets its result.
func (f *Fetcher[D]) WithTimeout(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithTimeout(ctx, f.limits.Timeout+f.limits.Timeout/32)
}

// The methods below are the parts of Lookup, for callers that do more than one question in
// one lookup. Such a lookup begins at now.

// Cached returns the entry that answers q without a fetch, nil if a fetch is necessary.
func (f *Fetcher[D]) Cached(q Question, now time.Time, refresh bool) *Entry[D] {
	return f.cache.get(q, now, refresh)
}

// Document returns the entry of a cached document that counts, or nil.
func (f *Fetcher[D]) Document(q Question, now time.Time) *Entry[D] { return f.cache.document(q, now) }

// KeysOf returns the newest entry of host with keys, also if it has expired. It returns nil
// if there is none.
func (f *Fetcher[D]) KeysOf(host string) *Entry[D] { return f.cache.keysOf(host) }

// Fetch returns the result of a fetch, which it shares with other lookups. If the fetch did
// not start or did not end in time, it returns a document that still counts, or a fault that
// is not cached.
func (f *Fetcher[D]) Fetch(ctx context.Context, q Question, now time.Time, o Options) *Entry[D] {
	for {
		e, fault := f.await(ctx, f.request(ctx, q, now, o), o)
		switch {
		case e != nil:
			return e
		case fault == nil:
			continue // after a fetch for another question to the host, whose keys decide the order
		}
		// That says nothing about the host. A refresh asks for a newer document, and whether
		// there is one is not known.
		if stale := f.cache.document(q, now); stale != nil && !o.Refresh {
			return stale
		}
		return &Entry[D]{Question: q, Fault: fault}
	}
}

// Renew starts a fetch in the background if e is renewable. It has no caller, so only o.Sender
// is used.
func (f *Fetcher[D]) Renew(ctx context.Context, e *Entry[D], now time.Time, o Options) {
	if e.Renewable(now) && e.startRenewal(now) {
		r := f.request(ctx, e.Question, now, Options{Sender: o.Sender})
		r.renewal, r.begun = true, now
		f.scheduler.renew(r)
	}
}

// await waits for one fetch. Both results are nil if the request must be made again.
func (f *Fetcher[D]) await(ctx context.Context, r *request, o Options) (*Entry[D], *Fault) {
	if o.Wait != nil {
		if err := o.Wait(ctx); err != nil {
			return nil, Unavailable.Fault("no room to wait for the network", err).Advise("try again later", "")
		}
	}
	if o.Waited != nil {
		defer o.Waited()
	}
	c, fault := f.scheduler.join(r)
	if fault != nil {
		return nil, fault
	}
	defer f.scheduler.leave(r, c)
	if fault := f.scheduler.wait(ctx, c, r.counts && !r.refresh); fault != nil {
		return nil, fault
	}
	e := c.entry
	switch {
	case e == nil || c.Question != r.Question:
		return nil, nil
	case e.Fault != nil && e.Fault.Local:
		return nil, e.Fault
	}
	return e, nil
}

// request returns a request for the answer to q. What is cached decides its priority, and
// otherwise what is known about the sender.
func (f *Fetcher[D]) request(ctx context.Context, q Question, now time.Time, o Options) *request {
	r := newRequest(ctx, q)
	r.refresh, r.slow = o.Refresh, f.cache.isSlow(q, now)
	if known := f.cache.known(q, now); known != nil {
		r.priority, r.counts = priorityKnown, f.limits.Stale || !known.Expired(now)
		r.limitRates(q.Own() || known.verified.Load(), false)
		return r
	}
	r.needsKeys = !q.Own() && f.cache.keysOf(q.Host) == nil
	var sender Sender
	if o.Sender != nil {
		sender = o.Sender()
	}
	switch {
	case sender.Verified:
		r.priority = priorityVerified
	case sender.Issuer != "":
		r.limitIssuer(sender.Issuer)
		return r
	}
	r.limitRates(q.Own() || sender.Verified, sender.Configured)
	return r
}

// fetch makes the fetch of a request and caches the result.
func (f *Fetcher[D]) fetch(r *request) *Entry[D] {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(r.ctx), f.limits.Timeout)
	defer cancel()
	result := f.get(ctx, r.Question)
	return f.cache.add(r.Question, result, f.limits.Now(), r.renewal)
}

// Sizes are numbers of what a Fetcher keeps.
type Sizes struct {
	Documents, Faults         int
	DocumentBytes, FaultBytes int64 // estimates
	Buckets                   int   // of rates
}

// Sizes returns how much f keeps.
func (f *Fetcher[D]) Sizes() (s Sizes) {
	s.Documents, s.DocumentBytes = f.cache.documents.size()
	s.Faults, s.FaultBytes = f.cache.faults.size()
	s.Buckets = f.scheduler.buckets()
	return s
}
