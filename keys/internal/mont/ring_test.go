package mont_test

import (
	"bytes"
	"math/big"
	"math/rand"
	"os"
	"os/exec"
	"testing"

	"github.com/vepverify/vepverify/keys/internal/mont"
)

var one = big.NewInt(1)

func power2(n int) *big.Int { return new(big.Int).Lsh(one, uint(n)) }

// numbers gives such as make carries run far: powers of two and their
// neighbours, runs of ones and of zeros between others, and random numbers.
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

func TestRing(t *testing.T) {
	for _, n := range moduli() {
		r, err := mont.New(n)
		if err != nil {
			t.Fatal(err)
		}
		operands := append(numbers(n.BitLen()), n, new(big.Int).Sub(n, one))[3:]
		for _, x := range operands {
			for _, y := range operands {
				if y.BitLen() <= n.BitLen() {
					checkRing(t, r, n, x, y)
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

// Elements may be any words, above the modulus too.
func TestRingUnreduced(t *testing.T) {
	for _, n := range moduli() {
		r := mont.NewPortable(n)
		for _, x := range numbers(64 * r.Len()) {
			for _, y := range numbers(64 * r.Len())[:7] {
				checkElements(t, r, n, words(x, r.Len()), words(y, r.Len()), make([]uint64, r.Len()))
			}
		}
	}
}

// words gives x in so many words, least first.
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

// FuzzRing holds the arithmetic against math/big.
func FuzzRing(f *testing.F) {
	for _, bits := range []int{64, 1024, 2048, 3072} {
		for _, n := range numbers(bits)[3:] {
			f.Add(n.Bytes(), new(big.Int).Sub(n, one).Bytes(), new(big.Int).Rsh(n, 1).Bytes())
		}
	}
	f.Fuzz(func(t *testing.T, modulus, x, y []byte) {
		n := new(big.Int).SetBytes(modulus)
		r, err := mont.New(n.SetBit(n, 0, 1))
		if err != nil {
			t.Skip("no modulus")
		}
		if len(x) > len(modulus) || len(y) > len(modulus) {
			t.Skip("too long")
		}
		ex := words(new(big.Int).SetBytes(x), r.Len())
		ey := words(new(big.Int).SetBytes(y), r.Len())
		checkElements(t, r, n, ex, ey, make([]uint64, r.Len()))
	})
}
