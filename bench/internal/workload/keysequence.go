package workload

import (
	"crypto/sha1"
	"crypto/sha256"
	"fmt"
	"hash"
	"math/big"

	"github.com/vepverify/vepverify/bench/internal/numbers"
	"github.com/vepverify/vepverify/devidp/idptest"
	"github.com/vepverify/vepverify/keys"
)

var one = big.NewInt(1)

// keySequence makes DSA keys and signatures with one multiplication modulo p each, in
// place of an exponentiation: the next key is x+1 with y·g, the next nonce is k+1 with
// r·g. The secrets can be computed from such signatures.
type keySequence struct {
	p, q, g *big.Int
	hash    func() hash.Hash
	x, y    *big.Int // the last key
	k, gk   *big.Int // the last nonce, and g to its power
}

// newKeySequence returns a sequence that starts at the algorithm's test key. Sequences
// with different numbers start 2⁶⁴ apart, so they do not overlap.
func newKeySequence(algorithm string, number int) (*keySequence, error) {
	n, err := numbers.Of(idptest.Key(algorithm))
	if err != nil {
		return nil, err
	}
	w := &keySequence{p: n["p"], q: n["q"], g: n["g"], hash: sha1.New}
	if algorithm == "DS256" {
		w.hash = sha256.New
	}
	start := new(big.Int).Lsh(big.NewInt(int64(number)+1), 64)
	w.x = w.reduce(new(big.Int).Add(n["x"], start))
	w.y = new(big.Int).Exp(w.g, w.x, w.p)
	w.k = w.reduce(new(big.Int).Mul(w.x, w.x))
	w.gk = new(big.Int).Exp(w.g, w.k, w.p)
	return w, nil
}

func (w *keySequence) reduce(n *big.Int) *big.Int { return n.Mod(n, w.q) }

// next returns the next key.
func (w *keySequence) next() (signer, error) {
	w.x.Add(w.x, one)
	w.y.Mod(w.y.Mul(w.y, w.g), w.p)
	text := fmt.Sprintf(`{"algorithm":"DS","p":"%x","q":"%x","g":"%x","y":"%x"}`, w.p, w.q, w.g, w.y)
	public, err := keys.ParsePublicKey([]byte(text))
	if err != nil {
		return signer{}, err
	}
	return signer{public, w.signer(new(big.Int).Set(w.x))}, nil
}

// signer returns a function that signs with the private key x of the same group.
func (w *keySequence) signer(x *big.Int) func([]byte) ([]byte, error) {
	return func(message []byte) ([]byte, error) { return w.sign(x, message), nil }
}

func (w *keySequence) sign(x *big.Int, message []byte) []byte {
	h := w.hash()
	h.Write(message)
	digest := new(big.Int).SetBytes(h.Sum(nil)) // as long as q: nothing to cut off
	for {
		w.k.Add(w.k, one)
		w.gk.Mod(w.gk.Mul(w.gk, w.g), w.p)
		r := w.reduce(new(big.Int).Set(w.gk))
		s := new(big.Int).Mul(x, r)
		s.Add(s, digest)
		s = w.reduce(s.Mul(s, new(big.Int).ModInverse(w.k, w.q)))
		if r.Sign() > 0 && s.Sign() > 0 {
			return w.join(r, s)
		}
	}
}

func (w *keySequence) join(r, s *big.Int) []byte {
	size := (w.q.BitLen() + 7) / 8
	both := make([]byte, 2*size)
	r.FillBytes(both[:size])
	s.FillBytes(both[size:])
	return both
}
