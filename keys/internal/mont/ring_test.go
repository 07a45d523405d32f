package mont_test

import (
	"bytes"
	"math/big"
	"math/rand"
	"os"
	"os/exec"
	"reflect"
	"testing"

	"github.com/vepverify/vepverify/internal/arithmetic"
	"github.com/vepverify/vepverify/keys/internal/mont"
)

var one = big.NewInt(1)

func power2(n int) *big.Int { return new(big.Int).Lsh(one, uint(n)) }

// numbers returns numbers with long carries: powers of two and their neighbors, runs of
// ones and of zeros between other bits, and random numbers.
func numbers(bits int) []*big.Int {
	source := rand.New(rand.NewSource(int64(bits)))
	top := new(big.Int).Sub(power2(bits), one) // all ones
	middle := new(big.Int).Sub(power2(bits*3/4), power2(bits/4))
	all := []*big.Int{new(big.Int), one, big.NewInt(2), top, middle,
		new(big.Int).Sub(top, one), power2(bits - 1),
		new(big.Int).Add(power2(bits-1), one),
		new(big.Int).Xor(top, middle),
		new(big.Int).Sub(top, power2(bits/2))}
	for range 2 {
		all = append(all, new(big.Int).Rand(source, top))
	}
	return all
}

func moduli() []*big.Int {
	var all []*big.Int
	for _, bits := range []int{2, 3, 64, 65, 1023, 1024, 1025, 2047, 2048, 2049, 3072} {
		for _, n := range numbers(bits) {
			if n = new(big.Int).SetBit(n, 0, 1); n.Cmp(one) > 0 {
				all = append(all, n)
			}
		}
	}
	return all
}

// rings returns the ring of a modulus in every implementation.
func rings(t testing.TB, n *big.Int) []mont.Ring {
	t.Helper()
	r, err := mont.New(n)
	if err != nil {
		t.Fatal(err)
	}
	all := []mont.Ring{mont.NewPortable(n)}
	if reflect.TypeOf(r) != reflect.TypeOf(all[0]) {
		all = append(all, r)
	}
	return all
}

// TestNewChooses checks which implementation New chooses for moduli of several lengths.
func TestNewChooses(t *testing.T) {
	for _, c := range []struct{ bits, portable, ifma int }{
		{2, 16, 20}, {1023, 16, 20}, {1024, 16, 20}, {1025, 32, 40}, {2048, 32, 40}, {2049, 48, 48}, {4096, 64, 64},
	} {
		r, err := mont.New(new(big.Int).SetBit(power2(c.bits-1), 0, 1))
		if err != nil {
			t.Fatal(err)
		}
		want := map[string]int{"portable": c.portable, "AVX-512 IFMA": c.ifma}[arithmetic.Name()]
		if r.Len() != want {
			t.Errorf("%s, %d bits: %d words", arithmetic.Name(), c.bits, r.Len())
		}
	}
}

func TestRing(t *testing.T) {
	for _, n := range moduli() {
		operands := append(numbers(n.BitLen()), n, new(big.Int).Sub(n, one))[3:]
		for _, r := range rings(t, n) {
			for _, x := range operands {
				for _, y := range operands {
					if y.BitLen() <= n.BitLen() {
						checkRing(t, r, n, x, y)
					}
				}
			}
		}
	}
}

// checkRing checks x·y, x² and (x·y)·x modulo n.
func checkRing(t *testing.T, r mont.Ring, n, x, y *big.Int) {
	t.Helper()
	ex, ey, z := make([]uint64, r.Len()), make([]uint64, r.Len()), make([]uint64, r.Len())
	r.Set(ex, x)
	r.Set(ey, y)
	checkElements(t, r, n, ex, ey, z)
	if got, want := r.Get(new(big.Int), ex), new(big.Int).Mod(x, n); got.Cmp(want) != 0 {
		t.Fatalf("modulo %x: %x became %x", n, x, got)
	}
}

func checkElements(t *testing.T, r mont.Ring, n *big.Int, ex, ey, z []uint64) {
	t.Helper()
	x, y := r.Get(new(big.Int), ex), r.Get(new(big.Int), ey)
	if x.Cmp(n) >= 0 {
		t.Fatalf("modulo %x: got %x", n, x)
	}
	want := new(big.Int)
	check := func(what string) {
		t.Helper()
		if got := r.Get(new(big.Int), z); got.Cmp(want.Mod(want, n)) != 0 {
			t.Fatalf("modulo %x, x = %x, y = %x: %s is %x, want %x", n, x, y, what, got, want)
		}
	}
	want.Mul(x, y)
	if got := r.GetProduct(new(big.Int), ex, y); got.Cmp(want.Mod(want, n)) != 0 {
		t.Fatalf("modulo %x, x = %x, y = %x: the number x·y is %x, want %x", n, x, y, got, want)
	}
	r.Mul(z, ex, ey)
	want.Mul(x, y)
	check("x·y")
	r.Mul(z, z, ex)
	want.Mul(want, x)
	check("x·y·x")
	r.Square(z, z)
	want.Mul(want, want)
	check("(x·y·x)²")
	r.Square(z, ey)
	want.Mul(y, y)
	check("y²")
}

// TestRingLengths tests all lengths of moduli for which there are two implementations.
func TestRingLengths(t *testing.T) {
	source := rand.New(rand.NewSource(1))
	for bits := 2; bits <= 2049; bits++ {
		n := new(big.Int).Rand(source, power2(bits-1))
		n.SetBit(n, 0, 1).SetBit(n, bits-1, 1)
		for _, r := range rings(t, n) {
			checkRing(t, r, n, new(big.Int).Sub(n, one), new(big.Int).Rand(source, n))
		}
	}
}

// TestRingUnreduced checks that any number can represent an element, also one above the
// modulus.
func TestRingUnreduced(t *testing.T) {
	for _, n := range moduli() {
		for _, r := range rings(t, n) {
			representations := numbers(mont.RepresentationBits(r))
			for _, x := range representations {
				for _, y := range representations[:7] {
					checkElements(t, r, n, mont.Representation(r, x), mont.Representation(r, y), make([]uint64, r.Len()))
				}
			}
		}
	}
}

// TestRingCarries tests products that are powers of two or their neighbors: carries go
// through all of their zeros or ones. This includes the products that Set computes, and
// those that are reduced by R.
func TestRingCarries(t *testing.T) {
	for _, bits := range []int{1024, 2048} {
		for _, n := range append(numbers(bits)[3:], sparse(bits)...) {
			n = new(big.Int).SetBit(n, 0, 1)
			for _, r := range rings(t, n) {
				for i := 26; i < mont.RepresentationBits(r); i += 26 {
					x, z := power2(i), make([]uint64, r.Len())
					checkElements(t, r, n, mont.Representation(r, x), mont.Representation(r, new(big.Int).Sub(x, one)), z)
					checkRing(t, r, n, x.Mod(x, n), new(big.Int).Sub(n, x))
				}
			}
		}
	}
}

// sparse returns odd numbers of about the given number of bits. Most of their digits are
// all ones or all zeros.
func sparse(bits int) []*big.Int {
	low := new(big.Int).Add(power2(bits*15/16), big.NewInt(159))
	high := new(big.Int).Sub(power2(bits), big.NewInt(105))
	digit := new(big.Int).Sub(power2(bits), power2(52))
	return []*big.Int{low, high, digit.Add(digit, one)}
}

// words returns x in n words, the least significant first.
func words(x *big.Int, n int) []uint64 {
	z := make([]uint64, n)
	for i := range z {
		z[i] = new(big.Int).Rsh(x, uint(64*i)).Uint64()
	}
	return z
}

func TestNewRefuses(t *testing.T) {
	for _, n := range []*big.Int{new(big.Int), one, big.NewInt(-3), big.NewInt(4), power2(1024),
		new(big.Int).Add(power2(mont.MaxBits), one)} {
		if _, err := mont.New(n); err == nil {
			t.Errorf("%d bits, lowest %d: accepted", n.BitLen(), n.Bit(0))
		}
	}
}

func TestKernelIsCurrent(t *testing.T) {
	want, err := exec.Command("go", "run", "./generate").Output()
	if err != nil {
		t.Fatal(err)
	}
	got, err := os.ReadFile("kernel.go")
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Error("kernel.go is not what the generator writes: run go generate")
	}
}

// FuzzRing compares the arithmetic with math/big.
func FuzzRing(f *testing.F) {
	for _, bits := range []int{64, 1024, 2048, 3072} {
		for _, n := range numbers(bits)[3:] {
			f.Add(n.Bytes(), new(big.Int).Sub(n, one).Bytes(), new(big.Int).Rsh(n, 1).Bytes())
		}
	}
	f.Fuzz(func(t *testing.T, modulus, x, y []byte) {
		n := new(big.Int).SetBytes(modulus)
		if _, err := mont.New(n.SetBit(n, 0, 1)); err != nil {
			t.Skip("not a modulus")
		}
		for _, r := range rings(t, n) {
			element := func(b []byte) []uint64 {
				x := new(big.Int).SetBytes(b)
				return mont.Representation(r, x.Mod(x, power2(mont.RepresentationBits(r))))
			}
			checkElements(t, r, n, element(x), element(y), make([]uint64, r.Len()))
		}
	})
}
