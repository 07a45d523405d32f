//go:build ignore

// This program writes the AVX-512 IFMA kernels of package mont, which multiply modulo n.
// The result z is below x·y/R + 2n for any x and y. R is 2^52 to the power of the number
// of digits plus one.
//
// Digits have 52 bits, because the instructions multiply 52 bits. There are five vectors of
// four or eight lanes: digit i is in vector i mod 5, lane i div 5. Hence a number is
// shifted down by one digit by renaming its vectors; only the lanes of the vector that was
// the first must be moved.
//
// The loop takes the digits of one factor, the lowest first. It keeps two sums of five
// vectors: b, the digits times the other factor, and a. Each step removes the lowest digit q
// of a + b, shifts the rest, and adds q·f with f = 2^-52 modulo n. This divides by 2^52.
// Montgomery's method would first compute a multiple of q, and everything would wait for
// it; here, only the multiplications take time. But f is as long as n, so that one digit
// too many is left at the end. Montgomery's method clears this digit.
//
// The value of a lane stays below 2^60. At the end, digits have 52 bits again.
package main

import (
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

const (
	vectors = 5
	digit   = 52 // bits
)

type vector = reg.VecVirtual

func main() {
	ConstraintExpr("!purego")
	k := kernel{register: YMM, lanes: 4}
	k.multiply("multiply1024", "func(z, x, y *[20]uint64, modulus *[41]uint64)")
	k.square("square1024", "func(z, x *[20]uint64, modulus *[41]uint64)")
	k = kernel{register: ZMM, lanes: 8}
	k.multiply("multiply2048", "func(z, x, y *[40]uint64, modulus *[81]uint64)")
	k.square("square2048", "func(z, x *[40]uint64, modulus *[81]uint64)")
	Generate()
}

// kernel is the code that is being written: its registers with their current names.
type kernel struct {
	register func() vector
	lanes    int

	modulus reg.Register // points to f, n and -1/n modulo 2^52
	f, a, b []vector
	q       vector // of the previous step
	zero    vector
	lowest  reg.OpmaskVirtual // of lanes
}

func (k *kernel) begin(name, signature, result string) {
	TEXT(name, NOSPLIT, signature)
	Doc(name + " sets z to " + result + ".")
	Pragma("noescape")
	k.modulus = Load(Param("modulus"), GP64())
	k.f = k.load(k.modulus, 0)
	k.a, k.b = k.clear(vectors), k.clear(vectors)
	k.q, k.zero = k.clear(1)[0], k.clear(1)[0]
	one := GP32()
	MOVL(U32(1), one)
	k.lowest = K()
	KMOVB(one, k.lowest)
}

func (k *kernel) multiply(name, signature string) {
	k.begin(name, signature, "x·y/R")
	x := k.load(Load(Param("x"), GP64()), 0)
	k.loop(Load(Param("y"), GP64()), func(_ int, y vector) {
		k.step(y, x, func(b vector) { VPXORQ(b, b, b) })
	})
	k.end()
}

// square multiplies a digit of vector v only by vector v and by twice the vectors after v,
// so that it computes each product of two vectors once. The top bit of a doubled digit is
// not multiplied. It is the lowest bit of the next digit, in the next vector, except in
// the vector after v, because the digits before it were not doubled. The top bits of the
// last vector are added separately.
func (k *kernel) square(name, signature string) {
	k.begin(name, signature, "x²/R")
	p, y := Load(Param("x"), GP64()), GP64()
	MOVQ(p, y)
	x, last, carried := k.load(p, 0), k.register(), K()
	VPSRLQ(Imm(digit-1), x[vectors-1], last)
	VPTESTMQ(last, last, carried)
	double := make([]vector, vectors) // without the top bits of the previous vector
	for v := vectors - 1; v > 0; v-- {
		double[v] = k.register()
		VPADDQ(x[v], x[v], double[v])
		VPSRLQ(Imm(digit-1), x[v-1], x[v])
		VPORQ(double[v], x[v], x[v]) // with these bits
	}
	k.loop(y, func(v int, y vector) {
		same := k.register()
		VMOVDQU64(k.word(p, v*k.lanes), same)
		factors := append(make([]vector, v), same)
		if v == vectors-1 {
			k.step(y, factors, func(b vector) { VPXORQ(b, b, b) })
			return
		}
		factors = append(append(factors, double[v+1]), x[v+2:]...)
		k.step(y, factors, func(b vector) { VMOVDQA64_Z(y, carried, b) })
	})
	k.end()
}

// loop writes the loop. It calls step to write the steps of five digits.
func (k *kernel) loop(p reg.Register, step func(v int, y vector)) {
	count, q := GP64(), k.q
	MOVQ(U64(uint64(k.lanes)), count)
	Label("digits")
	for v := range vectors {
		y := k.register()
		VPBROADCASTQ(k.word(p, v*k.lanes), y)
		step(v, y)
	}
	VMOVDQA64(k.q, q)
	k.q = q
	ADDQ(Imm(8), p)
	DECQ(count)
	JNZ(LabelRef("digits"))
}

// step writes the step of a digit y. Vectors of x that are nil are skipped. highest writes
// the code that sets the highest vector of b.
func (k *kernel) step(y vector, x []vector, highest func(b vector)) {
	k.products(VPMADD52LUQ, x, y, k.b)
	sum, q := k.register(), k.register()
	VPADDQ(k.a[0], k.b[0], sum)
	VPBROADCASTQ(sum.AsX(), q)
	k.shift(sum)
	highest(k.b[0])
	k.b = append(k.b[1:], k.b[0])
	k.products(VPMADD52LUQ, k.f, q, k.a)
	k.products(VPMADD52HUQ, x, y, k.b)
	// The upper halves belong to the next digit. The last one is added a step later.
	VPMADD52HUQ(k.f[vectors-1], k.q, k.a[vectors-1])
	for v, sum := range k.a[1:] {
		if x[v+1] == nil {
			sum = k.b[v+1] // no other instruction of this step writes it
		}
		VPMADD52HUQ(k.f[v], q, sum)
	}
	k.q = q
}

// products adds the lower or upper halves of x·y to the sum.
func (k *kernel) products(add func(...Op), x []vector, y vector, sum []vector) {
	for v := range x {
		if x[v] != nil {
			add(x[v], y, sum[v])
		}
	}
}

// shift shifts a down by one digit, with sum as its first vector. It keeps the carry of
// the digit that it removes.
func (k *kernel) shift(sum vector) {
	carry := k.register()
	VPSRLQ_Z(Imm(digit), sum, k.lowest, carry)
	VPADDQ(carry, k.a[1], k.a[1])
	VALIGNQ(Imm(1), sum, k.zero, k.a[0])
	k.a = append(k.a[1:], k.a[0])
}

// end clears one more digit, by adding m·n with m = -sum/n modulo 2^52, and stores the sum
// in z.
func (k *kernel) end() {
	for v := range vectors {
		VPADDQ(k.b[v], k.a[v], k.a[v])
	}
	n, m := k.load(k.modulus, vectors*k.lanes), k.clear(1)[0]
	inverse := k.register()
	VPBROADCASTQ(k.word(k.modulus, 2*vectors*k.lanes), inverse)
	VPMADD52LUQ(k.a[0], inverse, m)
	VPBROADCASTQ(m.AsX(), m)
	k.products(VPMADD52LUQ, n, m, k.a)
	k.shift(k.a[0])
	VPMADD52HUQ(k.f[vectors-1], k.q, k.a[vectors-1])
	k.products(VPMADD52HUQ, n, m, k.a)
	k.normalize()
	z := Load(Param("z"), GP64())
	for v := range vectors {
		VMOVDQU64(k.a[v], k.word(z, v*k.lanes))
	}
	VZEROUPPER()
	RET()
}

// normalize carries from digit to digit, and from the last vector to the next lane of the
// first, until all digits have 52 bits. Usually one iteration suffices; at most, there is
// one more for each lane. The sum fits the digits, so the last one has no carry.
func (k *kernel) normalize() {
	mask, carry, excess := k.mask(), k.register(), K()
	Label("carry")
	for v := range vectors {
		VPSRLQ(Imm(digit), k.a[v], carry)
		VPANDQ(mask, k.a[v], k.a[v])
		if v < vectors-1 {
			VPADDQ(carry, k.a[v+1], k.a[v+1])
		}
	}
	VALIGNQ(Imm(uint64(k.lanes-1)), k.zero, carry, carry)
	VPADDQ(carry, k.a[0], k.a[0])
	const above = 6
	VPCMPUQ(Imm(above), mask, k.a[0], excess)
	KORTESTB(excess, excess)
	JNZ(LabelRef("carry"))
}

func (k *kernel) mask() vector {
	mask, t := k.register(), GP64()
	MOVQ(U64(1<<digit-1), t)
	VPBROADCASTQ(t, mask)
	return mask
}

func (k *kernel) load(p reg.Register, word int) []vector {
	x := make([]vector, vectors)
	for v := range x {
		x[v] = k.register()
		VMOVDQU64(k.word(p, word+v*k.lanes), x[v])
	}
	return x
}

func (k *kernel) clear(n int) []vector {
	x := make([]vector, n)
	for i := range x {
		x[i] = k.register()
		VPXORQ(x[i], x[i], x[i])
	}
	return x
}

func (k *kernel) word(p reg.Register, i int) Mem { return Mem{Base: p, Disp: 8 * i} }
