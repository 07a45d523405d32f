package strictjson

import (
	"bytes"
	"encoding/json"
	"sync"
)

// scanner is a recursive-descent parser of RFC 8259. MaxDepth bounds the recursion.
type scanner struct {
	data  []byte
	pos   int
	depth int
	// names holds the member names of the objects that have not ended. Those of the
	// innermost object are the last.
	names []text
	set   nameSet
}

// scanners saves the allocation of names (BenchmarkParseObject).
var scanners = sync.Pool{New: func() any { return new(scanner) }}

func newScanner(data []byte) *scanner {
	s := scanners.Get().(*scanner)
	s.data = data
	return s
}

// release drops the input and puts the scanner back into the pool. It does not keep the
// memory for names if a hostile input has made it large.
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

// peek returns the next byte, or 0 at the end. A zero byte is not valid anywhere in JSON.
func (s *scanner) peek() byte {
	if s.pos < len(s.data) {
		return s.data[s.pos]
	}
	return 0
}

func (s *scanner) skipSpace() {
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
		return s.fail("nesting too deep")
	}
	s.pos++
	s.skipSpace()
	return nil
}

func (s *scanner) leave() {
	s.depth--
	s.pos++
}

// value scans a value and returns its text.
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
	case c == '-' || isDigit(c):
		err = s.number()
	default:
		err = s.literal()
	}
	return json.RawMessage(s.data[start:s.pos:s.pos]), err
}

// object scans an object. It appends the members to o unless o is nil.
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
			return s.fail("duplicate member name")
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

// repeated reports whether the last of s.names equals one of the names from index first
// on. set is the number of the object in s.set, or 0 if the object is not large.
func (s *scanner) repeated(first int, set *uint32) bool {
	last := len(s.names) - 1
	if last-first < maxLinear {
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

// member scans a name, a colon and a value.
func (s *scanner) member() (name text, value json.RawMessage, err error) {
	if s.peek() != '"' {
		return nil, nil, s.fail("member name expected")
	}
	if name, err = s.str(); err != nil {
		return nil, nil, err
	}
	s.skipSpace()
	if s.peek() != ':' {
		return nil, nil, s.fail("colon expected")
	}
	s.pos++
	s.skipSpace()
	if value, err = s.value(); err != nil {
		return nil, nil, err
	}
	s.skipSpace()
	return name, value, nil
}

// array scans an array. It calls each for every element unless each is nil.
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
		s.skipSpace()
	}
	s.leave()
	return nil
}

// comma scans the comma between two members or elements. It rejects a comma before the
// closing bracket.
func (s *scanner) comma() error {
	if s.peek() != ',' {
		return s.fail("comma expected")
	}
	s.pos++
	s.skipSpace()
	if c := s.peek(); c == '}' || c == ']' {
		return s.fail("comma before the closing bracket")
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
	return s.fail("value expected")
}

func isDigit(c byte) bool { return '0' <= c && c <= '9' }

func (s *scanner) digits() error {
	if !isDigit(s.peek()) {
		return s.fail("digit expected")
	}
	for isDigit(s.peek()) {
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
