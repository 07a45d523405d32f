package devidp_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/vepverify/vepverify/certchain"
	"github.com/vepverify/vepverify/devidp"
	"github.com/vepverify/vepverify/devidp/idptest"
	"github.com/vepverify/vepverify/wellknown"
)

// FuzzCertify checks that the answer to any request is a refusal or a certificate: for
// an address at the provider's domain, for a key that verifiers accept, with a valid
// signature and with times within the limits.
func FuzzCertify(f *testing.F) {
	for _, name := range []string{"DS128", "RS128", "RS256", "RS64"} {
		f.Add([]byte(body(f, "ada@idp.localhost", idptest.Key(name).Public(), 600)))
	}
	f.Add([]byte(body(f, "ada@gmail.com", idptest.Key("DS128").Public(), 86401)))
	f.Add([]byte(`{"email":"a@idp.localhost","public-key":{"kty":"RSA","n":"AQ","e":"AQAB"},"duration":1}`))
	documents, err := wellknown.ParseStatic(idp().KeysBundle())
	if err != nil {
		f.Fatal(err)
	}
	authority, err := documents.Authority(f.Context(), devidp.DefaultDomain, devidp.DefaultDomain)
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, request []byte) {
		response, c := certify(t, certifyRequest(string(request)))
		if response.StatusCode != http.StatusOK {
			return
		}
		certificate, err := certchain.ParseCertificate(c.Certificate)
		if err != nil {
			t.Fatal(err)
		}
		if err := certificate.Verify(authority.Keys...); err != nil {
			t.Error(err)
		}
		if _, host, err := certificate.Email(); err != nil || host != devidp.DefaultDomain || certificate.Issuer != devidp.DefaultDomain {
			t.Errorf("certified for %s by %s: %v", host, certificate.Issuer, err)
		}
		if _, err := certificate.PublicKey(false); err != nil {
			t.Error(err)
		}
		life := certificate.Validity.Expires.Sub(now.Truncate(time.Millisecond))
		if life < time.Second || life > devidp.MaxDuration || certificate.Validity.IssuedAt.UnixMilli() != now.UnixMilli() {
			t.Errorf("valid for %v", life)
		}
		if extra := certificate.Extra(); len(extra) > 0 {
			t.Errorf("%d extra claims", len(extra))
		}
	})
}
