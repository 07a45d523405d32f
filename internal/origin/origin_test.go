package origin_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/vepverify/vepverify/internal/origin"
)

var origins = []struct {
	text, want string
	err        error
}{
	{"https://rp.example", "https://rp.example", nil},
	{"https://RP.example:443", "https://rp.example", nil},
	{"HTTPS://rp.example:8443", "https://rp.example:8443", nil},
	{"http://rp.example:443", "http://rp.example:443", nil},
	{"http://rp.example:80", "http://rp.example", nil},
	{"https://bücher.example", "https://xn--bcher-kva.example", nil},
	{"https://rp。example", "https://rp.example", nil},
	{"https://[2001:DB8:0::1]", "https://[2001:db8::1]", nil},
	{"http://[::1]:8080", "http://[::1]:8080", nil},
	{"http://localhost:8080", "http://localhost:8080", nil},
	{"http://127.0.0.1:80", "http://127.0.0.1", nil},
	{"http://rp.localhost", "http://rp.localhost", nil},
	{"https://a_b.example", "https://a_b.example", nil},

	{"", "", origin.ErrSyntax},
	{"rp.example", "", origin.ErrSyntax},
	{"//rp.example", "", origin.ErrSyntax},
	{"app://rp.example", "", origin.ErrSyntax},
	{"https:rp.example", "", origin.ErrSyntax},
	{"https://", "", origin.ErrSyntax},
	{"https://:443", "", origin.ErrSyntax},
	{"https://rp.example/", "", origin.ErrSyntax},
	{"https://rp.example/app", "", origin.ErrSyntax},
	{"https://rp.example?", "", origin.ErrSyntax},
	{"https://rp.example#", "", origin.ErrSyntax},
	{"https://a@rp.example", "", origin.ErrSyntax},
	{"https://rp.example:", "", origin.ErrSyntax},
	{"https://rp.example:0", "", origin.ErrSyntax},
	{"https://rp.example:0443", "", origin.ErrSyntax},
	{"https://rp.example:65536", "", origin.ErrSyntax},
	{"https://rp.example:1:2", "", origin.ErrSyntax},
	{"https://rp.example ", "", origin.ErrSyntax},
	{"https://rp.example.", "", origin.ErrSyntax},
	{"https://rp..example", "", origin.ErrSyntax},
	{"https://rp%2eexample", "", origin.ErrSyntax},
	{`https:\\rp.example`, "", origin.ErrSyntax},
	{"https://rp\xff.example", "", origin.ErrSyntax},
	{"https://[::1", "", origin.ErrSyntax},
	{"https://[::1]x", "", origin.ErrSyntax},
	{"https://[::1]]", "", origin.ErrSyntax},
	{"https://[]", "", origin.ErrSyntax},
	{"https://::1", "", origin.ErrSyntax},
	{"https://[127.0.0.1]", "", origin.ErrSyntax},
	{"https://[fe80::1%25eth0]", "", origin.ErrSyntax},
	{"https://\u2488.example", "", origin.ErrSyntax},
	{"https://" + strings.Repeat("ü", 64) + ".example", "", origin.ErrSyntax},
	{"https://" + strings.Repeat("漢", 10000), "", origin.ErrSyntax},
	{"https://" + strings.Repeat("a.", 126) + "aa", "", origin.ErrSyntax},
	{"https://*.rp.example", "", origin.ErrWildcard},
	{"https://*", "", origin.ErrWildcard},
	{"https://rp*.example", "", origin.ErrWildcard},
}

func TestParse(t *testing.T) {
	for _, c := range origins {
		got, err := origin.Parse(c.text)
		if got.String() != c.want || !errors.Is(err, c.err) {
			t.Errorf("%q: %q, %v, want %q, %v", c.text, got, err, c.want, c.err)
		}
	}
}

func TestAccessors(t *testing.T) {
	for _, c := range []struct{ text, scheme, host, port, effective string }{
		{"https://RP.example", "https", "rp.example", "", "443"},
		{"http://rp.example", "http", "rp.example", "", "80"},
		{"https://rp.example:443", "https", "rp.example", "", "443"},
		{"http://rp.example:443", "http", "rp.example", "443", "443"},
		{"http://[::1]:8080", "http", "[::1]", "8080", "8080"},
	} {
		o, err := origin.Parse(c.text)
		if err != nil {
			t.Fatal(err)
		}
		if o.Scheme() != c.scheme || o.Host() != c.host || o.Port() != c.port || o.EffectivePort() != c.effective {
			t.Errorf("%s: %q, %q, %q, %q", c.text, o.Scheme(), o.Host(), o.Port(), o.EffectivePort())
		}
	}
}

var hosts = []struct{ scheme, host, want string }{
	{"https", "rp.example", "https://rp.example"},
	{"https", "RP.Example:443", "https://rp.example"},
	{"http", "rp.example:443", "http://rp.example:443"},
	{"http", "127.0.0.1:8080", "http://127.0.0.1:8080"},
	{"http", "[::1]", "http://[::1]"},
	{"http", "[2001:DB8:0::1]:80", "http://[2001:db8:0::1]"}, // signed as it is written
	{"https", "rp.example.", "https://rp.example."},

	{"", "rp.example", ""},
	{"app", "rp.example", ""},
	{"HTTPS", "rp.example", ""},
	{"https", "", ""},
	{"https", ":443", ""},
	{"https", "rp.example:", ""},
	{"https", "rp.example:https", ""},
	{"https", "rp.example:0443", ""},
	{"https", "rp.example:1:2", ""},
	{"https", "rp.example/", ""},
	{"https", "rp.example?", ""},
	{"https", "a@rp.example", ""},
	{"https", "a b", ""},
	{"https", "*.rp.example", ""},
	{"https", "bücher.example", ""},
	{"https", "\u212aelvin.example", ""}, // U+212A, whose lower case is k
	{"https", "https://rp.example", ""},
	{"https", "::1", ""},
	{"https", "[::1", ""},
	{"https", "[::1]x", ""},
	{"https", "[127.0.0.1]", ""},
	{"https", "[fe80::1%eth0]", ""},
}

func TestFromHost(t *testing.T) {
	for _, c := range hosts {
		got, ok := origin.FromHost(c.scheme, c.host)
		if got.String() != c.want || ok != (c.want != "") {
			t.Errorf("%s, %q: %q, %t, want %q", c.scheme, c.host, got, ok, c.want)
		}
	}
}
