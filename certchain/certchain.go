// Package certchain parses, checks and writes the signed tokens of a BrowserID
// assertion. A token is a JWS in compact serialization, with the algorithm names of this
// protocol. Its claims are a JSON object.
//
//	token       = base64url(header) "." base64url(claims) "." base64url(signature)
//	certificate = a token whose claims bind an email address, or a host, to a key
//
// Start with [ParseToken] and [ParseCertificate]. A [Chain] checks how certificates
// follow each other; [Issue] and [Sign] write certificates and tokens.
//
// The rules are those of PROTOCOL §1, §2 and, for chains, §4:
//
//   - The encoding is base64url without padding and line breaks. Unused bits are zero.
//   - The JSON is strict: see package internal/strictjson.
//   - The key implies the algorithm. The header must name the same one.
//
// # What is not checked
//
// Parsing checks no signature: the contents of a parsed token are claims of an unknown
// sender. The package does no I/O and reads no clock. Its callers decide which keys the
// first certificate must be signed with, and what time it is. Package assertion decides
// whether an issuer may speak for an email address.
package certchain

import "errors"

// Every error of this package matches one of these or [ErrTemplate].
var (
	// ErrMalformed is the error for text that is not a token, or whose claims are
	// not as PROTOCOL §1 requires.
	ErrMalformed = errors.New("malformed token")
	// ErrAlgorithm is the error for a token whose header does not name the algorithm
	// of the key.
	ErrAlgorithm = errors.New("algorithms do not match")
	// ErrKey is the error for a certified key that is malformed, too large or weak. It
	// matches the error of package keys too.
	ErrKey = errors.New("certified key refused")
	// ErrSignature is the error for a signature that none of the keys made.
	ErrSignature = errors.New("invalid signature")
	// ErrNotYetValid is the error for a token whose iat or nbf is in the future.
	ErrNotYetValid = errors.New("issued later than verification date")
	// ErrExpired is the error for a token whose exp is in the past.
	ErrExpired = errors.New("expired")
	// ErrChain is the error for a certificate that may not sign the next one.
	ErrChain = errors.New("broken certificate chain")
)
