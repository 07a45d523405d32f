package certchain_test

import (
	"bytes"
	"encoding/base64"
	"strings"
	"testing"

	"github.com/vepverify/vepverify/certchain"
)

// compareBase64 compares the decoding of a segment with that of encoding/base64, which
// ignores line breaks. It also checks that the bytes before it stay the same.
func compareBase64(t *testing.T, segment []byte) {
	t.Helper()
	want, err := base64.RawURLEncoding.Strict().DecodeString(string(segment))
	ok := err == nil && !bytes.ContainsAny(segment, "\r\n")
	got, err := certchain.AppendDecoded([]byte("before"), segment)
	if ok != (err == nil) {
		t.Fatalf("%q: %v", segment, err)
	}
	if ok && string(got) != "before"+string(want) {
		t.Fatalf("%q: %q, want %q", segment, got, want)
	}
}

func TestBase64(t *testing.T) {
	for length := range 40 {
		text := []byte(strings.Repeat("AZaz09-_", 5)[:length])
		compareBase64(t, text)
		for at := range text {
			for c := range 256 {
				changed := bytes.Clone(text)
				changed[at] = byte(c)
				compareBase64(t, changed)
			}
		}
	}
}

// FuzzBase64 compares the decoding with that of encoding/base64.
func FuzzBase64(f *testing.F) {
	for _, text := range []string{"", "A", "AA", "AB", "AAA", "AAAA", "AAAA\n", "AA==", "_-8", "+/8", "eyJhbGciOiJSUzI1NiJ9"} {
		f.Add([]byte(text))
	}
	f.Fuzz(compareBase64)
}
