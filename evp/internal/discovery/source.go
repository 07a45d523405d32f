// Package discovery finds the issuer of a domain's addresses, and the issuer's keys.
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
	// Keys returns the keys of an issuer, which is a host that Issuer returned. With
	// refresh it asks the issuer again although it has an answer, unless it did so a
	// moment ago.
	Keys(ctx context.Context, issuer string, refresh bool) (*KeySet, error)
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
	// Cause is the error behind it. It may be nil.
	Cause error

	// What was found before, for [Discovery] only: it is remote text. Either may be nil.
	records []string
	found   *documents
}

func (e *Error) Error() string { return e.Reason }

// Unwrap returns Cause.
func (e *Error) Unwrap() error { return e.Cause }
