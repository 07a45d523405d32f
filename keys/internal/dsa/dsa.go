// Package dsa is the Digital Signature Algorithm of FIPS 186-4, section 4, with
// the deterministic nonces of RFC 6979.
//
// Start with [PublicKey], and [PublicKey.Verifier] for a key that verifies more
// than once. Its numbers come from strangers: a composite p or q or a generator
// of small order may give a wrong verdict, but neither panics nor takes longer
// than an honest key of the same size. The caller has checked that p and q are
// odd and that 1 < g, y < p.
//
// Nothing here is constant time.
package dsa

import "math/big"

var one = big.NewInt(1)

// PublicKey is a group and a member of it.
type PublicKey struct{ P, Q, G, Y *big.Int }

// Size is the length of a signature in bytes: r and s, each as long as q.
func (k *PublicKey) Size() int { return 2 * k.scalar() }

// scalar is the length in bytes of a number below q.
func (k *PublicKey) scalar() int { return (k.Q.BitLen() + 7) / 8 }

// InGroup is [Verifier.InGroup]. It returns false if there is no Verifier.
func (k *PublicKey) InGroup() bool {
	v := k.Verifier()
	return v != nil && v.InGroup()
}

// Verify says whether signature, r and s at full length, is the key's over the
// digest. Use [PublicKey.Verifier] for more than one signature.
func (k *PublicKey) Verify(digest, signature []byte) bool {
	v := k.Verifier()
	return v != nil && v.Verify(digest, signature)
}

// inRange says whether 0 < n < q.
func (k *PublicKey) inRange(n *big.Int) bool {
	return n.Sign() > 0 && n.Cmp(k.Q) < 0
}

// truncate sets n to the leftmost bits of b, as many as q has (bits2int of
// RFC 6979, section 2.3.2), and returns it.
func (k *PublicKey) truncate(n *big.Int, b []byte) *big.Int {
	n.SetBytes(b)
	if excess := len(b)*8 - k.Q.BitLen(); excess > 0 {
		n.Rsh(n, uint(excess))
	}
	return n
}
