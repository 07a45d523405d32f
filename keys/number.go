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
	errDigits = errors.New("not a number in this form")
	errLong   = errors.New("number too long")
)

// notation is a way of writing natural numbers as text. Signs, spaces,
// prefixes and the empty text are no number in any of them; leading zeros
// count for nothing. Nobody changes the numbers that parse gives.
type notation struct {
	// parse returns errDigits, or errLong for a number of more than maxBits
	// bits. It refuses longer texts before it converts them, because a
	// conversion takes more than linear time.
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
		return nil, errDigits
	}
	text = trimZeros(text)
	if len(text) > maxBits*1234/4096+1 { // log₁₀(2) is just below 1234/4096
		if len(bytes.Trim(text, "0123456789")) != 0 {
			return nil, errDigits
		}
		return nil, errLong
	}
	n, ok := parseDigits(text)
	if !ok {
		return nil, errDigits
	}
	if n.BitLen() > maxBits {
		return nil, errLong
	}
	return n, nil
}

func trimZeros(text []byte) []byte {
	for len(text) > 0 && text[0] == '0' {
		text = text[1:]
	}
	return text
}

func parseHexadecimal(text []byte, maxBits int) (*big.Int, error) {
	if n, ok := usual[string(text)]; ok {
		return n, nil
	}
	if len(text) == 0 || len(bytes.Trim(text, "0123456789abcdefABCDEF")) != 0 {
		return nil, errDigits
	}
	text = trimZeros(text)
	if len(text) > maxBits/4 {
		return nil, errLong
	}
	var room [512]byte // for the numbers of all DSA keys
	even := append(room[:0], "0"[:len(text)%2]...)
	even = append(even, text...)
	n, err := hex.Decode(even, even)
	if err != nil {
		return nil, errDigits
	}
	return new(big.Int).SetBytes(even[:n]), nil
}

// usual are the numbers that nearly all DSA keys have, as they are written.
var usual = make(map[string]*big.Int)

var strictBase64url = base64.RawURLEncoding.Strict()

const base64urlAlphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"

// parseBase64url reads what PROTOCOL §2 admits in keys: one or two '=' at the
// end, as many as belong there or not, change no number. The alphabet is checked
// here because encoding/base64 skips newlines.
func parseBase64url(text []byte, maxBits int) (*big.Int, error) {
	text = bytes.TrimSuffix(bytes.TrimSuffix(text, []byte("=")), []byte("="))
	if len(text) == 0 || len(bytes.Trim(text, base64urlAlphabet)) != 0 {
		return nil, errDigits
	}
	for len(text) > maxBits/6+8 && text[0] == 'A' && text[1] == 'A' && text[2] == 'A' && text[3] == 'A' {
		text = text[4:] // three bytes of zero
	}
	if len(text) > maxBits/6+8 {
		return nil, errLong
	}
	b, err := strictBase64url.AppendDecode(nil, text)
	if err != nil {
		return nil, errDigits
	}
	n := new(big.Int).SetBytes(b)
	if n.BitLen() > maxBits {
		return nil, errLong
	}
	return n, nil
}
