package forge_test

import (
	"errors"
	"testing"

	"github.com/vepverify/vepverify/cmd/vepverify/internal/vectors/forge"
	"github.com/vepverify/vepverify/devidp/idptest"
)

func TestEncodings(t *testing.T) {
	for name, c := range map[string]struct {
		encoding forge.Encoding
		data     string
		want     string // empty means ErrNoEffect
	}{
		"one padding character":  {forge.Padded, "ab", "YWI="},
		"two padding characters": {forge.Padded, "a", "YQ=="},
		"no padding needed":      {forge.Padded, "abc", ""},
		"alphabet":               {forge.StandardAlphabet, "\xfb\xff", "+/8"},
		"same in both alphabets": {forge.StandardAlphabet, "a", ""},
		"four loose bits":        {forge.LooseBits, "a", "Yf"},
		"two loose bits":         {forge.LooseBits, "ab", "YWL"},
		"no loose bits":          {forge.LooseBits, "abc", ""},
		"insert":                 {forge.Insert(1, " "), "ab", "Y WI"},
		"insert at the end":      {forge.Insert(-1, "\n"), "ab", "YWI\n"},
		"insert beyond the end":  {forge.Insert(99, "\n"), "ab", "YWI\n"},
		"verbatim":               {forge.Verbatim, "ab", "ab"},
	} {
		t.Run(name, func(t *testing.T) {
			token, err := forge.Token{
				Token: idptest.Token{Header: idptest.Raw(c.data), Claims: idptest.Object{}}, HeaderEncoding: c.encoding,
			}.Encode()
			if c.want == "" {
				if !errors.Is(err, forge.ErrNoEffect) {
					t.Errorf("%q, %v; want %v", token, err, forge.ErrNoEffect)
				}
				return
			}
			if want := c.want + ".e30."; token != want || err != nil {
				t.Errorf("%q, %v; want %q", token, err, want)
			}
		})
	}
}
