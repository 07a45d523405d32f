// Package weakrsa signs with RSA keys, and generates them, whose moduli crypto/rsa
// refuses as too short: RSASSA-PKCS1-v1_5 with SHA-256 (RFC 8017, section 8.2.1). Old
// BrowserID tests and demonstrations use such keys; nothing else should. Package pkcs1
// verifies the signatures.
//
// Signing and generating are not constant time. A modulus of this size protects no
// secret: it can be factored.
package weakrsa

import (
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"math/big"

	"github.com/vepverify/vepverify/keys/internal/pkcs1"
)

// Sign returns the signature over digest by the key with modulus n and private
// exponent d. The signature is as long as n. Sign returns an error if n is too short
// for the encoded message.
func Sign(n, d *big.Int, digest *[sha256.Size]byte) ([]byte, error) {
	size := (n.BitLen() + 7) / 8
	if size < pkcs1.MinSize {
		return nil, errors.New("modulus too short for the digest")
	}
	encoded := pkcs1.Encode(make([]byte, size), digest)
	s := new(big.Int).SetBytes(encoded)
	return s.Exp(s, d, n).FillBytes(encoded), nil
}

// GeneratePrimes returns two different primes, each of half as many bits as given,
// whose product has exactly that number of bits. bits is even. The exponent e, which
// must be prime, has an inverse modulo (p−1)·(q−1).
func GeneratePrimes(bits int, e *big.Int) (p, q *big.Int, err error) {
	if p, err = prime(bits/2, e); err != nil {
		return nil, nil, err
	}
	for {
		if q, err = prime(bits/2, e); err != nil {
			return nil, nil, err
		}
		if p.Cmp(q) != 0 {
			return p, q, nil
		}
	}
}

// prime returns a prime p such that e does not divide p−1. Its two top bits are set,
// so that the product of two such primes has the full length.
func prime(bits int, e *big.Int) (*big.Int, error) {
	one := big.NewInt(1)
	for {
		p, err := rand.Prime(rand.Reader, bits)
		if err != nil {
			return nil, err
		}
		m := new(big.Int).Sub(p, one)
		if m.Mod(m, e).Sign() != 0 {
			return p, nil
		}
	}
}
