package wellknown

import (
	"context"
	"slices"
	"time"

	"github.com/vepverify/vepverify/internal/domain"
	"github.com/vepverify/vepverify/keys"
)

// maxDelegations is how often authority may be handed on (PROTOCOL §3).
const maxDelegations = 5

// Authority is who speaks for a domain, and by which keys.
type Authority struct {
	Domain string // who speaks for the domain asked about, lower case
	// Delegations are the hosts passed on the way, in order: first the host
	// asked, not Domain. Empty when the host asked speaks for itself.
	Delegations []string
	Keys        []keys.PublicKey // usable, in the order published; may be empty
	WeakKeys    []keys.PublicKey // published but weak: only for a verifier that allows them

	// Authentication and Provisioning are paths at Domain.
	Authentication, Provisioning string

	// Fetched is when the oldest document on the way was fetched, Expires when
	// the first of them expires; in the past when a host does not answer and
	// its last document still counts. Zero when a [Static] answered.
	Fetched, Expires time.Time

	sources *sources // of a Resolver; nil of another source
}

// sources are the cache entries that an authority comes from. They are not
// changed once the authority is complete.
type sources struct{ entries []*entry }

// MarkVerified tells the [Resolver] that gave a that one of its keys verified a
// certificate. The documents that it comes from are then evicted last among
// those of their registrable domains, and their renewals are less limited. It
// does nothing for an authority of another source.
func (a *Authority) MarkVerified() {
	if a.sources == nil {
		return
	}
	for _, e := range a.sources.entries {
		if !e.verified.Load() {
			e.verified.Store(true)
		}
	}
}

// source gives the support documents of single hosts. Both names are valid
// and in lower case. Exactly one of the results is nil.
type source interface {
	document(ctx context.Context, host, emailDomain string) (*publication, *fault)
}

// publication is a support document and how old it is.
type publication struct {
	*Document
	fetched, expires time.Time
	stale            bool
	entry            *entry // nil if it is not a Resolver's
}

// follow asks host for its document, and whomever it delegates to.
func follow(ctx context.Context, s source, host, emailDomain string) (*Authority, error) {
	asked, hostOK := domain.Parse(host)
	emailDomain, emailOK := domain.Parse(emailDomain)
	if !hostOK || !emailOK {
		return nil, refused("not a domain", nil).of("", "")
	}
	a := &Authority{Domain: asked}
	for {
		p, f := s.document(ctx, a.Domain, emailDomain)
		if f != nil {
			return nil, f.of(asked, a.Domain)
		}
		a.date(p)
		a.from(p.entry)
		if p.Authority == "" {
			return a.complete(asked, p)
		}
		if f := a.delegate(p.Authority); f != nil {
			return nil, f.of(asked, a.Domain)
		}
	}
}

// date notes how old one of the documents on the way is.
func (a *Authority) date(p *publication) {
	if len(a.Delegations) == 0 || p.fetched.Before(a.Fetched) {
		a.Fetched = p.fetched
	}
	if len(a.Delegations) == 0 || p.expires.Before(a.Expires) {
		a.Expires = p.expires
	}
}

// from notes one of the entries on the way; nil means no entry.
func (a *Authority) from(e *entry) {
	if e == nil {
		return
	}
	if a.sources == nil {
		a.sources = new(sources)
	}
	a.sources.entries = append(a.sources.entries, e)
}

// delegate makes next the authority.
func (a *Authority) delegate(next string) *fault {
	a.Delegations = append(a.Delegations, a.Domain)
	if slices.Contains(a.Delegations, next) {
		return refused("delegation in a circle", nil)
	}
	if len(a.Delegations) > maxDelegations {
		return refused("too many delegations", nil)
	}
	a.Domain = next
	return nil
}

// complete fills in what the last document says.
func (a *Authority) complete(asked string, p *publication) (*Authority, error) {
	a.Keys, a.WeakKeys = slices.Clone(p.usable), slices.Clone(p.weak)
	a.Authentication, a.Provisioning = p.Authentication, p.Provisioning
	if a.Authentication != "" && a.Provisioning != "" {
		return a, nil
	}
	incomplete := &IncompleteError{Authority: a}
	f := unsupported(incomplete.Error(), incomplete)
	if p.stale {
		// The host may have mended its document by now; whoever keeps it
		// from answering must not decide that it has not.
		f = unavailable(incomplete.Error(), incomplete)
	}
	return nil, f.of(asked, a.Domain)
}

// soleAuthority is host, when its document delegates to nobody and lacks
// nothing; else nil.
func (d *Document) soleAuthority(host string, fetched, expires time.Time) *Authority {
	if d.Disabled || d.Authority != "" || d.Authentication == "" || d.Provisioning == "" {
		return nil
	}
	return &Authority{
		Domain: host, Keys: d.usable, WeakKeys: d.weak,
		Authentication: d.Authentication, Provisioning: d.Provisioning, Fetched: fetched, Expires: expires,
	}
}

// clone gives a copy that shares nothing that can be changed, nil of nil. There
// is room for the keys that most domains have in the same piece of memory.
func (a *Authority) clone() *Authority {
	if a == nil {
		return nil
	}
	var c struct {
		Authority
		room [2]keys.PublicKey
	}
	c.Authority = *a
	c.Keys = append(c.room[:0:len(c.room)], a.Keys...)
	c.WeakKeys = slices.Clone(a.WeakKeys)
	return &c.Authority
}
