package certchain

import (
	"bytes"
	"encoding/base64"
	"fmt"

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

	raw       []byte
	signed    int // length of the part of raw that the signature covers
	signature []byte

	members [6]strictjson.Member // backs Claims, to save an allocation
}

// ParseToken parses a token. The error matches [ErrMalformed]. The header may name an
// algorithm that does not exist: compare [Token.Algorithm] with [keys.Algorithms].
func ParseToken(s string) (*Token, error) {
	t := new(Token)
	if err := t.parse(s); err != nil {
		return nil, err
	}
	return t, nil
}

func (t *Token) parse(s string) (err error) {
	// The text and, after it, what it decodes to, with room for whole words.
	memory := append(make([]byte, 0, len(s)+len(s)*3/4+8), s...)
	raw := memory[:len(s):len(s)]
	header, rest, _ := bytes.Cut(raw, dot)
	claims, signature, found := bytes.Cut(rest, dot)
	if !found || bytes.Contains(signature, dot) {
		return malformed("%d parts where a token has 3", bytes.Count(raw, dot)+1)
	}
	t.raw, t.signed = raw, len(header)+1+len(claims)
	if t.Algorithm, err = parseHeader(header); err != nil {
		return err
	}
	decoded, err := appendDecoded(memory[len(s):], claims)
	if err != nil {
		return malformed("claims: %w", err)
	}
	if t.Claims.object, err = strictjson.AppendObject(t.members[:0], decoded); err != nil {
		return malformed("claims: %w", err)
	}
	if t.signature, err = appendDecoded(decoded[len(decoded):], signature); err != nil {
		return malformed("signature: %w", err)
	}
	return t.readTimes()
}

var dot = []byte{'.'}

// String gives the token as it was parsed, to the byte.
func (t *Token) String() string { return string(t.raw) }

// Signed gives the part of the token that its signature covers: the encoded
// header and claims. Unlike the whole token it has one form only.
func (t *Token) Signed() string { return string(t.raw[:t.signed]) }

// Verify checks the token's signature against every candidate whose algorithm
// is the header's. It errs with ErrAlgorithm when there is no such candidate,
// and with ErrSignature when none of them made the signature.
func (t *Token) Verify(candidates ...keys.PublicKey) error {
	_, err := t.verify(candidates)
	return err
}

// verify is Verify that tells which candidate made the signature.
func (t *Token) verify(candidates []keys.PublicKey) (index int, err error) {
	tried := false
	for i, key := range candidates {
		if key.Algorithm() != t.Algorithm {
			continue
		}
		if key.Verify(t.raw[:t.signed], t.signature) == nil {
			return i, nil
		}
		tried = true
	}
	if !tried {
		return 0, fmt.Errorf("%w: no key for %.16q", ErrAlgorithm, t.Algorithm)
	}
	return 0, ErrSignature
}

// usualHeaders are the headers that say nothing but their algorithm, as they
// are encoded, and that algorithm: those of nearly all tokens there are.
var usualHeaders = func() map[string]string {
	usual := make(map[string]string)
	for _, alg := range keys.Algorithms() {
		usual[base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"`+alg+`"}`))] = alg
	}
	return usual
}()

func parseHeader(segment []byte) (alg string, err error) {
	if alg, usual := usualHeaders[string(segment)]; usual {
		return alg, nil
	}
	decoded, err := appendDecoded(nil, segment)
	if err != nil {
		return "", malformed("header: %w", err)
	}
	header, err := strictjson.ParseObject(decoded)
	if err != nil {
		return "", malformed("header: %w", err)
	}
	return readHeader(header)
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

func malformed(format string, args ...any) error {
	return fmt.Errorf("%w: "+format, append([]any{ErrMalformed}, args...)...)
}
