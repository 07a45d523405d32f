// Package strictjson reads JSON objects as BrowserID wants them read: one
// object and nothing after it, valid UTF-8, no member name twice in the same
// object at any depth (names are compared after unescaping, case included),
// nesting at most [MaxDepth] deep. Everything else is RFC 8259, to the letter.
//
// Parsers that disagree about such input are how one signed text comes to mean
// two things; encoding/json matches names without case, keeps the last of two
// equal names and mends invalid UTF-8.
//
// Start with [ParseObject]. Values stay raw until asked for with [String],
// [Array] or a further [ParseObject], so that integers keep every digit.
// Errors say what is wrong and at which byte, never what the input said.
package strictjson

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
)

// MaxDepth is how deep objects and arrays may nest, the outermost counted.
const MaxDepth = 1000

// Member is one member of an object: its unescaped name and its value as it
// stood in the text.
type Member struct {
	Name  string
	Value json.RawMessage
}

// Object is a JSON object, its members in the order of the text.
type Object []Member

// ParseObject reads data, which must be exactly one JSON object, with white
// space around it at most. The values alias data.
func ParseObject(data []byte) (Object, error) {
	return AppendObject(make(Object, 0, 8), data) // more than most objects of the protocol have
}

// AppendObject is ParseObject that puts the members into o, which is empty and
// has room, to save allocating it.
func AppendObject(o Object, data []byte) (Object, error) {
	s := newScanner(data)
	defer s.release()
	s.space()
	if s.peek() != '{' {
		return nil, s.fail("an object is wanted")
	}
	if err := s.object(&o); err != nil {
		return nil, err
	}
	s.space()
	if s.pos != len(data) {
		return nil, s.fail("text after the object")
	}
	return o, nil
}

// Get gives the value of the named member and whether there is one.
func (o Object) Get(name string) (json.RawMessage, bool) {
	i := slices.IndexFunc(o, func(m Member) bool { return m.Name == name })
	if i < 0 {
		return nil, false
	}
	return o[i].Value, true
}

// String gives the text of a JSON string; false when raw is not one.
func String(raw json.RawMessage) (string, bool) {
	t, ok := Text(raw)
	return string(t), ok
}

// Text is String that gives bytes, those of raw where the text stands there as
// it is. raw is a value that this package has read.
func Text(raw json.RawMessage) ([]byte, bool) {
	if len(raw) < 2 || raw[0] != '"' {
		return nil, false
	}
	inner := raw[1 : len(raw)-1]
	if raw[len(raw)-1] == '"' && bytes.IndexByte(inner, '\\') < 0 && bytes.IndexByte(inner, '"') < 0 {
		return inner, true
	}
	s := scanner{data: raw}
	t, err := s.str()
	if err != nil || s.pos != len(raw) {
		return nil, false
	}
	return t, true
}

// Array gives the elements of a JSON array; false when raw is not one.
func Array(raw json.RawMessage) ([]json.RawMessage, bool) {
	s := scanner{data: raw}
	if s.peek() != '[' {
		return nil, false
	}
	var elements []json.RawMessage
	err := s.array(func(v json.RawMessage) { elements = append(elements, v) })
	return elements, err == nil && s.pos == len(raw)
}

// SyntaxError says what is wrong with a text and where.
type SyntaxError struct {
	Offset  int    // bytes before the fault
	Problem string // never holds input
}

func (e *SyntaxError) Error() string {
	return fmt.Sprintf("json: %s (byte %d)", e.Problem, e.Offset)
}
