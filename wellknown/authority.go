package wellknown

import (
	"context"
	"slices"
	"time"

	"github.com/vepverify/vepverify/internal/fetch"
	"github.com/vepverify/vepverify/keys"
)

// maxDelegations is how many delegations are followed (PROTOCOL §3).
const maxDelegations = 5

// Authority is the answer to a lookup: the domain that speaks for the host that was asked,
// and its keys.
type Authority struct {
	// Domain is the authority, in lower case.
	Domain string

	// Delegations are the hosts that delegated, in order, from the host that was asked.
	// Domain is not among them. It is empty if the host speaks for itself.
	Delegations []string

	// Keys are the usable keys, in the order published. There may be none.
	Keys []keys.PublicKey

	// WeakKeys are published keys that only a verifier that allows weak keys may use.
	WeakKeys []keys.PublicKey

	// SkippedKeys are published keys that no verifier uses.
	SkippedKeys []SkippedKey

	// Authentication and Provisioning are paths at Domain.
	Authentication, Provisioning string

	// Fetched is the time at which the oldest of the documents was fetched, and Expires the
	// time at which the first of them expires. Expires is in the past if a host does not
	// answer and its last document still counts. Both are zero if a [Static] answered.
	Fetched, Expires time.Time

	sources *sources // nil if the answer is one document of a Static
}

// sources are the cache entries of an authority. They do not change once it is complete.
type sources struct{ entries []*entry }

// MarkVerified tells the [Resolver] that returned a that one of its keys verified a
// certificate. The cached documents are then evicted last among those of their registrable
// domains, and their renewals have a larger allowance. If no Resolver returned a,
// or a is nil, it does nothing.
func (a *Authority) MarkVerified() {
	if a == nil || a.sources == nil {
		return
	}
	for _, e := range a.sources.entries {
		e.MarkVerified()
	}
}

// source answers questions to single hosts.
type source interface {
	// entry returns an entry with a document or a fault.
	entry(ctx context.Context, q question) *entry
}

// follow returns the authority that answers q. It begins with the entry e of q's host, and
// asks s for the entries of the hosts to which that delegates.
func follow(ctx context.Context, s source, q question, e *entry, now time.Time) (*Authority, error) {
	asked := q.Host
	a := &Authority{Domain: asked}
	for {
		if e.Fault != nil {
			return nil, newLookupError(e.Fault, asked, a.Domain)
		}
		a.add(e)
		next := e.Document.Authority
		if next == "" {
			return a.complete(asked, e, now)
		}
		if f := a.delegate(next); f != nil {
			return nil, newLookupError(f, asked, a.Domain)
		}
		e = s.entry(ctx, q.To(next))
	}
}

// add adds one of the documents that lead to the authority.
func (a *Authority) add(e *entry) {
	if len(a.Delegations) == 0 || e.Fetched.Before(a.Fetched) {
		a.Fetched = e.Fetched
	}
	if len(a.Delegations) == 0 || e.Expires.Before(a.Expires) {
		a.Expires = e.Expires
	}
	if a.sources == nil {
		a.sources = new(sources)
	}
	a.sources.entries = append(a.sources.entries, e)
}

const adviceDelegation = "the domain should delegate to a host that has keys"

// delegate makes next the authority. It returns a fault if the delegations form a circle,
// or if there are too many.
func (a *Authority) delegate(next string) *fetch.Fault {
	a.Delegations = append(a.Delegations, a.Domain)
	if slices.Contains(a.Delegations, next) {
		return fetch.Refused.Fault("delegation in a circle", nil).Advise(adviceDelegation, "")
	}
	if len(a.Delegations) > maxDelegations {
		return fetch.Refused.Fault("too many delegations", nil).Advise(adviceDelegation, "")
	}
	a.Domain = next
	return nil
}

// complete sets the fields that come from the last document, and returns a. If that
// document lacks one of the paths, the error wraps an IncompleteError.
func (a *Authority) complete(asked string, e *entry, now time.Time) (*Authority, error) {
	d := e.Document.Document
	a.Keys, a.WeakKeys, a.SkippedKeys = slices.Clone(d.usable), slices.Clone(d.weak), slices.Clone(d.Skipped)
	a.Authentication, a.Provisioning = d.Authentication, d.Provisioning
	if a.Authentication != "" && a.Provisioning != "" {
		return a, nil
	}
	incomplete := &IncompleteError{Authority: a}
	outcome := fetch.Unsupported
	if e.Expired(now) {
		// The host may have completed its document since. A party that keeps it from
		// answering must not be able to decide that it has not.
		outcome = fetch.Unavailable
	}
	return nil, newLookupError(outcome.Fault(incomplete.Error(), incomplete).Advise(adviceDocument, ""), asked, a.Domain)
}

// soleAuthority returns the authority for host if the document alone determines it: it does
// not delegate and is complete. Otherwise it returns nil.
func (d *Document) soleAuthority(host string, fetched, expires time.Time) *Authority {
	if d.Disabled || d.Authority != "" || d.Authentication == "" || d.Provisioning == "" {
		return nil
	}
	return &Authority{
		Domain: host, Keys: d.usable, WeakKeys: d.weak, SkippedKeys: d.Skipped,
		Authentication: d.Authentication, Provisioning: d.Provisioning, Fetched: fetched, Expires: expires,
	}
}

// clone returns a copy that shares nothing that a caller can change. The copy and room for
// two keys, more than most domains have, are one allocation: BenchmarkCached.
func (a *Authority) clone() *Authority {
	var c struct {
		Authority
		room [2]keys.PublicKey
	}
	c.Authority = *a
	c.Keys = append(c.room[:0:len(c.room)], a.Keys...)
	c.WeakKeys, c.SkippedKeys = slices.Clone(a.WeakKeys), slices.Clone(a.SkippedKeys)
	return &c.Authority
}
