package dsa_test

import (
	"crypto/sha1"
	"crypto/sha256"
	"hash"
	"math/big"
	"sync"
	"testing"

	"github.com/vepverify/vepverify/internal/arithmetic"
	"github.com/vepverify/vepverify/keys/internal/dsa"
	"github.com/vepverify/vepverify/keys/internal/mont"
)

var one = big.NewInt(1)

// reference reports whether the signature is valid. It follows FIPS 186-4, section 4.7,
// with math/big.
func reference(k *dsa.PublicKey, digest, signature []byte) bool {
	half := len(signature) / 2
	r, s := new(big.Int).SetBytes(signature[:half]), new(big.Int).SetBytes(signature[half:])
	w := new(big.Int).ModInverse(s, k.Q)
	if r.Sign() == 0 || s.Sign() == 0 || r.Cmp(k.Q) >= 0 || s.Cmp(k.Q) >= 0 || w == nil {
		return false
	}
	z := new(big.Int).SetBytes(digest)
	z.Rsh(z, uint(max(0, 8*len(digest)-k.Q.BitLen())))
	u1 := z.Mul(z, w).Mod(z, k.Q)
	u2 := w.Mul(w, r).Mod(w, k.Q)
	v := new(big.Int).Exp(k.G, u1, k.P)
	v.Mul(v, new(big.Int).Exp(k.Y, u2, k.P))
	return v.Mod(v, k.P).Mod(v, k.Q).Cmp(r) == 0
}

// implementations returns every way to verify a signature. Each reports whether the
// signature is valid.
func implementations(k *dsa.PublicKey) map[string]func(digest, signature []byte) bool {
	v := k.Verifier()
	return map[string]func(digest, signature []byte) bool{
		"cold":     k.Verify,
		"prepared": v.Verify,
		"table":    v.WithTable().Verify,
	}
}

// checker returns a function that compares every implementation with the reference. It
// makes the tables of the key only once.
func checker(t *testing.T, k *dsa.PublicKey) func(name string, digest, signature []byte) {
	all := implementations(k)
	return func(name string, digest, signature []byte) {
		t.Helper()
		want := reference(k, digest, signature)
		for implementation, verify := range all {
			if got := verify(digest, signature); got != want {
				t.Errorf("%s, %s: %v, want %v", name, implementation, got, want)
			}
		}
	}
}

type testGroup struct {
	*dsa.Group
	hash func() hash.Hash
}

// groups returns the two groups that have tables and two that have none.
func groups() []testGroup {
	return []testGroup{
		{dsa.FIPS1024, sha1.New},
		{dsa.FIPS2048, sha256.New},
		{&dsa.Group{P: rfc1024.P, Q: rfc1024.Q, G: rfc1024.G}, sha1.New},
		{&dsa.Group{P: rfc2048.P, Q: rfc2048.Q, G: rfc2048.G}, sha256.New},
	}
}

func join(r, s *big.Int, size int) []byte {
	b := make([]byte, size)
	r.FillBytes(b[:size/2])
	s.FillBytes(b[size/2:])
	return b
}

func TestVerifyImplementations(t *testing.T) {
	for _, g := range groups() {
		for _, x := range []*big.Int{one, new(big.Int).Rsh(g.Q, 3), new(big.Int).Sub(g.Q, one)} {
			key := dsa.NewPrivateKey(g.P, g.Q, g.G, x)
			check := checker(t, &key.PublicKey)
			for _, message := range []string{"a", "b"} {
				d := digest(g.hash, message)
				signature, err := key.Sign(g.hash, d)
				if err != nil {
					t.Fatal(err)
				}
				if !reference(&key.PublicKey, d, signature) {
					t.Fatal("the reference refuses a good signature")
				}
				check("good", d, signature)
				signature[len(signature)-1] ^= 1
				check("changed", d, signature)
			}
		}
	}
}

func TestVerifyEdges(t *testing.T) {
	for _, g := range groups() {
		key := dsa.NewPrivateKey(g.P, g.Q, g.G, big.NewInt(12345))
		check := checker(t, &key.PublicKey)
		zero := make([]byte, key.Size()/2)
		edges := []*big.Int{new(big.Int), one, new(big.Int).Sub(g.Q, one), g.Q, new(big.Int).Add(g.Q, one)}
		for _, r := range edges {
			for _, s := range edges {
				name := "r = " + r.Text(16) + ", s = " + s.Text(16)
				check(name, zero, join(r, s, key.Size()))
				check(name, digest(g.hash, "m"), join(r, s, key.Size()))
			}
		}
	}
}

// TestVerifyHostile checks that hostile keys get the result of the formula, meaningless as
// it may be.
func TestVerifyHostile(t *testing.T) {
	for _, g := range groups() {
		minus := func(n *big.Int, d int64) *big.Int { return new(big.Int).Sub(n, big.NewInt(d)) }
		composite := minus(new(big.Int).Lsh(one, uint(g.P.BitLen())), 1) // 2^1024 − 1 and 2^2048 − 1
		square := new(big.Int).Lsh(one, uint(g.Q.BitLen()-1))
		square.Add(square, one)
		for name, k := range map[string]*dsa.PublicKey{
			"y = p-1":               {P: g.P, Q: g.Q, G: g.G, Y: minus(g.P, 1)},
			"y = g":                 {P: g.P, Q: g.Q, G: g.G, Y: g.G},
			"y = 2":                 {P: g.P, Q: g.Q, G: g.G, Y: big.NewInt(2)},
			"g = p-1":               {P: g.P, Q: g.Q, G: minus(g.P, 1), Y: big.NewInt(3)},
			"g, y = p-1":            {P: g.P, Q: g.Q, G: minus(g.P, 1), Y: minus(g.P, 1)},
			"p all ones":            {P: composite, Q: g.Q, G: g.G, Y: minus(composite, 1)},
			"p least":               {P: minus(new(big.Int).Lsh(one, uint(g.P.BitLen()-1)), -1), Q: g.Q, G: big.NewInt(2), Y: big.NewInt(3)},
			"g y = 0 mod p":         {P: new(big.Int).Mul(big.NewInt(15), minus(new(big.Int).Lsh(one, uint(g.P.BitLen()-4)), 1)), Q: g.Q, G: big.NewInt(15), Y: minus(new(big.Int).Lsh(one, uint(g.P.BitLen()-4)), 1)},
			"q composite":           {P: g.P, Q: square, G: g.G, Y: big.NewInt(4)},
			"q all ones":            {P: g.P, Q: minus(new(big.Int).Lsh(one, uint(g.Q.BitLen())), 1), G: g.G, Y: big.NewInt(4)},
			"another q in known p":  {P: g.P, Q: minus(g.Q, 2), G: g.G, Y: big.NewInt(4)},
			"another g in known pq": {P: g.P, Q: g.Q, G: new(big.Int).Exp(g.G, big.NewInt(3), g.P), Y: g.G},
		} {
			check := checker(t, k)
			if got := k.InGroup(); got != inGroup(k) {
				t.Errorf("%s: in the group: %v", name, got)
			}
			half := new(big.Int).Add(k.Q, one)
			half.Rsh(half, 1)
			for _, s := range []*big.Int{one, big.NewInt(3), minus(k.Q, 1), half} {
				check(name, make([]byte, k.Size()/2), join(one, s, k.Size()))
				check(name, digest(g.hash, "m"), join(one, s, k.Size()))
			}
			// With z = 0, r = 1 and s = 1/2, the condition is y² mod p mod q = 1.
			if squareIsOne := name == "y = p-1" || name == "g, y = p-1" || name == "p all ones"; squareIsOne {
				if !k.Verify(make([]byte, k.Size()/2), join(one, half, k.Size())) {
					t.Errorf("%s: refused", name)
				}
			}
		}
	}
}

func TestVerifierRefuses(t *testing.T) {
	g := dsa.FIPS1024
	two := big.NewInt(2)
	for name, k := range map[string]*dsa.PublicKey{
		"p even": {P: new(big.Int).Sub(g.P, one), Q: g.Q, G: two, Y: two},
		"q even": {P: g.P, Q: new(big.Int).Sub(g.Q, one), G: two, Y: two},
		"q long": {P: g.P, Q: dsa.FIPS2048.P, G: two, Y: two},
		"p long": {P: new(big.Int).Add(new(big.Int).Lsh(one, mont.MaxBits), one), Q: g.Q, G: two, Y: two},
	} {
		if k.Verifier() != nil {
			t.Errorf("%s: a verifier", name)
		}
		if k.Verify(make([]byte, 20), join(one, one, k.Size())) {
			t.Errorf("%s: verified", name)
		}
	}
}

// TestVerifyConcurrently checks that several goroutines can use one verifier.
func TestVerifyConcurrently(t *testing.T) {
	g := dsa.FIPS1024
	key := dsa.NewPrivateKey(g.P, g.Q, g.G, big.NewInt(99))
	v := key.Verifier().WithTable()
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			d := digest(sha1.New, string(rune('a'+i)))
			signature, err := key.Sign(sha1.New, d)
			if err != nil {
				t.Error(err)
				return
			}
			for range 20 {
				if !v.Verify(d, signature) || v.Verify(signature[:20], signature) {
					t.Error("wrong result")
				}
			}
		})
	}
	wg.Wait()
}

// TestMemory checks that the tables have the documented sizes.
func TestMemory(t *testing.T) {
	tables := map[string][2]int{"portable": {32 << 10, 64 << 10}, "AVX-512 IFMA": {40 << 10, 80 << 10}}[arithmetic.Name()]
	for i, group := range []*dsa.Group{dsa.FIPS1024, dsa.FIPS2048} {
		v := (&dsa.PublicKey{P: group.P, Q: group.Q, G: group.G, Y: big.NewInt(2)}).Verifier().WithTable()
		if size := v.Memory(); size > tables[i]+1<<10 || size < tables[i]-1<<10 {
			t.Errorf("p of %d bits: %d bytes", group.P.BitLen(), size)
		}
	}
}
