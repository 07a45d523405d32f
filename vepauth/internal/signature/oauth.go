package signature

import (
	"bytes"
	"cmp"
	"crypto/hmac"
	"crypto/sha1"
	"crypto/sha256"
	"hash"
	"io"
	"net/url"
	"slices"
	"strings"

	"github.com/vepverify/vepverify/internal/strictjson"
)

// The signature methods of [OAuth]. PLAINTEXT sends the secret with the request
// and is not supported.
const (
	HMACSHA1   = "HMAC-SHA1"
	HMACSHA256 = "HMAC-SHA256"
)

// The protocol parameters.
const (
	oauthConsumerKey     = "oauth_consumer_key"
	oauthConsumerSecret  = "oauth_consumer_secret"
	oauthSignatureMethod = "oauth_signature_method"
	oauthSignature       = "oauth_signature"
	oauthTimestamp       = "oauth_timestamp"
	oauthNonce           = "oauth_nonce"
	oauthVersion         = "oauth_version"
)

// OAuth is two-legged OAuth 1.0 (RFC 5849): the token is the consumer key, and the
// token secret is empty.
type OAuth struct{}

// Challenge implements [Scheme].
func (OAuth) Challenge() string { return "OAuth+VEP" }

// AuthScheme implements [Scheme].
func (OAuth) AuthScheme() string { return "OAuth" }

// CoversForm reports whether the signature covers a form body: always.
func (OAuth) CoversForm() bool { return true }

// HasMethod reports whether method is empty, HMACSHA1 or HMACSHA256.
func (OAuth) HasMethod(method string) bool { return method == "" || newHash(method) != nil }

// newHash returns the constructor of the hash of a signature method, nil if the
// method is not supported.
func newHash(method string) func() hash.Hash {
	switch method {
	case HMACSHA1:
		return sha1.New
	case HMACSHA256:
		return sha256.New
	}
	return nil
}

// parse implements [Scheme]. It percent-decodes names and values. The parameter realm
// does not belong to OAuth and is ignored.
func (OAuth) parse(a *Authorization, header []parameter) error {
	a.signed = a.buf[:0]
	version := "1.0"
	for i, p := range header {
		name, err := Unescape(p.name)
		if err != nil || hasName(header[:i], name) {
			return ErrHeader
		}
		header[i].name = name
		if strings.EqualFold(name, "realm") {
			continue
		}
		value, err := Unescape(p.value)
		if err != nil {
			return ErrHeader
		}
		if name == oauthVersion {
			version = value
		}
		a.add(parameter{name, value})
	}
	switch {
	case newHash(a.method) == nil:
		return ErrMethod
	case version != "1.0":
		return ErrVersion
	}
	return nil
}

// add adds a decoded parameter of the header.
func (a *Authorization) add(p parameter) {
	a.hasExtra = a.hasExtra || !isProtocolParameter(p.name)
	switch p.name {
	case oauthConsumerKey:
		a.Token = p.value
	case oauthSignatureMethod:
		a.method = p.value
	case oauthTimestamp:
		a.Timestamp = p.value
	case oauthNonce:
		a.Nonce = p.value
	case oauthSignature:
		a.signature = p.value
		return // not signed
	}
	a.signed = append(a.signed, p)
}

// Verify implements [Scheme].
func (OAuth) Verify(a *Authorization, secret string, m Message) error {
	mac, err := a.oauthMAC(secret, m)
	if err != nil {
		return err
	}
	if !a.matches(mac) || a.hasExtra {
		return ErrSignature
	}
	return nil
}

// Sign implements [Scheme].
func (OAuth) Sign(p Params, secret string, m Message) (string, error) {
	a := &Authorization{method: cmp.Or(p.Method, HMACSHA1)}
	a.signed = []parameter{
		{oauthConsumerKey, p.Token}, {oauthSignatureMethod, a.method}, {oauthVersion, "1.0"},
		{oauthTimestamp, p.Timestamp}, {oauthNonce, p.Nonce},
	}
	mac, err := a.oauthMAC(secret, m)
	if err != nil {
		return "", err
	}
	var b strings.Builder
	b.WriteString("OAuth ")
	for _, p := range a.signed {
		b.WriteString(p.name + `="` + Escape(p.value) + `", `)
	}
	b.WriteString(oauthSignature + `="` + Escape(strictBase64.EncodeToString(mac)) + `"`)
	return b.String(), nil
}

// oauthMAC returns the signature of RFC 5849, section 3.4.2. The '&' separates the
// secret from the empty token secret.
func (a *Authorization) oauthMAC(secret string, m Message) ([]byte, error) {
	var buf [128]byte
	h := hmac.New(newHash(a.method), append(appendEscaped(buf[:0], secret), '&'))
	if err := writeBaseString(h, m, a.signed); err != nil {
		return nil, err
	}
	return h.Sum(nil), nil
}

// Answer implements [Scheme].
func (OAuth) Answer(id, secret string) map[string]any {
	return map[string]any{oauthConsumerKey: id, oauthConsumerSecret: secret}
}

// ParseAnswer implements [Scheme].
func (OAuth) ParseAnswer(members strictjson.Object) (id, secret string, err error) {
	return stringMember(members, oauthConsumerKey), stringMember(members, oauthConsumerSecret), nil
}

// stringMember returns the value of a member that is a string, "" if the member is missing
// or has another type.
func stringMember(members strictjson.Object, name string) string {
	raw, _ := members.Get(name)
	value, _ := strictjson.String(raw)
	return value
}

// writeBaseString writes the signature base string (RFC 5849, section 3.4.1) of m
// and the signed parameters of the header. It writes in pieces because the base
// string can be five times as long as the form. The errors are those of appendForm:
// writing to a hash never fails.
func writeBaseString(to io.Writer, m Message, signed []parameter) error {
	path, query, _ := strings.Cut(m.Target, "?")
	var buf [16]parameter
	parameters, err := appendForm(append(buf[:0], signed...), query)
	if err != nil {
		return err
	}
	if parameters, err = appendForm(parameters, m.Form); err != nil {
		return err
	}
	sortParameters(parameters)
	w := &encoder{to: to}
	w.encode(strings.ToUpper(m.Method), "%")
	w.write("&")
	w.encode(m.Origin, "%")
	w.encode(path, "%")
	w.write("&")
	for i, p := range parameters {
		if i > 0 {
			w.write("%26")
		}
		w.encode(p.name, "%25") // encoded twice, like the rest of the parameters
		w.write("%3D")
		w.encode(p.value, "%25")
	}
	w.flush()
	return nil
}

// encoder writes percent-encoded text in pieces (BenchmarkHostile).
type encoder struct {
	to  io.Writer
	n   int // bytes used in buf
	buf [512]byte
}

// write writes a short text unchanged.
func (w *encoder) write(s string) {
	if w.n+len(s) > len(w.buf) {
		w.flush()
	}
	w.n += copy(w.buf[w.n:], s)
}

// encode writes s percent-encoded, with percent in place of the percent sign.
func (w *encoder) encode(s, percent string) {
	n := w.n
	for i := range len(s) {
		if n+5 > len(w.buf) {
			w.n = n
			w.flush()
			n = 0
		}
		c := s[i]
		if unreserved[c] {
			w.buf[n] = c
			n++
			continue
		}
		n += copy(w.buf[n:], percent)
		w.buf[n], w.buf[n+1] = hexDigits[c>>4], hexDigits[c&15]
		n += 2
	}
	w.n = n
}

// flush writes what is buffered. Writing to a hash never fails.
func (w *encoder) flush() {
	w.to.Write(w.buf[:w.n])
	w.n = 0
}

// BaseString returns the signature base string of m. Verify and Sign hash it in pieces
// instead; tests compare it with that of other implementations.
func (a *Authorization) BaseString(m Message) (string, error) {
	var base bytes.Buffer
	err := writeBaseString(&base, m, a.signed)
	return base.String(), err
}

// isProtocolParameter reports whether a parameter belongs in the Authorization
// header and nowhere else. RFC 5849, section 3.1, forbids that one occurs twice,
// and the base string does not show where a parameter came from. If one could be in
// two places, an attacker could move a parameter of the query into the header,
// where the next handler does not look.
func isProtocolParameter(name string) bool { return strings.HasPrefix(name, "oauth_") }

// appendForm parses a query or a form body (application/x-www-form-urlencoded,
// where '+' is a space) and appends its decoded parameters to to. A name without
// '=' has an empty value. Text that another parser could decode differently or
// drop is an error: net/url drops what has a semicolon.
func appendForm(to []parameter, form string) ([]parameter, error) {
	if strings.Contains(form, ";") {
		return nil, ErrSemicolon
	}
	for form != "" {
		var pair string
		pair, form, _ = strings.Cut(form, "&")
		if pair == "" {
			continue
		}
		name, value, _ := strings.Cut(pair, "=")
		name, err := decodeForm(name)
		if err != nil {
			return nil, err
		}
		if isProtocolParameter(name) {
			return nil, ErrMisplaced
		}
		value, err = decodeForm(value)
		if err != nil {
			return nil, err
		}
		to = append(to, parameter{name, value})
	}
	return to, nil
}

// decodeForm decodes a name or value of a form.
func decodeForm(s string) (string, error) {
	decoded, err := url.QueryUnescape(s)
	if err != nil {
		return "", ErrPercent // the error of net/url repeats the input
	}
	return decoded, nil
}

// sortParameters sorts by the encoded name, then by the encoded value (RFC 5849,
// section 3.4.1.3.2).
func sortParameters(parameters []parameter) {
	slices.SortFunc(parameters, func(a, b parameter) int {
		return cmp.Or(compareEncoded(a.name, b.name), compareEncoded(a.value, b.value))
	})
}

// compareEncoded compares the encodings of two strings without encoding them. An
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

// commonPrefix returns the length of the common prefix of two strings. It compares
// blocks first, for hostile parameters that differ only at the end
// (BenchmarkHostile).
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
