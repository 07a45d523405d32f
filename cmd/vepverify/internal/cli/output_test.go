package cli_test

import (
	"strings"
	"testing"

	"github.com/vepverify/vepverify/cmd/vepverify/internal/cli"
)

func TestPrintable(t *testing.T) {
	for s, want := range map[string]string{
		"Zoë 日本 🙂":           "Zoë 日本 🙂",
		"\x1b[2J\a\x7f\n":    `\u001b[2J\u0007\u007f\u000a`,
		"\u009b\u202e\u2028": `\u009b\u202e\u2028`,
		"\U000e0001":         `\udb40\udc01`,
	} {
		if got := cli.Printable(s); got != want {
			t.Errorf("%q becomes %q, want %q", s, got, want)
		}
	}
	if got := cli.Shorten(strings.Repeat("é", 10), 5); got != "éé…" {
		t.Errorf("shortened to %q", got)
	}
}
