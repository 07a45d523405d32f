package assertion_test

import (
	"context"
	"encoding/json"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/vepverify/vepverify/assertion"
	"github.com/vepverify/vepverify/certchain"
	"github.com/vepverify/vepverify/devidp/idptest"
	"github.com/vepverify/vepverify/keys"
	"github.com/vepverify/vepverify/wellknown"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const rp = "https://rp.example"

// now is the time of all tests.
var now = time.UnixMilli(1700000000000)

func clock() time.Time { return now }

// An identity provider and users of each kind.
var (
	idpKey  = idptest.Key("RS256")
	idpDSA  = idptest.Key("DS128")
	userDSA = idptest.Key("DS128-2")
	userRSA = idptest.Key("RS256-2")

	// Keys of others.
	otherDSA   = idptest.Key("DS128-own-group")
	otherRSA   = idptest.Key("RS256-2047")
	otherDS256 = idptest.Key("DS256")
	weakRSA    = idptest.Key("RS64")
)

// document returns a support document that publishes keys.
func document(published ...keys.PublicKey) json.RawMessage {
	data, err := json.Marshal(map[string]any{
		"keys": published, "authentication": "/sign_in", "provisioning": "/provision",
	})
	if err != nil {
		panic(err)
	}
	return data
}

func authority(domain string, published ...keys.PublicKey) *wellknown.Authority {
	return &wellknown.Authority{Domain: domain, Keys: published, Authentication: "/a", Provisioning: "/p", Fetched: now}
}

func incomplete(domain string) error {
	a := authority(domain, idpKey.Public())
	a.Authentication, a.Provisioning = "", ""
	return &wellknown.IncompleteError{Authority: a}
}

// static returns a KeySource with these documents and that of idp.example.
func static(t testing.TB, more map[string]json.RawMessage) *wellknown.Static {
	t.Helper()
	documents := map[string]json.RawMessage{"idp.example": document(idpKey.Public(), idpDSA.Public())}
	for host, d := range more {
		documents[host] = d
	}
	s, err := wellknown.NewStatic(documents)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// verifier returns a verifier with the clock and, unless c.Keys is set, the keys of
// these tests.
func verifier(t testing.TB, c assertion.Config) *assertion.Verifier {
	t.Helper()
	c.Now = clock
	if c.Keys == nil {
		c.Keys = static(t, nil)
	}
	v, err := assertion.NewVerifier(c)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// spec specifies a backed assertion. The zero value specifies a valid one, of
// alice@idp.example with an RS256 issuer and a DS128 user.
type spec struct {
	issuer     string
	email      string
	issuerKey  keys.PrivateKey
	userKey    keys.PrivateKey
	cert       map[string]any // claims that are added or, if nil, removed
	assertion  map[string]any
	signingKey keys.PrivateKey // in place of the user's
}

func (m spec) String() string {
	issuerKey, userKey, email, issuer := m.issuerKey, m.userKey, m.email, m.issuer
	if issuerKey == nil {
		issuerKey = idpKey
	}
	if userKey == nil {
		userKey = userDSA
	}
	if issuer == "" {
		issuer = "idp.example"
	}
	if email == "" {
		email = "alice@idp.example"
	}
	cert := map[string]any{
		"iss": issuer, "iat": now.Add(-time.Minute).UnixMilli(), "exp": now.Add(time.Hour).UnixMilli(),
		"public-key": userKey.Public(), "principal": map[string]any{"email": email},
	}
	claims := map[string]any{"aud": rp, "exp": now.Add(2 * time.Minute).UnixMilli()}
	signingKey := m.signingKey
	if signingKey == nil {
		signingKey = userKey
	}
	return assertion.Bundle(sign(change(claims, m.assertion), signingKey), sign(change(cert, m.cert), issuerKey))
}

func change(claims, by map[string]any) map[string]any {
	for name, value := range by {
		if value == nil {
			delete(claims, name)
		} else {
			claims[name] = value
		}
	}
	return claims
}

func sign(claims map[string]any, key keys.PrivateKey) string {
	token, err := certchain.Sign(claims, nil, key)
	if err != nil {
		panic(err)
	}
	return token
}

// variableSource is a KeySource whose answer tests change.
type variableSource struct{ answer *wellknown.Authority }

func (c *variableSource) Authority(context.Context, string, string) (*wellknown.Authority, error) {
	return c.answer, nil
}

// recordingSource is a KeySource that records its arguments.
type recordingSource struct {
	assertion.KeySource
	asked []string
}

func (r *recordingSource) Authority(ctx context.Context, host, emailDomain string) (*wellknown.Authority, error) {
	r.asked = append(r.asked, host+" "+emailDomain)
	return r.KeySource.Authority(ctx, host, emailDomain)
}
