package origin_test

import (
	"net/netip"
	"strings"
	"testing"

	"github.com/vepverify/vepverify/internal/origin"
)

func TestASCII(t *testing.T) {
	long := strings.Repeat("ü", 64) + ".example"
	for in, want := range map[string]string{
		"":                     "",
		"rp.example":           "rp.example",
		"RP.example:8443":      "RP.example:8443",
		"[::1]:80":             "[::1]:80",
		"bücher.example":       "xn--bcher-kva.example",
		"BÜCHER.example:8443":  "xn--bcher-kva.example:8443",
		"bücher.example:":      "xn--bcher-kva.example:",
		"rp。example":           "rp.example",
		"\u2488.example":       "\u2488.example",
		long:                   long,
		"rp.example:\uff14":    "rp.example:\uff14",
		"[::1]\u00fc.example:": "[::1]\u00fc.example:",
	} {
		if got := origin.ASCII(in); got != want {
			t.Errorf("%q: %q, want %q", in, got, want)
		}
	}
}

const (
	elsewhere = iota // none of the predicates holds
	local            // IsLocal alone
	loopback         // IsLoopback too
)

var loopbacks = []struct {
	host string
	is   int
}{
	{"localhost", loopback},
	{"LocalHost", loopback},
	{"127.0.0.1", loopback},
	{"127.8.9.1", loopback},
	{"::1", loopback},
	{"[::1]", loopback},
	{"[0:0:0:0:0:0:0:1]", loopback},
	{"::ffff:127.0.0.1", loopback},
	{"[::ffff:127.0.0.1]", loopback},

	{"rp.localhost", local},
	{"A.B.LOCALHOST", local},

	{"", elsewhere},
	{"localhost.", elsewhere},
	{".localhost", elsewhere},
	{"a..localhost", elsewhere},
	{"notlocalhost", elsewhere},
	{"localhost.example", elsewhere},
	{"localhost:80", elsewhere},
	{"rp.localhost:80", elsewhere},
	{"127.0.0.1:80", elsewhere},
	{"[127.0.0.1]", elsewhere},
	{"[localhost]", elsewhere},
	{"[::1", elsewhere},
	{"::1]", elsewhere},
	{"[[::1]]", elsewhere},
	{"::1%lo", elsewhere},
	{"[::1%lo]", elsewhere},
	{"::ffff:127.0.0.1%lo", elsewhere},
	{"0.0.0.0", elsewhere},
	{"::", elsewhere},
	{"192.0.2.1", elsewhere},
	{"169.254.169.254", elsewhere},
	{"fe80::1", elsewhere},
	{"127.1", elsewhere},
	{"2130706433", elsewhere},
	{"0x7f.1", elsewhere},
	{"localho\u017ft", elsewhere}, // a long s, which strings.EqualFold takes for an s
}

func TestLoopback(t *testing.T) {
	for _, c := range loopbacks {
		if got := origin.IsLoopback(c.host); got != (c.is == loopback) {
			t.Errorf("IsLoopback(%q) = %t", c.host, got)
		}
		if got := origin.IsLocal(c.host); got != (c.is != elsewhere) {
			t.Errorf("IsLocal(%q) = %t", c.host, got)
		}
		if ip, err := netip.ParseAddr(strings.Trim(c.host, "[]")); err == nil && !strings.ContainsAny(c.host, "[]") {
			if got := origin.IsLoopbackIP(ip); got != (c.is == loopback) {
				t.Errorf("IsLoopbackIP(%v) = %t", ip, got)
			}
		}
	}
	if origin.IsLoopbackIP(netip.Addr{}) {
		t.Error("the zero address is loopback")
	}
}
