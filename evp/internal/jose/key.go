package jose

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rsa"
	"crypto/sha256"
	"errors"
	"fmt"
	"math/big"
	"sync"

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

// objects keeps memory for the members of keys (BenchmarkEVP in bench).
var objects = sync.Pool{New: func() any { o := make(strictjson.Object, 0, 16); return &o }}

// ErrKey means that a JWK is not a key of this package.
var ErrKey = errors.New("key refused")

// privateMembers are the members of private keys.
var privateMembers = []string{"d", "p", "q", "dp", "dq", "qi", "oth"}

// PublicKey is a public key. It is immutable.
type PublicKey struct {
	alg, use, kid string
	fits          string // the canonical name of its algorithm
	bits          int
	// One of these, by fits.
	ed25519 [ed25519.PublicKeySize]byte
	ecdsa   *ecdsa.PublicKey
	rsa     *rsa.PublicKey
}

// ParsePublicKey parses a JWK. The error matches ErrKey. The JWK is refused if
//
//   - it has a private member, whatever its value;
//   - its use is not "sig", its alg is empty or not a string, or its kid is not a string,
//     where present;
//   - it is not Ed25519, P-256, or RSA of 2048 to 4096 bits with the exponent 65537;
//   - a number is not as long as RFC 7518 says: 32 bytes for a coordinate, and no zero
//     byte at the start of a modulus;
//   - the point is not on the curve.
func ParsePublicKey(jwk []byte) (*PublicKey, error) {
	memory := objects.Get().(*strictjson.Object)
	defer func() {
		clear((*memory)[:cap(*memory)])
		objects.Put(memory)
	}()
	o, err := strictjson.AppendObject((*memory)[:0], jwk)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrKey, err)
	}
	return PublicKeyOf(o)
}

// PublicKeyOf is [ParsePublicKey] for a JWK that has been parsed.
func PublicKeyOf(o strictjson.Object) (*PublicKey, error) {
	for _, name := range privateMembers {
		if _, found := o.Get(name); found {
			return nil, refused("it has the private member " + name)
		}
	}
	return parsePublic(o)
}

// parsePublic is PublicKeyOf for an object that may have private members.
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
		value, ok := strictjson.Text(m.Value)
		if *field = intern(value); !ok {
			return nil, refused(m.Name + " is not a string")
		}
		switch {
		case m.Name == "use" && k.use != "sig":
			return nil, refused("use is not sig")
		case m.Name == "alg" && k.alg == "":
			return nil, refused("alg is empty")
		}
	}
	if err := k.readMaterial(o); err != nil {
		return nil, err
	}
	return k, nil
}

// readMaterial sets the key.
func (k *PublicKey) readMaterial(o strictjson.Object) error {
	kty, crv := member(o, "kty"), member(o, "crv")
	switch {
	case string(kty) == "OKP" && string(crv) == "Ed25519":
		return k.readEd25519(o)
	case string(kty) == "EC" && string(crv) == "P-256":
		return k.readP256(o)
	case string(kty) == "RSA":
		return k.readRSA(o)
	}
	return refused("kty and crv are not OKP with Ed25519, EC with P-256, or RSA")
}

func (k *PublicKey) readEd25519(o strictjson.Object) error {
	if !readBytes(k.ed25519[:], o, "x") {
		return refused("x is not 32 bytes in base64url")
	}
	k.fits, k.bits = Ed25519, 256
	return nil
}

func (k *PublicKey) readP256(o strictjson.Object) (err error) {
	point := make([]byte, 65)
	point[0] = 4
	if !readBytes(point[1:33], o, "x") || !readBytes(point[33:], o, "y") {
		return refused("x and y are not 32 bytes each in base64url")
	}
	if k.ecdsa, err = ecdsa.ParseUncompressedPublicKey(elliptic.P256(), point); err != nil {
		return refused("the point is not on the curve")
	}
	k.fits, k.bits = ES256, 256
	return nil
}

func (k *PublicKey) readRSA(o strictjson.Object) error {
	if string(member(o, "e")) != "AQAB" {
		return refused("e is not 65537")
	}
	n := member(o, "n")
	if len(n) > encoding.EncodedLen(MaxRSABits/8) {
		return refused("n is not a number of 2048 to 4096 bits")
	}
	modulus, ok := DecodeBase64(string(n))
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
	k.fits, k.bits, k.rsa = RS256, bits, &rsa.PublicKey{N: n, E: rsaExponent}
	return nil
}

// member returns a member that is a string, or nil.
func member(o strictjson.Object, name string) []byte {
	raw, _ := o.Get(name)
	text, _ := strictjson.Text(raw)
	return text
}

// readBytes sets dst to a member in base64url. It reports whether the member has the size
// of dst.
func readBytes(dst []byte, o strictjson.Object, name string) bool {
	s := member(o, name)
	if len(s) != encoding.EncodedLen(len(dst)) || bytes.ContainsAny(s, "\r\n") {
		return false
	}
	n, err := encoding.Decode(dst, s)
	return err == nil && n == len(dst)
}

func refused(problem string) error { return fmt.Errorf("%w: %s", ErrKey, problem) }

// NewPublicKey returns a key without alg, use and kid. The error matches ErrKey.
func NewPublicKey(key crypto.PublicKey) (*PublicKey, error) {
	k := &PublicKey{bits: 256}
	switch key := key.(type) {
	case ed25519.PublicKey:
		if len(key) != ed25519.PublicKeySize {
			return nil, refused("not 32 bytes")
		}
		k.fits = Ed25519
		copy(k.ed25519[:], key)
	case *ecdsa.PublicKey:
		if key.Curve != elliptic.P256() {
			return nil, refused("not on the curve P-256")
		}
		k.fits, k.ecdsa = ES256, key
	case *rsa.PublicKey:
		if key.E != rsaExponent {
			return nil, refused("e is not 65537")
		}
		if err := k.setRSA(key.N); err != nil {
			return nil, err
		}
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
func (k *PublicKey) Crypto() crypto.PublicKey {
	switch k.fits {
	case Ed25519:
		return ed25519.PublicKey(k.ed25519[:])
	case ES256:
		return k.ecdsa
	}
	return k.rsa
}

// Algorithm returns the name of the algorithm of the key: Ed25519, ES256 or RS256.
func (k *PublicKey) Algorithm() string { return k.fits }

// Equal reports whether two keys are the same, whatever their alg, use and kid.
func (k *PublicKey) Equal(other *PublicKey) bool {
	switch {
	case k.fits != other.fits:
		return false
	case k.fits == Ed25519:
		return k.ed25519 == other.ed25519
	case k.fits == ES256:
		return k.ecdsa.Equal(other.ecdsa)
	}
	return k.rsa.Equal(other.rsa)
}

// Fits reports whether the key is for the algorithm, and its member alg, where present,
// names the same algorithm.
func (k *PublicKey) Fits(alg string) bool {
	return k.fits == canonical(alg) && (k.alg == "" || k.fits == canonical(k.alg))
}

// Verify reports whether sig is a signature of signed by the algorithm alg, which the
// key fits. A signature by ES256 is r and s in 64 bytes, both from 1 to n-1, where n is
// the order of the group. As in JOSE, both signatures with s and n-s are valid.
func (k *PublicKey) Verify(alg string, signed, sig []byte) bool {
	return k.VerifyMessage(alg, &Message{Text: signed}, sig)
}

// Message is a text that was signed. Its hash is computed once, however many keys are tried
// (BenchmarkEVPRefresh in bench). The text must not be modified.
type Message struct {
	Text   []byte
	sum    [sha256.Size]byte
	hashed bool
}

func (m *Message) hash() []byte {
	if !m.hashed {
		m.sum, m.hashed = sha256.Sum256(m.Text), true
	}
	return m.sum[:]
}

// VerifyMessage is like Verify, for a message that several keys may have signed.
func (k *PublicKey) VerifyMessage(alg string, signed *Message, sig []byte) bool {
	if !k.Fits(alg) {
		return false
	}
	if k.fits == Ed25519 {
		return ed25519.Verify(k.ed25519[:], signed.Text, sig)
	}
	if k.fits == ES256 {
		der, ok := encodeDER(sig)
		return ok && ecdsa.VerifyASN1(k.ecdsa, signed.hash(), der)
	}
	return rsa.VerifyPKCS1v15(k.rsa, crypto.SHA256, signed.hash(), sig) == nil
}

// encodeDER returns the form of an ECDSA signature that crypto/ecdsa verifies: a SEQUENCE
// of two INTEGERs. That package checks their range. The signature is not two numbers of 32
// bytes if ok is false. crypto/ecdsa.Verify would allocate nine times (BenchmarkEVP in
// bench).
func encodeDER(sig []byte) (der []byte, ok bool) {
	if len(sig) != 64 {
		return nil, false
	}
	der = append(make([]byte, 0, 2+2*35), 0x30, 0)
	der = appendInteger(appendInteger(der, sig[:32]), sig[32:])
	der[1] = byte(len(der) - 2)
	return der, true
}

// appendInteger appends the DER of a number that is not negative.
func appendInteger(der, number []byte) []byte {
	number = bytes.TrimLeft(number, "\x00")
	pad := len(number) == 0 || number[0] >= 0x80
	if pad {
		der = append(der, 0x02, byte(len(number)+1), 0)
	} else {
		der = append(der, 0x02, byte(len(number)))
	}
	return append(der, number...)
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
	switch k.fits {
	case Ed25519:
		return jwkMembers{Kty: "OKP", Crv: "Ed25519", X: EncodeBase64(k.ed25519[:])}
	case ES256:
		point, _ := k.ecdsa.Bytes() // it is on the curve
		return jwkMembers{Kty: "EC", Crv: "P-256", X: EncodeBase64(point[1:33]), Y: EncodeBase64(point[33:])}
	}
	return jwkMembers{Kty: "RSA", N: EncodeBase64(k.rsa.N.Bytes()), E: "AQAB"}
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
