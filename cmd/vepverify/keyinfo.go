package main

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/go-jose/go-jose/v4"

	"github.com/vepverify/vepverify/keys"
)

// keyInfo describes a public key. The JSON form is for scripts.
type keyInfo struct {
	KeyID       string `json:"kid,omitempty"` // of a JWK
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

// describePublicJWK describes a public key as JWK. The canonical form is that of its thumbprint
// (RFC 7638).
func describePublicJWK(raw json.RawMessage) (*keyInfo, error) {
	var key jose.JSONWebKey
	if key.UnmarshalJSON(raw) != nil { // its error may have text of the key
		return nil, errors.New("not a key as JWK")
	}
	if !key.IsPublic() {
		return nil, errors.New("not a public key")
	}
	sum, err := key.Thumbprint(crypto.SHA256)
	if err != nil {
		return nil, errors.New("of an unknown type")
	}
	info := &keyInfo{KeyID: key.KeyID, Algorithm: algorithmOf(&key), Bits: 256, Fingerprint: fmt.Sprintf("%x", sum)}
	if k, ok := key.Key.(*rsa.PublicKey); ok {
		info.Bits = k.N.BitLen()
	}
	return info, nil
}

// algorithmOf returns the algorithm that fits the type of a public key.
func algorithmOf(key *jose.JSONWebKey) string {
	switch k := key.Key.(type) {
	case ed25519.PublicKey:
		return algEd25519
	case *ecdsa.PublicKey:
		if k.Curve != elliptic.P256() {
			return k.Curve.Params().Name
		}
		return algES256
	}
	return keys.RS256
}

// String returns the key on one line.
func (k keyInfo) String() string {
	s := fmt.Sprintf("%s, %d bits, sha256:%s", k.Algorithm, k.Bits, k.Fingerprint)
	if k.KeyID != "" {
		s += fmt.Sprintf(", kid %.100q", k.KeyID)
	}
	if k.Weak {
		s += " (WEAK)"
	}
	return s
}
