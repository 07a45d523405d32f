package certchain

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"slices"

	"github.com/vepverify/vepverify/internal/strictjson"
	"github.com/vepverify/vepverify/keys"
)

// Token is a parsed token. Its signature is not verified.
type Token struct {
	// Algorithm is the alg of the header. It may be any string.
	Algorithm string
	// Claims are the claims of the token.
	Claims Claims
	// Validity holds the times of the token.
	Validity Validity

	raw       []byte
	signed    int // length of the part of raw that the signature covers
	signature []byte
	members   [5]strictjson.Member // backs Claims, to save an allocation: browsers make up to 5 claims
}

// ParseToken parses a token. The error matches [ErrMalformed]. ParseToken accepts any
// algorithm name, also one that does not exist.
func ParseToken(s string) (*Token, error) {
	t := new(Token)
	if err := t.parse(s); err != nil {
		return nil, err
	}
	return t, nil
}

func (t *Token) parse(s string) (err error) {
	// One allocation for the text and for what it decodes to, rounded up to whole
	// words (BenchmarkParse).
	memory := append(make([]byte, 0, len(s)+len(s)*3/4+8), s...)
	raw := memory[:len(s):len(s)]
	header, rest, _ := bytes.Cut(raw, dot)
	claims, signature, found := bytes.Cut(rest, dot)
	if !found || bytes.Contains(signature, dot) {
		return malformed("want 3 parts, got %d", bytes.Count(raw, dot)+1)
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

// String returns the text that the token was parsed from.
func (t *Token) String() string { return string(t.raw) }

// Signed returns the part of the text that the signature covers: the encoded header and
// claims. Unlike the whole text, it has only one form: a signature can be written with
// and without leading zeros, and a key can make several signatures.
func (t *Token) Signed() string { return string(t.raw[:t.signed]) }

// Verify verifies the signature with each of the candidates whose algorithm is that of
// the header, until one succeeds. The error matches [ErrAlgorithm] if there is no such
// candidate, and [ErrSignature] if none of them made the signature.
func (t *Token) Verify(candidates ...keys.PublicKey) error {
	_, err := t.verify(candidates)
	return err
}

// verify returns the index of the candidate that made the signature.
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

// commonHeaders maps the encoded headers that consist of an algorithm only to the name
// of the algorithm. Nearly all tokens have one of them.
var commonHeaders = func() map[string]string {
	headers := make(map[string]string)
	for _, alg := range keys.Algorithms() {
		headers[base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"`+alg+`"}`))] = alg
	}
	return headers
}()

func parseHeader(segment []byte) (alg string, err error) {
	if alg, ok := commonHeaders[string(segment)]; ok {
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

// forbiddenMembers are the header members for features that this protocol does not
// have: extensions, other encodings of the payload, and keys from the token itself.
var forbiddenMembers = []string{"crit", "b64", "jwk", "jku", "x5u", "x5c", "x5t", "x5t#S256", "nonce"}

func readHeader(header strictjson.Object) (alg string, err error) {
	for _, name := range forbiddenMembers {
		if _, ok := header.Get(name); ok {
			return "", malformed("header has %q", name)
		}
	}
	for _, name := range []string{"typ", "kid"} {
		if raw, ok := header.Get(name); ok {
			if _, ok := strictjson.String(raw); !ok {
				return "", malformed("header's %q is not a string", name)
			}
		}
	}
	raw, _ := header.Get("alg")
	alg, ok := strictjson.String(raw)
	if !ok {
		return "", malformed("header's alg is not a string")
	}
	return alg, nil
}

func malformed(format string, args ...any) error {
	return fmt.Errorf("%w: "+format, append([]any{ErrMalformed}, args...)...)
}

// Claims are the claims of a token, each as its sender wrote it: integers keep all
// their digits.
type Claims struct{ object strictjson.Object }

// Get returns the JSON text of a claim. ok is false if there is no such claim. The text
// must not be modified.
func (c Claims) Get(name string) (value json.RawMessage, ok bool) { return c.object.Get(name) }

// Text returns the value of a claim that is a string. ok is false if there is no such
// claim or it is not a string.
func (c Claims) Text(name string) (text string, ok bool) {
	raw, _ := c.object.Get(name)
	return strictjson.String(raw)
}

// Names returns the names of all claims in the order of the token.
func (c Claims) Names() []string {
	names := make([]string, len(c.object))
	for i, m := range c.object {
		names[i] = m.Name
	}
	return names
}

// Extra returns the claims that the protocol does not use, or nil if there are none.
func (c Claims) Extra() map[string]json.RawMessage { return addExtra(nil, c.object) }

// reserved are the claims that the protocol uses. They are never reported as extra
// claims.
var reserved = []string{"iss", "sub", "aud", "exp", "nbf", "iat", "jti", "public-key", "pubkey", "principal"}

// addExtra adds the claims of from to extra, except those that are reserved, that are
// named in except, or that extra already has. It returns extra, which may be nil.
func addExtra(extra map[string]json.RawMessage, from strictjson.Object, except ...string) map[string]json.RawMessage {
	merging := len(extra) > 0 // the names of one object differ
	for i, m := range from {
		if slices.Contains(reserved, m.Name) || slices.Contains(except, m.Name) {
			continue
		}
		if merging {
			if _, ok := extra[m.Name]; ok {
				continue
			}
		}
		if extra == nil {
			extra = make(map[string]json.RawMessage, len(from)-i)
		}
		extra[m.Name] = m.Value
	}
	return extra
}
