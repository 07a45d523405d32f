package dsa_test

import (
	"bytes"
	stddsa "crypto/dsa" //lint:ignore SA1019 the oracle
	"crypto/rand"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/hex"
	"hash"
	"math/big"
	"strings"
	"testing"

	"github.com/vepverify/vepverify/keys/internal/dsa"
)

func number(digits string) *big.Int {
	n, ok := new(big.Int).SetString(digits, 16)
	if !ok {
		panic(digits)
	}
	return n
}

// The keys of RFC 6979, sections A.2.1 and A.2.2.
var (
	rfc1024 = dsa.NewPrivateKey(
		number("86F5CA03DCFEB225063FF830A0C769B9DD9D6153AD91D7CE27F787C43278B447"+
			"E6533B86B18BED6E8A48B784A14C252C5BE0DBF60B86D6385BD2F12FB763ED88"+
			"73ABFD3F5BA2E0A8C0A59082EAC056935E529DAF7C610467899C77ADEDFC846C"+
			"881870B7B19B2B58F9BE0521A17002E3BDD6B86685EE90B3D9A1B02B782B1779"),
		number("996F967F6C8E388D9E28D01E205FBA957A5698B1"),
		number("07B0F92546150B62514BB771E2A0C0CE387F03BDA6C56B505209FF25FD3C133D"+
			"89BBCD97E904E09114D9A7DEFDEADFC9078EA544D2E401AEECC40BB9FBBF78FD"+
			"87995A10A1C27CB7789B594BA7EFB5C4326A9FE59A070E136DB77175464ADCA4"+
			"17BE5DCE2F40D10A46A3A3943F26AB7FD9C0398FF8C76EE0A56826A8A88F1DBD"),
		number("411602CB19A6CCC34494D79D98EF1E7ED5AF25F7"))
	rfc2048 = dsa.NewPrivateKey(
		number("9DB6FB5951B66BB6FE1E140F1D2CE5502374161FD6538DF1648218642F0B5C48"+
			"C8F7A41AADFA187324B87674FA1822B00F1ECF8136943D7C55757264E5A1A44F"+
			"FE012E9936E00C1D3E9310B01C7D179805D3058B2A9F4BB6F9716BFE6117C6B5"+
			"B3CC4D9BE341104AD4A80AD6C94E005F4B993E14F091EB51743BF33050C38DE2"+
			"35567E1B34C3D6A5C0CEAA1A0F368213C3D19843D0B4B09DCB9FC72D39C8DE41"+
			"F1BF14D4BB4563CA28371621CAD3324B6A2D392145BEBFAC748805236F5CA2FE"+
			"92B871CD8F9C36D3292B5509CA8CAA77A2ADFC7BFD77DDA6F71125A7456FEA15"+
			"3E433256A2261C6A06ED3693797E7995FAD5AABBCFBE3EDA2741E375404AE25B"),
		number("F2C3119374CE76C9356990B465374A17F23F9ED35089BD969F61C6DDE9998C1F"),
		number("5C7FF6B06F8F143FE8288433493E4769C4D988ACE5BE25A0E24809670716C613"+
			"D7B0CEE6932F8FAA7C44D2CB24523DA53FBE4F6EC3595892D1AA58C4328A06C4"+
			"6A15662E7EAA703A1DECF8BBB2D05DBE2EB956C142A338661D10461C0D135472"+
			"085057F3494309FFA73C611F78B32ADBB5740C361C9F35BE90997DB2014E2EF5"+
			"AA61782F52ABEB8BD6432C4DD097BC5423B285DAFB60DC364E8161F4A2A35ACA"+
			"3A10B1C4D203CC76A470A33AFDCBDD92959859ABD8B56E1725252D78EAC66E71"+
			"BA9AE3F1DD2487199874393CD4D832186800654760E1E34C09E4D155179F9EC0"+
			"DC4473F996BDCE6EED1CABED8B6F116F7AD9CF505DF0F998E34AB27514B0FFE7"),
		number("69C7548C21D0DFEA6B9A51C9EAD4E27C33D3B3F180316E5BCAB92C933F0E4DBC"))
)

func digest(newHash func() hash.Hash, message string) []byte {
	h := newHash()
	h.Write([]byte(message))
	return h.Sum(nil)
}

func TestSignRFC6979(t *testing.T) {
	for _, c := range []struct {
		key     *dsa.PrivateKey
		hash    func() hash.Hash
		message string
		r, s    string
	}{
		{rfc1024, sha1.New, "sample", "2E1A0C2562B2912CAAF89186FB0F42001585DA55", "29EFB6B0AFF2D7A68EB70CA313022253B9A88DF5"},
		{rfc1024, sha256.New, "sample", "81F2F5850BE5BC123C43F71A3033E9384611C545", "4CDD914B65EB6C66A8AAAD27299BEE6B035F5E89"},
		{rfc1024, sha1.New, "test", "42AB2052FD43E123F0607F115052A67DCD9C5C77", "183916B0230D45B9931491D4C6B0BD2FB4AAF088"},
		{rfc1024, sha256.New, "test", "22518C127299B0F6FDC9872B282B9E70D0790812", "6837EC18F150D55DE95B5E29BE7AF5D01E4FE160"},
		{rfc2048, sha1.New, "sample", "3A1B2DBD7489D6ED7E608FD036C83AF396E290DBD602408E8677DAABD6E7445A", "D26FCBA19FA3E3058FFC02CA1596CDBB6E0D20CB37B06054F7E36DED0CDBBCCF"},
		{rfc2048, sha256.New, "sample", "EACE8BDBBE353C432A795D9EC556C6D021F7A03F42C36E9BC87E4AC7932CC809", "7081E175455F9247B812B74583E9E94F9EA79BD640DC962533B0680793A38D53"},
		{rfc2048, sha1.New, "test", "C18270A93CFC6063F57A4DFA86024F700D980E4CF4E2CB65A504397273D98EA0", "414F22E5F31A8B6D33295C7539C1C1BA3A6160D7D68D50AC0D3A5BEAC2884FAA"},
		{rfc2048, sha256.New, "test", "8190012A1969F9957D56FCCAAD223186F423398D58EF5B3CEFD5A4146A4476F0", "7452A53F7075D417B4B013B278D1BB8BBD21863F5E7B1CEE679CF2188E1AB19E"},
	} {
		d := digest(c.hash, c.message)
		got, err := c.key.Sign(c.hash, d)
		if err != nil {
			t.Fatal(err)
		}
		want, err := hex.DecodeString(c.r + c.s)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(got, want) {
			t.Errorf("q of %d bits, hash of %d bytes, %q: got %X", c.key.Q.BitLen(), len(d), c.message, got)
		}
		if !c.key.Verify(d, want) {
			t.Errorf("q of %d bits, hash of %d bytes, %q: not verified", c.key.Q.BitLen(), len(d), c.message)
		}
	}
}

func TestInGroup(t *testing.T) {
	for _, key := range []*dsa.PrivateKey{rfc1024, rfc2048} {
		good := key.PublicKey
		minusOne := new(big.Int).Sub(good.P, big.NewInt(1))
		if !good.InGroup() {
			t.Error("a good key is not in its group")
		}
		for name, k := range map[string]dsa.PublicKey{
			"y = p-1":  {P: good.P, Q: good.Q, G: good.G, Y: minusOne},
			"y = -y":   {P: good.P, Q: good.Q, G: good.G, Y: new(big.Int).Sub(good.P, good.Y)},
			"g = p-1":  {P: good.P, Q: good.Q, G: minusOne, Y: good.Y},
			"y = 2":    {P: good.P, Q: good.Q, G: good.G, Y: big.NewInt(2)},
			"p is bad": {P: new(big.Int).Add(good.P, big.NewInt(2)), Q: good.Q, G: good.G, Y: good.Y},
			"q is bad": {P: good.P, Q: new(big.Int).Add(good.Q, big.NewInt(2)), G: good.G, Y: good.Y},
		} {
			if k.InGroup() {
				t.Errorf("%s: in the group", name)
			}
			if _, known := dsa.CheckedGroups(&dsa.Group{P: k.P, Q: k.Q, G: k.G}); known != strings.HasPrefix(name, "y") {
				t.Errorf("%s: the group is in the list: %v", name, known)
			}
		}
	}
}

// TestInGroupRemembers checks that strangers cannot make the list of checked groups grow,
// and that keys get the same result after their group was dropped.
func TestInGroupRemembers(t *testing.T) {
	for range 2 {
		for i := range 100 {
			k := composite(i)
			if !k.InGroup() {
				t.Fatalf("key %d: not in its group", i)
			}
			if all, known := dsa.CheckedGroups(&dsa.Group{P: k.P, Q: k.Q, G: k.G}); all > 8 || !known {
				t.Fatalf("key %d: %d groups are in the list, this one: %v", i, all, known)
			}
			k.Y = big.NewInt(2)
			if k.InGroup() {
				t.Fatalf("key %d: 2 is in the group", i)
			}
		}
	}
	if _, known := dsa.CheckedGroups(dsa.FIPS2048); known {
		t.Error("a well-known group is in the list")
	}
}

// composite returns a key in a group of its own that takes as long as a correct one: p is
// the product of 131, with 13 | 130, and an odd number of 2040 bits, and g ≡ y ≡ 62 modulo
// 131 and 1 modulo the other factor.
func composite(i int) *dsa.PublicKey {
	prime := big.NewInt(131)
	rest := new(big.Int).Lsh(one, 2039)
	rest.Add(rest, big.NewInt(int64(2*i+1)))
	for new(big.Int).Mod(rest, prime).Sign() == 0 {
		rest.Add(rest, big.NewInt(200))
	}
	g := new(big.Int).ModInverse(rest, prime)
	g.Mul(g, big.NewInt(61)).Mod(g, prime).Mul(g, rest).Add(g, one)
	return &dsa.PublicKey{P: rest.Mul(rest, prime), Q: big.NewInt(13), G: g, Y: g}
}

// inGroup reports whether g^q ≡ y^q ≡ 1 (mod p). It uses math/big.
func inGroup(k *dsa.PublicKey) bool {
	g, y := new(big.Int).Exp(k.G, k.Q, k.P), new(big.Int).Exp(k.Y, k.Q, k.P)
	return g.Cmp(one) == 0 && y.Cmp(one) == 0
}

// TestOracle checks that this package verifies signatures of crypto/dsa, which uses other
// nonces, and the reverse.
func TestOracle(t *testing.T) {
	for _, key := range []*dsa.PrivateKey{rfc1024, rfc2048} {
		size := key.Size() / 2
		std := &stddsa.PrivateKey{X: key.X, PublicKey: stdPublic(&key.PublicKey)}
		for i := range 8 {
			d := digest(sha256.New, string(rune('a'+i)))[:size]
			r, s, err := stddsa.Sign(rand.Reader, std, d)
			if err != nil {
				t.Fatal(err)
			}
			signature := append(r.FillBytes(make([]byte, size)), s.FillBytes(make([]byte, size))...)
			if !key.Verify(d, signature) {
				t.Errorf("q of %d bits: the signature of crypto/dsa is refused", key.Q.BitLen())
			}
			own, err := key.Sign(sha256.New, d)
			if err != nil {
				t.Fatal(err)
			}
			if !stdVerify(&key.PublicKey, d, own) {
				t.Errorf("q of %d bits: crypto/dsa refuses our signature", key.Q.BitLen())
			}
		}
	}
}

func stdPublic(k *dsa.PublicKey) stddsa.PublicKey {
	return stddsa.PublicKey{Parameters: stddsa.Parameters{P: k.P, Q: k.Q, G: k.G}, Y: k.Y}
}

func stdVerify(k *dsa.PublicKey, digest, signature []byte) bool {
	half := len(signature) / 2
	std := stdPublic(k)
	return stddsa.Verify(&std, digest, new(big.Int).SetBytes(signature[:half]), new(big.Int).SetBytes(signature[half:]))
}

// TestVerifyExhaustively tries all signatures in tiny groups. A signature is valid if r is
// g^((z+xr)/s) mod p mod q, and r and s are above 0 and below q.
func TestVerifyExhaustively(t *testing.T) {
	for _, c := range []struct{ p, q, g, x int }{
		{13, 3, 3, 2}, // 3 mod 13 mod 3 is 0, which is not a valid r
		{23, 11, 2, 7},
		{47, 23, 4, 5},
		{131, 13, 62, 12},
	} {
		n := func(i int) *big.Int { return big.NewInt(int64(i)) }
		k := dsa.NewPrivateKey(n(c.p), n(c.q), n(c.g), n(c.x))
		if !k.InGroup() {
			t.Fatalf("p = %d: not a group", c.p)
		}
		for d := 0; d < 256; d += 7 {
			z := d >> (8 - k.Q.BitLen())
			for r := range 2 * c.q {
				for s := range 2 * c.q {
					want := 0 < r && r < c.q && 0 < s && s < c.q && value(c.p, c.q, c.g, s, z+c.x*r) == r
					if got := k.Verify([]byte{byte(d)}, []byte{byte(r), byte(s)}); got != want {
						t.Fatalf("p = %d, digest %d, r = %d, s = %d: %v", c.p, d, r, s, got)
					}
				}
			}
		}
	}
}

// value returns g^(n/s) mod p mod q.
func value(p, q, g, s, n int) int {
	v := 1
	for e := 0; e*s%q != n%q; e++ {
		v = v * g % p
	}
	return v % q
}

// TestSignWithoutGroup checks that Sign terminates with an error if the numbers do not form
// a group.
func TestSignWithoutGroup(t *testing.T) {
	one := big.NewInt(1)
	// g of order 1 modulo p: r is 1 for every nonce, and x makes s vanish.
	q := big.NewInt(0xfffb)
	d := []byte{0x12, 0x34}
	x := new(big.Int).Sub(q, big.NewInt(0x1234))
	k := dsa.NewPrivateKey(number("ffffffffffffffc5"), q, one, x)
	if _, err := k.Sign(sha256.New, d); err == nil {
		t.Error("signed without a group")
	}
}

// FuzzVerify compares the results for hostile groups with those of crypto/dsa.
func FuzzVerify(f *testing.F) {
	for _, key := range []*dsa.PrivateKey{rfc1024, rfc2048} {
		d := digest(sha256.New, "sample")[:key.Size()/2]
		signature, err := key.Sign(sha256.New, d)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(key.P.Bytes(), key.Q.Bytes(), key.G.Bytes(), key.Y.Bytes(), d, signature)
		f.Add(key.P.Bytes(), key.Q.Bytes(), key.G.Bytes(), []byte{2}, d, signature)
	}
	f.Add([]byte{0xfb}, []byte{0x81}, []byte{2}, []byte{3}, []byte{1}, []byte{43, 3})
	f.Fuzz(func(t *testing.T, p, q, g, y, digest, signature []byte) {
		k := &dsa.PublicKey{P: odd(p), Q: odd(q)}
		if k.P.BitLen() < 3 || k.P.BitLen() > 2048 || k.Q.BitLen()%8 != 0 || k.Q.BitLen() > 256 {
			t.Skip("sizes that package keys refuses")
		}
		k.G, k.Y = within(g, k.P), within(y, k.P)
		if len(digest) > k.Size()/2 || len(signature) != k.Size() {
			t.Skip("lengths that crypto/dsa treats differently")
		}
		if got := k.Verify(digest, signature); got != stdVerify(k, digest, signature) {
			t.Errorf("%v, crypto/dsa: %v", got, !got)
		}
		for range 2 { // the second time, the group may be in the list
			if got := k.InGroup(); got != inGroup(k) {
				t.Errorf("in the group: %v", got)
			}
		}
		checker(t, k)("fuzzed", digest, signature)
	})
}

func odd(b []byte) *big.Int {
	n := new(big.Int).SetBytes(b)
	return n.SetBit(n, 0, 1)
}

// within returns a number from 2 to p−1.
func within(b []byte, p *big.Int) *big.Int {
	two := big.NewInt(2)
	n := new(big.Int).SetBytes(b)
	n.Mod(n, new(big.Int).Sub(p, two))
	return n.Add(n, two)
}
