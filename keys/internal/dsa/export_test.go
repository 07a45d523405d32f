package dsa

import "math/big"

// Proven returns how many groups are known to be proper, and whether g is one.
func Proven(g *Group) (all int, known bool) {
	return len(*proven.list.Load()), proven.find(g) != nil
}

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
