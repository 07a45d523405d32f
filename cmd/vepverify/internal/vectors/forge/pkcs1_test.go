package forge_test

import (
	"slices"
	"testing"

	"github.com/vepverify/vepverify/assertion"
	"github.com/vepverify/vepverify/cmd/vepverify/internal/vectors/forge"
	"github.com/vepverify/vepverify/devidp/idptest"
)

// TestForgeries signs malformed encoded messages.
func TestForgeries(t *testing.T) {
	for name, c := range map[string]struct {
		edit func(*forge.PKCS1)
		want error
	}{
		"none":           {func(*forge.PKCS1) {}, nil},
		"block type 2":   {func(m *forge.PKCS1) { m.Head = []byte{0, 2} }, assertion.ErrSignature},
		"short padding":  {func(m *forge.PKCS1) { m.Padding = 8 }, assertion.ErrSignature},
		"other padding":  {func(m *forge.PKCS1) { m.Filler = 0xfe }, assertion.ErrSignature},
		"no separator":   {func(m *forge.PKCS1) { m.Separator = nil }, assertion.ErrSignature},
		"no digest info": {func(m *forge.PKCS1) { m.DigestInfo = nil }, assertion.ErrSignature},
		"garbage at end": {func(m *forge.PKCS1) { m.Padding, m.Tail = 8, []byte("garbage") }, assertion.ErrSignature},
		"no parameters": {func(m *forge.PKCS1) {
			m.DigestInfo = []byte("\x30\x2f\x30\x0b\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02\x01\x04\x20")
		}, assertion.ErrSignature},
	} {
		t.Run(name, func(t *testing.T) {
			for _, user := range []string{"RS128", "RS256", "RS256-2047"} {
				certificate, statement := tokens("RS256", user)
				statement.Sign = forge.RSASigner(idptest.Key(user), c.edit)
				check(t, user, c.want, certificate, statement)
			}
		})
	}
}

// TestRSASigner checks that the signature without an edit is the key's own.
func TestRSASigner(t *testing.T) {
	for _, name := range []string{
		"RS64", "RS64-2", "RS64-511", "RS128", "RS128-2", "RS128-1023", "RS256", "RS256-2", "RS256-2047",
	} {
		own, err := idptest.Key(name).Sign([]byte("message"))
		if err != nil {
			t.Fatal(err)
		}
		raw, err := forge.RSASigner(idptest.Key(name), func(*forge.PKCS1) {})([]byte("message"))
		if err != nil || !slices.Equal(raw, own) {
			t.Errorf("%s: the signatures differ, %v", name, err)
		}
	}
}
