package keys_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"math/big"
	"slices"
	"testing"

	"github.com/vepverify/vepverify/keys"
)

// TestRSAKnownAnswers checks that signatures of other implementations verify, and that ours
// are the same bytes: PKCS#1 v1.5 has one signature for each message.
func TestRSAKnownAnswers(t *testing.T) {
	for _, k := range usable() {
		public := k.public(t)
		if err := public.Verify(message, k.signature); err != nil {
			t.Errorf("%d bits, e = %v: %v", k.bits, k.e, err)
		}
		if err := public.Validate(); err != nil {
			t.Errorf("%d bits, e = %v: %v", k.bits, k.e, err)
		}
		if got := mustSign(t, mustPrivate(t, k.private()), message); !bytes.Equal(got, k.signature) {
			t.Errorf("%d bits, e = %v: signed %x", k.bits, k.e, got)
		}
		if public.Verify([]byte("vepverifz"), k.signature) == nil || public.Verify(nil, k.signature) == nil {
			t.Errorf("%d bits, e = %v: verifies another message", k.bits, k.e)
		}
	}
}

func TestRSABadValues(t *testing.T) {
	for _, k := range usable() {
		public, s := k.public(t), new(big.Int).SetBytes(k.signature)
		refused(t, public, "nil", nil)
		refused(t, public, "empty", []byte{})
		for name, v := range map[string]*big.Int{
			"0": new(big.Int), "1": big.NewInt(1), "n-1": plus(k.n, -1), "n": k.n, "n+1": plus(k.n, 1),
			"s+1": plus(s, 1), "s-1": plus(s, -1), "s+n": new(big.Int).Add(s, k.n), "n-s": new(big.Int).Sub(k.n, s),
		} {
			if len(v.Bytes()) <= k.size() {
				refused(t, public, name, v.FillBytes(make([]byte, k.size())))
			}
			refused(t, public, name+", minimal", v.Bytes())
		}
		refused(t, public, "zero byte before", append([]byte{0}, k.signature...))
		refused(t, public, "zero byte after", append(slices.Clone(k.signature), 0))
		refused(t, public, "first byte missing", k.signature[1:])
		refused(t, public, "last byte missing", k.signature[:k.size()-1])
		refused(t, public, "twice", append(slices.Clone(k.signature), k.signature...))
		refused(t, public, "64 KiB", make([]byte, 64<<10))
	}
}

// TestRSAValueNotReduced checks that s+n, which is congruent to a good value, is refused if
// it fits in the signature.
func TestRSAValueNotReduced(t *testing.T) {
	for _, bits := range []int{511, 1023, 2047} {
		k := rsaOf(bits)
		v := new(big.Int).SetBytes(k.signature)
		v.Add(v, k.n)
		if v.BitLen() > k.size()*8 {
			t.Fatalf("%d bits: s+n does not fit: the test tests nothing", bits)
		}
		refused(t, k.public(t), "s+n", v.FillBytes(make([]byte, k.size())))
	}
}

func TestRSABitFlips(t *testing.T) {
	for _, k := range usable() {
		step := 1
		if k.bits > 1024 { // each bit would take seconds
			step = 61
		}
		public := k.public(t)
		for bit := 0; bit < k.size()*8; bit += step {
			s := slices.Clone(k.signature)
			s[bit/8] ^= 1 << (bit % 8)
			refused(t, public, "a bit flipped", s)
		}
	}
}

// TestRSAShortSignature checks that leading zero bytes may be missing: some signers dropped
// them.
func TestRSAShortSignature(t *testing.T) {
	for _, bits := range []int{511, 512, 1023, 1024} {
		private := mustPrivate(t, rsaOf(bits).private())
		s, signed := shortened(t, private)
		for _, accepted := range [][]byte{s, s[1:]} {
			if err := private.Public().Verify(signed, accepted); err != nil {
				t.Errorf("%d bits, %d bytes: %v", bits, len(accepted), err)
			}
		}
		if private.Public().Verify(signed, append([]byte{0}, s...)) == nil {
			t.Errorf("%d bits: longer than the modulus", bits)
		}
	}
}

// block consists of the parts of an encoded message.
type block struct {
	start, padding, separator, info, digest, after []byte
}

func (b block) bytes() []byte {
	return slices.Concat(b.start, b.padding, b.separator, b.info, b.digest, b.after)
}

func unhex(s string) []byte {
	b, err := hex.DecodeString(s)
	if err != nil {
		panic(err)
	}
	return b
}

// encoding returns the correct encoding of message.
func encoding(size int) block {
	digest := sha256.Sum256(message)
	return block{
		start:     []byte{0, 1},
		padding:   bytes.Repeat([]byte{0xff}, size-3-51),
		separator: []byte{0},
		info:      unhex("3031300d060960864801650304020105000420"),
		digest:    digest[:],
	}
}

// TestRSAForgeries checks that encodings are refused that other verifiers accepted because
// they parsed the encoded message instead of comparing it. The signatures are made with the
// private key, so that only the check of the encoding can refuse them.
func TestRSAForgeries(t *testing.T) {
	fill := func(n int) []byte { return bytes.Repeat([]byte{0xff}, n) }
	forgeries := map[string]func(*block){
		"NULL missing": func(b *block) {
			b.info = unhex("302f300b0609608648016503040201" + "0420")
			b.padding = fill(len(b.padding) + 2)
		},
		"NULL missing, room left": func(b *block) {
			b.info = unhex("302f300b0609608648016503040201" + "0420")
			b.after = []byte{0, 0}
		},
		"DigestInfo missing": func(b *block) {
			b.padding = fill(len(b.padding) + len(b.info))
			b.info = nil
		},
		"NULL of another length": func(b *block) {
			b.info = unhex("3032300e0609608648016503040201" + "058100" + "0420")
			b.padding = fill(len(b.padding) - 1)
		},
		"parameters hold garbage": func(b *block) { b.info[13] = 0x04 },
		"another hash":            func(b *block) { b.info[14] = 0x02 },
		"another hash's length":   func(b *block) { b.info[18] = 0x1f },
		"garbage after the hash": func(b *block) {
			b.padding = fill(len(b.padding) - 2)
			b.after = []byte{0xde, 0xad}
		},
		"8 bytes of padding, then garbage": func(b *block) {
			b.after = bytes.Repeat([]byte{0x5a}, len(b.padding)-8)
			b.padding = fill(8)
		},
		"no padding": func(b *block) {
			b.after = make([]byte, len(b.padding))
			b.padding = nil
		},
		"garbage before the padding": func(b *block) { b.padding[0] = 0x5a },
		"a zero in the padding":      func(b *block) { b.padding[4] = 0 },
		"padding of another byte":    func(b *block) { b.padding = bytes.Repeat([]byte{0xfe}, len(b.padding)) },
		"separator of another byte":  func(b *block) { b.separator = []byte{1} },
		"separator missing":          func(b *block) { b.separator = []byte{0xff} },
		"block type 0":               func(b *block) { b.start[1], b.padding = 0, make([]byte, len(b.padding)) },
		"block type 0, ff":           func(b *block) { b.start[1] = 0 },
		"block type 2":               func(b *block) { b.start[1] = 2 },
		"block type 2, random":       func(b *block) { b.start[1], b.padding = 2, bytes.Repeat([]byte{0x37}, len(b.padding)) },
		"first byte missing":         func(b *block) { b.start, b.after = []byte{1}, []byte{0} },
		"another digest":             func(b *block) { b.digest[31] ^= 1 },
		"digest of nothing":          func(b *block) { d := sha256.Sum256(nil); b.digest = d[:] },
		"digest reversed":            func(b *block) { slices.Reverse(b.digest) },
	}
	for _, k := range usable() {
		if k.bits > 2048 {
			continue
		}
		public := k.public(t)
		if err := public.Verify(message, k.raw(encoding(k.size()).bytes())); err != nil {
			t.Fatalf("%d bits: the correct encoding is refused: %v", k.bits, err)
		}
		for name, forge := range forgeries {
			b := encoding(k.size())
			forge(&b)
			encoded := b.bytes()
			if len(encoded) != k.size() {
				t.Fatalf("%d bits: %s: %d bytes", k.bits, name, len(encoded))
			}
			if new(big.Int).SetBytes(encoded).Cmp(k.n) < 0 {
				refused(t, public, name, k.raw(encoded))
			}
		}
	}
}

// TestRSACubeRoot checks that a cube that begins like an encoded message is refused. With e =
// 3, such a cube can be made without the private key.
func TestRSACubeRoot(t *testing.T) {
	for _, bits := range []int{512, 1024} {
		k := rsaKeys()[slices.IndexFunc(rsaKeys(), func(k rsaKey) bool { return k.bits == bits && k.e.Int64() == 3 })]
		b := encoding(k.size())
		b.padding, b.after = b.padding[:0], bytes.Repeat([]byte{0xff}, len(b.padding))
		target := new(big.Int).SetBytes(b.bytes())
		root := cubeRoot(target)
		refused(t, k.public(t), "cube root", root.Bytes())
		refused(t, k.public(t), "cube root, full length", root.FillBytes(make([]byte, k.size())))
		for i := range int64(9) { // 8 = 2³ and its like
			refused(t, k.public(t), "small cube", []byte{byte(i)})
		}
	}
}

// cubeRoot returns the largest number whose cube is not above n.
func cubeRoot(n *big.Int) *big.Int {
	root := new(big.Int)
	for bit := n.BitLen()/3 + 1; bit >= 0; bit-- {
		next := new(big.Int).SetBit(root, bit, 1)
		if new(big.Int).Exp(next, big.NewInt(3), nil).Cmp(n) <= 0 {
			root = next
		}
	}
	return root
}

// TestRSAHostileModuli checks that signatures of keys whose moduli are not products of two
// primes are refused.
func TestRSAHostileModuli(t *testing.T) {
	for _, bits := range []int{511, 512, 1023, 1024, 2047, 2048, 4096} {
		ones := plus(new(big.Int).Lsh(big.NewInt(1), uint(bits)), -1)
		for _, n := range []*big.Int{oddOf(bits), ones} {
			for _, e := range []string{"3", "65537", "2147483647"} {
				if bits > 2048 && len(e) > 5 {
					continue
				}
				k := mustPublic(t, object{"algorithm": "RS", "n": n.String(), "e": e})
				full := make([]byte, (bits+7)/8)
				refused(t, k, "zero", full)
				refused(t, k, "n-1", plus(n, -1).FillBytes(full))
				refused(t, k, "n", n.FillBytes(full))
			}
		}
	}
}

func BenchmarkVerify(b *testing.B) {
	for _, name := range keys.Algorithms() {
		k, err := keys.InsecureGenerate(name)
		if err != nil {
			b.Fatal(err)
		}
		s, err := k.Sign(message)
		if err != nil {
			b.Fatal(err)
		}
		b.Run(name, func(b *testing.B) {
			public := k.Public()
			for b.Loop() {
				if err := public.Verify(message, s); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
