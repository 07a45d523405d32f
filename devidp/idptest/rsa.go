package idptest

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"math/big"
	"slices"

	"github.com/vepverify/vepverify/keys"
)

// PKCS1 is what an RSA signature encrypts, taken apart: the encoded message of
// RFC 8017, section 9.2. Its parts stand one after the other:
//
//	Head | Padding times Filler | Separator | DigestInfo | Digest | Tail
type PKCS1 struct {
	Head       []byte // 00 01
	Filler     byte   // ff
	Padding    int    // how many; negative: as many as fill the modulus
	Separator  []byte // 00
	DigestInfo []byte // the DER in front of a SHA-256 digest
	Digest     []byte // SHA-256 of what is signed
	Tail       []byte // empty
}

// RSASigner makes signatures, for [Token.Sign], over an encoded message that
// edit has changed: forgeries that a verifier which parses what it finds, rather
// than comparing all of it, would take. Room that is left over is at the end, in
// zero bytes; what does not fit is cut off.
func RSASigner(key keys.PrivateKey, edit func(*PKCS1)) func(message []byte) ([]byte, error) {
	return func(message []byte) ([]byte, error) {
		m := NewPKCS1(message)
		edit(m)
		return RawRSA(key, m.Bytes(byteLen(number(key, "n", 10)))), nil
	}
}

// NewPKCS1 gives the right encoding of a message.
func NewPKCS1(message []byte) *PKCS1 {
	digest := sha256.Sum256(message)
	return &PKCS1{
		Head: []byte{0, 1}, Filler: 0xff, Padding: -1, Separator: []byte{0},
		DigestInfo: []byte("\x30\x31\x30\x0d\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02\x01\x05\x00\x04\x20"),
		Digest:     digest[:],
	}
}

// Bytes gives the parts at exactly so many bytes.
func (m *PKCS1) Bytes(size int) []byte {
	behind := slices.Concat(m.Separator, m.DigestInfo, m.Digest, m.Tail)
	padding := m.Padding
	if padding < 0 {
		padding = max(0, size-len(m.Head)-len(behind))
	}
	all := slices.Concat(m.Head, bytes.Repeat([]byte{m.Filler}, padding), behind, make([]byte, size))
	return all[:size]
}

// RawRSA raises a number to the private exponent, with no padding at all. A
// number beyond the modulus is reduced. The result has the modulus' length.
func RawRSA(key keys.PrivateKey, encoded []byte) []byte {
	n, d := number(key, "n", 10), number(key, "d", 10)
	m := new(big.Int).SetBytes(encoded)
	return m.Exp(m, d, n).FillBytes(make([]byte, byteLen(n)))
}

// number gives a number of a key, out of its legacy form.
func number(key json.Marshaler, name string, base int) *big.Int {
	var members map[string]string
	data, err := key.MarshalJSON()
	if err == nil {
		err = json.Unmarshal(data, &members)
	}
	if err != nil {
		panic(fmt.Sprintf("idptest: cannot read a key: %v", err))
	}
	n, ok := new(big.Int).SetString(members[name], base)
	if !ok {
		panic(fmt.Sprintf("idptest: a key of kind %q has no number %s", members["algorithm"], name))
	}
	return n
}
