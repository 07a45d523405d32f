package vepauth

import (
	"crypto/hmac"
	"crypto/sha1"
	"net/http"
)

// BaseString is the signature base string of a request's parts: the target is
// path and query, the header what follows "OAuth ".
func BaseString(method, scheme, host, target, form, header string) (string, error) {
	params, err := parseAuthParams(header)
	if err != nil {
		return "", err
	}
	p := new(proof)
	_ = oauth{}.read(p, params) // what is missing does not matter here
	o, ok := hostOrigin(scheme, host)
	if !ok {
		return "", errRequestURL
	}
	base, err := baseString(message{method: method, origin: o, target: target, form: form}, p.signed)
	return string(base), err
}

// AuthParams is parseAuthParams, as name and value in turn.
func AuthParams(header string) ([]string, error) {
	params, err := parseAuthParams(header)
	var flat []string
	for _, p := range params {
		flat = append(flat, p.name, p.value)
	}
	return flat, err
}

// Quote is quote.
var Quote = quote

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

// MACOf signs a request as MACBrowserID does, at a time and with a nonce.
func MACOf(r *http.Request, key, timestamp, nonce string) ([]byte, error) {
	m, err := outgoing(r, false)
	if err != nil {
		return nil, err
	}
	return mac{}.mac(&proof{timestamp: timestamp, nonce: nonce}, key, m)
}

// MACSum is the HMAC that MACBrowserID signs with.
func MACSum(key, text string) []byte {
	h := hmac.New(sha1.New, []byte(key))
	h.Write([]byte(text))
	return h.Sum(nil)
}
