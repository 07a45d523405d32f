package keys_test

import (
	"fmt"
	"math/big"
	"testing"

	"github.com/vepverify/vepverify/keys"
)

// hostileDSA returns n DSA keys, each in a group of its own, that pass every check and take
// as long as correct ones. The modulus is the product of a prime p', which has a group of
// order q, and a factor modulo which g and y are 1.
func hostileDSA(n int) []object {
	k := dsaKeys()[1]
	prime := new(big.Int).Lsh(big.NewInt(1), 511)
	prime.Sub(prime, new(big.Int).Mod(prime, k.q)) // a multiple of q
	prime.Add(prime, big.NewInt(1))
	if prime.Bit(0) == 0 {
		prime.Add(prime, k.q)
	}
	for !prime.ProbablyPrime(10) {
		prime.Add(prime, new(big.Int).Lsh(k.q, 1))
	}
	cofactor := new(big.Int).Div(plus(prime, -1), k.q)
	g := new(big.Int).Exp(big.NewInt(2), cofactor, prime)
	all := make([]object, n)
	for i := range all {
		rest := plus(new(big.Int).Lsh(big.NewInt(3), 1535), int64(2*i+1))
		lift := func(x *big.Int) string { // x modulo prime, 1 modulo rest
			z := new(big.Int).ModInverse(rest, prime)
			z.Mul(z, plus(x, -1)).Mod(z, prime).Mul(z, rest)
			return z.Add(z, big.NewInt(1)).Text(16)
		}
		y := new(big.Int).Exp(g, big.NewInt(int64(i+7)), prime)
		all[i] = object{
			"algorithm": "DS", "p": new(big.Int).Mul(prime, rest).Text(16), "q": k.q.Text(16), "g": lift(g), "y": lift(y),
		}
	}
	return all
}

// BenchmarkLoad parses and validates as many keys as a support document may have.
func BenchmarkLoad(b *testing.B) {
	var texts [][]byte
	for _, o := range hostileDSA(32) { // more groups than the package keeps
		texts = append(texts, o.json())
	}
	for _, n := range []int{1, 4, 8, 17} {
		b.Run(fmt.Sprintf("DSA-2048/%d", n), func(b *testing.B) {
			b.ReportAllocs()
			next := 0
			for b.Loop() {
				for range n {
					load(b, texts[next%len(texts)])
					next++
				}
			}
		})
	}
}

func load(b *testing.B, text []byte) keys.PublicKey {
	k, err := keys.InsecureParsePublicKey(text)
	if err == nil {
		err = k.Validate()
	}
	if err != nil {
		b.Fatal(err)
	}
	return k
}
