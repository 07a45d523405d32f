package certchain

import (
	"encoding/base64"
	"errors"
	"fmt"
	"strings"

	"github.com/go-jose/go-jose/v4"

	"github.com/vepverify/vepverify/internal/strictjson"
	"github.com/vepverify/vepverify/keys"
)

// Token is one signed token, taken apart and not verified.
type Token struct {
	// Algorithm is the header's alg, whatever it says.
	Algorithm string
	// Claims are the claims as signed, if the signature holds.
	Claims Claims
	// Validity holds the token's times, which every token of the protocol has.
	Validity Validity

	raw string
}

// ParseToken takes a token apart. It errs with ErrMalformed; an algorithm that
// does not exist is [Token.CheckAlgorithm]'s affair.
func ParseToken(s string) (*Token, error) {
	parts := strings.Split(s, ".")
	if len(parts) != 3 {
		return nil, malformed("%d parts where a token has 3", len(parts))
	}
	header, err := decodeObject(parts[0])
	if err != nil {
		return nil, malformed("header: %w", err)
	}
	alg, err := readHeader(header)
	if err != nil {
		return nil, err
	}
	claims, err := decodeObject(parts[1])
	if err != nil {
		return nil, malformed("claims: %w", err)
	}
	if _, err := decodeSegment(parts[2]); err != nil {
		return nil, malformed("signature: %w", err)
	}
	validity, err := Claims{claims}.validity()
	if err != nil {
		return nil, err
	}
	return &Token{Algorithm: alg, Claims: Claims{claims}, Validity: validity, raw: s}, nil
}

// String gives the token as it was parsed, to the byte.
func (t *Token) String() string { return t.raw }

// Signed gives the part of the token that its signature covers: the encoded
// header and claims. Unlike the whole token it has one form only.
func (t *Token) Signed() string { return t.raw[:strings.LastIndexByte(t.raw, '.')] }

// CheckAlgorithm errs with ErrAlgorithm unless the header names an algorithm
// of PROTOCOL §2's table.
func (t *Token) CheckAlgorithm() error {
	if !keys.Known(t.Algorithm) {
		return fmt.Errorf("%w: no such algorithm", ErrAlgorithm)
	}
	return nil
}

// Verify checks the token's signature against every candidate whose algorithm
// is the header's. It errs with ErrAlgorithm when there is no such candidate,
// and with ErrSignature when none of them made the signature.
func (t *Token) Verify(candidates ...keys.PublicKey) error {
	err := fmt.Errorf("%w: no key for %.16q", ErrAlgorithm, t.Algorithm)
	for _, key := range candidates {
		if key.Algorithm() != t.Algorithm {
			continue
		}
		if err = t.verify(key); err == nil {
			return nil
		}
	}
	return err
}

func (t *Token) verify(key keys.PublicKey) error {
	jws, err := jose.ParseSignedCompact(t.raw, []jose.SignatureAlgorithm{jose.SignatureAlgorithm(key.Algorithm())})
	if err != nil {
		return malformed("%w", err)
	}
	if _, err := jws.Verify(opaque{key}); err != nil {
		return fmt.Errorf("%w: %w", ErrSignature, err)
	}
	return nil
}

// opaque lends a key of ours to go-jose, which knows neither DSA nor our names.
type opaque struct{ key keys.PublicKey }

func (o opaque) VerifyPayload(payload, signature []byte, _ jose.SignatureAlgorithm) error {
	return o.key.Verify(payload, signature)
}

// forbidden are the header members that ask for what this protocol does not
// have: extensions, other payload encodings, and keys from the token itself.
var forbidden = []string{"crit", "b64", "jwk", "jku", "x5u", "x5c", "x5t", "x5t#S256", "nonce"}

func readHeader(header strictjson.Object) (alg string, err error) {
	for _, name := range forbidden {
		if _, there := header.Get(name); there {
			return "", malformed("header has %q", name)
		}
	}
	for _, name := range []string{"typ", "kid"} {
		if raw, there := header.Get(name); there {
			if _, ok := strictjson.String(raw); !ok {
				return "", malformed("header's %q is no string", name)
			}
		}
	}
	raw, _ := header.Get("alg")
	alg, ok := strictjson.String(raw)
	if !ok {
		return "", malformed("header's alg is no string")
	}
	return alg, nil
}

func decodeObject(segment string) (strictjson.Object, error) {
	data, err := decodeSegment(segment)
	if err != nil {
		return nil, err
	}
	return strictjson.ParseObject(data)
}

var errLineBreak = errors.New("a line break in base64url")

// decodeSegment reads base64url of which there is one form only. The strict
// decoder still passes over line breaks, so they are refused before.
func decodeSegment(segment string) ([]byte, error) {
	if strings.ContainsAny(segment, "\r\n") {
		return nil, errLineBreak
	}
	return base64.RawURLEncoding.Strict().DecodeString(segment)
}

func malformed(format string, args ...any) error {
	return fmt.Errorf("%w: "+format, append([]any{ErrMalformed}, args...)...)
}
