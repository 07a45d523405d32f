// Package discovery finds the issuer of a domain's addresses, and the issuer's keys (rules 8
// and 9 of docs/EVP.md).
//
// A [Source] answers two questions: which host issues for a domain, and which keys that host
// publishes. A [Network] asks DNS and the issuers, within the limits of package
// internal/fetch. A [Bundle] answers from a file, which [Network.Save] writes.
// [ParseRecords], [ParseMetadata] and [ParseEntries] parse what they find.
//
// # Outcomes
//
// Every error is an [*Error]. It is Refused if the domain or the issuer itself answered
// something that breaks a rule, and if a host must not be contacted. Every other cause is
// Unavailable. An error contains nothing that a remote host sent.
//
// # Limits
//
//	TXT records       one, of at most 257 bytes; of longer answers 16 records of 512 bytes
//	                  are kept, to show them
//	documents         64 KiB, 1000 members and 2000 commas each, in all objects together
//	jwks_uri          https, port 443, a host name, 2048 bytes
//	key set           64 entries
//	time              Config.Timeout for the TXT lookup, and again for both documents
//	uncached issuers  64 at once, then 1/s, for the addresses of one registrable domain
//
// The domain of an address names its issuer, and the issuer names the host of its key set.
// Both may be hosts of another party. So fetches are limited by the domain of the address,
// and metadata and key set are one fetch and one cache entry of the issuer: the allowance of
// a host cannot be used up by naming it.
//
// # Caching
//
//	TXT record                  5 min, whatever its TTL; 1 min if it does not exist or is
//	                            malformed; 5 s if it is not known. Never longer
//	metadata and key set        the shorter Cache-Control of both, from 1 min to 24 h; 1 h
//	                            without it
//	an error of the issuer      from 1 to 5 min, 5 s if it is unavailable
//
// Metadata and key set count for 24 h more if the issuer does not answer, until it answers
// otherwise. For a token that no key verifies they are fetched again, once in a minute at
// most.
//
// # What is not checked
//
// DNS answers are not authenticated. With a proxy, TXT records are looked up without it, and
// the proxy resolves the names of hosts and must itself reject private targets.
package discovery

import (
	"context"
	"time"

	"github.com/vepverify/vepverify/evp/internal/jose"
)

// Source finds issuers and their keys. The errors are of type *[Error].
type Source interface {
	// Issuer returns the host of the issuer that the domain of an email address
	// names in DNS.
	Issuer(ctx context.Context, emailDomain string) (host string, err error)
	// Keys returns the keys of an issuer. The domain of the email address is the one that
	// names the issuer in DNS: fetches are limited by that domain, because it chose the
	// issuer. With refresh, the source asks the issuer again although it has an answer,
	// unless it did so a moment ago.
	Keys(ctx context.Context, issuer, emailDomain string, refresh bool) (*KeySet, error)
}

// KeySet is what an issuer publishes. It must not be modified.
type KeySet struct {
	// Keys are the usable entries of the JWKS, in their order.
	Keys []*jose.PublicKey
	// HasIssuer reports whether the metadata names the issuer.
	HasIssuer bool
	// Fetched is when the keys were fetched. It is zero if they are from a file.
	Fetched time.Time
	// Skipped is the number of entries that are not usable.
	Skipped int

	verified func() // nil if there is nothing to mark
}

// MarkVerified records that one of the keys verified a token. The cache then evicts other
// issuers before this one. A nil KeySet is ignored.
func (s *KeySet) MarkVerified() {
	if s != nil && s.verified != nil {
		s.verified()
	}
}

// Outcome tells whether an answer will stay as it is.
type Outcome int

// The outcomes of a lookup that failed.
const (
	// Refused means that the domain has no issuer, or that what it or the issuer
	// publishes breaks a rule.
	Refused Outcome = iota + 1
	// Unavailable means that the answer is not known now.
	Unavailable
)

// Error is the error of a Source. Its text contains nothing of a remote answer.
type Error struct {
	Outcome Outcome
	// Rule is the name of the rule in docs/EVP.md, such as 9.refused.
	Rule string
	// Reason says what is wrong. It is for the verifier's operator, because it tells
	// how a lookup failed.
	Reason string
	// Advice tells a person what to do. It may be empty.
	Advice string
	// Setting is the field of evp.Config that Advice is about. It may be empty.
	Setting string
	// Domain is the domain or host whose lookup failed.
	Domain string
	// Cause is the error that it wraps. It may be nil.
	Cause error

	// What was found before: it is remote text. Either may be nil.
	records []string
	found   *documents
}

func (e *Error) Error() string { return e.Reason }

// Unwrap returns Cause.
func (e *Error) Unwrap() error { return e.Cause }

// IsUnavailable reports whether the answer is not known now.
func (e *Error) IsUnavailable() bool { return e.Outcome == Unavailable }

// LacksIssuer reports whether the metadata of the issuer were read before the error, and do not
// name the issuer.
func (e *Error) LacksIssuer() bool {
	return e.found != nil && e.found.metadata != nil && !e.found.metadata.HasIssuer
}

// LogClass returns what is wrong, and the domain, which a client may have chosen. It is for the
// logs of a service, which have each class for a few domains in an interval.
func (e *Error) LogClass() (class, name string) { return e.Reason, e.Domain }
