// Package certchain reads, checks and writes the signed tokens that a BrowserID
// assertion is made of: JWS compact serialization with the protocol's own
// algorithm names, whose claims are JSON objects.
//
//	token       = base64url(header) "." base64url(claims) "." base64url(signature)
//	certificate = a token whose claims bind an email address, or a host, to a key
//
// Start with [ParseToken] and [ParseCertificate]. [Chain] checks a chain of
// certificates; [Issue] and [Sign] write.
// The rules are those of PROTOCOL §1, §2 and, for chains, §4: base64url without
// padding, line breaks or stray bits, strict JSON, and an algorithm that the
// key names and the header only repeats.
//
// Parsing trusts nothing and checks no signature. The package does no I/O and
// knows no clock: whose key the first certificate must be signed by, and what
// time it is, are its callers' to say. Whether an issuer may speak for an
// address is decided in package assertion.
package certchain

import "errors"

// What can be wrong with a token; every error of this package matches one.
var (
	// ErrMalformed: not a token, or its claims are not what PROTOCOL §1 wants.
	ErrMalformed = errors.New("malformed token")
	// ErrAlgorithm: the header's alg is none that there is, or not the one that
	// the key implies.
	ErrAlgorithm = errors.New("algorithms do not match")
	// ErrKey: the certified key is malformed, or weak (then it matches
	// keys.ErrWeak too).
	ErrKey = errors.New("certified key refused")
	// ErrSignature: no candidate key made the signature.
	ErrSignature = errors.New("invalid signature")
	// ErrNotYetValid: iat or nbf is in the future.
	ErrNotYetValid = errors.New("issued later than verification date")
	// ErrExpired: exp has passed.
	ErrExpired = errors.New("expired")
	// ErrChain: a certificate may not sign the one that follows it.
	ErrChain = errors.New("broken certificate chain")
)
