package signature_test

import (
	"strings"
	"testing"

	"github.com/vepverify/vepverify/vepauth/internal/signature"
)

// TestMACCheckValue has the check value of the first tests of the scheme.
func TestMACCheckValue(t *testing.T) {
	header, err := signature.MAC{}.Sign(signature.Params{Timestamp: "1329181221", Nonce: "wGX71"},
		"b8u1cc5iiio5o319og7hh8faf2gi5ym4aq0zwf112cv1287an65fudu5zj7zo7dz",
		signature.Message{Method: "GET", Host: "10.250.2.176", Port: "80", Target: "/alias/"})
	if err != nil || !strings.HasSuffix(header, `mac="jzh5chjQc2zFEvLbyHnPdX11Yck="`) {
		t.Errorf("%s, %v", header, err)
	}
}
