package vepauth

import (
	"github.com/vepverify/vepverify/internal/origin"
	"github.com/vepverify/vepverify/vepauth/internal/signature"
)

// The limits.
const (
	DefaultMaxForm   = defaultMaxForm
	MaxAssertionBody = maxAssertionBody
	MaxParameters    = maxParameters
	MaxTarget        = maxTarget
	MaxNonce         = maxNonce
)

// BaseString returns the signature base string of the parts of a request: the target is
// path and query, the header what follows "OAuth ".
func BaseString(method, scheme, host, target, form, header string) (string, error) {
	auth, err := signature.Parse(signature.OAuth{}, []string{"OAuth " + header})
	if auth == nil {
		return "", err
	}
	o, ok := origin.FromHost(scheme, host)
	if !ok {
		return "", errRequestURL
	}
	return auth.BaseString(signature.Message{Method: method, Origin: o.String(), Target: target, Form: form})
}

// MatchPattern compares a path with a pattern.
func MatchPattern(text, path string) (values map[string]string, ok bool, err error) {
	p, err := parsePattern(text)
	if err != nil {
		return nil, false, err
	}
	values, ok = p.match(path)
	return values, ok, nil
}

// FillPattern puts values at the placeholders of a pattern.
func FillPattern(text string, values map[string]string) (string, bool) {
	p, err := parsePattern(text)
	if err != nil {
		return "", false
	}
	return p.fill(values)
}

// Endpoints returns the number of token endpoints of an origin that are remembered.
func (t *Transport) Endpoints(site string) int {
	t.mu.Lock()
	defer t.mu.Unlock()
	o, _ := origin.Parse(site)
	return len(t.endpoints[o])
}
