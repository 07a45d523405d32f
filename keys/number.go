package keys

import (
	"encoding/base64"
	"errors"
	"math/big"
	"strings"
)

// maxBits is the size of the largest number of any key. Longer texts are
// refused before they are converted: converting takes more than linear time.
const maxBits = 8192

var one = big.NewInt(1)

var (
	errDigits = errors.New("not a number in this form")
	errLong   = errors.New("number too long")
)

// notation is a way of writing natural numbers as text. Signs, spaces,
// prefixes and the empty text are no number in any of them; leading zeros
// count for nothing.
type notation struct {
	parse  func(string) (*big.Int, error)
	format func(*big.Int) string
}

var (
	decimal     = positional(10, "0123456789")
	hexadecimal = positional(16, "0123456789abcdefABCDEF")
	base64url   = notation{parseBase64url, func(n *big.Int) string {
		return base64.RawURLEncoding.EncodeToString(n.Bytes())
	}}
)

func positional(base int, digits string) notation {
	most := new(big.Int).Lsh(big.NewInt(1), maxBits)
	longest := len(most.Sub(most, one).Text(base))
	parse := func(text string) (*big.Int, error) {
		if text == "" || strings.Trim(text, digits) != "" {
			return nil, errDigits
		}
		text = strings.TrimLeft(text, "0")
		if len(text) > longest {
			return nil, errLong
		}
		n, ok := new(big.Int).SetString("0"+text, base)
		if !ok {
			return nil, errDigits
		}
		return n, nil
	}
	return notation{parse, func(n *big.Int) string { return n.Text(base) }}
}

const base64urlAlphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"

// parseBase64url reads what PROTOCOL §2 admits in keys: one or two '=' at the
// end, as many as belong there or not, change no number. The alphabet is checked
// here because encoding/base64 skips newlines.
func parseBase64url(text string) (*big.Int, error) {
	text = strings.TrimSuffix(strings.TrimSuffix(text, "="), "=")
	if text == "" || strings.Trim(text, base64urlAlphabet) != "" {
		return nil, errDigits
	}
	b, err := base64.RawURLEncoding.Strict().DecodeString(text)
	if err != nil {
		return nil, errDigits
	}
	n := new(big.Int).SetBytes(b)
	if n.BitLen() > maxBits {
		return nil, errLong
	}
	return n, nil
}
