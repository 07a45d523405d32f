package devidp_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/vepverify/vepverify/devidp/idptest"
)

// BenchmarkCertify measures one request for a certificate: with usual keys, with the
// most expensive keys, and with malformed bodies.
func BenchmarkCertify(b *testing.B) {
	bodies := map[string]string{
		"RSA of 4096 bits": `{"email":"ada@idp.localhost","duration":60,"public-key":{"algorithm":"RS","n":"` + strings.Repeat("9", 1233) + `","e":"65537"}}`,
		"garbage":          strings.Repeat("[", 8<<10),
		"members":          "{" + strings.Repeat(`"a":1,`, 1300) + `"b":1}`,
	}
	for _, name := range []string{"RS256", "DS128", "DS256", "DS128-own-group", "DS256-own-group"} {
		bodies[name] = body(b, "ada@idp.localhost", idptest.Key(name).Public(), 60)
	}
	for name, text := range bodies {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				if response, _ := answer(b, asDialog(text)); response.StatusCode >= http.StatusInternalServerError {
					b.Fatal(response.Status)
				}
			}
		})
	}
}
