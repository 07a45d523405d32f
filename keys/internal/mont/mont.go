// Package mont implements arithmetic modulo large odd numbers in Montgomery form, and
// products of powers. It is for the verification of signatures, where all numbers are
// public: its time and its memory accesses depend on the numbers. It must not be used to
// sign or decrypt.
//
// Start with [New], which returns the [Ring] of a modulus. [Product] computes g^u · y^v. A
// [Comb] makes this faster for bases that are used repeatedly.
//
// A modulus may come from a stranger. It must be odd; the results are correct for
// composite moduli too, and take about the same time.
//
// There are two implementations of Ring. One is portable and has limbs of 64 bits. The
// other, for moduli of up to 2048 bits, is assembly for the AVX-512 IFMA instructions of
// amd64 processors since about 2019. Package internal/arithmetic chooses. Only the length
// of elements depends on the choice.
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
var ErrModulus = errors.New("modulus is even or out of range")

// Ring is the arithmetic modulo one number. An element is a slice of Len words in a
// representation that depends on the ring. The result z may be the same slice as x or y. A
// Ring is immutable and safe for concurrent use.
//
// The rest of the package uses the arithmetic only through this interface.
type Ring interface {
	// Len returns the length of an element in words.
	Len() int
	// Mul sets z to x·y.
	Mul(z, x, y []uint64)
	// Square sets z to x².
	Square(z, x []uint64)
	// Set sets z to x, which is not negative and has at most as many bits as the
	// modulus.
	Set(z []uint64, x *big.Int)
	// Get sets z to the value of x, 0 ≤ z < n, and returns z.
	Get(z *big.Int, x []uint64) *big.Int
	// GetProduct sets z to the product of x and the number y, 0 ≤ y < n, and returns
	// z. It takes as long as Mul alone. z may be y.
	GetProduct(z *big.Int, x []uint64, y *big.Int) *big.Int
}

// newIFMARing returns a ring that uses AVX-512 IFMA, for a modulus of at most ifmaMaxBits
// bits. It is nil if package internal/arithmetic chose the portable implementation.
var newIFMARing func(n *big.Int) Ring

const ifmaMaxBits = 2048

// New returns the ring of a modulus, which must not be modified afterwards, or
// [ErrModulus]. It takes as long as a few multiplications.
func New(n *big.Int) (Ring, error) {
	if n.Sign() < 0 || n.Bit(0) == 0 || n.BitLen() < 2 || n.BitLen() > MaxBits {
		return nil, ErrModulus
	}
	if newIFMARing != nil && n.BitLen() <= ifmaMaxBits {
		return newIFMARing(n), nil
	}
	return newPortable(n), nil
}
