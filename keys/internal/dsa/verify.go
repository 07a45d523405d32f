package dsa

import (
	"encoding/binary"
	"math/big"
	"sync"

	"github.com/vepverify/vepverify/keys/internal/mont"
)

// Verifier is a public key that is prepared for verification. It is immutable and safe
// for concurrent use.
type Verifier struct {
	PublicKey
	*group
	y    []uint64   // element of the ring
	comb *mont.Comb // of y, nil if there is no table

	buf [40]uint64 // backs y if that is not longer, to save an allocation
}

// Verifier prepares a key. This takes about the time of one multiplication in a
// well-known group, and of a few in others. Verifier returns nil if p or q is even, p
// has more than [mont.MaxBits] bits, or q has more than 256 bits.
func (k *PublicKey) Verifier() *Verifier {
	g := groupOf(k)
	if g == nil {
		return nil
	}
	v := &Verifier{PublicKey: *k, group: g}
	v.y = append(v.buf[:0], make([]uint64, g.ring.Len())...)
	g.ring.Set(v.y, k.Y)
	return v
}

// The size of the comb of a key: 32 KiB for 1024 bits and 64 KiB for 2048 bits, or 40 and
// 80 KiB with IFMA. With one row less, verification is a tenth slower, and the comb takes
// half the memory and two thirds of the time to compute.
const (
	keyRows   = 7
	keyTables = 2
)

// WithTable returns a verifier that is several times as fast, for a key that is used
// repeatedly. Computing the table takes as long as two verifications without it, or as
// four outside the well-known groups, where g needs a table too.
func (v *Verifier) WithTable() *Verifier {
	bits := v.Q.BitLen()
	w := *v
	w.comb = mont.NewComb(v.ring, v.y, bits, keyRows, keyTables)
	if v.group.comb == nil {
		g := *v.group
		g.comb = mont.NewComb(v.ring, v.g, bits, keyRows, keyTables)
		w.group = &g
	}
	return &w
}

// Memory returns the memory of the verifier in bytes. It does not count the numbers of
// the key and a well-known group, which are shared.
func (v *Verifier) Memory() int {
	size := 8 * len(v.buf)
	if v.comb != nil {
		size += v.comb.Size()
		if !v.group.shared {
			size += v.group.comb.Size()
		}
	}
	return size
}

// scratch is the memory of one verification.
type scratch struct {
	r, s, w, z, u1, u2, v, t big.Int
	e1, e2                   []uint64
	product                  mont.Product
}

var scratches = sync.Pool{New: func() any { return new(scratch) }}

// Verify reports whether signature, r and s at full length, is the key's signature over
// digest.
func (v *Verifier) Verify(digest, signature []byte) bool {
	k := &v.PublicKey
	if len(signature) != k.Size() {
		return false
	}
	w := scratches.Get().(*scratch)
	defer scratches.Put(w)
	w.r.SetBytes(signature[:k.scalarSize()])
	w.s.SetBytes(signature[k.scalarSize():])
	if !k.inRange(&w.r) || !k.inRange(&w.s) {
		return false
	}
	if !v.order.invert(&w.w, &w.s) { // q is not prime
		return false
	}
	k.truncate(&w.z, digest)
	w.t.QuoRem(w.v.Mul(&w.z, &w.w), k.Q, &w.u1)
	w.t.QuoRem(w.v.Mul(&w.r, &w.w), k.Q, &w.u2)
	w.e1 = words(w.e1, &w.u1)
	w.e2 = words(w.e2, &w.u2)
	v.ring.Get(&w.v, v.power(&w.product, w.e1, w.e2))
	w.t.QuoRem(&w.v, k.Q, &w.z)
	return w.z.Cmp(&w.r) == 0
}

// InGroup reports whether g and y are in the group of order q: g^q ≡ y^q ≡ 1 (mod p). It
// does not check that p and q are prime. It takes as long as two verifications, or as one
// if the group is well-known or was checked before.
func (v *Verifier) InGroup() bool {
	w := scratches.Get().(*scratch)
	defer scratches.Put(w)
	w.e1 = words(w.e1, v.PublicKey.Q)
	if !v.group.shared && checkedGroups.find(&v.group.Group) == nil {
		if !v.isOne(w, v.group.g) {
			return false
		}
		checkedGroups.add(v.group)
	}
	return v.isOne(w, v.y)
}

// isOne reports whether x^w.e1 is 1.
func (v *Verifier) isOne(w *scratch, x []uint64) bool {
	w.product.Reset(v.ring)
	w.product.Window(x, w.e1)
	return v.ring.Get(&w.v, w.product.Value()).Cmp(one) == 0
}

// power returns g^u1·y^u2.
func (v *Verifier) power(p *mont.Product, u1, u2 []uint64) []uint64 {
	p.Reset(v.ring)
	if v.group.comb != nil {
		p.Fixed(v.group.comb, u1)
	} else {
		p.Window(v.g, u1)
	}
	if v.comb != nil {
		p.Fixed(v.comb, u2)
	} else {
		p.Window(v.y, u2)
	}
	return p.Value()
}

// words returns the words of x, the least significant first. It reuses the memory of z if
// that is large enough.
func words(z []uint64, x *big.Int) []uint64 {
	var buffer [512]byte
	n := (x.BitLen() + 63) / 64
	b := x.FillBytes(buffer[:8*n])
	z = z[:0]
	for i := n - 1; i >= 0; i-- {
		z = append(z, binary.BigEndian.Uint64(b[8*i:]))
	}
	return z
}
