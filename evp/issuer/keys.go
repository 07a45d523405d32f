package issuer

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"slices"
	"sync"

	"github.com/vepverify/vepverify/evp/internal/jose"
	"github.com/vepverify/vepverify/internal/redact"
	"github.com/vepverify/vepverify/internal/strictjson"
)

// The names of the algorithms of tokens, for [GenerateKeys]. EdDSA is the name that
// older browsers and Gmail use for Ed25519; draft-02 forbids it.
const (
	Ed25519 = jose.Ed25519
	EdDSA   = jose.EdDSA
	ES256   = jose.ES256
	RS256   = jose.RS256
)

// MaxKeys is the largest number of keys that [Keys] holds. Verifiers try a limited number.
const MaxKeys = 16

type redacted = redact.Text

// Keys are the keys of an issuer, in this order:
//
//	first   current: it signs all tokens
//	second  next: it is published, so that it is known before it signs
//	others  previous: they are published, so that recent tokens can be verified
//
// There may be one key only. Keys is safe for concurrent use. Its methods that change
// the keys take effect with the next request. The zero Keys has no key until Replace; the
// other methods of a nil or zero one return an error.
type Keys struct {
	redacted // not exported: a printed Keys shows no key
	mu       sync.RWMutex
	ring     []*jose.PrivateKey
}

func newKeys(ring []*jose.PrivateKey) *Keys { return &Keys{redacted: "issuer keys", ring: ring} }

// GenerateKeys generates a current and a next key. alg is Ed25519, ES256, RS256 (2048
// bits), or EdDSA. Any other is an error.
func GenerateKeys(alg string) (*Keys, error) {
	k := newKeys(nil)
	for range 2 {
		key, err := generate(alg)
		if err != nil {
			return nil, fmt.Errorf("issuer: generating a key: %w", err)
		}
		k.ring = append(k.ring, key)
	}
	return k, nil
}

var errNoKeys = errors.New("issuer: Keys: none: use GenerateKeys, ParseKeys or LoadKeys")

func generate(alg string) (*jose.PrivateKey, error) {
	key, err := jose.Generate(alg)
	if err != nil {
		return nil, err
	}
	return key.WithKid(key.Public().Thumbprint()), nil
}

// ParseKeys parses one private JWK, or a set of them: {"keys":[…]} in the order of Keys.
// A member alg decides what tokens name as their alg; without it, that is Ed25519, ES256
// or RS256, whichever the key fits. A member kid is kept; without it, or if it is empty,
// the kid is the thumbprint of the key (RFC 7638). No two keys may have the same kid. The
// error contains no part of a key.
func ParseKeys(data []byte) (*Keys, error) {
	ring, err := parseRing(data)
	if err != nil {
		return nil, fmt.Errorf("issuer: %w", err)
	}
	return checkedKeys(ring)
}

// LoadKeys reads files for [ParseKeys] and joins their keys in the order of the paths. So
// a rotation can be three files: current, next, previous. The error names the file.
func LoadKeys(paths ...string) (*Keys, error) {
	var ring []*jose.PrivateKey
	for _, path := range paths {
		data, err := os.ReadFile(path)
		if err != nil {
			return nil, fmt.Errorf("issuer: %w", err)
		}
		keys, err := parseRing(data)
		if err != nil {
			return nil, fmt.Errorf("issuer: %s: %w", path, err)
		}
		ring = append(ring, keys...)
	}
	return checkedKeys(ring)
}

func parseRing(data []byte) ([]*jose.PrivateKey, error) {
	o, err := strictjson.ParseObject(data)
	if err != nil {
		return nil, err
	}
	entries := []json.RawMessage{data}
	if set, found := o.Get("keys"); found {
		var ok bool
		if entries, ok = strictjson.Array(set); !ok {
			return nil, errors.New(`"keys" is not an array`)
		}
	}
	var ring []*jose.PrivateKey
	for i, entry := range entries {
		key, err := jose.ParsePrivateKey(entry)
		if err != nil {
			return nil, fmt.Errorf("key %d: %w", i+1, err)
		}
		if ring = append(ring, complete(key)); !ring[i].Public().Fits(ring[i].Public().Alg()) {
			return nil, fmt.Errorf("key %d: alg does not fit the key", i+1)
		}
	}
	return ring, nil
}

// complete returns the key with an alg and a kid.
func complete(key *jose.PrivateKey) *jose.PrivateKey {
	if key.Public().Alg() == "" {
		key = key.WithAlg(key.Public().Algorithm())
	}
	if key.Public().Kid() == "" {
		key = key.WithKid(key.Public().Thumbprint())
	}
	return key
}

func checkedKeys(ring []*jose.PrivateKey) (*Keys, error) {
	if len(ring) == 0 || len(ring) > MaxKeys {
		return nil, fmt.Errorf("issuer: keys: %d keys: want 1 to %d", len(ring), MaxKeys)
	}
	seen := make(map[string]bool)
	for i, key := range ring {
		if kid := key.Public().Kid(); seen[kid] {
			return nil, fmt.Errorf("issuer: keys: key %d has the kid of an earlier key", i+1)
		}
		seen[key.Public().Kid()] = true
	}
	return newKeys(ring), nil
}

// Rotate makes the next key the current one, keeps the current one as the previous one,
// drops older ones, and generates a new next key with the same alg. If there is no next
// key, Rotate only generates one.
//
// Rotate at intervals that are longer than Config.MaxAge: until then, verifiers may not
// have seen the next key. Weeks are usual.
func (k *Keys) Rotate() error {
	ring := k.all()
	if len(ring) == 0 {
		return errNoKeys
	}
	fresh, err := generate(ring[0].Public().Alg()) // without the lock: an RSA key takes a while
	if err != nil {
		return fmt.Errorf("issuer: generating a key: %w", err)
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	if len(k.ring) == 1 {
		k.ring = []*jose.PrivateKey{k.ring[0], fresh}
	} else {
		k.ring = []*jose.PrivateKey{k.ring[1], fresh, k.ring[0]}
	}
	return nil
}

// Replace replaces all keys by those of other, such as the result of LoadKeys after the
// files have changed. It returns an error if other has none, or k is nil.
func (k *Keys) Replace(other *Keys) error {
	ring := other.all()
	if k == nil || len(ring) == 0 {
		return errNoKeys
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	k.ring = ring
	return nil
}

// PrivateJWKS returns the private keys for [ParseKeys], to be stored. It must be kept
// secret.
func (k *Keys) PrivateJWKS() ([]byte, error) {
	ring := k.all()
	if len(ring) == 0 {
		return nil, errNoKeys
	}
	var set struct {
		Keys []json.RawMessage `json:"keys"`
	}
	for _, key := range ring {
		jwk, err := key.MarshalJWK()
		if err != nil {
			return nil, fmt.Errorf("issuer: %w", err)
		}
		set.Keys = append(set.Keys, jwk)
	}
	return json.Marshal(set)
}

// PublicJWKS returns the public keys as they are published.
func (k *Keys) PublicJWKS() ([]byte, error) {
	ring := k.all()
	if len(ring) == 0 {
		return nil, errNoKeys
	}
	var set struct {
		Keys []*jose.PublicKey `json:"keys"`
	}
	for _, key := range ring {
		set.Keys = append(set.Keys, key.Public())
	}
	return json.Marshal(set)
}

// algorithms returns the alg of each key, without duplicates, that of the current one
// first.
func (k *Keys) algorithms() (algs []string) {
	for _, key := range k.all() {
		if alg := key.Public().Alg(); !slices.Contains(algs, alg) {
			algs = append(algs, alg)
		}
	}
	return algs
}

func (k *Keys) current() *jose.PrivateKey { return k.all()[0] }

// all returns the keys, nil if k is nil. The slice must not be modified.
func (k *Keys) all() []*jose.PrivateKey {
	if k == nil {
		return nil
	}
	k.mu.RLock()
	defer k.mu.RUnlock()
	return k.ring
}
