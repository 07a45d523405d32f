package hostile_test

import (
	"bytes"
	"compress/gzip"
	"io"
	"testing"

	"github.com/vepverify/vepverify/bench/internal/hostile"
	"github.com/vepverify/vepverify/keys"
)

// TestDSA checks that the groups of hostile keys pass Validate.
func TestDSA(t *testing.T) {
	for range 3 {
		key, err := keys.ParsePublicKey(hostile.DSA().JSON())
		if err != nil {
			t.Fatal(err)
		}
		if err := key.Validate(); err != nil || key.Algorithm() != "DS256" {
			t.Errorf("%s: %v", key.Algorithm(), err)
		}
	}
}

func TestBlocks(t *testing.T) {
	text := []byte(`{"disabled":true}`)
	packed := hostile.Blocks(text, 64<<10)
	r, err := gzip.NewReader(bytes.NewReader(packed))
	if err != nil {
		t.Fatal(err)
	}
	got, err := io.ReadAll(r)
	if err != nil || !bytes.Equal(got, text) || len(packed) > 64<<10 || len(packed) < 60<<10 {
		t.Errorf("%d bytes unpack to %q, %v", len(packed), got, err)
	}
}

func BenchmarkBlocks(b *testing.B) {
	packed := hostile.Blocks([]byte(`{"disabled":true}`), 64<<10)
	b.ReportAllocs()
	for b.Loop() {
		r, err := gzip.NewReader(bytes.NewReader(packed))
		if err != nil {
			b.Fatal(err)
		}
		if _, err := io.ReadAll(r); err != nil {
			b.Fatal(err)
		}
	}
}
