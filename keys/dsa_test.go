package keys_test

import (
	stddsa "crypto/dsa" //lint:ignore SA1019 the oracle
	"crypto/rand"
	"crypto/sha1"
	"crypto/sha256"
	"errors"
	"math/big"
	"slices"
	"testing"

	"github.com/vepverify/vepverify/keys"
)

// TestDSAOracle compares with crypto/dsa. DS128 hashes with SHA-1 and DS256 with SHA-256.
func TestDSAOracle(t *testing.T) {
	for _, k := range dsaKeys() {
		public := mustPublic(t, k.public())
		std := &stddsa.PrivateKey{X: k.x, PublicKey: stddsa.PublicKey{
			Parameters: stddsa.Parameters{P: k.p, Q: k.q, G: k.g}, Y: k.y,
		}}
		r, s, err := stddsa.Sign(rand.Reader, std, k.digest())
		if err != nil {
			t.Fatal(err)
		}
		if err := public.Verify(message, k.signature(r, s)); err != nil {
			t.Errorf("%s: the signature of crypto/dsa: %v", k.name, err)
		}
		own := mustSign(t, mustPrivate(t, k.private()), message)
		if len(own) != 2*k.size() {
			t.Fatalf("%s: %d bytes", k.name, len(own))
		}
		r.SetBytes(own[:k.size()])
		s.SetBytes(own[k.size():])
		if !stddsa.Verify(&std.PublicKey, k.digest(), r, s) {
			t.Errorf("%s: crypto/dsa refuses our signature", k.name)
		}
		if public.Verify([]byte("vepverifz"), own) == nil {
			t.Errorf("%s: verifies another message", k.name)
		}
	}
}

func (k dsaKey) digest() []byte {
	if k.name == "DS128" {
		d := sha1.Sum(message)
		return d[:]
	}
	d := sha256.Sum256(message)
	return d[:]
}

// TestDSARange checks PROTOCOL 2.dsa-range: 0 < r < q and 0 < s < q. If s ≡ 0, a verifier
// that does not check whether the inverse exists accepts r = g^0 = 1.
func TestDSARange(t *testing.T) {
	for _, k := range dsaKeys() {
		private := mustPrivate(t, k.private())
		good := mustSign(t, private, message)
		r := new(big.Int).SetBytes(good[:k.size()])
		s := new(big.Int).SetBytes(good[k.size():])
		allOnes := plus(new(big.Int).Lsh(big.NewInt(1), uint(k.q.BitLen())), -1)
		edges := map[string]*big.Int{
			"0": new(big.Int), "1": big.NewInt(1), "q-1": plus(k.q, -1), "q": k.q, "q+1": plus(k.q, 1), "all ones": allOnes,
		}
		for name, edge := range edges {
			refused(t, private.Public(), "r = "+name, k.signature(edge, s))
			refused(t, private.Public(), "s = "+name, k.signature(r, edge))
			for other, second := range edges {
				refused(t, private.Public(), "r = "+name+", s = "+other, k.signature(edge, second))
			}
		}
		refused(t, private.Public(), "s = -s", k.signature(r, new(big.Int).Sub(k.q, s)))
		refused(t, private.Public(), "r and s swapped", k.signature(s, r))
	}
}

// TestDSAValueNotReduced checks that r+q and s+q, which are congruent to good values, are
// refused if they fit in the signature.
func TestDSAValueNotReduced(t *testing.T) {
	for _, k := range dsaKeys() {
		private := mustPrivate(t, k.private())
		limit := new(big.Int).Lsh(big.NewInt(1), uint(k.q.BitLen()))
		var seenR, seenS bool
		for i := 0; i < 1000 && !(seenR && seenS); i++ {
			signed := big.NewInt(int64(i)).Append(nil, 10)
			good := mustSign(t, private, signed)
			r := new(big.Int).SetBytes(good[:k.size()])
			s := new(big.Int).SetBytes(good[k.size():])
			r2, s2 := new(big.Int).Add(r, k.q), new(big.Int).Add(s, k.q)
			if r2.Cmp(limit) < 0 {
				seenR = true
				if private.Public().Verify(signed, k.signature(r2, s)) == nil {
					t.Errorf("%s: r+q", k.name)
				}
			}
			if s2.Cmp(limit) < 0 {
				seenS = true
				if private.Public().Verify(signed, k.signature(r, s2)) == nil {
					t.Errorf("%s: s+q", k.name)
				}
			}
		}
		if !seenR || !seenS {
			t.Errorf("%s: no value with q added fits", k.name)
		}
	}
}

func TestDSALength(t *testing.T) {
	for _, k := range dsaKeys() {
		private := mustPrivate(t, k.private())
		good := mustSign(t, private, message)
		public := private.Public()
		refused(t, public, "nil", nil)
		refused(t, public, "empty", []byte{})
		refused(t, public, "one byte", []byte{1})
		refused(t, public, "r alone", good[:k.size()])
		refused(t, public, "first byte missing", good[1:])
		refused(t, public, "last byte missing", good[:len(good)-1])
		refused(t, public, "zero byte before", append([]byte{0}, good...))
		refused(t, public, "zero byte after", append(slices.Clone(good), 0))
		refused(t, public, "zero byte between", slices.Insert(slices.Clone(good), k.size(), 0))
		refused(t, public, "twice", append(slices.Clone(good), good...))
		refused(t, public, "64 KiB", make([]byte, 64<<10))
	}
}

// TestDSAShortSignature checks that r‖s is padded as a whole: a zero byte that s lost is not
// restored.
func TestDSAShortSignature(t *testing.T) {
	for _, k := range dsaKeys() {
		private := mustPrivate(t, k.private())
		s, signed := shortened(t, private)
		for _, accepted := range [][]byte{s, s[1:]} {
			if err := private.Public().Verify(signed, accepted); err != nil {
				t.Errorf("%s, %d bytes: %v", k.name, len(accepted), err)
			}
		}
		for i := 0; ; i++ {
			signed = big.NewInt(int64(i)).Append(nil, 10)
			if s = mustSign(t, private, signed); s[k.size()] == 0 {
				break
			}
		}
		if private.Public().Verify(signed, slices.Delete(slices.Clone(s), k.size(), k.size()+1)) == nil {
			t.Errorf("%s: a zero byte of s is missing", k.name)
		}
	}
}

func TestDSABitFlips(t *testing.T) {
	for _, k := range dsaKeys() {
		private := mustPrivate(t, k.private())
		good := mustSign(t, private, message)
		for bit := range len(good) * 8 {
			s := slices.Clone(good)
			s[bit/8] ^= 1 << (bit % 8)
			refused(t, private.Public(), "a bit flipped", s)
		}
	}
}

// TestDSAHostileGroups checks that keys with invalid groups get some result, and soon. Which
// one does not matter: such a key harms only its owner.
func TestDSAHostileGroups(t *testing.T) {
	for _, k := range dsaKeys() {
		good := mustSign(t, mustPrivate(t, k.private()), message)
		last := plus(k.p, -1).Text(16)
		bits, qBits := k.p.BitLen(), k.q.BitLen()
		ones := plus(new(big.Int).Lsh(big.NewInt(1), uint(bits)), -1)
		for name, o := range map[string]object{
			"p composite":         k.public().with("p", oddOf(bits).Text(16), "g", "2", "y", "3"),
			"p all ones":          k.public().with("p", ones.Text(16)),
			"p divisible by g":    k.public().with("p", multiple(bits, 15).Text(16), "g", "f", "y", "f"),
			"q composite":         k.public().with("q", oddOf(qBits).Text(16)),
			"q divisible by 3":    k.public().with("q", multiple(qBits, 3).Text(16)),
			"g = p-1":             k.public().with("g", last),
			"y = p-1":             k.public().with("y", last),
			"g = y = p-1":         k.public().with("g", last, "y", last),
			"g = 2":               k.public().with("g", "2"),
			"y = 2":               k.public().with("y", "2"),
			"y = g":               k.public().with("y", k.g.Text(16)),
			"another y, -y":       k.public().with("y", new(big.Int).Sub(k.p, k.y).Text(16)),
			"q with all its ones": k.public().with("q", plus(new(big.Int).Lsh(big.NewInt(1), uint(qBits)), -1).Text(16)),
		} {
			public := mustPublic(t, o)
			for _, s := range [][]byte{
				good, k.signature(big.NewInt(1), big.NewInt(1)), k.signature(big.NewInt(3), big.NewInt(3)),
				k.signature(big.NewInt(3), big.NewInt(9)), k.signature(plus(k.q, -1), plus(k.q, -1)),
			} {
				if err := public.Verify(message, s); err != nil && !errors.Is(err, keys.ErrSignature) {
					t.Errorf("%s: %s: %v", k.name, name, err)
				}
			}
			if err := public.Validate(); err != nil && !errors.Is(err, keys.ErrMalformed) {
				t.Errorf("%s: %s: Validate: %v", k.name, name, err)
			}
			refused(t, public, name+", r = s = 0", k.signature(new(big.Int), new(big.Int)))
		}
	}
}

// multiple returns an odd multiple of m, which is odd, of the given number of bits.
func multiple(bits int, m int64) *big.Int {
	n := oddOf(bits)
	for new(big.Int).Mod(n, big.NewInt(m)).Sign() != 0 {
		n = plus(n, 2)
	}
	return n
}

// TestDSANoInverse checks that s without an inverse is refused: if q is a multiple of 3, s =
// 3 has none.
func TestDSANoInverse(t *testing.T) {
	for _, k := range dsaKeys() {
		q := multiple(k.q.BitLen(), 3)
		public := mustPublic(t, k.public().with("q", q.Text(16)))
		for _, s := range []int64{3, 6, 9, 81} {
			refused(t, public, "s has no inverse", k.signature(big.NewInt(1), big.NewInt(s)))
		}
	}
}
