package jose

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"fmt"
	"math/big"

	"github.com/vepverify/vepverify/internal/redact"
	"github.com/vepverify/vepverify/internal/strictjson"
)

// redacted is the text that formatting and logging show in place of a key.
type redacted = redact.Text

// PrivateKey is a key that signs. It is immutable and safe for concurrent use.
type PrivateKey struct {
	redacted
	public *PublicKey
	signer crypto.Signer
}

// Generate generates a key with this member alg. RSA keys have 2048 bits.
func Generate(alg string) (*PrivateKey, error) {
	var signer crypto.Signer
	var err error
	switch canonical(alg) {
	case Ed25519:
		_, signer, err = ed25519.GenerateKey(rand.Reader)
	case ES256:
		signer, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	case RS256:
		signer, err = rsa.GenerateKey(rand.Reader, MinRSABits)
	default:
		return nil, refused("alg is not Ed25519, EdDSA, ES256 or RS256")
	}
	if err != nil {
		return nil, err
	}
	k, err := NewPrivateKey(signer)
	if err != nil {
		return nil, err
	}
	return k.WithAlg(alg), nil
}

// NewPrivateKey returns a key without alg, use and kid. The signer is an
// ed25519.PrivateKey, a *ecdsa.PrivateKey or a *rsa.PrivateKey. The error matches ErrKey.
func NewPrivateKey(signer crypto.Signer) (*PrivateKey, error) {
	public, err := NewPublicKey(signer.Public())
	if err != nil {
		return nil, err
	}
	if key, ok := signer.(*rsa.PrivateKey); ok {
		if len(key.Primes) != 2 {
			return nil, refused("it does not have two primes")
		}
		key.Precompute()
	}
	return newPrivate(public, signer), nil
}

func newPrivate(public *PublicKey, signer crypto.Signer) *PrivateKey {
	return &PrivateKey{redacted(public.fits + " private key"), public, signer}
}

// ParsePrivateKey parses a private JWK. The rules of [ParsePublicKey] hold for its public
// members. The error matches ErrKey.
func ParsePrivateKey(jwk []byte) (*PrivateKey, error) {
	o, err := strictjson.ParseObject(jwk)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrKey, err)
	}
	public, err := parsePublic(o)
	if err != nil {
		return nil, err
	}
	if _, found := o.Get("d"); !found {
		return nil, refused("it is a public key")
	}
	signer, err := parseSigner(o, public)
	if err != nil {
		return nil, err
	}
	return newPrivate(public, signer), nil
}

func parseSigner(o strictjson.Object, public *PublicKey) (crypto.Signer, error) {
	if public.fits == RS256 {
		return parseRSASigner(o, public.rsa)
	}
	d := make([]byte, 32)
	if !readBytes(d, o, "d") {
		return nil, refused("d is not 32 bytes in base64url")
	}
	if public.fits == Ed25519 {
		if signer := ed25519.NewKeyFromSeed(d); bytes.Equal(signer[32:], public.ed25519[:]) {
			return signer, nil
		}
		return nil, errHalves
	}
	if signer, err := ecdsa.ParseRawPrivateKey(elliptic.P256(), d); err == nil && signer.PublicKey.Equal(public.ecdsa) {
		return signer, nil
	}
	return nil, errHalves
}

var errHalves = refused("the private and the public members belong to different keys")

func parseRSASigner(o strictjson.Object, public *rsa.PublicKey) (crypto.Signer, error) {
	if _, found := o.Get("oth"); found {
		return nil, refused("it has more than two primes")
	}
	var numbers [3]*big.Int
	for i, name := range []string{"d", "p", "q"} {
		s, _ := text(o, name)
		b, ok := DecodeBase64(s)
		if !ok || len(b) == 0 || len(b) > MaxRSABits/8 {
			return nil, refused(name + " is not a number in base64url")
		}
		numbers[i] = new(big.Int).SetBytes(b)
	}
	signer := &rsa.PrivateKey{PublicKey: *public, D: numbers[0], Primes: numbers[1:]}
	signer.Precompute()
	if signer.Validate() != nil {
		return nil, errHalves
	}
	return signer, nil
}

// WithAlg returns the same key with another member alg, which may be empty.
func (k *PrivateKey) WithAlg(alg string) *PrivateKey {
	public := *k.public
	public.alg = alg
	return newPrivate(&public, k.signer)
}

// WithKid returns the same key with another member kid, which may be empty.
func (k *PrivateKey) WithKid(kid string) *PrivateKey {
	public := *k.public
	public.kid = kid
	return newPrivate(&public, k.signer)
}

// Public returns the public key.
func (k *PrivateKey) Public() *PublicKey { return k.public }

// Sign returns the compact JWS of a header and claims, which it marshals. It does not
// add to the header: the caller sets alg, typ and kid.
func (k *PrivateKey) Sign(header, claims any) (string, error) {
	h, err := marshal(header)
	if err != nil {
		return "", err
	}
	c, err := marshal(claims)
	if err != nil {
		return "", err
	}
	return k.SignRaw(h, c)
}

// SignRaw is like [PrivateKey.Sign] for the exact bytes of a header and claims, which
// need not be JSON.
func (k *PrivateKey) SignRaw(header, claims []byte) (string, error) {
	input := compact(header, claims)
	sig, err := k.SignBytes([]byte(input))
	if err != nil {
		return "", err
	}
	return input + "." + EncodeBase64(sig), nil
}

// SignBytes returns the signature of data in the form of JOSE.
func (k *PrivateKey) SignBytes(data []byte) ([]byte, error) {
	digest := sha256.Sum256(data)
	switch signer := k.signer.(type) {
	case ed25519.PrivateKey:
		return ed25519.Sign(signer, data), nil
	case *ecdsa.PrivateKey:
		r, s, err := ecdsa.Sign(rand.Reader, signer, digest[:])
		if err != nil {
			return nil, err
		}
		return append(r.FillBytes(make([]byte, 32)), s.FillBytes(make([]byte, 32))...), nil
	}
	return k.signer.Sign(rand.Reader, digest[:], crypto.SHA256)
}

// privateJWK are the private members of a JWK.
type privateJWK struct {
	D  string `json:"d"`
	P  string `json:"p,omitempty"`
	Q  string `json:"q,omitempty"`
	DP string `json:"dp,omitempty"`
	DQ string `json:"dq,omitempty"`
	QI string `json:"qi,omitempty"`
}

// MarshalJWK returns the private JWK, with alg, use and kid where the key has them.
func (k *PrivateKey) MarshalJWK() ([]byte, error) {
	private := &privateJWK{}
	switch signer := k.signer.(type) {
	case ed25519.PrivateKey:
		private.D = EncodeBase64(signer.Seed())
	case *ecdsa.PrivateKey:
		d, err := signer.Bytes()
		if err != nil {
			return nil, err
		}
		private.D = EncodeBase64(d)
	case *rsa.PrivateKey:
		number := func(n *big.Int) string { return EncodeBase64(n.Bytes()) }
		private.D, private.P, private.Q = number(signer.D), number(signer.Primes[0]), number(signer.Primes[1])
		private.DP, private.DQ, private.QI = number(signer.Precomputed.Dp), number(signer.Precomputed.Dq), number(signer.Precomputed.Qinv)
	}
	m := k.public.members()
	m.privateJWK = private
	return marshal(m)
}
