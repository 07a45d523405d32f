package strictjson_test

import (
	"testing"

	"github.com/vepverify/vepverify/internal/strictjson"
)

// BenchmarkParseObject parses the claims of a certificate like those of real ones.
func BenchmarkParseObject(b *testing.B) {
	data := []byte(`{"public-key":{"algorithm":"DS","y":"6a557a631950177f6a8aeed3e19ed02b0964326c3abacd5b39d32c6f2f50b8ef8b37360b1cf7491f489b42c4b28b6478c4255ec4b4bd94c65728c50c369ff2d5e1d2ae73a4bf28325cac7bea9614216be4b901188c94c015c74d303573b22673c5c0e0005e8428946d74897c03bab4c1e383f589f73ac25d46f1438956307f5e","p":"ff600483db6abfc5b45eab78594b3533d550d9f1bf2a992a7a8daa6dc34f8045ad4e6e0c429d334eeeaaefd7e23d4810be00e4cc1492cba325ba81ff2d5a5b305a8d17eb3bf4a06a349d392e00d329744a5179380344e82a18c47933438f891e22aeef812d69c8f75e326cb70ea000c3f776dfdbd604638c2ef717fc26d02e17","q":"e21e04f911d1ed7991008ecaab3bf775984309c3","g":"c52a4a0ff3b7e61fdf1867ce84138369a6154f4afa92966e3c827e25cfa6cf508b90e5de419e1337e07a2e9e2a3cd5dea704d175f8ebf6af397d69e110b96afb17c7a03259329e4829b0d03bbc7896b15b4ade53e130858cc34d96269aa89041f409136c7242a38895c9d5bccad4f389af1d7a4bd1398bd072dffa896233397a"},"principal":{"email":"alice@idp.example"},"iat":1699999940000,"exp":1700003600000,"iss":"idp.example"}`)
	b.SetBytes(int64(len(data)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := strictjson.ParseObject(data); err != nil {
			b.Fatal(err)
		}
	}
}
