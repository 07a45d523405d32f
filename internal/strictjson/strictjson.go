// Package strictjson parses JSON objects by the rules of BrowserID (PROTOCOL §1), which
// are stricter than RFC 8259:
//
//   - The text is one object, with nothing after it but white space.
//   - It is valid UTF-8, and escapes stand for valid characters.
//   - No object, at any depth, has the same member name twice. Names are compared after
//     unescaping, and case matters.
//   - Objects and arrays nest at most [MaxDepth] deep.
//
// If two parsers disagree about such input, one signed text has two meanings:
// encoding/json ignores case in names, keeps the last of two equal names and replaces
// invalid UTF-8.
//
// Start with [ParseObject]. Values stay raw until [String], [Array] or another call of
// [ParseObject] parses them, so that integers keep all their digits. Errors contain the
// problem and its position, but no part of the input.
package strictjson

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
)

// MaxDepth is the largest depth of nested objects and arrays. The outermost object has
// depth 1.
const MaxDepth = 1000

// Member is one member of an object: its name, unescaped, and the text of its value.
type Member struct {
	Name  string
	Value json.RawMessage
}

// Object is a JSON object. Its members are in the order of the text.
type Object []Member

// ParseObject parses data, which must be one JSON object with optional white space around
// it. The values of the members are parts of data. The error is a [*SyntaxError].
func ParseObject(data []byte) (Object, error) {
	return AppendObject(make(Object, 0, 8), data) // more than most objects of the protocol have
}

// AppendObject is like [ParseObject] but appends the members to o, which must be empty.
// A caller that provides the capacity saves an allocation.
func AppendObject(o Object, data []byte) (Object, error) {
	s := newScanner(data)
	defer s.release()
	s.skipSpace()
	if s.peek() != '{' {
		return nil, s.fail("object expected")
	}
	if err := s.object(&o); err != nil {
		return nil, err
	}
	s.skipSpace()
	if s.pos != len(data) {
		return nil, s.fail("text after the object")
	}
	return o, nil
}

// Get returns the value of a member. ok is false if there is no such member.
func (o Object) Get(name string) (value json.RawMessage, ok bool) {
	i := slices.IndexFunc(o, func(m Member) bool { return m.Name == name })
	if i < 0 {
		return nil, false
	}
	return o[i].Value, true
}

// String returns the value of a JSON string. ok is false if raw is not a string.
func String(raw json.RawMessage) (s string, ok bool) {
	t, ok := Text(raw)
	return string(t), ok
}

// Text is like [String] but returns bytes, which are a part of raw if the string has no
// escapes. raw must be a value that this package returned.
func Text(raw json.RawMessage) (text []byte, ok bool) {
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

// Array returns the elements of a JSON array. ok is false if raw is not an array.
func Array(raw json.RawMessage) (elements []json.RawMessage, ok bool) {
	s := scanner{data: raw}
	if s.peek() != '[' {
		return nil, false
	}
	err := s.array(func(v json.RawMessage) { elements = append(elements, v) })
	return elements, err == nil && s.pos == len(raw)
}

// SyntaxError is the error for a text that is not a JSON object by the rules above.
type SyntaxError struct {
	Offset  int    // number of bytes before the fault
	Problem string // a fixed text without any part of the input
}

func (e *SyntaxError) Error() string {
	return fmt.Sprintf("json: %s (byte %d)", e.Problem, e.Offset)
}
