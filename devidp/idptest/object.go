package idptest

import (
	"encoding/json"
	"fmt"
	"maps"
)

// Raw is JSON text, or what pretends to be, used to the byte where a Go value
// would be encoded: for duplicate names, odd escapes, a BOM, text behind the
// object, invalid UTF-8. Inside of an [Object] it must be valid JSON; all of the
// object can be a Raw where it must not be.
type Raw string

// MarshalJSON gives the text.
func (r Raw) MarshalJSON() ([]byte, error) { return []byte(r), nil }

// Object is a JSON object: claims, a header, a support document. Its members
// are written in the order of their names, so that equal objects are equal
// text; the values may be anything that encoding/json takes.
type Object map[string]any

// With gives the object with a member added or replaced.
func (o Object) With(name string, value any) Object {
	changed := Object{}
	maps.Copy(changed, o)
	changed[name] = value
	return changed
}

// Without gives the object without the members named.
func (o Object) Without(names ...string) Object {
	changed := Object{}
	maps.Copy(changed, o)
	for _, name := range names {
		delete(changed, name)
	}
	return changed
}

// JSON gives the object's text. It panics when a value has none.
func (o Object) JSON() json.RawMessage { return text(o) }

// encode gives the JSON text of a value, a Raw's to the byte.
func encode(value any) ([]byte, error) {
	if raw, ok := value.(Raw); ok {
		return []byte(raw), nil
	}
	data, err := json.Marshal(value)
	if err != nil {
		return nil, fmt.Errorf("idptest: %w", err)
	}
	return data, nil
}

// text is encode for what tests write out, where an error is their mistake.
func text(value any) []byte {
	data, err := encode(value)
	if err != nil {
		panic(err)
	}
	return data
}
