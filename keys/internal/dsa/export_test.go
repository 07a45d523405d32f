package dsa

import "math/big"

// CheckedGroups returns the number of checked groups, and whether g is one of them.
func CheckedGroups(g *Group) (all int, known bool) {
	return len(*checkedGroups.list.Load()), checkedGroups.find(g) != nil
}

// Inverse returns the inverse of x as the package computes it.
func Inverse(x, modulus *big.Int) (*big.Int, bool) {
	m := newInverter(modulus)
	z := new(big.Int)
	return z, m.invert(z, x)
}

// InverseInto returns a function that sets z to the inverse of x and reports whether x has
// one. The modulus is prepared once, as in a verifier.
func InverseInto(z, modulus *big.Int) func(x *big.Int) bool {
	m := newInverter(modulus)
	return func(x *big.Int) bool { return m.invert(z, x) }
}
