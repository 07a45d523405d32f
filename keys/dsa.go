package keys

import (
	"crypto/rand"
	"crypto/sha1"
	"crypto/sha256"
	"hash"
	"math/big"

	"github.com/vepverify/vepverify/keys/internal/dsa"
)

func init() {
	register(dsaFamily)
	for _, v := range []*dsaVariant{ds128, ds256} {
		for _, n := range []*big.Int{v.group.P, v.group.Q, v.group.G} {
			commonNumbers[n.Text(16)] = n
		}
	}
}

var dsaFamily = &family{
	legacy:   "DS",
	kty:      "DSA",
	notation: hexadecimal,
	names:    []string{ds128.name, ds256.name},
	maxBits:  ds256.pBits,
	tooLong:  ErrMalformed,
	public:   parseDSAPublic,
	private:  parseDSAPrivate,
	generate: generateDSA,
}

// dsaVariant is one row of the table of PROTOCOL §2.
type dsaVariant struct {
	name         string
	pBits, qBits int
	hash         func() hash.Hash
	group        *dsa.Group // of the keys that Generate makes
}

var (
	ds128 = &dsaVariant{DS128, 1024, 160, sha1.New, dsa.FIPS1024}
	ds256 = &dsaVariant{DS256, 2048, 256, sha256.New, dsa.FIPS2048}
)

// digest hashes a message as v.hash would, without allocating.
func (v *dsaVariant) digest(message []byte) (digest [sha256.Size]byte, size int) {
	if v == ds128 {
		d := sha1.Sum(message)
		return digest, copy(digest[:], d[:])
	}
	return sha256.Sum256(message), sha256.Size
}

// dsaPublic implements [PublicKey].
type dsaPublic struct {
	*dsaVariant
	key *dsa.Verifier
}

func parseDSAPublic(r *reader) (PublicKey, error) {
	p, q, g, y := r.number("p"), r.number("q"), r.number("g"), r.number("y")
	if r.err != nil {
		return nil, r.err
	}
	k, err := newDSAPublic(dsa.PublicKey{P: p, Q: q, G: g, Y: y})
	if err != nil { // a nil *dsaPublic must not become a PublicKey that is not nil
		return nil, err
	}
	return k, nil
}

func newDSAPublic(k dsa.PublicKey) (*dsaPublic, error) {
	v, err := dsaVariantOf(k.P, k.Q, k.G)
	if err != nil {
		return nil, err
	}
	if !inRange(k.Y, k.P) {
		return nil, malformed("y is out of range")
	}
	return &dsaPublic{v, k.Verifier()}, nil
}

// dsaVariantOf returns the variant of a group. It makes the fast checks only. Validate
// makes the slow ones.
func dsaVariantOf(p, q, g *big.Int) (*dsaVariant, error) {
	switch {
	case p.Bit(0) == 0 || q.Bit(0) == 0:
		return nil, malformed("p or q is even")
	case !inRange(g, p):
		return nil, malformed("g is out of range")
	}
	for _, v := range []*dsaVariant{ds128, ds256} {
		if p.BitLen() == v.pBits && q.BitLen() == v.qBits {
			return v, nil
		}
	}
	return nil, malformed("no algorithm has p and q of these sizes")
}

// inRange reports whether 1 < n < p.
func inRange(n, p *big.Int) bool { return n.Cmp(one) > 0 && n.Cmp(p) < 0 }

func (k *dsaPublic) Algorithm() string { return k.name }

func (k *dsaPublic) Bits() int { return k.pBits }

func (k *dsaPublic) Weak() bool { return false }

func (k *dsaPublic) Verify(message, signature []byte) error {
	digest, size := k.digest(message)
	var buf [2 * sha256.Size]byte
	if !k.key.Verify(digest[:size], leftPad(buf[:0], signature, k.key.Size())) {
		return ErrSignature
	}
	return nil
}

// Precompute returns an equal key with a table of powers, which makes verification
// faster, and the size of the table in bytes. It takes as long as one or two
// verifications. Package assertion calls it for keys that it uses repeatedly.
func (k *dsaPublic) Precompute() (key PublicKey, bytes int) {
	fast := k.key.WithTable()
	return &dsaPublic{k.dsaVariant, fast}, fast.Memory()
}

func (k *dsaPublic) Validate() error {
	if !k.key.InGroup() {
		return malformed("g or y is not in the group of order q")
	}
	return nil
}

func (k *dsaPublic) Canonical() []byte {
	return canonical(k.name, k.key.P, k.key.Q, k.key.G, k.key.Y)
}

func (k *dsaPublic) Equal(other PublicKey) bool {
	o, ok := other.(*dsaPublic)
	return ok && k.key.P.Cmp(o.key.P) == 0 && k.key.Q.Cmp(o.key.Q) == 0 &&
		k.key.G.Cmp(o.key.G) == 0 && k.key.Y.Cmp(o.key.Y) == 0
}

func (k *dsaPublic) members() []member { return dsaMembers(&k.key.PublicKey, "y", k.key.Y) }

func (k *dsaPublic) MarshalJSON() ([]byte, error) { return dsaFamily.marshalLegacy(k.members()...) }

func (k *dsaPublic) MarshalJWK() ([]byte, error) { return dsaFamily.marshalJWK(k.members()...) }

func dsaMembers(k *dsa.PublicKey, name string, value *big.Int) []member {
	return []member{{"p", k.P}, {"q", k.Q}, {"g", k.G}, {name, value}}
}

// dsaPrivate implements [PrivateKey].
type dsaPrivate struct {
	redacted
	public *dsaPublic
	key    *dsa.PrivateKey
}

func parseDSAPrivate(r *reader) (PrivateKey, error) {
	p, q, g, x := r.number("p"), r.number("q"), r.number("g"), r.number("x")
	if r.err != nil {
		return nil, r.err
	}
	if _, err := dsaVariantOf(p, q, g); err != nil {
		return nil, err
	}
	if x.Sign() <= 0 || x.Cmp(q) >= 0 {
		return nil, malformed("x is out of range")
	}
	k := dsa.NewPrivateKey(p, q, g, x)
	r.agrees("y", k.Y)
	if r.err != nil {
		return nil, r.err
	}
	return newDSAPrivate(k)
}

func newDSAPrivate(k *dsa.PrivateKey) (PrivateKey, error) {
	public, err := newDSAPublic(k.PublicKey)
	if err != nil {
		return nil, err
	}
	if err := public.Validate(); err != nil {
		return nil, err
	}
	return &dsaPrivate{redactedKey(public.name), public, k}, nil
}

// generateDSA draws x uniformly from 1 … q−1.
func generateDSA(name string) (PrivateKey, error) {
	v := ds128
	if name == ds256.name {
		v = ds256
	}
	x, err := rand.Int(rand.Reader, new(big.Int).Sub(v.group.Q, one))
	if err != nil {
		return nil, err
	}
	return newDSAPrivate(dsa.NewPrivateKey(v.group.P, v.group.Q, v.group.G, x.Add(x, one)))
}

func (k *dsaPrivate) Algorithm() string { return k.public.name }

func (k *dsaPrivate) Public() PublicKey { return k.public }

func (k *dsaPrivate) Sign(message []byte) ([]byte, error) {
	digest, size := k.public.digest(message)
	return k.key.Sign(k.public.hash, digest[:size])
}

func (k *dsaPrivate) members() []member { return dsaMembers(&k.public.key.PublicKey, "x", k.key.X) }

func (k *dsaPrivate) MarshalJSON() ([]byte, error) { return dsaFamily.marshalLegacy(k.members()...) }

func (k *dsaPrivate) MarshalJWK() ([]byte, error) { return dsaFamily.marshalJWK(k.members()...) }
