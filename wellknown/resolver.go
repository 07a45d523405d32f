package wellknown

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"golang.org/x/sync/singleflight"

	"github.com/vepverify/vepverify/internal/domain"
)

// Resolver looks authorities up over the network, and keeps what it learns. It
// is safe for concurrent use.
type Resolver struct {
	fetcher fetcher
	policy  policy
	cache   *cache
	flights singleflight.Group
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
		fetcher: fetcher{transport: transport, wire: c.InsecureTransport == nil, proxied: c.Proxy != "", timeout: c.Timeout},
		policy:  newPolicy(c, ports),
		cache:   newCache(c.MaxEntries, c.MaxBytes),
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
// [*LookupError]; when ctx ended first, it matches ErrUnavailable and the
// context's error.
func (r *Resolver) Authority(ctx context.Context, host, emailDomain string) (*Authority, error) {
	return r.lookup(ctx, host, emailDomain, false)
}

// Refresh is Authority that takes nothing older than a minute from memory,
// for when no key fits a certificate: the domain may have new ones. When fetching
// fails it answers as Authority does.
func (r *Resolver) Refresh(ctx context.Context, host, emailDomain string) (*Authority, error) {
	return r.lookup(ctx, host, emailDomain, true)
}

func (r *Resolver) lookup(ctx context.Context, host, emailDomain string, refresh bool) (*Authority, error) {
	if a := r.known(host, emailDomain, refresh); a != nil {
		return a, nil
	}
	ctx, cancel := context.WithTimeout(ctx, r.fetcher.timeout)
	defer cancel()
	return follow(ctx, &lookup{r, r.now(), refresh}, host, emailDomain)
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

// entry gives what is held, or what the one fetch under way brings. The fetch
// serves everybody who waits, so it does not end with the context of
// the one who began it.
func (l *lookup) entry(ctx context.Context, host, emailDomain string) (*entry, *fault) {
	key := cacheKey(host, emailDomain)
	if e := l.cache.held(key, l.at, l.refresh); e != nil {
		return e, nil
	}
	flight := l.flights.DoChan(key, func() (any, error) {
		// Whoever comes just after a fetch ended finds its result here.
		if e := l.cache.held(key, l.now(), l.refresh); e != nil {
			return e, nil
		}
		o := l.fetcher.fetch(context.WithoutCancel(ctx), host, emailDomain)
		return l.cache.learn(host, key, o, l.now()), nil
	})
	select {
	case result := <-flight:
		return result.Val.(*entry), nil
	case <-ctx.Done():
		return nil, unavailable("no answer in time", ctx.Err())
	}
}
