package wellknown

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/vepverify/vepverify/internal/domain"
	"github.com/vepverify/vepverify/internal/strictjson"
	"github.com/vepverify/vepverify/keys"
)

const (
	maxKeys    = 16   // entries of "keys" (PROTOCOL §3)
	maxDSAKeys = 4    // DSA keys that are read, public-key included; more are skipped: each takes up to 0.6 ms
	maxMembers = 1000 // of all objects of a document, colons in its texts counted
	maxHandOn  = 4096 // bytes of a document that delegates: up to 5 of them are read for one look-up
	maxPath    = 2048 // bytes of "authentication" and of "provisioning"
)

// errComplex is the error for a document over a limit. Its host said something
// that is not read, so it is not malformed in the sense of PROTOCOL 4.row3-answers.
var errComplex = errors.New("over a limit")

// Document is a support document as PROTOCOL §3 reads it: one that is
// disabled, or one with an Authority, or one with keys; what it says besides
// is not read. Documents are not changed once made.
type Document struct {
	Disabled  bool   // the domain opts out
	Authority string // the host it delegates to, lower case

	// PublicKey is the member "public-key", weak or not. Nil means that it is
	// absent or too large to use (keys.ErrTooLarge).
	PublicKey keys.PublicKey
	// Keys are the entries of "keys" that can be used for signatures, weak ones
	// too. Nil means that neither "keys" nor a public-key that is too large is there.
	Keys []keys.PublicKey

	// Authentication and Provisioning are paths, empty when absent. That one
	// is absent is no error here, because a fallback's document may lack it.
	Authentication, Provisioning string

	usable, weak []keys.PublicKey // PublicKey and Keys, by whether they need consent
}

// ParseDocument reads a support document, by the order and the rules of
// PROTOCOL §3, and makes the load-time checks of its keys. An error means
// that the document is malformed; it never shows what the document said.
func ParseDocument(data []byte) (*Document, error) {
	if bytes.Count(data, []byte(":")) > maxMembers {
		return nil, malformed(fmt.Errorf("%w: too many members", errComplex))
	}
	object, err := strictjson.ParseObject(data)
	if err != nil {
		return nil, malformed(err)
	}
	d := new(Document)
	for _, read := range []func(strictjson.Object) (bool, error){d.readDisabled, d.readAuthority, d.readSupport} {
		if done, err := read(object); err != nil {
			return nil, malformed(err)
		} else if done {
			break
		}
	}
	if d.Authority != "" && len(data) > maxHandOn {
		return nil, malformed(fmt.Errorf("%w: too large for a delegation", errComplex))
	}
	return d, nil
}

func malformed(err error) error {
	return fmt.Errorf("malformed support document: %w", err)
}

func (d *Document) readDisabled(o strictjson.Object) (bool, error) {
	raw, ok := o.Get("disabled")
	if ok && string(raw) != "true" && string(raw) != "false" {
		return false, errors.New("disabled: not a boolean")
	}
	d.Disabled = string(raw) == "true"
	return d.Disabled, nil
}

func (d *Document) readAuthority(o strictjson.Object) (bool, error) {
	raw, ok := o.Get("authority")
	if !ok {
		return false, nil
	}
	text, ok := strictjson.String(raw)
	if !ok {
		return false, errors.New("authority: not a string")
	}
	d.Authority, ok = domain.Parse(text)
	if !ok {
		return false, errors.New("authority: not a host")
	}
	return true, nil
}

func (d *Document) readSupport(o strictjson.Object) (bool, error) {
	single, hasSingle := o.Get("public-key")
	several, hasSeveral := o.Get("keys")
	if !hasSingle && !hasSeveral {
		return false, errors.New("neither public-key nor keys")
	}
	var err error
	if hasSingle {
		if err = d.readPublicKey(single); err != nil {
			return false, err
		}
	}
	if hasSeveral {
		if d.Keys, err = parseKeys(several, d.PublicKey); err != nil {
			return false, err
		}
	}
	if d.Authentication, err = path(o, "authentication"); err != nil {
		return false, err
	}
	d.Provisioning, err = path(o, "provisioning")
	d.split()
	return true, err
}

// readPublicKey reads the member "public-key". One that is too large is no
// malformed one: the document then supports BrowserID by its other keys, or
// without any (PROTOCOL 3.keys-skipped).
func (d *Document) readPublicKey(raw json.RawMessage) error {
	key, err := parseKey(raw)
	switch {
	case errors.Is(err, keys.ErrTooLarge):
		d.Keys = []keys.PublicKey{}
	case err != nil:
		return fmt.Errorf("public-key: %w", err)
	default:
		d.PublicKey = key
	}
	return nil
}

// parseKeys reads the entries of "keys" beside public-key, which may be nil.
// It skips those that are not for this protocol, those that are too large, and
// DSA keys beyond the limit.
func parseKeys(raw json.RawMessage, public keys.PublicKey) ([]keys.PublicKey, error) {
	entries, ok := strictjson.Array(raw)
	if !ok {
		return nil, errors.New("keys: not an array")
	}
	if len(entries) > maxKeys {
		return nil, errors.New("keys: too many")
	}
	readable := make([]keys.PublicKey, 0, len(entries))
	dsa := 0
	if public != nil && strings.HasPrefix(public.Algorithm(), "DS") {
		dsa = 1
	}
	for i, entry := range entries {
		object, err := strictjson.ParseObject(entry)
		if err != nil {
			return nil, fmt.Errorf("keys: entry %d: %w", i+1, err)
		}
		if !forSignatures(object) {
			continue
		}
		if isDSA(object) {
			if dsa++; dsa > maxDSAKeys {
				continue
			}
		}
		key, err := parseKey(entry)
		if skipped(object, err) {
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("keys: entry %d: %w", i+1, err)
		}
		readable = append(readable, key)
	}
	return readable, nil
}

// isDSA reports whether the key's kind is DSA, in either form.
func isDSA(key strictjson.Object) bool {
	kty, _ := key.Get("kty")
	algorithm, _ := key.Get("algorithm")
	jwk, _ := strictjson.String(kty)
	legacy, _ := strictjson.String(algorithm)
	return jwk == "DSA" || legacy == "DS"
}

// skipped reports whether an entry that cannot be read is left out: a kind of
// key that is newer than this protocol, or one that is too large.
func skipped(key strictjson.Object, err error) bool {
	_, jwk := key.Get("kty")
	return jwk && errors.Is(err, keys.ErrUnknownType) || errors.Is(err, keys.ErrTooLarge)
}

// forSignatures says whether the key's use is sig, or not told.
func forSignatures(key strictjson.Object) bool {
	raw, ok := key.Get("use")
	if !ok {
		return true
	}
	use, _ := strictjson.String(raw)
	return use == "sig"
}

// parseKey reads a key and makes the checks that are made once, at load.
func parseKey(raw json.RawMessage) (keys.PublicKey, error) {
	key, err := keys.InsecureParsePublicKey(raw)
	if err != nil {
		return nil, err
	}
	if err := key.Validate(); err != nil {
		return nil, err
	}
	return key, nil
}

func path(o strictjson.Object, name string) (string, error) {
	raw, ok := o.Get(name)
	if !ok {
		return "", nil
	}
	text, ok := strictjson.String(raw)
	if !ok || !strings.HasPrefix(text, "/") || strings.ContainsAny(text, "?#") || len(text) > maxPath {
		return "", fmt.Errorf("%s: not a path", name)
	}
	return text, nil
}

// split sorts the keys that anybody may use from those that need consent.
func (d *Document) split() {
	all := d.Keys
	if d.PublicKey != nil {
		all = append([]keys.PublicKey{d.PublicKey}, all...)
	}
	for _, key := range all {
		if key.Weak() {
			d.weak = append(d.weak, key)
		} else {
			d.usable = append(d.usable, key)
		}
	}
}

// share puts the usable keys of other in the place of equal ones, so that a key
// stays the same one for as long as its host publishes it: a verifier remembers
// signatures by it.
func (d *Document) share(other *Document) {
	held := make(map[string]keys.PublicKey, len(other.usable))
	for _, key := range other.usable {
		held[string(key.Canonical())] = key
	}
	for i, key := range d.usable {
		if same := held[string(key.Canonical())]; same != nil {
			d.usable[i] = same
		}
	}
}

// UnmarshalJSON reads a support document as [ParseDocument] does, and returns
// its errors. JSON's null is malformed.
func (d *Document) UnmarshalJSON(data []byte) error {
	parsed, err := ParseDocument(data)
	if err != nil {
		return err
	}
	*d = *parsed
	return nil
}

// MarshalJSON writes a document that ParseDocument reads as an equal one: public-key
// in the form that every implementation knows, keys as JWKs.
func (d Document) MarshalJSON() ([]byte, error) {
	if d.Disabled {
		return []byte(`{"disabled":true}`), nil
	}
	if d.Authority != "" {
		return json.Marshal(struct {
			Authority string `json:"authority"`
		}{d.Authority})
	}
	entries, err := marshalKeys(d.Keys)
	if err != nil {
		return nil, err
	}
	return json.Marshal(struct {
		PublicKey      keys.PublicKey    `json:"public-key,omitempty"`
		Keys           []json.RawMessage `json:"keys,omitzero"`
		Authentication string            `json:"authentication,omitempty"`
		Provisioning   string            `json:"provisioning,omitempty"`
	}{d.PublicKey, entries, d.Authentication, d.Provisioning})
}

// marshalKeys gives nil for nil and an empty list for an empty one: a
// document with an empty list supports BrowserID.
func marshalKeys(list []keys.PublicKey) ([]json.RawMessage, error) {
	if list == nil {
		return nil, nil
	}
	entries := make([]json.RawMessage, len(list))
	for i, key := range list {
		jwk, err := key.MarshalJWK()
		if err != nil {
			return nil, fmt.Errorf("keys: entry %d: %w", i+1, err)
		}
		entries[i] = append(bytes.TrimSuffix(jwk, []byte("}")), `,"use":"sig"}`...)
	}
	return entries, nil
}
