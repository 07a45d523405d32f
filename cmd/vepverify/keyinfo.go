package main

import (
	"crypto/sha256"
	"fmt"

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
		Algorithm: k.Algorithm(), Bits: k.Bits(), Weak: k.Weak(),
		Fingerprint: fmt.Sprintf("%x", sha256.Sum256(k.Canonical())),
	}
}

// String returns the key on one line.
func (k keyInfo) String() string {
	s := fmt.Sprintf("%s, %d bits, sha256:%s", k.Algorithm, k.Bits, k.Fingerprint)
	if k.Weak {
		s += " (WEAK)"
	}
	return s
}
