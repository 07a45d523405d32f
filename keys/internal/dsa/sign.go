package dsa

import (
	"crypto/hmac"
	"errors"
	"hash"
	"math/big"
)

// PrivateKey is a public key with its secret exponent x.
type PrivateKey struct {
	PublicKey
	X *big.Int
}

// NewPrivateKey returns the key with the secret x in a group. It computes y = g^x mod p.
func NewPrivateKey(p, q, g, x *big.Int) *PrivateKey {
	return &PrivateKey{PublicKey{p, q, g, new(big.Int).Exp(g, x, p)}, x}
}

// Sign returns the signature over digest, r and s at full length. newHash is the hash that
// made the digest. The nonce depends only on x and the digest (RFC 6979, section 3.2).
// Sign returns an error if the numbers of the key do not form a group.
func (k *PrivateKey) Sign(newHash func() hash.Hash, digest []byte) ([]byte, error) {
	z := k.truncate(new(big.Int), digest)
	nonces := k.nonces(newHash, z)
	// If q is prime, the first attempt succeeds in practice.
	for range 100 {
		nonce := nonces.next()
		r := new(big.Int).Exp(k.G, nonce, k.P)
		r.Mod(r, k.Q)
		s := new(big.Int).Mul(r, k.X)
		s.Add(s, z)
		if nonce.ModInverse(nonce, k.Q) == nil {
			continue
		}
		s.Mul(s, nonce).Mod(s, k.Q)
		if r.Sign() == 0 || s.Sign() == 0 {
			continue
		}
		signature := make([]byte, k.Size())
		r.FillBytes(signature[:k.scalarSize()])
		s.FillBytes(signature[k.scalarSize():])
		return signature, nil
	}
	return nil, errors.New("no signature: p, q and g do not form a group")
}

// nonceGenerator is HMAC_DRBG, seeded with the secret and the digest (RFC 6979, section
// 3.2). The names of the variables are those of the RFC.
type nonceGenerator struct {
	key     *PrivateKey
	newHash func() hash.Hash
	k, v    []byte
	used    bool
}

// nonces returns a generator after steps b to g.
func (k *PrivateKey) nonces(newHash func() hash.Hash, z *big.Int) *nonceGenerator {
	size := newHash().Size()
	n := &nonceGenerator{key: k, newHash: newHash, k: make([]byte, size), v: make([]byte, size)}
	for i := range n.v {
		n.v[i] = 1
	}
	x := k.X.FillBytes(make([]byte, k.scalarSize()))
	h := new(big.Int).Mod(z, k.Q).FillBytes(make([]byte, k.scalarSize()))
	n.update([]byte{0}, x, h)
	n.update([]byte{1}, x, h)
	return n
}

// next makes step h. It returns the next number that is in range.
func (n *nonceGenerator) next() *big.Int {
	for {
		if n.used {
			n.update([]byte{0})
		}
		n.used = true
		var t []byte
		for len(t)*8 < n.key.Q.BitLen() {
			n.v = n.mac(n.v)
			t = append(t, n.v...)
		}
		if nonce := n.key.truncate(new(big.Int), t); n.key.inRange(nonce) {
			return nonce
		}
	}
}

// update replaces K and then V: steps d and e, steps f and g, or the end of step h.
func (n *nonceGenerator) update(parts ...[]byte) {
	n.k = n.mac(append([][]byte{n.v}, parts...)...)
	n.v = n.mac(n.v)
}

func (n *nonceGenerator) mac(parts ...[]byte) []byte {
	m := hmac.New(n.newHash, n.k)
	for _, p := range parts {
		m.Write(p)
	}
	return m.Sum(nil)
}
