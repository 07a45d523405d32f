package mont

import (
	"math/big"
	"slices"
)

// Product computes a product of powers with one run of squarings for all of
// them (Straus). It is used again and again to save allocations, but not
// concurrently: Reset, then any number of Window and Fixed, then Value.
type Product struct {
	ring   Ring
	powers []power
	value  []uint64
	table  []uint64 // backs the tables of Window
	digits []uint16 // backs the digits of powers
}

// power is a base whose exponent has been written as Σ digits[i]·2^i. A digit d
// above zero stands for entry d−1 of the table.
type power struct {
	table  []uint64
	digits []uint16
}

// windowBits is the width of the windows on a base without a table: 8 odd
// powers are made first, then there is a multiplication for every 5 bits.
const windowBits = 4

// Reset begins a new product.
func (p *Product) Reset(r Ring) {
	p.ring = r
	p.powers, p.table, p.digits = p.powers[:0], p.table[:0], p.digits[:0]
}

// Window multiplies by base^exponent. The exponent has its least word first.
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

// oddPowers fills a table with x, x³, x⁵, …
func oddPowers(r Ring, table, x []uint64) {
	n := r.Len()
	square := table[len(table)-n:] // until the last power takes the place
	copy(table, x)
	r.Square(square, x)
	for i := n; i < len(table); i += n {
		r.Mul(table[i:i+n], table[i-n:i], square)
	}
}

// Fixed multiplies by a power of the comb's base, which was made for the same
// ring. Bits of the exponent that the comb is too short for are not looked at.
func (p *Product) Fixed(c *Comb, exponent []uint64) {
	for i, table := range c.tables {
		digits := grow(&p.digits, c.columns(i))
		c.recode(digits, i, exponent)
		p.powers = append(p.powers, power{table, digits})
	}
}

// Value gives the product, an element that is the caller's until the next
// Reset.
func (p *Product) Value() []uint64 {
	n := p.ring.Len()
	p.value = slices.Grow(p.value[:0], n)[:n]
	started := false // before, the value is 1
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

// top is the highest position of a digit.
func (p *Product) top() int {
	top := 0
	for _, w := range p.powers {
		top = max(top, len(w.digits))
	}
	return top - 1
}

// grow gives the next n elements, zero, of the space behind s. When that is
// used up there is a new one; what was given before stays valid.
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

// word gives the 64 bits of x from bit i on, zero beyond its end.
func word(x []uint64, i int) uint64 {
	var w uint64
	if i/64 < len(x) {
		w = x[i/64] >> (i % 64)
	}
	if i/64+1 < len(x) {
		w |= x[i/64+1] << (64 - i%64) // nothing when i%64 is 0
	}
	return w
}
