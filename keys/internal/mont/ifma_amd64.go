//go:build !purego

package mont

import (
	"math/big"
	"math/bits"
	"slices"

	"github.com/vepverify/vepverify/internal/arithmetic"
)

func init() {
	if arithmetic.Name() == arithmetic.IFMA {
		newIFMARing = newIFMA
	}
}

const (
	digitBits = 52
	digitMask = 1<<digitBits - 1

	// The numbers of digits for moduli of up to 1024 and 2048 bits.
	short = 20
	long  = 40
)

// ifmaRing implements [Ring] by Montgomery's method in digits of 52 bits. R is 2^52 to the
// power of the number of digits plus one, and the number x represents the element x/R.
// The comment in generate/ifma.go explains the kernels and the order of the digits in
// memory.
//
// An element may be any number of that many digits. Products are below x·y/R + 2n, which
// fits: the digits have 16 bits more than the longest modulus.
type ifmaRing struct {
	n       *big.Int
	digits  int
	modulus []uint64 // the argument of the kernels: 2^-52 modulo n, n, -1/n modulo 2^52
	rr      []uint64 // R² modulo n
}

func newIFMA(n *big.Int) Ring {
	digits := short
	if n.BitLen() > 1024 {
		digits = long
	}
	buf := make([]uint64, 3*digits+1)
	r := &ifmaRing{n, digits, buf[: 2*digits+1 : 2*digits+1], buf[2*digits+1:]}
	w := divisions.Get().(*division)
	defer divisions.Put(w)
	setDigits(r.modulus[digits:2*digits], n)
	k := -inverse(uint64(n.Bits()[0])) & digitMask
	r.modulus[2*digits] = k
	setMinus52(r.modulus[:digits], r.modulus[digits:2*digits], k)
	// Two squarings of R·2^(m/4) yield R·2^m, so that R² needs only a short division.
	m := digitBits * (digits + 1)
	w.dividend.Lsh(one, uint(m+m/4))
	w.quotient.QuoRem(&w.dividend, n, &w.remainder)
	setDigits(r.rr, &w.remainder)
	r.Square(r.rr, r.rr)
	r.Square(r.rr, r.rr)
	return r
}

// setMinus52 sets z to 2^-52, which is (k·n + 1) / 2^52.
func setMinus52(z, n []uint64, k uint64) {
	lanes := len(z) / vectors
	carry := uint64(1)
	last := len(z) - 1 // index of the previous digit; the first value is overwritten
	for lane := range lanes {
		for i := lane; i < len(z); i += lanes {
			high, low := bits.Mul64(k, n[i])
			low, c := bits.Add64(low, carry, 0)
			high += c
			z[last] = low & digitMask
			carry = high<<(64-digitBits) | low>>digitBits
			last = i
		}
	}
	z[last] = carry
}

func (r *ifmaRing) Len() int { return r.digits }

func (r *ifmaRing) Mul(z, x, y []uint64) {
	if r.digits == short {
		multiply1024((*[short]uint64)(z), (*[short]uint64)(x), (*[short]uint64)(y), (*[2*short + 1]uint64)(r.modulus))
	} else {
		multiply2048((*[long]uint64)(z), (*[long]uint64)(x), (*[long]uint64)(y), (*[2*long + 1]uint64)(r.modulus))
	}
}

func (r *ifmaRing) Square(z, x []uint64) {
	if r.digits == short {
		square1024((*[short]uint64)(z), (*[short]uint64)(x), (*[2*short + 1]uint64)(r.modulus))
	} else {
		square2048((*[long]uint64)(z), (*[long]uint64)(x), (*[2*long + 1]uint64)(r.modulus))
	}
}

func (r *ifmaRing) Set(z []uint64, x *big.Int) {
	setDigits(z, x)
	r.Mul(z, z, r.rr)
}

func (r *ifmaRing) Get(z *big.Int, x []uint64) *big.Int { return r.GetProduct(z, x, one) }

func (r *ifmaRing) GetProduct(z *big.Int, x []uint64, y *big.Int) *big.Int {
	var buf [long]uint64
	t := buf[:r.digits]
	setDigits(t, y)
	r.Mul(t, x, t)
	setNumber(z, t)
	for z.Cmp(r.n) >= 0 { // z is below 3n
		z.Sub(z, r.n)
	}
	return z
}

// vectors is the number of vectors. It determines the order of the digits in memory.
const vectors = 5

// setDigits sets z to x, which fits. Its loop has no branches that depend on the digit.
func setDigits(z []uint64, x *big.Int) {
	var words [64]uint64 // a power of two saves the bounds checks
	for i, w := range x.Bits() {
		words[i%64] = uint64(w)
	}
	bit := uint(0)
	lanes := len(z) / vectors
	for lane := range lanes {
		for i := lane; i < len(z); i += lanes {
			at, shift := bit/64, bit%64
			z[i] = (words[at%64]>>shift | words[(at+1)%64]<<1<<(63-shift)) & digitMask
			bit += digitBits
		}
	}
}

// setNumber sets z to the number with the digits x.
func setNumber(z *big.Int, x []uint64) {
	var limb uint64
	filled := 0
	words := slices.Grow(z.Bits()[:0], len(x))
	lanes := len(x) / vectors
	for lane := range lanes {
		for v := range vectors {
			d := x[v*lanes+lane]
			limb |= d << filled
			if filled += digitBits; filled >= 64 {
				words = append(words, big.Word(limb))
				filled -= 64
				limb = d >> (digitBits - filled)
			}
		}
	}
	z.SetBits(append(words, big.Word(limb)))
}
