// Package keys implements the public and private keys of BrowserID: it reads and
// writes their JSON forms, verifies, signs and generates. Start with
// [ParsePublicKey], or with [Generate] to make a key.
//
// # Algorithms
//
// A key implies the one algorithm that it may be used with. Nothing else, such as the
// header of a token, chooses the algorithm.
//
//	name    key                               hash      signature
//	RS64    RSA, 511 or 512 bits, weak        SHA-256   PKCS#1 v1.5
//	RS128   RSA, 1024 bits; 1023 bits, weak   SHA-256   PKCS#1 v1.5
//	RS256   RSA, 2047 to 4096 bits            SHA-256   PKCS#1 v1.5
//	DS128   DSA, p of 1024, q of 160 bits     SHA-1     r and s, 20 bytes each
//	DS256   DSA, p of 2048, q of 256 bits     SHA-256   r and s, 32 bytes each
//
// A key is weak if crypto/rsa refuses to use it: anyone with a computer can factor a
// modulus of 512 bits in a few days. Only the functions whose names begin with
// Insecure accept weak keys; all others return an error matching [ErrWeak]. RS128 and
// DS128 are below today's recommendations as well, but users of the protocol have such
// keys, so this package does not call them weak.
//
// # Forms
//
//	{"algorithm":"RS","n":…,"e":…}                legacy, decimal numbers
//	{"algorithm":"DS","p":…,"q":…,"g":…,"y":…}    legacy, hexadecimal numbers
//	{"kty":"RSA","n":…,"e":…}                     JWK (RFC 7517, 7518), base64url
//	{"kty":"DSA","p":…,"q":…,"g":…,"y":…}         in the manner of a JWK, base64url
//
// A private RSA key also has d, and its JWK form p, q, dp, dq and qi. A private DSA key
// has x instead of y. All numbers are strings. Leading zeros, hexadecimal digits of
// either case and '=' padding of base64url are accepted and never written. Other
// members are ignored. An object with both kty and algorithm is malformed.
//
// # What is checked
//
// When a key is parsed:
//
//   - Its sizes are those of the table.
//   - RSA: n and e are odd and 3 ≤ e < 2³¹. If n has more than 2048 bits, e is at most
//     65537.
//   - DSA: p and q are odd, 1 < g < p and 1 < y < p.
//   - A private key: its numbers are consistent, and the two factors of an RSA modulus
//     are prime.
//
// An RSA key that is too large is rejected before the other checks of its numbers. The
// error matches [ErrTooLarge] and not [ErrMalformed]. The text of a number that is far
// too long is not converted.
//
// PublicKey.Validate also checks, for DSA, that g and y are in the group of order q.
//
// When a signature is verified, it is padded with zeros on the left if it is shorter
// than the full length; a longer one is invalid. The value of an RSA signature must be
// below n, and the whole encoded message is compared. For DSA, 0 < r < q and 0 < s < q.
//
// # What is not checked
//
// The package does not check whether a public RSA modulus has two large prime factors,
// or whether p and q of a DSA key are prime. The owner of such a key may let others
// sign in their place, as they could by publishing the private key. The package does
// not read expiry, use, key identifiers or revocation.
//
// # Timing
//
// Verification handles no secret. Signing with RSA keys of 1024 bits or more is done by
// crypto/rsa in constant time. Everything else that handles a secret uses math/big and
// is not constant time: signing with DSA and weak RSA keys, generating keys of these
// two kinds, and reading and writing private keys. An attacker who can measure many
// such operations may learn the secret, so do not sign with DSA where an attacker
// chooses when to sign and can measure how long it takes.
package keys

import (
	"errors"

	"github.com/vepverify/vepverify/internal/redact"
)

// Every error of this package matches one of these, except errors of crypto/rand and
// crypto/rsa.
var (
	// ErrMalformed is the error for text that is not a key, or for a key that fails
	// a check when it is parsed.
	ErrMalformed = errors.New("malformed key")
	// ErrUnknownType is the error for a kty, an algorithm of the legacy form or an
	// algorithm name that this package does not have.
	ErrUnknownType = errors.New("unknown key type")
	// ErrTooLarge is the error for an RSA key whose signatures cost too much to
	// verify: its modulus has more than 4096 bits, or more than 2048 bits with an
	// exponent above 65537, or one of its numbers has more than 4096 bits. The key
	// may be correct otherwise. The error does not match ErrMalformed, so that
	// callers can tell publishers of such keys from publishers of garbage.
	ErrTooLarge = errors.New("key too large")
	// ErrWeak is the error for a key that is too weak to use; see the package
	// comment.
	ErrWeak = errors.New("weak key")
	// ErrSignature is the error for a signature that is not the key's signature
	// over the message.
	ErrSignature = errors.New("invalid signature")
)

// The names of the algorithms, as they appear in the alg of a token's header. The
// table in the package comment describes them.
const (
	RS64  = "RS64"
	RS128 = "RS128"
	RS256 = "RS256"
	DS128 = "DS128"
	DS256 = "DS256"
)

// PublicKey verifies signatures of one algorithm. A PublicKey is immutable and safe
// for concurrent use. Only this package implements the interface. The values are
// pointers: == compares them by identity, and Equal compares the keys.
type PublicKey interface {
	// Algorithm returns the name of the key's algorithm, such as [RS256].
	Algorithm() string
	// Verify returns nil if signature is the key's signature over message, and
	// otherwise an error matching [ErrSignature].
	Verify(message, signature []byte) error
	// Bits returns the length of the modulus in bits: of n for RSA, of p for DSA.
	Bits() int
	// Weak reports whether the key is weak; see the package comment.
	Weak() bool
	// Validate makes the checks that take too long for every key, and that should be
	// made once for a key that a host publishes: for DSA, that g and y are in the
	// group of order q. The error matches [ErrMalformed].
	Validate() error
	// Canonical returns a text that is the same for all JSON forms of the key and
	// different for different keys. The caller may keep and modify it.
	Canonical() []byte
	// Equal reports whether other is the same key, whichever JSON form each was
	// parsed from.
	Equal(other PublicKey) bool
	// MarshalJSON returns the legacy form, which every implementation reads.
	MarshalJSON() ([]byte, error)
	// MarshalJWK returns the JWK form.
	MarshalJWK() ([]byte, error)

	// members returns the numbers of the key with their names in JSON.
	members() []member
}

// PrivateKey signs. A PrivateKey is immutable and safe for concurrent use. Formatting
// or logging one shows only the name of its algorithm; encoding it as JSON shows the
// secret.
type PrivateKey interface {
	// Algorithm returns the name of the key's algorithm, such as [RS256].
	Algorithm() string
	// Public returns the public half of the key.
	Public() PublicKey
	// Sign signs message: PKCS#1 v1.5 for RSA; for DSA, r and s at full length, with
	// the nonce of RFC 6979. The same key and message yield the same signature. Sign
	// returns an error if the arithmetic fails, which cannot happen with a key that
	// this package parsed or generated.
	Sign(message []byte) ([]byte, error)
	// MarshalJSON returns the legacy form, which contains the secret.
	MarshalJSON() ([]byte, error)
	// MarshalJWK returns the JWK form, which contains the secret.
	MarshalJWK() ([]byte, error)
}

// redacted is embedded in private keys. It is the text that formatting and logging
// show of a key. Without its LogValue, a JSON handler would call MarshalJSON.
type redacted = redact.Text

// redactedKey returns the text for a private key of an algorithm.
func redactedKey(algorithm string) redacted { return redacted(algorithm + " private key") }
