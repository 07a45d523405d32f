package mont

import (
	"encoding/binary"
	"math/big"
	"math/bits"
	"sync"
)

// portable implements [Ring] by Montgomery's method in limbs of 64 bits. The number of
// limbs is a multiple of block. R is 2^64 to the power of this number, and the number x
// represents the element x/R.
//
// Elements are below R but not always below n. Then (x·y + m·n) / R < R + n, so that one
// subtraction makes the product smaller than R again. It is needed only if the sum
// overflows the limbs.
type portable struct {
	n  []uint64
	k  uint64   // -1/n modulo 2^64
	rr []uint64 // R² modulo n
}

func newPortable(n *big.Int) *portable {
	size := (n.BitLen() + 64*block - 1) / (64 * block) * block
	limbs := make([]uint64, 2*size)
	r := &portable{n: limbs[:size:size], rr: limbs[size:]}
	setLimbs(r.n, n)
	r.k = -inverse(r.n[0])
	w := divisions.Get().(*division)
	defer divisions.Put(w)
	w.dividend.Lsh(one, uint(2*64*size))
	w.quotient.QuoRem(&w.dividend, n, &w.remainder)
	setLimbs(r.rr, &w.remainder)
	return r
}

// inverse returns 1/n modulo 2^64 for odd n.
func inverse(n uint64) uint64 {
	x := n // correct in three bits; each step doubles their number
	for range 5 {
		x *= 2 - n*x
	}
	return x
}

// division is the memory of one division.
type division struct{ dividend, quotient, remainder big.Int }

var divisions = sync.Pool{New: func() any { return new(division) }}

func (r *portable) Len() int { return len(r.n) }

func (r *portable) Set(z []uint64, x *big.Int) {
	setLimbs(z, x)
	r.Mul(z, z, r.rr)
}

func (r *portable) Get(z *big.Int, x []uint64) *big.Int {
	var t [2 * MaxLen]uint64
	copy(t[:], x)
	y := t[len(x) : 2*len(x)]
	r.redc(y, t[:2*len(x)]) // at most n
	return r.number(z, y)
}

// GetProduct needs no conversion of y: the reduced product of the representation of an
// element and a number is a number.
func (r *portable) GetProduct(z *big.Int, x []uint64, y *big.Int) *big.Int {
	var t [MaxLen]uint64
	w := t[:len(x)]
	setLimbs(w, y)
	r.Mul(w, x, w) // below 2n because y is below n
	return r.number(z, w)
}

// number sets z to x modulo n. x is below 2n.
func (r *portable) number(z *big.Int, x []uint64) *big.Int {
	var t [MaxLen]uint64
	if d := t[:len(x)]; subtract(d, x, r.n) == 0 {
		x = d
	}
	var b [8 * MaxLen]byte
	for i, limb := range x {
		binary.BigEndian.PutUint64(b[8*(len(x)-1-i):], limb)
	}
	return z.SetBytes(b[:8*len(x)])
}

func (r *portable) Mul(z, x, y []uint64) {
	switch len(r.n) {
	case block:
		var t [2 * block]uint64
		mulAdd(&t, at(x, 0), at(y, 0), 0)
		r.redc(z, t[:])
	case 2 * block:
		var t [4 * block]uint64
		multiplyPair(&t, pair(x, 0), pair(y, 0))
		r.redc(z, t[:])
	default:
		var t [2 * MaxLen]uint64
		multiply(t[:2*len(r.n)], x, y)
		r.redc(z, t[:2*len(r.n)])
	}
}

func (r *portable) Square(z, x []uint64) {
	switch len(r.n) {
	case block:
		var t [2 * block]uint64
		square(&t, at(x, 0))
		r.redc(z, t[:])
	case 2 * block:
		var t [4 * block]uint64
		squarePair(&t, pair(x, 0))
		r.redc(z, t[:])
	default:
		r.Mul(z, x, x)
	}
}

// redc sets z to t/R modulo n, below R. It overwrites t.
func (r *portable) redc(z, t []uint64) {
	var m [block]uint64
	var top uint64
	if len(r.n) == block {
		top = reduce(at(z, 0), &m, pair(t, 0), at(r.n, 0), r.k)
	} else {
		top = r.reduceRows(t, &m)
		copy(z, t[len(r.n):])
	}
	if top != 0 {
		subtract(z, z, r.n)
	}
}

// reduceRows sets the upper half of t to t/R modulo n and returns the carry, 0 or 1.
func (r *portable) reduceRows(t []uint64, m *[block]uint64) uint64 {
	var top uint64
	size := len(r.n)
	for i := 0; i < size; i += block {
		carry := reduce(at(t, i+block), m, pair(t, i), at(r.n, 0), r.k)
		for j := block; j < size; j += block {
			if j == size-block {
				carry += top // of the previous row
			}
			carry = mulAdd(pair(t, i+j), m, at(r.n, j), carry)
		}
		top = carry
	}
	return top
}

// at returns the block of x that begins at limb i.
func at(x []uint64, i int) *[block]uint64 { return (*[block]uint64)(x[i:]) }

// pair returns the two blocks of x that begin at limb i.
func pair(x []uint64, i int) *[2 * block]uint64 { return (*[2 * block]uint64)(x[i:]) }

// multiply sets t, which must be zero, to x·y.
func multiply(t, x, y []uint64) {
	for i := 0; i < len(x); i += block {
		var carry uint64
		for j := 0; j < len(y); j += block {
			carry = mulAdd(pair(t, i+j), at(x, i), at(y, j), carry)
		}
		if top := i + len(y) + block; top < len(t) {
			t[top] = carry
		}
	}
}

// setLimbs sets z to x, the least significant limb first.
func setLimbs(z []uint64, x *big.Int) {
	var buffer [8 * MaxLen]byte
	b := x.FillBytes(buffer[:8*len(z)])
	for i := range z {
		z[i] = binary.BigEndian.Uint64(b[8*(len(z)-1-i):])
	}
}

// block is the size in limbs of the numbers that the kernels in kernel.go multiply: 1024
// bits. Larger numbers consist of several blocks.
const block = 16

// mac adds x·y to the sum c2:c1:c0 of a column of products and returns the sum.
func mac(c0, c1, c2, x, y uint64) (uint64, uint64, uint64) {
	hi, lo := bits.Mul64(x, y)
	var c uint64
	c0, c = bits.Add64(c0, lo, 0)
	c1, c = bits.Add64(c1, hi, c)
	c2, _ = bits.Add64(c2, 0, c) // one instruction; c2 + c takes three
	return c0, c1, c2
}

// add adds x to the sum c2:c1:c0 and returns the sum.
func add(c0, c1, c2, x uint64) (uint64, uint64, uint64) {
	var c uint64
	c0, c = bits.Add64(c0, x, 0)
	c1, c = bits.Add64(c1, 0, c)
	c2, _ = bits.Add64(c2, 0, c)
	return c0, c1, c2
}

// addTwice adds twice the sum d2:d1:d0 to the sum c2:c1:c0 and returns the sum.
func addTwice(c0, c1, c2, d0, d1, d2 uint64) (uint64, uint64, uint64) {
	var c uint64
	c0, c = bits.Add64(c0, d0<<1, 0)
	c1, c = bits.Add64(c1, d1<<1|d0>>63, c)
	c2, _ = bits.Add64(c2, d2<<1|d1>>63, c)
	return c0, c1, c2
}

// mulAdd adds x·y and carry·2^1024 to t and returns the carry, which is 0 or 1 if the
// argument is at most 2.
func mulAdd(t *[2 * block]uint64, x, y *[block]uint64, carry uint64) uint64 {
	low, high := (*[block]uint64)(t[:]), (*[block]uint64)(t[block:])
	c0, c1 := lower(low, x, y)
	c0, c := bits.Add64(c0, carry, 0)
	return upper(high, high, x, y, c0, c1+c)
}

// reduce sets z, which may be the upper half of t, to (t + m·n) / 2^1024. It chooses m so
// that the division has no remainder. It returns the carry, 0 or 1.
func reduce(z, m *[block]uint64, t *[2 * block]uint64, n *[block]uint64, k uint64) uint64 {
	c0, c1 := clearLower(m, (*[block]uint64)(t[:]), n, k)
	return upper(z, (*[block]uint64)(t[block:]), m, n, c0, c1)
}

// addTo adds y and carry to x and returns the carry. The lengths are multiples of four.
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

// multiplyPair sets t, which must be zero, to x·y with three products of blocks instead
// of four (Karatsuba). With h = 2^1024,
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

// squarePair sets t to x² with three squares of blocks.
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

// distance sets z to |x − y| and reports whether x < y.
func distance(z, x, y *[block]uint64) bool {
	if subtract(z[:], x[:], y[:]) == 0 {
		return false
	}
	subtract(z[:], y[:], x[:])
	return true
}

// addMiddle adds both halves of t to the middle of t. It also adds d to the middle if
// negative is set, and subtracts d otherwise.
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

// sumLess sets d to x + y − d, which is not negative, and returns the carry.
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
