package evp

import (
	"context"
	"errors"
	"io"

	"github.com/vepverify/vepverify/evp/internal/discovery"
)

// Discovery is what is known about the issuer of a domain's addresses, for people.
type Discovery = discovery.Discovery

// Metadata is what an issuer's metadata says.
type Metadata = discovery.Metadata

// Entry is an entry of a key set.
type Entry = discovery.Entry

// Assessment is what a profile says about what an issuer publishes.
type Assessment = discovery.Assessment

// Lookup returns what is known about the issuer of a domain's addresses: TXT records,
// metadata and key set, and what each profile says about them. It asks what Verify asks,
// with the same limits and caches, or the bundle.
//
// If a step failed, the field Err is an [*Error] that matches assertion.ErrRejected or
// assertion.ErrUndecided, or assertion.ErrMisuse for a call that is wrong.
func (v *Verifier) Lookup(ctx context.Context, domain string) *Discovery {
	if err := v.checkLookup(ctx); err != nil {
		return &Discovery{Domain: domain, Err: err}
	}
	d := v.source.(describer).Describe(ctx, domain)
	d.Err = lookupError(domain, d.Err)
	return d
}

// describer is what the sources of a Verifier are.
type describer interface {
	Describe(ctx context.Context, domain string) *Discovery
}

// checkLookup returns an error if Lookup or Save is called wrongly.
func (v *Verifier) checkLookup(ctx context.Context) error {
	if err := v.checkMade(); err != nil {
		return err
	}
	if ctx == nil {
		return misuse("nil context")
	}
	return nil
}

// lookupError returns the error for one of a source, nil if that is nil.
func lookupError(domain string, err error) error {
	if err == nil {
		return nil
	}
	expected := "one TXT record at " + discovery.TXTPrefix + domain + ", metadata of the issuer, and a key set"
	return lookupFailed(domain, expected, err)
}

// Save looks up domains and writes a bundle of their TXT records and of the documents of
// their issuers, which [ParseBundle] reads. A domain without a TXT record is written as
// null. The text is the same for the same documents.
//
// Save writes nothing if it returns an error. If something cannot be fetched or is not
// valid, that is an [*Error] that matches assertion.ErrUndecided or assertion.ErrRejected.
// If the verifier has a bundle, it matches assertion.ErrMisuse.
func (v *Verifier) Save(ctx context.Context, w io.Writer, domains ...string) error {
	if err := v.checkLookup(ctx); err != nil {
		return err
	}
	network, ok := v.source.(*discovery.Network)
	if !ok {
		return misuse("Save of a verifier with a bundle, which uses no network")
	}
	err := network.Save(ctx, w, domains...)
	var lookup *discovery.Error
	if errors.As(err, &lookup) {
		return lookupError(lookup.Domain, err)
	}
	return err
}
