package dsa

import (
	"crypto/hmac"
	"errors"
	"hash"
	"math/big"
)

// PrivateKey is a key with its secret exponent.
type PrivateKey struct {
	PublicKey
	X *big.Int
}

// NewPrivateKey gives the key of the secret x in a group, y = g^x mod p.
func NewPrivateKey(p, q, g, x *big.Int) *PrivateKey {
	return &PrivateKey{PublicKey{p, q, g, new(big.Int).Exp(g, x, p)}, x}
}

// Sign gives r and s at full length over the digest, which newHash made. The
// nonce depends on nothing but x and the digest (RFC 6979, section 3.2). It
// errs when the numbers form no group.
func (k *PrivateKey) Sign(newHash func() hash.Hash, digest []byte) ([]byte, error) {
	z := k.truncate(new(big.Int), digest)
	nonces := k.nonces(newHash, z)
	// With prime q even the second try is never seen.
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
		r.FillBytes(signature[:k.scalar()])
		s.FillBytes(signature[k.scalar():])
		return signature, nil
	}
	return nil, errors.New("the key makes no signature")
}

// nonces is the generator of RFC 6979, section 3.2: HMAC_DRBG seeded by the
// secret and the digest. The letters are the RFC's.
type nonces struct {
	key     *PrivateKey
	newHash func() hash.Hash
	k, v    []byte
	used    bool
}

// nonces does steps b to g.
func (k *PrivateKey) nonces(newHash func() hash.Hash, z *big.Int) *nonces {
	size := newHash().Size()
	n := &nonces{key: k, newHash: newHash, k: make([]byte, size), v: make([]byte, size)}
	for i := range n.v {
		n.v[i] = 1
	}
	x := k.X.FillBytes(make([]byte, k.scalar()))
	h := new(big.Int).Mod(z, k.Q).FillBytes(make([]byte, k.scalar()))
	n.update([]byte{0}, x, h)
	n.update([]byte{1}, x, h)
	return n
}

// next does step h: it gives the next number that is in range.
func (n *nonces) next() *big.Int {
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

// update replaces K and then V.
func (n *nonces) update(parts ...[]byte) {
	n.k = n.mac(append([][]byte{n.v}, parts...)...)
	n.v = n.mac(n.v)
}

func (n *nonces) mac(parts ...[]byte) []byte {
	m := hmac.New(n.newHash, n.k)
	for _, p := range parts {
		m.Write(p)
	}
	return m.Sum(nil)
}
