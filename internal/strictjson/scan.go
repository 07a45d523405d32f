package strictjson

import (
	"bytes"
	"encoding/json"
	"sync"
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
	set   nameSet
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
	s.set.reset()
	*s = scanner{names: names[:0], set: s.set}
	scanners.Put(s)
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
	var set uint32
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
		s.names = append(s.names, name)
		if s.repeated(first, &set) {
			return s.fail("a member name stands twice")
		}
		if o != nil {
			*o = append(*o, Member{name.intern(), value})
		}
	}
	if set != 0 {
		s.set.end()
	}
	s.names = s.names[:first]
	s.leave()
	return nil
}

// repeated reports whether the last of s.names is among those before it, which begin
// at first. set is the object's number in s.set, 0 until it has many names.
func (s *scanner) repeated(first int, set *uint32) bool {
	last := len(s.names) - 1
	if last-first < few {
		for _, other := range s.names[first:last] {
			if bytes.Equal(other, s.names[last]) {
				return true
			}
		}
		return false
	}
	if *set == 0 {
		*set = s.set.begin()
		for i := first; i < last; i++ {
			s.set.add(*set, s.names, i)
		}
	}
	return s.set.add(*set, s.names, last)
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
