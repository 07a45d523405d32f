package keys_test

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"maps"
	"math/big"
	"os"
	"reflect"
	"slices"
	"sync"
	"testing"

	"github.com/vepverify/vepverify/keys"
)

var message = []byte("vepverify")

// rsaKey is one key of testdata/rsa.json, with its signature over message. Other
// implementations made both.
type rsaKey struct {
	bits          int
	n, e, d, p, q *big.Int
	signature     []byte
}

var rsaKeys = sync.OnceValue(func() []rsaKey {
	data, err := os.ReadFile("testdata/rsa.json")
	if err != nil {
		panic(err)
	}
	var file struct {
		Message string
		Keys    []struct {
			Bits                     int
			N, E, D, P, Q, Signature string
		}
	}
	if err := json.Unmarshal(data, &file); err != nil {
		panic(err)
	}
	if file.Message != string(message) {
		panic("testdata/rsa.json: another message")
	}
	var all []rsaKey
	for _, k := range file.Keys {
		signature, err := hex.DecodeString(k.Signature)
		if err != nil {
			panic(err)
		}
		all = append(all, rsaKey{k.Bits, decimal(k.N), decimal(k.E), decimal(k.D), decimal(k.P), decimal(k.Q), signature})
	}
	return all
})

// usable returns the keys of rsaKeys that an algorithm has.
func usable() []rsaKey {
	return slices.DeleteFunc(slices.Clone(rsaKeys()), func(k rsaKey) bool {
		return k.bits == 1025 || k.bits > 4096
	})
}

// rsaOf returns the first key of the given length in bits.
func rsaOf(bits int) rsaKey {
	all := rsaKeys()
	return all[slices.IndexFunc(all, func(k rsaKey) bool { return k.bits == bits })]
}

func (k rsaKey) size() int { return (k.bits + 7) / 8 }

func (k rsaKey) public(t testing.TB) keys.PublicKey {
	t.Helper()
	return mustPublic(t, object{"algorithm": "RS", "n": k.n.String(), "e": k.e.String()})
}

func (k rsaKey) private() object {
	return object{"algorithm": "RS", "n": k.n.String(), "e": k.e.String(), "d": k.d.String()}
}

// raw signs an encoded message without changing it.
func (k rsaKey) raw(encoded []byte) []byte {
	m := new(big.Int).SetBytes(encoded)
	return m.Exp(m, k.d, k.n).FillBytes(make([]byte, k.size()))
}

// dsaKey has the numbers of a private key in one of the well-known groups.
type dsaKey struct {
	name          string
	p, q, g, x, y *big.Int
}

var dsaKeys = sync.OnceValue(func() []dsaKey {
	var all []dsaKey
	for _, name := range []string{"DS128", "DS256"} {
		generated, err := keys.Generate(name)
		if err != nil {
			panic(err)
		}
		data, err := generated.MarshalJSON()
		if err != nil {
			panic(err)
		}
		var o struct{ P, Q, G string }
		if err := json.Unmarshal(data, &o); err != nil {
			panic(err)
		}
		k := dsaKey{name: name, p: hexadecimal(o.P), q: hexadecimal(o.Q), g: hexadecimal(o.G)}
		k.x = hexadecimal("0123456789abcdef0123456789abcdef01234567")
		k.y = new(big.Int).Exp(k.g, k.x, k.p)
		all = append(all, k)
	}
	return all
})

func (k dsaKey) public() object {
	return object{"algorithm": "DS", "p": k.p.Text(16), "q": k.q.Text(16), "g": k.g.Text(16), "y": k.y.Text(16)}
}

func (k dsaKey) private() object {
	return object{"algorithm": "DS", "p": k.p.Text(16), "q": k.q.Text(16), "g": k.g.Text(16), "x": k.x.Text(16)}
}

func (k dsaKey) size() int { return k.q.BitLen() / 8 }

// signature joins r and s at full length.
func (k dsaKey) signature(r, s *big.Int) []byte {
	return append(r.FillBytes(make([]byte, k.size())), s.FillBytes(make([]byte, k.size()))...)
}

// object is a key in JSON.
type object map[string]any

// with returns a copy with other values of some members. nil removes a member.
func (o object) with(pairs ...any) object {
	o = maps.Clone(o)
	for i := 0; i < len(pairs); i += 2 {
		if pairs[i+1] == nil {
			delete(o, pairs[i].(string))
		} else {
			o[pairs[i].(string)] = pairs[i+1]
		}
	}
	return o
}

func (o object) json() []byte {
	data, err := json.Marshal(o)
	if err != nil {
		panic(err)
	}
	return data
}

func decimal(s string) *big.Int     { return number(s, 10) }
func hexadecimal(s string) *big.Int { return number(s, 16) }

func number(s string, base int) *big.Int {
	n, ok := new(big.Int).SetString(s, base)
	if !ok {
		panic("not a number: " + s)
	}
	return n
}

func b64(n *big.Int) string { return base64.RawURLEncoding.EncodeToString(n.Bytes()) }

func plus(n *big.Int, i int64) *big.Int { return new(big.Int).Add(n, big.NewInt(i)) }

// oddOf returns an odd number of the given number of bits.
func oddOf(bits int) *big.Int {
	n := new(big.Int).SetBit(big.NewInt(1), bits-1, 1)
	return n.SetBit(n, bits/2, 1)
}

func mustPublic(t testing.TB, o object) keys.PublicKey {
	t.Helper()
	k, err := keys.InsecureParsePublicKey(o.json())
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func mustPrivate(t testing.TB, o object) keys.PrivateKey {
	t.Helper()
	k, err := keys.InsecureParsePrivateKey(o.json())
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func mustSign(t testing.TB, k keys.PrivateKey, message []byte) []byte {
	t.Helper()
	s, err := k.Sign(message)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// refused fails the test unless Verify returns an error matching ErrSignature.
func refused(t testing.TB, k keys.PublicKey, what string, signature []byte) {
	t.Helper()
	if err := k.Verify(message, signature); !errors.Is(err, keys.ErrSignature) {
		t.Errorf("%s: %s: %v", k.Algorithm(), what, err)
	}
}

// shortened returns a signature that begins with a zero byte, and its message.
func shortened(t testing.TB, k keys.PrivateKey) (signature, signed []byte) {
	t.Helper()
	for i := range 10_000 {
		signed = big.NewInt(int64(i)).Append([]byte("message "), 10)
		if signature = mustSign(t, k, signed); signature[0] == 0 {
			return signature, signed
		}
	}
	t.Fatal("no signature begins with a zero byte")
	return nil, nil
}

func TestAlgorithms(t *testing.T) {
	want := []string{"DS128", "DS256", "RS128", "RS256", "RS64"}
	if got := keys.Algorithms(); !slices.Equal(got, want) {
		t.Errorf("got %q", got)
	}
	constants := []string{keys.DS128, keys.DS256, keys.RS128, keys.RS256, keys.RS64}
	if !slices.Equal(constants, want) {
		t.Errorf("the constants are %q", constants)
	}
	for _, name := range []string{"", "none", "HS256", "rs256", "RS512", "RS", "DSA", "RS256 "} {
		if _, err := keys.InsecureGenerate(name); !errors.Is(err, keys.ErrUnknownType) {
			t.Errorf("%q: %v", name, err)
		}
	}
}

// TestEqual checks that keys are equal if and only if their canonical forms are. The keys
// include some that differ in one number, and both JSON forms of each.
func TestEqual(t *testing.T) {
	var all []keys.PublicKey
	add := func(o object) {
		k := mustPublic(t, o)
		jwk, err := keys.InsecureParsePublicKey(written(t, k.MarshalJWK))
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, k, jwk)
	}
	for _, k := range usable() {
		o := object{"algorithm": "RS", "n": k.n.String(), "e": k.e.String()}
		add(o)
		add(o.with("e", "5"))
		add(o.with("n", plus(k.n, -2).String()))
	}
	for _, k := range dsaKeys() {
		add(k.public())
		for name, value := range map[string]*big.Int{"p": plus(k.p, -2), "q": plus(k.q, -2), "g": plus(k.g, 1), "y": plus(k.y, 1)} {
			add(k.public().with(name, value.Text(16)))
		}
	}
	for _, a := range all {
		for _, b := range all {
			if got, want := a.Equal(b), bytes.Equal(a.Canonical(), b.Canonical()); got != want {
				t.Errorf("%.30s and %.30s: equal %v, want %v", a.Canonical(), b.Canonical(), got, want)
			}
		}
		if a.Equal(nil) {
			t.Errorf("%s equals nil", a.Algorithm())
		}
	}
}

// TestSealed checks that other packages cannot implement PublicKey.
func TestSealed(t *testing.T) {
	public := reflect.TypeFor[keys.PublicKey]()
	for i := range public.NumMethod() {
		if !public.Method(i).IsExported() {
			return
		}
	}
	t.Error("PublicKey has only exported methods")
}

func TestGenerate(t *testing.T) {
	for _, c := range []struct {
		name string
		bits int
	}{{"RS64", 512}, {"RS128", 1024}, {"RS256", 2048}, {"DS128", 1024}, {"DS256", 2048}} {
		k, err := keys.InsecureGenerate(c.name)
		if err != nil {
			t.Fatal(err)
		}
		if k.Algorithm() != c.name || k.Public().Algorithm() != c.name {
			t.Errorf("%s: the key is of %s", c.name, k.Algorithm())
		}
		if err := k.Public().Validate(); err != nil {
			t.Errorf("%s: %v", c.name, err)
		}
		first := bytes.Split(k.Public().Canonical(), []byte(":"))[1]
		if got := hexadecimal(string(first)).BitLen(); got != c.bits {
			t.Errorf("%s: %d bits", c.name, got)
		}
		if err := k.Public().Verify(message, mustSign(t, k, message)); err != nil {
			t.Errorf("%s: %v", c.name, err)
		}
		other, err := keys.InsecureGenerate(c.name)
		if err != nil {
			t.Fatal(err)
		}
		if bytes.Equal(k.Public().Canonical(), other.Public().Canonical()) {
			t.Errorf("%s: the same key twice", c.name)
		}
		if other.Public().Verify(message, mustSign(t, k, message)) == nil {
			t.Errorf("%s: another key verifies", c.name)
		}
	}
}

func TestGenerateRefuses(t *testing.T) {
	if k, err := keys.Generate(keys.RS64); k != nil || !errors.Is(err, keys.ErrWeak) {
		t.Errorf("RS64: %v", err)
	}
	for _, generate := range []func(string) (keys.PrivateKey, error){keys.Generate, keys.InsecureGenerate} {
		for _, name := range []string{"", "none", "ES256", "rs256"} {
			if k, err := generate(name); k != nil || !errors.Is(err, keys.ErrUnknownType) {
				t.Errorf("%q: %v", name, err)
			}
		}
	}
}

// TestGroups checks the constants of the groups, which were copied from a text.
func TestGroups(t *testing.T) {
	for _, k := range dsaKeys() {
		if !k.p.ProbablyPrime(20) || !k.q.ProbablyPrime(20) {
			t.Errorf("%s: p or q is not prime", k.name)
		}
		if new(big.Int).Mod(plus(k.p, -1), k.q).Sign() != 0 {
			t.Errorf("%s: q does not divide p-1", k.name)
		}
	}
}

func TestConcurrentUse(t *testing.T) {
	for _, k := range []keys.PrivateKey{
		mustPrivate(t, rsaOf(512).private()), mustPrivate(t, rsaOf(1024).private()), mustPrivate(t, dsaKeys()[0].private()),
	} {
		want := mustSign(t, k, message)
		var wg sync.WaitGroup
		for range 8 {
			wg.Go(func() {
				s, err := k.Sign(message)
				if err != nil || !bytes.Equal(s, want) || k.Public().Verify(message, s) != nil || k.Public().Validate() != nil {
					t.Errorf("%s: not the same answer", k.Algorithm())
				}
			})
		}
		wg.Wait()
	}
}
