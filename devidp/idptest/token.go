package idptest

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"

	"github.com/vepverify/vepverify/keys"
)

// Token is a recipe for a signed token, right or wrong. Only Claims and Key are
// needed. It is a value: a changed copy leaves the original as it is, and the
// methods that change something give such a copy, to be strung together.
//
// The same recipe always gives the same text.
type Token struct {
	// Header is the header: any value, a [Raw] for odd JSON. Nil: {"alg": …}.
	Header any
	// Claims are the claims: any value, most often an [Object]; a [Raw] for odd
	// JSON.
	Claims any
	// Key signs. Nil leaves the signature empty, unless Sign makes one.
	Key keys.PrivateKey
	// Alg is the name in the header, when Header is nil. Empty: the one that
	// Key implies. It never changes how the token is signed.
	Alg string

	// Message is signed in place of the text that is sent (see [Token.Sent]).
	// Empty: what is sent.
	Message string
	// Sign makes the signature in place of Key's own method, such as
	// [RSASigner]'s. Nil: Key signs.
	Sign func(message []byte) ([]byte, error)
	// Alter changes the signature, see [Alteration]. Nil: it stays.
	Alter Alteration

	// HeaderEncoding, ClaimsEncoding and SignatureEncoding write the three
	// segments. Nil: [Base64URL]. The signature is over what is sent.
	HeaderEncoding, ClaimsEncoding, SignatureEncoding Encoding
}

// ErrNoEffect: an Alteration or an Encoding left everything as it would have
// been without it, so that the token would not be the broken one wanted. Other
// claims may help, see [Token.Until].
var ErrNoEffect = errors.New("idptest: the token is not changed by what should change it")

// Encode makes the token. It errs when a value cannot be encoded or signed, and
// with [ErrNoEffect].
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

// String gives the token. It panics where [Token.Encode] errs.
func (t Token) String() string { return must(t.Encode()) }

// Sent gives the part of the token that a verifier checks the signature over:
// header and claims, encoded. It panics where [Token.Encode] errs.
func (t Token) Sent() string { return must(t.sent()) }

func must(s string, err error) string {
	if err != nil {
		panic(err)
	}
	return s
}

func (t Token) sent() (string, error) {
	header, err := encode(t.header())
	if err != nil {
		return "", err
	}
	claims, err := encode(t.Claims)
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

func (t Token) header() any {
	switch {
	case t.Header != nil:
		return t.Header
	case t.Alg == "" && t.Key != nil:
		return Object{"alg": t.Key.Algorithm()}
	}
	return Object{"alg": t.Alg}
}

func (t Token) signature(sent string) ([]byte, error) {
	signature, err := t.sign([]byte(sent))
	if err != nil || t.Alter == nil {
		return signature, err
	}
	altered := t.Alter(bytes.Clone(signature))
	if bytes.Equal(altered, signature) {
		return nil, fmt.Errorf("%w: Alter", ErrNoEffect)
	}
	return altered, nil
}

func (t Token) sign(message []byte) ([]byte, error) {
	if t.Message != "" {
		message = []byte(t.Message)
	}
	switch {
	case t.Sign != nil:
		return t.Sign(message)
	case t.Key != nil:
		return t.Key.Sign(message)
	}
	return nil, nil
}

// With gives the token with a claim added or replaced. It panics unless Claims
// is an [Object], like the next three.
func (t Token) With(name string, value any) Token {
	t.Claims = t.claims().With(name, value)
	return t
}

// Without gives the token without the claims named.
func (t Token) Without(names ...string) Token {
	t.Claims = t.claims().Without(names...)
	return t
}

// WithHeader gives the token with a member of the header added or replaced,
// which must be nil or an [Object].
func (t Token) WithHeader(name string, value any) Token {
	header, ok := t.header().(Object)
	if !ok {
		panic("idptest: WithHeader on a header that is no Object")
	}
	t.Header = header.With(name, value)
	return t
}

// Until gives the token with the first claim jti of 0, 1, 2, … for which its
// signature, before Alter, is as wanted: one with leading zeros, for instance.
// No verifier reports jti. It gives up after 100,000 tries, with an error.
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
	return Token{}, errors.New("idptest: no signature as wanted")
}

func (t Token) claims() Object {
	claims, ok := t.Claims.(Object)
	if !ok {
		panic("idptest: claims that are no Object have no members to change")
	}
	return claims
}

// Encoding writes a segment of a token.
type Encoding func([]byte) string

// apply encodes; an encoding that is asked for and changes nothing is an error.
func (e Encoding) apply(data []byte) (string, error) {
	usual := Base64URL(data)
	if e == nil {
		return usual, nil
	}
	odd := e(data)
	if odd == usual {
		return "", fmt.Errorf("%w: encoding", ErrNoEffect)
	}
	return odd, nil
}

// Base64URL is the encoding of tokens: RFC 4648, section 5, without padding.
func Base64URL(data []byte) string { return base64.RawURLEncoding.EncodeToString(data) }

// Padded is Base64URL with '=' padding.
func Padded(data []byte) string { return base64.URLEncoding.EncodeToString(data) }

// StandardAlphabet is Base64URL with '+' and '/' for '-' and '_'.
func StandardAlphabet(data []byte) string { return base64.RawStdEncoding.EncodeToString(data) }

// LooseBits is Base64URL with the unused bits of the last character set.
func LooseBits(data []byte) string {
	const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
	s := Base64URL(data)
	unused := [...]int{0, 0, 0b1111, 0b11}[len(s)%4]
	if unused == 0 {
		return s
	}
	last := strings.IndexByte(alphabet, s[len(s)-1])
	return s[:len(s)-1] + alphabet[last|unused:][:1]
}

// Insert gives Base64URL with text put in at the byte given, counted from the
// end when negative (-1: behind everything): a newline, a space, an odd letter.
func Insert(at int, text string) Encoding {
	return func(data []byte) string {
		s := Base64URL(data)
		i := at
		if i < 0 {
			i += len(s) + 1
		}
		i = max(0, min(i, len(s)))
		return s[:i] + text + s[i:]
	}
}

// Verbatim sends data itself, not encoded.
func Verbatim(data []byte) string { return string(data) }
