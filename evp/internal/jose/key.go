package jose

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rsa"
	"crypto/sha256"
	"errors"
	"fmt"
	"math/big"

	"github.com/vepverify/vepverify/internal/strictjson"
)

// The names of the algorithms. EdDSA is another name of Ed25519.
const (
	Ed25519 = "Ed25519"
	EdDSA   = "EdDSA"
	ES256   = "ES256"
	RS256   = "RS256"
)

// Known reports whether alg is the name of an algorithm of this package.
func Known(alg string) bool {
	return alg == Ed25519 || alg == EdDSA || alg == ES256 || alg == RS256
}

// Same reports whether two names mean the same algorithm.
func Same(a, b string) bool { return canonical(a) == canonical(b) }

func canonical(alg string) string {
	if alg == EdDSA {
		return Ed25519
	}
	return alg
}

// Limits of RSA keys.
const (
	MinRSABits  = 2048
	MaxRSABits  = 4096
	rsaExponent = 65537
)

// ErrKey means that a JWK is not a key of this package.
var ErrKey = errors.New("key refused")

// privateMembers are the members of private keys.
var privateMembers = []string{"d", "p", "q", "dp", "dq", "qi", "oth"}

// PublicKey is a public key. It is immutable.
type PublicKey struct {
	alg, use, kid string
	fits          string // the canonical name of its algorithm
	bits          int
	key           crypto.PublicKey
}

// ParsePublicKey parses a JWK. The error matches ErrKey. The JWK is refused if
//
//   - it has a private member, whatever its value;
//   - its use is not "sig", or its alg or kid is not a string, where present;
//   - it is not Ed25519, P-256, or RSA of 2048 to 4096 bits with the exponent 65537;
//   - a number is not as long as RFC 7518 says: 32 bytes for a coordinate, and no zero
//     byte at the start of a modulus;
//   - the point is not on the curve.
func ParsePublicKey(jwk []byte) (*PublicKey, error) {
	o, err := strictjson.ParseObject(jwk)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrKey, err)
	}
	for _, name := range privateMembers {
		if _, found := o.Get(name); found {
			return nil, refused("it has the private member " + name)
		}
	}
	return parsePublic(o)
}

// parsePublic is ParsePublicKey for an object that may have private members.
func parsePublic(o strictjson.Object) (*PublicKey, error) {
	k := &PublicKey{}
	for _, m := range o {
		var field *string
		switch m.Name {
		case "alg":
			field = &k.alg
		case "use":
			field = &k.use
		case "kid":
			field = &k.kid
		default:
			continue
		}
		var ok bool
		if *field, ok = strictjson.String(m.Value); !ok {
			return nil, refused(m.Name + " is not a string")
		}
		if m.Name == "use" && k.use != "sig" {
			return nil, refused("use is not sig")
		}
	}
	return k, k.readMaterial(o)
}

// readMaterial sets the key.
func (k *PublicKey) readMaterial(o strictjson.Object) (err error) {
	kty, _ := text(o, "kty")
	crv, _ := text(o, "crv")
	switch {
	case kty == "OKP" && crv == "Ed25519":
		return k.readEd25519(o)
	case kty == "EC" && crv == "P-256":
		return k.readP256(o)
	case kty == "RSA":
		return k.readRSA(o)
	}
	return refused("kty and crv are not OKP with Ed25519, EC with P-256, or RSA")
}

func (k *PublicKey) readEd25519(o strictjson.Object) error {
	x, ok := bytesOf(o, "x", ed25519.PublicKeySize)
	if !ok {
		return refused("x is not 32 bytes in base64url")
	}
	k.fits, k.bits, k.key = Ed25519, 256, ed25519.PublicKey(x)
	return nil
}

func (k *PublicKey) readP256(o strictjson.Object) error {
	x, xOK := bytesOf(o, "x", 32)
	y, yOK := bytesOf(o, "y", 32)
	if !xOK || !yOK {
		return refused("x and y are not 32 bytes each in base64url")
	}
	point := append(append([]byte{4}, x...), y...)
	key, err := ecdsa.ParseUncompressedPublicKey(elliptic.P256(), point)
	if err != nil {
		return refused("the point is not on the curve")
	}
	k.fits, k.bits, k.key = ES256, 256, key
	return nil
}

func (k *PublicKey) readRSA(o strictjson.Object) error {
	if e, ok := text(o, "e"); !ok || e != "AQAB" {
		return refused("e is not 65537")
	}
	n, ok := text(o, "n")
	if !ok || len(n) > encoding.EncodedLen(MaxRSABits/8) {
		return refused("n is not a number of 2048 to 4096 bits")
	}
	modulus, ok := DecodeBase64(n)
	if !ok || len(modulus) == 0 || modulus[0] == 0 {
		return refused("n is not a number in base64url without a zero byte at its start")
	}
	return k.setRSA(new(big.Int).SetBytes(modulus))
}

func (k *PublicKey) setRSA(n *big.Int) error {
	bits := n.BitLen()
	if bits < MinRSABits || bits > MaxRSABits || n.Bit(0) == 0 {
		return refused("n is not an odd number of 2048 to 4096 bits")
	}
	k.fits, k.bits, k.key = RS256, bits, &rsa.PublicKey{N: n, E: rsaExponent}
	return nil
}

// bytesOf returns a member that is size bytes in base64url.
func bytesOf(o strictjson.Object, name string, size int) ([]byte, bool) {
	s, ok := text(o, name)
	if !ok || len(s) != encoding.EncodedLen(size) {
		return nil, false
	}
	return DecodeBase64(s)
}

func refused(problem string) error { return fmt.Errorf("%w: %s", ErrKey, problem) }

// NewPublicKey returns a key without alg, use and kid. The error matches ErrKey.
func NewPublicKey(key crypto.PublicKey) (*PublicKey, error) {
	k := &PublicKey{bits: 256, key: key}
	switch key := key.(type) {
	case ed25519.PublicKey:
		if len(key) != ed25519.PublicKeySize {
			return nil, refused("not 32 bytes")
		}
		k.fits = Ed25519
	case *ecdsa.PublicKey:
		if key.Curve != elliptic.P256() {
			return nil, refused("not on the curve P-256")
		}
		k.fits = ES256
	case *rsa.PublicKey:
		if key.E != rsaExponent {
			return nil, refused("e is not 65537")
		}
		return k, k.setRSA(key.N)
	default:
		return nil, refused("of an unknown type")
	}
	return k, nil
}

// Alg returns the member alg, or "" if it is absent.
func (k *PublicKey) Alg() string { return k.alg }

// Use returns the member use: "sig", or "" if it is absent.
func (k *PublicKey) Use() string { return k.use }

// Kid returns the member kid, or "" if it is absent.
func (k *PublicKey) Kid() string { return k.kid }

// Bits returns the size of the modulus of an RSA key, and 256 for other keys.
func (k *PublicKey) Bits() int { return k.bits }

// Crypto returns an ed25519.PublicKey, a *ecdsa.PublicKey or a *rsa.PublicKey. It must
// not be modified.
func (k *PublicKey) Crypto() crypto.PublicKey { return k.key }

// Algorithm returns the name of the algorithm of the key: Ed25519, ES256 or RS256.
func (k *PublicKey) Algorithm() string { return k.fits }

// Fits reports whether the key is for the algorithm, and its member alg, where present,
// names the same algorithm.
func (k *PublicKey) Fits(alg string) bool {
	return k.fits == canonical(alg) && (k.alg == "" || k.fits == canonical(k.alg))
}

// Verify reports whether sig is a signature of signed by the algorithm alg, which the
// key fits. A signature by ES256 is r and s in 64 bytes, both from 1 to n-1, where n is
// the order of the group. As in JOSE, both signatures with s and n-s are valid.
func (k *PublicKey) Verify(alg string, signed, sig []byte) bool {
	if !k.Fits(alg) {
		return false
	}
	switch key := k.key.(type) {
	case ed25519.PublicKey:
		return ed25519.Verify(key, signed, sig)
	case *ecdsa.PublicKey:
		return verifyECDSA(key, signed, sig)
	case *rsa.PublicKey:
		digest := sha256.Sum256(signed)
		return rsa.VerifyPKCS1v15(key, crypto.SHA256, digest[:], sig) == nil
	}
	return false
}

func verifyECDSA(key *ecdsa.PublicKey, signed, sig []byte) bool {
	if len(sig) != 64 {
		return false
	}
	digest := sha256.Sum256(signed)
	r, s := new(big.Int).SetBytes(sig[:32]), new(big.Int).SetBytes(sig[32:])
	return ecdsa.Verify(key, digest[:], r, s)
}

// jwkMembers are the members of a JWK, in the order in which they are written.
type jwkMembers struct {
	Crv string `json:"crv,omitempty"`
	E   string `json:"e,omitempty"`
	Kty string `json:"kty"`
	N   string `json:"n,omitempty"`
	X   string `json:"x,omitempty"`
	Y   string `json:"y,omitempty"`
	Alg string `json:"alg,omitempty"`
	Use string `json:"use,omitempty"`
	Kid string `json:"kid,omitempty"`
	*privateJWK
}

// material returns the members that make the key.
func (k *PublicKey) material() jwkMembers {
	switch key := k.key.(type) {
	case ed25519.PublicKey:
		return jwkMembers{Kty: "OKP", Crv: "Ed25519", X: EncodeBase64(key)}
	case *ecdsa.PublicKey:
		point, _ := key.Bytes() // it is on the curve
		return jwkMembers{Kty: "EC", Crv: "P-256", X: EncodeBase64(point[1:33]), Y: EncodeBase64(point[33:])}
	case *rsa.PublicKey:
		return jwkMembers{Kty: "RSA", N: EncodeBase64(key.N.Bytes()), E: "AQAB"}
	}
	return jwkMembers{}
}

func (k *PublicKey) members() jwkMembers {
	m := k.material()
	m.Alg, m.Use, m.Kid = k.alg, k.use, k.kid
	return m
}

// MarshalJSON returns the JWK, with alg, use and kid where the key has them.
func (k *PublicKey) MarshalJSON() ([]byte, error) { return marshal(k.members()) }

// Thumbprint returns the SHA-256 thumbprint of the key (RFC 7638) in base64url.
func (k *PublicKey) Thumbprint() string {
	data, _ := marshal(k.material()) // strings only
	sum := sha256.Sum256(data)
	return EncodeBase64(sum[:])
}
