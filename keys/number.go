package keys

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"math/big"
)

var one = big.NewInt(1)

var (
	errNotation = errors.New("not a number in this notation")
	errTooLong  = errors.New("number too long")
)

// notation is a way to write natural numbers as text. In every notation, signs, spaces,
// prefixes and the empty text are errors, and leading zeros are ignored.
type notation struct {
	// parse returns errNotation, or errTooLong for a number of more than maxBits
	// bits. It rejects text that is too long before it converts it, because the
	// time of a conversion is not linear. The result must not be modified.
	parse  func(text []byte, maxBits int) (*big.Int, error)
	format func(*big.Int) string
}

var (
	decimal     = notation{parseDecimal, func(n *big.Int) string { return n.Text(10) }}
	hexadecimal = notation{parseHexadecimal, func(n *big.Int) string { return n.Text(16) }}
	base64url   = notation{parseBase64url, func(n *big.Int) string {
		return base64.RawURLEncoding.EncodeToString(n.Bytes())
	}}
)

func parseDecimal(text []byte, maxBits int) (*big.Int, error) {
	if len(text) == 0 {
		return nil, errNotation
	}
	text = trimZeros(text)
	if len(text) > maxBits*1234/4096+1 { // log₁₀(2) is just below 1234/4096
		if len(bytes.Trim(text, "0123456789")) != 0 {
			return nil, errNotation
		}
		return nil, errTooLong
	}
	n, ok := parseDigits(text)
	if !ok {
		return nil, errNotation
	}
	if n.BitLen() > maxBits {
		return nil, errTooLong
	}
	return n, nil
}

func trimZeros(text []byte) []byte {
	for len(text) > 0 && text[0] == '0' {
		text = text[1:]
	}
	return text
}

// commonNumbers holds the numbers of the groups that nearly all DSA keys use, by their
// usual text.
var commonNumbers = make(map[string]*big.Int)

func parseHexadecimal(text []byte, maxBits int) (*big.Int, error) {
	if n, ok := commonNumbers[string(text)]; ok {
		return n, nil
	}
	if len(text) == 0 || len(bytes.Trim(text, "0123456789abcdefABCDEF")) != 0 {
		return nil, errNotation
	}
	text = trimZeros(text)
	if len(text) > maxBits/4 {
		return nil, errTooLong
	}
	var buf [512]byte // enough for the numbers of all DSA keys
	even := append(buf[:0], "0"[:len(text)%2]...)
	even = append(even, text...)
	n, err := hex.Decode(even, even)
	if err != nil {
		return nil, errNotation
	}
	return new(big.Int).SetBytes(even[:n]), nil
}

var strictBase64url = base64.RawURLEncoding.Strict()

const base64urlAlphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"

// parseBase64url accepts up to two '=' at the end, whether or not they are the right
// padding (PROTOCOL 2.jwk-padding). It checks the alphabet itself because
// encoding/base64 skips newlines.
func parseBase64url(text []byte, maxBits int) (*big.Int, error) {
	text = bytes.TrimSuffix(bytes.TrimSuffix(text, []byte("=")), []byte("="))
	if len(text) == 0 || len(bytes.Trim(text, base64urlAlphabet)) != 0 {
		return nil, errNotation
	}
	for len(text) > maxBits/6+8 && text[0] == 'A' && text[1] == 'A' && text[2] == 'A' && text[3] == 'A' {
		text = text[4:] // three zero bytes
	}
	if len(text) > maxBits/6+8 {
		return nil, errTooLong
	}
	b, err := strictBase64url.AppendDecode(nil, text)
	if err != nil {
		return nil, errNotation
	}
	n := new(big.Int).SetBytes(b)
	if n.BitLen() > maxBits {
		return nil, errTooLong
	}
	return n, nil
}
