package mont_test

import (
	"crypto/rand"
	"fmt"
	"math/big"
	"testing"

	"github.com/vepverify/vepverify/keys/internal/mont"
)

func BenchmarkRing(b *testing.B) {
	for _, bits := range []uint{1024, 2048, 3072, 4096} {
		n, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), bits))
		if err != nil {
			b.Fatal(err)
		}
		n.SetBit(n.SetBit(n, 0, 1), int(bits)-1, 1)
		for _, r := range rings(b, n) {
			benchmarkRing(b, fmt.Sprintf("%T/%d", r, bits), r, n)
		}
		b.Run(fmt.Sprintf("New/%d", bits), func(b *testing.B) {
			for b.Loop() {
				if _, err := mont.New(n); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func benchmarkRing(b *testing.B, name string, r mont.Ring, n *big.Int) {
	x, y := make([]uint64, r.Len()), make([]uint64, r.Len())
	r.Set(x, new(big.Int).Rsh(n, 1))
	r.Set(y, new(big.Int).Rsh(n, 2))
	b.Run(name+"/Mul", func(b *testing.B) {
		for b.Loop() {
			r.Mul(x, x, y)
		}
	})
	b.Run(name+"/Square", func(b *testing.B) {
		for b.Loop() {
			r.Square(x, x)
		}
	})
}
