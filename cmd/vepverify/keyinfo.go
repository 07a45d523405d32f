package main

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"math/big"

	"github.com/vepverify/vepverify/keys"
)

// keyInfo is what people and scripts are told of a public key.
type keyInfo struct {
	Algorithm   string `json:"algorithm"`
	Bits        int    `json:"bits"`
	Fingerprint string `json:"sha256"` // of the canonical form, in hexadecimal
	Weak        bool   `json:"weak,omitempty"`
}

func describeKey(k keys.PublicKey) keyInfo {
	return keyInfo{
		Algorithm: k.Algorithm(), Bits: bits(k), Weak: k.Weak(),
		Fingerprint: fmt.Sprintf("%x", sha256.Sum256(k.Canonical())),
	}
}

// bits is the size of the key's modulus, as its JWK has it; 0 for a kind of
// key that has none.
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

// String gives the key on one line.
func (k keyInfo) String() string {
	s := fmt.Sprintf("%s, %d bits, sha256:%s", k.Algorithm, k.Bits, k.Fingerprint)
	if k.Weak {
		s += " (WEAK)"
	}
	return s
}
