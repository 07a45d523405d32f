package evp_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/vepverify/vepverify/assertion"
	"github.com/vepverify/vepverify/evp"
)

// The issuer of the tests below, without signatures.
const (
	lookupDomain  = "mail.example"
	lookupIssuer  = "accounts.issuer.example"
	lookupRecord  = "iss=" + lookupIssuer
	lookupJWKS    = "https://" + lookupIssuer + "/jwks"
	lookupKey     = `{"kty":"OKP","crv":"Ed25519","x":"hsSSi8bNGZYZnGpqhMo240gz6J2_Z-SR6p6lBVp34nU","kid":"k1"}`
	lookupKeys    = `{"keys":[` + lookupKey + `,"x"]}`
	lookupPath    = "/.well-known/email-verification"
	lookupMembers = `{"issuer":"https://` + lookupIssuer + `","jwks_uri":"` + lookupJWKS + `"}`
)

// records is a TXTResolver with the records by name. It does not answer for slow.example.
type records map[string][]string

func (r records) LookupTXT(ctx context.Context, name string) ([]string, error) {
	if name == "_email-verification.slow.example" {
		<-ctx.Done()
		return nil, ctx.Err()
	}
	if found := r[name]; found != nil {
		return found, nil
	}
	return nil, &net.DNSError{Err: "no such host", Name: name, IsNotFound: true}
}

// webPages replaces the network by documents by their URLs.
type webPages map[string]string

func (d webPages) RoundTrip(r *http.Request) (*http.Response, error) {
	body, found := d[r.URL.String()]
	answer := &http.Response{
		StatusCode: http.StatusOK, Header: http.Header{"Content-Type": {"application/json"}},
		Body: io.NopCloser(strings.NewReader(body)), ContentLength: int64(len(body)), Request: r,
	}
	if !found {
		answer.StatusCode = http.StatusNotFound
	}
	return answer, nil
}

// lookupConfig returns the configuration of a verifier for the issuer above.
func lookupConfig() evp.Config {
	return evp.Config{
		Origins:  []string{"https://rp.example"},
		Resolver: records{"_email-verification." + lookupDomain: {lookupRecord}, "_email-verification.down.example": {"iss=down.example"}},
		InsecureTransport: webPages{
			"https://" + lookupIssuer + lookupPath: lookupMembers,
			lookupJWKS:                             lookupKeys,
		},
	}
}

func newVerifier(t testing.TB, c evp.Config) *evp.Verifier {
	t.Helper()
	v, err := evp.NewVerifier(c)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// TestLookupAndSave checks that a saved bundle says what the network said.
func TestLookupAndSave(t *testing.T) {
	online := newVerifier(t, lookupConfig())
	var saved bytes.Buffer
	if err := online.Save(t.Context(), &saved, lookupDomain, "none.example"); err != nil {
		t.Fatal(err)
	}
	b, err := evp.ParseBundle(saved.Bytes())
	if err != nil || b.Len() != 4 || len(b.Names()) != 4 {
		t.Fatalf("%v: %s", err, &saved)
	}
	offline := newVerifier(t, evp.Config{Origins: []string{"https://rp.example"}, Bundle: b})
	for name, v := range map[string]*evp.Verifier{"online": online, "offline": offline} {
		d := v.Lookup(t.Context(), lookupDomain)
		if d.Err != nil || d.Issuer != lookupIssuer || len(d.Records) != 1 || d.Metadata.KeySetURL != lookupJWKS || len(d.Entries) != 2 || len(d.Profiles) != 2 {
			t.Errorf("%s: %+v", name, d)
		}
		if key := d.Entries[0]; key.Algorithm != "Ed25519" || key.Bits != 256 || key.Kid != "k1" || !d.Profiles[1].Accepts {
			t.Errorf("%s: %+v, %+v", name, key, d.Profiles)
		}
		if d := v.Lookup(t.Context(), "none.example"); !errors.Is(d.Err, assertion.ErrRejected) {
			t.Errorf("%s: %+v", name, d)
		}
	}
	if d := offline.Lookup(t.Context(), "unknown.example"); !errors.Is(d.Err, assertion.ErrUndecided) {
		t.Errorf("unknown: %+v", d)
	}
}

// TestLookupErrors checks the classes of the errors of Lookup and Save.
func TestLookupErrors(t *testing.T) {
	config := lookupConfig()
	config.Timeout = time.Second
	v := newVerifier(t, config)
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	var none *evp.Verifier
	b, err := evp.ParseBundle([]byte("{}"))
	if err != nil {
		t.Fatal(err)
	}
	offline := newVerifier(t, evp.Config{Origins: []string{"https://rp.example"}, Bundle: b})
	for name, c := range map[string]struct {
		v            *evp.Verifier
		ctx          context.Context
		domain       string
		lookup, save error
		rule         string
	}{
		"no metadata":  {v, t.Context(), "down.example", assertion.ErrRejected, assertion.ErrRejected, "9.refused"},
		"not a domain": {v, t.Context(), "localhost", assertion.ErrRejected, assertion.ErrRejected, "8.no-issuer"},
		"context":      {v, ended, "slow.example", assertion.ErrUndecided, assertion.ErrUndecided, "8.unavailable"},
		"nil":          {none, t.Context(), lookupDomain, assertion.ErrMisuse, assertion.ErrMisuse, ""},
		"zero":         {new(evp.Verifier), t.Context(), lookupDomain, assertion.ErrMisuse, assertion.ErrMisuse, ""},
		"bundle":       {offline, t.Context(), lookupDomain, assertion.ErrUndecided, assertion.ErrMisuse, "8.unavailable"},
	} {
		var text bytes.Buffer
		for _, got := range []struct{ err, want error }{
			{c.v.Lookup(c.ctx, c.domain).Err, c.lookup}, {c.v.Save(c.ctx, &text, c.domain), c.save},
		} {
			var e *evp.Error
			if !errors.Is(got.err, got.want) || !errors.As(got.err, &e) || e.Rule != c.rule && got.want != assertion.ErrMisuse || text.Len() != 0 {
				t.Errorf("%s: %v, want %v", name, got.err, got.want)
			}
		}
	}
}
