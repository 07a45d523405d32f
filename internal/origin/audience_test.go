package origin_test

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/vepverify/vepverify/internal/origin"
)

const (
	match     = origin.Mismatch(0)
	malformed = origin.Malformed
	scheme    = origin.SchemeMismatch
	host      = origin.HostMismatch
	port      = origin.PortMismatch
	path      = origin.HasPath
)

type comparison struct {
	signed, accepted string
	differs          origin.Mismatch
}

// audiences are the test tables of PROTOCOL §5.
var audiences = map[string][]comparison{
	"equal": {
		{"https://rp.example", "https://rp.example", match},
		{"http://rp.example", "http://rp.example", match},
		{"app://rp.example", "app://rp.example", match},
		{"HTTPS://RP.Example", "https://rp.example", match},
		{"https://rp.example", "Https://rp.EXAMPLE", match},
		{"https://rp.example/", "https://rp.example", match},
		{"https://rp.example", "https://rp.example/", match},
		{"https://127.0.0.1", "https://127.0.0.1", match},
		{"https://a_b.example", "https://a_b.example", match},
	},
	"schemes": {
		{"http://rp.example", "https://rp.example", scheme},
		{"https://rp.example:80", "http://rp.example", scheme},
		{"ftp://rp.example", "ftp://rp.example", scheme},
		{"javascript://rp.example", "https://rp.example", scheme},
		{"rp.example", "https://rp.example", scheme},
		{"rp.example", "rp.example", scheme},
		{"//rp.example", "http://rp.example", scheme},
		{"", "https://rp.example", scheme},
		{"http://rp.example", "rp.example", match},
		{"https://rp.example", "rp.example", scheme},
		{"http://rp.example:8080", "rp.example:8080", match},
		{"http://localhost:8080", "localhost:8080", match},
		{"app://rp.example", "http://rp.example", scheme},
	},
	"hosts": {
		{"https://rp.example", "https://rp.example.evil.example", host},
		{"https://rp.example.evil.example", "https://rp.example", host},
		{"https://www.rp.example", "https://rp.example", host},
		{"https://rp.example.", "https://rp.example", host},
		{"https://xn--bcher-kva.example", "https://bücher.example", match},
		{"https://xn--bcher-kva.example", "https://BÜCHER.example", match},
		{"https://xn--bcher-kva.example", "bücher.example", scheme},
		{"https://bücher.example", "https://bücher.example", malformed},
		{"https://rp.example", "https://rp。example", match},
		{"https://rp.example", "https://" + strings.Repeat("ü", 63) + "。" + strings.Repeat("ü", 63) + ".example", host},
		{"https://rp.example", "https://" + strings.Repeat("ü", 64) + ".example", malformed},
		{"https://rp.example", "https://" + strings.Repeat("ü.", 127), malformed},
		{"https://rp.example", "https://" + strings.Repeat("漢", 10000), malformed},
		{"https://", "https://", malformed},
		{"https:///", "https://rp.example", malformed},
		{"https://:443", "https://rp.example", malformed},
		{"https://rp!example", "https://rp!example", malformed},
		{"https://rp.example", "", malformed},
	},
	"ports": {
		{"https://rp.example:443", "https://rp.example", match},
		{"https://rp.example", "https://rp.example:443", match},
		{"http://rp.example:80", "http://rp.example", match},
		{"app://rp.example:80", "app://rp.example", match},
		{"https://rp.example:80", "https://rp.example", port},
		{"https://rp.example:8443", "https://rp.example", port},
		{"https://rp.example", "https://rp.example:8443", port},
		{"https://rp.example:", "https://rp.example", port},
		{"https://rp.example", "https://rp.example:", port},
		{"https://rp.example:0443", "https://rp.example:443", port},
		{"https://rp.example:443", "https://rp.example:0443", port},
		{"https://rp.example:0", "https://rp.example:0", port},
		{"https://rp.example:65535", "https://rp.example:65535", match},
		{"https://rp.example:65536", "https://rp.example:65536", port},
		{"https://rp.example:+443", "https://rp.example:443", port},
		{"https://rp.example:443:443", "https://rp.example:443:443", port},
		{"https://rp.example:https", "https://rp.example", port},
		{"https://rp.example:443", "https://rp.example:４４３", port},
	},
	"paths": {
		{"https://rp.example/x", "https://rp.example", path},
		{"https://rp.example", "https://rp.example/x", path},
		{"https://rp.example/x", "https://rp.example/x", path},
		{"https://rp.example//", "https://rp.example", path},
		{"https://rp.example?", "https://rp.example", path},
		{"https://rp.example#", "https://rp.example", path},
		{"https://rp.example/?", "https://rp.example", path},
		{"https://rp.example", "https://rp.example/#", path},
		{"https://rp.example/@x", "https://rp.example", path},
		{"https://rp.example/:8443", "https://rp.example", path},
	},
	"characters": {
		{"https://user@rp.example", "https://rp.example", malformed},
		{"https://rp.example", "https://user:pass@rp.example", malformed},
		{"https://@rp.example", "https://rp.example", malformed},
		{`https://rp.example\`, "https://rp.example", malformed},
		{`https:\\rp.example`, "https://rp.example", malformed},
		{"https://rp%2eexample", "https://rp.example", malformed},
		{"https://rp.example/%20", "https://rp.example", malformed},
		{" https://rp.example", "https://rp.example", malformed},
		{"https://rp.example ", "https://rp.example", malformed},
		{"https://rp.example\n", "https://rp.example", malformed},
		{"https://rp.example", "https://rp.example\t", malformed},
		{"https://rp.example\x00", "https://rp.example", malformed},
		{"https://rp.example", "https://rp\xff.example", malformed},
	},
	"IPv6": {
		{"http://[::1]:8080", "http://[::1]:8080", match},
		{"http://[::1]", "http://[0:0:0:0:0:0:0:1]:80", match},
		{"http://[::1]", "http://[::2]", host},
		{"http://[::1", "http://[::1", malformed},
		{"http://[::1]x", "http://[::1]", malformed},
		{"http://[]", "http://[]", malformed},
		{"http://[127.0.0.1]", "http://[127.0.0.1]", malformed},
		{"http://::1", "http://[::1]", malformed},
		{"http://[fe80::1%25eth0]", "http://[fe80::1]", malformed},
	},
	"wildcards": {
		{"https://a.rp.example", "https://*.rp.example", match},
		{"https://A.B.rp.example", "https://*.RP.example", match},
		{"https://a.rp.example:8443", "https://*.rp.example:8443", match},
		{"https://a.xn--bcher-kva.example", "https://*.bücher.example", match},
		{"http://a.rp.example", "*.rp.example", match},
		{"https://rp.example", "https://*.rp.example", host},
		{"https://.rp.example", "https://*.rp.example", host},
		{"https://a..rp.example", "https://*.rp.example", host},
		{"https://arp.example", "https://*.rp.example", host},
		{"https://a.rp.example.evil.example", "https://*.rp.example", host},
		{"https://*.rp.example", "https://*.rp.example", host},
		{"https://*.rp.example", "https://a.rp.example", host},
		{"http://a.rp.example", "https://*.rp.example", scheme},
		{"https://a.rp.example:8443", "https://*.rp.example", port},
		{"https://a.rp.example/x", "https://*.rp.example", path},
		{"https://a.example", "https://*.example", malformed},
		{"https://a.example", "https://*", malformed},
		{"https://a.rp.example", "https://a*.rp.example", malformed},
		{"https://a.rp.example", "https://*a.rp.example", malformed},
		{"https://a.b.rp.example", "https://a.*.rp.example", malformed},
		{"https://a.b.rp.example", "https://*.*.rp.example", malformed},
		{"https://a.rp.example", "https://*..rp.example", malformed},
		{"https://a.rp.example.", "https://*.rp.example.", malformed},
		{"https://127.0.0.1", "https://*.0.0.1", malformed},
		{"https://rp.example", "*", malformed},
		{"http://rp.example", "*", malformed},
	},
}

func TestCompare(t *testing.T) {
	for name, table := range audiences {
		t.Run(name, func(t *testing.T) {
			for _, c := range table {
				if got := origin.Compare(c.signed, c.accepted); got != c.differs {
					t.Errorf("%q for %q: %q, want %q", c.signed, c.accepted, got, c.differs)
				}
			}
		})
	}
}

// TestMismatch checks the texts that answers contain, and that their order is the
// order in which Compare compares.
func TestMismatch(t *testing.T) {
	var texts []string
	for m := match; m <= path; m++ {
		texts = append(texts, m.String())
	}
	want := []string{"", "malformed", "scheme mismatch", "domain mismatch", "port mismatch", "has non-empty path"}
	if !slices.Equal(texts, want) {
		t.Errorf("%q, want %q", texts, want)
	}
}

func TestCheckAudience(t *testing.T) {
	for _, c := range []struct {
		audience string
		err      error
	}{
		{"https://rp.example", nil},
		{"HTTPS://RP.example:8443/", nil},
		{"http://localhost:8000", nil},
		{"http://[::1]:80", nil},
		{"https://bücher.example", nil},
		{"https://*.rp.example", nil},
		{"https://*.rp.example:8443/", nil},
		{"https://*.bücher.example:8443", nil},
		{"", origin.ErrSyntax},
		{"rp.example", origin.ErrSyntax},
		{"*.rp.example", origin.ErrSyntax},
		{"app://rp.example", origin.ErrSyntax},
		{"ftp://rp.example", origin.ErrSyntax},
		{"https://rp.example//", origin.ErrSyntax},
		{"https://rp.example/path", origin.ErrSyntax},
		{"https://rp.example?", origin.ErrSyntax},
		{"https://rp.example/#", origin.ErrSyntax},
		{"https://u@rp.example", origin.ErrSyntax},
		{"https://rp.example:", origin.ErrSyntax},
		{"https://rp.example:0443", origin.ErrSyntax},
		{"https://rp..example", origin.ErrSyntax},
		{"https://rp.example.", origin.ErrSyntax},
		{"https://::1", origin.ErrSyntax},
		{"*", origin.ErrSyntax},
		{"https://*", origin.ErrWildcard},
		{"https://*.example", origin.ErrWildcard},
		{"https://*rp.example", origin.ErrWildcard},
		{"https://rp.example*", origin.ErrWildcard},
		{"https://a.*.example", origin.ErrWildcard},
		{"https://*.*.rp.example", origin.ErrWildcard},
		{"https://*.0.0.1", origin.ErrWildcard},
		{"https://*.[::1]", origin.ErrSyntax},
		{"https://*.[::ffff:1.2.3.4]", origin.ErrSyntax},
	} {
		if err := origin.CheckAudience(c.audience); !errors.Is(err, c.err) {
			t.Errorf("%q: %v, want %v", c.audience, err, c.err)
		}
	}
}

// BenchmarkCompare shows that comparing an audience allocates nothing.
func BenchmarkCompare(b *testing.B) {
	for _, c := range []struct{ name, signed, accepted string }{
		{"equal", "https://rp.example", "https://rp.example"},
		{"wildcard", "https://www.rp.example", "https://*.rp.example"},
	} {
		b.Run(c.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if origin.Compare(c.signed, c.accepted) != match {
					b.Fatal("no match")
				}
			}
		})
	}
}
