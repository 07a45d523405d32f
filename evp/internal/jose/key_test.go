package jose_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"encoding/json"
	"errors"
	"fmt"
	"math/big"
	"strings"
	"testing"

	jwx "github.com/go-jose/go-jose/v4"

	"github.com/vepverify/vepverify/evp/internal/jose"
)

var algs = []string{jose.Ed25519, jose.EdDSA, jose.ES256, jose.RS256}

// generate returns a key for each algorithm, with its name as kid.
func generate(t testing.TB, alg string) *jose.PrivateKey {
	t.Helper()
	k, err := jose.Generate(alg)
	if err != nil {
		t.Fatal(err)
	}
	return k.WithKid(alg)
}

func marshal(t testing.TB, v any) []byte {
	t.Helper()
	data, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// with returns a JWK with members replaced. The value nil removes one.
func with(t testing.TB, jwk []byte, members map[string]any) []byte {
	t.Helper()
	var m map[string]any
	if err := json.Unmarshal(jwk, &m); err != nil {
		t.Fatal(err)
	}
	for name, value := range members {
		if m[name] = value; value == nil {
			delete(m, name)
		}
	}
	return marshal(t, m)
}

func TestPublicKey(t *testing.T) {
	for _, alg := range algs {
		key := generate(t, alg).Public()
		back, err := jose.ParsePublicKey(with(t, marshal(t, key), map[string]any{"use": "sig", "other": 1}))
		if err != nil {
			t.Fatal(alg, err)
		}
		if back.Alg() != alg || back.Kid() != alg || back.Use() != "sig" || back.Thumbprint() != key.Thumbprint() {
			t.Errorf("%s: alg %q, kid %q, use %q", alg, back.Alg(), back.Kid(), back.Use())
		}
		if want := map[string]int{jose.RS256: 2048}[alg]; want != 0 && back.Bits() != want {
			t.Errorf("%s: %d bits", alg, back.Bits())
		}
		if !back.Equal(key) || back.Equal(generate(t, alg).Public()) {
			t.Errorf("%s: Equal", alg)
		}
		for _, other := range algs {
			if back.Fits(other) != jose.Same(alg, other) {
				t.Errorf("key of %s: Fits(%s) is %t", alg, other, back.Fits(other))
			}
		}
	}
}

func TestFitsComparesAlg(t *testing.T) {
	jwk := marshal(t, generate(t, jose.Ed25519).Public())
	for alg, want := range map[any]bool{nil: true, "Ed25519": true, "EdDSA": true, "ES256": false, "none": false, "ed25519": false} {
		key, err := jose.ParsePublicKey(with(t, jwk, map[string]any{"alg": alg}))
		if err != nil {
			t.Fatal(err)
		}
		if key.Fits(jose.Ed25519) != want || key.Fits(jose.EdDSA) != want {
			t.Errorf("alg %v: want %t", alg, want)
		}
	}
}

func TestParsePublicKeyRefused(t *testing.T) {
	okp := marshal(t, generate(t, jose.Ed25519).Public())
	ec := marshal(t, generate(t, jose.ES256).Public())
	rsaKey := marshal(t, generate(t, jose.RS256).Public())
	n := func(bits int) string {
		v := new(big.Int).Lsh(big.NewInt(1), uint(bits-1))
		return jose.EncodeBase64(v.Add(v, big.NewInt(1)).Bytes())
	}
	type m = map[string]any
	for name, jwk := range map[string][]byte{
		"not JSON":            []byte(`{`),
		"array":               []byte(`[]`),
		"duplicate":           []byte(`{"kty":"OKP","kty":"OKP"}`),
		"kid is a number":     with(t, okp, m{"kid": 1}),
		"kid is null":         []byte(strings.Replace(string(okp), `"kid":"Ed25519"`, `"kid":null`, 1)),
		"alg is a number":     with(t, okp, m{"alg": 1}),
		"alg is empty":        with(t, okp, m{"alg": ""}),
		"alg is null":         []byte(strings.Replace(string(okp), `{`, `{"alg":null,`, 1)),
		"use is enc":          with(t, okp, m{"use": "enc"}),
		"use is an array":     with(t, okp, m{"use": []string{"sig"}}),
		"kty in lower case":   with(t, okp, m{"kty": "okp"}),
		"X25519":              with(t, okp, m{"crv": "X25519"}),
		"x absent":            with(t, okp, m{"x": nil}),
		"x of 31 bytes":       with(t, okp, m{"x": jose.EncodeBase64(make([]byte, 31))}),
		"x of 33 bytes":       with(t, okp, m{"x": jose.EncodeBase64(make([]byte, 33))}),
		"x padded":            with(t, okp, m{"x": jose.EncodeBase64(make([]byte, 32)) + "="}),
		"x with unused bits":  with(t, okp, m{"x": strings.Repeat("A", 42) + "B"}),
		"x with a newline":    with(t, okp, m{"x": strings.Repeat("A", 42) + "\n"}),
		"P-384":               with(t, ec, m{"crv": "P-384"}),
		"y absent":            with(t, ec, m{"y": nil}),
		"not on the curve":    with(t, ec, m{"x": jose.EncodeBase64(make([]byte, 32)), "y": jose.EncodeBase64(make([]byte, 32))}),
		"point beyond p":      with(t, ec, m{"x": strings.Repeat("_", 42) + "8"}),
		"e is 3":              with(t, rsaKey, m{"e": "Aw"}),
		"e with a zero byte":  with(t, rsaKey, m{"e": "AAEAAQ"}),
		"n of 2047 bits":      with(t, rsaKey, m{"n": n(2047)}),
		"n of 4097 bits":      with(t, rsaKey, m{"n": n(4097)}),
		"n of 4104 bits":      with(t, rsaKey, m{"n": n(4104)}),
		"n with a zero byte":  with(t, rsaKey, m{"n": "AAAA" + n(2048)}),
		"n even":              with(t, rsaKey, m{"n": jose.EncodeBase64(append([]byte{128}, make([]byte, 255)...))}),
		"n empty":             with(t, rsaKey, m{"n": ""}),
		"symmetric":           []byte(`{"kty":"oct","k":"AAAA"}`),
		"private d":           with(t, okp, m{"d": "x"}),
		"private d null":      []byte(strings.Replace(string(okp), `{`, `{"d":null,`, 1)),
		"private p of EC":     with(t, ec, m{"p": "x"}),
		"private q":           with(t, rsaKey, m{"q": "x"}),
		"private dp":          with(t, rsaKey, m{"dp": "x"}),
		"private dq":          with(t, rsaKey, m{"dq": "x"}),
		"private qi":          with(t, rsaKey, m{"qi": "x"}),
		"private oth":         with(t, rsaKey, m{"oth": []int{}}),
		"a whole private key": privateJWK(t, jose.ES256),
	} {
		t.Run(name, func(t *testing.T) {
			if key, err := jose.ParsePublicKey(jwk); !errors.Is(err, jose.ErrKey) || key != nil {
				t.Errorf("got %v, %v, want ErrKey", key, err)
			}
		})
	}
	for _, bits := range []int{2048, 2049, 4096} {
		if key, err := jose.ParsePublicKey(with(t, rsaKey, m{"n": n(bits)})); err != nil || key.Bits() != bits {
			t.Errorf("%d bits: %v", bits, err)
		}
	}
}

func privateJWK(t *testing.T, alg string) []byte {
	t.Helper()
	jwk, err := generate(t, alg).MarshalJWK()
	if err != nil {
		t.Fatal(err)
	}
	return jwk
}

func TestSignAndVerify(t *testing.T) {
	for _, alg := range algs {
		key := generate(t, alg)
		text, err := key.Sign(map[string]string{"alg": alg, "typ": "a&b"}, map[string]int{"iat": 5})
		if err != nil {
			t.Fatal(err)
		}
		token, err := jose.Parse(text)
		if err != nil {
			t.Fatal(err)
		}
		signed := []byte(token.SigningInput)
		if token.Typ != "a&b" || !key.Public().Verify(alg, signed, token.Signature) {
			t.Errorf("%s: not verified", alg)
		}
		for _, other := range algs {
			if !jose.Same(alg, other) && key.Public().Verify(other, signed, token.Signature) {
				t.Errorf("%s verifies as %s", alg, other)
			}
		}
		for i := range token.Signature {
			sig := append([]byte(nil), token.Signature...)
			sig[i] ^= 1
			if i%16 == 0 && key.Public().Verify(alg, signed, sig) {
				t.Errorf("%s: verified with byte %d changed", alg, i)
			}
		}
		if key.Public().Verify(alg, signed, append(token.Signature, 0)) || key.Public().Verify(alg, signed, nil) {
			t.Errorf("%s: verified with another length", alg)
		}
	}
}

// TestES256Range checks that r and s are from 1 to n-1, and that s may be in the upper
// half.
func TestES256Range(t *testing.T) {
	key := generate(t, jose.ES256)
	signed := []byte("text")
	sig, err := key.SignBytes(signed)
	if err != nil {
		t.Fatal(err)
	}
	n := elliptic.P256().Params().N
	half := func(b []byte) *big.Int { return new(big.Int).SetBytes(b) }
	r, s := half(sig[:32]), half(sig[32:])
	join := func(r, s *big.Int) []byte {
		return append(r.FillBytes(make([]byte, 32)), s.FillBytes(make([]byte, 32))...)
	}
	if !key.Public().Verify(jose.ES256, signed, join(r, new(big.Int).Sub(n, s))) {
		t.Error("the other s is refused")
	}
	zero := new(big.Int)
	for name, bad := range map[string][]byte{
		"r = 0": join(zero, s), "s = 0": join(r, zero), "r = n": join(n, s), "s = n": join(r, n), "both 0": join(zero, zero),
	} {
		if key.Public().Verify(jose.ES256, signed, bad) {
			t.Error(name, "is verified")
		}
	}
}

func TestRS256IsPKCS1(t *testing.T) {
	std, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	key, err := jose.NewPrivateKey(std)
	if err != nil {
		t.Fatal(err)
	}
	digest := make([]byte, 32)
	pss, err := rsa.SignPSS(rand.Reader, std, crypto.SHA256, digest, nil)
	if err != nil {
		t.Fatal(err)
	}
	if key.Public().Verify(jose.RS256, []byte("text"), pss) {
		t.Error("PSS is verified")
	}
}

func TestPrivateKeyRoundTrip(t *testing.T) {
	for _, alg := range algs {
		key := generate(t, alg)
		jwk, err := key.MarshalJWK()
		if err != nil {
			t.Fatal(err)
		}
		back, err := jose.ParsePrivateKey(jwk)
		if err != nil {
			t.Fatal(alg, err)
		}
		sig, err := back.SignBytes([]byte("text"))
		if err != nil || !key.Public().Verify(alg, []byte("text"), sig) {
			t.Errorf("%s: %v", alg, err)
		}
		if back.Public().Alg() != alg || back.Public().Kid() != alg {
			t.Errorf("%s: %+v", alg, back.Public())
		}
	}
}

func TestParsePrivateKeyRefused(t *testing.T) {
	type m = map[string]any
	for _, alg := range algs {
		jwk, other := privateJWK(t, alg), privateJWK(t, alg)
		var members struct{ D string }
		if err := json.Unmarshal(other, &members); err != nil {
			t.Fatal(err)
		}
		for name, bad := range map[string][]byte{
			"d absent":         with(t, jwk, m{"d": nil}),
			"d of another key": with(t, jwk, m{"d": members.D}),
			"d is zero":        with(t, jwk, m{"d": jose.EncodeBase64(make([]byte, 32))}),
			"d empty":          with(t, jwk, m{"d": ""}),
			"use is enc":       with(t, jwk, m{"use": "enc"}),
			"not JSON":         jwk[1:],
		} {
			if _, err := jose.ParsePrivateKey(bad); !errors.Is(err, jose.ErrKey) {
				t.Errorf("%s, %s: %v", alg, name, err)
			}
		}
	}
	rsaKey := privateJWK(t, jose.RS256)
	for name, bad := range map[string][]byte{
		"p absent": with(t, rsaKey, m{"p": nil}), "p is 1": with(t, rsaKey, m{"p": "AQ"}), "oth": with(t, rsaKey, m{"oth": 1}),
	} {
		if _, err := jose.ParsePrivateKey(bad); !errors.Is(err, jose.ErrKey) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestUnknownKeys(t *testing.T) {
	p384, err := ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := jose.NewPrivateKey(p384); !errors.Is(err, jose.ErrKey) {
		t.Error(err)
	}
	for _, key := range []any{nil, "key", ed25519.PublicKey{}, &rsa.PublicKey{N: big.NewInt(3), E: 65537}} {
		if k, err := jose.NewPublicKey(key); !errors.Is(err, jose.ErrKey) || k != nil {
			t.Errorf("%T: %v, %v", key, k, err)
		}
	}
	for _, alg := range []string{"", "ed25519", "none", "PS256"} {
		if _, err := jose.Generate(alg); !errors.Is(err, jose.ErrKey) || jose.Known(alg) {
			t.Errorf("%q: %v", alg, err)
		}
	}
}

func TestPrivateKeyIsRedacted(t *testing.T) {
	key := generate(t, jose.Ed25519)
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%d", "%x"} {
		if got := fmt.Sprintf(verb, key); got != "Ed25519 private key" {
			t.Errorf("%s prints %s", verb, got)
		}
	}
}

// TestThumbprint has the key and the thumbprint of RFC 8037, appendix A.3.
func TestThumbprint(t *testing.T) {
	key, err := jose.ParsePublicKey([]byte(`{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}`))
	if err != nil {
		t.Fatal(err)
	}
	if got := key.Thumbprint(); got != "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k" {
		t.Error(got)
	}
}

// TestGoJose checks that go-jose verifies what this package signs, and the reverse.
func TestGoJose(t *testing.T) {
	names := map[string]jwx.SignatureAlgorithm{jose.EdDSA: jwx.EdDSA, jose.ES256: jwx.ES256, jose.RS256: jwx.RS256}
	for alg, name := range names {
		jwk := privateJWK(t, alg)
		key, err := jose.ParsePrivateKey(jwk)
		if err != nil {
			t.Fatal(err)
		}
		var oracle jwx.JSONWebKey
		if err := oracle.UnmarshalJSON(jwk); err != nil {
			t.Fatal(alg, err)
		}
		for range 20 {
			text, err := key.Sign(map[string]string{"alg": alg}, map[string]string{"a": "b"})
			if err != nil {
				t.Fatal(err)
			}
			theirs, err := jwx.ParseSignedCompact(text, []jwx.SignatureAlgorithm{name})
			if err != nil {
				t.Fatal(err)
			}
			if _, err := theirs.Verify(oracle.Public()); err != nil {
				t.Error(alg, err)
			}
			verifyTheirs(t, oracle, name, key.Public())
		}
	}
}

func verifyTheirs(t *testing.T, key jwx.JSONWebKey, alg jwx.SignatureAlgorithm, public *jose.PublicKey) {
	t.Helper()
	signer, err := jwx.NewSigner(jwx.SigningKey{Algorithm: alg, Key: key}, nil)
	if err != nil {
		t.Fatal(err)
	}
	signed, err := signer.Sign([]byte(`{"a":"b"}`))
	if err != nil {
		t.Fatal(err)
	}
	text, err := signed.CompactSerialize()
	if err != nil {
		t.Fatal(err)
	}
	token, err := jose.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	if !public.Verify(string(alg), []byte(token.SigningInput), token.Signature) || token.Kid != public.Kid() {
		t.Errorf("%s: a token of go-jose is refused", alg)
	}
}

// FuzzPublicKey checks that go-jose parses the same key from each JWK that this package
// accepts.
func FuzzPublicKey(f *testing.F) {
	for _, alg := range algs {
		f.Add(marshal(f, generate(f, alg).Public()))
	}
	f.Add([]byte(`{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo","d":null}`))
	f.Fuzz(func(t *testing.T, jwk []byte) {
		key, err := jose.ParsePublicKey(jwk)
		if err != nil {
			return
		}
		back, err := jose.ParsePublicKey(marshal(t, key))
		if err != nil || back.Thumbprint() != key.Thumbprint() || back.Kid() != key.Kid() {
			t.Fatalf("not parsed again: %v", err)
		}
		// go-jose looks at members that this package ignores.
		var oracle jwx.JSONWebKey
		if err := oracle.UnmarshalJSON(marshal(t, key)); err != nil {
			t.Fatal(err)
		}
		if equal := key.Crypto().(interface{ Equal(crypto.PublicKey) bool }); !equal.Equal(oracle.Key) {
			t.Error("go-jose parses another key")
		}
	})
}
