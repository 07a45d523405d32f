package keys

import "errors"

var (
	// ErrMalformed: not a key, or one that fails a load-time check.
	ErrMalformed = errors.New("malformed key")
	// ErrUnknownType: the key's kty or algorithm is none that this package has.
	ErrUnknownType = errors.New("unknown key type")
	// ErrWeak: a key too weak to use, see the package comment.
	ErrWeak = errors.New("weak key")
	// ErrSignature: the signature is not this key's over this message.
	ErrSignature = errors.New("invalid signature")
)

// PublicKey verifies signatures of one algorithm. Keys are immutable and safe
// for concurrent use.
type PublicKey interface {
	// Algorithm is the name that the key implies, such as RS256.
	Algorithm() string
	// Verify gives nil when signature is this key's over message, else an
	// error that matches ErrSignature.
	Verify(message, signature []byte) error
	// Weak says whether the key needs its user's express consent.
	Weak() bool
	// Validate makes the checks that are too dear for each key seen, and
	// wanted once of keys that a host publishes: for DSA, that g and y are in
	// the group of order q. It errs with ErrMalformed.
	Validate() error
	// Canonical gives one text for each key, whichever JSON form it came in.
	Canonical() []byte
	// MarshalJSON writes the legacy form, which every implementation reads.
	MarshalJSON() ([]byte, error)
	// MarshalJWK writes the JWK form.
	MarshalJWK() ([]byte, error)
}

// PrivateKey signs.
type PrivateKey interface {
	// Algorithm is the name that the key implies, such as RS256.
	Algorithm() string
	// Public gives the key that verifies what this one signs.
	Public() PublicKey
	// Sign signs message: PKCS#1 v1.5 for RSA, r and s at full length for DSA,
	// with the nonce of RFC 6979, so that equal input gives equal output.
	Sign(message []byte) ([]byte, error)
	// MarshalJSON writes the legacy form, which holds the secret.
	MarshalJSON() ([]byte, error)
	// MarshalJWK writes the JWK form, which holds the secret.
	MarshalJWK() ([]byte, error)
}
