package mont

import "math/bits"

// block is the size in limbs of what the kernels in kernel.go multiply: 1024
// bits. Larger numbers are made of several.
const block = 16

// mac adds x·y to the sum c2:c1:c0 of a column of products.
func mac(c0, c1, c2, x, y uint64) (uint64, uint64, uint64) {
	hi, lo := bits.Mul64(x, y)
	var c uint64
	c0, c = bits.Add64(c0, lo, 0)
	c1, c = bits.Add64(c1, hi, c)
	c2, _ = bits.Add64(c2, 0, c) // one instruction; c2 + c would be three
	return c0, c1, c2
}

// add adds x to the sum.
func add(c0, c1, c2, x uint64) (uint64, uint64, uint64) {
	var c uint64
	c0, c = bits.Add64(c0, x, 0)
	c1, c = bits.Add64(c1, 0, c)
	c2, _ = bits.Add64(c2, 0, c)
	return c0, c1, c2
}

// addTwice adds twice the sum d2:d1:d0.
func addTwice(c0, c1, c2, d0, d1, d2 uint64) (uint64, uint64, uint64) {
	var c uint64
	c0, c = bits.Add64(c0, d0<<1, 0)
	c1, c = bits.Add64(c1, d1<<1|d0>>63, c)
	c2, _ = bits.Add64(c2, d2<<1|d1>>63, c)
	return c0, c1, c2
}

// mulAdd adds x·y and carry·2^1024 to t and returns what goes beyond: 0 or 1
// when carry is at most 2.
func mulAdd(t *[2 * block]uint64, x, y *[block]uint64, carry uint64) uint64 {
	low, high := (*[block]uint64)(t[:]), (*[block]uint64)(t[block:])
	c0, c1 := lower(low, x, y)
	c0, c := bits.Add64(c0, carry, 0)
	return upper(high, high, x, y, c0, c1+c)
}

// reduce sets z, which may be the upper half of t, to (t + m·n) / 2^1024, where
// it chooses m so that this is a whole number. It returns what goes beyond, 0
// or 1.
func reduce(z, m *[block]uint64, t *[2 * block]uint64, n *[block]uint64, k uint64) uint64 {
	c0, c1 := clearLower(m, (*[block]uint64)(t[:]), n, k)
	return upper(z, (*[block]uint64)(t[block:]), m, n, c0, c1)
}

// addTo adds y and the carry to x and returns the carry.
func addTo(x, y []uint64, carry uint64) uint64 {
	for len(x) >= 4 && len(y) >= 4 {
		x4, y4 := (*[4]uint64)(x), (*[4]uint64)(y)
		x4[0], carry = bits.Add64(x4[0], y4[0], carry)
		x4[1], carry = bits.Add64(x4[1], y4[1], carry)
		x4[2], carry = bits.Add64(x4[2], y4[2], carry)
		x4[3], carry = bits.Add64(x4[3], y4[3], carry)
		x, y = x[4:], y[4:]
	}
	return carry
}

// subtract sets z to x − y and returns the borrow. The lengths are multiples of
// four.
func subtract(z, x, y []uint64) uint64 {
	var b uint64
	for len(z) >= 4 && len(x) >= 4 && len(y) >= 4 {
		z4, x4, y4 := (*[4]uint64)(z), (*[4]uint64)(x), (*[4]uint64)(y)
		z4[0], b = bits.Sub64(x4[0], y4[0], b)
		z4[1], b = bits.Sub64(x4[1], y4[1], b)
		z4[2], b = bits.Sub64(x4[2], y4[2], b)
		z4[3], b = bits.Sub64(x4[3], y4[3], b)
		z, x, y = z[4:], x[4:], y[4:]
	}
	return b
}
