package keys_test

import (
	"bytes"
	"crypto/rand"
	"crypto/rsa"
	"encoding/json"
	"math/big"
	"testing"

	"github.com/go-jose/go-jose/v4"

	"github.com/vepverify/vepverify/keys"
)

// TestGoJose checks that go-jose parses the JWKs of this package, and the reverse.
func TestGoJose(t *testing.T) {
	std, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	private := joseRead(t, std)
	public, err := keys.ParsePublicKey(joseWrite(t, &std.PublicKey))
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(private.Public().Canonical(), public.Canonical()) {
		t.Error("the halves of one key differ")
	}

	var back jose.JSONWebKey
	if err := back.UnmarshalJSON(written(t, private.MarshalJWK)); err != nil {
		t.Fatal(err)
	}
	if !std.Equal(back.Key) {
		t.Error("go-jose parses another private key")
	}
	back = jose.JSONWebKey{}
	if err := back.UnmarshalJSON(written(t, public.MarshalJWK)); err != nil {
		t.Fatal(err)
	}
	if !std.PublicKey.Equal(back.Key) {
		t.Error("go-jose parses another public key")
	}
}

// TestGoJoseRecovered checks that go-jose accepts the primes that this package computes.
func TestGoJoseRecovered(t *testing.T) {
	k := rsaOf(2048)
	var back jose.JSONWebKey
	if err := back.UnmarshalJSON(written(t, mustPrivate(t, k.private()).MarshalJWK)); err != nil {
		t.Fatal(err)
	}
	std, ok := back.Key.(*rsa.PrivateKey)
	if !ok || std.N.Cmp(k.n) != 0 || new(big.Int).Mul(std.Primes[0], std.Primes[1]).Cmp(k.n) != 0 {
		t.Error("go-jose reads another key")
	}
}

func joseWrite(t *testing.T, key any) []byte {
	t.Helper()
	data, err := json.Marshal(jose.JSONWebKey{Key: key, KeyID: "1", Use: "sig", Algorithm: "RS256"})
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func joseRead(t *testing.T, std *rsa.PrivateKey) keys.PrivateKey {
	t.Helper()
	k, err := keys.ParsePrivateKey(joseWrite(t, std))
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func written(t testing.TB, write func() ([]byte, error)) []byte {
	t.Helper()
	data, err := write()
	if err != nil {
		t.Fatal(err)
	}
	return data
}
