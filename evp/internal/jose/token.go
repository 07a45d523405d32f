// Package jose parses, verifies and signs the compact JWS (RFC 7515) of the Email
// Verification Protocol, and parses its JWKs (RFC 7517). It is stricter than the RFCs, so
// that a text has one meaning:
//
//   - base64url has no padding and no line breaks, and its unused bits are zero.
//   - JSON follows the rules of package strictjson.
//   - The algorithms are Ed25519, EdDSA (another name of Ed25519), ES256 and RS256.
//   - Keys are Ed25519, P-256, and RSA of 2048 to 4096 bits with the exponent 65537.
//   - A public key has no private member.
//
// Start with [Parse] and [ParsePublicKey]. [Generate] makes a key that signs. Errors
// contain no part of the input.
//
// # What is not checked
//
// Parse verifies no signature. It checks neither typ nor alg, and it ignores crit, b64
// and the members of the claims: package evp checks them. The member key_ops of a key is
// ignored.
package jose

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/vepverify/vepverify/internal/strictjson"
)

// The errors of Parse.
var (
	// ErrForm means that the text is not three parts, none of them empty.
	ErrForm = errors.New("not a compact JWS: want three parts, none of them empty")
	// ErrBase64 means that a part is not base64url by the rules of this package.
	ErrBase64 = errors.New("not base64url: want no padding, no line breaks, and unused bits that are zero")
	// ErrJSON means that the header or the claims are not a JSON object by the rules of
	// package strictjson.
	ErrJSON = errors.New("not a JSON object")
	// ErrKid means that the kid of the header is not a string.
	ErrKid = errors.New("kid is not a string")
)

// Token is a compact JWS whose signature was not verified. It must not be modified.
type Token struct {
	// Header and Claims are the first and the second part.
	Header, Claims strictjson.Object
	// Alg and Typ are members of the header. They are empty if absent or not a string.
	Alg, Typ string
	// Kid is a member of the header. HasKid reports whether it is there.
	Kid    string
	HasKid bool
	// SigningInput is what the signature covers: the first two parts and the dot
	// between them.
	SigningInput string
	// Signature is the third part.
	Signature []byte
}

// Parse parses a compact JWS. The error matches ErrForm, ErrBase64, ErrJSON or ErrKid.
func Parse(s string) (*Token, error) {
	parts, ok := split(s)
	if !ok {
		return nil, ErrForm
	}
	t := &Token{SigningInput: s[:len(s)-len(parts[2])-1]}
	// One allocation for all parts (BenchmarkParse).
	buf := make([]byte, 0, encoding.DecodedLen(len(s)))
	header, buf, err := decode(buf, parts[0], "header")
	if err != nil {
		return nil, err
	}
	claims, buf, err := decode(buf, parts[1], "claims")
	if err != nil {
		return nil, err
	}
	if t.Signature, _, err = decode(buf, parts[2], "signature"); err != nil {
		return nil, err
	}
	if t.Header, err = object(header, "header"); err != nil {
		return nil, err
	}
	if t.Claims, err = object(claims, "claims"); err != nil {
		return nil, err
	}
	return t, t.readHeader()
}

// split splits a token at its two dots.
func split(s string) (parts [3]string, ok bool) {
	var rest string
	parts[0], rest, _ = strings.Cut(s, ".")
	parts[1], parts[2], _ = strings.Cut(rest, ".")
	ok = parts[0] != "" && parts[1] != "" && parts[2] != "" && !strings.Contains(parts[2], ".")
	return parts, ok
}

// decode decodes a part and appends it to buf.
func decode(buf []byte, part, name string) (decoded, rest []byte, err error) {
	rest, ok := appendBase64(buf, part)
	if !ok {
		return nil, nil, fmt.Errorf("%s: %w", name, ErrBase64)
	}
	return rest[len(buf):len(rest):len(rest)], rest, nil
}

func object(data []byte, name string) (strictjson.Object, error) {
	o, err := strictjson.ParseObject(data)
	if err != nil {
		return nil, fmt.Errorf("%s: %w: %w", name, ErrJSON, err)
	}
	return o, nil
}

// readHeader sets the fields that are members of the header.
func (t *Token) readHeader() error {
	t.Alg, _ = text(t.Header, "alg")
	t.Typ, _ = text(t.Header, "typ")
	raw, found := t.Header.Get("kid")
	kid, ok := strictjson.String(raw)
	if found && !ok {
		return ErrKid
	}
	t.Kid, t.HasKid = kid, found
	return nil
}

// text returns a member that is a string.
func text(o strictjson.Object, name string) (string, bool) {
	raw, _ := o.Get(name)
	return strictjson.String(raw)
}

var encoding = base64.RawURLEncoding.Strict()

// appendBase64 appends the decoded text to buf.
func appendBase64(buf []byte, s string) (decoded []byte, ok bool) {
	if strings.ContainsAny(s, "\r\n") { // encoding/base64 ignores them
		return nil, false
	}
	decoded, err := encoding.AppendDecode(buf, []byte(s))
	return decoded, err == nil
}

// DecodeBase64 decodes base64url by the rules of this package.
func DecodeBase64(s string) ([]byte, bool) { return appendBase64(nil, s) }

// EncodeBase64 encodes base64url without padding.
func EncodeBase64(data []byte) string { return encoding.EncodeToString(data) }

// EncodedLen returns the length of the base64url of n bytes.
func EncodedLen(n int) int { return encoding.EncodedLen(n) }

// compact returns the signing input of a header and claims.
func compact(header, claims []byte) string {
	return EncodeBase64(header) + "." + EncodeBase64(claims)
}

// marshal is json.Marshal without the escapes for HTML.
func marshal(v any) ([]byte, error) {
	var b strings.Builder
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return nil, err
	}
	return []byte(strings.TrimSuffix(b.String(), "\n")), nil
}
