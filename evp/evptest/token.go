package evptest

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/vepverify/vepverify/devidp/idptest"
)

// Object is a JSON object whose members are encoded in the order of their names.
type Object = idptest.Object

// Raw is JSON text that is used to the byte where a Go value would be encoded.
type Raw = idptest.Raw

// SDHash stands for the sd_hash of the token in the claims of a KB-JWT. [Pair.String]
// replaces it.
const SDHash = "(sd_hash)"

// JWS is a recipe for a signed text: the EVT, or the KB-JWT. It is a value: methods that
// change something return a changed copy. The same recipe always makes the same text.
type JWS struct {
	// Header and Claims are an [Object], a [Raw], or any other value that
	// encoding/json takes.
	Header, Claims any
	// Sign makes the signature of header and claims, as encoded. Nil leaves it empty.
	Sign func(message []byte) ([]byte, error)
	// Alter changes the signature. Nil means no change.
	Alter func(signature []byte) []byte
	// EncodeHeader, EncodeClaims and EncodeSignature encode the three parts. Nil means
	// base64url. The signature covers the parts as encoded.
	EncodeHeader, EncodeClaims, EncodeSignature func([]byte) string
	// Rewrite changes the text after it is signed. Nil means no change.
	Rewrite func(text string) string
}

// With returns the recipe with a claim added or replaced. It panics unless Claims is an
// [Object], like [JWS.Without].
func (j JWS) With(name string, value any) JWS {
	j.Claims = object(j.Claims).With(name, value)
	return j
}

// Without returns the recipe without the named claims.
func (j JWS) Without(names ...string) JWS {
	j.Claims = object(j.Claims).Without(names...)
	return j
}

// WithHeader returns the recipe with a member of the header added or replaced. It panics
// unless Header is an [Object], like [JWS.WithoutHeader].
func (j JWS) WithHeader(name string, value any) JWS {
	j.Header = object(j.Header).With(name, value)
	return j
}

// WithoutHeader returns the recipe without the named members of the header.
func (j JWS) WithoutHeader(names ...string) JWS {
	j.Header = object(j.Header).Without(names...)
	return j
}

// Claim returns a claim, or nil. It panics unless Claims is an [Object].
func (j JWS) Claim(name string) any { return object(j.Claims)[name] }

func object(value any) Object {
	o, ok := value.(Object)
	if !ok {
		panic("evptest: not an Object")
	}
	return o
}

// text returns the signed text. hash replaces SDHash in the claims.
func (j JWS) text(hash string) (string, error) {
	header, err := encode(j.Header)
	if err != nil {
		return "", err
	}
	claims, err := encode(j.Claims)
	if err != nil {
		return "", err
	}
	claims = bytes.ReplaceAll(claims, []byte(SDHash), []byte(hash))
	message := part(j.EncodeHeader, header) + "." + part(j.EncodeClaims, claims)
	signature, err := j.signature([]byte(message))
	if err != nil {
		return "", err
	}
	text := message + "." + part(j.EncodeSignature, signature)
	if j.Rewrite != nil {
		text = j.Rewrite(text)
	}
	return text, nil
}

func (j JWS) signature(message []byte) ([]byte, error) {
	if j.Sign == nil {
		return nil, nil
	}
	signature, err := j.Sign(message)
	if err == nil && j.Alter != nil {
		signature = j.Alter(slices.Clone(signature))
	}
	return signature, err
}

func part(encoding func([]byte) string, data []byte) string {
	if encoding == nil {
		return base64url(data)
	}
	return encoding(data)
}

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

// Pair is a recipe for a token: an EVT and a KB-JWT, right or wrong. It is a value.
type Pair struct {
	EVT, KB JWS
	// Rewrite changes the token's text. Nil means no change.
	Rewrite func(token string) string
}

// Encode returns the token's text. It returns an error if a value cannot be encoded or
// signed.
func (p Pair) Encode() (string, error) {
	evt, err := p.EVT.text("")
	if err != nil {
		return "", err
	}
	kb, err := p.KB.text(hashOf(evt))
	if err != nil {
		return "", err
	}
	token := evt + "~" + kb
	if p.Rewrite != nil {
		token = p.Rewrite(token)
	}
	return token, nil
}

// hashOf returns the sd_hash of an EVT.
func hashOf(evt string) string {
	hash := sha256.Sum256([]byte(evt + "~"))
	return base64url(hash[:])
}

// String returns the token's text. It panics if [Pair.Encode] returns an error.
func (p Pair) String() string {
	text, err := p.Encode()
	if err != nil {
		panic("evptest: " + err.Error())
	}
	return text
}

// Apply returns the recipe with the faults, applied in order.
func (p Pair) Apply(faults ...TokenFault) Pair {
	for _, f := range faults {
		p = f.change(p)
	}
	return p
}

// EditEVT returns the recipe with a changed EVT.
func (p Pair) EditEVT(edit func(JWS) JWS) Pair {
	p.EVT = edit(p.EVT)
	return p
}

// EditKB returns the recipe with a changed KB-JWT.
func (p Pair) EditKB(edit func(JWS) JWS) Pair {
	p.KB = edit(p.KB)
	return p
}

// HeldBy returns the recipe with another key of the browser: in cnf.jwk, in the header of
// the KB-JWT and for its signature.
func (p Pair) HeldBy(key Key) Pair {
	p.EVT = p.EVT.With("cnf", Object{"jwk": key.JWK()})
	p.KB = p.KB.WithHeader("alg", key.Alg)
	p.KB.Sign = key.Sign
	return p
}

// SignedBy returns the recipe with another key of the issuer: in alg and kid of the EVT's
// header, and for its signature.
func (p Pair) SignedBy(key Key) Pair {
	p.EVT = p.EVT.WithHeader("alg", key.Alg).WithoutHeader("kid")
	if key.ID != nil {
		p.EVT = p.EVT.WithHeader("kid", key.ID)
	}
	p.EVT.Sign = key.Sign
	return p
}

// Split returns the EVT and the KB-JWT of a token's text.
func Split(token string) (evt, kb string) {
	evt, kb, _ = strings.Cut(token, "~")
	return evt, kb
}
