package dsa

import (
	"encoding/binary"
	"math/big"
	"math/bits"
)

// maxOrderBits is the largest length in bits of the modulus of an inverter.
const maxOrderBits = 256

// inverter computes inverses modulo an odd number by division steps (Bernstein and Yang,
// "Fast constant-time gcd computation and modular inversion", 2019), in the variable-time
// form of libsecp256k1. Unlike math/big it does not allocate (BenchmarkInverse).
type inverter struct {
	modulus *big.Int
	limbs   wide
	inverse uint64 // of the modulus, modulo 2^62
}

// newInverter returns the inverter for an odd modulus of at most maxOrderBits bits.
func newInverter(modulus *big.Int) inverter {
	limbs := toWide(modulus)
	m := uint64(limbs[0])
	inverse := m // correct in three bits; each step doubles their number
	for range 5 {
		inverse *= 2 - m*inverse
	}
	return inverter{modulus, limbs, inverse & limbMask}
}

// invert sets z to the inverse of x, 0 < x < modulus. It reports whether x has an
// inverse. It terminates for composite moduli too: for every odd f, the steps reduce g to
// zero.
func (m *inverter) invert(z, x *big.Int) bool {
	d, e := wide{}, wide{1} // f = d·x and g = e·x modulo the modulus, always
	f, g := m.limbs, toWide(x)
	for eta := int64(-1); g != (wide{}); {
		var t matrix
		eta, t = divisionSteps(eta, uint64(f[0]), uint64(g[0]))
		m.applyModulo(&t, &d, &e)
		t.apply(&f, &g)
	}
	// Now f is the greatest common divisor or its negative, and -2·modulus < d < modulus.
	d.get(z)
	switch f {
	case wide{1}:
	case wide{limbMask, limbMask, limbMask, limbMask, -1}:
		z.Neg(z)
	default:
		return false
	}
	for z.Sign() < 0 {
		z.Add(z, m.modulus)
	}
	if z.Cmp(m.modulus) >= 0 {
		z.Sub(z, m.modulus)
	}
	return true
}

// matrix is the effect of 62 division steps on f and g, multiplied by 2^62.
type matrix struct{ u, v, q, r int64 }

// divisionSteps makes 62 division steps, for which the lowest 62 bits of f and g suffice.
// f is odd.
func divisionSteps(eta int64, f, g uint64) (int64, matrix) {
	var u, v, q, r uint64 = 1, 0, 0, 1
	for left := limbBits; ; {
		zeros := bits.TrailingZeros64(g | 1<<left)
		g >>= zeros
		u <<= zeros
		v <<= zeros
		eta -= int64(zeros)
		if left -= zeros; left == 0 {
			return eta, matrix{int64(u), int64(v), int64(q), int64(r)}
		}
		if eta < 0 {
			eta = -eta
			f, g = g, -f
			u, q = q, -u
			v, r = r, -v
		}
		// Add the multiple w of f that clears as many low bits of g as there may be
		// steps without another exchange of f and g, at most six: -1/f = f·(f²−2)
		// modulo 2^6.
		w := f * g * (f*f - 2) & (1<<min(eta+1, int64(left), 6) - 1)
		g += f * w
		q += u * w
		r += v * w
	}
}

// apply multiplies (f, g) by the matrix and divides the result by 2^62. The division has
// no remainder.
func (t *matrix) apply(f, g *wide) {
	var cf, cg int128
	for i := range f {
		fi, gi := f[i], g[i]
		cf.addProduct(t.u, fi)
		cf.addProduct(t.v, gi)
		cg.addProduct(t.q, fi)
		cg.addProduct(t.r, gi)
		if i > 0 {
			f[i-1], g[i-1] = cf.low(), cg.low()
		}
		cf.shift()
		cg.shift()
	}
	f[4], g[4] = int64(cf.lo), int64(cg.lo)
}

// applyModulo is like apply, modulo the modulus: it adds the multiple of the modulus that
// makes the remainder of the division zero. d and e stay above -2·modulus and below
// modulus.
func (m *inverter) applyModulo(t *matrix, d, e *wide) {
	sd, se := d[4]>>63, e[4]>>63
	md := t.u&sd + t.v&se
	me := t.q&sd + t.r&se
	md -= int64((m.inverse*uint64(t.u*d[0]+t.v*e[0]) + uint64(md)) & limbMask)
	me -= int64((m.inverse*uint64(t.q*d[0]+t.r*e[0]) + uint64(me)) & limbMask)
	var cd, ce int128
	for i := range d {
		di, ei := d[i], e[i]
		cd.addProduct(t.u, di)
		cd.addProduct(t.v, ei)
		cd.addProduct(m.limbs[i], md)
		ce.addProduct(t.q, di)
		ce.addProduct(t.r, ei)
		ce.addProduct(m.limbs[i], me)
		if i > 0 {
			d[i-1], e[i-1] = cd.low(), ce.low()
		}
		cd.shift()
		ce.shift()
	}
	d[4], e[4] = int64(cd.lo), int64(ce.lo)
}

// wide is a signed number in limbs of 62 bits, the least significant first. The last limb
// has the sign.
type wide [5]int64

const (
	limbBits = 62
	limbMask = 1<<limbBits - 1
)

// toWide converts a number of at most maxOrderBits bits that is not negative.
func toWide(x *big.Int) wide {
	var b [maxOrderBits / 8]byte
	x.FillBytes(b[:])
	var w [5]uint64
	for i := range 4 {
		w[i] = binary.BigEndian.Uint64(b[24-8*i:])
	}
	return wide{
		int64(w[0] & limbMask),
		int64((w[0]>>62 | w[1]<<2) & limbMask),
		int64((w[1]>>60 | w[2]<<4) & limbMask),
		int64((w[2]>>58 | w[3]<<6) & limbMask),
		int64(w[3] >> 56),
	}
}

// get sets z to the number, whose absolute value is below 2^310.
func (w wide) get(z *big.Int) {
	negative := w[4] < 0
	if negative {
		carry := int64(0)
		for i := range w {
			w[i] = carry - w[i]
			carry = w[i] >> limbBits
			if i < 4 {
				w[i] &= limbMask
			}
		}
	}
	var b [40]byte
	binary.BigEndian.PutUint64(b[32:], uint64(w[0])|uint64(w[1])<<62)
	binary.BigEndian.PutUint64(b[24:], uint64(w[1])>>2|uint64(w[2])<<60)
	binary.BigEndian.PutUint64(b[16:], uint64(w[2])>>4|uint64(w[3])<<58)
	binary.BigEndian.PutUint64(b[8:], uint64(w[3])>>6|uint64(w[4])<<56)
	binary.BigEndian.PutUint64(b[:], uint64(w[4])>>8)
	z.SetBytes(b[:])
	if negative {
		z.Neg(z)
	}
}

// int128 is a signed sum of products.
type int128 struct {
	hi int64
	lo uint64
}

func (s *int128) addProduct(x, y int64) {
	hi, lo := bits.Mul64(uint64(x), uint64(y))
	var c uint64
	s.lo, c = bits.Add64(s.lo, lo, 0)
	s.hi += int64(hi) - x>>63&y - y>>63&x + int64(c)
}

// low returns the bits that shift drops.
func (s *int128) low() int64 { return int64(s.lo & limbMask) }

func (s *int128) shift() {
	s.lo = s.lo>>limbBits | uint64(s.hi)<<(64-limbBits)
	s.hi >>= limbBits
}
