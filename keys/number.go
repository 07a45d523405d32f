package keys

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"math/big"
	"math/bits"
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

// significant gives digits without leading zeros, or errs when there are none, or
// others, or more than the largest number has.
func significant(text []byte, digits string, longest int) ([]byte, error) {
	if len(text) == 0 || len(bytes.Trim(text, digits)) != 0 {
		return nil, errDigits
	}
	text = bytes.TrimLeft(text, "0")
	if len(text) > longest {
		return nil, errLong
	}
	return text, nil
}

func parseDecimal(text []byte, maxBits int) (*big.Int, error) {
	longest := maxBits*1234/4096 + 1 // log₁₀(2) is just below 1234/4096
	text, err := significant(text, "0123456789", longest)
	if err != nil {
		return nil, err
	}
	n := new(big.Int).SetBits(decimalWords(text))
	if n.BitLen() > maxBits {
		return nil, errLong
	}
	return n, nil
}

// decimalWords gives the words of a number, the least first, a word's worth of
// digits at a time: big.Int's own way takes longer and allocates more.
func decimalWords(digits []byte) []big.Word {
	const chunk = 9 * (bits.UintSize / 32)
	words := make([]big.Word, 0, len(digits)/chunk+1)
	for len(digits) > 0 {
		size := (len(digits)-1)%chunk + 1 // the first may be shorter
		var carry, scale uint = 0, 1
		for _, c := range digits[:size] {
			carry, scale = carry*10+uint(c-'0'), scale*10
		}
		for i, w := range words {
			high, low := bits.Mul(uint(w), scale)
			low, over := bits.Add(low, carry, 0)
			words[i], carry = big.Word(low), high+over
		}
		if carry > 0 {
			words = append(words, big.Word(carry))
		}
		digits = digits[size:]
	}
	return words
}

func parseHexadecimal(text []byte, maxBits int) (*big.Int, error) {
	if n, ok := usual[string(text)]; ok {
		return n, nil
	}
	text, err := significant(text, "0123456789abcdefABCDEF", maxBits/4)
	if err != nil {
		return nil, err
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
