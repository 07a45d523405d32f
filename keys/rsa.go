package keys

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"fmt"
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
	public:   parseRSAPublic,
	private:  parseRSAPrivate,
	generate: generateRSA,
}

// rsaStrongBits is the length in bits of the shortest modulus that crypto/rsa accepts.
// A key with a shorter one is weak.
const rsaStrongBits = 1024

// The longest moduli, in bits. Beyond these limits a verification costs so much that a
// single request could occupy the verifier. No generator of keys, archive or client is
// known to have a larger key.
const (
	rsaMaxBits = 4096
	// rsaMaxBitsLargeE is the limit if e is above 65537.
	rsaMaxBitsLargeE = 2048
)

// rsaAlgorithm returns the name of the algorithm that a modulus of the given length
// implies.
func rsaAlgorithm(bits int) (name string, ok bool) {
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

	// verifier is prepared when the key is made or, if n is long, when the key is
	// first used: a document may have 17 long keys, of which four are tried.
	verifier *pkcs1.Verifier
	once     sync.Once // prepares the verifier of a long key
}

func newRSAPublic(name string, n, e *big.Int) *rsaPublic {
	k := &rsaPublic{name: name, n: n, e: e}
	if !k.long() {
		k.prepare()
	}
	return k
}

// long reports whether the verifier is prepared when the key is first used.
func (k *rsaPublic) long() bool { return k.n.BitLen() > rsaMaxBitsLargeE }

// prepare sets the verifier. It leaves it nil if pkcs1 rejects the key, which cannot
// happen after the checks of readRSA.
func (k *rsaPublic) prepare() {
	if v, err := pkcs1.New(k.n, k.e); err == nil {
		k.verifier = v
	}
}

func parseRSAPublic(r *reader) (PublicKey, error) {
	k, err := readRSA(r)
	if err != nil { // a nil *rsaPublic must not become a PublicKey that is not nil
		return nil, err
	}
	return k, nil
}

func readRSA(r *reader) (*rsaPublic, error) {
	n, e := r.number("n"), r.number("e")
	if r.err != nil {
		return nil, r.err
	}
	name, ok := rsaAlgorithm(n.BitLen())
	switch {
	case !ok:
		return nil, malformed(fmt.Sprintf("no algorithm has a modulus of %d bits", n.BitLen()))
	case n.BitLen() > rsaMaxBitsLargeE && e.Cmp(rsaF4) > 0:
		return nil, tooLarge(fmt.Sprintf("a modulus of %d bits, more than 2048, with an exponent above 65537", n.BitLen()))
	case n.Bit(0) == 0:
		return nil, malformed("modulus is even")
	case e.Bit(0) == 0 || e.BitLen() < 2 || e.BitLen() > 31: // 3 ≤ e < 2³¹
		return nil, malformed("exponent is even or out of range")
	}
	return newRSAPublic(name, n, e), nil
}

// rsaF4 is the largest exponent in common use.
var rsaF4 = big.NewInt(65537)

func (k *rsaPublic) Algorithm() string { return k.name }

func (k *rsaPublic) Bits() int { return k.n.BitLen() }

func (k *rsaPublic) Weak() bool { return k.Bits() < rsaStrongBits }

func (k *rsaPublic) Verify(message, signature []byte) error {
	if k.long() {
		k.once.Do(k.prepare)
	}
	digest := sha256.Sum256(message)
	var buf [rsaMaxBits / 8]byte
	if k.verifier == nil || !k.verifier.Verify(&digest, leftPad(buf[:0], signature, k.verifier.Size())) {
		return ErrSignature
	}
	return nil
}

// Validate has nothing to add to the checks of parsing.
func (k *rsaPublic) Validate() error { return nil }

func (k *rsaPublic) Canonical() []byte { return canonical(k.name, k.n, k.e) }

func (k *rsaPublic) Equal(other PublicKey) bool {
	o, ok := other.(*rsaPublic)
	return ok && k.n.Cmp(o.n) == 0 && k.e.Cmp(o.e) == 0
}

func (k *rsaPublic) members() []member { return []member{{"n", k.n}, {"e", k.e}} }

func (k *rsaPublic) MarshalJSON() ([]byte, error) { return rsaFamily.marshalLegacy(k.members()...) }

func (k *rsaPublic) MarshalJWK() ([]byte, error) { return rsaFamily.marshalJWK(k.members()...) }

// standard returns the key for crypto/rsa.
func (k *rsaPublic) standard() rsa.PublicKey {
	return rsa.PublicKey{N: k.n, E: int(k.e.Int64())}
}

// generateRSA generates a key with a modulus of the usual length for the algorithm and
// the exponent 65537.
func generateRSA(name string) (PrivateKey, error) {
	bits := map[string]int{RS64: 512, RS128: 1024, RS256: 2048}[name]
	if bits >= rsaStrongBits {
		k, err := rsa.GenerateKey(rand.Reader, bits)
		if err != nil {
			return nil, err
		}
		public := newRSAPublic(name, k.N, big.NewInt(int64(k.E)))
		return newRSAPrivate(public, k.D, k.Primes[0], k.Primes[1])
	}
	p, q, err := weakrsa.GeneratePrimes(bits, rsaF4)
	if err != nil {
		return nil, err
	}
	public := newRSAPublic(name, new(big.Int).Mul(p, q), rsaF4)
	return newRSAPrivate(public, new(big.Int).ModInverse(rsaF4, totient(p, q)), p, q)
}
