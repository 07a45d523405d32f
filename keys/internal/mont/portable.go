package mont

import (
	"encoding/binary"
	"math/big"
	"sync"
)

// portable implements [Ring] by Montgomery's method: with R = 2^64 to the
// number of limbs of n, which is a multiple of block, x stands for x/R.
//
// Elements are below R, not always below n: then (x·y + m·n) / R < R + n, so a
// single subtraction, needed only when the sum goes beyond the limbs, brings
// the product below R again.
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

// inverse gives 1/n modulo 2^64, for odd n.
func inverse(n uint64) uint64 {
	x := n // right in three bits, and each step doubles them
	for range 5 {
		x *= 2 - n*x
	}
	return x
}

// division is the memory of one.
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

// GetProduct leaves y as it is: the product of an element's form and a number
// is, after its reduction, a number.
func (r *portable) GetProduct(z *big.Int, x []uint64, y *big.Int) *big.Int {
	var t [MaxLen]uint64
	w := t[:len(x)]
	setLimbs(w, y)
	r.Mul(w, x, w) // below 2n, as y is below n
	return r.number(z, w)
}

// number sets z to x, which is below 2n, or x − n.
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

// redc sets z to t/R, below R. It destroys t.
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

// reduceRows sets the upper half of t to t/R and returns what goes beyond it, 0
// or 1.
func (r *portable) reduceRows(t []uint64, m *[block]uint64) uint64 {
	var top uint64
	size := len(r.n)
	for i := 0; i < size; i += block {
		carry := reduce(at(t, i+block), m, pair(t, i), at(r.n, 0), r.k)
		for j := block; j < size; j += block {
			if j == size-block {
				carry += top // of the row before
			}
			carry = mulAdd(pair(t, i+j), m, at(r.n, j), carry)
		}
		top = carry
	}
	return top
}

// at gives the block of x that begins at limb i.
func at(x []uint64, i int) *[block]uint64 { return (*[block]uint64)(x[i:]) }

// pair gives two blocks.
func pair(x []uint64, i int) *[2 * block]uint64 { return (*[2 * block]uint64)(x[i:]) }

// multiply sets t, which is zero, to x·y.
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

// setLimbs sets z to x, least limb first.
func setLimbs(z []uint64, x *big.Int) {
	var buffer [8 * MaxLen]byte
	b := x.FillBytes(buffer[:8*len(z)])
	for i := range z {
		z[i] = binary.BigEndian.Uint64(b[8*(len(z)-1-i):])
	}
}
