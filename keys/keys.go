// Package keys holds the public and private keys of BrowserID: it reads and
// writes their JSON forms, verifies, signs and generates. Start with
// [ParsePublicKey], or [Generate] to make a key.
//
// # Algorithms
//
// A key implies the one algorithm it may be used with; nothing else chooses it.
//
//	name    key                               hash      signature
//	RS64    RSA, 511 or 512 bits, weak        SHA-256   PKCS#1 v1.5
//	RS128   RSA, 1024 bits; 1023 bits, weak   SHA-256   PKCS#1 v1.5
//	RS256   RSA, 2047 to 4096 bits            SHA-256   PKCS#1 v1.5
//	DS128   DSA, p of 1024, q of 160 bits     SHA-1     r and s, 20 bytes each
//	DS256   DSA, p of 2048, q of 256 bits     SHA-256   r and s, 32 bytes each
//
// Weak are the keys that crypto/rsa refuses to use: anybody with a computer and
// some days factors 512 bits. Only the functions whose name begins with
// Insecure admit them, all others give [ErrWeak]. RS128 and DS128 are below
// today's measure too, but the protocol's users have them: they are not called
// weak here.
//
// # Forms
//
//	{"algorithm":"RS","n":…,"e":…}                legacy, decimal numbers
//	{"algorithm":"DS","p":…,"q":…,"g":…,"y":…}    legacy, hexadecimal numbers
//	{"kty":"RSA","n":…,"e":…}                     JWK (RFC 7517, 7518), base64url
//	{"kty":"DSA","p":…,"q":…,"g":…,"y":…}         made like a JWK, base64url
//
// Private keys have d (RSA; the JWK also p, q, dp, dq, qi) or, in the place of
// y, x (DSA). Numbers are strings; leading zeros, hexadecimal digits of either
// case and '=' padding of base64url are read, and never written. Other
// members are ignored. An object with both kty and algorithm is malformed.
//
// # What is checked
//
// When a key is read: its sizes; RSA: n is odd, 3 ≤ e < 2³¹ and e is odd, and e is
// at most 65537 if n has more than 2048 bits; DSA: p and q are odd, 1 < g < p,
// 1 < y < p. An RSA key that is too large for this package is an error of its own,
// [ErrTooLarge], before any of its numbers is converted or used. [PublicKey].Validate
// adds, for DSA, that g
// and y are in the group of order q. When a private key is read, also that all
// of its numbers belong together and that RSA's two factors are prime.
//
// A signature shorter than the full length is padded with zeros on the left; a
// longer one is invalid. An RSA value must be below n, and the whole encoded
// message is compared. r and s must be above 0 and below q.
//
// # What is not checked
//
// That a public RSA modulus has two large prime factors, or that DSA's p and q
// are prime. Who makes a key so may let others sign in its place, as who gives
// away the private key does. Nor does this package know of expiry, use, key
// identifiers or revocation.
//
// # Timing
//
// Verifying handles no secret. Signing with RSA keys of 1024 bits or more is
// crypto/rsa's, in constant time. All else that handles a secret uses math/big
// and is not constant time: signing with DSA and with weak RSA keys,
// generating keys of those two kinds, reading and writing private keys. Who can
// measure it many times may learn the secret, so do not sign with DSA where an
// attacker chooses when and sees how long.
package keys

import "errors"

var (
	// ErrMalformed: not a key, or one that fails a load-time check.
	ErrMalformed = errors.New("malformed key")
	// ErrUnknownType: the key's kty or algorithm is none that this package has.
	ErrUnknownType = errors.New("unknown key type")
	// ErrTooLarge is the class of an RSA key whose signatures cost too much to
	// verify: its modulus has more than 4096 bits, or more than 2048 bits with an
	// exponent above 65537, or one of its numbers is longer than 4096 bits. Such
	// a key may be a proper one: it does not match ErrMalformed, so that the
	// publisher of one is not taken for a publisher of garbage.
	ErrTooLarge = errors.New("key too large")
	// ErrWeak: a key too weak to use, see the package comment.
	ErrWeak = errors.New("weak key")
	// ErrSignature: the signature is not this key's over this message.
	ErrSignature = errors.New("invalid signature")
)

// The names of the algorithms, as they stand in the alg of a token's header. See the
// table in the package comment.
const (
	RS64  = "RS64"
	RS128 = "RS128"
	RS256 = "RS256"
	DS128 = "DS128"
	DS256 = "DS256"
)

// PublicKey verifies signatures of one algorithm. Keys are immutable and safe for
// concurrent use. Only this package implements PublicKey.
type PublicKey interface {
	// Algorithm is the name that the key implies, such as RS256.
	Algorithm() string
	// Verify gives nil when signature is this key's over message, else an
	// error that matches [ErrSignature].
	Verify(message, signature []byte) error
	// Weak says whether the key needs its user's express consent.
	Weak() bool
	// Validate makes the checks that are too dear for each key seen, and
	// wanted once of keys that a host publishes: for DSA, that g and y are in
	// the group of order q. It errs with [ErrMalformed].
	Validate() error
	// Canonical gives one text for each key, whichever JSON form it came in:
	// two keys are the same exactly when these are. The caller may keep it.
	Canonical() []byte
	// Equal reports whether other is the same key, whichever form each was read
	// from.
	Equal(other PublicKey) bool
	// MarshalJSON writes the legacy form, which every implementation reads.
	MarshalJSON() ([]byte, error)
	// MarshalJWK writes the JWK form.
	MarshalJWK() ([]byte, error)

	// members returns the numbers of the key, under their names in JSON.
	members() []member
}

// PrivateKey signs. Keys are immutable and safe for concurrent use. Printing or
// logging one shows its algorithm only; encoding it as JSON shows the secret.
type PrivateKey interface {
	// Algorithm is the name that the key implies, such as RS256.
	Algorithm() string
	// Public gives the key that verifies what this one signs.
	Public() PublicKey
	// Sign signs message: PKCS#1 v1.5 for RSA, r and s at full length for DSA,
	// with the nonce of RFC 6979, so that equal input gives equal output. It
	// errs when the arithmetic fails, which a key that was read here rules out.
	Sign(message []byte) ([]byte, error)
	// MarshalJSON writes the legacy form, which holds the secret.
	MarshalJSON() ([]byte, error)
	// MarshalJWK writes the JWK form, which holds the secret.
	MarshalJWK() ([]byte, error)
}
