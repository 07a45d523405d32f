package dsa

import "math/big"

// Inverse is what the package uses for s⁻¹ mod q.
func Inverse(x, modulus *big.Int) (*big.Int, bool) {
	m := newInverter(modulus)
	z := new(big.Int)
	return z, m.invert(z, x)
}

// InverseInto is for the benchmark.
func InverseInto(z, modulus *big.Int) func(x *big.Int) bool {
	m := newInverter(modulus)
	return func(x *big.Int) bool { return m.invert(z, x) }
}
