package assertion

import (
	"bytes"
	"encoding/json"
	"reflect"
	"slices"

	"github.com/vepverify/vepverify/certchain"
	"github.com/vepverify/vepverify/internal/bounded"
	"github.com/vepverify/vepverify/keys"
)

// Bounds of what a verifier remembers by default. With the 8 MiB of a
// wellknown.Resolver it is 30 MiB in all.
const (
	defaultCertificates  = 4096
	maxCertificateBytes  = 12 << 20
	defaultKeyTables     = 1024
	maxUserTableBytes    = 8 << 20
	maxIssuerTableBytes  = 2 << 20
	usesBeforeTable      = 2
	bytesOfUntabledEntry = 128
)

// memory is what a verifier learns from one assertion for the next. It holds
// nothing that depends on time, on who is trusted or on what a host says now: a
// certificate of which it is known whose signature it has still expires, and its
// issuer still has to be the authority and to publish that key.
type memory struct {
	certificates *bounded.Cache[string, *remembered]
	userKeys     *tables
	issuerKeys   *tables
}

// remembered is a certificate whose signature was verified.
type remembered struct {
	*certchain.Certificate
	key keys.PublicKey // the certified one
	// signer is the very key that made the signature: the identity of a key
	// that does not change, held by whoever published it.
	signer keys.PublicKey
}

// certificate is the remembered one, nil when there is none.
func (c *remembered) certificate() *certchain.Certificate {
	if c == nil {
		return nil
	}
	return c.Certificate
}

func newMemory(certificates, keyTables int) *memory {
	m := &memory{userKeys: newTables(keyTables, maxUserTableBytes), issuerKeys: newTables(keyTables, maxIssuerTableBytes)}
	if certificates > 0 {
		m.certificates = bounded.New[string, *remembered](certificates, maxCertificateBytes)
	}
	return m
}

// remember keeps certificates whose signatures hold; signer made the first one.
func (m *memory) remember(chain []*certchain.Certificate, certified []keys.PublicKey, signer keys.PublicKey) {
	if m.certificates == nil {
		return
	}
	for i, c := range chain {
		if i > 0 {
			signer = certified[i-1]
		}
		if !isPointer(signer) {
			return
		}
		text := c.String()
		m.certificates.Set(text, &remembered{c, certified[i], signer}, bytesOfCertificate(len(text)))
	}
}

// bytesOfCertificate estimates the memory that a remembered certificate takes:
// its text twice, once decoded, and the structures around it.
func bytesOfCertificate(text int) int64 { return 3*int64(text) + 2048 }

// isPointer says whether identity is the identity of a key; a source of
// somebody else's might use other types, which may not even be comparable.
func isPointer(key keys.PublicKey) bool { return reflect.ValueOf(key).Kind() == reflect.Pointer }

// isRemembered says whether the signatures of the whole chain are known to
// hold, the first one by one of the published keys.
func (r *run) isRemembered(published []keys.PublicKey) bool {
	for i, known := range r.known {
		if known == nil || !slices.ContainsFunc(published, func(key keys.PublicKey) bool { return isPointer(key) && key == known.signer }) {
			return false
		}
		published = r.certified[i : i+1]
	}
	return true
}

// speedUp gives the published keys, those that fit alg with a table where they
// have one.
func (r *run) speedUp(published []keys.PublicKey, alg string) []keys.PublicKey {
	r.fast = r.fast[:0]
	for _, key := range published {
		if key.Algorithm() == alg {
			key = r.memory.issuerKeys.use(key)
		}
		r.fast = append(r.fast, key)
	}
	return r.fast
}

// tables makes keys that are used again and again faster.
type tables struct {
	keys *bounded.Cache[keys.PublicKey, tabled]
}

type tabled struct {
	uses int
	fast keys.PublicKey // nil before there is a table
}

func newTables(entries int, maxBytes int64) *tables {
	if entries <= 0 {
		return new(tables)
	}
	return &tables{bounded.New[keys.PublicKey, tabled](entries, maxBytes)}
}

// use gives key, with a table when it has been used often enough for one to pay.
func (t *tables) use(key keys.PublicKey) keys.PublicKey {
	slow, can := key.(keys.Precomputable)
	if t.keys == nil || !can || !isPointer(key) {
		return key
	}
	k, _ := t.keys.Get(key)
	if k.fast != nil {
		return k.fast
	}
	k.uses++
	size := bytesOfUntabledEntry
	if k.uses >= usesBeforeTable {
		k.fast, size = slow.Precompute()
	}
	t.keys.Set(key, k, int64(size))
	if k.fast != nil {
		return k.fast
	}
	return key
}

// copied gives claims that share no memory with a remembered certificate.
func copied(claims map[string]json.RawMessage) map[string]json.RawMessage {
	for name, value := range claims {
		claims[name] = bytes.Clone(value)
	}
	return claims
}
