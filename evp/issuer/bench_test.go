package issuer_test

import (
	"io"
	"net/http"
	"strings"
	"testing"
)

// BenchmarkIssuance measures requests of Chromium with each kind of key, and a forged one
// with the most expensive key that is accepted.
func BenchmarkIssuance(b *testing.B) {
	all := recordings(b)
	forged := all[2]
	forged.Request.Headers = forged.message().set("Signature", "sig=:"+strings.Repeat("AAAA", 85)+"AA==:").headers
	for _, test := range []struct {
		name   string
		r      recorded
		status int
	}{
		{"Ed25519", all[0], 200}, {"ES256", all[1], 200}, {"RS256", all[2], 200}, {"forged RS256", forged, 400},
	} {
		b.Run(test.name, func(b *testing.B) {
			i := recordedIssuer(b, test.r)
			r := test.r.message().request(b)
			body := test.r.Request.Body
			b.ReportAllocs()
			for b.Loop() {
				r.Body = io.NopCloser(strings.NewReader(body))
				w := newAnswer()
				i.ServeHTTP(w, r)
				if w.status != test.status {
					b.Fatal(http.StatusText(w.status))
				}
			}
		})
	}
}
