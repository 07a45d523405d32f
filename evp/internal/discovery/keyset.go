package discovery

import (
	"encoding/json"
	"errors"

	"github.com/vepverify/vepverify/evp/internal/jose"
	"github.com/vepverify/vepverify/internal/strictjson"
)

// Entry is an entry of a key set. An entry that cannot be used is skipped (rule 9.key-set).
type Entry struct {
	// Key is the key, nil if the entry is skipped.
	Key *jose.PublicKey

	// Algorithm is the algorithm of the key: Ed25519, ES256 or RS256. Bits is the size of
	// the modulus of an RSA key, and 256 for other keys. Both are zero if it is skipped.
	Algorithm string
	Bits      int

	// Skipped is the reason why the entry is skipped, without text of the document.
	Skipped string

	// Kty, Crv, Kid and Alg are the members of these names, as the issuer wrote them. They are
	// empty if the member is absent or not a string.
	Kty, Crv, Kid, Alg string
}

// ParseEntries parses a key set (rule 9.key-set). The error has no text of the document.
func ParseEntries(data []byte) ([]Entry, *Error) {
	object, err := parseObject(data)
	if err != nil {
		return nil, refused("9.refused", "malformed key set: "+err.Error()).advise(adviceKeySet, "")
	}
	raw, _ := object.Get("keys")
	elements, ok := strictjson.Array(raw)
	switch {
	case !ok:
		return nil, refused("9.key-set", "key set without the array keys").advise(adviceKeySet, "")
	case len(elements) > maxEntries:
		return nil, refused("9.key-set", "key set of more than 64 entries").advise(adviceKeySet, "")
	}
	entries := make([]Entry, len(elements))
	for i, element := range elements {
		entries[i] = parseEntry(element)
	}
	return entries, nil
}

// errAlg is the error of an entry whose alg is that of another kind of key, or unknown.
var errAlg = errors.New("its alg is not that of the key")

func parseEntry(jwk json.RawMessage) Entry {
	var e Entry
	object, err := strictjson.ParseObject(jwk)
	if err != nil {
		e.Skipped = "not an object"
		return e
	}
	text := func(name string) string {
		raw, _ := object.Get(name)
		s, _ := strictjson.String(raw)
		return s
	}
	e.Kty, e.Crv, e.Kid, e.Alg = text("kty"), text("crv"), text("kid"), text("alg")
	key, err := jose.PublicKeyOf(object)
	if err == nil && !key.Fits(key.Algorithm()) {
		err = errAlg
	}
	if err != nil {
		e.Skipped = err.Error()
		return e
	}
	e.Key, e.Algorithm, e.Bits = key, key.Algorithm(), key.Bits()
	return e
}

// newKeySet returns the usable keys of the entries.
func newKeySet(m *Metadata, entries []Entry) *KeySet {
	set := &KeySet{HasIssuer: m.HasIssuer, Keys: make([]*jose.PublicKey, 0, len(entries))}
	for _, e := range entries {
		if e.Key != nil {
			set.Keys = append(set.Keys, e.Key)
		}
	}
	set.Skipped = len(entries) - len(set.Keys)
	return set
}
