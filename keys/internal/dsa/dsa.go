// Package dsa implements the Digital Signature Algorithm of FIPS 186-4, section 4, with
// the deterministic nonces of RFC 6979.
//
// Start with [PublicKey], and with [PublicKey.Verifier] for a key that verifies more than
// one signature. The numbers of a key come from strangers. If p or q is composite, or g
// has a small order, the result of a verification may be wrong, but the package does not
// panic, and it takes no longer than with a correct key of the same size. The caller must
// check that p and q are odd and that 1 < g < p and 1 < y < p.
//
// Nothing in this package is constant time.
package dsa

import "math/big"

var one = big.NewInt(1)

// PublicKey is a public key: a group and an element y of it.
type PublicKey struct{ P, Q, G, Y *big.Int }

// Size returns the length of a signature in bytes: r and s, each as long as q.
func (k *PublicKey) Size() int { return 2 * k.scalarSize() }

// scalarSize returns the length in bytes of a number below q.
func (k *PublicKey) scalarSize() int { return (k.Q.BitLen() + 7) / 8 }

// InGroup reports whether [PublicKey.Verifier] accepts the key and [Verifier.InGroup] is
// true.
func (k *PublicKey) InGroup() bool {
	v := k.Verifier()
	return v != nil && v.InGroup()
}

// Verify reports whether signature, r and s at full length, is the key's signature over
// digest. To verify several signatures, use [PublicKey.Verifier].
func (k *PublicKey) Verify(digest, signature []byte) bool {
	v := k.Verifier()
	return v != nil && v.Verify(digest, signature)
}

// inRange reports whether 0 < n < q.
func (k *PublicKey) inRange(n *big.Int) bool {
	return n.Sign() > 0 && n.Cmp(k.Q) < 0
}

// truncate sets n to the leftmost bits of b, as many as q has, and returns n (bits2int of
// RFC 6979, section 2.3.2).
func (k *PublicKey) truncate(n *big.Int, b []byte) *big.Int {
	n.SetBytes(b)
	if excess := len(b)*8 - k.Q.BitLen(); excess > 0 {
		n.Rsh(n, uint(excess))
	}
	return n
}
