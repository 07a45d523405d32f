package mont

import "math/bits"

// multiplyPair sets t, which is zero, to x·y by three products of blocks
// instead of four (Karatsuba): with h = 2^1024,
//
//	(x1·h + x0)·(y1·h + y0) = x1y1·h² + (x1y1 + x0y0 − (x0−x1)(y0−y1))·h + x0y0.
func multiplyPair(t *[4 * block]uint64, x, y *[2 * block]uint64) {
	x0, x1 := at(x[:], 0), at(x[:], block)
	y0, y1 := at(y[:], 0), at(y[:], block)
	mulAdd(pair(t[:], 0), x0, y0, 0)
	mulAdd(pair(t[:], 2*block), x1, y1, 0)
	var dx, dy [block]uint64
	var d [2 * block]uint64
	negative := distance(&dx, x0, x1) != distance(&dy, y0, y1)
	mulAdd(&d, &dx, &dy, 0)
	addMiddle(t, &d, negative)
}

// squarePair sets t to x² by three squares of blocks.
func squarePair(t *[4 * block]uint64, x *[2 * block]uint64) {
	x0, x1 := at(x[:], 0), at(x[:], block)
	square(pair(t[:], 0), x0)
	square(pair(t[:], 2*block), x1)
	var dx [block]uint64
	var d [2 * block]uint64
	distance(&dx, x0, x1)
	square(&d, &dx)
	addMiddle(t, &d, false)
}

// distance sets z to |x − y| and says whether x < y.
func distance(z, x, y *[block]uint64) bool {
	if subtract(z[:], x[:], y[:]) == 0 {
		return false
	}
	subtract(z[:], y[:], x[:])
	return true
}

// addMiddle adds the halves of t, and of −d, or d when that is negative, to the
// middle of t.
func addMiddle(t *[4 * block]uint64, d *[2 * block]uint64, negative bool) {
	low, high := pair(t[:], 0), pair(t[:], 2*block)
	var carry uint64
	if negative {
		carry = addTo(d[:], low[:], 0) + addTo(d[:], high[:], 0)
	} else {
		carry = sumLess(d, low, high)
	}
	carry += addTo(t[block:3*block], d[:], 0)
	for i := 3 * block; carry != 0 && i < len(t); i++ {
		t[i], carry = bits.Add64(t[i], carry, 0)
	}
}

// sumLess sets d to x + y − d, which is not negative, and returns what goes
// beyond.
func sumLess(d, x, y *[2 * block]uint64) uint64 {
	var s0, s1, s2, s3, c, b uint64
	for i := 0; i < len(d); i += 4 {
		s0, c = bits.Add64(x[i], y[i], c)
		s1, c = bits.Add64(x[i+1], y[i+1], c)
		s2, c = bits.Add64(x[i+2], y[i+2], c)
		s3, c = bits.Add64(x[i+3], y[i+3], c)
		d[i], b = bits.Sub64(s0, d[i], b)
		d[i+1], b = bits.Sub64(s1, d[i+1], b)
		d[i+2], b = bits.Sub64(s2, d[i+2], b)
		d[i+3], b = bits.Sub64(s3, d[i+3], b)
	}
	return c - b
}
