package assertion

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"reflect"
	"slices"
	"strings"

	"github.com/vepverify/vepverify/certchain"
	"github.com/vepverify/vepverify/internal/bounded"
	"github.com/vepverify/vepverify/keys"
)

// Limits of a verifier's caches. With the 8 MiB of a wellknown.Resolver they are
// 32 MiB in all.
const (
	maxCertificateBytes = 12 << 20
	maxUserTableBytes   = 8 << 20
	maxIssuerTableBytes = 2 << 20
	maxRejected         = 4096
	maxRejectedBytes    = 2 << 20
)

// cache keeps what a verifier learns from one assertion for the next. Nothing in it
// depends on the time, on trust, or on what a host publishes now: a cached
// certificate still expires, and its issuer must still be the authority and
// publish the key that signed it.
type cache struct {
	certificates *bounded.Cache[string, *verifiedCertificate] // by text
	// rejected has, by the text of a certificate, the digest of the candidates
	// of which none signed it.
	rejected   *bounded.Cache[string, [sha256.Size]byte]
	userKeys   *keyTables
	issuerKeys *keyTables
}

// newCache returns a cache of at most certificates certificates, and keyTables
// tables of users' keys and of issuers' keys. Zero means none.
func newCache(certificates, keyTables int) *cache {
	c := &cache{userKeys: newKeyTables(keyTables, maxUserTableBytes), issuerKeys: newKeyTables(keyTables, maxIssuerTableBytes)}
	if certificates > 0 {
		c.certificates = bounded.New[string, *verifiedCertificate](certificates, maxCertificateBytes)
		c.rejected = bounded.New[string, [sha256.Size]byte](maxRejected, maxRejectedBytes)
	}
	return c
}

// verifiedCertificate is a certificate whose signature was verified.
type verifiedCertificate struct {
	*certchain.Certificate
	key keys.PublicKey // the certified key
	// signer is the key that made the signature. Keys are immutable, and are
	// compared by identity.
	signer keys.PublicKey
}

// parsed returns the certificate, or nil if c is nil.
func (c *verifiedCertificate) parsed() *certchain.Certificate {
	if c == nil {
		return nil
	}
	return c.Certificate
}

// isSignedBy reports whether c is not nil and one of the candidates signed it.
func (c *verifiedCertificate) isSignedBy(candidates []keys.PublicKey) bool {
	return c != nil && slices.ContainsFunc(candidates, func(key keys.PublicKey) bool { return isPointer(key) && key == c.signer })
}

// isPointer reports whether a key can be compared by identity. A KeySource may have keys
// of a type that embeds a PublicKey and is not comparable.
func isPointer(key keys.PublicKey) bool { return reflect.ValueOf(key).Kind() == reflect.Pointer }

// addVerified adds a certificate whose signature was verified, and returns the
// entry, or nil if it cannot be cached.
func (c *cache) addVerified(certificate *certchain.Certificate, certified, signer keys.PublicKey) *verifiedCertificate {
	if c.certificates == nil || !isPointer(signer) {
		return nil
	}
	text, entry := certificate.String(), &verifiedCertificate{certificate, certified, signer}
	c.certificates.Set(text, entry, certificateBytes(len(text)))
	return entry
}

// certificateBytes estimates the memory of a cached certificate whose text has
// this length: the text twice, once decoded, and the structures around it.
func certificateBytes(text int) int64 { return 3*int64(text) + 2048 }

// addRejected adds the text of a certificate that none of the candidates signed.
// That cannot change: another document has other candidates.
func (c *cache) addRejected(text string, candidates []keys.PublicKey) {
	const overhead = 256 // of an entry, in bytes
	if c.rejected != nil {
		c.rejected.Set(strings.Clone(text), digest(candidates), int64(len(text))+overhead)
	}
}

// isRejected reports whether it is known that none of the candidates signed the
// certificate of this text.
func (c *cache) isRejected(text string, candidates []keys.PublicKey) bool {
	tried, ok := c.rejected.Get(text)
	return ok && tried == digest(candidates)
}

// digest returns a hash of a list of keys.
func digest(list []keys.PublicKey) (sum [sha256.Size]byte) {
	h := sha256.New()
	for _, key := range list {
		canonical := sha256.Sum256(key.Canonical())
		h.Write(canonical[:])
	}
	h.Sum(sum[:0])
	return sum
}

// keyTables keeps keys with tables of precomputed values.
type keyTables struct {
	keys *bounded.Cache[keys.PublicKey, keyTable] // nil if there are no tables
}

type keyTable struct {
	uses        int
	precomputed keys.PublicKey // nil before there is a table
}

func newKeyTables(entries int, maxBytes int64) *keyTables {
	if entries <= 0 {
		return new(keyTables)
	}
	return &keyTables{bounded.New[keys.PublicKey, keyTable](entries, maxBytes)}
}

// precomputed returns key, with its table if it has one.
func (t *keyTables) precomputed(key keys.PublicKey) keys.PublicKey {
	if t.keys == nil || !isPointer(key) {
		return key
	}
	if k, _ := t.keys.Get(key); k.precomputed != nil {
		return k.precomputed
	}
	return key
}

// precomputable is implemented by public keys that verify faster with a table.
type precomputable interface {
	Precompute() (key keys.PublicKey, bytes int)
}

// countUse counts a verified signature of key, and makes a table after minUses of
// them. A forged signature must not be counted, so that it causes no table.
func (t *keyTables) countUse(key keys.PublicKey) {
	const (
		minUses    = 2
		entryBytes = 128 // without a table
	)
	p, ok := key.(precomputable)
	if t.keys == nil || !ok || !isPointer(key) {
		return
	}
	k, _ := t.keys.Get(key)
	if k.precomputed != nil {
		return
	}
	k.uses++
	size := entryBytes
	if k.uses >= minUses {
		k.precomputed, size = p.Precompute()
	}
	t.keys.Set(key, k, int64(size))
}

// cloneClaims replaces the values of claims by copies, and returns claims.
func cloneClaims(claims map[string]json.RawMessage) map[string]json.RawMessage {
	for name, value := range claims {
		claims[name] = bytes.Clone(value)
	}
	return claims
}
