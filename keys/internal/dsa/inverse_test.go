package dsa_test

import (
	"math/big"
	"math/rand"
	"testing"

	"github.com/vepverify/vepverify/keys/internal/dsa"
)

// nearPowersOfTwo returns powers of two, their neighbors and random numbers, all positive
// and of at most the given number of bits.
func nearPowersOfTwo(bits int) []*big.Int {
	source := rand.New(rand.NewSource(1))
	var all []*big.Int
	for i := 1; i < bits; i += 13 {
		power := new(big.Int).Lsh(big.NewInt(1), uint(i))
		all = append(all, power,
			new(big.Int).Sub(power, big.NewInt(1)),
			new(big.Int).Add(power, big.NewInt(1)),
			new(big.Int).Add(power, new(big.Int).Rand(source, power)))
	}
	return all
}

func TestInverse(t *testing.T) {
	numbers := nearPowersOfTwo(256)
	for _, q := range append(numbers, dsa.FIPS1024.Q, dsa.FIPS2048.Q) {
		q = new(big.Int).SetBit(q, 0, 1)
		for _, x := range append(numbers, new(big.Int).Sub(q, big.NewInt(1))) {
			if x = new(big.Int).Mod(x, q); x.Sign() > 0 {
				checkInverse(t, x, q)
			}
		}
	}
}

func checkInverse(t *testing.T, x, q *big.Int) {
	t.Helper()
	want := new(big.Int).ModInverse(x, q)
	got, ok := dsa.Inverse(x, q)
	if ok != (want != nil) || ok && got.Cmp(want) != 0 {
		t.Fatalf("the inverse of %x modulo %x: got %x, %v, want %x", x, q, got, ok, want)
	}
}

func FuzzInverse(f *testing.F) {
	f.Add([]byte{3}, []byte{15})
	f.Add([]byte{0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff}, []byte{1, 0, 0, 0, 0, 0, 0, 0, 0, 1})
	f.Add(dsa.FIPS1024.Q.Bytes(), dsa.FIPS2048.Q.Bytes())
	f.Fuzz(func(t *testing.T, x, q []byte) {
		modulus := odd(q)
		number := new(big.Int).SetBytes(x)
		if modulus.BitLen() > 256 || number.Mod(number, modulus).Sign() == 0 {
			t.Skip("out of range")
		}
		checkInverse(t, number, modulus)
	})
}

func BenchmarkInverse(b *testing.B) {
	for name, q := range map[string]*big.Int{"160": dsa.FIPS1024.Q, "256": dsa.FIPS2048.Q} {
		x := new(big.Int).Exp(big.NewInt(3), big.NewInt(1000), q)
		z := new(big.Int)
		b.Run(name+"/own", func(b *testing.B) {
			b.ReportAllocs()
			invert := dsa.InverseInto(z, q)
			for b.Loop() {
				invert(x)
			}
		})
		b.Run(name+"/big", func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				z.ModInverse(x, q)
			}
		})
	}
}
