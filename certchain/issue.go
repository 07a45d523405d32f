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

// Template describes a certificate to issue. Exactly one of Email and Host must be set.
type Template struct {
	Issuer    string         // the domain whose key signs the certificate
	Email     string         // the certified email address
	Host      string         // the certified host, which may then issue certificates itself
	PublicKey keys.PublicKey // the certified key
	IssuedAt  time.Time      // cut off to milliseconds; the zero time means no iat
	Expires   time.Time      // cut off to milliseconds; must be after IssuedAt
	// Extra are further claims, which a verifier reports as idpClaims. They must not
	// have names that the protocol uses.
	Extra map[string]any
}

// ErrTemplate is the error for a certificate or token that is not signed because no
// verifier would accept it.
var ErrTemplate = errors.New("invalid template")

// Issue issues a certificate and signs it with issuer. The error matches [ErrTemplate]
// if the template is incomplete or wrong.
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
		return nil, fmt.Errorf("%w: the issuer is not a domain", ErrTemplate)
	}
	principal, err := t.principal()
	if err != nil {
		return nil, err
	}
	if t.PublicKey == nil {
		return nil, fmt.Errorf("%w: no public key", ErrTemplate)
	}
	if !t.Expires.After(t.IssuedAt) {
		return nil, fmt.Errorf("%w: Expires is not after IssuedAt", ErrTemplate)
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
		return nil, fmt.Errorf("%w: not exactly one of email and host", ErrTemplate)
	}
	if t.Host != "" {
		host, ok := domain.Parse(t.Host)
		if !ok {
			return nil, fmt.Errorf("%w: the host is not a domain", ErrTemplate)
		}
		return map[string]string{"host": host}, nil
	}
	email, _, ok := domain.Email(t.Email)
	if !ok {
		return nil, fmt.Errorf("%w: the email is not one that verifiers accept", ErrTemplate)
	}
	return map[string]string{"email": email}, nil
}

// Sign signs a token whose claims are those of claims and of extra, which may be nil.
// The same claims and key yield the same token. The error matches [ErrTemplate] if a
// name in extra is one that the protocol uses, if a value has no JSON form, or if key is nil.
func Sign(claims, extra map[string]any, key keys.PrivateKey) (string, error) {
	if key == nil {
		return "", fmt.Errorf("%w: no private key", ErrTemplate)
	}
	for name := range extra {
		if slices.Contains(reserved, name) {
			return "", fmt.Errorf("%w: extra claim %q: the protocol uses this name", ErrTemplate, name)
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

// opaqueSigner implements [jose.OpaqueSigner] for a private key.
type opaqueSigner struct{ key keys.PrivateKey }

// Public returns nil, so that the header consists of the alg only.
func (o opaqueSigner) Public() *jose.JSONWebKey { return nil }

func (o opaqueSigner) Algs() []jose.SignatureAlgorithm {
	return []jose.SignatureAlgorithm{jose.SignatureAlgorithm(o.key.Algorithm())}
}

func (o opaqueSigner) SignPayload(payload []byte, _ jose.SignatureAlgorithm) ([]byte, error) {
	return o.key.Sign(payload)
}
