// Package forge makes signed tokens that are wrong in the ways that a verifier
// must detect: text that differs from the text that was signed, altered
// signatures, RSA signatures over malformed encoded messages, and segments in
// other encodings than base64url. The generator of test vectors uses it.
//
// [Token] adds these to the token of package idptest, which sets the header, the
// claims and the key. [Backed] joins tokens to a backed assertion. A change that
// has no effect is an error ([ErrNoEffect]), so that no vector passes for the
// wrong reason.
//
// Nothing is random and no clock is read: the same recipe always makes the same
// text.
package forge

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"

	"github.com/vepverify/vepverify/devidp/idptest"
)

// ErrNoEffect is the error of an [Alteration] or an [Encoding] that leaves the
// token as it would have been without it. Other claims may help, see
// [Token.Until].
var ErrNoEffect = errors.New("the change has no effect on the token")

// Token is a recipe for a signed token. It is a value: methods that change
// something return a changed copy.
type Token struct {
	idptest.Token

	// Message is signed in place of the text that is sent (see [Token.Sent]).
	// Empty means the text that is sent.
	Message string
	// Alter changes the signature. Nil means no change.
	Alter Alteration

	// HeaderEncoding, ClaimsEncoding and SignatureEncoding encode the three
	// segments. Nil means base64url. The signature covers the segments as encoded.
	HeaderEncoding, ClaimsEncoding, SignatureEncoding Encoding
}

// Backed joins certificates and, last, an assertion. It panics if
// [Token.Encode] returns an error.
func Backed(tokens ...Token) string {
	texts := make([]string, len(tokens))
	for i, t := range tokens {
		texts[i] = t.String()
	}
	return strings.Join(texts, "~")
}

// Encode returns the token's text. It returns an error if a value cannot be
// encoded or signed, and one that matches [ErrNoEffect] if Alter or an encoding
// changes nothing.
func (t Token) Encode() (string, error) {
	sent, err := t.sent()
	if err != nil {
		return "", err
	}
	signature, err := t.signature(sent)
	if err != nil {
		return "", err
	}
	last, err := t.SignatureEncoding.apply(signature)
	if err != nil {
		return "", err
	}
	return sent + "." + last, nil
}

// String returns the token's text. It panics if [Token.Encode] returns an error.
func (t Token) String() string { return must(t.Encode()) }

// Sent returns the text that a verifier checks the signature against: header and
// claims, encoded. It panics if [Token.Encode] returns an error for them.
func (t Token) Sent() string { return must(t.sent()) }

// must returns s. It panics if err is not nil.
func must(s string, err error) string {
	if err != nil {
		panic(err)
	}
	return s
}

// sent is Sent with an error in place of a panic.
func (t Token) sent() (string, error) {
	header, claims, err := t.contents()
	if err != nil {
		return "", err
	}
	first, err := t.HeaderEncoding.apply(header)
	if err != nil {
		return "", err
	}
	second, err := t.ClaimsEncoding.apply(claims)
	if err != nil {
		return "", err
	}
	return first + "." + second, nil
}

// contents returns the JSON text of the header and of the claims.
func (t Token) contents() (header, claims []byte, err error) {
	unsigned := t.Token
	unsigned.Sign = func([]byte) ([]byte, error) { return nil, nil }
	text, err := unsigned.Encode()
	if err != nil {
		return nil, nil, err
	}
	first, rest, _ := strings.Cut(text, ".")
	second, _, _ := strings.Cut(rest, ".")
	if header, err = base64.RawURLEncoding.DecodeString(first); err != nil {
		return nil, nil, err
	}
	claims, err = base64.RawURLEncoding.DecodeString(second)
	return header, claims, err
}

// signature returns the altered signature of the text that is sent.
func (t Token) signature(sent string) ([]byte, error) {
	signature, err := t.sign([]byte(sent))
	if err != nil || t.Alter == nil {
		return signature, err
	}
	altered := t.Alter(bytes.Clone(signature))
	if bytes.Equal(altered, signature) {
		return nil, fmt.Errorf("alteration: %w", ErrNoEffect)
	}
	return altered, nil
}

// sign returns the signature of the message, or of Message if that is set.
func (t Token) sign(message []byte) ([]byte, error) {
	if t.Message != "" {
		message = []byte(t.Message)
	}
	switch {
	case t.Token.Sign != nil:
		return t.Token.Sign(message)
	case t.Key != nil:
		return t.Key.Sign(message)
	}
	return nil, nil
}

// With returns the token with a claim added or replaced. It panics unless Claims
// is an [idptest.Object], like Without and Until.
func (t Token) With(name string, value any) Token {
	t.Token = t.Token.With(name, value)
	return t
}

// Without returns the token without the named claims.
func (t Token) Without(names ...string) Token {
	t.Token = t.Token.Without(names...)
	return t
}

// WithHeader returns the token with a member of the header added or replaced. It
// panics unless Header is nil or an [idptest.Object].
func (t Token) WithHeader(name string, value any) Token {
	t.Token = t.Token.WithHeader(name, value)
	return t
}

// Until searches for a token with a certain signature, such as one with leading
// zeros. It sets the claim jti, which no verifier reports, to 0, 1, 2 and so on until
// wanted returns true for the signature, before Alter. It returns an error after
// 100,000 tries.
func (t Token) Until(wanted func(signature []byte) bool) (Token, error) {
	for try := range 100_000 {
		candidate := t.With("jti", try)
		sent, err := candidate.sent()
		if err != nil {
			return Token{}, err
		}
		signature, err := candidate.sign([]byte(sent))
		if err != nil {
			return Token{}, err
		}
		if wanted(signature) {
			return candidate, nil
		}
	}
	return Token{}, errors.New("no wanted signature in 100,000 tries")
}
