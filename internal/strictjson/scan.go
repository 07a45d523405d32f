package strictjson

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"sync"
	"unicode/utf16"
	"unicode/utf8"
)

// scanner is a recursive-descent reader of RFC 8259. MaxDepth bounds the
// recursion.
type scanner struct {
	data  []byte
	pos   int
	depth int
	// names holds the member names read so far of the objects that have begun
	// and not ended, the innermost object's last.
	names []text
}

// scanners are kept for their names, which would else be allocated each time.
var scanners = sync.Pool{New: func() any { return new(scanner) }}

func newScanner(data []byte) *scanner {
	s := scanners.Get().(*scanner)
	s.data = data
	return s
}

// release lets the input go, and keeps room for as many names as objects have
// that are not made to be hostile.
func (s *scanner) release() {
	names := s.names[:cap(s.names)]
	if len(names) > 64 {
		names = nil
	}
	clear(names)
	*s = scanner{names: names[:0]}
	scanners.Put(s)
}

// text is what a string says: a part of the input, unless it had escapes.
type text []byte

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
		err = s.object(nil)
	case c == '[':
		err = s.array(nil)
	case c == '"':
		_, err = s.str()
	case c == '-' || digit(c):
		err = s.number()
	default:
		err = s.literal()
	}
	return json.RawMessage(s.data[start:s.pos:s.pos]), err
}

// object passes over an object, and puts its members into o unless that is nil.
func (s *scanner) object(o *Object) error {
	if err := s.enter(); err != nil {
		return err
	}
	first := len(s.names)
	var many map[string]struct{}
	for s.peek() != '}' {
		if len(s.names) > first {
			if err := s.comma(); err != nil {
				return err
			}
		}
		name, value, err := s.member()
		if err != nil {
			return err
		}
		if repeated(s.names[first:], name, &many) {
			return s.fail("a member name stands twice")
		}
		s.names = append(s.names, name)
		if o != nil {
			*o = append(*o, Member{name.intern(), value})
		}
	}
	s.names = s.names[:first]
	s.leave()
	return nil
}

// repeated says whether name is among the names before it. Looking along them
// is quickest for a few, and quadratic for many, which go into a map.
func repeated(before []text, name text, many *map[string]struct{}) bool {
	const few = 16
	if len(before) < few {
		for _, other := range before {
			if bytes.Equal(other, name) {
				return true
			}
		}
		return false
	}
	if *many == nil {
		*many = make(map[string]struct{}, 2*few)
		for _, other := range before {
			(*many)[string(other)] = struct{}{}
		}
	}
	_, there := (*many)[string(name)]
	(*many)[string(name)] = struct{}{}
	return there
}

func (s *scanner) member() (name text, value json.RawMessage, err error) {
	if s.peek() != '"' {
		return nil, nil, s.fail("a member name is wanted")
	}
	if name, err = s.str(); err != nil {
		return nil, nil, err
	}
	s.space()
	if s.peek() != ':' {
		return nil, nil, s.fail("a colon is wanted")
	}
	s.pos++
	s.space()
	if value, err = s.value(); err != nil {
		return nil, nil, err
	}
	s.space()
	return name, value, nil
}

// array passes over an array, and hands its elements to each unless that is nil.
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
		if each != nil {
			each(v)
		}
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

// intern gives the text as a string; the names that most tokens have are there
// already.
func (t text) intern() string {
	for _, known := range [...]string{
		"alg", "iss", "exp", "iat", "aud", "public-key", "principal", "email", "algorithm", "n", "e", "p", "q", "g", "y",
	} {
		if string(t) == known {
			return known
		}
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
			return s.escaped(append([]byte(nil), s.data[start:s.pos]...))
		default:
			if err := s.character(); err != nil {
				return nil, err
			}
		}
	}
	return nil, s.fail("a string does not end")
}

// plain passes over ASCII characters that mean themselves, eight at a time:
// most of a token is hexadecimal digits. It stops anywhere before the first
// other one.
func (s *scanner) plain() {
	const ones, tops = 0x0101010101010101, 0x8080808080808080
	for len(s.data)-s.pos >= 8 {
		v := binary.LittleEndian.Uint64(s.data[s.pos:])
		quote, backslash := v^ones*'"', v^ones*'\\'
		// The top bit of a byte is set in one of these if the byte is below
		// a space, a quote, a backslash or beyond ASCII (and maybe in bytes
		// behind such a one).
		if ((v-ones*' ')|(quote-ones)|(backslash-ones)|v)&tops != 0 {
			return
		}
		s.pos += 8
	}
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

// escaped goes on with a string in which a backslash stands at s.pos; so far is
// what came before it.
func (s *scanner) escaped(sofar text) (text, error) {
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
