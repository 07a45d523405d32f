// Package hostile makes keys, signatures and documents that are expensive to verify, for
// bench and bench/load.
//
// None of the keys can sign: the numbers are random, and their factors and logarithms are
// unknown.
package hostile

import (
	"crypto/rand"
	"encoding/base64"
	"math/big"
	"strconv"

	"github.com/vepverify/vepverify/devidp/idptest"
)

// Exponents of RSA keys.
const (
	MaxExponent   = 1<<31 - 1 // the largest that a key of up to 2048 bits may have
	DenseExponent = 1<<16 - 1 // the one up to 65537 that takes most multiplications
)

// Odd returns a random odd number of exactly that many bits.
func Odd(bits int) *big.Int {
	b := make([]byte, (bits+7)/8)
	_, _ = rand.Read(b) // it never returns an error
	n := new(big.Int).SetBytes(b)
	n.Rsh(n, uint(8*len(b)-bits))
	n.SetBit(n, bits-1, 1)
	return n.SetBit(n, 0, 1)
}

// RSA returns an RSA key with a random modulus, as a JWK.
func RSA(bits int, e int64) idptest.Object {
	return idptest.Object{"kty": "RSA", "n": number(Odd(bits)), "e": number(big.NewInt(e))}
}

// LegacyRSA returns an RSA key in the legacy form, whose decimal numbers take longer to
// parse.
func LegacyRSA(bits int, e int64) idptest.Object {
	return idptest.Object{"algorithm": "RS", "n": Odd(bits).Text(10), "e": strconv.FormatInt(e, 10)}
}

// LooseDSA returns a DSA key of random numbers, for a certificate: the verifier does not
// check the groups of certified keys.
func LooseDSA(pBits, qBits int) idptest.Object {
	return idptest.Object{
		"algorithm": "DS", "p": Odd(pBits).Text(16), "q": Odd(qBits).Text(16),
		"g": Odd(pBits - 1).Text(16), "y": Odd(pBits - 1).Text(16),
	}
}

// DSA returns a DSA-2048 key in a new group, for a document. It passes the check of the
// group, and is cheap to find: with p = g²+g+1, g has order 3, and q is a multiple of 3.
func DSA() idptest.Object {
	one := big.NewInt(1)
	g := Odd(1024)
	g.SetBit(g, 1022, 1) // so that p has 2048 bits
	p := new(big.Int).Mul(g, g)
	p.Add(p, g).Add(p, one)
	y := new(big.Int).Sub(p, g)
	y.Sub(y, one) // g²
	q := Odd(256)
	q.SetBit(q, 254, 0) // so that the next line leaves 256 bits
	q.Sub(q, new(big.Int).Mod(q, big.NewInt(6))).Add(q, big.NewInt(3))
	return idptest.Object{"kty": "DSA", "p": number(p), "q": number(q), "g": number(g), "y": number(y)}
}

// number returns the JWK form of a number.
func number(n *big.Int) string { return base64.RawURLEncoding.EncodeToString(n.Bytes()) }

// Keys calls key n times and returns the keys.
func Keys(n int, key func() idptest.Object) []idptest.Object {
	all := make([]idptest.Object, n)
	for i := range all {
		all[i] = key()
	}
	return all
}

// Document returns a support document with the first key as public-key, and the
// others in keys.
func Document(keys ...idptest.Object) idptest.Object {
	return idptest.Object{
		"public-key": keys[0], "keys": keys[1:], "authentication": "/sign_in", "provisioning": "/provision",
	}
}

// Signature returns random bytes in place of a signature. As one number (RSA) or two (DSA)
// they are less than any modulus of their size.
func Signature(size int) []byte {
	signature := make([]byte, size)
	_, _ = rand.Read(signature) // it never returns an error
	signature[0] &= 0x3f
	signature[size/2] &= 0x3f
	return signature
}

// Forged returns the token with random bytes in place of its signature.
func Forged(t idptest.Token, alg string, size int) idptest.Token {
	t.Alg, t.Key = alg, nil
	t.Sign = func([]byte) ([]byte, error) { return Signature(size), nil }
	return t
}
