package mont_test

import (
	"fmt"
	"math/big"
	"testing"

	"github.com/vepverify/vepverify/keys/internal/mont"
)

func element(r mont.Ring, x *big.Int) []uint64 {
	z := make([]uint64, r.Len())
	r.Set(z, x)
	return z
}

// exponents returns exponents of at most the given number of bits.
func exponents(bits int) []*big.Int {
	return append(numbers(bits)[:5], big.NewInt(5), power2(bits/2), numbers(bits)[11])
}

// checkProduct computes x^e·y^f with each combination of Window and Fixed.
func checkProduct(t *testing.T, r mont.Ring, n, x, e, y, f *big.Int, cx, cy *mont.Comb, p *mont.Product) {
	t.Helper()
	want := new(big.Int).Exp(x, e, n)
	want.Mul(want, new(big.Int).Exp(y, f, n)).Mod(want, n)
	ew, fw := words(e, 4), words(f, 4)
	for way := range 4 {
		p.Reset(r)
		if way&1 == 0 {
			p.Window(element(r, x), ew)
		} else {
			p.Fixed(cx, ew)
		}
		if way&2 == 0 {
			p.Window(element(r, y), fw)
		} else {
			p.Fixed(cy, fw)
		}
		if got := r.Get(new(big.Int), p.Value()); got.Cmp(want) != 0 {
			t.Fatalf("way %d: %x^%x·%x^%x modulo %x: got %x, want %x", way, x, e, y, f, n, got, want)
		}
	}
}

func TestProduct(t *testing.T) {
	var p mont.Product
	for _, n := range []*big.Int{big.NewInt(3), big.NewInt(15), numbers(1024)[3], numbers(2048)[11].SetBit(numbers(2048)[11], 0, 1)} {
		x := new(big.Int).Mod(big.NewInt(1234567), n)
		y := new(big.Int).Sub(n, one)
		for _, r := range rings(t, n) {
			cx := mont.NewComb(r, element(r, x), 256, 5, 2)
			cy := mont.NewComb(r, element(r, y), 256, 4, 1)
			for _, e := range exponents(256) {
				for _, f := range exponents(256) {
					checkProduct(t, r, n, x, e, y, f, cx, cy, &p)
				}
			}
		}
	}
}

// TestComb checks that combs of all shapes yield the same power, also if the number of
// bits is not divisible by the number of rows or tables.
func TestComb(t *testing.T) {
	n := numbers(1024)[3]
	for _, bits := range []int{1, 7, 64, 160} {
		for rows := 1; rows <= 8; rows++ {
			for tables := 1; tables <= 5; tables++ {
				t.Run(fmt.Sprint(bits, rows, tables), func(t *testing.T) {
					for _, r := range rings(t, n) {
						checkComb(t, r, n, bits, rows, tables)
					}
				})
			}
		}
	}
}

func checkComb(t *testing.T, r mont.Ring, n *big.Int, bits, rows, tables int) {
	t.Helper()
	var p mont.Product
	x := big.NewInt(3)
	c := mont.NewComb(r, element(r, x), bits, rows, tables)
	for _, e := range []*big.Int{one, new(big.Int).Sub(power2(bits), one), power2(bits - 1)} {
		p.Reset(r)
		p.Fixed(c, words(e, 3))
		if r.Get(new(big.Int), p.Value()).Cmp(new(big.Int).Exp(x, e, n)) != 0 {
			t.Fatalf("the power %x is wrong", e)
		}
	}
}

func TestEmptyProduct(t *testing.T) {
	for _, r := range rings(t, big.NewInt(101)) {
		var p mont.Product
		p.Reset(r)
		if got := r.Get(new(big.Int), p.Value()); got.Cmp(one) != 0 {
			t.Errorf("the empty product is %d", got)
		}
	}
}

// FuzzProduct compares products of powers with math/big.
func FuzzProduct(f *testing.F) {
	f.Add([]byte{101}, []byte{2}, []byte{100}, []byte{3}, []byte{0})
	big1024 := numbers(1024)[3].Bytes()
	f.Add(big1024, big1024[1:], numbers(256)[3].Bytes(), []byte{1}, numbers(160)[6].Bytes())
	f.Fuzz(func(t *testing.T, modulus, x, e, y, g []byte) {
		n := new(big.Int).SetBytes(modulus)
		_, err := mont.New(n.SetBit(n, 0, 1))
		if err != nil || n.BitLen() > 2048 || len(e) > 32 || len(g) > 32 {
			t.Skip("out of range")
		}
		number := func(b []byte) *big.Int { return new(big.Int).SetBytes(b) }
		bx, by := number(x), number(y)
		bx.Mod(bx, n)
		by.Mod(by, n)
		for _, r := range rings(t, n) {
			cx := mont.NewComb(r, element(r, bx), 256, 3, 2)
			cy := mont.NewComb(r, element(r, by), 256, 2, 3)
			checkProduct(t, r, n, bx, number(e), by, number(g), cx, cy, new(mont.Product))
		}
	})
}
