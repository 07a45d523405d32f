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
	"slices"
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

	buf []byte // the decoded parts
}

// Parse parses a compact JWS. The error matches ErrForm, ErrBase64, ErrJSON or ErrKid.
func Parse(s string) (*Token, error) {
	t := new(Token)
	if err := t.Parse(s); err != nil {
		return nil, err
	}
	return t, nil
}

// Parse is like the function Parse but sets t, whose memory it reuses: what it had before
// must not be used any more (BenchmarkEVP in bench). After an error, t must not be used
// except to parse again.
func (t *Token) Parse(s string) error {
	parts, ok := split(s)
	if !ok {
		return ErrForm
	}
	t.SigningInput = s[:len(s)-len(parts[2])-1]
	var decoded [3][]byte
	buf := slices.Grow(t.buf[:0], encoding.DecodedLen(len(s)))
	for i, part := range parts {
		start := len(buf)
		if buf, ok = appendBase64(buf, part); !ok {
			return fmt.Errorf("%s: %w", partNames[i], ErrBase64)
		}
		decoded[i] = buf[start:len(buf):len(buf)]
	}
	t.buf, t.Signature = buf, decoded[2]
	var err error
	if t.Header, err = appendObject(t.Header, decoded[0]); err != nil {
		return fmt.Errorf("header: %w: %w", ErrJSON, err)
	}
	if t.Claims, err = appendObject(t.Claims, decoded[1]); err != nil {
		return fmt.Errorf("claims: %w: %w", ErrJSON, err)
	}
	return t.readHeader()
}

// Clear drops what t refers to, and its memory if there is much of it.
func (t *Token) Clear() {
	const maxMembers, maxBytes = 32, 4 << 10
	old := *t
	*t = Token{}
	if cap(old.buf) > maxBytes || cap(old.Header) > maxMembers || cap(old.Claims) > maxMembers {
		return
	}
	clear(old.Header)
	clear(old.Claims)
	clear(old.buf[:cap(old.buf)])
	t.Header, t.Claims, t.buf = old.Header[:0], old.Claims[:0], old.buf[:0]
}

var partNames = [3]string{"header", "claims", "signature"}

// split splits a token at its two dots.
func split(s string) (parts [3]string, ok bool) {
	var rest string
	parts[0], rest, _ = strings.Cut(s, ".")
	parts[1], parts[2], _ = strings.Cut(rest, ".")
	ok = parts[0] != "" && parts[1] != "" && parts[2] != "" && !strings.Contains(parts[2], ".")
	return parts, ok
}

// appendObject parses an object into the memory of o.
func appendObject(o strictjson.Object, data []byte) (strictjson.Object, error) {
	if o == nil {
		o = make(strictjson.Object, 0, 8)
	}
	return strictjson.AppendObject(o[:0], data)
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
	t, ok := strictjson.Text(raw)
	return intern(t), ok
}

// intern returns a text as a string. It does not allocate for the values that most tokens
// have.
func intern(text []byte) string {
	switch string(text) {
	case Ed25519:
		return Ed25519
	case EdDSA:
		return EdDSA
	case ES256:
		return ES256
	case RS256:
		return RS256
	case "evt+jwt":
		return "evt+jwt"
	case "kb+jwt":
		return "kb+jwt"
	}
	return string(text)
}

var encoding = base64.RawURLEncoding.Strict()

// appendBase64 appends the decoded text to buf.
func appendBase64(buf []byte, s string) (decoded []byte, ok bool) {
	if strings.ContainsAny(s, "\r\n") { // encoding/base64 ignores them
		return nil, false
	}
	n := encoding.DecodedLen(len(s))
	buf = slices.Grow(buf, n)
	written, err := encoding.Decode(buf[len(buf):len(buf)+n], []byte(s))
	return buf[:len(buf)+written], err == nil
}

// DecodeBase64 decodes base64url by the rules of this package.
func DecodeBase64(s string) ([]byte, bool) { return appendBase64(nil, s) }

// EncodeBase64 encodes base64url without padding.
func EncodeBase64(data []byte) string { return encoding.EncodeToString(data) }

// AppendBase64 appends the base64url of data, without padding, to dst.
func AppendBase64(dst, data []byte) []byte { return encoding.AppendEncode(dst, data) }

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
