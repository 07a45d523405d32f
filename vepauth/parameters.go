package vepauth

import (
	"bytes"
	"cmp"
	"io"
	"net/url"
	"slices"
	"strings"
)

// parameter is a name with its value.
type parameter struct{ name, value string }

// countParameters returns how many parameters a query has, empty ones included.
func countParameters(query string) int {
	if query == "" {
		return 0
	}
	return strings.Count(query, "&") + 1
}

// parameterLimit is a form that returns errTooMany as soon as more parameters
// were read than that, empty ones included.
type parameterLimit struct {
	form       io.Reader
	parameters int
}

func (l *parameterLimit) Read(p []byte) (int, error) {
	n, err := l.form.Read(p)
	l.parameters -= bytes.Count(p[:n], []byte("&"))
	if n > 0 && l.parameters <= 0 { // the last one has no separator
		return n, errTooMany
	}
	return n, err
}

// appendForm parses a query or a form body (application/
// x-www-form-urlencoded: '+' is a space) and appends its parameters to to,
// decoded. A name without '=' has an empty value. It returns an error for what
// another reader could decode otherwise or drop, as net/url drops what has a
// semicolon, and for the protocol's own parameters, which belong in the header.
func appendForm(to []parameter, form string) ([]parameter, error) {
	if strings.Contains(form, ";") {
		return nil, errSemicolon
	}
	for form != "" {
		var pair string
		pair, form, _ = strings.Cut(form, "&")
		if pair == "" {
			continue
		}
		name, value, _ := strings.Cut(pair, "=")
		name, err := decode(name)
		if err != nil {
			return nil, err
		}
		if isProtocolParameter(name) {
			return nil, errMisplaced
		}
		value, err = decode(value)
		if err != nil {
			return nil, err
		}
		to = append(to, parameter{name, value})
	}
	return to, nil
}

// decode decodes a name or value of a form.
func decode(s string) (string, error) {
	decoded, err := url.QueryUnescape(s)
	if err != nil {
		return "", errPercent // net/url's says what was sent
	}
	return decoded, nil
}

// sortParameters sorts as RFC 5849, section 3.4.1.3.2 has it: by the encoded
// name, then by the encoded value.
func sortParameters(parameters []parameter) {
	slices.SortFunc(parameters, func(a, b parameter) int {
		return cmp.Or(compareEncoded(a.name, b.name), compareEncoded(a.value, b.value))
	})
}

// compareEncoded compares the encodings of two strings without making them: an
// encoded byte begins with '%', which is less than every byte that stands for
// itself.
func compareEncoded(a, b string) int {
	n := commonPrefix(a, b)
	if n == len(a) || n == len(b) {
		return cmp.Compare(len(a), len(b))
	}
	switch plain := unreserved[a[n]]; {
	case plain == unreserved[b[n]]:
		return cmp.Compare(a[n], b[n])
	case plain:
		return 1
	}
	return -1
}

// commonPrefix returns how many bytes two strings have in common at their
// beginning. It compares blocks first, for hostile parameters that differ at the
// end only (BenchmarkHostile).
func commonPrefix(a, b string) (n int) {
	const block = 64
	end := min(len(a), len(b))
	for n+block <= end && a[n:n+block] == b[n:n+block] {
		n += block
	}
	for n < end && a[n] == b[n] {
		n++
	}
	return n
}
