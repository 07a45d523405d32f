package dsa

import (
	"encoding/binary"
	"math/big"
	"sync"

	"github.com/vepverify/vepverify/keys/internal/mont"
)

// Verifier is a public key made ready for verifications. It does not change
// and is safe for concurrent use.
type Verifier struct {
	PublicKey
	*group
	y    []uint64
	comb *mont.Comb // of y, nil without a table

	room [40]uint64 // backs y, of usual sizes, so that it is one piece of memory
}

// Verifier makes a key ready, which costs hardly anything in the well-known
// groups and little in others. It gives nil for a p or q that is even or too
// long: more than [mont.MaxBits] or 256 bits.
func (k *PublicKey) Verifier() *Verifier {
	g := groupOf(k)
	if g == nil {
		return nil
	}
	v := &Verifier{PublicKey: *k, group: g}
	v.y = append(v.room[:0], make([]uint64, g.ring.Len())...)
	g.ring.Set(v.y, k.Y)
	return v
}

// The comb of a key: 32 and 64 KB, or 40 and 80 with IFMA. One row less is a
// tenth slower, and takes half the memory and two thirds of the time to make.
const (
	keyRows   = 7
	keyTables = 2
)

// WithTable gives a verifier that is several times as fast, for a key that is
// seen again. To make it costs as much as two verifications without it, and
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

// Memory is what the verifier keeps, in bytes, but for what it shares:
// the key, and a well-known group.
func (v *Verifier) Memory() int {
	size := 8 * len(v.room)
	if v.comb != nil {
		size += v.comb.Size()
		if !v.group.shared {
			size += v.group.comb.Size()
		}
	}
	return size
}

// work is the memory of one verification.
type work struct {
	r, s, w, z, u1, u2, v, t big.Int
	e1, e2                   []uint64
	product                  mont.Product
}

var works = sync.Pool{New: func() any { return new(work) }}

// Verify is [PublicKey.Verify].
func (v *Verifier) Verify(digest, signature []byte) bool {
	k := &v.PublicKey
	if len(signature) != k.Size() {
		return false
	}
	w := works.Get().(*work)
	defer works.Put(w)
	w.r.SetBytes(signature[:k.scalar()])
	w.s.SetBytes(signature[k.scalar():])
	if !k.inRange(&w.r) || !k.inRange(&w.s) {
		return false
	}
	if !v.order.invert(&w.w, &w.s) { // only when q is not prime
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

// InGroup reports whether g and y are in the group of order q: g^q ≡ y^q ≡ 1
// (mod p). It does not check that p and q are prime. It takes as long as two
// verifications, or one if the group is well-known or was seen before.
func (v *Verifier) InGroup() bool {
	w := works.Get().(*work)
	defer works.Put(w)
	w.e1 = words(w.e1, v.PublicKey.Q)
	if !v.group.shared && proven.find(&v.group.Group) == nil {
		if !v.isOne(w, v.group.g) {
			return false
		}
		proven.add(v.group)
	}
	return v.isOne(w, v.y)
}

// isOne reports whether x^e1 is 1.
func (v *Verifier) isOne(w *work, x []uint64) bool {
	w.product.Reset(v.ring)
	w.product.Window(x, w.e1)
	return v.ring.Get(&w.v, w.product.Value()).Cmp(one) == 0
}

// power gives g^u1·y^u2.
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

// words gives x in words, least first, in the memory of z where it suffices.
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
