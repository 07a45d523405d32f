package evptest

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"embed"
	"encoding/asn1"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"path"
	"slices"
	"strings"
	"sync"

	"github.com/go-jose/go-jose/v4"
)

// keyFiles has the private keys, which are PUBLIC. Only tests may trust a token that one
// of them signed.
//
//go:embed testkeys/*.pem
var keyFiles embed.FS

// Key is a key pair of an issuer or of a browser. It is a value: methods that change
// something return a changed copy.
type Key struct {
	// Alg is the alg in the header of what the key signs: "Ed25519", "EdDSA" (the same
	// algorithm), "ES256" or "RS256".
	Alg string
	// ID is the kid, in the key set and in the header of the EVT. Nil means that
	// neither has one. A value that is not a string is a fault.
	ID any
	// Public is the public JWK, without alg, kid and use.
	Public Object
	// Sign signs header and claims, as encoded. The same message has always the same
	// signature.
	Sign func(message []byte) ([]byte, error)
	// Private is the private key, for tests that sign in other ways.
	Private crypto.Signer
}

// JWK returns the public key as a holder's cnf.jwk: with its alg, without its kid.
func (k Key) JWK() Object { return k.Public.With("alg", k.Alg) }

// Published returns the public key as in a key set: with alg and use, and with its kid
// unless that is nil.
func (k Key) Published() Object {
	entry := k.JWK().With("use", "sig")
	if k.ID != nil {
		entry = entry.With("kid", k.ID)
	}
	return entry
}

// WithID returns the key with another kid. Nil means none.
func (k Key) WithID(id any) Key {
	k.ID = id
	return k
}

// As returns the key with another name of its algorithm. It signs as before.
func (k Key) As(alg string) Key {
	k.Alg = alg
	return k
}

// parsedKeys has the keys that were loaded before.
var parsedKeys sync.Map // name → func() Key

// TestKey returns the test key of that name, which is always the same key. It has no kid.
//
// THESE PRIVATE KEYS ARE PUBLISHED with this package: anyone can sign with them. They are
// for tests only.
//
// The names are "Ed25519", "ES256" and "RS256", the same with "-2" for a second key,
// "Ed25519-3", and "RS256-3072" and "RS256-4096", whose modulus has that many bits.
// "EdDSA" is "Ed25519" under its other name. TestKey panics for any other name.
func TestKey(name string) Key {
	if suffix, ok := strings.CutPrefix(name, "EdDSA"); ok {
		return TestKey("Ed25519" + suffix).As("EdDSA")
	}
	load, _ := parsedKeys.LoadOrStore(name, sync.OnceValue(func() Key { return loadKey(name) }))
	return load.(func() Key)()
}

func loadKey(name string) Key {
	data, err := keyFiles.ReadFile("testkeys/" + name + ".pem")
	if err != nil {
		panic(fmt.Sprintf("evptest: no test key %q, only %s", name, strings.Join(keyNames(), ", ")))
	}
	key, err := ParseKey(data)
	if err != nil {
		panic(fmt.Sprintf("evptest: test key %s: %v", name, err))
	}
	return key
}

// keyNames returns the names of all test keys, sorted.
func keyNames() []string {
	files, err := keyFiles.ReadDir("testkeys")
	if err != nil {
		panic("evptest: " + err.Error()) // they are compiled in
	}
	names := make([]string, len(files))
	for i, f := range files {
		names[i] = strings.TrimSuffix(f.Name(), path.Ext(f.Name()))
	}
	slices.Sort(names)
	return names
}

// errKey is the error of ParseKey. It has nothing of the text, which may be a private key.
var errKey = errors.New("not a private key of Ed25519, P-256 or RSA: want PKCS #8 as PEM, or one JWK, " +
	"as vepverify keygen --jwk writes to a file")

// ParseKey returns the key of a PEM file with a PKCS #8 private key, or of a private JWK:
// Ed25519, P-256 or RSA of any size. A key as PEM has no kid. A JWK has its kid, and its alg if
// it has one.
func ParseKey(data []byte) (Key, error) {
	if block, _ := pem.Decode(data); block != nil {
		private, err := x509.ParsePKCS8PrivateKey(block.Bytes)
		if err != nil {
			return Key{}, errKey
		}
		return newKey(private)
	}
	var jwk jose.JSONWebKey
	if jwk.UnmarshalJSON(data) != nil {
		return Key{}, errKey
	}
	key, err := newKey(jwk.Key)
	if err != nil {
		return Key{}, err
	}
	if jwk.KeyID != "" {
		key.ID = jwk.KeyID
	}
	switch {
	case jwk.Algorithm == "", jwk.Algorithm == key.Alg:
		return key, nil
	case jwk.Algorithm == "EdDSA" && key.Alg == "Ed25519":
		return key.As("EdDSA"), nil
	}
	return Key{}, errKey
}

// newKey returns the key of a private key of package crypto.
func newKey(private any) (Key, error) {
	switch private := private.(type) {
	case ed25519.PrivateKey:
		return ed25519Key(private), nil
	case *ecdsa.PrivateKey:
		if private.Curve == elliptic.P256() {
			return ecdsaKey(private)
		}
	case *rsa.PrivateKey:
		return rsaKey(private), nil
	}
	return Key{}, errKey
}

func ed25519Key(private ed25519.PrivateKey) Key {
	x := private.Public().(ed25519.PublicKey)
	return Key{
		Alg: "Ed25519", Private: private, Public: Object{"kty": "OKP", "crv": "Ed25519", "x": base64url(x)},
		Sign: remembered(func(m []byte) ([]byte, error) { return private.Sign(nil, m, crypto.Hash(0)) }),
	}
}

func ecdsaKey(private *ecdsa.PrivateKey) (Key, error) {
	point, err := private.PublicKey.Bytes()
	if err != nil {
		return Key{}, err
	}
	return Key{
		Alg: "ES256", Private: private,
		Public: Object{
			"kty": "EC", "crv": "P-256", "x": base64url(point[1:33]), "y": base64url(point[33:]),
		},
		Sign: remembered(func(m []byte) ([]byte, error) { return signES256(private, m) }),
	}, nil
}

// signES256 returns r and s, of 32 bytes each. The nonce is that of RFC 6979.
func signES256(private *ecdsa.PrivateKey, message []byte) ([]byte, error) {
	hash := sha256.Sum256(message)
	der, err := private.Sign(nil, hash[:], crypto.SHA256)
	if err != nil {
		return nil, err
	}
	var scalars struct{ R, S *big.Int }
	if _, err := asn1.Unmarshal(der, &scalars); err != nil {
		return nil, err
	}
	signature := make([]byte, 64)
	scalars.R.FillBytes(signature[:32])
	scalars.S.FillBytes(signature[32:])
	return signature, nil
}

func rsaKey(private *rsa.PrivateKey) Key {
	e := big.NewInt(int64(private.E)).Bytes()
	return Key{
		Alg: "RS256", Private: private,
		Public: Object{"kty": "RSA", "n": base64url(private.N.Bytes()), "e": base64url(e)},
		Sign: remembered(func(m []byte) ([]byte, error) {
			hash := sha256.Sum256(m)
			return rsa.SignPKCS1v15(nil, private, crypto.SHA256, hash[:])
		}),
	}
}

// remembered returns a sign function that signs each message once, because RSA is slow.
func remembered(sign func([]byte) ([]byte, error)) func([]byte) ([]byte, error) {
	var signed sync.Map // message → signature
	return func(message []byte) ([]byte, error) {
		if signature, ok := signed.Load(string(message)); ok {
			return slices.Clone(signature.([]byte)), nil
		}
		signature, err := sign(message)
		if err == nil {
			signed.Store(string(message), slices.Clone(signature))
		}
		return signature, err
	}
}

func base64url(data []byte) string { return base64.RawURLEncoding.EncodeToString(data) }
