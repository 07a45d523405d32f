package workload

import (
	"crypto"
	"crypto/dsa" //lint:ignore SA1019 the protocol has DSA keys, and this is the code to compare with
	"crypto/rsa"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"math/big"
	"strings"
	"time"
)

// Plain verifies a backed assertion with the standard library and without any
// optimization. It makes the checks of assertion.Verify for a usual assertion. It is a
// yardstick, not a verifier: encoding/json and encoding/base64 are less strict than the
// protocol. Issuers maps a domain to its key, so no support document is read.
func Plain(text, audience string, now time.Time, issuers map[string]PlainKey) (email string, err error) {
	tokens := strings.Split(text, "~")
	if len(tokens) != 2 {
		return "", errors.New("not one certificate and one assertion")
	}
	var certificate struct {
		Iss       string
		Exp, Iat  int64
		PublicKey json.RawMessage `json:"public-key"`
		Principal struct{ Email string }
	}
	certified, err := decodePlain(tokens[0], &certificate)
	if err != nil {
		return "", err
	}
	var assertion struct {
		Aud string
		Exp int64
	}
	asserted, err := decodePlain(tokens[1], &assertion)
	if err != nil {
		return "", err
	}
	user, err := ParsePlainKey(certificate.PublicKey)
	if err != nil {
		return "", err
	}
	at, leeway := now.UnixMilli(), (30 * time.Second).Milliseconds()
	_, domain, _ := strings.Cut(certificate.Principal.Email, "@")
	switch {
	case assertion.Aud != audience:
		return "", errors.New("audience mismatch")
	case at > certificate.Exp+leeway || at > assertion.Exp+leeway || certificate.Iat > at+leeway:
		return "", errors.New("expired, or not yet valid")
	case domain == "" || domain != certificate.Iss:
		return "", errors.New("untrusted issuer")
	}
	if err := user.verify(asserted); err != nil {
		return "", fmt.Errorf("assertion: %w", err)
	}
	if err := issuers[domain].verify(certified); err != nil {
		return "", fmt.Errorf("certificate: %w", err)
	}
	return certificate.Principal.Email, nil
}

// plainToken is what the check of a token's signature needs.
type plainToken struct {
	alg, signed string
	signature   []byte
}

func decodePlain(token string, claims any) (plainToken, error) {
	parts := strings.Split(token, ".")
	if len(parts) != 3 {
		return plainToken{}, errors.New("not three parts")
	}
	var decoded [3][]byte
	for i, part := range parts {
		var err error
		if decoded[i], err = base64.RawURLEncoding.DecodeString(part); err != nil {
			return plainToken{}, err
		}
	}
	var header struct{ Alg string }
	if err := json.Unmarshal(decoded[0], &header); err != nil {
		return plainToken{}, err
	}
	if err := json.Unmarshal(decoded[1], claims); err != nil {
		return plainToken{}, err
	}
	return plainToken{header.Alg, parts[0] + "." + parts[1], decoded[2]}, nil
}

// PlainKey is a public key of crypto/rsa or crypto/dsa.
type PlainKey struct {
	name string
	rsa  *rsa.PublicKey
	dsa  *dsa.PublicKey
}

// ParsePlainKey parses the legacy form of a key.
func ParsePlainKey(text []byte) (PlainKey, error) {
	var k struct{ Algorithm, N, E, P, Q, G, Y string }
	if err := json.Unmarshal(text, &k); err != nil {
		return PlainKey{}, err
	}
	switch k.Algorithm {
	case "RS":
		n, okN := new(big.Int).SetString(k.N, 10)
		e, okE := new(big.Int).SetString(k.E, 10)
		if !okN || !okE || !e.IsInt64() {
			return PlainKey{}, errors.New("not an RSA key")
		}
		return PlainKey{name: fmt.Sprintf("RS%d", n.BitLen()/8), rsa: &rsa.PublicKey{N: n, E: int(e.Int64())}}, nil
	case "DS":
		var numbers [4]*big.Int
		for i, digits := range []string{k.P, k.Q, k.G, k.Y} {
			var ok bool
			if numbers[i], ok = new(big.Int).SetString(digits, 16); !ok {
				return PlainKey{}, errors.New("not a DSA key")
			}
		}
		group := dsa.Parameters{P: numbers[0], Q: numbers[1], G: numbers[2]}
		return PlainKey{name: fmt.Sprintf("DS%d", group.P.BitLen()/8), dsa: &dsa.PublicKey{Parameters: group, Y: numbers[3]}}, nil
	}
	return PlainKey{}, errors.New("unknown kind of key")
}

var errPlainSignature = errors.New("invalid signature")

func (k PlainKey) verify(t plainToken) error {
	if k.name == "" || k.name != t.alg {
		return errors.New("algorithms do not match")
	}
	sum := sha256.Sum256([]byte(t.signed))
	digest := sum[:]
	if k.rsa != nil {
		return rsa.VerifyPKCS1v15(k.rsa, crypto.SHA256, digest, t.signature)
	}
	if k.name == "DS128" {
		sum := sha1.Sum([]byte(t.signed))
		digest = sum[:]
	}
	size := k.dsa.Q.BitLen() / 8
	if len(t.signature) != 2*size {
		return errPlainSignature
	}
	r, s := new(big.Int).SetBytes(t.signature[:size]), new(big.Int).SetBytes(t.signature[size:])
	if !dsa.Verify(k.dsa, digest, r, s) {
		return errPlainSignature
	}
	return nil
}
