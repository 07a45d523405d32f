// Package weakrsa is RSA with PKCS#1 v1.5 signatures over SHA-256 (RFC 8017,
// section 8.2) for moduli that crypto/rsa refuses as too short. Old BrowserID
// tests and demonstrations use them; nothing else should.
//
// Verifying builds the whole encoded message and compares it, so nothing in a
// signature is parsed. Signing and generating are not constant time: moduli of
// this size protect no secret anyway.
package weakrsa

import (
	"bytes"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"math/big"
)

// PublicKey is a modulus and an exponent, which the caller has checked.
type PublicKey struct{ N, E *big.Int }

// Verify says whether signature, which must have the length of the modulus, is
// the key's over the SHA-256 digest.
func (k *PublicKey) Verify(digest, signature []byte) bool {
	want, ok := encode(digest, k.size())
	if !ok || len(signature) != len(want) {
		return false
	}
	s := new(big.Int).SetBytes(signature)
	if s.Cmp(k.N) >= 0 {
		return false
	}
	s.Exp(s, k.E, k.N)
	return bytes.Equal(s.FillBytes(make([]byte, len(want))), want)
}

// Sign signs the SHA-256 digest with the private exponent d.
func (k *PublicKey) Sign(d *big.Int, digest []byte) ([]byte, error) {
	encoded, ok := encode(digest, k.size())
	if !ok {
		return nil, errors.New("modulus too short for the digest")
	}
	s := new(big.Int).SetBytes(encoded)
	return s.Exp(s, d, k.N).FillBytes(encoded), nil
}

func (k *PublicKey) size() int { return (k.N.BitLen() + 7) / 8 }

// digestInfo is the DER of RFC 8017, section 9.2, note 1, for SHA-256.
const digestInfo = "\x30\x31\x30\x0d\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02\x01\x05\x00\x04\x20"

// encode gives the encoded message of RFC 8017, section 9.2. It has exactly
// one form for each digest; false when it does not fit in size bytes.
func encode(digest []byte, size int) ([]byte, bool) {
	padding := size - 3 - len(digestInfo) - len(digest)
	if padding < 8 || len(digest) != sha256.Size {
		return nil, false
	}
	m := append([]byte{0, 1}, bytes.Repeat([]byte{0xff}, padding)...)
	m = append(m, 0)
	m = append(m, digestInfo...)
	return append(m, digest...), true
}

// GeneratePrimes gives two primes whose product has exactly the given even
// number of bits and to which the prime exponent e has an inverse.
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

// prime gives a prime p with p−1 not divisible by e. Its two top bits are set,
// so that the product of two has the full length.
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
