package main

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"math/big"

	"github.com/vepverify/vepverify/keys"
)

// keyInfo describes a public key. The JSON form is for scripts.
type keyInfo struct {
	Algorithm   string `json:"algorithm"`
	Bits        int    `json:"bits"`
	Fingerprint string `json:"sha256"` // SHA-256 of the canonical form, in hexadecimal
	Weak        bool   `json:"weak,omitempty"`
}

func describeKey(k keys.PublicKey) keyInfo {
	return keyInfo{
		Algorithm: k.Algorithm(), Bits: bits(k), Weak: k.Weak(),
		Fingerprint: fmt.Sprintf("%x", sha256.Sum256(k.Canonical())),
	}
}

// bits returns the size of the modulus in the key's JWK, and 0 for a kind of key
// without a modulus.
func bits(k keys.PublicKey) int {
	text, err := k.MarshalJWK()
	if err != nil {
		return 0
	}
	var jwk struct{ N, P string }
	if json.Unmarshal(text, &jwk) != nil {
		return 0
	}
	number, err := base64.RawURLEncoding.DecodeString(jwk.N + jwk.P) // one of them is empty
	if err != nil {
		return 0
	}
	return new(big.Int).SetBytes(number).BitLen()
}

// String returns the key on one line.
func (k keyInfo) String() string {
	s := fmt.Sprintf("%s, %d bits, sha256:%s", k.Algorithm, k.Bits, k.Fingerprint)
	if k.Weak {
		s += " (WEAK)"
	}
	return s
}
