package cli_test

import (
	"testing"

	"github.com/vepverify/vepverify/cmd/vepverify/internal/cli"
)

func TestNearest(t *testing.T) {
	words := []string{"assert", "demo", "help", "idp", "inspect", "lookup", "vectors", "verify", "version"}
	for text, want := range map[string]string{
		"verfy": "verify", "veriyf": "verify", "very": "verify", "lookpu": "lookup", "inspct": "inspect", "dmeo": "demo",
		"vers": "version", "insp": "inspect", "asser": "assert", "hlep": "help", "ipd": "idp", "verifyy": "verify",
		"": "", "x": "", "sign": "", "check": "", "frobnicate": "", "ve": "",
	} {
		if got := cli.Nearest(text, words); got != want {
			t.Errorf("%q is taken for %q, want %q", text, got, want)
		}
	}
}
