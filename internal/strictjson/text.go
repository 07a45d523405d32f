package strictjson

import (
	"bytes"
	"encoding/binary"
	"unicode/utf16"
	"unicode/utf8"
)

// text is what a string says: a part of the input, unless it had escapes.
type text []byte

// intern gives the text as a string; the names that most tokens have are there
// already.
func (t text) intern() string {
	switch string(t) {
	case "alg":
		return "alg"
	case "iss":
		return "iss"
	case "exp":
		return "exp"
	case "iat":
		return "iat"
	case "aud":
		return "aud"
	case "public-key":
		return "public-key"
	case "principal":
		return "principal"
	case "email":
		return "email"
	case "algorithm":
		return "algorithm"
	case "n":
		return "n"
	case "e":
		return "e"
	case "p":
		return "p"
	case "q":
		return "q"
	case "g":
		return "g"
	case "y":
		return "y"
	}
	return string(t)
}

// str passes over a string and gives its text.
func (s *scanner) str() (text, error) {
	s.pos++
	start := s.pos
	for s.pos < len(s.data) {
		s.plain()
		switch c := s.peek(); {
		case c == '"':
			s.pos++
			return s.data[start : s.pos-1], nil
		case c == '\\':
			return s.escaped(start)
		default:
			if err := s.character(); err != nil {
				return nil, err
			}
		}
	}
	return nil, s.fail("a string does not end")
}

// plain skips ASCII characters that mean themselves, 32 or 8 at a time:
// most of a token is digits. It stops anywhere before the first other one.
func (s *scanner) plain() {
	rest := s.data[s.pos:]
	for len(rest) >= 32 {
		b := (*[32]byte)(rest)
		v0, v1 := binary.LittleEndian.Uint64(b[:8]), binary.LittleEndian.Uint64(b[8:16])
		v2, v3 := binary.LittleEndian.Uint64(b[16:24]), binary.LittleEndian.Uint64(b[24:])
		if (special(v0)|special(v1)|special(v2)|special(v3))&tops != 0 {
			break
		}
		rest = rest[32:]
	}
	for len(rest) >= 8 && special(binary.LittleEndian.Uint64(rest))&tops == 0 {
		rest = rest[8:]
	}
	s.pos = len(s.data) - len(rest)
}

const ones, tops = 0x0101010101010101, 0x8080808080808080

// special sets the top bit of a byte if that byte of v is below a space, a quote, a
// backslash or beyond ASCII, and maybe of bytes above such a one.
func special(v uint64) uint64 {
	quote, backslash := v^ones*'"', v^ones*'\\'
	return (v - ones*' ') | (quote - ones) | (backslash - ones) | v
}

// character passes over one character other than quote and backslash.
func (s *scanner) character() error {
	switch c := s.peek(); {
	case c < ' ':
		return s.fail("a control character in a string, or no end")
	case c < utf8.RuneSelf:
		s.pos++
		return nil
	}
	return s.multibyte()
}

// escaped reads the rest of a string that began at start and in which a backslash
// stands at s.pos.
func (s *scanner) escaped(start int) (text, error) {
	// An escape is longer than what it stands for, so this is room enough unless
	// there is an escaped quote.
	sofar := make(text, 0, max(0, bytes.IndexByte(s.data[start:], '"')))
	sofar = append(sofar, s.data[start:s.pos]...)
	for s.pos < len(s.data) {
		start := s.pos
		switch s.peek() {
		case '"':
			s.pos++
			return sofar, nil
		case '\\':
			r, err := s.escape()
			if err != nil {
				return nil, err
			}
			sofar = utf8.AppendRune(sofar, r)
		default:
			if err := s.character(); err != nil {
				return nil, err
			}
			sofar = append(sofar, s.data[start:s.pos]...)
		}
	}
	return nil, s.fail("a string does not end")
}

func (s *scanner) multibyte() error {
	r, size := utf8.DecodeRune(s.data[s.pos:])
	if r == utf8.RuneError && size == 1 {
		return s.fail("invalid UTF-8")
	}
	s.pos += size
	return nil
}

func (s *scanner) escape() (rune, error) {
	s.pos++
	c := s.peek()
	if c == 'u' {
		return s.unicode()
	}
	const from, to = `"\/bfnrt`, "\"\\/\b\f\n\r\t"
	for i := range len(from) {
		if from[i] == c {
			s.pos++
			return rune(to[i]), nil
		}
	}
	return 0, s.fail("an unknown escape")
}

// unicode reads the rest of \uXXXX, or of a pair of them. Half a pair stands
// for no character, so it has no UTF-8 form and is refused.
func (s *scanner) unicode() (rune, error) {
	r, err := s.hex4()
	if err != nil || !utf16.IsSurrogate(r) {
		return r, err
	}
	if rest := s.data[s.pos:]; len(rest) >= 2 && rest[0] == '\\' && rest[1] == 'u' {
		s.pos++
		low, err := s.hex4()
		if err != nil {
			return 0, err
		}
		if r = utf16.DecodeRune(r, low); r != utf8.RuneError {
			return r, nil
		}
	}
	return 0, s.fail("half a surrogate pair")
}

// hex4 reads uXXXX.
func (s *scanner) hex4() (rune, error) {
	s.pos++
	var r rune
	for range 4 {
		v, ok := unhex(s.peek())
		if !ok {
			return 0, s.fail("four hexadecimal digits are wanted")
		}
		r = r<<4 | v
		s.pos++
	}
	return r, nil
}

func unhex(c byte) (rune, bool) {
	switch {
	case digit(c):
		return rune(c - '0'), true
	case 'a' <= c && c <= 'f':
		return rune(c-'a') + 10, true
	case 'A' <= c && c <= 'F':
		return rune(c-'A') + 10, true
	}
	return 0, false
}
