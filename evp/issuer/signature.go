package issuer

import (
	"bytes"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/json"
	"errors"
	"net/http"
	"net/textproto"
	"slices"
	"strings"
	"time"

	"github.com/dunglas/httpsfv"

	"github.com/vepverify/vepverify/evp/internal/jose"
)

// label is the only label of signatures (RFC 9421, section 4) that is accepted.
const label = "sig"

// Limits of the signature of a request.
const (
	maxField      = 2048 // bytes of each of the four fields; an RSA key of 4096 bits needs 800
	maxComponents = 16
	maxAge        = 300 * time.Second // of created, in both directions
)

// required are the components that a signature must cover.
var required = []string{"@method", "@authority", "@path", "content-digest", "signature-key"}

// algorithms are the values of alg in Signature-Key, and the names that RFC 9421,
// section 6.2.2 has for them.
var algorithms = map[string]string{
	jose.Ed25519: "ed25519", jose.EdDSA: "ed25519",
	jose.ES256: "ecdsa-p256-sha256", jose.RS256: "rsa-v1_5-sha256",
}

// members are the parameters of Signature-Key for each kty.
var members = map[string][]string{
	"OKP": {"alg", "crv", "kty", "x"},
	"EC":  {"alg", "crv", "kty", "x", "y"},
	"RSA": {"alg", "e", "kty", "n"},
}

// The errors of a signature. Their texts are logged, but not sent.
var (
	errField     = errors.New("signature: a field is missing, repeated, too long, malformed or not in canonical form")
	errDigest    = errors.New("signature: Content-Digest does not match the body")
	errNoDigest  = errors.New("signature: Content-Digest has neither sha-256 nor sha-512")
	errScheme    = errors.New("signature: Signature-Key has another scheme than hwk")
	errKey       = errors.New("signature: Signature-Key has no valid key")
	errAlgorithm = errors.New("signature: the algorithm is not supported")
	errCovered   = errors.New("signature: the covered components are not accepted")
	errParameter = errors.New("signature: a parameter is missing, unknown or of the wrong type")
	errTime      = errors.New("signature: created is not within 300 s of the clock, or expires has passed")
	errInvalid   = errors.New("signature: does not verify")
)

// checkDigest checks Content-Digest (RFC 9530): every digest by an algorithm that is
// known, of which there is at least one.
func checkDigest(h http.Header, body []byte) error {
	d, err := dictionary(h, "Content-Digest")
	if err != nil {
		return err
	}
	known := false
	for _, name := range d.Names() {
		var sum []byte
		switch name {
		case "sha-256":
			s := sha256.Sum256(body)
			sum = s[:]
		case "sha-512":
			s := sha512.Sum512(body)
			sum = s[:]
		default:
			continue
		}
		member, _ := d.Get(name)
		if sent, ok := byteSequence(member); !ok || !bytes.Equal(sent, sum) {
			return errDigest
		}
		known = true
	}
	if !known {
		return errNoDigest
	}
	return nil
}

// verifySignature verifies the signature of a request (RFC 9421) by the key that it
// names (hwk), and returns the key. It does not check Content-Digest. The authority is the
// one that clients must have signed.
func verifySignature(r *http.Request, authority string, now time.Time) (*jose.PublicKey, error) {
	s, err := parseSignature(r.Header)
	if err != nil {
		return nil, err
	}
	if err := checkParameters(s.input.Params, s.key.Alg(), now); err != nil {
		return nil, err
	}
	covered, err := components(s.input.Items)
	if err != nil {
		return nil, err
	}
	for _, name := range required {
		if !slices.Contains(covered, name) {
			return nil, errCovered
		}
	}
	base, err := signatureBase(r, authority, covered, s.input)
	if err != nil {
		return nil, err
	}
	if !s.key.Verify(s.key.Alg(), base, s.value) {
		return nil, errInvalid
	}
	return s.key, nil
}

// signature is what the fields of a signature contain.
type signature struct {
	input httpsfv.InnerList // covered components and parameters
	value []byte
	key   *jose.PublicKey
}

// parseSignature parses Signature-Input, Signature and Signature-Key.
func parseSignature(h http.Header) (s signature, err error) {
	input, err := dictionary(h, "Signature-Input")
	if err != nil {
		return s, err
	}
	value, err := dictionary(h, "Signature")
	if err != nil {
		return s, err
	}
	var isList, isBytes bool
	s.input, isList = only(input).(httpsfv.InnerList)
	s.value, isBytes = byteSequence(only(value))
	if !isList || !isBytes {
		return s, errField
	}
	s.key, err = holderKey(h)
	return s, err
}

// holderKey returns the key of Signature-Key: sig=hwk, with exactly the parameters of its
// kty, all of them strings.
func holderKey(h http.Header) (*jose.PublicKey, error) {
	d, err := dictionary(h, "Signature-Key")
	if err != nil {
		return nil, err
	}
	item, ok := only(d).(httpsfv.Item)
	if !ok {
		return nil, errField
	}
	if scheme, ok := item.Value.(httpsfv.Token); !ok || scheme != "hwk" {
		return nil, errScheme
	}
	jwk, ok := parameters(item.Params)
	if !ok {
		return nil, errKey
	}
	if algorithms[jwk["alg"]] == "" {
		return nil, errAlgorithm
	}
	data, err := json.Marshal(jwk)
	if err != nil {
		return nil, errKey
	}
	key, err := jose.ParsePublicKey(data)
	if err != nil || !key.Fits(key.Alg()) {
		return nil, errKey
	}
	return key, nil
}

// parameters returns the parameters of Signature-Key. It reports whether they are strings,
// and those that the kty has.
func parameters(params *httpsfv.Params) (map[string]string, bool) {
	jwk := make(map[string]string)
	for _, name := range params.Names() {
		value, _ := params.Get(name)
		text, ok := value.(string)
		if !ok {
			return nil, false
		}
		jwk[name] = text
	}
	names := members[jwk["kty"]]
	for _, name := range names {
		if _, found := jwk[name]; !found {
			return nil, false
		}
	}
	return jwk, len(names) > 0 && len(jwk) == len(names)
}

// checkParameters checks the parameters of Signature-Input. created is required. expires,
// alg, keyid, nonce and tag are optional; the last three may have any value.
func checkParameters(params *httpsfv.Params, alg string, now time.Time) error {
	created, hasCreated := int64(0), false
	for _, name := range params.Names() {
		value, _ := params.Get(name)
		ok := false
		switch name {
		case "created":
			created, ok = value.(int64)
			hasCreated = true
		case "expires":
			var expires int64
			if expires, ok = value.(int64); ok && expires <= now.Unix() {
				return errTime
			}
		case "alg":
			if value != algorithms[alg] {
				return errAlgorithm
			}
			ok = true
		case "keyid", "nonce", "tag":
			_, ok = value.(string)
		}
		if !ok {
			return errParameter
		}
	}
	if !hasCreated {
		return errParameter
	}
	if age := now.Sub(time.Unix(created, 0)); age > maxAge || age < -maxAge {
		return errTime
	}
	return nil
}

// components returns the names of covered components. None has parameters, and no two are
// equal.
func components(items []httpsfv.Item) ([]string, error) {
	if len(items) > maxComponents {
		return nil, errCovered
	}
	var names []string
	for _, item := range items {
		name, ok := item.Value.(string)
		if !ok || len(item.Params.Names()) > 0 || slices.Contains(names, name) {
			return nil, errCovered
		}
		names = append(names, name)
	}
	return names, nil
}

// signatureBase returns what was signed (RFC 9421, section 2.5).
func signatureBase(r *http.Request, authority string, covered []string, params httpsfv.InnerList) ([]byte, error) {
	var base bytes.Buffer
	for _, name := range covered {
		value, ok := component(r, authority, name)
		if !ok {
			return nil, errCovered
		}
		base.WriteString(`"` + name + `": ` + value + "\n")
	}
	text, err := httpsfv.Marshal(params)
	if err != nil {
		return nil, errField
	}
	base.WriteString(`"@signature-params": ` + text)
	return base.Bytes(), nil
}

// component returns the value of a component: @method, @authority, @path, @query, or a
// field of the request in lower case. It reports whether there is such a component.
func component(r *http.Request, authority, name string) (value string, ok bool) {
	switch name {
	case "@method":
		return r.Method, true
	case "@authority":
		return authority, true
	case "@path":
		return r.URL.EscapedPath(), true
	case "@query":
		return "?" + r.URL.RawQuery, true
	}
	if !isFieldName(name) {
		return "", false
	}
	var lines []string
	for _, line := range r.Header.Values(name) {
		lines = append(lines, textproto.TrimString(line))
	}
	return strings.Join(lines, ", "), len(lines) > 0
}

// isFieldName reports whether name is the name of a field in lower case.
func isFieldName(name string) bool {
	return name != "" && strings.Trim(name, "abcdefghijklmnopqrstuvwxyz0123456789-") == ""
}

// dictionary parses a field that is one line with a dictionary (RFC 9651) in canonical
// form. Spaces and tabs may be where the syntax allows them. The canonical form has no
// repeated keys and one text for each value, so that no two parsers can read the field
// differently.
func dictionary(h http.Header, name string) (*httpsfv.Dictionary, error) {
	lines := h.Values(name)
	if len(lines) != 1 || len(lines[0]) > maxField {
		return nil, errField
	}
	d, err := httpsfv.UnmarshalDictionary(lines)
	if err != nil {
		return nil, errField
	}
	text, err := httpsfv.Marshal(d)
	if err != nil || withoutSpace(text) != withoutSpace(lines[0]) {
		return nil, errField
	}
	return d, nil
}

// withoutSpace returns text without the spaces and tabs outside of strings.
func withoutSpace(text string) string {
	var b strings.Builder
	quoted := false
	for i := 0; i < len(text); i++ {
		switch c := text[i]; {
		case c == '"':
			quoted = !quoted
		case quoted && c == '\\' && i+1 < len(text):
			b.WriteByte(c)
			i++
		case !quoted && (c == ' ' || c == '\t'):
			continue
		}
		b.WriteByte(text[i])
	}
	return b.String()
}

// only returns the member of a dictionary that has the label and no other member, or nil.
func only(d *httpsfv.Dictionary) httpsfv.Member {
	member, found := d.Get(label)
	if !found || len(d.Names()) != 1 {
		return nil
	}
	return member
}

// byteSequence returns the value of a member that is a byte sequence without parameters.
func byteSequence(member httpsfv.Member) ([]byte, bool) {
	item, ok := member.(httpsfv.Item)
	if !ok || len(item.Params.Names()) > 0 {
		return nil, false
	}
	value, ok := item.Value.([]byte)
	return value, ok
}
