// Package pkcs1 verifies RSA signatures: RSASSA-PKCS1-v1_5 with SHA-256 (RFC 8017,
// section 8.2.2). It is faster than crypto/rsa, which protects secrets that a
// verifier does not have, and it accepts moduli of 489 to [mont.MaxBits] bits.
//
// Start with [New]. New checks neither that the modulus has a safe size nor that it
// is the product of two primes: the caller decides which sizes to accept.
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

// ErrKey is the error for a key that [New] does not accept.
var ErrKey = errors.New("modulus or exponent out of range")

// digestInfo precedes the digest (RFC 8017, section 9.2, note 1).
const digestInfo = "\x30\x31\x30\x0d\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02\x01\x05\x00\x04\x20"

// MinSize is the length in bytes of the shortest encoded message: it has at least
// eight bytes of padding.
const MinSize = 11 + len(digestInfo) + sha256.Size

// Verifier is a public key that is prepared for verification. It is immutable and
// safe for concurrent use.
type Verifier struct {
	ring mont.Ring
	n    *big.Int
	e    uint32
}

// New prepares a key. The modulus n is odd and has from 8·(MinSize−1)+1 to
// [mont.MaxBits] bits; the exponent e is odd and 3 ≤ e < 2^31. For any other key New
// returns [ErrKey]. n and e must not be modified afterwards.
func New(n, e *big.Int) (*Verifier, error) {
	if n.BitLen() <= 8*(MinSize-1) || e.Sign() < 0 || e.Bit(0) == 0 || e.BitLen() < 2 || e.BitLen() > 31 {
		return nil, ErrKey
	}
	ring, err := mont.New(n)
	if err != nil {
		return nil, ErrKey
	}
	return &Verifier{ring, n, uint32(e.Uint64())}, nil
}

// Size returns the length in bytes of the modulus and of a signature.
func (v *Verifier) Size() int { return (v.n.BitLen() + 7) / 8 }

// scratch is the memory of one verification.
type scratch struct {
	s, want  big.Int
	x, power [mont.MaxLen]uint64
	encoded  [mont.MaxBits / 8]byte
}

var scratches = sync.Pool{New: func() any { return new(scratch) }}

// Verify reports whether signature, which must have the full length [Verifier.Size],
// is the key's signature over digest.
func (v *Verifier) Verify(digest *[sha256.Size]byte, signature []byte) bool {
	w := scratches.Get().(*scratch)
	defer scratches.Put(w)
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
	want := w.want.SetBytes(Encode(w.encoded[:len(signature)], digest))
	return v.ring.GetProduct(&w.s, power, &w.s).Cmp(want) == 0 // the last factor: e is odd
}

// Encode sets b to the encoded message for digest (RFC 8017, section 9.2) and returns
// it: 00 01 FF … FF 00, the name of the hash, the digest. There is one encoded message
// of each length. The length of b is at least [MinSize] and at most mont.MaxBits/8.
func Encode(b []byte, digest *[sha256.Size]byte) []byte {
	const info = "\x00" + digestInfo
	copy(b, ones)
	b[0], b[1] = 0, 1
	copy(b[len(b)-sha256.Size-len(info):], info)
	copy(b[len(b)-sha256.Size:], digest[:])
	return b
}

var ones = bytes.Repeat([]byte{0xff}, mont.MaxBits/8)
