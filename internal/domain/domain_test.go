package domain_test

import (
	"strings"
	"testing"

	"github.com/vepverify/vepverify/internal/domain"
)

func TestParse(t *testing.T) {
	long := strings.Repeat("a.", 126) + "a" // 253 bytes
	for in, want := range map[string]string{
		"idp.example": "idp.example", "IDP.Example": "idp.example", "localhost": "localhost",
		"a_b-c.example": "a_b-c.example", "-.example": "-.example", "127.0.0.1": "127.0.0.1",
		"idp.example:1": "idp.example:1", "idp.example:65535": "idp.example:65535", "127.0.0.1:8443": "127.0.0.1:8443",
		long: long,
		// None of these is a domain.
		"": "", ".": "", "idp.example.": "", ".example": "", "a..b": "", "idp.example:": "", ":443": "",
		"idp.example:0": "", "idp.example:65536": "", "idp.example:0443": "", "idp.example:+443": "", "idp.example:443:443": "",
		"idp.example/x": "", "https://idp.example": "", "user@idp.example": "", "idp example": "", "idp.example\n": "",
		"b\u00fccher.example": "", "\u212aelvin.example": "", "[::1]": "", "a*.example": "", "a%41.example": "",
		long + "a": "", "idp.example:99999999999999999999": "",
	} {
		got, ok := domain.Parse(in)
		if got != want || ok != (want != "") {
			t.Errorf("Parse(%q) = %q, %v; want %q", in, got, ok, want)
		}
	}
}

func TestEmail(t *testing.T) {
	long := strings.Repeat("l", 254-len("@idp.example")) + "@idp.example"
	for in, want := range map[string]string{
		"alice@idp.example": "alice@idp.example", "Alice@IDP.Example": "Alice@idp.example", "a@b": "a@b",
		"o'brien+x@idp.example": "o'brien+x@idp.example", "!#$%&'*+/=?^_`{|}~.-@b": "!#$%&'*+/=?^_`{|}~.-@b",
		"..@idp.example": "..@idp.example", "a@127.0.0.1:8443": "a@127.0.0.1:8443", long: long,
		"": "", "@": "", "alice": "", "@idp.example": "", "alice@": "", "a@b@idp.example": "", `"a b"@idp.example`: "",
		"al ice@idp.example": "", "alice@idp.example\n": "", "\u00e9@idp.example": "", "a(b)@idp.example": "", "a@[127.0.0.1]": "",
		"a,b@idp.example": "", "a:b@idp.example": "", "a@idp.example.": "", "l" + long: "",
	} {
		got, host, ok := domain.Email(in)
		if got != want || ok != (want != "") {
			t.Errorf("Email(%q) = %q, %v; want %q", in, got, ok, want)
		}
		if ok && !strings.HasSuffix(got, "@"+host) {
			t.Errorf("Email(%q): host %q", in, host)
		}
	}
}
