package certchain_test

import (
	"testing"

	"github.com/vepverify/vepverify/certchain"
)

// BenchmarkParse parses a certificate and an assertion of usual sizes.
func BenchmarkParse(b *testing.B) {
	usual := template()
	usual.Extra = nil
	cert, err := certchain.Issue(usual, issuerKey)
	if err != nil {
		b.Fatal(err)
	}
	token, err := certchain.Sign(map[string]any{"aud": "https://rp.example", "exp": 1700000120000}, nil, userKey)
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := certchain.ParseCertificate(cert); err != nil {
			b.Fatal(err)
		}
		if _, err := certchain.ParseToken(token); err != nil {
			b.Fatal(err)
		}
	}
}
