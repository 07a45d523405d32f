package certchain

import (
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"slices"
)

var (
	errBase64    = errors.New("not base64url")
	errLineBreak = errors.New("line break in base64url")
)

// notBase64 marks characters that are not in the alphabet.
const notBase64 = 1 << 31

// sextets[i] holds the value of each character in the i-th of four positions.
var sextets = func() (table [4][256]uint32) {
	const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
	for i := range table {
		for c := range table[i] {
			table[i][c] = notBase64
		}
		for v, c := range []byte(alphabet) {
			table[i][c] = uint32(v) << (18 - 6*i)
		}
	}
	return table
}()

// appendDecoded appends the decoded segment to dst. Unlike encoding/base64, which
// ignores line breaks, it accepts only one form of each text (PROTOCOL 1.base64). It has
// a loop of its own for speed (BenchmarkParse).
func appendDecoded(dst, segment []byte) ([]byte, error) {
	var bad uint32
	whole := segment
	size := len(dst) + len(segment)/4*3 + max(0, len(segment)%4-1)
	dst = slices.Grow(dst, size+2-len(dst)) // two bytes more, to store whole words
	z := dst[len(dst) : size+2]
	for len(segment) >= 8 {
		s := (*[8]byte)(segment)
		high, low := decodeFour(s[0], s[1], s[2], s[3]), decodeFour(s[4], s[5], s[6], s[7])
		bad |= high | low
		binary.BigEndian.PutUint64(z, uint64(high)<<40|uint64(low)<<16)
		segment, z = segment[8:], z[6:]
	}
	if len(segment) >= 4 {
		v := decodeFour(segment[0], segment[1], segment[2], segment[3])
		bad |= v
		z[0], z[1], z[2] = byte(v>>16), byte(v>>8), byte(v)
		segment, z = segment[4:], z[3:]
	}
	last, ok := lastBytes(z, segment)
	if bad |= last; bad&notBase64 != 0 || !ok {
		return nil, base64Error(whole)
	}
	return dst[:size], nil
}

// base64Error returns the error for a segment that appendDecoded rejects. If the error
// is that of encoding/base64, it contains the position.
func base64Error(segment []byte) error {
	if bytes.ContainsAny(segment, "\r\n") {
		return errLineBreak
	}
	if _, err := base64.RawURLEncoding.Strict().AppendDecode(nil, segment); err != nil {
		return err
	}
	return errBase64 // never nil, even if the two disagree
}

// lastBytes decodes the up to three characters after the last group of four. ok is false
// for one character, and if unused bits are not zero.
func lastBytes(z, segment []byte) (bad uint32, ok bool) {
	switch len(segment) { // 'A' is zero
	case 0:
		return 0, true
	case 2:
		v := decodeFour(segment[0], segment[1], 'A', 'A')
		z[0] = byte(v >> 16)
		return v, v&0xffff == 0
	case 3:
		v := decodeFour(segment[0], segment[1], segment[2], 'A')
		z[0], z[1] = byte(v>>16), byte(v>>8)
		return v, v&0xff == 0
	}
	return notBase64, false
}

// decodeFour returns the 24 bits of four characters. The bit notBase64 is set if one of them
// is not in the alphabet.
func decodeFour(a, b, c, d byte) uint32 {
	return sextets[0][a] | sextets[1][b] | sextets[2][c] | sextets[3][d]
}
