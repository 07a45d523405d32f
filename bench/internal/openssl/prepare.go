//go:build openssl && cgo

package openssl

import (
	"crypto/sha1"
	"crypto/sha256"
	"encoding/asn1"
	"encoding/base64"
	"errors"
	"math/big"
	"strings"

	"github.com/vepverify/vepverify/bench/internal/numbers"
	"github.com/vepverify/vepverify/keys"
)

// signature is a signature, its key and its digest in OpenSSL's formats.
type signature struct {
	rsa               bool
	spki, digest, der []byte
}

// prepare converts a token and the key that signed it.
func prepare(key keys.PublicKey, token string) (signature, error) {
	dot := strings.LastIndexByte(token, '.')
	if dot < 0 {
		return signature{}, errors.New("not a token")
	}
	raw, err := base64.RawURLEncoding.DecodeString(token[dot+1:])
	if err != nil {
		return signature{}, err
	}
	n, err := numbers.Of(key)
	if err != nil {
		return signature{}, err
	}
	s := signature{rsa: strings.HasPrefix(key.Algorithm(), "RS"), der: raw}
	sum := sha256.Sum256([]byte(token[:dot]))
	s.digest = sum[:]
	if s.rsa {
		s.spki, err = rsaSPKI(n)
		return s, err
	}
	if key.Algorithm() == keys.DS128 {
		sum := sha1.Sum([]byte(token[:dot]))
		s.digest = sum[:]
	}
	if s.spki, err = dsaSPKI(n); err != nil {
		return signature{}, err
	}
	half := len(raw) / 2
	s.der, err = asn1.Marshal(struct{ R, S *big.Int }{new(big.Int).SetBytes(raw[:half]), new(big.Int).SetBytes(raw[half:])})
	return s, err
}

// spki is the SubjectPublicKeyInfo of RFC 5280, section 4.1.
type spki struct {
	Algorithm struct {
		ID         asn1.ObjectIdentifier
		Parameters asn1.RawValue
	}
	Key asn1.BitString
}

func rsaSPKI(n map[string]*big.Int) ([]byte, error) {
	key, err := asn1.Marshal(struct{ N, E *big.Int }{n["n"], n["e"]})
	if err != nil {
		return nil, err
	}
	return marshalSPKI(asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 1, 1}, asn1.NullBytes, key)
}

func dsaSPKI(n map[string]*big.Int) ([]byte, error) {
	group, err := asn1.Marshal(struct{ P, Q, G *big.Int }{n["p"], n["q"], n["g"]})
	if err != nil {
		return nil, err
	}
	key, err := asn1.Marshal(n["y"])
	if err != nil {
		return nil, err
	}
	return marshalSPKI(asn1.ObjectIdentifier{1, 2, 840, 10040, 4, 1}, group, key)
}

func marshalSPKI(id asn1.ObjectIdentifier, parameters, key []byte) ([]byte, error) {
	var info spki
	info.Algorithm.ID = id
	info.Algorithm.Parameters.FullBytes = parameters
	info.Key = asn1.BitString{Bytes: key, BitLength: 8 * len(key)}
	return asn1.Marshal(info)
}
