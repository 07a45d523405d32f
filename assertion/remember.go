package assertion

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"

	"github.com/vepverify/vepverify/certchain"
	"github.com/vepverify/vepverify/internal/bounded"
	"github.com/vepverify/vepverify/keys"
)

// Bounds of what a verifier remembers by default. With the 8 MiB of a
// wellknown.Resolver it is 32 MiB in all.
const (
	defaultCertificates  = 4096
	maxCertificateBytes  = 12 << 20
	defaultKeyTables     = 1024
	maxUserTableBytes    = 8 << 20
	maxIssuerTableBytes  = 2 << 20
	usesBeforeTable      = 2
	bytesOfUntabledEntry = 128
	maxRefused           = 4096
	maxRefusedBytes      = 2 << 20
	bytesOfRefusal       = 256
)

// memory is what a verifier learns from one assertion for the next. It holds
// nothing that depends on time, on who is trusted or on what a host says now: a
// certificate of which it is known whose signature it has still expires, and its
// issuer still has to be the authority and to publish that key.
type memory struct {
	certificates *bounded.Cache[string, *remembered]
	// refused has the texts of certificates, and the digest of the keys of which
	// none signed them.
	refused    *bounded.Cache[string, [sha256.Size]byte]
	userKeys   *tables
	issuerKeys *tables
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
		m.refused = bounded.New[string, [sha256.Size]byte](maxRefused, maxRefusedBytes)
	}
	return m
}

// bytesOfCertificate estimates the memory that a remembered certificate takes:
// its text twice, once decoded, and the structures around it.
func bytesOfCertificate(text int) int64 { return 3*int64(text) + 2048 }

// isPointer says whether identity is the identity of a key; a source of
// somebody else's might use other types, which may not even be comparable.
func isPointer(key keys.PublicKey) bool { return reflect.ValueOf(key).Kind() == reflect.Pointer }

// verifyCertificate checks that one of the candidates signed the i-th certificate
// of the chain, and remembers the outcome.
func (r *run) verifyCertificate(i int, candidates []keys.PublicKey) error {
	if r.known[i].isBy(candidates) {
		return nil
	}
	if r.memory.isRefused(r.texts[i], candidates) {
		return fmt.Errorf("certificate %d of %d, refused before: %w", i+1, len(r.chain), certchain.ErrSignature)
	}
	fast := candidates
	if i == 0 {
		fast = r.speedUp(candidates)
	}
	signer, err := r.chain[i:i+1].Verify(r.certified[i:i+1], fast)
	switch {
	case err == nil:
		if i == 0 {
			r.memory.issuerKeys.use(candidates[signer])
		}
		r.known[i] = r.memory.remember(r.chain[i], r.certified[i], candidates[signer])
	case errors.Is(err, certchain.ErrSignature):
		r.memory.refuse(r.texts[i], candidates)
	}
	return err
}

// remember keeps a certificate whose signature was verified, and returns what it
// keeps, nil if that is nothing.
func (m *memory) remember(c *certchain.Certificate, certified, signer keys.PublicKey) *remembered {
	if m.certificates == nil || !isPointer(signer) {
		return nil
	}
	text, known := c.String(), &remembered{c, certified, signer}
	m.certificates.Set(text, known, bytesOfCertificate(len(text)))
	return known
}

// isBy reports whether it is known that one of the candidates signed the
// certificate.
func (c *remembered) isBy(candidates []keys.PublicKey) bool {
	return c != nil && slices.ContainsFunc(candidates, func(key keys.PublicKey) bool { return isPointer(key) && key == c.signer })
}

// refuse remembers that none of the candidates signed the certificate of this
// text. That is known of these very numbers and this very text and cannot change;
// a document with other keys has other candidates.
func (m *memory) refuse(text string, candidates []keys.PublicKey) {
	if m.refused != nil {
		m.refused.Set(strings.Clone(text), digest(candidates), int64(len(text))+bytesOfRefusal)
	}
}

func (m *memory) isRefused(text string, candidates []keys.PublicKey) bool {
	by, ok := m.refused.Get(text)
	return ok && by == digest(candidates)
}

// digest names a list of keys by their numbers.
func digest(list []keys.PublicKey) (sum [sha256.Size]byte) {
	h := sha256.New()
	for _, key := range list {
		canonical := sha256.Sum256(key.Canonical())
		h.Write(canonical[:])
	}
	h.Sum(sum[:0])
	return sum
}

// speedUp returns the candidates, those that have a table with it.
func (r *run) speedUp(candidates []keys.PublicKey) []keys.PublicKey {
	r.fast = r.fast[:0]
	for _, key := range candidates {
		r.fast = append(r.fast, r.memory.issuerKeys.fast(key))
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

// fast returns key, with its table if there is one.
func (t *tables) fast(key keys.PublicKey) keys.PublicKey {
	if t.keys == nil || !isPointer(key) {
		return key
	}
	if k, _ := t.keys.Get(key); k.fast != nil {
		return k.fast
	}
	return key
}

// precomputable is implemented by public keys that verify faster with a table.
type precomputable interface {
	Precompute() (key keys.PublicKey, bytes int)
}

// use counts a signature that key made, and makes the table when there were enough
// for one to pay. Forged signatures do not count, so that one costs no table.
func (t *tables) use(key keys.PublicKey) {
	slow, can := key.(precomputable)
	if t.keys == nil || !can || !isPointer(key) {
		return
	}
	k, _ := t.keys.Get(key)
	if k.fast != nil {
		return
	}
	k.uses++
	size := bytesOfUntabledEntry
	if k.uses >= usesBeforeTable {
		k.fast, size = slow.Precompute()
	}
	t.keys.Set(key, k, int64(size))
}

// copied gives claims that share no memory with a remembered certificate.
func copied(claims map[string]json.RawMessage) map[string]json.RawMessage {
	for name, value := range claims {
		claims[name] = bytes.Clone(value)
	}
	return claims
}
