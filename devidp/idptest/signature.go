package idptest

import (
	"bytes"
	"math/big"

	"github.com/vepverify/vepverify/keys"
)

// Alteration changes a signature; it may keep and change its argument. Several
// are strung together by [Then].
type Alteration func(signature []byte) []byte

// Then makes the alterations one after the other.
func Then(alterations ...Alteration) Alteration {
	return func(signature []byte) []byte {
		for _, alter := range alterations {
			signature = alter(signature)
		}
		return signature
	}
}

// FlipBit changes one bit: 0 is the lowest of the last byte, which is where the
// number ends. Bits beyond the signature change nothing.
func FlipBit(bit int) Alteration {
	return func(signature []byte) []byte {
		if i := len(signature) - 1 - bit/8; i >= 0 {
			signature[i] ^= 1 << (bit % 8)
		}
		return signature
	}
}

// StripZeros drops leading zero bytes, as old makers did.
func StripZeros(signature []byte) []byte { return bytes.TrimLeft(signature, "\x00") }

// PrependZeros puts n zero bytes in front.
func PrependZeros(n int) Alteration {
	return func(signature []byte) []byte { return append(make([]byte, n), signature...) }
}

// AppendZeros puts n zero bytes behind.
func AppendZeros(n int) Alteration {
	return func(signature []byte) []byte { return append(signature, make([]byte, n)...) }
}

// Truncate leaves out the last n bytes.
func Truncate(n int) Alteration {
	return func(signature []byte) []byte { return signature[:max(0, len(signature)-n)] }
}

// Replace gives other bytes in place of the signature.
func Replace(other []byte) Alteration {
	return func([]byte) []byte { return bytes.Clone(other) }
}

// AddModulus adds the RSA key's modulus to the signature, which leaves it right
// modulo n and makes it too large. The result may need one byte more than the
// modulus has; where that must not be, see [Token.Until].
func AddModulus(key keys.PublicKey) Alteration {
	n := number(key, "n", 10)
	return func(signature []byte) []byte {
		sum := new(big.Int).SetBytes(signature)
		sum.Add(sum, n)
		return sum.FillBytes(make([]byte, max(len(signature), byteLen(sum))))
	}
}

// Scalars gives r and s in place of the DSA signature, each at the length of the
// key's q, or longer where they do not fit.
func Scalars(key keys.PublicKey, r, s *big.Int) Alteration {
	size := byteLen(number(key, "q", 16))
	return func([]byte) []byte {
		return append(atLeast(r, size), atLeast(s, size)...)
	}
}

// AlterScalars lets edit change r and s of a DSA signature in place, given the
// key's q.
func AlterScalars(key keys.PublicKey, edit func(r, s, q *big.Int)) Alteration {
	q := number(key, "q", 16)
	return func(signature []byte) []byte {
		r := new(big.Int).SetBytes(signature[:len(signature)/2])
		s := new(big.Int).SetBytes(signature[len(signature)/2:])
		edit(r, s, new(big.Int).Set(q))
		return Scalars(key, r, s)(nil)
	}
}

func atLeast(n *big.Int, size int) []byte {
	return n.FillBytes(make([]byte, max(size, byteLen(n))))
}

func byteLen(n *big.Int) int { return (n.BitLen() + 7) / 8 }
