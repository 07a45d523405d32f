package evpcorpus

import (
	"crypto"
	"crypto/rsa"
	_ "crypto/sha1" // for crypto.SHA1
	"crypto/sha256"
	_ "crypto/sha512" // for crypto.SHA512
	"math/big"
	"slices"

	"github.com/vepverify/vepverify/evp/evptest"
)

// rsaPrivate returns the private key of an RSA key of package evptest.
func rsaPrivate(name string) *rsa.PrivateKey { return evptest.TestKey(name).Private.(*rsa.PrivateKey) }

// rsaSign returns a sign function by PKCS #1 v1.5 over another hash. Hash 0 means SHA-256
// without its name.
func rsaSign(name string, hash crypto.Hash) func([]byte) ([]byte, error) {
	return func(message []byte) ([]byte, error) {
		if hash == 0 {
			sum := sha256.Sum256(message)
			return rsa.SignPKCS1v15(nil, rsaPrivate(name), 0, sum[:])
		}
		h := hash.New()
		h.Write(message)
		return rsa.SignPKCS1v15(nil, rsaPrivate(name), hash, h.Sum(nil))
	}
}

// rsaRaw returns a sign function that applies the private key to the bytes that f makes of
// the SHA-256 hash.
func rsaRaw(name string, f func(hash []byte) []byte) func([]byte) ([]byte, error) {
	return func(message []byte) ([]byte, error) {
		hash := sha256.Sum256(message)
		key := rsaPrivate(name)
		s := new(big.Int).Exp(new(big.Int).SetBytes(f(hash[:])), key.D, key.N)
		return s.FillBytes(make([]byte, key.Size())), nil
	}
}

// digestInfo returns the hash with the name of SHA-256, as PKCS #1 v1.5 signs it.
func digestInfo(hash []byte) []byte {
	return append([]byte{
		0x30, 0x31, 0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x01, 0x05, 0x00, 0x04, 0x20,
	}, hash...)
}

// rsaPSS returns a sign function by PSS with SHA-256, MGF1 with SHA-256, and a salt of 32
// zero bytes (RFC 8017, section 9.1.1).
func rsaPSS(name string) func([]byte) ([]byte, error) {
	return func(message []byte) ([]byte, error) {
		hash := sha256.Sum256(message)
		salt := make([]byte, 32)
		m := slices.Concat(make([]byte, 8), hash[:], salt)
		h := sha256.Sum256(m)
		key := rsaPrivate(name)
		db := append(make([]byte, key.Size()-32-32-2), 1)
		db = append(db, salt...)
		mask := mgf1(h[:], len(db))
		for i := range db {
			db[i] ^= mask[i]
		}
		db[0] &= 0x7f
		encoded := append(append(db, h[:]...), 0xbc)
		s := new(big.Int).Exp(new(big.Int).SetBytes(encoded), key.D, key.N)
		return s.FillBytes(make([]byte, key.Size())), nil
	}
}

func mgf1(seed []byte, length int) []byte {
	var mask []byte
	for i := byte(0); len(mask) < length; i++ {
		block := sha256.Sum256(append(slices.Clone(seed), 0, 0, 0, i))
		mask = append(mask, block[:]...)
	}
	return mask[:length]
}
