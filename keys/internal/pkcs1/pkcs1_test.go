package pkcs1_test

import (
	"bytes"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"errors"
	"math/big"
	"slices"
	"sync"
	"testing"

	"github.com/vepverify/vepverify/keys/internal/mont"
	"github.com/vepverify/vepverify/keys/internal/pkcs1"
)

var digest = sha256.Sum256([]byte("message"))

// key returns the key of most tests.
var key = sync.OnceValue(func() *rsa.PrivateKey { return generate(2048) })

func generate(bits int) *rsa.PrivateKey {
	k, err := rsa.GenerateKey(rand.Reader, bits)
	if err != nil {
		panic(err)
	}
	return k
}

func verifier(t testing.TB, k *rsa.PublicKey) *pkcs1.Verifier {
	t.Helper()
	v, err := pkcs1.New(k.N, big.NewInt(int64(k.E)))
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func sign(t testing.TB, k *rsa.PrivateKey) []byte {
	t.Helper()
	signature, err := rsa.SignPKCS1v15(nil, k, crypto.SHA256, digest[:])
	if err != nil {
		t.Fatal(err)
	}
	return signature
}

func TestVerify(t *testing.T) {
	for _, k := range []*rsa.PrivateKey{generate(1024), key(), generate(2047)} {
		v, signature := verifier(t, &k.PublicKey), sign(t, k)
		if !v.Verify(&digest, signature) {
			t.Errorf("%d bits: a good signature is refused", k.N.BitLen())
		}
		other := sha256.Sum256([]byte("other"))
		if v.Verify(&other, signature) {
			t.Errorf("%d bits: good for another digest", k.N.BitLen())
		}
		for i := range signature {
			signature[i] ^= 1 << (i % 8)
			if v.Verify(&digest, signature) {
				t.Errorf("%d bits: good with byte %d changed", k.N.BitLen(), i)
			}
			signature[i] ^= 1 << (i % 8)
		}
	}
}

// forge signs an encoded message without changing it.
func forge(k *rsa.PrivateKey, encoded []byte) []byte {
	s := new(big.Int).SetBytes(encoded)
	return s.Exp(s, k.D, k.N).FillBytes(make([]byte, k.Size()))
}

func TestVerifyEncodings(t *testing.T) {
	k := key()
	v := verifier(t, &k.PublicKey)
	const info = "\x30\x31\x30\x0d\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02\x01\x05\x00\x04\x20"
	const noNull = "\x30\x2f\x30\x0b\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02\x01\x04\x20"
	const sha512 = "\x30\x31\x30\x0d\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02\x03\x05\x00\x04\x20"
	encode := func(start, info, end string) []byte {
		tail := "\x00" + info + string(digest[:]) + end
		padding := bytes.Repeat([]byte{0xff}, k.Size()-len(start)-len(tail))
		return append(append([]byte(start), padding...), tail...)
	}
	good := encode("\x00\x01", info, "")
	hole := bytes.Clone(good)
	hole[100] = 0
	for name, c := range map[string]struct {
		encoded []byte
		want    bool
	}{
		"good":               {good, true},
		"no NULL":            {encode("\x00\x01", noNull, ""), false},
		"another hash":       {encode("\x00\x01", sha512, ""), false},
		"no DigestInfo":      {encode("\x00\x01", "", ""), false},
		"block type 0":       {encode("\x00\x00", info, ""), false},
		"block type 2":       {encode("\x00\x02", info, ""), false},
		"first byte not 0":   {encode("\x01\x01", info, ""), false},
		"bytes at the end":   {encode("\x00\x01", info, "\x00\x00"), false},
		"a hole in the ones": {hole, false},
		"zero":               {make([]byte, k.Size()), false},
		"one":                {[]byte{1}, false},
	} {
		if got := v.Verify(&digest, forge(k, c.encoded)); got != c.want {
			t.Errorf("%s: %v", name, got)
		}
	}
}

func TestVerifyRange(t *testing.T) {
	k := key()
	v, signature := verifier(t, &k.PublicKey), sign(t, k)
	s := new(big.Int).SetBytes(signature)
	size := k.Size()
	raise := new(big.Int).Add(s, k.N)
	for name, b := range map[string][]byte{
		"empty":        nil,
		"short":        signature[1:],
		"cut":          signature[:size-1],
		"long":         append([]byte{0}, signature...),
		"zero":         make([]byte, size),
		"s + n":        raise.FillBytes(make([]byte, size+1)),
		"n":            k.N.FillBytes(make([]byte, size)),
		"n - s":        new(big.Int).Sub(k.N, s).FillBytes(make([]byte, size)),
		"all ones":     bytes.Repeat([]byte{0xff}, size),
		"all zero - 1": new(big.Int).Sub(k.N, big.NewInt(1)).FillBytes(make([]byte, size)),
	} {
		if v.Verify(&digest, b) {
			t.Errorf("%s: accepted", name)
		}
	}
	if raise.BitLen() <= 8*size && v.Verify(&digest, raise.FillBytes(make([]byte, size))) {
		t.Error("s + n at full length: accepted")
	}
}

func TestNew(t *testing.T) {
	n, e := key().N, big.NewInt(65537)
	power := func(bits uint) *big.Int { return new(big.Int).Lsh(big.NewInt(1), bits) }
	for name, c := range map[string]struct{ n, e *big.Int }{
		"even modulus":   {new(big.Int).Add(n, big.NewInt(1)), e},
		"short modulus":  {big.NewInt(15), e},
		"long modulus":   {new(big.Int).Add(power(mont.MaxBits), big.NewInt(1)), e},
		"e is zero":      {n, new(big.Int)},
		"e is one":       {n, big.NewInt(1)},
		"e is negative":  {n, big.NewInt(-3)},
		"e is even":      {n, big.NewInt(65536)},
		"e is too large": {n, power(31)},
	} {
		if _, err := pkcs1.New(c.n, c.e); !errors.Is(err, pkcs1.ErrKey) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestExponents checks exponents with other bits than 65537. It computes the private
// exponent for each.
func TestExponents(t *testing.T) {
	k := key()
	p, q := k.Primes[0], k.Primes[1]
	one := big.NewInt(1)
	phi := new(big.Int).Mul(new(big.Int).Sub(p, one), new(big.Int).Sub(q, one))
	tried := 0
	for _, e := range []int64{3, 5, 17, 257, 65539, 0x55555555, 1<<31 - 1} {
		d := new(big.Int).ModInverse(big.NewInt(e), phi)
		if d == nil {
			continue // this e divides p−1 or q−1
		}
		tried++
		other := &rsa.PrivateKey{PublicKey: rsa.PublicKey{N: k.N, E: int(e)}, D: d, Primes: k.Primes}
		if v := verifier(t, &other.PublicKey); !v.Verify(&digest, sign(t, other)) {
			t.Errorf("e = %d: a good signature is refused", e)
		}
	}
	if tried == 0 {
		t.Error("no exponent fits the key")
	}
}

// reference reports whether the signature is valid. It follows the definition with math/big:
// it builds the whole encoded message and compares it.
func reference(n, e *big.Int, digest *[sha256.Size]byte, signature []byte) bool {
	const info = "\x30\x31\x30\x0d\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02\x01\x05\x00\x04\x20"
	size := (n.BitLen() + 7) / 8
	padding := size - 3 - len(info) - len(digest)
	if padding < 8 || len(signature) != size {
		return false
	}
	want := slices.Concat([]byte{0, 1}, bytes.Repeat([]byte{0xff}, padding), []byte{0}, []byte(info), digest[:])
	s := new(big.Int).SetBytes(signature)
	if s.Cmp(n) >= 0 {
		return false
	}
	s.Exp(s, e, n)
	return bytes.Equal(s.FillBytes(make([]byte, size)), want)
}

// TestVerifyShortModuli compares Verify with the definition for moduli that
// crypto/rsa refuses: the shortest that New accepts, and those of RS64 and RS128.
func TestVerifyShortModuli(t *testing.T) {
	for _, bits := range []int{489, 496, 497, 511, 512, 513, 768, 1023} {
		n, d := shortKey(t, bits)
		e := big.NewInt(65537)
		v, err := pkcs1.New(n, e)
		if err != nil {
			t.Fatalf("%d bits: %v", bits, err)
		}
		size := v.Size()
		signature := new(big.Int).SetBytes(pkcs1.Encode(make([]byte, size), &digest))
		good := signature.Exp(signature, d, n).FillBytes(make([]byte, size))
		if !v.Verify(&digest, good) || !reference(n, e, &digest, good) {
			t.Errorf("%d bits: a good signature is refused", bits)
		}
		other := sha256.Sum256([]byte("other"))
		if v.Verify(&other, good) || reference(n, e, &other, good) {
			t.Errorf("%d bits: good for another digest", bits)
		}
		raised := new(big.Int).Add(signature, n).Bytes() // s + n
		for _, s := range [][]byte{nil, good[1:], append([]byte{0}, good...), raised, n.Bytes(), make([]byte, size)} {
			if v.Verify(&digest, s) || reference(n, e, &digest, s) {
				t.Errorf("%d bits: %x is accepted", bits, s)
			}
		}
		for i := range good {
			good[i] ^= 1 << (i % 8)
			if v.Verify(&digest, good) || reference(n, e, &digest, good) {
				t.Errorf("%d bits: good with byte %d changed", bits, i)
			}
			good[i] ^= 1 << (i % 8)
		}
	}
}

// shortKey returns a modulus of the given number of bits and the private exponent for the
// exponent 65537.
func shortKey(t *testing.T, bits int) (n, d *big.Int) {
	t.Helper()
	one := big.NewInt(1)
	for {
		p, err := rand.Prime(rand.Reader, bits/2)
		if err != nil {
			t.Fatal(err)
		}
		q, err := rand.Prime(rand.Reader, bits-bits/2)
		if err != nil {
			t.Fatal(err)
		}
		order := new(big.Int).Mul(new(big.Int).Sub(p, one), new(big.Int).Sub(q, one))
		d := new(big.Int).ModInverse(big.NewInt(65537), order)
		if n := new(big.Int).Mul(p, q); d != nil && n.BitLen() == bits {
			return n, d
		}
	}
}

// FuzzVerify compares the results for hostile keys and signatures with those of
// math/big and, for keys that it accepts, of crypto/rsa.
func FuzzVerify(f *testing.F) {
	k := key()
	signature := sign(f, k)
	f.Add(bytes.Repeat([]byte{0xff}, 62), uint32(3), bytes.Repeat([]byte{0xfe}, 62))
	f.Add(bytes.Repeat([]byte{0xff}, 64), uint32(65537), bytes.Repeat([]byte{1}, 64))
	f.Add(k.N.Bytes(), uint32(k.E), signature)
	f.Add(k.N.Bytes(), uint32(3), signature)
	f.Add(bytes.Repeat([]byte{0xff}, 128), uint32(3), bytes.Repeat([]byte{0xff}, 127))
	f.Fuzz(func(t *testing.T, modulus []byte, e uint32, signature []byte) {
		n := new(big.Int).SetBytes(modulus)
		v, err := pkcs1.New(n, big.NewInt(int64(e)))
		if err != nil {
			t.Skip("a key that New refuses")
		}
		got := v.Verify(&digest, signature)
		if want := reference(n, big.NewInt(int64(e)), &digest, signature); got != want {
			t.Errorf("%v, math/big: %v", got, want)
		}
		if n.BitLen() < 1024 {
			return // crypto/rsa refuses the key
		}
		err = rsa.VerifyPKCS1v15(&rsa.PublicKey{N: n, E: int(e)}, crypto.SHA256, digest[:], signature)
		if got != (err == nil) {
			t.Errorf("%v, crypto/rsa: %v", got, err)
		}
	})
}

func BenchmarkVerify(b *testing.B) {
	k := key()
	v, signature := verifier(b, &k.PublicKey), sign(b, k)
	b.Run("own", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if !v.Verify(&digest, signature) {
				b.Fatal("not verified")
			}
		}
	})
	b.Run("crypto", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if err := rsa.VerifyPKCS1v15(&k.PublicKey, crypto.SHA256, digest[:], signature); err != nil {
				b.Fatal(err)
			}
		}
	})
}
