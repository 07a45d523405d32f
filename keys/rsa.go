package keys

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"math/big"
	"sync"

	"github.com/vepverify/vepverify/keys/internal/pkcs1"
	"github.com/vepverify/vepverify/keys/internal/weakrsa"
)

func init() { register(rsaFamily) }

var rsaFamily = &family{
	legacy:   "RS",
	kty:      "RSA",
	notation: decimal,
	names:    []string{RS64, RS128, RS256},
	maxBits:  rsaMaxBits,
	tooLong:  ErrTooLarge,
	public:   readRSAPublic,
	private:  readRSAPrivate,
	generate: generateRSA,
}

// rsaStandard is the length in bits from which crypto/rsa takes a modulus, and
// from which a key is not weak.
const rsaStandard = 1024

// Beyond these lengths in bits a verification costs so much that a single request
// could occupy the verifier. No maker of keys, archive or client is known to have
// a larger key.
const (
	rsaMaxBits = 4096
	// rsaFreeBits is the longest modulus with which e may be beyond 65537.
	rsaFreeBits = 2048
)

// rsaName gives the algorithm that a modulus of so many bits implies.
func rsaName(bits int) (name string, ok bool) {
	switch {
	case bits == 511 || bits == 512:
		return RS64, true
	case bits == 1023 || bits == 1024:
		return RS128, true
	case 2047 <= bits && bits <= rsaMaxBits:
		return RS256, true
	}
	return "", false
}

// rsaPublic implements [PublicKey].
type rsaPublic struct {
	name string
	n, e *big.Int
	// verifier is nil if the key is weak. That of a long key is made when the key
	// is first used: a document may have 17 of them, of which four are tried.
	verifier *pkcs1.Verifier
	first    sync.Once // use of a key of more than rsaFreeBits bits
}

func newRSAPublic(name string, n, e *big.Int) *rsaPublic {
	k := &rsaPublic{name: name, n: n, e: e}
	if !k.Weak() && n.BitLen() <= rsaFreeBits {
		k.prepare()
	}
	return k
}

func (k *rsaPublic) prepare() {
	if v, err := pkcs1.New(k.n, k.e); err == nil {
		k.verifier = v
	}
}

func readRSAPublic(r *reader) (PublicKey, error) {
	k, err := readRSA(r)
	if err != nil { // k must not become a PublicKey that is not nil
		return nil, err
	}
	return k, nil
}

func readRSA(r *reader) (*rsaPublic, error) {
	n, e := r.number("n"), r.number("e")
	if r.err != nil {
		return nil, r.err
	}
	name, ok := rsaName(n.BitLen())
	switch {
	case !ok:
		return nil, malformed("a size of modulus that no algorithm has")
	case n.BitLen() > rsaFreeBits && e.Cmp(rsaF4) > 0:
		return nil, tooLarge("a modulus of more than 2048 bits with an exponent above 65537")
	case n.Bit(0) == 0:
		return nil, malformed("modulus is even")
	case e.Bit(0) == 0 || e.BitLen() < 2 || e.BitLen() > 31: // 3 ≤ e < 2³¹
		return nil, malformed("exponent is even or out of range")
	}
	return newRSAPublic(name, n, e), nil
}

// rsaF4 is the largest exponent in use.
var rsaF4 = big.NewInt(65537)

func (k *rsaPublic) Algorithm() string { return k.name }

func (k *rsaPublic) Weak() bool { return k.n.BitLen() < rsaStandard }

// Verify implements [PublicKey].
func (k *rsaPublic) Verify(message, signature []byte) error {
	digest := sha256.Sum256(message)
	var room [rsaMaxBits / 8]byte
	if !k.verify(&digest, leftPad(room[:0], signature, (k.n.BitLen()+7)/8)) {
		return ErrSignature
	}
	return nil
}

func (k *rsaPublic) verify(digest *[sha256.Size]byte, signature []byte) bool {
	if k.n.BitLen() > rsaFreeBits {
		k.first.Do(k.prepare)
	}
	if k.verifier != nil {
		return k.verifier.Verify(digest, signature)
	}
	return k.weak().Verify(digest[:], signature)
}

func (k *rsaPublic) weak() *weakrsa.PublicKey { return &weakrsa.PublicKey{N: k.n, E: k.e} }

func (k *rsaPublic) standard() *rsa.PublicKey {
	return &rsa.PublicKey{N: k.n, E: int(k.e.Int64())}
}

// Validate has nothing to add to what was checked when the key was read.
func (k *rsaPublic) Validate() error { return nil }

func (k *rsaPublic) Canonical() []byte { return canonical(k.name, k.n, k.e) }

// Equal implements [PublicKey].
func (k *rsaPublic) Equal(other PublicKey) bool {
	o, ok := other.(*rsaPublic)
	return ok && k.n.Cmp(o.n) == 0 && k.e.Cmp(o.e) == 0
}

func (k *rsaPublic) members() []member { return []member{{"n", k.n}, {"e", k.e}} }

func (k *rsaPublic) MarshalJSON() ([]byte, error) { return rsaFamily.writeLegacy(k.members()...) }

func (k *rsaPublic) MarshalJWK() ([]byte, error) { return rsaFamily.writeJWK(k.members()...) }

// generateRSA makes keys of the length that each name is known for, with the
// usual exponent.
func generateRSA(name string) (PrivateKey, error) {
	bits := map[string]int{RS64: 512, RS128: 1024, RS256: 2048}[name]
	if bits >= rsaStandard {
		k, err := rsa.GenerateKey(rand.Reader, bits)
		if err != nil {
			return nil, err
		}
		public := newRSAPublic(name, k.N, big.NewInt(int64(k.E)))
		return newRSAPrivate(public, k.D, k.Primes[0], k.Primes[1])
	}
	e := big.NewInt(65537)
	p, q, err := weakrsa.GeneratePrimes(bits, e)
	if err != nil {
		return nil, err
	}
	public := newRSAPublic(name, new(big.Int).Mul(p, q), e)
	return newRSAPrivate(public, new(big.Int).ModInverse(e, totient(p, q)), p, q)
}
