package vepauth

import (
	"errors"
	"fmt"
	"strings"

	"github.com/vepverify/vepverify/vepauth/internal/signature"
)

// pattern is a path in which some segments are placeholders, {name}. A placeholder
// matches one segment that is not empty.
type pattern []segment

type segment struct {
	text        string // decoded; the name of a placeholder
	placeholder bool
}

// parsePattern parses a path such as /{application}/{version}/token.
func parsePattern(s string) (pattern, error) {
	rest, found := strings.CutPrefix(s, "/")
	if !found {
		return nil, errors.New("does not begin with a slash")
	}
	if strings.ContainsFunc(rest, neverInPattern) {
		return nil, errors.New("not a path")
	}
	texts := strings.Split(rest, "/")
	p := make(pattern, len(texts))
	for i, text := range texts {
		var err error
		if p[i], err = parseSegment(text); err != nil {
			return nil, err
		}
		if text == "" && i < len(texts)-1 {
			return nil, errors.New("empty segment")
		}
		if p[i].placeholder && p[:i].has(p[i].text) {
			return nil, fmt.Errorf("{%s} occurs twice", p[i].text)
		}
	}
	return p, nil
}

// neverInPattern reports whether a character cannot be in a pattern.
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

// isPlaceholderName reports whether s is a letter or underscore, and perhaps more of
// them and digits.
func isPlaceholderName(s string) bool {
	for i, c := range []byte(s) {
		letter := 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || c == '_'
		if !letter && (i == 0 || c < '0' || c > '9') {
			return false
		}
	}
	return s != ""
}

// decodeSegment decodes a segment of a path. It reports whether the result is one.
func decodeSegment(s string) (string, bool) {
	decoded, err := signature.Unescape(s)
	return decoded, err == nil && isSegment(decoded)
}

// isSegment reports whether a decoded text is one segment of a path: not empty, not
// two segments, and not "." or "..".
func isSegment(s string) bool {
	return s != "" && s != "." && s != ".." && !strings.Contains(s, "/")
}

// has reports whether the pattern has a placeholder of that name.
func (p pattern) has(name string) bool { return p.index(name) >= 0 }

// index returns the index of the placeholder of that name, -1 if there is none.
func (p pattern) index(name string) int {
	for i, s := range p {
		if s.placeholder && s.text == name {
			return i
		}
	}
	return -1
}

// lastPlaceholder returns the index of the last placeholder, -1 if there is none.
func (p pattern) lastPlaceholder() int {
	last := -1
	for i, s := range p {
		if s.placeholder {
			last = i
		}
	}
	return last
}

// match reports whether a whole path, as on the wire, matches the pattern. It returns
// the decoded values of the placeholders, nil if there are no placeholders.
func (p pattern) match(path string) (values map[string]string, ok bool) {
	if strings.Count(path, "/") != len(p) {
		return nil, false
	}
	return p.matchPrefix(path)
}

// matchPrefix is match for a path that may have more segments than the pattern.
func (p pattern) matchPrefix(path string) (values map[string]string, ok bool) {
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

// fill returns the path with these values in place of the placeholders. It reports
// false if a value is missing.
func (p pattern) fill(values map[string]string) (path string, ok bool) {
	var b strings.Builder
	for _, s := range p {
		text := s.text
		if s.placeholder {
			if text, ok = values[s.text]; !ok {
				return "", false
			}
		}
		b.WriteString("/" + signature.Escape(text))
	}
	return b.String(), true
}
