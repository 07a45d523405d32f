package wellknown

import (
	"context"
	"net"
	"net/http"
	"net/netip"

	"code.dny.dev/ssrf"
)

// NewPatient is the connection that http.Transport gets.
func NewPatient(c net.Conn) net.Conn { return newPatient(c) }

// NewResolverWithPort is NewResolver that takes port for 443, so that a test's
// listener could be reached if nothing but its address forbade it.
func NewResolverWithPort(c Config, port uint16) (*Resolver, error) { return newResolver(c, port) }

// Held gives how many documents and other outcomes are kept, and the bytes
// that they count for.
func (r *Resolver) Held() (good, bad int, goodBytes, badBytes int64) {
	g, b := r.cache.good, r.cache.bad
	return g.items.ItemCount(), b.items.ItemCount(), g.bytes, b.bytes
}

// Cached reports whether a look-up needs no fetch. It counts as a use of the entry.
func Cached(ctx context.Context, r *Resolver, host, emailDomain string) bool {
	return r.known(ctx, host, emailDomain, false) != nil
}

// FollowFrom is r.Authority(ctx, host, host) with the first document given.
func FollowFrom(ctx context.Context, r *Resolver, host, first string) (*Authority, error) {
	document, err := ParseDocument([]byte(first))
	if err != nil {
		return nil, err
	}
	r.cache.learn(host, host, outcome{document: document}, r.now())
	return r.Authority(ctx, host, host)
}

// NewResolverWithPublic is NewResolverWithPort that takes one address of this
// machine for a public one.
func NewResolverWithPublic(c Config, port uint16, public netip.Addr) (*Resolver, error) {
	r, err := newResolver(c, port)
	if err != nil {
		return nil, err
	}
	exempt := ssrf.WithAllowedV4Prefixes(netip.PrefixFrom(public, public.BitLen()))
	d := newDialer(c, c.RootCAs, nil, nil, newLoads())
	d.guard = ssrf.New(ssrf.WithPorts(port), exempt).Safe
	r.fetcher.transport.(*http.Transport).DialTLSContext = d.dial
	return r, nil
}

// OccupyLoads takes all room for reading documents, until free is called.
func OccupyLoads(r *Resolver) (free func()) {
	for range cap(r.fetcher.loads) {
		r.fetcher.loads <- struct{}{}
	}
	return func() {
		for range cap(r.fetcher.loads) {
			<-r.fetcher.loads
		}
	}
}

// Buckets returns how many buckets of rates are kept.
func Buckets(r *Resolver) int { return len(r.calls.rates.buckets) }
