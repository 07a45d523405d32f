package certchain

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/go-jose/go-jose/v4"

	"github.com/vepverify/vepverify/internal/domain"
	"github.com/vepverify/vepverify/keys"
)

// Template says what a certificate is to certify. Exactly one of Email and
// Host is wanted.
type Template struct {
	Issuer    string         // the domain whose key signs
	Email     string         // the address certified
	Host      string         // or the host, which may then sign certificates itself
	PublicKey keys.PublicKey // the key certified
	IssuedAt  time.Time      // cut to milliseconds; the zero time leaves iat out
	Expires   time.Time      // cut to milliseconds
	// Extra claims, which a verifier reports as idpClaims. Names that the
	// protocol uses are refused.
	Extra map[string]any
}

// ErrTemplate: a certificate or token that no verifier would accept was asked
// for.
var ErrTemplate = errors.New("nothing to sign")

// Issue makes a certificate. It errs with ErrTemplate when the template is
// incomplete or wrong.
func Issue(t Template, issuer keys.PrivateKey) (string, error) {
	claims, err := t.claims()
	if err != nil {
		return "", err
	}
	return Sign(claims, t.Extra, issuer)
}

func (t Template) claims() (map[string]any, error) {
	iss, ok := domain.Parse(t.Issuer)
	if !ok {
		return nil, fmt.Errorf("%w: the issuer is no domain", ErrTemplate)
	}
	principal, err := t.principal()
	if err != nil {
		return nil, err
	}
	if t.PublicKey == nil {
		return nil, fmt.Errorf("%w: no public key", ErrTemplate)
	}
	if !t.Expires.After(t.IssuedAt) {
		return nil, fmt.Errorf("%w: it would expire before it is issued", ErrTemplate)
	}
	claims := map[string]any{
		"iss": iss, "principal": principal, "public-key": t.PublicKey, "exp": t.Expires.UnixMilli(),
	}
	if !t.IssuedAt.IsZero() {
		claims["iat"] = t.IssuedAt.UnixMilli()
	}
	return claims, nil
}

func (t Template) principal() (map[string]string, error) {
	if (t.Email == "") == (t.Host == "") {
		return nil, fmt.Errorf("%w: one of email and host is wanted", ErrTemplate)
	}
	if t.Host != "" {
		host, ok := domain.Parse(t.Host)
		if !ok {
			return nil, fmt.Errorf("%w: the host is no domain", ErrTemplate)
		}
		return map[string]string{"host": host}, nil
	}
	email, _, ok := domain.Email(t.Email)
	if !ok {
		return nil, fmt.Errorf("%w: the email is not one that verifiers accept", ErrTemplate)
	}
	return map[string]string{"email": email}, nil
}

// Sign signs a token with the members of claims and of extra as its claims. The same
// claims and key yield the same token. The error matches [ErrTemplate] if extra has a
// name that the protocol uses, or if a claim has no JSON form.
func Sign(claims, extra map[string]any, key keys.PrivateKey) (string, error) {
	for name := range extra {
		if slices.Contains(reserved, name) {
			return "", fmt.Errorf("%w: extra claim %q: the name is the protocol's", ErrTemplate, name)
		}
	}
	all := make(map[string]any, len(claims)+len(extra))
	maps.Copy(all, claims)
	maps.Copy(all, extra)
	payload, err := json.Marshal(all)
	if err != nil {
		return "", fmt.Errorf("%w: %w", ErrTemplate, err)
	}
	signer, err := jose.NewSigner(jose.SigningKey{
		Algorithm: jose.SignatureAlgorithm(key.Algorithm()), Key: opaqueSigner{key},
	}, nil)
	if err != nil {
		return "", fmt.Errorf("%w: %w", ErrTemplate, err)
	}
	jws, err := signer.Sign(payload)
	if err != nil {
		return "", fmt.Errorf("%w: %w", ErrTemplate, err)
	}
	return jws.CompactSerialize()
}

// opaqueSigner lends a private key of ours to go-jose.
type opaqueSigner struct{ key keys.PrivateKey }

// Public gives no key, so that the header is the alg alone.
func (o opaqueSigner) Public() *jose.JSONWebKey { return nil }

func (o opaqueSigner) Algs() []jose.SignatureAlgorithm {
	return []jose.SignatureAlgorithm{jose.SignatureAlgorithm(o.key.Algorithm())}
}

func (o opaqueSigner) SignPayload(payload []byte, _ jose.SignatureAlgorithm) ([]byte, error) {
	return o.key.Sign(payload)
}
