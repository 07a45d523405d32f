package main

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"encoding/base64"
	"errors"
	"fmt"

	"github.com/go-jose/go-jose/v4"

	"github.com/vepverify/vepverify/cmd/vepverify/internal/cli"
	"github.com/vepverify/vepverify/internal/sniff"
	"github.com/vepverify/vepverify/internal/strictjson"
	"github.com/vepverify/vepverify/keys"
)

// The algorithms of keys of the Email Verification Protocol that BrowserID does not have.
const (
	algEd25519 = "Ed25519"
	algES256   = "ES256"
)

// rsaBits is the size of a new RSA key as JWK.
const rsaBits = 2048

// hasJWK reports whether an issuer of the Email Verification Protocol may have a key of the
// named algorithm.
func hasJWK(algorithm string) bool {
	return algorithm == algEd25519 || algorithm == algES256 || algorithm == keys.RS256
}

// newJWK generates a private key as JWK (RFC 7517).
func newJWK(algorithm string) (*jose.JSONWebKey, error) {
	key, err := newSigner(algorithm)
	if err != nil {
		return nil, err
	}
	return describeJWK(key)
}

func newSigner(algorithm string) (crypto.Signer, error) {
	switch algorithm {
	case algEd25519:
		_, key, err := ed25519.GenerateKey(rand.Reader)
		return key, err
	case algES256:
		return ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	}
	return rsa.GenerateKey(rand.Reader, rsaBits)
}

// describeJWK returns a key with the members that an issuer needs. Its key ID is its thumbprint
// (RFC 7638).
func describeJWK(key crypto.Signer) (*jose.JSONWebKey, error) {
	j := &jose.JSONWebKey{Key: key, Use: "sig"}
	switch key := key.(type) {
	case ed25519.PrivateKey:
		j.Algorithm = algEd25519
	case *ecdsa.PrivateKey:
		j.Algorithm = algES256
		if key.Curve != elliptic.P256() {
			return nil, fmt.Errorf("its curve is %s: want P-256", key.Curve.Params().Name)
		}
	case *rsa.PrivateKey:
		j.Algorithm = keys.RS256
		if bits := key.N.BitLen(); bits < rsaBits || bits > 2*rsaBits || key.E != 65537 {
			return nil, fmt.Errorf("an RSA key of %d bits with e = %d: want %d to %d bits and e = 65537", bits, key.E, rsaBits, 2*rsaBits)
		}
	default:
		return nil, errors.New("want a private key for Ed25519, ES256 or RS256")
	}
	sum, err := j.Thumbprint(crypto.SHA256)
	if err != nil {
		return nil, err
	}
	j.KeyID = base64.RawURLEncoding.EncodeToString(sum)
	return j, nil
}

// isJWK reports whether a file has a key as JWK, and not one in BrowserID's older form.
func isJWK(data []byte) bool {
	object, err := strictjson.ParseObject(data)
	if err != nil {
		return false
	}
	_, found := object.Get("kty")
	return found
}

// parseJWK parses a private key that keygen has written as JWK. It keeps the key ID. The name is
// that of its file.
func parseJWK(name string, data []byte) (*jose.JSONWebKey, error) {
	file := cli.FileName(name)
	if !isJWK(data) {
		if sniff.OfFile(data) == sniff.PrivateKey {
			return nil, fmt.Errorf("%s is a private key of BrowserID, not a JWK: make another one with vepverify keygen --jwk", file)
		}
		return nil, fmt.Errorf("%s is not a private key as JWK%s", file, kindSuffix(sniff.OfFile(data)))
	}
	var read jose.JSONWebKey
	if read.UnmarshalJSON(data) != nil { // its error may have text of the file
		return nil, fmt.Errorf("%s is a JWK that is malformed or of an unknown type: want a private key for Ed25519, ES256 or RS256", file)
	}
	signer, ok := read.Key.(crypto.Signer)
	if !ok {
		return nil, fmt.Errorf("%s is not a private key as JWK%s", file, kindSuffix(sniff.OfFile(data)))
	}
	key, err := describeJWK(signer)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	if read.KeyID != "" {
		key.KeyID = read.KeyID
	}
	return key, nil
}

// kindSuffix returns what a text is, for the end of an error, or "".
func kindSuffix(kind sniff.Kind) string {
	if kind == sniff.Unknown || kind == sniff.JSON {
		return ""
	}
	return ", but " + kind.String()
}
