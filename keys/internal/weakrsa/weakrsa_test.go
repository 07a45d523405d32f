package weakrsa_test

import (
	"crypto/sha256"
	"math/big"
	"testing"

	"github.com/vepverify/vepverify/keys/internal/weakrsa"
)

func TestGenerateSignVerify(t *testing.T) {
	for _, e := range []*big.Int{big.NewInt(3), big.NewInt(65537)} {
		for _, bits := range []int{496, 512, 1022} {
			p, q, err := weakrsa.GeneratePrimes(bits, e)
			if err != nil {
				t.Fatal(err)
			}
			k := &weakrsa.PublicKey{N: new(big.Int).Mul(p, q), E: e}
			if k.N.BitLen() != bits || !p.ProbablyPrime(20) || !q.ProbablyPrime(20) || p.Cmp(q) == 0 {
				t.Fatalf("%d bits: not two primes of a modulus of that length", bits)
			}
			one := big.NewInt(1)
			order := new(big.Int).Mul(new(big.Int).Sub(p, one), new(big.Int).Sub(q, one))
			d := new(big.Int).ModInverse(e, order)
			digest := sha256.Sum256([]byte("message"))
			s, err := k.Sign(d, digest[:])
			if err != nil {
				t.Fatal(err)
			}
			other := sha256.Sum256([]byte("another message"))
			if !k.Verify(digest[:], s) || k.Verify(other[:], s) {
				t.Errorf("%d bits, e = %v: wrong verdict", bits, e)
			}
		}
	}
}

// A modulus in which the encoding does not fit neither signs nor verifies.
func TestTooShort(t *testing.T) {
	digest := sha256.Sum256([]byte("message"))
	for _, bits := range []uint{2, 64, 256, 480, 488} {
		n := new(big.Int).Lsh(big.NewInt(1), bits-1)
		k := &weakrsa.PublicKey{N: n.SetBit(n, 0, 1), E: big.NewInt(3)}
		if _, err := k.Sign(big.NewInt(3), digest[:]); err == nil {
			t.Errorf("%d bits: signed", bits)
		}
		if k.Verify(digest[:], make([]byte, (bits+7)/8)) {
			t.Errorf("%d bits: verified", bits)
		}
	}
}

func TestDigestLength(t *testing.T) {
	p, q, err := weakrsa.GeneratePrimes(512, big.NewInt(65537))
	if err != nil {
		t.Fatal(err)
	}
	k := &weakrsa.PublicKey{N: new(big.Int).Mul(p, q), E: big.NewInt(65537)}
	for _, size := range []int{0, 20, 31, 33} {
		if _, err := k.Sign(big.NewInt(3), make([]byte, size)); err == nil {
			t.Errorf("a digest of %d bytes was signed", size)
		}
	}
}
