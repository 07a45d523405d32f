package strictjson

import (
	"encoding/json"
	"unicode/utf16"
	"unicode/utf8"
)

// scanner is a recursive-descent reader of RFC 8259. MaxDepth bounds the
// recursion.
type scanner struct {
	data  []byte
	pos   int
	depth int
}

func (s *scanner) fail(problem string) error {
	return &SyntaxError{Offset: s.pos, Problem: problem}
}

// peek gives the next byte, 0 at the end (a raw 0 is no JSON anywhere).
func (s *scanner) peek() byte {
	if s.pos < len(s.data) {
		return s.data[s.pos]
	}
	return 0
}

func (s *scanner) space() {
	for s.pos < len(s.data) {
		switch s.data[s.pos] {
		case ' ', '\t', '\n', '\r':
			s.pos++
		default:
			return
		}
	}
}

func (s *scanner) enter() error {
	s.depth++
	if s.depth > MaxDepth {
		return s.fail("nested too deep")
	}
	s.pos++
	s.space()
	return nil
}

func (s *scanner) leave() {
	s.depth--
	s.pos++
}

// value passes over one value and gives its text.
func (s *scanner) value() (json.RawMessage, error) {
	start := s.pos
	var err error
	switch c := s.peek(); {
	case c == '{':
		_, err = s.object()
	case c == '[':
		err = s.array(func(json.RawMessage) {})
	case c == '"':
		_, err = s.str()
	case c == '-' || digit(c):
		err = s.number()
	default:
		err = s.literal()
	}
	return json.RawMessage(s.data[start:s.pos:s.pos]), err
}

func (s *scanner) object() (Object, error) {
	if err := s.enter(); err != nil {
		return nil, err
	}
	var o Object
	var seen names
	for s.peek() != '}' {
		if len(o) > 0 {
			if err := s.comma(); err != nil {
				return nil, err
			}
		}
		m, err := s.member()
		if err != nil {
			return nil, err
		}
		if seen.add(o, m.Name) {
			return nil, s.fail("a member name stands twice")
		}
		o = append(o, m)
	}
	s.leave()
	return o, nil
}

func (s *scanner) member() (m Member, err error) {
	if s.peek() != '"' {
		return m, s.fail("a member name is wanted")
	}
	if m.Name, err = s.str(); err != nil {
		return m, err
	}
	s.space()
	if s.peek() != ':' {
		return m, s.fail("a colon is wanted")
	}
	s.pos++
	s.space()
	if m.Value, err = s.value(); err != nil {
		return m, err
	}
	s.space()
	return m, nil
}

func (s *scanner) array(each func(json.RawMessage)) error {
	if err := s.enter(); err != nil {
		return err
	}
	for first := true; s.peek() != ']'; first = false {
		if !first {
			if err := s.comma(); err != nil {
				return err
			}
		}
		v, err := s.value()
		if err != nil {
			return err
		}
		each(v)
		s.space()
	}
	s.leave()
	return nil
}

// comma passes over the comma between two members or elements; one before the
// closing bracket is refused because neither a name nor a value begins so.
func (s *scanner) comma() error {
	if s.peek() != ',' {
		return s.fail("a comma is wanted")
	}
	s.pos++
	s.space()
	if c := s.peek(); c == '}' || c == ']' {
		return s.fail("a comma before the closing bracket")
	}
	return nil
}

func (s *scanner) literal() error {
	for _, word := range [...]string{"true", "false", "null"} {
		if rest := s.data[s.pos:]; len(rest) >= len(word) && string(rest[:len(word)]) == word {
			s.pos += len(word)
			return nil
		}
	}
	return s.fail("a value is wanted")
}

func digit(c byte) bool { return '0' <= c && c <= '9' }

func (s *scanner) digits() error {
	if !digit(s.peek()) {
		return s.fail("a digit is wanted")
	}
	for digit(s.peek()) {
		s.pos++
	}
	return nil
}

func (s *scanner) number() error {
	if s.peek() == '-' {
		s.pos++
	}
	if s.peek() == '0' {
		s.pos++
	} else if err := s.digits(); err != nil {
		return err
	}
	if s.peek() == '.' {
		s.pos++
		if err := s.digits(); err != nil {
			return err
		}
	}
	if c := s.peek(); c != 'e' && c != 'E' {
		return nil
	}
	s.pos++
	if c := s.peek(); c == '+' || c == '-' {
		s.pos++
	}
	return s.digits()
}

// str passes over a string and gives its text.
func (s *scanner) str() (string, error) {
	s.pos++
	start := s.pos
	for s.pos < len(s.data) {
		switch c := s.data[s.pos]; {
		case c == '"':
			s.pos++
			return string(s.data[start : s.pos-1]), nil
		case c == '\\':
			return s.escaped(append([]byte(nil), s.data[start:s.pos]...))
		case c < utf8.RuneSelf:
			if c < ' ' {
				return "", s.fail("a control character in a string")
			}
			s.pos++
		default:
			if err := s.multibyte(); err != nil {
				return "", err
			}
		}
	}
	return "", s.fail("a string does not end")
}

// escaped goes on with a string in which a backslash stands at s.pos; text is
// what came before it.
func (s *scanner) escaped(text []byte) (string, error) {
	for s.pos < len(s.data) {
		start := s.pos
		switch c := s.data[s.pos]; {
		case c == '"':
			s.pos++
			return string(text), nil
		case c == '\\':
			r, err := s.escape()
			if err != nil {
				return "", err
			}
			text = utf8.AppendRune(text, r)
			continue
		case c < ' ':
			return "", s.fail("a control character in a string")
		case c < utf8.RuneSelf:
			s.pos++
		default:
			if err := s.multibyte(); err != nil {
				return "", err
			}
		}
		text = append(text, s.data[start:s.pos]...)
	}
	return "", s.fail("a string does not end")
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

// names finds a repeated name: by looking along short objects, with a map in
// long ones, where looking along would be quadratic.
type names map[string]struct{}

// add notes name, which comes after the members o, and says whether it had
// come before.
func (n *names) add(o Object, name string) bool {
	const short = 16
	if len(o) < short {
		_, dup := o.Get(name)
		return dup
	}
	if *n == nil {
		*n = make(names, 2*short)
		for _, m := range o {
			(*n)[m.Name] = struct{}{}
		}
	}
	_, dup := (*n)[name]
	(*n)[name] = struct{}{}
	return dup
}
