package mont

import "math/big"

// NewPortable is like [New] but always returns the portable implementation.
func NewPortable(n *big.Int) Ring { return newPortable(n) }

// setIFMADigits is setDigits, or nil in builds without it.
var setIFMADigits func(z []uint64, x *big.Int)

// RepresentationBits returns the length in bits of the numbers that represent elements.
func RepresentationBits(r Ring) int {
	if _, ok := r.(*portable); ok {
		return 64 * r.Len()
	}
	return 52 * r.Len()
}

// Representation returns the element that the number x represents.
func Representation(r Ring, x *big.Int) []uint64 {
	z := make([]uint64, r.Len())
	if _, ok := r.(*portable); ok {
		setLimbs(z, x)
	} else {
		setIFMADigits(z, x)
	}
	return z
}
