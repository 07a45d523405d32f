package weakrsa_test

import (
	"crypto/sha256"
	"math/big"
	"testing"

	"github.com/vepverify/vepverify/keys/internal/pkcs1"
	"github.com/vepverify/vepverify/keys/internal/weakrsa"
)

func TestGenerateSignVerify(t *testing.T) {
	for _, e := range []*big.Int{big.NewInt(3), big.NewInt(65537)} {
		for _, bits := range []int{496, 512, 1022} {
			p, q, err := weakrsa.GeneratePrimes(bits, e)
			if err != nil {
				t.Fatal(err)
			}
			n := new(big.Int).Mul(p, q)
			if n.BitLen() != bits || !p.ProbablyPrime(20) || !q.ProbablyPrime(20) || p.Cmp(q) == 0 {
				t.Fatalf("%d bits: not two primes of a modulus of that length", bits)
			}
			one := big.NewInt(1)
			order := new(big.Int).Mul(new(big.Int).Sub(p, one), new(big.Int).Sub(q, one))
			d := new(big.Int).ModInverse(e, order)
			digest := sha256.Sum256([]byte("message"))
			s, err := weakrsa.Sign(n, d, &digest)
			if err != nil {
				t.Fatal(err)
			}
			verifier, err := pkcs1.New(n, e)
			if err != nil {
				t.Fatal(err)
			}
			other := sha256.Sum256([]byte("another message"))
			if !verifier.Verify(&digest, s) || verifier.Verify(&other, s) {
				t.Errorf("%d bits, e = %v: wrong result", bits, e)
			}
		}
	}
}

// TestTooShort checks that a modulus in which the encoded message does not fit
// neither signs nor verifies.
func TestTooShort(t *testing.T) {
	digest := sha256.Sum256([]byte("message"))
	for _, bits := range []uint{2, 64, 256, 480, 488} {
		n := new(big.Int).Lsh(big.NewInt(1), bits-1)
		n.SetBit(n, 0, 1)
		if _, err := weakrsa.Sign(n, big.NewInt(3), &digest); err == nil {
			t.Errorf("%d bits: signed", bits)
		}
		if _, err := pkcs1.New(n, big.NewInt(3)); err == nil {
			t.Errorf("%d bits: a verifier", bits)
		}
	}
}
