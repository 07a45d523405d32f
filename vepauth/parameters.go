package vepauth

import (
	"cmp"
	"slices"
	"strings"
)

// parameter is a name with its value, both decoded or both encoded.
type parameter struct{ name, value string }

// appendForm takes a query or a form body apart (application/
// x-www-form-urlencoded: '+' is a space) and appends its parameters to to, in
// the encoding of RFC 5849, section 3.6. A name without '=' has an empty value.
// It errs on what another reader could decode otherwise, and on the protocol's
// own parameters, which belong in the header.
func appendForm(to []parameter, form string) ([]parameter, error) {
	for form != "" {
		var pair string
		pair, form, _ = strings.Cut(form, "&")
		if pair == "" {
			continue
		}
		name, value, _ := strings.Cut(pair, "=")
		name, err := recode(name)
		if err != nil {
			return nil, err
		}
		if isProtocolParameter(name) {
			return nil, errMisplaced
		}
		value, err = recode(value)
		if err != nil {
			return nil, err
		}
		to = append(to, parameter{name, value})
	}
	return to, nil
}

// recode turns the encoding of forms into that of RFC 5849, section 3.6.
func recode(s string) (string, error) {
	decoded, err := unescape(strings.ReplaceAll(s, "+", " "))
	return escape(decoded), err
}

// normalize gives the parameters, encoded already, as RFC 5849, section
// 3.4.1.3.2 has them: sorted by name, then by value, joined.
func normalize(to []byte, parameters []parameter) []byte {
	slices.SortFunc(parameters, func(a, b parameter) int {
		return cmp.Or(strings.Compare(a.name, b.name), strings.Compare(a.value, b.value))
	})
	for i, p := range parameters {
		if i > 0 {
			to = append(to, '&')
		}
		to = append(to, p.name...)
		to = append(to, '=')
		to = append(to, p.value...)
	}
	return to
}
