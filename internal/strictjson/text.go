package strictjson

import (
	"bytes"
	"encoding/binary"
	"unicode/utf16"
	"unicode/utf8"
)

// text is the value of a JSON string. It is a part of the input unless the string has
// escapes.
type text []byte

// intern returns the text as a string. It does not allocate for the names that most
// tokens have.
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
	case "typ":
		return "typ"
	case "kid":
		return "kid"
	case "email_verified":
		return "email_verified"
	case "cnf":
		return "cnf"
	case "jwk":
		return "jwk"
	case "kty":
		return "kty"
	case "crv":
		return "crv"
	case "x":
		return "x"
	case "nonce":
		return "nonce"
	case "sd_hash":
		return "sd_hash"
	}
	return string(t)
}

// str scans a string and returns its value.
func (s *scanner) str() (text, error) {
	s.pos++
	start := s.pos
	for s.pos < len(s.data) {
		s.skipPlain()
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
	return nil, s.fail("unterminated string")
}

// skipPlain skips ASCII characters that stand for themselves, 32 or 8 at a time: most of
// a token consists of digits. It may stop before the first other character.
func (s *scanner) skipPlain() {
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

// special returns a number in which the top bit of a byte is set if that byte of v is a
// control character, a quote, a backslash or not ASCII. The top bits of higher bytes may
// then be set too.
func special(v uint64) uint64 {
	quote, backslash := v^ones*'"', v^ones*'\\'
	return (v - ones*' ') | (quote - ones) | (backslash - ones) | v
}

// character scans one character other than a quote and a backslash.
func (s *scanner) character() error {
	switch c := s.peek(); {
	case c < ' ':
		return s.fail("control character in a string, or an unterminated string")
	case c < utf8.RuneSelf:
		s.pos++
		return nil
	}
	return s.multibyte()
}

// escaped scans the rest of a string that began at start and has a backslash at s.pos.
func (s *scanner) escaped(start int) (text, error) {
	// An escape is longer than its character, so this capacity suffices unless there
	// is an escaped quote.
	value := make(text, 0, max(0, bytes.IndexByte(s.data[start:], '"')))
	value = append(value, s.data[start:s.pos]...)
	for s.pos < len(s.data) {
		start := s.pos
		switch s.peek() {
		case '"':
			s.pos++
			return value, nil
		case '\\':
			r, err := s.escape()
			if err != nil {
				return nil, err
			}
			value = utf8.AppendRune(value, r)
		default:
			if err := s.character(); err != nil {
				return nil, err
			}
			value = append(value, s.data[start:s.pos]...)
		}
	}
	return nil, s.fail("unterminated string")
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
	return 0, s.fail("unknown escape")
}

// unicode scans the rest of \uXXXX, or of two that are a surrogate pair. It rejects an
// unpaired surrogate, which has no UTF-8 form.
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
	return 0, s.fail("unpaired surrogate")
}

// hex4 scans uXXXX.
func (s *scanner) hex4() (rune, error) {
	s.pos++
	var r rune
	for range 4 {
		v, ok := unhex(s.peek())
		if !ok {
			return 0, s.fail("four hexadecimal digits expected")
		}
		r = r<<4 | v
		s.pos++
	}
	return r, nil
}

func unhex(c byte) (rune, bool) {
	switch {
	case isDigit(c):
		return rune(c - '0'), true
	case 'a' <= c && c <= 'f':
		return rune(c-'a') + 10, true
	case 'A' <= c && c <= 'F':
		return rune(c-'A') + 10, true
	}
	return 0, false
}
