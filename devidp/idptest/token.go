package idptest

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"maps"
	"strings"

	"github.com/vepverify/vepverify/keys"
)

// Token is a recipe for a signed token: a certificate or an assertion, right or
// wrong. Only Claims and Key are needed. It is a value: methods that change
// something return a changed copy.
//
// The same recipe always makes the same text.
type Token struct {
	// Header is the header: any value that encoding/json takes, or a [Raw]. Nil
	// means {"alg": …}.
	Header any
	// Claims are the claims: any value that encoding/json takes, most often an
	// [Object], or a [Raw].
	Claims any
	// Key signs. Nil leaves the signature empty, unless Sign is set.
	Key keys.PrivateKey
	// Alg is the algorithm name in the header, if Header is nil. Empty means that
	// of Key. It never changes how the token is signed.
	Alg string
	// Sign makes the signature of header and claims, as encoded, in place of
	// Key. A wrong signature starts here:
	//
	//	t.Sign = func([]byte) ([]byte, error) { return make([]byte, 40), nil }
	//
	// Nil means that Key signs.
	Sign func(message []byte) ([]byte, error)
}

// Backed joins certificates and, last, an assertion to a backed assertion. It
// panics if [Token.Encode] returns an error.
func Backed(tokens ...Token) string {
	texts := make([]string, len(tokens))
	for i, t := range tokens {
		texts[i] = t.String()
	}
	return strings.Join(texts, "~")
}

// Encode returns the token's text. It returns an error if a value cannot be
// encoded or signed.
func (t Token) Encode() (string, error) {
	header, err := encode(t.header())
	if err != nil {
		return "", err
	}
	claims, err := encode(t.Claims)
	if err != nil {
		return "", err
	}
	message := base64url(header) + "." + base64url(claims)
	signature, err := t.signature([]byte(message))
	if err != nil {
		return "", err
	}
	return message + "." + base64url(signature), nil
}

func base64url(data []byte) string { return base64.RawURLEncoding.EncodeToString(data) }

// String returns the token's text. It panics if [Token.Encode] returns an error.
func (t Token) String() string {
	text, err := t.Encode()
	if err != nil {
		panic(err)
	}
	return text
}

func (t Token) header() any {
	switch {
	case t.Header != nil:
		return t.Header
	case t.Alg == "" && t.Key != nil:
		return Object{"alg": t.Key.Algorithm()}
	}
	return Object{"alg": t.Alg}
}

func (t Token) signature(message []byte) ([]byte, error) {
	switch {
	case t.Sign != nil:
		return t.Sign(message)
	case t.Key != nil:
		return t.Key.Sign(message)
	}
	return nil, nil
}

// With returns the token with a claim added or replaced. It panics unless Claims
// is an [Object].
func (t Token) With(name string, value any) Token {
	t.Claims = t.claims().With(name, value)
	return t
}

// Without returns the token without the named claims. It panics unless Claims is
// an [Object].
func (t Token) Without(names ...string) Token {
	t.Claims = t.claims().Without(names...)
	return t
}

// WithHeader returns the token with a member of the header added or replaced. It
// panics unless Header is nil or an [Object].
func (t Token) WithHeader(name string, value any) Token {
	header, ok := t.header().(Object)
	if !ok {
		panic("idptest: WithHeader: the header is not an Object")
	}
	t.Header = header.With(name, value)
	return t
}

func (t Token) claims() Object {
	claims, ok := t.Claims.(Object)
	if !ok {
		panic("idptest: the claims are not an Object")
	}
	return claims
}

// Raw is JSON text that is used to the byte where a Go value would be encoded: for
// duplicate names, odd escapes, a byte order mark, text after the object, invalid
// UTF-8. Inside an [Object] it must be valid JSON; as a whole header, claims or
// document it need not be.
type Raw string

// MarshalJSON returns the text.
func (r Raw) MarshalJSON() ([]byte, error) { return []byte(r), nil }

// Object is a JSON object: claims, a header, a support document. Its members are
// encoded in the order of their names, so that equal objects have equal text. The
// values may be anything that encoding/json takes.
type Object map[string]any

// With returns the object with a member added or replaced.
func (o Object) With(name string, value any) Object {
	changed := Object{}
	maps.Copy(changed, o)
	changed[name] = value
	return changed
}

// Without returns the object without the named members.
func (o Object) Without(names ...string) Object {
	changed := Object{}
	maps.Copy(changed, o)
	for _, name := range names {
		delete(changed, name)
	}
	return changed
}

// JSON returns the object's text. It panics if a value cannot be encoded.
func (o Object) JSON() json.RawMessage { return text(o) }

// encode returns the JSON text of a value, or a Raw's own text.
func encode(value any) ([]byte, error) {
	if raw, ok := value.(Raw); ok {
		return []byte(raw), nil
	}
	data, err := json.Marshal(value)
	if err != nil {
		return nil, fmt.Errorf("cannot encode a token: %w", err)
	}
	return data, nil
}

// text is encode for values of a test's own source, where an error is a mistake
// of that source.
func text(value any) []byte {
	data, err := encode(value)
	if err != nil {
		panic("idptest: " + err.Error())
	}
	return data
}
