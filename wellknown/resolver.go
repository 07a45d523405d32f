package wellknown

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"github.com/vepverify/vepverify/internal/domain"
)

// Resolver looks authorities up over the network, and keeps what it learns. It
// is safe for concurrent use.
type Resolver struct {
	timeout time.Duration // of a look-up
	fetcher fetcher
	policy  policy
	cache   *cache
	flights *flights
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
	if err := c.check(); err != nil {
		return nil, err
	}
	c = c.withDefaults()
	transport := c.InsecureTransport
	if transport == nil {
		var err error
		if transport, err = c.transport(ports); err != nil {
			return nil, err
		}
	}
	return &Resolver{
		timeout: c.Timeout + c.Timeout/32, // so that whoever began a fetch learns what came of it
		fetcher: newFetcher(c, transport),
		policy:  newPolicy(c, ports),
		cache:   newCache(c.MaxEntries, c.MaxBytes),
		flights: newFlights(c.MaxFetches),
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
// ErrUnavailable and the context's error.
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
	trace := traceOf(ctx)
	if a := r.known(host, emailDomain, refresh); a != nil {
		trace.done(true, nil)
		return a, nil
	}
	ctx, cancel := context.WithTimeout(ctx, r.timeout)
	defer cancel()
	l := &lookup{Resolver: r, at: r.now(), refresh: refresh, trace: trace}
	a, err := follow(ctx, l, host, emailDomain)
	trace.done(!l.waited, err)
	return a, err
}

// known gives the authority of a host whose own document is held and says all.
// It is what nearly every look-up comes to, so it is kept short.
func (r *Resolver) known(host, emailDomain string, refresh bool) *Authority {
	host, hostOK := domain.Parse(host)
	emailDomain, emailOK := domain.Parse(emailDomain)
	if !hostOK || !emailOK || r.policy.check(host) != nil {
		return nil
	}
	if e := r.cache.held(cacheKey(host, emailDomain), r.now(), refresh); e != nil {
		return e.authority.clone()
	}
	return nil
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
	trace   *Trace
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
	return &publication{e.document, e.fetched, e.expires, !l.at.Before(e.expires)}, nil
}

// entry gives what is held, or what a fetch brings. When there was none in
// time, that says nothing about the host: it is not remembered, and a document
// that still counts goes on counting. For a refresh it would say that there is nothing
// newer, which nobody knows.
func (l *lookup) entry(ctx context.Context, host, emailDomain string) (*entry, *fault) {
	key := cacheKey(host, emailDomain)
	if e := l.cache.held(key, l.at, l.refresh); e != nil {
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

// await gives what the one fetch under way brings, which begins if there is
// none. It serves everybody who waits, so it does not end with the context of
// the one who began it.
func (l *lookup) await(ctx context.Context, host, emailDomain string) (*entry, *fault) {
	l.waited = true
	if err := l.trace.wait(ctx); err != nil {
		return nil, unavailable("no room to wait for the network", err)
	}
	defer l.trace.waited()
	key := cacheKey(host, emailDomain)
	held := func() *entry { return l.cache.held(key, l.now(), l.refresh) }
	fetch := func() *entry {
		o := l.fetcher.fetch(context.WithoutCancel(ctx), host, emailDomain)
		return l.cache.learn(host, key, o, l.now())
	}
	f := l.flights.board(key, l.cache.document(key, l.at) != nil, held, fetch)
	if f == nil {
		return nil, unavailable("too many fetches wait for their turn", nil)
	}
	defer l.flights.leave(f)
	select {
	case <-f.landed:
		if fault := f.entry.fault; fault != nil && fault.own {
			return nil, fault
		}
		return f.entry, nil
	case <-ctx.Done():
		return nil, unavailable("no answer in time", ctx.Err())
	}
}
