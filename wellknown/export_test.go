package wellknown

import (
	"net/netip"

	"github.com/vepverify/vepverify/internal/fetch"
)

// NewResolverWithPort is NewResolver with port in place of 443, so that a test's listener
// can be reached if only the guard of addresses forbids it.
func NewResolverWithPort(c Config, port uint16) (*Resolver, error) { return newResolver(c, port) }

// NewResolverWithPublic is NewResolverWithPort with one address of this machine that counts
// as public.
func NewResolverWithPublic(c Config, port uint16, public netip.Addr) (*Resolver, error) {
	r, err := newResolver(c, port)
	if err != nil {
		return nil, err
	}
	config := c.client(r.work, []uint16{port})
	config.Exempt = []netip.Prefix{netip.PrefixFrom(public, public.BitLen())}
	r.client, err = fetch.NewClient(config)
	return r, err
}

// CacheSize returns the numbers of cached documents and of other outcomes, and their
// estimated sizes in bytes.
func (r *Resolver) CacheSize() (documents, faults int, documentBytes, faultBytes int64) {
	s := r.fetcher.Sizes()
	return s.Documents, s.Faults, s.DocumentBytes, s.FaultBytes
}

// IsCached reports whether a lookup needs no fetch. It counts as a use of the entry.
func IsCached(r *Resolver, host, emailDomain string) bool {
	return r.fetcher.Cached(question{Host: host, For: emailDomain}, r.now(), false) != nil
}

// OccupyLoads takes all room for the work described at Hooks.Load, until free is called.
func OccupyLoads(r *Resolver) (free func()) {
	for range cap(r.work.Work) {
		r.work.Work <- struct{}{}
	}
	return func() {
		for range cap(r.work.Work) {
			<-r.work.Work
		}
	}
}

// Buckets returns how many buckets of rates are kept.
func Buckets(r *Resolver) int { return r.fetcher.Sizes().Buckets }
