package forge

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"math/big"
	"slices"

	"github.com/vepverify/vepverify/keys"
)

// PKCS1 is the encoded message of an RSA signature (RFC 8017, section 9.2), as
// its parts:
//
//	Head | Filler, Padding times | Separator | DigestInfo | Digest | Tail
type PKCS1 struct {
	Head       []byte // 00 01
	Filler     byte   // ff
	Padding    int    // number of Filler bytes; negative: as many as fill the modulus
	Separator  []byte // 00
	DigestInfo []byte // the DER before a SHA-256 digest
	Digest     []byte // SHA-256 of the message
	Tail       []byte // empty
}

// RSASigner returns a signer for [idptest.Token.Sign] that signs the encoded
// message after edit has changed it. A verifier that parses the encoded message,
// instead of comparing all of it, accepts such forgeries. An encoded message that
// is too short is extended with zero bytes; one that is too long is cut off.
func RSASigner(key keys.PrivateKey, edit func(*PKCS1)) func(message []byte) ([]byte, error) {
	return func(message []byte) ([]byte, error) {
		m := NewPKCS1(message)
		edit(m)
		n, d := number(key, "n", 10), number(key, "d", 10)
		// A number beyond the modulus is reduced.
		s := new(big.Int).SetBytes(m.Bytes(byteLen(n)))
		return s.Exp(s, d, n).FillBytes(make([]byte, byteLen(n))), nil
	}
}

// NewPKCS1 returns the correct encoded message for a message.
func NewPKCS1(message []byte) *PKCS1 {
	digest := sha256.Sum256(message)
	return &PKCS1{
		Head: []byte{0, 1}, Filler: 0xff, Padding: -1, Separator: []byte{0},
		DigestInfo: []byte("\x30\x31\x30\x0d\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02\x01\x05\x00\x04\x20"),
		Digest:     digest[:],
	}
}

// Bytes returns the encoded message in exactly size bytes.
func (m *PKCS1) Bytes(size int) []byte {
	rest := slices.Concat(m.Separator, m.DigestInfo, m.Digest, m.Tail)
	padding := m.Padding
	if padding < 0 {
		padding = max(0, size-len(m.Head)-len(rest))
	}
	all := slices.Concat(m.Head, bytes.Repeat([]byte{m.Filler}, padding), rest, make([]byte, size))
	return all[:size]
}

// number returns a number of a key, from the key's legacy form.
func number(key json.Marshaler, name string, base int) *big.Int {
	var members map[string]string
	data, err := key.MarshalJSON()
	if err == nil {
		err = json.Unmarshal(data, &members)
	}
	if err != nil {
		panic(fmt.Sprintf("forge: cannot read a key: %v", err))
	}
	n, ok := new(big.Int).SetString(members[name], base)
	if !ok {
		panic(fmt.Sprintf("forge: a key of kind %q has no number %s", members["algorithm"], name))
	}
	return n
}
