package wellknown

import (
	"context"
	"errors"
	"time"

	"github.com/vepverify/vepverify/internal/domain"
	"github.com/vepverify/vepverify/keys"
	"github.com/vepverify/vepverify/wellknown/internal/fetch"
)

// Resolver looks up authorities over the network and caches what it learns. It is safe for
// concurrent use.
type Resolver struct {
	timeout      time.Duration // of a lookup
	fetchTimeout time.Duration
	client       *fetch.Client
	work         semaphore
	cache        *cache
	scheduler    *scheduler
	now          func() time.Time
}

// NewResolver returns a resolver. It returns an error if a field of c is out of bounds or
// contradicts another, or if the CA file cannot be read.
func NewResolver(c Config) (*Resolver, error) {
	return newResolver(c, 443)
}

// newResolver is NewResolver for hosts on these ports.
func newResolver(c Config, ports ...uint16) (*Resolver, error) {
	if err := c.validate(); err != nil {
		return nil, err
	}
	c = c.withDefaults()
	work := newSemaphore()
	config, err := c.fetchConfig(work, ports)
	if err != nil {
		return nil, err
	}
	r := &Resolver{
		timeout:      c.Timeout + c.Timeout/32, // so that the caller that started a fetch gets its result
		fetchTimeout: c.Timeout,
		client:       fetch.NewClient(config),
		work:         work,
		cache:        newCache(c.MaxEntries, c.MaxBytes),
		now:          c.Now,
	}
	r.scheduler = newScheduler(c, r.cache, r.fetch)
	return r, nil
}

// question is what is asked: host for its support document, for emails of emailDomain. Both
// names are valid and in lower case. It is the key of the cache and of fetches in progress.
type question struct{ host, emailDomain string }

// parseQuestion returns the question to host for emails of emailDomain. It returns false if
// one of the names is not a domain.
func parseQuestion(host, emailDomain string) (question, bool) {
	host, hostOK := domain.Parse(host)
	if emailDomain, emailOK := domain.Parse(emailDomain); hostOK && emailOK {
		return question{host, emailDomain}, true
	}
	return question{}, false
}

// to returns the same question to another host.
func (q question) to(host string) question { return question{host, q.emailDomain} }

// own reports whether the question is about the host's own emails.
func (q question) own() bool { return q.host == q.emailDomain }

// Authority returns the authority for host and for emails of emailDomain. If there is no
// email, emailDomain is the host.
//
// The error is a [*LookupError]. If ctx ended before there was an answer, it matches
// ErrUnavailable and the context's error. If an older document still counts, Authority
// waits for a newer one for at most a second, and for at most 50 ms while its fetch is
// queued.
func (r *Resolver) Authority(ctx context.Context, host, emailDomain string) (*Authority, error) {
	return r.lookUp(ctx, host, emailDomain, nil, false)
}

// SignatureCheck verifies a certificate with cached keys, for [Resolver.AuthorityFor]. If
// they verify it, the lookup has a higher priority and a larger allowance of fetches.
// Nothing else depends on the check: the answer for one email domain is never used for
// another.
type SignatureCheck struct {
	// Verifies reports whether one of the keys verifies the certificate. It should try only
	// a few of them. It is called before the lookup waits for a fetch, and before a cached
	// ErrUnsupported is renewed in the background; always in the caller's goroutine, and
	// never between [Hooks.Wait] and Waited. Nil means that no key verifies it.
	Verifies func(cached []keys.PublicKey) bool

	// Fallback is the verifier's fallback. If it issued the certificate, or if its cached
	// document for the email domain delegates to the host that did, the cached keys of that
	// host are tried for the first lookup of an email domain about which nothing is cached.
	// Fallback must not be a host that the sender of the certificate chose. Empty means none.
	Fallback string

	// Issuer is the host that issued the certificate. Empty means Fallback. If Fallback is
	// asked, the cached keys of another issuer give no priority, but an allowance of their
	// own. Its document may be fetched for that.
	Issuer string
}

// verified reports whether the keys of e verify the certificate. Both c and e may be nil.
// The fallback's keys are not tried for a certificate of another issuer: they cannot verify
// it, and Verifies tries only a few keys.
func (c *SignatureCheck) verified(e *entry) bool {
	switch {
	case c == nil || e == nil || c.Verifies == nil:
		return false
	case e.host == c.Fallback && c.issuer() != c.Fallback:
		return false
	}
	return c.Verifies(e.document.usable)
}

// issuer returns the host that issued the certificate.
func (c *SignatureCheck) issuer() string {
	if c.Issuer == "" {
		return c.Fallback
	}
	return c.Issuer
}

// asksForDelegate reports whether q asks the fallback about a certificate of another
// issuer. The receiver may be nil.
func (c *SignatureCheck) asksForDelegate(q question) bool {
	return c != nil && q.host == c.Fallback && c.issuer() != c.Fallback
}

// AuthorityFor is Authority for the certificate of check. If cached keys verify the
// certificate, the lookup has a higher priority. A nil check means that there is no
// certificate. AuthorityFor does not use the check after it has returned.
func (r *Resolver) AuthorityFor(ctx context.Context, host, emailDomain string, check *SignatureCheck) (*Authority, error) {
	return r.lookUp(ctx, host, emailDomain, check, false)
}

// Refresh is Authority with cache entries that are at most a minute old. It is for a
// certificate that no key of the authority verifies: the domain may have new keys. If a fetch
// fails, Refresh returns what Authority would. If there was no time for a fetch or it could
// not start, Refresh returns ErrUnavailable, because it is not known whether there are
// newer keys.
func (r *Resolver) Refresh(ctx context.Context, host, emailDomain string) (*Authority, error) {
	return r.lookUp(ctx, host, emailDomain, nil, true)
}

// lookUp makes a lookup. The first return is for most of them: the cached document of the
// host alone determines the answer.
func (r *Resolver) lookUp(ctx context.Context, host, emailDomain string, check *SignatureCheck, refresh bool) (*Authority, error) {
	hooks := hooksOf(ctx)
	q, ok := parseQuestion(host, emailDomain)
	if !ok {
		err := notDomain()
		hooks.done(true, err)
		return nil, err
	}
	now := r.now()
	e := r.cache.get(q, now, refresh)
	if e != nil && e.authority != nil {
		r.renewIfDue(ctx, e, check, now)
		hooks.done(true, nil)
		return e.authority.clone(), nil
	}
	ctx, cancel := context.WithTimeout(ctx, r.timeout)
	defer cancel()
	l := &lookup{Resolver: r, now: now, check: check, refresh: refresh, hooks: hooks}
	a, err := follow(ctx, l, q, l.use(ctx, q, e), now)
	hooks.done(!l.waited, err)
	return a, err
}

// lookup is one lookup of a Resolver. It is a [source].
type lookup struct {
	*Resolver
	now     time.Time // when the lookup began
	check   *SignatureCheck
	refresh bool
	hooks   *Hooks
	waited  bool // for the network
}

// entry implements source.
func (l *lookup) entry(ctx context.Context, q question) *entry {
	return l.use(ctx, q, l.cache.get(q, l.now, l.refresh))
}

// use returns the cache entry e, or the result of a fetch if e is nil.
func (l *lookup) use(ctx context.Context, q question, e *entry) *entry {
	if e != nil {
		l.renewIfDue(ctx, e, l.check, l.now)
		return e
	}
	if f := l.client.CheckHost(q.host); f != nil {
		return &entry{question: q, fault: f}
	}
	e, f := l.await(ctx, q)
	if f == faultRate && l.fetchIssuer(ctx, q) {
		e, f = l.await(ctx, q)
	}
	if f == nil {
		return e
	}
	// The fetch did not start or did not end in time, which says nothing about the host: it
	// is not cached, and a document that still counts is used. Refresh asks for a newer
	// one, and whether there is one is not known.
	if stale := l.cache.document(q, l.now); stale != nil && !l.refresh {
		return stale
	}
	return &entry{question: q, fault: f}
}

// fetchIssuer fetches the keys of the certificate's issuer, if q asks the fallback and none
// of them is cached. It reports whether they verify the certificate, so that another rate
// limits the fetch.
func (l *lookup) fetchIssuer(ctx context.Context, q question) bool {
	if !l.check.asksForDelegate(q) || l.cache.keysOf(l.check.Issuer) != nil {
		return false
	}
	issuer, ok := parseQuestion(l.check.Issuer, l.check.Issuer)
	return ok && l.entry(ctx, issuer).hasKeys() && l.check.verified(l.cache.keysOf(issuer.host))
}

// await returns the result of a fetch, which it shares with other lookups. It tries again
// after a fetch for another email domain of the host, whose keys decide the order.
func (l *lookup) await(ctx context.Context, q question) (*entry, *fetch.Fault) {
	l.waited = true
	for {
		e, f := l.awaitOne(ctx, l.request(ctx, q, l.check, l.now))
		if e != nil || f != nil {
			return e, f
		}
	}
}

// awaitOne waits for one fetch. Both results are nil if the request must be made again.
func (l *lookup) awaitOne(ctx context.Context, r *request) (*entry, *fetch.Fault) {
	r.refresh = l.refresh
	if err := l.hooks.wait(ctx); err != nil {
		return nil, fetch.Unavailable.Fault("no room to wait for the network", err).Advise("try again later", "")
	}
	defer l.hooks.waited()
	c, f := l.scheduler.join(r)
	if f != nil {
		return nil, f
	}
	defer l.scheduler.leave(r, c)
	stale := r.priority == priorityKnown && !l.refresh
	if f := l.scheduler.wait(ctx, c, stale); f != nil {
		return nil, f
	}
	e := c.entry
	switch {
	case e == nil || c.question != r.question:
		return nil, nil
	case e.fault != nil && e.fault.Local:
		return nil, e.fault
	}
	return e, nil
}

// request returns a request for the answer to q. What is cached decides its priority.
func (r *Resolver) request(ctx context.Context, q question, check *SignatureCheck, now time.Time) *request {
	document, hostKeys := r.cache.document(q, now), r.cache.keysOf(q.host)
	req := newRequest(ctx, q)
	req.slow = r.cache.isSlow(q, now)
	req.needsKeys = document == nil && hostKeys == nil && !q.own()
	verified := q.own()
	switch {
	case document != nil:
		req.priority = priorityKnown
		verified = verified || document.verified.Load()
	case check.verified(hostKeys), r.verifiedByFallback(check, q, now):
		req.priority = priorityVerified
		verified = true
	case check.asksForDelegate(q) && check.verified(r.cache.keysOf(check.Issuer)):
		req.limitIssuer(check.Issuer)
		return req
	}
	req.limitRates(verified, check != nil && r.cache.authority(q.to(check.Fallback), now) == q.host)
	return req
}

// verifiedByFallback reports whether a question is about the host's own emails, no key of
// the host is cached, and the certificate is verified by cached keys of the fallback or, if
// its cached document for these emails delegates, of its delegate.
//
// A delegate vouches only for email domains that the fallback is known to delegate to it.
func (r *Resolver) verifiedByFallback(check *SignatureCheck, q question, now time.Time) bool {
	if !q.own() || check == nil || check.Fallback == "" || r.cache.keysOf(q.host) != nil {
		return false
	}
	host := r.cache.authority(q.to(check.Fallback), now)
	return host == check.issuer() && check.verified(r.cache.keysOf(host))
}

// renewIfDue starts a fetch in the background if e is in the last quarter of its life. An
// ErrUnsupported is renewed only if the fallback's keys verify the certificate.
func (r *Resolver) renewIfDue(ctx context.Context, e *entry, check *SignatureCheck, now time.Time) {
	if !e.renewable(now) {
		return
	}
	if e.document == nil && !r.verifiedByFallback(check, e.question, now) {
		return
	}
	if e.startRenewal(now) {
		req := r.request(ctx, e.question, check, now)
		req.renewal, req.begun = true, now
		r.scheduler.renew(req)
	}
}

// fetch fetches what a request asks for and caches the result. A fetch serves all callers
// that wait for it, so it does not end with the context of the one that started it.
func (r *Resolver) fetch(req *request) *entry {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(req.ctx), r.fetchTimeout)
	defer cancel()
	answer, f := r.client.Get(ctx, req.host, req.emailDomain)
	e := &entry{question: req.question, fault: f}
	if f == nil {
		r.read(ctx, e, answer)
	}
	e.life = lifetime(e.fault, answer.CacheControl)
	return r.cache.add(e, r.now(), req.renewal)
}

// read parses an answer, and sets the document of e or its fault.
func (r *Resolver) read(ctx context.Context, e *entry, answer fetch.Answer) {
	release, err := r.work.acquire(ctx)
	if err != nil {
		e.fault = fetch.LocalFault("no room to read the document", err).Advise("try again later", "")
		return
	}
	defer release()
	text, f := answer.Text()
	if f != nil {
		e.fault = f
		return
	}
	e.size = len(text)
	d, err := ParseDocument(text)
	if e.fault = documentFault(d, err, answer); e.fault == nil {
		e.document = d
	}
}

const adviceDocument = "the host should correct its support document"

// documentFault returns the fault of a body that was parsed as d, or with an error. It
// returns nil if d is a document that can be used.
func documentFault(d *Document, err error, answer fetch.Answer) *fetch.Fault {
	switch {
	case err == nil && d.Authority != "" && answer.Gzip:
		// Otherwise one lookup could decompress six bodies.
		return fetch.Refused.FaultByHost("a delegation in gzip").Advise("the host should send it without a content coding", "")
	case errors.Is(err, errLimit):
		return fetch.Refused.FaultByHost(err.Error()).Advise("the host should serve a smaller document", "")
	case err != nil && answer.EndUnknown:
		return fetch.Unavailable.Fault("answer cut off, or malformed", nil).Advise(adviceDocument, "")
	case err != nil:
		return fetch.Unsupported.FaultByHost(err.Error()).Advise(adviceDocument, "")
	case d.Disabled:
		return fetch.Unsupported.FaultByHost("disabled")
	}
	return nil
}
