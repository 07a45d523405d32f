package wellknown

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/vepverify/vepverify/internal/domain"
	"github.com/vepverify/vepverify/internal/registrable"
)

// Resolver looks authorities up over the network, and keeps what it learns. It
// is safe for concurrent use.
type Resolver struct {
	timeout time.Duration // of a look-up
	fetcher fetcher
	policy  policy
	cache   *cache
	calls   *scheduler
	now     func() time.Time
}

// NewResolver makes a resolver, and errs when the configuration contradicts
// itself or its CA file cannot be read.
func NewResolver(c Config) (*Resolver, error) {
	r, err := newResolver(c, 443)
	if err != nil {
		return nil, fmt.Errorf("wellknown: %w", err)
	}
	return r, nil
}

func newResolver(c Config, ports ...uint16) (*Resolver, error) {
	if err := c.validate(); err != nil {
		return nil, err
	}
	c = c.withDefaults()
	transport, reading := c.InsecureTransport, newLoads()
	if transport == nil {
		var err error
		if transport, err = c.transport(ports, reading); err != nil {
			return nil, err
		}
	}
	held := newCache(c.MaxEntries, c.MaxBytes)
	return &Resolver{
		timeout: c.Timeout + c.Timeout/32, // so that whoever began a fetch learns what came of it
		fetcher: newFetcher(c, transport, reading),
		policy:  newPolicy(c, ports),
		cache:   held,
		calls:   newScheduler(c, func() bool { return !held.good.empty() }),
		now:     c.Now,
	}, nil
}

func newPolicy(c Config, ports []uint16) policy {
	p := policy{anything: c.InsecureAllowPrivate}
	for _, port := range ports {
		p.ports = append(p.ports, strconv.Itoa(int(port)))
	}
	return p
}

// Authority says who speaks for host to a verifier that met an email of
// emailDomain (host itself, where no email is at issue). The error is a
// [*LookupError]; when ctx ended before there was an answer, it matches
// ErrUnavailable and the context's error. It waits at most a second if a
// document is held that still counts, and at most 50 ms if there is no turn to
// fetch a newer one.
func (r *Resolver) Authority(ctx context.Context, host, emailDomain string) (*Authority, error) {
	return r.lookup(ctx, host, emailDomain, false)
}

// Refresh is Authority that takes nothing older than a minute from memory,
// for when no key fits a certificate: the domain may have new ones. When fetching
// fails it answers as Authority does; when there was no time for it, or no
// turn, it is ErrUnavailable, because nothing was learnt about newer keys.
func (r *Resolver) Refresh(ctx context.Context, host, emailDomain string) (*Authority, error) {
	return r.lookup(ctx, host, emailDomain, true)
}

func (r *Resolver) lookup(ctx context.Context, host, emailDomain string, refresh bool) (*Authority, error) {
	hooks := hooksOf(ctx)
	if a := r.known(ctx, host, emailDomain, refresh); a != nil {
		hooks.done(true, nil)
		return a, nil
	}
	ctx, cancel := context.WithTimeout(ctx, r.timeout)
	defer cancel()
	l := &lookup{Resolver: r, at: r.now(), refresh: refresh, hooks: hooks, check: signatureCheckOf(ctx)}
	a, err := follow(ctx, l, host, emailDomain)
	hooks.done(!l.waited, err)
	return a, err
}

// known returns the authority of a host whose own document is held and says all.
// It is what nearly every look-up comes to, so it is kept short.
func (r *Resolver) known(ctx context.Context, host, emailDomain string, refresh bool) *Authority {
	host, hostOK := domain.Parse(host)
	emailDomain, emailOK := domain.Parse(emailDomain)
	if !hostOK || !emailOK || r.policy.check(host) != nil {
		return nil
	}
	now := r.now()
	if e := r.cache.held(cacheKey(host, emailDomain), now, refresh); e != nil && e.authority != nil {
		if e.renewable(now) && e.startRenewal(now) {
			r.renew(ctx, host, emailDomain)
		}
		return e.authority.clone()
	}
	return nil
}

// renew fetches what is held and in use anew in the background.
func (r *Resolver) renew(ctx context.Context, host, emailDomain string) {
	l := &lookup{Resolver: r, at: r.now(), renews: true, check: signatureCheckOf(ctx)}
	q := l.request(ctx, host, emailDomain)
	begun := l.at
	q.held = func() *entry { // nothing that is older
		if e := r.cache.held(q.key, r.now(), false); e != nil && e.fetched.After(begun) {
			return e
		}
		return nil
	}
	r.calls.renew(q)
}

// cacheKey is unambiguous, as domains have no spaces.
func cacheKey(host, emailDomain string) string {
	if host == emailDomain {
		return host
	}
	return host + " " + emailDomain
}

// lookup is a [source] at one point in time.
type lookup struct {
	*Resolver
	at      time.Time
	refresh bool
	renews  bool // in the background
	hooks   *Hooks
	check   *SignatureCheck
	waited  bool // not all was held
}

func (l *lookup) document(ctx context.Context, host, emailDomain string) (*publication, *fault) {
	if f := l.policy.check(host); f != nil {
		return nil, f
	}
	e, f := l.entry(ctx, host, emailDomain)
	if f == nil {
		f = e.fault
	}
	if f != nil {
		return nil, f
	}
	return &publication{e.document, e.fetched, e.expires, !l.at.Before(e.expires), e}, nil
}

// entry returns what is held, or what a fetch brings. When there was none in
// time, that says nothing about the host: it is not remembered, and a document
// that still counts goes on counting. For a refresh it would say that there is
// nothing newer, which is not known.
func (l *lookup) entry(ctx context.Context, host, emailDomain string) (*entry, *fault) {
	key := cacheKey(host, emailDomain)
	if e := l.cache.held(key, l.at, l.refresh); e != nil {
		if e.renewable(l.at) && (e.document != nil || l.isGuest(host, emailDomain)) && e.startRenewal(l.at) {
			l.renew(ctx, host, emailDomain)
		}
		return e, nil
	}
	e, f := l.await(ctx, host, emailDomain)
	if f == nil || l.refresh {
		return e, f
	}
	if good := l.cache.document(key, l.at); good != nil {
		return good, nil
	}
	return nil, f
}

// await returns what the one fetch under way brings, which begins if there is
// none. It tries again after a fetch for another email domain, whose keys decide
// the order.
func (l *lookup) await(ctx context.Context, host, emailDomain string) (*entry, *fault) {
	l.waited = true
	for {
		e, f := l.turn(ctx, l.request(ctx, host, emailDomain))
		if e != nil || f != nil {
			return e, f
		}
	}
}

// turn waits for r. Both results are nil if r must be made anew.
func (l *lookup) turn(ctx context.Context, r *request) (*entry, *fault) {
	if err := l.hooks.wait(ctx); err != nil {
		return nil, unavailable("no room to wait for the network", err)
	}
	defer l.hooks.waited()
	c, f := l.calls.join(r)
	if f != nil {
		return nil, f
	}
	defer l.calls.leave(r, c)
	if f := l.calls.wait(ctx, c, r.priority == priorityKnown && !l.refresh); f != nil {
		return nil, f
	}
	switch {
	case c.entry == nil || c.key != r.key:
		return nil, nil
	case c.entry.fault != nil && c.entry.fault.own:
		return nil, c.entry.fault
	}
	return c.entry, nil
}

// request returns what to fetch, and how urgent that is by what is held. Keys
// that are held decide only the order.
func (l *lookup) request(ctx context.Context, host, emailDomain string) *request {
	key := cacheKey(host, emailDomain)
	document, held := l.cache.document(key, l.at), l.cache.good.keysOf(host)
	own := host == emailDomain
	learn := l.cache.learn
	if l.renews {
		learn = l.cache.relearn
	}
	r := &request{
		host: host, domain: registrable.Domain(host), key: key, priority: priorityOther,
		slow: l.cache.silent(key, l.at), follows: document == nil && held == nil && !own, renews: l.renews,
		held: func() *entry { return l.cache.held(key, l.now(), l.refresh) },
		keys: func() bool { return l.cache.good.keysOf(host) != nil },
		// It serves all who wait, so it does not end with the context of the one
		// who began it.
		fetch: func() *entry {
			o := l.fetcher.fetch(context.WithoutCancel(ctx), host, emailDomain)
			return learn(host, key, o, l.now())
		},
	}
	switch {
	case document != nil:
		r.priority, r.vouched = priorityKnown, own || document.verified.Load()
	case l.check.verified(held):
		r.priority, r.vouched = priorityVerified, true
	case l.isGuest(host, emailDomain):
		r.priority, r.vouched = priorityVerified, true
	default:
		r.vouched = own
	}
	r.limit()
	return r
}

// isGuest reports whether the look-up is for the host's own emails, no key of the
// host is held, and keys held of the fallback verify the certificate.
func (l *lookup) isGuest(host, emailDomain string) bool {
	return host == emailDomain && l.check != nil && l.check.Fallback != "" && l.cache.good.keysOf(host) == nil &&
		l.check.verified(l.cache.good.keysOf(l.check.Fallback))
}

// limit sets the buckets that the fetch takes from.
func (r *request) limit() {
	byHost := &hostRate
	if r.vouched {
		byHost = &vouchedRate
	}
	r.buckets = append(r.buckets, bucketKey{r.host, byHost})
	if name, _, _ := strings.Cut(r.host, ":"); name != r.domain && r.priority == priorityOther {
		r.buckets = append(r.buckets, bucketKey{r.domain, &domainRate})
	}
}
