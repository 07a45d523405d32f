package forge

import (
	"bytes"
	"math/big"

	"github.com/vepverify/vepverify/keys"
)

// Alteration returns a changed signature. It may modify and return its argument.
type Alteration func(signature []byte) []byte

// Then applies alterations in order.
func Then(alterations ...Alteration) Alteration {
	return func(signature []byte) []byte {
		for _, alter := range alterations {
			signature = alter(signature)
		}
		return signature
	}
}

// FlipBit flips one bit. Bit 0 is the lowest bit of the last byte. A bit beyond
// the signature changes nothing.
func FlipBit(bit int) Alteration {
	return func(signature []byte) []byte {
		if i := len(signature) - 1 - bit/8; i >= 0 {
			signature[i] ^= 1 << (bit % 8)
		}
		return signature
	}
}

// StripZeros removes leading zero bytes, as signers of 2012 did.
func StripZeros(signature []byte) []byte { return bytes.TrimLeft(signature, "\x00") }

// PrependZeros adds n zero bytes at the beginning.
func PrependZeros(n int) Alteration {
	return func(signature []byte) []byte { return append(make([]byte, n), signature...) }
}

// AppendZeros adds n zero bytes at the end.
func AppendZeros(n int) Alteration {
	return func(signature []byte) []byte { return append(signature, make([]byte, n)...) }
}

// Truncate removes the last n bytes.
func Truncate(n int) Alteration {
	return func(signature []byte) []byte { return signature[:max(0, len(signature)-n)] }
}

// Replace replaces the signature.
func Replace(other []byte) Alteration {
	return func([]byte) []byte { return bytes.Clone(other) }
}

// AddModulus adds the RSA key's modulus to the signature. The result is congruent
// to the signature modulo n, and out of range. It may need one byte more than the
// modulus has; [Token.Until] finds a token for which it does not.
func AddModulus(key keys.PublicKey) Alteration {
	n := number(key, "n", 10)
	return func(signature []byte) []byte {
		sum := new(big.Int).SetBytes(signature)
		sum.Add(sum, n)
		return sum.FillBytes(make([]byte, max(len(signature), byteLen(sum))))
	}
}

// Scalars replaces r and s of a DSA signature. Each has the length of the key's
// q, or more if it does not fit.
func Scalars(key keys.PublicKey, r, s *big.Int) Alteration {
	size := byteLen(number(key, "q", 16))
	return func([]byte) []byte {
		return append(atLeast(r, size), atLeast(s, size)...)
	}
}

// AlterScalars changes r and s of a DSA signature by edit, which gets them and the
// key's q, and modifies r and s in place.
func AlterScalars(key keys.PublicKey, edit func(r, s, q *big.Int)) Alteration {
	q := number(key, "q", 16)
	return func(signature []byte) []byte {
		r := new(big.Int).SetBytes(signature[:len(signature)/2])
		s := new(big.Int).SetBytes(signature[len(signature)/2:])
		edit(r, s, new(big.Int).Set(q))
		return Scalars(key, r, s)(nil)
	}
}

// atLeast returns n in size bytes, or in more if it does not fit.
func atLeast(n *big.Int, size int) []byte {
	return n.FillBytes(make([]byte, max(size, byteLen(n))))
}

// byteLen returns the number of bytes of n.
func byteLen(n *big.Int) int { return (n.BitLen() + 7) / 8 }
