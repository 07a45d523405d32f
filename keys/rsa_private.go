package keys

import (
	"crypto"
	"crypto/rsa"
	"crypto/sha256"
	"fmt"
	"math/big"

	"github.com/vepverify/vepverify/keys/internal/weakrsa"
)

// rsaPrivate implements [PrivateKey].
type rsaPrivate struct {
	redacted
	public   *rsaPublic
	d, p, q  *big.Int
	standard *rsa.PrivateKey // nil if the key is weak
}

// parseRSAPrivate reads n, e and d. All other members of the form are optional, but
// must fit.
func parseRSAPrivate(r *reader) (PrivateKey, error) {
	public, err := readRSA(r)
	if err != nil {
		return nil, err
	}
	if r.has("oth") {
		return nil, malformed("more than two primes")
	}
	d := r.number("d")
	if r.err != nil {
		return nil, r.err
	}
	p := readRSAPrime(r, public, d)
	if r.err != nil {
		return nil, r.err
	}
	if p == nil || p.Cmp(one) <= 0 {
		return nil, errRSA
	}
	k, err := newRSAPrivate(public, d, p, new(big.Int).Quo(public.n, p))
	if err != nil {
		return nil, err
	}
	for _, m := range k.(*rsaPrivate).crt() {
		r.agrees(m.name, m.value)
	}
	if r.err != nil {
		return nil, r.err
	}
	return k, nil
}

// errRSA is the same for every fault of d, p and q, so that it reveals nothing about d.
var errRSA = malformed("n, e and d do not form a key with two primes")

// readRSAPrime returns p: the member p, or the quotient of n and the member q, or the
// larger prime factor of n, found by means of d. The caller checks whether it is prime.
func readRSAPrime(r *reader, public *rsaPublic, d *big.Int) *big.Int {
	switch {
	case r.has("p"):
		return r.number("p")
	case r.has("q"):
		if q := r.number("q"); q.Sign() > 0 {
			return q.Quo(public.n, q)
		}
		return nil
	case d.Sign() <= 0 || d.Cmp(public.n) >= 0:
		return nil
	}
	return factor(public.n, public.e, d)
}

// newRSAPrivate checks that the numbers form a key: n = p·q for two different primes,
// and d·e ≡ 1 modulo p−1 and q−1.
func newRSAPrivate(public *rsaPublic, d, p, q *big.Int) (PrivateKey, error) {
	k := &rsaPrivate{redactedKey(public.name), public, d, p, q, nil}
	if !k.consistent() {
		return nil, errRSA
	}
	if public.Weak() {
		return k, nil
	}
	k.standard = &rsa.PrivateKey{PublicKey: public.standard(), D: d, Primes: []*big.Int{p, q}}
	k.standard.Precompute()
	if err := k.standard.Validate(); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrMalformed, err)
	}
	return k, nil
}

func (k *rsaPrivate) consistent() bool {
	if new(big.Int).Mul(k.p, k.q).Cmp(k.public.n) != 0 || k.p.Cmp(k.q) == 0 ||
		k.d.Sign() <= 0 || k.d.Cmp(k.public.n) >= 0 {
		return false
	}
	de := new(big.Int).Mul(k.d, k.public.e)
	for _, prime := range []*big.Int{k.p, k.q} {
		// Baillie–PSW: no composite number is known that passes it.
		if !prime.ProbablyPrime(0) {
			return false
		}
		m := new(big.Int).Sub(prime, one)
		if m.Mod(de, m).Cmp(one) != 0 {
			return false
		}
	}
	return true
}

// bases are 40 primes: the probability that none of them factors a key is at most 2⁻⁴⁰.
var bases = []int64{
	2, 3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37, 41, 43, 47, 53, 59, 61, 67, 71, 73, 79, 83, 89,
	97, 101, 103, 107, 109, 113, 127, 131, 137, 139, 149, 151, 157, 163, 167, 173,
}

// factor returns the larger prime factor of n, or nil if n, e and d do not form a key.
// It is the method of NIST SP 800-56B, appendix C.1, with small primes in place of
// random numbers: a square root of 1 other than ±1 shares a prime factor with n, and
// each base yields one with a probability of at least one half.
func factor(n, e, d *big.Int) *big.Int {
	order := new(big.Int).Mul(d, e)
	order.Sub(order, one)
	if order.Sign() <= 0 || n.ProbablyPrime(0) {
		return nil
	}
	twos := order.TrailingZeroBits()
	odd := new(big.Int).Rsh(order, twos)
	for _, base := range bases {
		root, isOne := rootOfOne(new(big.Int).Exp(big.NewInt(base), odd, n), n, twos)
		if !isOne { // d·e − 1 is not a multiple of the order
			return nil
		}
		if root != nil {
			p := root.GCD(nil, nil, root.Sub(root, one), n)
			return larger(p, new(big.Int).Quo(n, p))
		}
	}
	return nil
}

// rootOfOne squares x up to the given number of times, until it is 1 modulo n, which
// isOne reports. root is the last value before 1. It is nil if that value is −1, or if x
// was 1 from the beginning.
func rootOfOne(x, n *big.Int, times uint) (root *big.Int, isOne bool) {
	minusOne := new(big.Int).Sub(n, one)
	if x.Cmp(one) == 0 {
		return nil, true
	}
	for range times {
		square := new(big.Int).Mul(x, x)
		if square.Mod(square, n).Cmp(one) == 0 {
			if x.Cmp(minusOne) == 0 {
				x = nil
			}
			return x, true
		}
		x = square
	}
	return nil, false
}

func larger(a, b *big.Int) *big.Int {
	if a.Cmp(b) > 0 {
		return a
	}
	return b
}

func totient(p, q *big.Int) *big.Int {
	return new(big.Int).Mul(new(big.Int).Sub(p, one), new(big.Int).Sub(q, one))
}

// crt returns the members of RFC 7518, section 6.3.2, other than d.
func (k *rsaPrivate) crt() []member {
	exponent := func(prime *big.Int) *big.Int {
		m := new(big.Int).Sub(prime, one)
		return m.Mod(k.d, m)
	}
	return []member{
		{"p", k.p}, {"q", k.q}, {"dp", exponent(k.p)}, {"dq", exponent(k.q)},
		{"qi", new(big.Int).ModInverse(k.q, k.p)},
	}
}

func (k *rsaPrivate) Algorithm() string { return k.public.name }

func (k *rsaPrivate) Public() PublicKey { return k.public }

func (k *rsaPrivate) Sign(message []byte) ([]byte, error) {
	digest := sha256.Sum256(message)
	if k.standard == nil {
		return weakrsa.Sign(k.public.n, k.d, &digest)
	}
	signature, err := rsa.SignPKCS1v15(nil, k.standard, crypto.SHA256, digest[:])
	if err != nil {
		return nil, fmt.Errorf("sign: %w", err)
	}
	return signature, nil
}

func (k *rsaPrivate) members() []member { return append(k.public.members(), member{"d", k.d}) }

// MarshalJSON writes n, e and d: the legacy form has no other members.
func (k *rsaPrivate) MarshalJSON() ([]byte, error) { return rsaFamily.marshalLegacy(k.members()...) }

func (k *rsaPrivate) MarshalJWK() ([]byte, error) {
	return rsaFamily.marshalJWK(append(k.members(), k.crt()...)...)
}
