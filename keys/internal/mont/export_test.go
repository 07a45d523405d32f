package mont

import "math/big"

// NewPortable is [New] without the choice.
func NewPortable(n *big.Int) Ring { return newPortable(n) }

// setIFMADigits is setDigits, which not every build has.
var setIFMADigits func(z []uint64, x *big.Int)

// FormBits is the length in bits of the numbers that elements are, whatever
// they stand for.
func FormBits(r Ring) int {
	if _, ok := r.(*portable); ok {
		return 64 * r.Len()
	}
	return 52 * r.Len()
}

// Form gives the element that is x, whatever it stands for.
func Form(r Ring, x *big.Int) []uint64 {
	z := make([]uint64, r.Len())
	if _, ok := r.(*portable); ok {
		setLimbs(z, x)
	} else {
		setIFMADigits(z, x)
	}
	return z
}
