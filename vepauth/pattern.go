package vepauth

import (
	"fmt"
	"strings"
)

// pattern is a path in which some segments are placeholders, {name}, each of
// which stands for one segment that is not empty.
type pattern []segment

type segment struct {
	text        string // decoded; the name of a placeholder
	placeholder bool
}

// parsePattern reads a path such as /{application}/{version}/token.
func parsePattern(s string) (pattern, error) {
	rest, found := strings.CutPrefix(s, "/")
	if !found {
		return nil, fmt.Errorf("the token URL %q does not begin with a slash", s)
	}
	if strings.ContainsFunc(rest, neverInPattern) {
		return nil, fmt.Errorf("the token URL %q is not a path", s)
	}
	texts := strings.Split(rest, "/")
	p := make(pattern, len(texts))
	for i, text := range texts {
		var err error
		if p[i], err = parseSegment(text); err != nil {
			return nil, fmt.Errorf("the token URL %q: %w", s, err)
		}
		if text == "" && i < len(texts)-1 {
			return nil, fmt.Errorf("the token URL %q has an empty segment", s)
		}
		if p[i].placeholder && p[:i].has(p[i].text) {
			return nil, fmt.Errorf("the token URL %q has {%s} twice", s, p[i].text)
		}
	}
	return p, nil
}

func neverInPattern(r rune) bool {
	return r <= ' ' || r >= 0x7f || strings.ContainsRune(`?#"\<>^|`+"`", r)
}

func parseSegment(text string) (segment, error) {
	if name, found := strings.CutPrefix(text, "{"); found {
		if name, found = strings.CutSuffix(name, "}"); found && isPlaceholderName(name) {
			return segment{name, true}, nil
		}
	}
	decoded, ok := decodeSegment(text)
	if strings.ContainsAny(text, "{}") || !ok && text != "" {
		return segment{}, fmt.Errorf("%q is neither a segment nor a {placeholder}", text)
	}
	return segment{decoded, false}, nil
}

func isPlaceholderName(s string) bool {
	for i, c := range []byte(s) {
		letter := 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || c == '_'
		if !letter && (i == 0 || c < '0' || c > '9') {
			return false
		}
	}
	return s != ""
}

// decodeSegment gives what a segment of a path stands for; false when that is
// nothing, a step to another directory, or more than one segment.
func decodeSegment(s string) (string, bool) {
	decoded, err := unescape(s)
	return decoded, err == nil && isSegment(decoded)
}

func isSegment(s string) bool {
	return s != "" && s != "." && s != ".." && !strings.Contains(s, "/")
}

func (p pattern) has(name string) bool { return p.index(name) >= 0 }

// index tells which segment is the placeholder of that name, -1 when none is.
func (p pattern) index(name string) int {
	for i, s := range p {
		if s.placeholder && s.text == name {
			return i
		}
	}
	return -1
}

// lastPlaceholder tells which segment is the last placeholder, -1 when none is.
func (p pattern) lastPlaceholder() int {
	last := -1
	for i, s := range p {
		if s.placeholder {
			last = i
		}
	}
	return last
}

// match compares all of a path, as on the wire, with the pattern and gives what
// stands at its placeholders, decoded; nil without placeholders.
func (p pattern) match(path string) (values map[string]string, ok bool) {
	if strings.Count(path, "/") != len(p) {
		return nil, false
	}
	return p.matchBeginning(path)
}

// matchBeginning is match for a path that may go on after the pattern's end.
func (p pattern) matchBeginning(path string) (values map[string]string, ok bool) {
	if len(p) == 0 {
		return nil, true
	}
	rest, ok := strings.CutPrefix(path, "/")
	for i, s := range p {
		if !ok {
			return nil, false
		}
		var text string
		more := false
		text, rest, more = strings.Cut(rest, "/")
		decoded, valid := decodeSegment(text)
		if !valid && (text != "" || s.placeholder) || !s.placeholder && decoded != s.text {
			return nil, false
		}
		if s.placeholder {
			if values == nil {
				values = make(map[string]string, len(p))
			}
			values[s.text] = decoded
		}
		ok = more || i == len(p)-1
	}
	return values, ok
}

// fill gives the path that has these values at the placeholders; false when one
// is missing.
func (p pattern) fill(values map[string]string) (string, bool) {
	var b strings.Builder
	for _, s := range p {
		text := s.text
		if s.placeholder {
			var ok bool
			if text, ok = values[s.text]; !ok {
				return "", false
			}
		}
		b.WriteString("/" + escape(text))
	}
	return b.String(), true
}
