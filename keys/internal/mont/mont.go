// Package mont is arithmetic modulo large odd numbers in Montgomery's form,
// and products of powers on top of it. It is for the verification of
// signatures, where all numbers are public: time and memory access depend on
// them. Never sign or decrypt with it.
//
// Start with [New], which gives the [Ring] of a modulus. [Product] computes
// g^u · y^v; a [Comb] makes it faster for bases that come again.
//
// A modulus may come from a stranger. Only its being odd matters here: results
// are right for composite ones too, and take hardly more time.
//
// There are two implementations of Ring, and New chooses. One is portable, with
// limbs of 64 bits. The other has the AVX-512 IFMA instructions of processors
// for amd64 since 2019, in assembly, for moduli of up to 2048 bits; package
// internal/arithmetic chooses. Only the length of elements depends on it.
package mont

import (
	"errors"
	"math/big"
)

//go:generate sh -c "go run ./generate > kernel.go"
//go:generate go run -modfile=../../../tools/go.mod ./generate/ifma.go -out kernel_amd64.s -stubs kernel_amd64.go

const (
	// MaxBits is the length in bits of the largest modulus.
	MaxBits = 4096
	// MaxLen is the length in words of the longest element.
	MaxLen = MaxBits / 64
)

// ErrModulus is the error for a modulus that is even, below 3 or too large.
var ErrModulus = errors.New("the modulus is even or out of range")

// Ring is arithmetic modulo one number. Its elements are slices of Len words
// whose form is the ring's own; z may be x or y. A Ring does not change and is
// safe for concurrent use.
//
// This is all that the rest of the package knows of the arithmetic.
type Ring interface {
	// Len is the length of an element in words.
	Len() int
	// Mul sets z to x·y.
	Mul(z, x, y []uint64)
	// Square sets z to x².
	Square(z, x []uint64)
	// Set sets z to x, which is not negative and of at most as many bits as
	// the modulus.
	Set(z []uint64, x *big.Int)
	// Get sets z to the least non-negative number that is x, and returns it.
	Get(z *big.Int, x []uint64) *big.Int
	// GetProduct is Get of x times the number y, 0 ≤ y < n, and costs no more
	// than a Mul. z may be y.
	GetProduct(z *big.Int, x []uint64, y *big.Int) *big.Int
}

// ifma gives rings that use AVX-512 IFMA, for moduli of at most ifmaBits. It is
// nil where there are no such instructions, or no code for them.
var ifma func(n *big.Int) Ring

const ifmaBits = 2048

// New gives the ring of a modulus, which must not change, or [ErrModulus]. It
// costs as much as a few multiplications.
func New(n *big.Int) (Ring, error) {
	if n.Sign() < 0 || n.Bit(0) == 0 || n.BitLen() < 2 || n.BitLen() > MaxBits {
		return nil, ErrModulus
	}
	if ifma != nil && n.BitLen() <= ifmaBits {
		return ifma(n), nil
	}
	return newPortable(n), nil
}
