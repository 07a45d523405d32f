package dsa_test

import (
	"crypto/sha1"
	"crypto/sha256"
	"fmt"
	"hash"
	"math/big"
	"testing"

	"github.com/vepverify/vepverify/keys/internal/dsa"
)

func BenchmarkVerify(b *testing.B) {
	for _, g := range []struct {
		*dsa.Group
		hash func() hash.Hash
		name string
	}{
		{dsa.FIPS1024, sha1.New, "1024"},
		{dsa.FIPS2048, sha256.New, "2048"},
		{&dsa.Group{P: rfc1024.P, Q: rfc1024.Q, G: rfc1024.G}, sha1.New, "1024-other"},
		{&dsa.Group{P: rfc2048.P, Q: rfc2048.Q, G: rfc2048.G}, sha256.New, "2048-other"},
	} {
		key := dsa.NewPrivateKey(g.P, g.Q, g.G, new(big.Int).Rsh(g.Q, 1))
		d := digest(g.hash, "sample")
		signature, err := key.Sign(g.hash, d)
		if err != nil {
			b.Fatal(err)
		}
		prepared := key.Verifier()
		for name, verify := range map[string]func(digest, signature []byte) bool{
			"cold":     key.PublicKey.Verify,
			"prepared": prepared.Verify,
			"table":    prepared.WithTable().Verify,
		} {
			b.Run(fmt.Sprintf("%s/%s", g.name, name), func(b *testing.B) {
				b.ReportAllocs()
				for b.Loop() {
					if !verify(d, signature) {
						b.Fatal("not verified")
					}
				}
			})
		}
		b.Run(g.name+"/Verifier", func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				key.Verifier()
			}
		})
		b.Run(g.name+"/InGroup", func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				prepared.InGroup()
			}
		})
		b.Run(g.name+"/WithTable", func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				prepared.WithTable()
			}
		})
	}
}
