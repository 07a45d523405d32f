// Package pkcs1 verifies RSA signatures, RSASSA-PKCS1-v1_5 with SHA-256 (RFC
// 8017, section 8.2.2), faster than crypto/rsa, which takes care of secrets
// that a verifier does not have.
//
// Start with [New]. It does not ask for a modulus of a safe size, nor for one
// that is the product of two primes: that is the caller's business.
package pkcs1

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"math/big"
	"math/bits"
	"sync"

	"github.com/vepverify/vepverify/keys/internal/mont"
)

// ErrKey is the error for a key that [New] does not take.
var ErrKey = errors.New("the modulus or the exponent is out of range")

// digestInfo is what comes before the digest (RFC 8017, section 9.2, note 1).
const digestInfo = "\x30\x31\x30\x0d\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02\x01\x05\x00\x04\x20"

// minBits is the shortest modulus that an encoded digest fits, with the eight
// bytes of padding that there must be.
const minBits = 8 * (11 + len(digestInfo) + sha256.Size - 1)

// Verifier is a public key made ready for verifications. It does not change
// and is safe for concurrent use.
type Verifier struct {
	ring mont.Ring
	n    *big.Int
	e    uint32
}

// New makes a key ready: an odd modulus of at most [mont.MaxBits] bits, long
// enough for a signature, and an odd e, 3 ≤ e < 2^31. It errs with [ErrKey].
func New(n, e *big.Int) (*Verifier, error) {
	if n.BitLen() <= minBits || e.Sign() < 0 || e.Bit(0) == 0 || e.BitLen() < 2 || e.BitLen() > 31 {
		return nil, ErrKey
	}
	ring, err := mont.New(n)
	if err != nil {
		return nil, ErrKey
	}
	return &Verifier{ring, n, uint32(e.Uint64())}, nil
}

// Size is the length of a signature in bytes, that of the modulus.
func (v *Verifier) Size() int { return (v.n.BitLen() + 7) / 8 }

// work is the memory of one verification.
type work struct {
	s, want  big.Int
	x, power [mont.MaxLen]uint64
	encoded  [mont.MaxBits / 8]byte
}

var works = sync.Pool{New: func() any { return new(work) }}

// Verify says whether signature, at full length, is the key's over the digest.
func (v *Verifier) Verify(digest *[sha256.Size]byte, signature []byte) bool {
	w := works.Get().(*work)
	defer works.Put(w)
	if len(signature) != v.Size() || w.s.SetBytes(signature).Cmp(v.n) >= 0 {
		return false
	}
	x, power := w.x[:v.ring.Len()], w.power[:v.ring.Len()]
	v.ring.Set(x, &w.s)
	copy(power, x)
	for i := bits.Len32(v.e) - 2; i > 0; i-- {
		v.ring.Square(power, power)
		if v.e>>i&1 == 1 {
			v.ring.Mul(power, power, x)
		}
	}
	v.ring.Square(power, power)
	want := w.want.SetBytes(encode(w.encoded[:len(signature)], digest))
	return v.ring.GetProduct(&w.s, power, &w.s).Cmp(want) == 0 // e is odd
}

// encode makes b the one encoding of the digest at its length: 00 01 FF…FF 00,
// what tells the hash, the digest (RFC 8017, section 9.2). It returns b.
func encode(b []byte, digest *[sha256.Size]byte) []byte {
	const info = "\x00" + digestInfo
	copy(b, ones)
	b[0], b[1] = 0, 1
	copy(b[len(b)-sha256.Size-len(info):], info)
	copy(b[len(b)-sha256.Size:], digest[:])
	return b
}

var ones = bytes.Repeat([]byte{0xff}, mont.MaxBits/8)
