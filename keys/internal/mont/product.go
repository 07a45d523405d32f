package mont

import (
	"math/big"
	"slices"
)

// Product computes a product of powers with one sequence of squarings for all of them
// (Straus). Call Reset, then Window and Fixed any number of times, then Value. Reusing a
// Product saves allocations. It is not safe for concurrent use.
type Product struct {
	ring   Ring
	powers []power
	value  []uint64
	table  []uint64 // backs the tables of Window
	digits []uint16 // backs the digits of powers
}

// power is one factor of a product. Its exponent is Σ e[i]·2^i. digits[i] is 0 if e[i] is
// 0; otherwise, entry digits[i]−1 of the table is the base to the power of e[i].
type power struct {
	table  []uint64
	digits []uint16
}

// windowBits is the width of a window for a base without a comb. The table has 8 odd
// powers. After that, there is one multiplication for every 5 bits on average.
const windowBits = 4

// Reset begins a new product.
func (p *Product) Reset(r Ring) {
	p.ring = r
	p.powers, p.table, p.digits = p.powers[:0], p.table[:0], p.digits[:0]
}

// Window multiplies the product by base^exponent. The first word of the exponent is the
// least significant.
func (p *Product) Window(base, exponent []uint64) {
	table := grow(&p.table, p.ring.Len()<<(windowBits-1))
	digits := grow(&p.digits, 64*len(exponent))
	oddPowers(p.ring, table, base)
	for i := 0; i < len(digits); {
		w := word(exponent, i)
		if w&1 == 0 {
			i++
			continue
		}
		d := w % (1 << windowBits)
		digits[i] = uint16(d/2 + 1) // d is odd
		i += windowBits
	}
	p.powers = append(p.powers, power{table, digits})
}

// oddPowers sets the table to x, x³, x⁵, …
func oddPowers(r Ring, table, x []uint64) {
	n := r.Len()
	square := table[len(table)-n:] // overwritten by the last power
	copy(table, x)
	r.Square(square, x)
	for i := n; i < len(table); i += n {
		r.Mul(table[i:i+n], table[i-n:i], square)
	}
}

// Fixed multiplies the product by a power of the base of a comb, which must be of the
// same ring. It ignores bits of the exponent beyond the length of the comb.
func (p *Product) Fixed(c *Comb, exponent []uint64) {
	for i, table := range c.tables {
		digits := grow(&p.digits, c.columns(i))
		c.recode(digits, i, exponent)
		p.powers = append(p.powers, power{table, digits})
	}
}

// Value returns the product. The element is valid until the next call of Reset.
func (p *Product) Value() []uint64 {
	n := p.ring.Len()
	p.value = slices.Grow(p.value[:0], n)[:n]
	started := false // until then, the value is 1
	for i := p.top(); i >= 0; i-- {
		if started {
			p.ring.Square(p.value, p.value)
		}
		for _, w := range p.powers {
			if i >= len(w.digits) || w.digits[i] == 0 {
				continue
			}
			entry := w.table[int(w.digits[i]-1)*n:][:n]
			if started {
				p.ring.Mul(p.value, p.value, entry)
			} else {
				copy(p.value, entry)
				started = true
			}
		}
	}
	if !started {
		p.ring.Set(p.value, one)
	}
	return p.value
}

var one = big.NewInt(1)

// top returns the highest position of a digit.
func (p *Product) top() int {
	top := 0
	for _, w := range p.powers {
		top = max(top, len(w.digits))
	}
	return top - 1
}

// grow extends s by n zero elements and returns them. If the capacity does not suffice, s
// becomes a new slice, and elements that were returned before stay valid.
func grow[T uint16 | uint64](s *[]T, n int) []T {
	used := len(*s)
	if used+n > cap(*s) {
		*s, used = make([]T, 0, 2*cap(*s)+n), 0
	}
	*s = (*s)[:used+n]
	piece := (*s)[used : used+n : used+n]
	clear(piece)
	return piece
}

// word returns the 64 bits of x from bit i on. Bits beyond the end of x are zero.
func word(x []uint64, i int) uint64 {
	var w uint64
	if i/64 < len(x) {
		w = x[i/64] >> (i % 64)
	}
	if i/64+1 < len(x) {
		w |= x[i/64+1] << (64 - i%64) // adds nothing if i%64 is 0
	}
	return w
}

// Comb is a table of powers of one base (Lim and Lee, 1994). It is immutable and safe for
// concurrent use.
//
// The bits of the exponent are arranged in rows of equal length, and each column of bits
// is a digit. The table has an entry for each value of a digit. A power takes as many
// multiplications as there are columns, and one squaring less. With several tables, each
// for a part of the columns, the number of multiplications is the same, and the number of
// squarings is divided by the number of tables.
type Comb struct {
	rows   int
	length int // of a row, in bits
	step   int // number of columns of a table; the last one may have fewer
	tables [][]uint64
}

// NewComb returns the comb of a base for exponents of at most the given number of bits.
// The comb has tables·(2^rows − 1) elements. rows is at most 16.
func NewComb(r Ring, base []uint64, bits, rows, tables int) *Comb {
	c := &Comb{rows: rows, length: (bits + rows - 1) / rows}
	c.step = (c.length + tables - 1) / tables
	n := r.Len()
	for range (c.length + c.step - 1) / c.step {
		c.tables = append(c.tables, make([]uint64, n*(1<<rows-1)))
	}
	c.setRows(r, base)
	for _, t := range c.tables {
		for d := 3; d < 1<<rows; d++ {
			if rest := d & (d - 1); rest != 0 { // d without its lowest bit
				r.Mul(entry(t, n, d), entry(t, n, rest), entry(t, n, d-rest))
			}
		}
	}
	return c
}

// setRows sets the entries for digits with one bit: base^(2^i), where i is the bit of the
// exponent at which the part of the row begins that belongs to the table.
func (c *Comb) setRows(r Ring, base []uint64) {
	n := r.Len()
	x := append([]uint64(nil), base...)
	for i := range c.rows * c.length {
		if j := i % c.length; j%c.step == 0 {
			copy(entry(c.tables[j/c.step], n, 1<<(i/c.length)), x)
		}
		r.Square(x, x)
	}
}

// entry returns the entry for the digit d, which is not zero.
func entry(table []uint64, n, d int) []uint64 { return table[(d-1)*n:][:n] }

// columns returns the number of columns of table i.
func (c *Comb) columns(i int) int { return min(c.step, c.length-i*c.step) }

// recode sets digits, which must be zero, to the digits of the exponent for table i.
func (c *Comb) recode(digits []uint16, i int, exponent []uint64) {
	for row := range c.rows {
		start := row*c.length + i*c.step
		var w uint64
		for j := range digits {
			if j%64 == 0 {
				w = word(exponent, start+j)
			}
			digits[j] |= uint16(w&1) << row
			w >>= 1
		}
	}
}

// Size returns the size of the tables in bytes.
func (c *Comb) Size() int {
	size := 0
	for _, t := range c.tables {
		size += 8 * len(t)
	}
	return size
}
