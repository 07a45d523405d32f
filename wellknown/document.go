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

// Limits of a document (PROTOCOL §3).
const (
	maxKeys       = 16   // entries of "keys"
	maxDSAKeys    = 4    // DSA keys, with public-key; others are skipped: each takes up to 0.6 ms
	maxMembers    = 1000 // of all objects together; colons in strings count too
	maxDelegation = 4096 // bytes of a document that delegates: one lookup reads up to 5 of them
	maxPath       = 2048 // bytes of "authentication" and of "provisioning"
)

// errLimit is the error of a document over a limit. Such a document is not read completely,
// so it is not malformed in the sense of PROTOCOL 4.row3-answers.
var errLimit = errors.New("over a limit")

// Document is a support document by PROTOCOL §3. Exactly one of three is set: Disabled,
// Authority, or the fields after it. A Document must not be modified.
type Document struct {
	Disabled  bool   // the domain opts out
	Authority string // the host to which the domain delegates, in lower case

	// PublicKey is the member "public-key", which may be weak. Nil means that it is absent
	// or too large to use (keys.ErrTooLarge).
	PublicKey keys.PublicKey

	// Keys are the usable entries of "keys" for signatures, with weak ones. Nil means that
	// the document has neither "keys" nor a public-key that is too large.
	Keys []keys.PublicKey

	// Skipped are the published keys that are not read. MarshalJSON does not write them.
	Skipped []SkippedKey

	// Authentication and Provisioning are paths, or empty if the member is absent. That is
	// not an error of the document, because a fallback's may lack them.
	Authentication, Provisioning string

	usable, weak []keys.PublicKey // PublicKey and Keys, by strength
}

// SkippedKey is a published key that is not used, whatever the verifier allows (PROTOCOL
// 3.keys-skipped, 3.keys-dsa).
type SkippedKey struct {
	Entry  int    // of "keys", beginning with 1; 0 means public-key
	Reason string // for people; contains no text of the document
}

// String returns the position and the reason.
func (k SkippedKey) String() string {
	if k.Entry == 0 {
		return "public-key: " + k.Reason
	}
	return fmt.Sprintf("entry %d of keys: %s", k.Entry, k.Reason)
}

// ParseDocument parses a support document by the rules of PROTOCOL §3, and validates its
// keys. An error means that the document is malformed. It contains no text of the document.
func ParseDocument(data []byte) (*Document, error) {
	if bytes.Count(data, []byte(":")) > maxMembers {
		return nil, malformed(fmt.Errorf("%w: too many members", errLimit))
	}
	object, err := strictjson.ParseObject(data)
	if err != nil {
		return nil, malformed(err)
	}
	d := new(Document)
	if err := d.parse(object); err != nil {
		return nil, malformed(err)
	}
	if d.Authority != "" && len(data) > maxDelegation {
		return nil, malformed(fmt.Errorf("%w: too large for a delegation", errLimit))
	}
	return d, nil
}

// parse parses the members in the order of PROTOCOL 3.order. Members after one that decides
// are not examined.
func (d *Document) parse(o strictjson.Object) error {
	if err := d.parseDisabled(o); err != nil || d.Disabled {
		return err
	}
	if err := d.parseAuthority(o); err != nil || d.Authority != "" {
		return err
	}
	return d.parseSupport(o)
}

func malformed(err error) error {
	return fmt.Errorf("malformed support document: %w", err)
}

func (d *Document) parseDisabled(o strictjson.Object) error {
	raw, found := o.Get("disabled")
	if found && string(raw) != "true" && string(raw) != "false" {
		return errors.New("disabled: not a boolean")
	}
	d.Disabled = string(raw) == "true"
	return nil
}

func (d *Document) parseAuthority(o strictjson.Object) error {
	raw, found := o.Get("authority")
	if !found {
		return nil
	}
	text, ok := strictjson.String(raw)
	if !ok {
		return errors.New("authority: not a string")
	}
	if d.Authority, ok = domain.Parse(text); !ok {
		return errors.New("authority: not a host")
	}
	return nil
}

// parseSupport parses the keys and paths of a domain that supports BrowserID.
func (d *Document) parseSupport(o strictjson.Object) (err error) {
	publicKey, hasPublicKey := o.Get("public-key")
	list, hasList := o.Get("keys")
	if !hasPublicKey && !hasList {
		return errors.New("neither public-key nor keys")
	}
	if hasPublicKey {
		if err = d.parsePublicKey(publicKey); err != nil {
			return err
		}
	}
	if hasList {
		if err = d.parseKeys(list); err != nil {
			return err
		}
	}
	d.sortByStrength()
	if d.Authentication, err = parsePath(o, "authentication"); err != nil {
		return err
	}
	d.Provisioning, err = parsePath(o, "provisioning")
	return err
}

// parsePublicKey parses the member "public-key". A key that is too large is not malformed:
// the domain then supports BrowserID with its other keys, or without any (PROTOCOL
// 3.keys-skipped).
func (d *Document) parsePublicKey(raw json.RawMessage) error {
	key, err := parseKey(raw)
	switch {
	case errors.Is(err, keys.ErrTooLarge):
		d.Keys = []keys.PublicKey{}
		d.skip(0, err.Error())
	case err != nil:
		return fmt.Errorf("public-key: %w", err)
	default:
		d.PublicKey = key
	}
	return nil
}

// skip records a key that is not used.
func (d *Document) skip(entry int, reason string) {
	d.Skipped = append(d.Skipped, SkippedKey{entry, reason})
}

// parseKeys parses the entries of "keys", after public-key. It skips entries that are not
// for signatures, of an unknown kind or too large, and DSA keys over the limit.
func (d *Document) parseKeys(raw json.RawMessage) error {
	entries, ok := strictjson.Array(raw)
	if !ok {
		return errors.New("keys: not an array")
	}
	if len(entries) > maxKeys {
		return errors.New("keys: too many")
	}
	d.Keys = make([]keys.PublicKey, 0, len(entries))
	dsa := 0
	if d.PublicKey != nil && strings.HasPrefix(d.PublicKey.Algorithm(), "DS") {
		dsa = 1
	}
	for i, entry := range entries {
		key, skipped, err := parseEntry(entry, &dsa)
		switch {
		case err != nil:
			return fmt.Errorf("keys: entry %d: %w", i+1, err)
		case skipped != "":
			d.skip(i+1, skipped)
		default:
			d.Keys = append(d.Keys, key)
		}
	}
	return nil
}

// parseEntry parses an entry of "keys". For an entry that is skipped, it returns the reason
// instead of a key. dsa counts the DSA keys.
func parseEntry(raw json.RawMessage, dsa *int) (key keys.PublicKey, skipped string, err error) {
	object, err := strictjson.ParseObject(raw)
	if err != nil {
		return nil, "", err
	}
	if !isForSignatures(object) {
		return nil, "use is not sig", nil
	}
	if isDSA(object) {
		if *dsa++; *dsa > maxDSAKeys {
			return nil, fmt.Sprintf("more than %d DSA keys", maxDSAKeys), nil
		}
	}
	key, err = parseKey(raw)
	if isSkipped(object, err) {
		return nil, err.Error(), nil
	}
	return key, "", err
}

// isDSA reports whether the key's kind is DSA, in either form.
func isDSA(key strictjson.Object) bool {
	kty, _ := key.Get("kty")
	algorithm, _ := key.Get("algorithm")
	jwk, _ := strictjson.String(kty)
	legacy, _ := strictjson.String(algorithm)
	return jwk == "DSA" || legacy == "DS"
}

// isSkipped reports whether an entry with that error is skipped: it is a JWK of an unknown
// kind, or too large.
func isSkipped(key strictjson.Object, err error) bool {
	_, jwk := key.Get("kty")
	return jwk && errors.Is(err, keys.ErrUnknownType) || errors.Is(err, keys.ErrTooLarge)
}

// isForSignatures reports whether the key's "use" is "sig" or absent.
func isForSignatures(key strictjson.Object) bool {
	raw, found := key.Get("use")
	if !found {
		return true
	}
	use, _ := strictjson.String(raw)
	return use == "sig"
}

// parseKey parses a key and validates it, which is done once for each document.
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

func parsePath(o strictjson.Object, name string) (string, error) {
	raw, found := o.Get(name)
	if !found {
		return "", nil
	}
	text, ok := strictjson.String(raw)
	if !ok || !strings.HasPrefix(text, "/") || strings.ContainsAny(text, "?#") || len(text) > maxPath {
		return "", fmt.Errorf("%s: not a path", name)
	}
	return text, nil
}

// sortByStrength sets usable and weak.
func (d *Document) sortByStrength() {
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

// reuseKeys replaces usable keys by equal ones of earlier, so that a key is the same value
// as long as its host publishes it: a verifier caches signatures by it.
func (d *Document) reuseKeys(earlier *Document) {
	known := make(map[string]keys.PublicKey, len(earlier.usable))
	for _, key := range earlier.usable {
		known[string(key.Canonical())] = key
	}
	for i, key := range d.usable {
		if same := known[string(key.Canonical())]; same != nil {
			d.usable[i] = same
		}
	}
}

// UnmarshalJSON parses a support document as [ParseDocument] does, and returns its errors.
// JSON's null is malformed.
func (d *Document) UnmarshalJSON(data []byte) error {
	parsed, err := ParseDocument(data)
	if err != nil {
		return err
	}
	*d = *parsed
	return nil
}

// MarshalJSON returns a document that ParseDocument reads as an equal one: public-key in
// the legacy form, which every implementation knows, and keys as JWKs.
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

// marshalKeys returns nil for nil, and an empty list for an empty one: a document with an
// empty list supports BrowserID.
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
