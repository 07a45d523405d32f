package forge

import (
	"encoding/base64"
	"fmt"
	"strings"
)

// Encoding encodes a segment of a token.
type Encoding func([]byte) string

// apply encodes a segment, by Base64URL if e is nil. An encoding with the same
// result as Base64URL is an error.
func (e Encoding) apply(data []byte) (string, error) {
	usual := Base64URL(data)
	if e == nil {
		return usual, nil
	}
	encoded := e(data)
	if encoded == usual {
		return "", fmt.Errorf("encoding: %w", ErrNoEffect)
	}
	return encoded, nil
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

// Insert is Base64URL with text inserted at byte at: a newline, a space, another
// character. A negative at counts from the end (-1: after the last byte).
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

// Verbatim returns data as it is, not encoded.
func Verbatim(data []byte) string { return string(data) }
